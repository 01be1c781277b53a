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
#include "userspace/priv/netlink.h"

#define ROUTE_KEYS_MAX 64 /* of /route/NNN; further ones are ignored */
/* The default route, those keys, and a host route to the gateway of each. */
#define ROUTE_PLAN_MAX (2 * (ROUTE_KEYS_MAX + 1))

struct route_plan {
	struct netlink_route routes[ROUTE_PLAN_MAX];
	uint32_t n_routes;
};

/*
 * Nothing without a lease or with `use_routes` off. A key that is not of its
 * type is left out, the others are planned: -EBADMSG as handler_fail(), else
 * 0; the plan is written in both cases. Of two routes to one destination the
 * first counts, /gateway before /route/NNN.
 */
int route_plan_init(struct route_plan *plan, struct handler_context *context,
		    const struct wanted *wanted);

/* Destination, metric and table are equal. */
bool route_is_same_key(const struct netlink_route *a, const struct netlink_route *b);

#endif
