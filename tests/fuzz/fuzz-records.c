/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the checker of ring records. The first octet of the input is the
 * kind of the record, the rest is the record.
 *
 * Besides crashes, it checks that a second checker, which is slow and has another form,
 * has the same opinion; that an accepted record, written again from its fields, is the
 * same octets; and that the line of the audit log is one JSON object with these fields,
 * no longer than the subject pays for.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/common/record.h"
#include "userspace/priv/audit/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* --- the second checker: by offsets, octet by octet --- */

static uint64_t number(const uint8_t *bytes, size_t n)
{
	uint64_t value = 0;

	memcpy(&value, bytes, n); /* little endian, as all fuzzed hosts */
	return value;
}

/* Returns the length of the path, and stores that of its directory; 0 if it is no path. */
static size_t slow_path(const uint8_t path[KV_PATH_SIZE], size_t *directoryp)
{
	size_t length = 0, n_segments = 0, in_segment = 0;

	while (length < KV_PATH_SIZE && path[length])
		length++;
	for (size_t i = length; i < KV_PATH_SIZE; i++)
		if (path[i])
			return 0;
	if (!length || length == KV_PATH_SIZE || path[0] != '/' || path[length - 1] == '/')
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (path[i] == '/') {
			*directoryp = i + 1;
			n_segments++;
			in_segment = 0;
			if (path[i + 1] == '/' || !strcmp((const char *)path + i, "/.") ||
			    !strncmp((const char *)path + i, "/./", 3) ||
			    !strcmp((const char *)path + i, "/..") ||
			    !strncmp((const char *)path + i, "/../", 4))
				return 0;
		} else if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", path[i]) ||
			   ++in_segment > KV_SEGMENT_MAX) {
			return 0;
		}
	}
	return n_segments <= KV_SEGMENTS_MAX ? length : 0;
}

/* Returns the size of the change at the start of `size` bytes, 0 if it is none. */
static size_t slow_change(const uint8_t *bytes, size_t size, bool *is_writep)
{
	size_t path, directory = 0, length, whole;
	uint64_t operation;

	if (size < 80)
		return 0;
	path = slow_path(bytes, &directory);
	length = (size_t)number(bytes + 66, 2);
	whole = 72 + (length / 8 + 1) * 8;
	operation = number(bytes + 64, 2);
	*is_writep = operation == 1 || operation == 3;
	if (!path || length > 1023 || whole > size || number(bytes + 68, 2) != directory ||
	    number(bytes + 70, 2) != path)
		return 0;
	if (!operation || operation > 3 || (operation > 1 && length))
		return 0;
	for (size_t i = 72; i < whole; i++)
		if (i < 72 + length ? bytes[i] < ' ' || bytes[i] > '~' : bytes[i] != 0)
			return 0;
	return whole;
}

static bool slow_commit(const uint8_t *bytes, size_t size)
{
	uint64_t verb, n;
	size_t at = 40;

	if (size < 40 || size > 40 + 32768 || number(bytes, 4) != 1 ||
	    number(bytes + 4, 4) != size - 40 || !number(bytes + 8, 8) ||
	    number(bytes + 32, 2) > 63)
		return false;
	verb = number(bytes + 34, 2);
	n = number(bytes + 36, 4);
	if (!n || n > 128 || verb < 2 || verb > 4 || (verb != 4 && n != 1))
		return false;
	for (uint64_t i = 0; i < n; i++) {
		bool is_write = false;
		size_t whole = slow_change(bytes + at, size - at, &is_write);

		if (!whole || (verb == 2 && !is_write) || (verb == 3 && is_write))
			return false;
		at += whole;
	}
	return at == size;
}

static bool slow_denial(const uint8_t *bytes, size_t size)
{
	size_t directory;
	int32_t verdict;
	bool is_empty = true;

	if (size != 104 || number(bytes, 4) != 2 || !number(bytes + 8, 8) ||
	    number(bytes + 32, 2) > 63 || number(bytes + 34, 2) > 9)
		return false;
	memcpy(&verdict, bytes + 4, 4);
	for (size_t i = 40; i < 104; i++)
		is_empty &= !bytes[i];
	return verdict < 0 && verdict > -4096 && (is_empty || slow_path(bytes + 40, &directory));
}

static bool slow_watch(const uint8_t *bytes, size_t size)
{
	bool is_write;

	return size > 32 && number(bytes, 4) == 3 && number(bytes + 4, 4) == size - 32 &&
	       number(bytes + 8, 8) && number(bytes + 16, 8) &&
	       slow_change(bytes + 32, size - 32, &is_write) == size - 32;
}

/* --- what is accepted --- */

static uint8_t again[sizeof(struct kv_event) + KV_REQUEST_MAX];

