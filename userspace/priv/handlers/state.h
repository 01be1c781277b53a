/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handlers remember from one call to the next. Each handler_context
 * points to a struct handlers_state of its own, so that two uplinks in one
 * process do not mix. All bytes zero: nothing is known yet. No handler keeps
 * anything at file scope (tools/lint/state).
 */
#ifndef CALFPEN_PRIV_HANDLERS_STATE_H
#define CALFPEN_PRIV_HANDLERS_STATE_H

#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/route_plan.h"

struct address_state {
	/* Release has nothing to do; false if apply saw something, or could not look. */
	bool is_settled;
	/* Apply has brought back an address of which others' keys have not changed:
	 * the routes that went with it must be made again. */
	bool must_repeat;
	/* The only address of ours on the uplink. */
	struct address_known {
		int ifindex; /* 0: nothing is known */
		uint64_t n_address_changes;
		struct value_ipv4_net net;
	} known;
	/* The last address we set. It is drift if the address disappears before its
	 * lifetime ends. */
	struct value_ipv4_net last_set;
	struct in_addr told; /* the last foreign address that was logged */
	bool has_warned;     /* that promote_secondaries cannot be set */
};

struct route_state {
	struct route_plan set; /* by the last apply: only its loss is drift */
};

/* Too large for the stack; each call fills it anew. */
struct dns_state {
	char saved[FILE_SIZE_MAX];
	/* The file that is there, and the one that all instances together want. */
	struct dns_look {
		char present[FILE_SIZE_MAX];
		int n_present; /* negative: there is none */
		char text[DNS_TEXT_SIZE];
		size_t length;
		const char *owner; /* somebody else's to write */
	} seen;
};

struct handlers_state {
	struct address_state address;
	struct route_state route;
	struct dns_state dns;
};

#endif
