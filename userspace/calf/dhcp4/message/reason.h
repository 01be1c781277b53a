/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a frame or message was discarded. Each reason has a counter in the
 * metrics page and is logged once per server (discard_log.h).
 */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_REASON_H
#define CALFPEN_CALF_DHCP4_MESSAGE_REASON_H

enum reason {
	REASON_NONE = 0,
	/* the frame: in the order of enum net_reason */
	REASON_FRAME_TRUNCATED,
	REASON_FRAME_TYPE, /* not UDP over IPv4 */
	REASON_IP_HEADER,
	REASON_IP_CHECKSUM,
	REASON_FRAGMENT,
	REASON_UDP_LENGTH,
	REASON_UDP_CHECKSUM,
	REASON_ARP_HEADER,
	REASON_PORT, /* not to 68 */
	/* the message alone */
	REASON_TRUNCATED, /* shorter than the fixed part and the cookie */
	REASON_NOT_REPLY, /* op is not BOOTREPLY */
	REASON_HARDWARE,  /* htype is not 1 or hlen is not 6 */
	REASON_COOKIE,
	REASON_NO_TYPE, /* option 53 is missing or empty */
	REASON_TYPE,	/* not a type that a server sends */
	/* the message compared with the request */
	REASON_XID,
	REASON_CHADDR,
	REASON_CLIENT_ID,  /* option 61 differs from ours (RFC 6842) */
	REASON_FORCERENEW, /* unauthenticated (RFC 6704) */
	REASON_STATE,	   /* not expected in this state */
	REASON_SERVER,	   /* option 54 is another server's */
	REASON_DENIED,	   /* the configuration forbids its server */
	REASON_ADDRESS,	   /* yiaddr is not an address for a host */
	REASON_SUBNET,	   /* yiaddr is its subnet's own or broadcast address */
	REASON_LINK_LOCAL, /* yiaddr is of 169.254/16 (link_local) */
	REASON_CONFLICT,   /* yiaddr was just found in use */
	REASON_LATE,	   /* the lease that it grants has expired */
	REASON_ARP,	   /* ARP that is not about our address */
	REASON_ARP_HOST,   /* ARP of another interface of this host */
	REASON_ARP_PROXY,  /* ARP of the server, or of who claimed several addresses */
	_REASON_N,
};

/* Return the reason in words for the log: "another transaction (xid)". */
const char *reason_text(enum reason reason);

#endif
