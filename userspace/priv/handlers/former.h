/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a former DHCP client left on the uplink, for --takeover: its addresses, and
 * the routes by them. They are removed when ours stand, and only once for each start
 * of the instance: what is set later belongs to somebody else, be it the operator or
 * a former client that still runs.
 *
 * RUN_DIRECTORY/takeover has the addresses that were there when the first lease came,
 * and says whether the take-over is done, so that a restarted watcher does neither too
 * little nor too much. The start is identified by the revision of /address, which the
 * supervisor writes if there is something to take over.
 *
 * Of the addresses that calfpen had not set, these are the former client's:
 *   - those with an end: somebody leased them,
 *   - the one that the server now leases to us,
 *   - the one that the take-over asked the server for (/address), if it is in the
 *     subnet of the lease.
 * Only those with an end are removed, as one without may have been set by a person, and the
 * leased one if it has another prefix length, because ours replaces it.
 *
 * A route is the former client's if it has protocol "boot" or "dhcp", leads through
 * the uplink only, is in the table of our routes, and is by such an address: as its
 * preferred source, or, if it has none, as the one that the kernel chooses for its
 * gateway. An on-link route without a preferred source is nobody's, except the host
 * route to the gateway of such a route.
 */
#ifndef CALFPEN_PRIV_HANDLERS_FORMER_H
#define CALFPEN_PRIV_HANDLERS_FORMER_H

#include "userspace/priv/handlers/route_plan.h"

#define FORMER_ADDRESSES_MAX 32 /* of the uplink; further ones are ignored */
#define FORMER_ROUTES_MAX 128	/* removed at once; further ones with the next pass */

/* What is kept between calls. All bytes zero: nothing is known yet. */
struct former_state {
	uint64_t revision; /* of /address; 0: nothing was found, or nothing is known */
	bool is_done;
	bool are_routes_gone;
	struct in_addr asked; /* /address */
	struct former_address {
		struct value_ipv4_net net;
		bool has_end;
	} addresses[FORMER_ADDRESSES_MAX];
	uint32_t n_addresses;
};

/* The former client's routes as they are now. */
struct former {
	bool is_pending; /* the take-over is not done; otherwise there are no routes */
	const struct former_state *state;
	struct value_ipv4_net lease;
	int uplink_ifindex;
	uint32_t table;
	/* the addresses of the uplink in the kernel's order, from which it chooses */
	struct netlink_address present[FORMER_ADDRESSES_MAX];
	uint32_t n_present;
	struct netlink_route routes[FORMER_ROUTES_MAX];
	uint32_t n_routes;
	bool has_more;
};

/* Note the addresses of the uplink if this is the first call since the start of the
 * instance. Nothing of ours may be set before it succeeds. Returns 0, or a negative errno as
 * handler_fail(). */
int former_begin(struct handler_context *context, const struct wanted *wanted);

/* Find the former client's routes. It requests nothing unless a take-over is pending
 * and there is a lease. Returns 0, or a negative errno as handler_fail(). */
int former_find(struct handler_context *context, const struct wanted *wanted,
		struct former *former);

/* Returns true if the route is one that former_remove_routes() will remove when a
 * route of ours covers it. */
bool former_has_route(const struct former *former, const struct netlink_route *route);

/*
 * Remove each route of the former client that is covered by one of the plan's, which
 * must all stand: one with a prefix that contains that of the route. Returns 0, or a
 * negative errno as handler_fail().
 */
int former_remove_routes(struct handler_context *context, const struct former *former,
			 const struct route_plan *plan);

/*
 * If all routes of the former client are gone, remove its addresses, unless a route
 * that stays needs them, and finish the take-over. Returns 0; HANDLER_REPEAT if the
 * leased address was lost, or the kernel may have added a route to its subnet; or a
 * negative errno as handler_fail().
 */
int former_remove_addresses(struct handler_context *context, const struct wanted *wanted);

#endif
