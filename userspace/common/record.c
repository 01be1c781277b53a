/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/path.h"

#define ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool is_printable(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return false;
	return true;
}

/* Return KV_NOTE() of a canonical path. */
static uint32_t note_of(const struct kv_key *key)
{
	size_t length = strlen(key->path), directory = length;

	while (key->path[directory - 1] != '/')
		directory--;
	return KV_NOTE(directory, length);
}

static int read_change(struct bytes_reader *reader, struct record_change *changep)
{
	struct record_change change;
	struct kv_change header;
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
	    ((header.operation != KV_CHANGE_DELETE && header.operation != KV_CHANGE_SECRET) ||
	     header.length))
		return -EBADMSG;
	memcpy(change.key.path, header.path, sizeof(change.key.path));
	if (!path_key_is_canonical(&change.key) || header.noted != note_of(&change.key))
		return -EBADMSG;
	change.is_secret = header.operation == KV_CHANGE_SECRET;
	change.operation = change.is_secret ? KV_CHANGE_WRITE : header.operation;
	change.length = change.is_secret ? KV_SECRET_LENGTH : header.length;
	change.text = change.is_secret ? KV_SECRET_TEXT : (const char *)text;
	*changep = change;
	return 0;
}

/* Can a commit by this verb have this change as one of `n`? */
static bool has_verb(uint16_t verb, const struct record_change *change, uint32_t n)
{
	switch (verb) {
	case KV_VERB_WRITE:
		return n == 1 && change->operation == KV_CHANGE_WRITE;
	case KV_VERB_DELETE:
		return n == 1 && change->operation == KV_CHANGE_DELETE;
	default:
		return verb == KV_VERB_COMMIT;
	}
}

int record_commit_init(struct record_commit *commit, const void *data, size_t size)
{
	struct record_commit all = { .i_change = 0 };
	struct record_change change;
	struct bytes_reader reader;

	bytes_reader_init(&reader, data, size);
	bytes_copy(&reader, &all.header, sizeof(all.header));
	if (reader.failed || all.header.type != KV_RECORD_COMMIT || !all.header.revision ||
	    all.header.size != bytes_left(&reader) || all.header.size > KV_REQUEST_MAX ||
	    all.header.subject >= KV_SUBJECTS_MAX || !all.header.n_changes ||
	    all.header.n_changes > KV_CHANGES_MAX)
		return -EBADMSG;
	all.changes = reader;
	for (uint32_t i = 0; i < all.header.n_changes; i++)
		if (read_change(&reader, &change) < 0 ||
		    !has_verb(all.header.verb, &change, all.header.n_changes))
			return -EBADMSG;
	if (bytes_left(&reader))
		return -EBADMSG;
	*commit = all;
	return 0;
}

int record_commit_next(struct record_commit *commit, struct record_change *changep)
{
	if (commit->i_change == commit->header.n_changes)
		return 0;
	if (read_change(&commit->changes, changep) < 0)
		return 0;
	commit->i_change++;
	return 1;
}

int record_denial_init(struct kv_denial *denial, const void *data, size_t size)
{
	struct kv_denial record;
	struct kv_key key;

	if (size != sizeof(record))
		return -EBADMSG;
	memcpy(&record, data, sizeof(record));
	memcpy(key.path, record.path, sizeof(key.path));
	if (record.type != KV_RECORD_DENIAL || record.verdict >= 0 || record.verdict < -ERRNO_MAX ||
	    !record.sequence || record.subject >= KV_SUBJECTS_MAX || record.verb > KV_VERB_DENIAL)
		return -EBADMSG;
	if (!path_key_is_canonical(&key) &&
	    !is_zero((const uint8_t *)record.path, sizeof(record.path)))
		return -EBADMSG;
	*denial = record;
	return 0;
}

int record_watch_init(struct kv_watch_event *event, struct record_change *change, const void *data,
		      size_t size)
{
	struct kv_watch_event header;
	struct bytes_reader reader;
	struct record_change read;

	bytes_reader_init(&reader, data, size);
	bytes_copy(&reader, &header, sizeof(header));
	if (reader.failed || header.type != KV_RECORD_CHANGE || !header.sequence ||
	    !header.revision || header.size != bytes_left(&reader) ||
	    read_change(&reader, &read) < 0 || bytes_left(&reader))
		return -EBADMSG;
	*event = header;
	*change = read;
	return 0;
}

bool record_origin(const void *data, size_t size, struct record_origin *originp)
{
	struct kv_denial denial;
	struct kv_event event;
	uint32_t type = 0;

	if (size >= sizeof(type))
		memcpy(&type, data, sizeof(type));
	if (type == KV_RECORD_COMMIT && size >= sizeof(event)) {
		memcpy(&event, data, sizeof(event));
		*originp = (struct record_origin){
			.revision = event.revision,
			.boot_ns = event.boot_ns,
			.subject = event.subject,
			.uid = event.uid,
			.tgid = event.tgid,
		};
		return true;
	}
	if (type == KV_RECORD_DENIAL && size >= sizeof(denial)) {
		memcpy(&denial, data, sizeof(denial));
		*originp = (struct record_origin){
			.sequence = denial.sequence,
			.boot_ns = denial.boot_ns,
			.subject = denial.subject,
			.uid = denial.uid,
			.tgid = denial.tgid,
		};
		return true;
	}
	return false;
}

void record_describe(const void *data, size_t size, char text[static RECORD_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = size < RECORD_SHOWN ? size : RECORD_SHOWN;
	const uint8_t *bytes = data;
	char *to = text + snprintf(text, RECORD_TEXT_SIZE, "%zu bytes: ", size);

	for (size_t i = 0; i < n; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	(void)snprintf(to, sizeof("..."), "%s", n < size ? "..." : "");
}
