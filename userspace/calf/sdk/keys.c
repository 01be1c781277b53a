/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/sdk/keys.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define RETRY_NS (100 * NS_PER_MS)

static void on_response(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct keys_entry *entry = data;
	struct keys *keys = entry->keys;
	int r;

	entry->is_requested = false;
	if (calf->loop.stop)
		return; /* the value of another key was wrong */
	if (status == CALF_LATER) {
		loop_timer_set(&keys->retry, calf->loop.now_ns() + RETRY_NS);
		return;
	}
	r = keys->value(keys->data, (unsigned int)(entry - keys->entries), status, text, length);
	if (r < 0) {
		calf_stop(calf, r);
		return;
	}
	entry->is_done = true;
	if (++keys->n_done < keys->n_keys)
		return;
	loop_remove_timer(&calf->loop, &keys->retry);
	keys->done(keys->data);
}

static int request_keys(struct keys *keys)
{
	for (unsigned int i = 0; i < keys->n_keys; i++) {
		struct keys_entry *entry = &keys->entries[i];
		int r;

		if (entry->is_done || entry->is_requested)
			continue;
		r = calf_store_read(keys->calf, keys->path(i), on_response, entry);
		if (r < 0) {
			log_error("cannot read %s: %s", keys->path(i), strerrordesc_np(-r));
			return r;
		}
		entry->is_requested = true;
	}
	return 0;
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	return request_keys(data);
}

int keys_read(struct keys *keys, struct calf *calf, const char *(*path)(unsigned int i),
	      unsigned int n_keys, keys_value_fn value, void (*done)(void *data), void *data)
{
	int r;

	*keys = (struct keys){ .calf = calf,
			       .path = path,
			       .n_keys = n_keys,
			       .value = value,
			       .done = done,
			       .data = data };
	if (n_keys < 1 || n_keys > CALF_PENDING_MAX) {
		log_error("cannot read %u keys at once: 1 to %d are possible", n_keys,
			  CALF_PENDING_MAX);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < n_keys; i++)
		keys->entries[i].keys = keys;
	r = loop_add_timer(&calf->loop, &keys->retry, on_retry, keys);
	if (r < 0) {
		log_error("event loop: cannot add a timer: %s", strerrordesc_np(-r));
		return r;
	}
	return request_keys(keys);
}
