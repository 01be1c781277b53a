/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network configuration by rtnetlink, typed; the only user of libnl. IPv4
 * addresses and routes, and the few link settings that priv needs.
 *
 * What we add carries a protocol number of our own, NETLINK_OWNER, as
 * IFA_PROTO of addresses and rtm_protocol of routes: after any restart ours
 * are told from everybody else's without a file, and on several uplinks by
 * the interface. RTPROT_DHCP (16) is not used: other clients, networkd and
 * NetworkManager use it too, and then theirs would look like ours.
 *
 * Every function returns 0 or the kernel's negative errno; nothing is logged
 * here. Requests are synchronous; one struct must not be used by two threads.
 */
#ifndef CALFPEN_PRIV_NETLINK_NETLINK_H
#define CALFPEN_PRIV_NETLINK_NETLINK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* `ip route` shows "proto 202"; unassigned in rt_protos and in FRR's range. */
#define NETLINK_OWNER 202
#define NETLINK_FOREVER UINT32_MAX

struct netlink;

/* Open a socket; fully owned by the caller. Needs socket(2), so before a
 * process confines itself. The others need sendmsg and recvmsg only. */
int netlink_new(struct netlink **netlinkp);
/* NULL is legal. Returns NULL. */
struct netlink *netlink_free(struct netlink *netlink);

/* links */

struct netlink_link {
	int ifindex;
	char name[IFNAMSIZ];
	uint32_t flags; /* IFF_*, IFF_LOWER_UP is the carrier */
	uint32_t mtu;
	uint32_t min_mtu; /* 0: not known */
	uint32_t max_mtu; /* 0: not known */
	uint16_t type;	  /* ARPHRD_* */
	uint8_t mac[6];	  /* zeros if the hardware address is not 6 bytes */
};

/* -ENODEV if there is none; *linkp is written on success only. */
int netlink_link_get(struct netlink *netlink, int ifindex, struct netlink_link *linkp);
int netlink_link_get_by_name(struct netlink *netlink, const char *name, struct netlink_link *linkp);
int netlink_link_set_up(struct netlink *netlink, int ifindex, bool up);
int netlink_link_set_mtu(struct netlink *netlink, int ifindex, uint32_t mtu);
/* Make a link that is still down one on which the host says nothing by
 * itself: no ARP (IFF_NOARP), no IPv6 address (addrgenmode none; a kernel
 * without IPv6 is no error). For a calf's tap, before it is set up. */
int netlink_link_set_quiet(struct netlink *netlink, int ifindex);
/* Hand what is sent on a link to its driver at once, as `tc qdisc replace dev
 * LINK root noqueue` does. For a calf's tap, which has a ring of its own. */
int netlink_link_set_noqueue(struct netlink *netlink, int ifindex);

/* addresses */

struct netlink_address {
	struct in_addr address;
	uint8_t prefix_length;
	uint8_t protocol;	  /* NETLINK_OWNER: ours */
	uint8_t scope;		  /* RT_SCOPE_* of one that was read; ours are universe */
	uint32_t flags;		  /* IFA_F_*; ignored by add and replace */
	struct in_addr broadcast; /* 0: none */
	uint32_t valid_s;	  /* seconds left, NETLINK_FOREVER */
	uint32_t preferred_s;
};

/* Call `call` for each IPv4 address of the interface, whoever set it. */
typedef void (*netlink_address_fn)(const struct netlink_address *address, void *data);
int netlink_address_each(struct netlink *netlink, int ifindex, netlink_address_fn call, void *data);
/* An IPv6 address of the interface that reaches beyond its link: 1 with
 * *addressp, 0 if there is none (or no IPv6). */
int netlink_address_find_ipv6(struct netlink *netlink, int ifindex, struct in6_addr *addressp);
/* Add with our mark; -EEXIST if address and prefix length are there. */
int netlink_address_add(struct netlink *netlink, int ifindex,
			const struct netlink_address *address);
/* Set the lifetimes of an address that is there, in place; add it if it has
 * just expired. */
int netlink_address_replace(struct netlink *netlink, int ifindex,
			    const struct netlink_address *address);
/* 0 also if it is gone already. The kernel deletes its secondaries with it
 * unless promote_secondaries is set on the link. */
int netlink_address_delete(struct netlink *netlink, int ifindex,
			   const struct netlink_address *address);

/* routes */

struct netlink_route {
	struct in_addr destination;
	uint8_t prefix_length;
	struct in_addr gateway; /* 0: on-link, scope link */
	struct in_addr source;	/* preferred source, 0: none */
	uint32_t metric;
	uint32_t table;
	/* of a route that was read; ignored when one is set */
	uint8_t protocol; /* NETLINK_OWNER: ours, on our uplink */
	uint8_t tos;
	uint8_t type; /* RTN_* */
	int ifindex;  /* of its only next hop, else 0 */
};

/* Call `call` for each IPv4 unicast route of ours through the interface in
 * the table; the kernel filters, so that a full table costs nothing. */
typedef void (*netlink_route_fn)(const struct netlink_route *route, void *data);
int netlink_route_each(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		       void *data);
/* Call `call` for each IPv4 route of whatever owner, type and interface in the
 * table, 0: in all of them. */
int netlink_route_each_owner(struct netlink *netlink, uint32_t table, netlink_route_fn call,
			     void *data);
/*
 * The prefix length that a policy rule suppresses when it looks up `table`
 * (FRA_SUPPRESS_PREFIXLEN): what is longer goes before the tables of later
 * rules. Of several rules the least; -1: none does.
 */
int netlink_rule_suppressed(struct netlink *netlink, uint32_t table, int *lengthp);
/* Add. -EEXIST if a route of the same destination and metric is there,
 * whoever owns it; it stays untouched. */
int netlink_route_add(struct netlink *netlink, int ifindex, const struct netlink_route *route);
/* Add behind routes of the same destination and metric: what replaces one of
 * ours comes before the old one goes, and nobody else's is ever displaced. */
int netlink_route_append(struct netlink *netlink, int ifindex, const struct netlink_route *route);
/* Delete the one of ours that is equal in every field; 0 if it is gone. */
int netlink_route_delete(struct netlink *netlink, int ifindex, const struct netlink_route *route);

/* events */

enum netlink_event_type {
	NETLINK_EVENT_LINK,
	NETLINK_EVENT_ADDRESS,
	NETLINK_EVENT_ROUTE,
};

struct netlink_event {
	enum netlink_event_type type;
	bool is_gone;  /* deleted, else added or changed */
	uint32_t port; /* netlink_port() of who asked for it; 0: the kernel, or not told */
	int ifindex;   /* route: of its only next hop, else 0 */
	union {
		struct netlink_link link;
		struct netlink_address address;
		struct netlink_route route;
	};
};

/* A socket that is told of all changes of links, and unless only_links of IPv4
 * addresses and routes; otherwise as netlink_new(). It never blocks and sends
 * nothing. */
int netlink_listen(struct netlink **netlinkp, bool only_links);
/* For poll(2): POLLIN. */
int netlink_fd(const struct netlink *netlink);
/* Who we are in the `port` of events about changes that we asked for. */
uint32_t netlink_port(const struct netlink *netlink);

#define NETLINK_MORE 1 /* not all was read; the socket is still readable */
#define NETLINK_LOST 2 /* the kernel had to leave events out: anything may have changed */

typedef void (*netlink_event_fn)(const struct netlink_event *event, void *data);
/* Call `call` for the events that have come, a bounded number: 0, one of the
 * two above, or a negative errno. */
int netlink_events(struct netlink *netlink, netlink_event_fn call, void *data);

#endif
