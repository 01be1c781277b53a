/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System handlers: each turns the wanted state of one family of keys into kernel
 * or file state. Only the watcher includes this directory.
 *
 * A handler gets the whole wanted state, reads the present state, computes the
 * difference and applies it: calling it twice changes nothing, and a key that is
 * absent is unconfigured. It never removes what it did not set, except what a former
 * client left if the operator wants that (former.h). It parses every value again
 * (userspace/common/value.h) before use.
 */
#ifndef CALFPEN_PRIV_HANDLERS_HANDLER_H
#define CALFPEN_PRIV_HANDLERS_HANDLER_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/value.h"
#include "userspace/priv/handlers/family.h"
#include "userspace/priv/handlers/options.h"
#include "userspace/priv/handlers/witness.h"
#include "userspace/priv/store/wanted.h"

struct netlink;
struct handlers_state;

#define HANDLER_ERROR_SIZE 200 /* bytes of a reason, NUL included */

/* State of a reload of chronyd's sources. */
struct handler_chrony {
	void (*ask)(void *data); /* request a reload; NULL: not possible */
	void *data;
	bool is_due;	/* the file may have changed since the last request */
	bool was_asked; /* this process has requested a reload */
	int result;	/* enum chrony_result of the last reload, -1: not known */
	bool is_new;	/* no pass has seen `result` yet */
};

struct handler_context {
	struct netlink *netlink;
	/* State of the handlers between calls (state.h); one per context, all zero
	 * before the first call. */
	struct handlers_state *state;
	const struct handler_options *options;
	const char (*subjects)[KV_NAME_SIZE]; /* of the store, by number; NULL: not known */
	const char *instance;
	const char *chrony_directory; /* /run/chrony-dhcp */
	struct handler_chrony chrony;
	const char *run_root;	       /* what the instances share (shared.h) */
	char run_directory[PATH_MAX];  /* RUN_ROOT/INSTANCE: original values to restore */
	int uplink_ifindex;	       /* 0: the uplink does not exist */
	char uplink_name[IF_NAMESIZE]; /* its present one; "": not known */
	bool is_carrier_lost;	       /* traffic must use other uplinks */
	bool takeover;		       /* --takeover: adopt a leased address that is present */
	bool is_running;	       /* this is not the instance's last pass */
	/* Counts changes of the uplink's addresses by other programs; 0: they are not
	 * counted, so the addresses must be read each time. */
	uint64_t n_address_changes;
	/* Counts what may have changed a route through the uplink. */
	uint64_t n_route_changes;
	uint64_t now_ns;	/* CLOCK_BOOTTIME */
	struct witness witness; /* as read before the pass */
	/* Called in every pass for each value that is not allowed; `is_used`: it is applied
	 * in spite of that, because the operator only wants to be told. */
	void (*on_refusal)(void *data, const char *path, const char *reason, bool is_used);
	void *on_refusal_data;
	/* out */
	char error[HANDLER_ERROR_SIZE]; /* why a call failed, printable */
	char note[HANDLER_ERROR_SIZE];	/* what the status shows in addition to success */
	/* by the address handler */
	bool is_leased; /* the address in /ip is on the uplink */
	/* The last leased address whose subnet was judged (connected.h), with the prefix length
	 * that may be connected: 32 if it was refused; 0: none was judged. */
	struct value_ipv4_net allowed_subnet;
	bool is_subnet_refused; /* that of the lease must not be connected */
	bool is_subnet_judged;	/* this depends on the routes of other programs */
};

/*
 * One pass calls apply of each affected handler in order, then release in
 * reverse order: new configuration is added before the old is deleted, so a route
 * that changes its source never leaves a gap.
 *
 * Both return 0, or a negative errno with the reason in context->error; the
 * watcher logs it, writes it to /status/NAME and retries later. Release may also
 * return HANDLER_REPEAT: a deletion removed something that an apply had just
 * added, so the handlers are called once more immediately.
 */
#define HANDLER_REPEAT 1

/*
 * Check reads the present state after another program changed the host, and
 * changes nothing. It returns 0; HANDLER_DRIFT if the configuration is not as
 * apply left it (details in context->error; it is reported, and another apply
 * repairs it if the operator wants that, at the latest when a key changes);
 * HANDLER_TAKEN if it is not and apply leaves it so, because another program now
 * owns the setting; HANDLER_APPLY if the change requires a new apply; or a
 * negative errno as apply.
 */
#define HANDLER_DRIFT 2
#define HANDLER_APPLY 3
#define HANDLER_TAKEN 4

struct handler {
	const char *name;		       /* "address": /status/NAME */
	const char *effect;		       /* what it changes on the host, for people */
	const struct handler_family *families; /* a change of their keys concerns it */
	uint32_t n_families;
	/* Add what is wanted. */
	int (*apply)(struct handler_context *context, const struct wanted *wanted);
	/* Delete what is no longer wanted but later handlers still depended on;
	 * NULL: nothing to do. */
	int (*release)(struct handler_context *context, const struct wanted *wanted);
	/* Is the host still as wanted? NULL: cannot be checked. */
	int (*check)(struct handler_context *context, const struct wanted *wanted);
	/* Of the address and what goes with it: drift is repaired unless the operator
	 * wants a report only. */
	bool repairs_drift;
};

extern const struct handler handler_address;
extern const struct handler handler_link;
extern const struct handler handler_route;
extern const struct handler handler_dns;
extern const struct handler handler_host;
extern const struct handler handler_timeservers;
extern const struct handler handler_portal;

/* Returns the metric of the routes through the uplink as it is now. */
uint32_t handler_metric(const struct handler_context *context);
/* Returns the rank among the instances in what they share; the lowest is first. It
 * is the metric, and behind all metrics without carrier. */
uint32_t handler_rank(const struct handler_context *context);
/* Set context->error to "<text>: <errno text>", unless it is set already: the
 * first failure of a call is kept. Returns `error`, a negative errno. */
__attribute__((format(printf, 3, 4))) int handler_fail(struct handler_context *context, int error,
						       const char *format, ...);
/* The same for a text that says it all, without the errno's. */
__attribute__((format(printf, 3, 4))) int handler_fail_plainly(struct handler_context *context,
							       int error, const char *format, ...);
/* Add a note for the operator although nothing failed: "ok 17; <text>". The first
 * note of a call is kept. */
__attribute__((format(printf, 2, 3))) void handler_note(struct handler_context *context,
							const char *format, ...);
/* Refuse a value of the store because of policy: call on_refusal and add a note.
 * This is no failure and not retried. */
__attribute__((format(printf, 3, 4))) void
handler_refuse(struct handler_context *context, const char *path, const char *format, ...);
/* The same for a value that no server gave. Returns false if it is used in spite of that
 * (`witness: warn`). */
__attribute__((format(printf, 3, 4))) bool
handler_refuse_unwitnessed(struct handler_context *context, const char *path, const char *format,
			   ...);
/* Set context->error. Returns HANDLER_DRIFT. */
__attribute__((format(printf, 2, 3))) int handler_drift(struct handler_context *context,
							const char *format, ...);
/* Combine the results of two steps. Returns `error` if the earlier step failed,
 * otherwise `r`. */
int handler_first(int error, int r);

#endif
