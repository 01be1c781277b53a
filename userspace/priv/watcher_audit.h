/* SPDX-License-Identifier: Apache-2.0 */
/* Ring records as lines of the audit log. */
#ifndef CALFPEN_PRIV_WATCHER_AUDIT_H
#define CALFPEN_PRIV_WATCHER_AUDIT_H

#include <stdint.h>

#include "userspace/priv/audit.h"
#include "userspace/priv/description.h"
#include "userspace/priv/watcher_event.h"

struct watcher_audit {
	struct audit log;
	char subjects[KV_SUBJECTS_MAX][DESCRIPTION_NAME_MAX + 1]; /* by number */
	uint32_t n_subjects;
	uint64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
};

/* Look at both clocks: records carry boot time, the log wall time. Once per
 * drain of the rings is enough. */
void watcher_audit_sync(struct watcher_audit *audit);
void watcher_audit_change(struct watcher_audit *audit, const struct kv_event *event,
			  const struct watcher_change *change);
void watcher_audit_denial(struct watcher_audit *audit, const struct kv_denial *denial);

#endif
