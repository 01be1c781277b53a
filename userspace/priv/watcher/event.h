/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses records of the event rings. The kernel wrote them, but every field is
 * checked before it is used.
 */
#ifndef CALFPEN_PRIV_WATCHER_EVENT_H
#define CALFPEN_PRIV_WATCHER_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/bytes.h"

struct watcher_event {
	struct kv_event header;
	struct bytes_reader changes; /* those not returned yet */
	uint32_t i_change;
};

struct watcher_change {
	struct kv_key key;
	uint16_t operation; /* enum kv_operation */
	uint16_t length;
	const char *text; /* NUL-terminated, valid as long as the record */
};

/*
 * Parse a record of the change ring. All changes are checked: lengths, padding,
 * canonical paths, printable values. `data` must outlive the event. Returns 0,
 * or -EBADMSG if the record is not a complete, well-formed commit.
 */
int watcher_event_init(struct watcher_event *event, const void *data, size_t size);
/* Store the next change in *changep. Returns 1, or 0 after the last change. */
int watcher_event_next(struct watcher_event *event, struct watcher_change *changep);

/* Parse a record of the refusal ring. Returns 0, or -EBADMSG. */
int watcher_denial_init(struct kv_denial *denial, const void *data, size_t size);

#endif
