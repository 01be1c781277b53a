/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which routes the wanted state asks for, in the order in which they can be
 * added. Pure: no kernel is asked.
 */
#ifndef CALFPEN_PRIV_HANDLERS_ROUTE_PLAN_H
#define CALFPEN_PRIV_HANDLERS_ROUTE_PLAN_H

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/netlink/netlink.h"

#define ROUTE_KEYS_MAX 64 /* of /route/NNN; further ones are ignored */
/* The default route, those keys, and a host route to the gateway of each. */
#define ROUTE_PLAN_MAX (2 * (ROUTE_KEYS_MAX + 1))

struct route_planned {
	struct netlink_route route;
	const char *path;	     /* of the key that asks for it, as long as `wanted` */
	bool is_way;		     /* host route to the gateway of another one */
	bool is_way_to_default;	     /* ... of /gateway, whether asked for or not */
	bool is_refused;	     /* route_policy.h */
	struct netlink_route hidden; /* because of this one */
};

struct route_plan {
	struct route_planned routes[ROUTE_PLAN_MAX];
	uint32_t n_routes;
	struct value_ipv4_net subnet; /* of the lease */
};

/*
 * Nothing without a lease or with `use_routes` off. A key that is not of its
 * type is left out, the others are planned: -EBADMSG as handler_fail(), else
 * 0; the plan is written in both cases. Of two routes to one destination the
 * first counts, /gateway before /route/NNN. What the operator's limits do not
 * allow (more than `max_routes`, shorter than `min_prefix_length`; a default
 * route is neither) and what cannot be a destination is refused.
 */
int route_plan_init(struct route_plan *plan, struct handler_context *context,
		    const struct wanted *wanted);

/* Is the gateway one of the lease's subnet? */
bool route_plan_is_in_subnet(const struct route_plan *plan, struct in_addr gateway);

/* Destination, metric and table are equal. */
bool route_is_same_key(const struct netlink_route *a, const struct netlink_route *b);

#endif
