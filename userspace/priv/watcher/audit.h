/* SPDX-License-Identifier: Apache-2.0 */
/* Ring records as lines of the audit log. */
#ifndef CALFPEN_PRIV_WATCHER_AUDIT_H
#define CALFPEN_PRIV_WATCHER_AUDIT_H

#include <stdint.h>

#include "userspace/priv/audit/audit.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/store/wanted.h"
#include "userspace/priv/watcher/event.h"

#define WATCHER_AUDIT_REFUSED 256 /* above what a pass can refuse */

struct watcher_audit {
	struct audit log;
	char subjects[KV_SUBJECTS_MAX][KEY_TABLE_NAME_MAX + 1]; /* by number */
	uint32_t n_subjects;
	uint64_t wall_offset_ns;		 /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint64_t refused[WATCHER_AUDIT_REFUSED]; /* revisions of keys, the last ones told */
	uint32_t i_refused;
};

/* Look at both clocks: records carry boot time, the log wall time. Once per
 * drain of the rings is enough. */
void watcher_audit_sync(struct watcher_audit *audit);
void watcher_audit_change(struct watcher_audit *audit, const struct kv_event *event,
			  const struct watcher_change *change);
void watcher_audit_denial(struct watcher_audit *audit, const struct kv_denial *denial);

/*
 * A value that a handler keeps from the host, by policy: one record, "verb":
 * "configure", and one log line for each time that its key was written. The
 * key must be in `wanted`.
 */
void watcher_audit_refusal(struct watcher_audit *audit, const struct wanted *wanted,
			   const char *path, const char *reason);

#endif
