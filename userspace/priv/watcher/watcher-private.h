/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watcher process: it applies the store to the host, saves persistent keys
 * and writes the audit log. Nothing outside of this directory includes its
 * headers; main.c starts it by watcher_main() (roles.h).
 *
 * This header: the state of the process, shared by watcher.c and ring.c.
 */
#ifndef CALFPEN_PRIV_WATCHER_WATCHER_PRIVATE_H
#define CALFPEN_PRIV_WATCHER_WATCHER_PRIVATE_H

#include "userspace/common/commit.h"
#include "userspace/common/loop.h"
#include "userspace/common/ring.h"
#include "userspace/common/syslog.h"
#include "userspace/priv/description/loaded.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/options.h"
#include "userspace/priv/store/wanted.h"
#include "userspace/priv/watcher/audit.h"
#include "userspace/priv/watcher/gaps.h"
#include "userspace/priv/watcher/host.h"
#include "userspace/priv/watcher/persist.h"
#include "userspace/priv/watcher/reconcile.h"

#define WATCHER_CHRONY_DIRECTORY "/run/chrony-dhcp"

/* What is known of the uplink's addresses and routes, for the frame filter. */
struct watcher_filter {
	uint64_t n_address_changes; /* as of the last look, 0: look again */
	int ifindex;
	struct value_ipv4_net net; /* the lease that was looked for; 0.0.0.0: none */
	bool is_leased;		   /* it is on the uplink */
	struct in_addr other;	   /* for DHCPINFORM, 0.0.0.0: none */
	struct in_addr server;	   /* to which the host's routes were looked up */
	uint64_t n_route_changes;  /* as of that */
	bool has_router6;	   /* they lead by an IPv6 router */
	struct in6_addr router6;
};

struct watcher {
	const struct options *options;
	struct loaded loaded;
	struct handler_context context;
	struct handlers_state handlers;
	struct watcher_audit audit;
	struct wanted wanted;
	struct reconciler reconciler;
	struct watcher_persist persist;
	struct watcher_host host;
	struct ring events, denials;
	struct gaps gaps; /* revisions without a line in the audit log */
	struct loop loop;
	struct loop_timer timer;
	int signal_fd;
	struct watcher_filter filter;
	bool has_witness_failed; /* it was logged that the witness cannot be read */
	bool has_filter_failed;	 /* it was logged that the filter cannot be told */
	bool must_list;
	bool must_repair; /* the operator requested a renewal: restore what has drifted */
	uint64_t list_ns; /* CLOCK_BOOTTIME; not before */
	unsigned int n_list_failures;
	uint64_t status_ns; /* CLOCK_BOOTTIME; not before, 0: no failure */
	unsigned int n_status_failures;
	struct commit commit;
	struct syslog syslog;
	uint64_t *n_waiting; /* counter of the report page */
	bool is_blocked;     /* the audit log takes nothing, so that the rings are not read */
	char instance_status[48], instance_written[48]; /* /status/instance */
};

/* open.c */

/* Take what the supervisor hands over: report page, configuration and logs; and make the
 * directory below /run. Returns 0, or a negative errno after one line on stderr. */
int watcher_open(struct watcher *watcher);

/* status.c */

/* Take what the store has below /status as written. Call it after each list of the store. */
void watcher_status_load(struct watcher *watcher);

/* Set /status/instance, for those who read the map: whether anybody runs this. */
void watcher_status_set_running(struct watcher *watcher, bool is_running);

/* Write all statuses that changed and the metrics that are due, and open the
 * quarantine, in one commit. After a failure, do nothing until watcher->status_ns. */
void watcher_status_write(struct watcher *watcher);

/* witness.c */

/* Decide whether the witness is in force: if a calf speaks DHCPv4. */
void watcher_witness_init(struct watcher *watcher);

/* Read the witness for the next pass. If it cannot be read, nothing was witnessed. */
void watcher_witness_read(struct watcher *watcher);

/* filter.c */

/* Tell the frame filter which address is on the uplink, and where its router is. Call
 * it after each pass. */
void watcher_filter_tell(struct watcher *watcher);

/* ring.c */

/* Apply the records in the change ring to the wanted state, each once, mark the
 * handlers concerned and note which persistent keys they changed, or set must_list. The
 * records stay in the ring. */
void watcher_ring_look(struct watcher *watcher);

/*
 * Write the records that were applied, and the refusals, to the audit log, and
 * release them from the rings. The host need not wait for that, so it comes after
 * the pass. If a watcher ends before, the next one does it first. Keys of which the
 * record is missing or malformed are written as listed, unless the store must be
 * listed first. What the log does not take stays in the rings: then `is_blocked` is
 * set, changes are applied nevertheless, and the gate refuses more when the rings are
 * full.
 */
void watcher_ring_audit(struct watcher *watcher);

/* Wait for records by poll(), unless the rings are blocked. Returns when to look at them
 * (CLOCK_BOOTTIME), or UINT64_MAX. */
uint64_t watcher_ring_poll(struct watcher *watcher);

#endif
