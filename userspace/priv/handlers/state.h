/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State that the handlers keep between calls. Each handler_context
 * points to a struct handlers_state of its own, so that two uplinks in one
 * process do not mix. All bytes zero: nothing is known yet. No handler keeps
 * anything at file scope (tools/lint/state).
 */
#ifndef CALFPEN_PRIV_HANDLERS_STATE_H
#define CALFPEN_PRIV_HANDLERS_STATE_H

#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/former.h"
#include "userspace/priv/handlers/route_plan.h"
#include "userspace/priv/handlers/shared.h"

struct address_state {
	/* Release has nothing to do; false if apply found old addresses or could not
	 * read them. */
	bool is_settled;
	/* Apply has restored an address that was removed, has changed the prefix length of
	 * one, or has set one that it could not set before, without a change of the route keys:
	 * the routes must be planned again. */
	bool must_repeat;
	/* The last apply failed: the present addresses stay, whatever they are. */
	bool has_failed;
	/* The leased address is ours, but was set without IFA_F_NOPREFIXROUTE, by an older
	 * version or by a former client: the kernel has a route to its subnet. */
	bool has_kernels_route;
	/* The only address on the uplink that calfpen set. */
	struct address_known {
		int ifindex; /* 0: not known */
		uint64_t n_address_changes;
		struct value_ipv4_net net;
	} known;
	/* The last address we set. It is drift if the address disappears before its
	 * lifetime ends. */
	struct value_ipv4_net last_set;
	struct in_addr logged; /* the last foreign address that was logged */
	bool has_warned;       /* that promote_secondaries cannot be set */
};

struct link_state {
	uint32_t device_mtu;	   /* wanted by the last apply, 0: none */
	uint32_t logged_route_mtu; /* 0: none */
};

struct route_state {
	struct route_plan set;	    /* by the last apply; only the loss of these is drift */
	struct netlink_route ahead; /* last reported: a default route; table 0: none */
	bool has_warned;	    /* that rp_filter cannot be set */
};

/* Too large for the stack; each call fills it again. */
struct dns_state {
	char saved[FILE_SIZE_MAX];
	struct dns_list list; /* of all instances that use the file */
	/* The present file, and the one that all instances together want. */
	struct dns_view {
		char present[FILE_SIZE_MAX];
		int n_present; /* bytes; negative: there is no file */
		char text[DNS_TEXT_SIZE];
		size_t length;
		const char *owner; /* the manager that rewrites the file, or NULL */
	} seen;
};

/* CLOCK_BOOTTIME. */
struct shared_state {
	/* The instance has this file, and it ends with the lease. */
	bool ends[_SHARED_FILE_N];
	uint64_t lease_end_ns; /* when the values of this pass cease, UINT64_MAX: never */
	/* The first time at which what an instance says ceases, so that the shared files
	 * must be composed again; 0: not known of any. */
	uint64_t next_end_ns;
};

struct handlers_state {
	struct shared_state shared;
	struct former_state former;
	struct address_state address;
	struct link_state link;
	struct route_state route;
	struct dns_state dns;
};

#endif
