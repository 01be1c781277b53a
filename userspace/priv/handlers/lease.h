/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leased address: /ip with the remaining /lease/time, as far as the witness
 * allows it. The address and the route handler use the same function, so that no
 * route is wanted without its source address.
 */
#ifndef CALFPEN_PRIV_HANDLERS_LEASE_H
#define CALFPEN_PRIV_HANDLERS_LEASE_H

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"

struct lease {
	struct value_ipv4_net net;
	uint32_t left_s; /* NETLINK_FOREVER: does not expire */
	bool is_kept;	 /* /ip is refused: this is what the uplink has, with its own lifetime */
};

#define LEASE_ABSENT 1 /* no /ip, or it has expired */

/*
 * Read the lease from the wanted state. If the witness is in force, the lease lasts no
 * longer than a server said. If no server gave the address, it is refused, and the
 * lease is the address that calfpen has set on the uplink before, with what is left
 * of its own lifetime. The prefix length is 32 if the subnet must not be connected
 * (lease_narrow()); a lease of which this is not known is -EAGAIN. Without the witness and without /lease/time the address does not
 * expire: a calf with a fixed address. Returns 0 with *leasep set, LEASE_ABSENT, or a
 * negative errno as handler_fail(), -EBADMSG for a value of the wrong type.
 */
int lease_get(struct handler_context *context, const struct wanted *wanted, struct lease *leasep);
/* The same with the subnet that the server gave, which may be refused. */
int lease_get_whole(struct handler_context *context, const struct wanted *wanted,
		    struct lease *leasep);
/* Unless the subnet may be connected whatever the routes are, set the prefix length to the one
 * that was last allowed for the address, so that nothing is connected that was not judged, and
 * nothing goes because the judgement failed; without one to 32. */
void lease_narrow(const struct handler_context *context, struct lease *lease);

/* Returns how many of `seconds` that began at `written_ns` are left at `now_ns`
 * (both CLOCK_BOOTTIME), rounded down so as not to exceed the lease. */
uint32_t lease_left(uint32_t seconds, uint64_t written_ns, uint64_t now_ns);

/* Returns when the lease that the values came with ends (CLOCK_BOOTTIME), at the latest
 * when the witness says so, or UINT64_MAX: never, or there is no valid /lease/time. */
uint64_t lease_end_ns(const struct handler_context *context, const struct wanted *wanted);

/* pure helpers for IPv4 networks */

bool lease_net_contains(const struct value_ipv4_net *net, struct in_addr address);
/* Returns the address with no host bit set. */
struct in_addr lease_net_first(const struct value_ipv4_net *net);
/* Returns the address with all host bits set; 0 for /31 and /32, which have no
 * broadcast address. */
struct in_addr lease_net_broadcast(const struct value_ipv4_net *net);

#endif
