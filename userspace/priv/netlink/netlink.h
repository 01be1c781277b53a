/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed rtnetlink requests and events: IPv4 addresses and routes, and the few link
 * settings that priv needs. The frames code, the handlers, the supervisor and the
 * watcher use it; it is the only user of libnl.
 *
 * Addresses and routes that calfpen adds carry its own protocol number,
 * NETLINK_OWNER, as IFA_PROTO and rtm_protocol: after any restart they can be
 * distinguished from those of other programs without a file, and with several
 * uplinks by the interface. RTPROT_DHCP (16) is not used because other clients,
 * networkd and NetworkManager use it, too, so that their routes would look like
 * calfpen's.
 *
 * Unless documented otherwise, a function returns 0 or the kernel's negative errno.
 * Nothing is logged here. Requests are synchronous; a struct netlink must not be
 * used by two threads.
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

/* Open a socket, to be closed by netlink_free(). Calls socket(2), so call it before
 * the process confines itself; the other functions need only sendmsg and recvmsg.
 * Returns 0 with *netlinkp set, or a negative errno. */
int netlink_new(struct netlink **netlinkp);
/* Close a socket; NULL is allowed. Returns NULL. */
struct netlink *netlink_free(struct netlink *netlink);

/* links */

#define NETLINK_ALIAS_SIZE 256 /* NUL included */

struct netlink_link {
	int ifindex;
	char name[IFNAMSIZ];
	uint32_t flags; /* IFF_*, IFF_LOWER_UP is the carrier */
	uint32_t mtu;
	uint32_t min_mtu; /* 0: not known */
	uint32_t max_mtu; /* 0: not known */
	bool has_ipv6;	  /* IPv6 is enabled; the kernel disables it below IPV6_MIN_MTU */
	uint16_t type;	  /* ARPHRD_* */
	uint8_t mac[6];	  /* zeros if the hardware address is not 6 bytes long */
	int master;	  /* index of the link that this one belongs to, 0: none */
	bool is_port;	  /* of the master: a bridge, bond or the like, but not a VRF */
	bool is_bridge_port;
	bool is_tun; /* a tun or tap device */
	char alias[NETLINK_ALIAS_SIZE];
};

#define NETLINK_NAME_SIZE 128 /* of an alternative name, NUL included */

/* Read a link, by its name or one of its alternative names. *linkp is written only on
 * success. Returns 0, -ENODEV if the link does not exist, or another negative errno. */
int netlink_link_get(struct netlink *netlink, int ifindex, struct netlink_link *linkp);
int netlink_link_get_by_name(struct netlink *netlink, const char *name, struct netlink_link *linkp);
/* Call `call` for each link of this network namespace. */
typedef void (*netlink_link_fn)(const struct netlink_link *link, void *data);
int netlink_link_each(struct netlink *netlink, netlink_link_fn call, void *data);
int netlink_link_set_up(struct netlink *netlink, int ifindex, bool up);
int netlink_link_set_mtu(struct netlink *netlink, int ifindex, uint32_t mtu);
/* Set net.ipv4.conf.LINK.SETTING to the value unless it is; `setting` is an IPV4_DEVCONF_*
 * of linux/ip.h. Does not need /proc/sys, which may be read-only. */
int netlink_link_set_ipv4(struct netlink *netlink, int ifindex, int setting, uint32_t value);
#define NETLINK_RP_FILTER_STRICT 1
#define NETLINK_RP_FILTER_LOOSE 2
/* Read the reverse path filtering in effect on a link, the higher of rp_filter of the link
 * and of `all` (ip-sysctl): 0 (none) or NETLINK_RP_FILTER_*. */
int netlink_link_get_rp_filter(struct netlink *netlink, int ifindex, uint32_t *modep);
/* Keep the host from sending anything by itself on a link that is still down: no
 * ARP (IFF_NOARP), no IPv6 address (addrgenmode none; a kernel without IPv6 is no
 * error). For a calf's tap, before it is set up. */
int netlink_link_set_quiet(struct netlink *netlink, int ifindex);
/* Delete a virtual link. Returns -ENODEV if it does not exist. */
int netlink_link_delete(struct netlink *netlink, int ifindex);
/* Set the text that `ip link` shows as the link's alias, at most 255 octets. */
int netlink_link_set_alias(struct netlink *netlink, int ifindex, const char *alias);
/* Pass frames sent on a link directly to its driver, as `tc qdisc replace dev LINK
 * root noqueue` does. For a calf's tap, which has its own ring. */
int netlink_link_set_noqueue(struct netlink *netlink, int ifindex);

/* addresses */

struct netlink_address {
	struct in_addr address;
	uint8_t prefix_length;
	uint8_t protocol;	  /* NETLINK_OWNER: set by calfpen */
	uint8_t scope;		  /* RT_SCOPE_*; only read, always universe when set */
	uint32_t flags;		  /* IFA_F_*; add sets IFA_F_NOPREFIXROUTE, replace changes none */
	struct in_addr broadcast; /* 0: none */
	uint32_t valid_s;	  /* seconds left, NETLINK_FOREVER */
	uint32_t preferred_s;
};

/* Call `call` for each IPv4 address of the interface, whatever set it. */
typedef void (*netlink_address_fn)(const struct netlink_address *address, void *data);
int netlink_address_each(struct netlink *netlink, int ifindex, netlink_address_fn call, void *data);
/* Find an IPv6 address of the interface with a scope beyond the link. Returns 1 with
 * *addressp set, 0 if there is none (or no IPv6), or a negative errno. */