/* Write a change from its fields. Returns its size. */
static size_t put_change(uint8_t *to, const struct record_change *change)
{
	const char *path = change->key.path, *name = strrchr(path, '/') + 1;
	const char *text = change->is_secret ? "" : change->text;
	struct kv_change header = { .operation = change->is_secret ? KV_CHANGE_SECRET :
								     change->operation,
				    .length = (uint16_t)strlen(text),
				    .noted = KV_NOTE(name - path, strlen(path)) };

	CHECK(strlen(change->text) == change->length);
	memset(to, 0, KV_CHANGE_SIZE(header.length));
	(void)snprintf(header.path, sizeof(header.path), "%s", path);
	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), text, strlen(text));
	return KV_CHANGE_SIZE(header.length);
}

static void check_line(const struct audit_entry *entry, size_t cost)
{
	static char line[AUDIT_LINE_SIZE];
	size_t length = audit_format(entry, CHAIN_START, line);
	json_t *json = json_loadb(line, length, 0, NULL);
	const char *path = json_string_value(json_object_get(json, "path"));
	const char *value = json_string_value(json_object_get(json, "value"));

	CHECK(json_is_object(json) && line[length - 1] == '\n');
	CHECK(memchr(line, '\n', length) == line + length - 1);
	CHECK(entry->path ? path && !strcmp(path, entry->path) : !path);
	CHECK(entry->value ? value && !strcmp(value, entry->value) : !value);
	CHECK(length <= cost);
	json_decref(json);
}

static void check_commit(const uint8_t *record, size_t size)
{
	struct record_commit commit;
	struct record_change change;
	size_t at = sizeof(struct kv_event);

	if (record_commit_init(&commit, record, size)) {
		CHECK(!slow_commit(record, size));
		return;
	}
	CHECK(slow_commit(record, size));
	memcpy(again, &commit.header, sizeof(commit.header));
	while (record_commit_next(&commit, &change)) {
		const struct audit_entry entry = {
			.wall_ns = commit.header.boot_ns,
			.sequence = commit.header.revision,
			.revision = commit.header.revision,
			.subject = "subject12345678",
			.verb = "delete",
			.path = change.key.path,
			.verdict = "ok",
			.value = change.operation == KV_CHANGE_WRITE ? change.text : NULL,
			.has_caller = true,
			.uid = commit.header.uid,
			.pid = commit.header.tgid,
		};

		at += put_change(again + at, &change);
		/* jansson reads no more than 63 bits */
		if (commit.header.revision <= INT64_MAX)
			check_line(&entry, KV_AUDIT_COST(strlen(entry.path), change.length));
	}
	CHECK(at == size && !memcmp(again, record, size));
}

static void check_denial(const uint8_t *record, size_t size)
{
	struct kv_denial denial;

	if (record_denial_init(&denial, record, size)) {
		CHECK(!slow_denial(record, size));
		return;
	}
	CHECK(slow_denial(record, size));
	CHECK(!memcmp(&denial, record, size));
	if (denial.sequence <= INT64_MAX)
		check_line(&(struct audit_entry){ .wall_ns = denial.boot_ns,
						  .sequence = denial.sequence,
						  .subject = "subject12345678",
						  .verb = "restore",
						  .path = denial.path[0] ? denial.path : NULL,
						  .verdict = audit_verdict(denial.verdict) ?:
								     "unknown",
						  .suppressed = denial.suppressed,
						  .has_caller = true,
						  .uid = denial.uid,
						  .pid = denial.tgid },
			   KV_AUDIT_COST(KV_PATH_MAX, 0));
}

static void check_watch(const uint8_t *record, size_t size)
{
	struct kv_watch_event event;
	struct record_change change;

	if (record_watch_init(&event, &change, record, size)) {
		CHECK(!slow_watch(record, size));
		return;
	}
	CHECK(slow_watch(record, size));
	memcpy(again, &event, sizeof(event));
	CHECK(sizeof(event) + put_change(again + sizeof(event), &change) == size);
	CHECK(!memcmp(again, record, size));
}

/* Of any octets. */
static void check_description(const uint8_t *record, size_t size)
{
	struct record_origin origin = { 0 };
	char text[RECORD_TEXT_SIZE];

	if (record_origin(record, size, &origin))
		CHECK(origin.subject <= UINT16_MAX && (!origin.revision || !origin.sequence));
	record_describe(record, size, text);
	CHECK(strlen(text) < sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const checks[])(const uint8_t *record,
				      size_t size) = { check_commit, check_denial, check_watch,
						       check_description };
	uint8_t *record;

	if (!size)
		return 0;
	/* In memory of its own, so that the sanitizer sees where it ends. */
	record = malloc(size);
	CHECK(record);
	memcpy(record, bytes + 1, size - 1);
	checks[bytes[0] % (sizeof(checks) / sizeof(checks[0]))](record, size - 1);
	free(record);
	return 0;
}
