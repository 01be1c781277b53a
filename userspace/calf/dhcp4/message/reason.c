/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/reason.h"

static const char *const texts[_REASON_N] = {
	[REASON_NONE] = "no reason",
	[REASON_FRAME_TRUNCATED] = "frame ends inside a header",
	[REASON_FRAME_TYPE] = "not UDP over IPv4",
	[REASON_IP_HEADER] = "IP version or lengths are wrong",
	[REASON_IP_CHECKSUM] = "IP checksum is wrong",
	[REASON_FRAGMENT] = "fragment of an IP datagram",
	[REASON_UDP_LENGTH] = "UDP length is wrong",
	[REASON_UDP_CHECKSUM] = "UDP checksum is wrong",
	[REASON_ARP_HEADER] = "ARP header is wrong",
	[REASON_PORT] = "not to port 68",
	[REASON_TRUNCATED] = "message is shorter than its fixed part",
	[REASON_NOT_REPLY] = "not a reply (op)",
	[REASON_HARDWARE] = "not for Ethernet (htype, hlen)",
	[REASON_COOKIE] = "no DHCP magic cookie",
	[REASON_NO_TYPE] = "no message type (option 53)",
	[REASON_TYPE] = "message type is not a server's (option 53)",
	[REASON_XID] = "another transaction (xid)",
	[REASON_CHADDR] = "another client's (chaddr)",
	[REASON_CLIENT_ID] = "another client's (option 61)",
	[REASON_FORCERENEW] = "FORCERENEW is not authenticated",
	[REASON_STATE] = "not expected in this state",
	[REASON_SERVER] = "from another server (option 54)",
	[REASON_DENIED] = "from a server that is not allowed (option 54)",
	[REASON_ADDRESS] = "offers an address that no host can have (yiaddr)",
	[REASON_SUBNET] = "offers the subnet's own or broadcast address (yiaddr, option 1)",
	[REASON_LINK_LOCAL] = "offers a link-local address (yiaddr)",
	[REASON_CONFLICT] = "offers an address that is in use (yiaddr)",
	[REASON_LATE] = "arrived after its lease expired (option 51)",
	[REASON_ARP] = "ARP that does not concern our address",
	[REASON_ARP_HOST] = "ARP of another interface of this host",
	[REASON_ARP_PROXY] = "ARP of a host that answers for every address",
};

const char *reason_text(enum reason reason)
{
	return (unsigned int)reason < _REASON_N ? texts[reason] : texts[REASON_NONE];
}
