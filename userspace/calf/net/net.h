/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common to the parsers in this directory. Each takes a bytes_reader positioned
 * at its header, steps over the header and leaves the payload, cut to the
 * length that the header gives. It returns NET_OK or one of the positive
 * conditions below: because a frame from the network may be anything, none of
 * them is an error of the program.
 */
#ifndef CALFPEN_CALF_NET_NET_H
#define CALFPEN_CALF_NET_NET_H

enum net_reason {
	NET_OK = 0,
	NET_TRUNCATED, /* ends inside a header */
	NET_TYPE,      /* not the protocol that the caller wants */
	NET_IP_HEADER, /* version, header length or total length */
	NET_IP_CHECKSUM,
	NET_FRAGMENT,	  /* any part of a fragmented datagram */
	NET_UDP_LENGTH,	  /* below 8, or beyond the IP payload */
	NET_UDP_CHECKSUM, /* neither absent (0), nor correct, nor left to a device */
	NET_ARP_HEADER,	  /* not IPv4 over Ethernet, or neither request nor reply */
	_NET_REASON_N,
};

#endif
