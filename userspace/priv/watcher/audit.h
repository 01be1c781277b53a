/* SPDX-License-Identifier: Apache-2.0 */
/* Writes ring records as lines of the audit log. */
#ifndef CALFPEN_PRIV_WATCHER_AUDIT_H
#define CALFPEN_PRIV_WATCHER_AUDIT_H

#include <stdint.h>

#include "userspace/common/bucket.h"
#include "userspace/common/record.h"
#include "userspace/priv/audit/audit.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/description/loaded.h"
#include "userspace/priv/store/wanted.h"
#include "userspace/priv/watcher/reconcile.h"

#define WATCHER_AUDIT_REFUSED 256 /* more than one pass can refuse */
#define WATCHER_AUDIT_STATUS_SIZE 400

struct watcher_audit {
	struct audit log;
	char subjects[KV_SUBJECTS_MAX][KV_NAME_SIZE]; /* by number; "": nobody's */
	uint64_t wall_offset_ns;		      /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t n_done; /* lines of the oldest event in the ring that are in the log */
	struct {
		uint64_t digest;
		bool is_written;
	} refused[WATCHER_AUDIT_REFUSED]; /* the last refusals that were logged */
	uint32_t i_refused;
	struct bucket refusals; /* what is refused is charged to nobody: its rate is limited */
	uint32_t n_suppressed;	/* since the last one that was recorded */
	bool must_repeat;	/* some of them are not in the audit log */
	uint64_t retry_ns;	/* CLOCK_BOOTTIME; 0: no retry is due */
	char status[WATCHER_AUDIT_STATUS_SIZE];	 /* "ok" or "error: TEXT"; "": never failed */
	char written[WATCHER_AUDIT_STATUS_SIZE]; /* as the store has it */
};

/* The state of the log, written when it first fails. */
#define WATCHER_AUDIT_KEY "/status/audit"

/* Initialize, without opening the log. */
void watcher_audit_init(struct watcher_audit *audit);
/* Take the names of subjects from the store: those of this run, and of calves that were
 * removed, whose records are still in the rings or whose keys are still there. */
void watcher_audit_take_names(struct watcher_audit *audit, const struct kv_ctl *ctl);
/* Load what the key holds from a new list of the store. */
void watcher_audit_load_status(struct watcher_audit *audit, const struct wanted *wanted);
/* If records cannot be written, try to from time to time, and set the status. It has no
 * numbers, because each write of it is a record, too. Returns the time of the next call
 * (CLOCK_BOOTTIME), or UINT64_MAX: not before the next record. */
uint64_t watcher_audit_retry(struct watcher_audit *audit, uint64_t now_ns);

/* Update `wall_offset_ns` from both clocks: records carry boot time, the log
 * needs wall time. Calling it once per drain of the rings is enough. */
void watcher_audit_sync(struct watcher_audit *audit);
/* Write one change of a commit. The verb "orphan" is for a key that no calf writes any
 * more, deleted by the supervisor in its writer's name (supervisor/orphans.h). Returns 0, or
 * -EAGAIN: keep it. So do the others. */
int watcher_audit_change(struct watcher_audit *audit, const struct kv_event *event,
			 const struct record_change *change);
/*
 * If a calf's change is not of the type that its description gives the key, record that:
 * one audit record ("verb": "configure") and one log line. Its gateway, which checks types,
 * was taken over. Nobody uses the value: who reads it checks it again.
 */
int watcher_audit_type(struct watcher_audit *audit, const struct loaded *loaded,
		       const struct kv_event *event, const struct record_change *change);
/* Write one refused request. */
int watcher_audit_denial(struct watcher_audit *audit, const struct kv_denial *denial);
/* Write and log that a record of this ring is malformed: {"verb":"malformed"}, with what
 * the kernel wrote into it, and its size and first bytes as the reason. `origin` is NULL if
 * nothing is known about it. */
int watcher_audit_malformed(struct watcher_audit *audit, const struct record_origin *origin,
			    const char *ring, const void *record, size_t size);
/* Write a key whose change has no line, because its record is missing or malformed, as the
 * list of the store has it: {"verb":"list"}. */
int watcher_audit_listed(struct watcher_audit *audit, const struct wanted_key *key);

/*
 * Record that a handler did not apply a value because of policy, or, with `is_used`,
 * that it applied one that should be refused: one audit record ("verb": "configure",
 * verdict "refused" or "warned") and one log line each time the key is written. Does
 * nothing if the key is not in `wanted`. All kinds of refusals together are recorded
 * twice a second, with bursts of up to 256; the next record says how many were not. If
 * nothing takes the record, `must_repeat` is set, for the handlers to run again when that
 * is over.
 */
void watcher_audit_refusal(struct watcher_audit *audit, const struct wanted *wanted,
			   const char *path, const char *reason, bool is_used);

#endif
