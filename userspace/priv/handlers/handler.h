/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system handler turns the wanted state of one family of keys into kernel
 * or file state. It gets the whole wanted state, finds the present state,
 * computes the difference and applies it: calling it twice changes nothing,
 * and a key that is absent is unconfigured. It never removes what it did not
 * set. Every value is parsed again (userspace/common/value.h) before use.
 */
#ifndef CALFPEN_PRIV_HANDLERS_HANDLER_H
#define CALFPEN_PRIV_HANDLERS_HANDLER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/store/wanted.h"

struct netlink;
struct handlers_state;

#define HANDLER_ERROR_SIZE 200 /* of a reason, NUL included */

/* What is known of a reload of chronyd's sources. */
struct handler_chrony {
	void (*ask)(void *data); /* for one; NULL: nobody can be asked */
	void *data;
	bool is_due;	/* the file may have changed since it was asked */
	bool was_asked; /* in this life */
	int result;	/* enum chrony_result of the last one, -1: not known */
	bool is_new;	/* and no pass has seen it */
};

struct handler_context {
	struct netlink *netlink;
	/* What the handlers remember between calls (state.h); one for each context,
	 * zero before the first call. */
	struct handlers_state *state;
	const struct configuration *configuration;
	const char *instance;
	const char *chrony_directory; /* /run/chrony-dhcp */
	struct handler_chrony chrony;
	const char *run_root;	      /* of all instances: what they share (shared.h) */
	char run_directory[PATH_MAX]; /* RUN_ROOT/INSTANCE: what is to be restored */
	int uplink_ifindex;	      /* 0: the uplink is not there */
	bool takeover;		      /* --takeover: a leased address that is there becomes ours */
	/* Counts changes of the uplink's addresses that were not ours; 0: nobody
	 * counts, so they have to be looked at each time. */
	uint64_t n_address_changes;
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	/* Told of each value that policy does not let through, at every pass. */
	void (*on_refusal)(void *data, const char *path, const char *reason);
	void *on_refusal_data;
	/* out */
	char error[HANDLER_ERROR_SIZE]; /* why a call failed, printable */
	char note[HANDLER_ERROR_SIZE];	/* what the status shows beside success */
	bool is_leased; /* by the address handler: the leased address is on the uplink */
};

/*
 * One pass calls apply of each affected handler in order, then release in
 * reverse order: what is new is there before the old goes, so a route that
 * changes its source never leaves a gap.
 *
 * Both return 0, or a negative errno with the reason in context->error; the
 * watcher logs it, puts it into /status/NAME and calls again later. Release
 * may also return HANDLER_REPEAT: what went took along what an apply had just
 * made, so all handlers are called once more at once.
 */
#define HANDLER_REPEAT 1

/*
 * Check looks, after the host was changed by somebody else, and changes
 * nothing: 0, HANDLER_DRIFT if something that apply made is not as it made it
 * (what, in context->error; it is reported and not fought over, the next
 * change of a key brings it back), HANDLER_APPLY if what others did asks for
 * a new apply, or a negative errno as apply.
 */
#define HANDLER_DRIFT 2
#define HANDLER_APPLY 3

struct handler {
	const char *name; /* "address": /status/NAME */
	/* True if a change of this path concerns the handler. */
	bool (*concerns)(const char *path);
	/* Make it so. */
	int (*apply)(struct handler_context *context, const struct wanted *wanted);
	/* Take away what later handlers still stood on; NULL: nothing to do. */
	int (*release)(struct handler_context *context, const struct wanted *wanted);
	/* Is it still so? NULL: nobody can tell. */
	int (*check)(struct handler_context *context, const struct wanted *wanted);
};

/* In the order in which they are called. */
extern const struct handler handler_address;
extern const struct handler handler_link;
extern const struct handler handler_route;
extern const struct handler handler_dns;
extern const struct handler handler_host;
extern const struct handler handler_timeservers;

/* Set context->error ("<text>: <errno text>") and return `error`, a negative
 * errno. The first failure of a call is the one that is kept. */
__attribute__((format(printf, 3, 4))) int handler_fail(struct handler_context *context, int error,
						       const char *format, ...);
/* What the operator should know though nothing failed: "ok 17; <text>". The
 * first of a call is the one that is kept. */
__attribute__((format(printf, 2, 3))) void handler_note(struct handler_context *context,
							const char *format, ...);
/* A value of the store that policy keeps from the host: told to on_refusal,
 * and noted. That is no failure, and not tried again. */
__attribute__((format(printf, 3, 4))) void
handler_refuse(struct handler_context *context, const char *path, const char *format, ...);
/* Set context->error and return HANDLER_DRIFT. */
__attribute__((format(printf, 2, 3))) int handler_drift(struct handler_context *context,
							const char *format, ...);
/* What a call returns: `r`, or `error` if an earlier step failed. */
int handler_first(int error, int r);

#endif
