/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/event.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/path.h"

static int is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return 0;
	return 1;
}

static int is_printable(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return 0;
	return 1;
}

static int read_change(struct bytes_reader *reader, struct watcher_change *changep)
{
	struct kv_change header;
	struct watcher_change change;
	const uint8_t *text;
	size_t room;

	bytes_copy(reader, &header, sizeof(header));
	if (reader->failed || header.length > KV_VALUE_MAX)
		return -EBADMSG;
	room = KV_CHANGE_SIZE(header.length) - KV_CHANGE_HEADER;
	text = bytes_view(reader, room);
	if (!text || !is_printable(text, header.length) ||
	    !is_zero(text + header.length, room - header.length))
		return -EBADMSG;
	if (header.operation != KV_CHANGE_WRITE &&
	    (header.operation != KV_CHANGE_DELETE || header.length))
		return -EBADMSG;
	memcpy(change.key.path, header.path, sizeof(change.key.path));
	if (!path_key_is_canonical(&change.key))
		return -EBADMSG;
	change.operation = header.operation;
	change.length = header.length;
	change.text = (const char *)text;
	*changep = change;
	return 0;
}

int watcher_event_init(struct watcher_event *event, const void *data, size_t size)
{
	struct watcher_event all = { .i_change = 0 };
	struct watcher_change change;
	struct bytes_reader reader;

	bytes_reader_init(&reader, data, size);
	bytes_copy(&reader, &all.header, sizeof(all.header));
	if (reader.failed || all.header.type != KV_RECORD_COMMIT || !all.header.revision ||
	    all.header.size != bytes_left(&reader) || all.header.size > KV_REQUEST_MAX ||
	    !all.header.n_changes || all.header.n_changes > KV_CHANGES_MAX)
		return -EBADMSG;
	all.changes = reader;
	for (uint32_t i = 0; i < all.header.n_changes; i++)
		if (read_change(&reader, &change) < 0)
			return -EBADMSG;
	if (bytes_left(&reader))
		return -EBADMSG;
	*event = all;
	return 0;
}

int watcher_event_next(struct watcher_event *event, struct watcher_change *changep)
{
	if (event->i_change == event->header.n_changes)
		return 0;
	if (read_change(&event->changes, changep) < 0)
		return 0;
	event->i_change++;
	return 1;
}

int watcher_denial_init(struct kv_denial *denial, const void *data, size_t size)
{
	static const struct kv_key none = { "" }, all = { "/" };
	struct kv_denial record;
	struct kv_key key;

	if (size != sizeof(record))
		return -EBADMSG;
	memcpy(&record, data, sizeof(record));
	memcpy(key.path, record.path, sizeof(key.path));
	if (record.type != KV_RECORD_DENIAL || record.verdict >= 0 ||
	    (!path_key_is_canonical(&key) && memcmp(&key, &none, sizeof(key)) != 0 &&
	     memcmp(&key, &all, sizeof(key)) != 0))
		return -EBADMSG;
	*denial = record;
	return 0;
}
