/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leased address: /ip with what is left of /lease/time. Address and route
 * handler ask for the same thing, so that no route is wanted without its
 * source.
 */
#ifndef CALFPEN_PRIV_HANDLERS_LEASE_H
#define CALFPEN_PRIV_HANDLERS_LEASE_H

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"

struct lease {
	struct value_ipv4_net net;
	uint32_t left_s; /* NETLINK_FOREVER: without end */
};

#define LEASE_ABSENT 1 /* no /ip, or its time is over */

/* 0 with *leasep, LEASE_ABSENT, or -EBADMSG as handler_fail(). Without
 * /lease/time the address stays for good: a calf with a fixed address. */
int lease_get(struct handler_context *context, const struct wanted *wanted, struct lease *leasep);

/* What is left at `now_ns` of `seconds` that began at `written_ns` (both
 * CLOCK_BOOTTIME), rounded down: never beyond the lease. */
uint32_t lease_left(uint32_t seconds, uint64_t written_ns, uint64_t now_ns);

/* pure helpers for IPv4 networks */

bool lease_net_contains(const struct value_ipv4_net *net, struct in_addr address);
/* All host bits set; 0 for /31 and /32, which have none. */
struct in_addr lease_net_broadcast(const struct value_ipv4_net *net);

#endif
