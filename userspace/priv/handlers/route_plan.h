/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans the routes that the wanted state requires, in an order in which they can
 * be added. Pure: it does not access the kernel.
 */
#ifndef CALFPEN_PRIV_HANDLERS_ROUTE_PLAN_H
#define CALFPEN_PRIV_HANDLERS_ROUTE_PLAN_H

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/netlink/netlink.h"

#define ROUTE_KEYS_MAX 64 /* of /route/NNN; further ones are ignored */
/* The connected route, the default route, and these keys. */
#define ROUTE_PLAN_MAX (ROUTE_KEYS_MAX + 2)

struct route_planned {
	struct netlink_route route;
	const char *path;	     /* of the key that requires it; owned by `wanted` */
	bool is_connected;	     /* to the subnet of the lease (connected.h) */
	bool is_refused;	     /* route_policy.h */
	struct netlink_route hidden; /* if refused: the route that it would hide */
};

struct route_plan {
	struct route_planned routes[ROUTE_PLAN_MAX];
	uint32_t n_routes;
	struct value_ipv4_net subnet; /* of the lease, /32 if it must not be connected */
};

/*
 * Plan the routes. The plan is empty without a lease; if `use_routes` is off, it has the
 * connected route only. A key of the wrong type is left out, the others are planned. Of two
 * routes to the same destination the first is used: the connected route, then /gateway
 * before /route/NNN. Routes beyond the operator's limits (more than `max_routes`, shorter
 * than `min_prefix_length`; default routes do not count) and impossible destinations are
 * refused. Returns 0, or -EBADMSG as handler_fail() if a key was left out; the plan is
 * written in both cases.
 */
int route_plan_init(struct route_plan *plan, struct handler_context *context,
		    const struct wanted *wanted);

/* The same as if `use_routes` were on: to find the way to the server. */
int route_plan_init_all(struct route_plan *plan, struct handler_context *context,
			const struct wanted *wanted);

/* Returns true if a planned route without a gateway, such as the connected one, leads to the
 * gateway. */
bool route_plan_reaches(const struct route_plan *plan, struct in_addr gateway);

/*
 * Find by which router of the plan an address is reached: the longest prefix counts.
 * Returns 0.0.0.0 if the address is on the link, or if no route leads there.
 */
struct in_addr route_plan_next_hop(const struct route_plan *plan, struct in_addr to);

#define ROUTE_TEXT_SIZE 80
/* Write "0.0.0.0/0 via 192.0.2.1 metric 0 protocol 3", or "0.0.0.0/0 on-link metric 0 ...". */
void route_format(const struct netlink_route *route, char text[static ROUTE_TEXT_SIZE]);

/* Returns true if destination, metric and table are equal. */
bool route_is_same_key(const struct netlink_route *a, const struct netlink_route *b);

#endif