int netlink_address_find_ipv6(struct netlink *netlink, int ifindex, struct in6_addr *addressp);
/* Add an address with NETLINK_OWNER and of `flags` IFA_F_NOPREFIXROUTE: with it the kernel
 * sets no route to the subnet. Returns -EEXIST if one with the same address and prefix
 * length exists. */
int netlink_address_add(struct netlink *netlink, int ifindex,
			const struct netlink_address *address);
/* Set the lifetimes of an existing address in place; add it if it has just
 * expired. The kernel does not change the flags of an existing address. */
int netlink_address_replace(struct netlink *netlink, int ifindex,
			    const struct netlink_address *address);
/* Delete an address. The kernel also deletes its secondaries unless
 * promote_secondaries is set on the link. Returns 0 also if it does not exist. */
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
	uint32_t mtu; /* RTAX_MTU, 0: that of the device */
	/* The gateway is on the link, whatever routes there are (RTNH_F_ONLINK). Only set. */
	bool is_gateway_onlink;
	/* only read; ignored when a route is set */
	uint8_t protocol; /* NETLINK_OWNER: set by calfpen, on its uplink */
	uint8_t tos;
	uint8_t type;	/* RTN_* */
	bool is_onlink; /* plain, scope link and no gateway */
	bool is_plain;	/* one next hop, without an IPv6 gateway or encapsulation */
	int ifindex;	/* of its only next hop, 0 if it has several */
};

/* Call `call` for each IPv4 unicast route with NETLINK_OWNER through the interface in
 * the table; the kernel filters, so that a full table costs nothing. */
typedef void (*netlink_route_fn)(const struct netlink_route *route, void *data);
int netlink_route_each(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		       void *data);
/* Call `call` for each IPv4 route in the table (0: in all tables), of any owner, type
 * and interface. */
int netlink_route_each_owner(struct netlink *netlink, uint32_t table, netlink_route_fn call,
			     void *data);
/* Call `call` for each IPv4 route through the interface in the table, of any owner and
 * type. */
int netlink_route_each_through(struct netlink *netlink, int ifindex, uint32_t table,
			       netlink_route_fn call, void *data);
/*
 * Find the IPv6 router by which the host's routes through the interface lead to an IPv4
 * address. Returns 1 with *routerp set; 0 if it is reached otherwise, or not at all; or a
 * negative errno.
 */
int netlink_route_find_ipv6_router(struct netlink *netlink, int ifindex, struct in_addr to,
				   struct in6_addr *routerp);
/*
 * Find the prefix length that a policy rule suppresses when it looks up `table`
 * (FRA_SUPPRESS_PREFIXLEN): routes with longer prefixes take precedence over the
 * tables of later rules. *lengthp gets the smallest one if there are several
 * rules, -1 if there is none.
 */
int netlink_rule_suppressed(struct netlink *netlink, uint32_t table, int *lengthp);
/* Add a route. Returns -EEXIST if a route with the same destination and metric
 * exists, whatever its owner; that route is not changed. */
int netlink_route_add(struct netlink *netlink, int ifindex, const struct netlink_route *route);
/* Add a route behind those with the same destination and metric, so that a route of
 * ours can be replaced without a gap and a foreign one is never displaced. */
int netlink_route_append(struct netlink *netlink, int ifindex, const struct netlink_route *route);
/* Delete our route that matches in every field. Returns 0 also if it does not
 * exist. */
int netlink_route_delete(struct netlink *netlink, int ifindex, const struct netlink_route *route);
/* Delete a plain route of another program that matches in every field. Returns 0 also
 * if it does not exist. */
int netlink_route_delete_foreign(struct netlink *netlink, int ifindex,
				 const struct netlink_route *route);

/* events */

enum netlink_event_type {
	NETLINK_EVENT_LINK,
	NETLINK_EVENT_ADDRESS,
	NETLINK_EVENT_ROUTE,
	NETLINK_EVENT_RULE, /* a policy rule, which one is not told */
};

struct netlink_event {
	enum netlink_event_type type;
	bool is_gone;  /* deleted; otherwise added or changed */
	uint32_t port; /* netlink_port() of the requesting socket; 0: the kernel, or unknown */
	int ifindex;   /* of a route: of its only next hop, 0 if it has several */
	union {
		struct netlink_link link;
		struct netlink_address address;
		struct netlink_route route;
	};
};

/* Open a socket that receives all changes of links, and unless only_links also of
 * IPv4 addresses, routes and policy rules. It never blocks and sends nothing. Otherwise as
 * netlink_new(). */
int netlink_listen(struct netlink **netlinkp, bool only_links);
/* Returns the descriptor for poll(2), POLLIN. It stays owned by `netlink`. */
int netlink_fd(const struct netlink *netlink);
/* Returns the `port` of events about changes requested through this socket. */
uint32_t netlink_port(const struct netlink *netlink);

#define NETLINK_MORE 1 /* not all was read; the socket is still readable */
#define NETLINK_LOST 2 /* the kernel dropped events: anything may have changed */

typedef void (*netlink_event_fn)(const struct netlink_event *event, void *data);
/* Call `call` for the pending events, a bounded number of them. Returns 0,
 * NETLINK_MORE, NETLINK_LOST, or a negative errno. */
int netlink_events(struct netlink *netlink, netlink_event_fn call, void *data);

#endif
