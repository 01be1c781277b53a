/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the event rings, as bytes to fields. The kernel wrote them; they
 * are checked all the same before a field is used.
 */
#ifndef CALFPEN_PRIV_WATCHER_EVENT_H
#define CALFPEN_PRIV_WATCHER_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/bytes.h"

struct watcher_event {
	struct kv_event header;
	struct bytes_reader changes; /* what is left of them */
	uint32_t i_change;
};

struct watcher_change {
	struct kv_key key;
	uint16_t operation; /* enum kv_operation */
	uint16_t length;
	const char *text; /* NUL-terminated, lives as long as the record */
};

/*
 * Take a record of the ring of changes: 0, or -EBADMSG if it is not a whole,
 * well-formed commit (all of its changes are checked: lengths, padding,
 * canonical paths, printable values). `data` must outlive the event.
 */
int watcher_event_init(struct watcher_event *event, const void *data, size_t size);
/* The next change in *changep: 1, or 0 after the last. */
int watcher_event_next(struct watcher_event *event, struct watcher_change *changep);

/* Take a record of the ring of refusals: 0, or -EBADMSG. */
int watcher_denial_init(struct kv_denial *denial, const void *data, size_t size);

#endif
