/* SPDX-License-Identifier: Apache-2.0 */
/* Ring records with every length and field that could be wrong. */
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/watcher/event.h"

struct record {
	_Alignas(8) unsigned char bytes[65536];
	size_t size;
};

static void begin(struct record *record, uint64_t revision)
{
	struct kv_event header = {
		.type = KV_RECORD_COMMIT,
		.revision = revision,
		.subject = KV_SUBJECT_CALF,
		.verb = KV_VERB_COMMIT,
	};

	memset(record, 0, sizeof(*record));
	memcpy(record->bytes, &header, sizeof(header));
	record->size = sizeof(header);
}

static struct kv_event *header_of(struct record *record)
{
	return (struct kv_event *)record->bytes;
}

static struct kv_change *change_at(struct record *record, size_t at)
{
	return (struct kv_change *)(record->bytes + at);
}

static size_t add(struct record *record, const char *path, uint16_t operation, const char *text)
{
	size_t at = record->size;
	struct kv_change *change = change_at(record, at);

	memcpy(change->path, test_key(path).path, KV_PATH_SIZE);
	change->operation = operation;
	change->length = (uint16_t)strlen(text);
	change->noted = KV_NOTE(strrchr(path, '/') + 1 - path, strlen(path));
	memcpy(record->bytes + at + sizeof(*change), text, strlen(text));
	record->size += KV_CHANGE_SIZE(change->length);
	header_of(record)->n_changes++;
	header_of(record)->size = (uint32_t)(record->size - sizeof(struct kv_event));
	return at;
}

static int try(struct record *record, size_t size)
{
	/* an exact copy on the heap: a sanitizer sees one byte too many */
	unsigned char *copy = malloc(size ? size : 1);
	struct watcher_event event;
	int r;

	cr_assert_not_null(copy);
	memcpy(copy, record->bytes, size);
	r = watcher_event_init(&event, copy, size);
	free(copy);
	return r;
}

static void three(struct record *record)
{
	begin(record, 17);
	add(record, "/ip", KV_CHANGE_WRITE, "192.0.2.5/24");
	add(record, "/mtu", KV_CHANGE_DELETE, "");
	add(record, "/nameserver/001", KV_CHANGE_WRITE, "");
}

Test(watcher_event, good)
{
	static struct record record;
	struct watcher_event event;
	struct watcher_change change;

	three(&record);
	cr_assert_eq(watcher_event_init(&event, record.bytes, record.size), 0);
	cr_expect_eq(event.header.revision, 17);
	cr_assert_eq(watcher_event_next(&event, &change), 1);
	cr_expect_str_eq(change.key.path, "/ip");
	cr_expect_eq(change.operation, KV_CHANGE_WRITE);
	cr_expect_eq(change.length, 12);
	cr_expect_str_eq(change.text, "192.0.2.5/24");
	cr_assert_eq(watcher_event_next(&event, &change), 1);
	cr_expect_str_eq(change.key.path, "/mtu");
	cr_expect_eq(change.operation, KV_CHANGE_DELETE);
	cr_assert_eq(watcher_event_next(&event, &change), 1);
	cr_expect_str_eq(change.text, "");
	cr_expect_eq(watcher_event_next(&event, &change), 0);
	cr_expect_eq(watcher_event_next(&event, &change), 0);
}

Test(watcher_event, longest)
{
	static struct record record;
	char text[KV_VALUE_SIZE];

	memset(text, 'x', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	begin(&record, 1);
	add(&record, "/a", KV_CHANGE_WRITE, text);
	cr_expect_eq(try(&record, record.size), 0);
	begin(&record, 1);
	while (header_of(&record)->n_changes < KV_CHANGES_MAX)
		add(&record, "/a", KV_CHANGE_WRITE, "xxxxxxxxxxxxxxxx");
	cr_expect_eq(try(&record, record.size), 0);
	add(&record, "/a", KV_CHANGE_WRITE, "x");
	cr_expect_eq(try(&record, record.size), -EBADMSG, "too many changes");
}

Test(watcher_event, every_other_length)
{
	static struct record record;
	size_t size;

	three(&record);
	for (size = 0; size < record.size + 64; size++)
		cr_expect_eq(try(&record, size), size == record.size ? 0 : -EBADMSG, "%zu", size);
}

Test(watcher_event, wrong_fields)
{
	static struct record record;
	size_t at;

#define REFUSED(_statement)                                                     \
	do {                                                                    \
		begin(&record, 17);                                             \
		at = add(&record, "/ip", KV_CHANGE_WRITE, "192.0.2.5");         \
		cr_assert_eq(try(&record, record.size), 0);                     \
		_statement;                                                     \
		cr_expect_eq(try(&record, record.size), -EBADMSG, #_statement); \
	} while (0)

	REFUSED(header_of(&record)->type = KV_RECORD_DENIAL);
	REFUSED(header_of(&record)->revision = 0);
	REFUSED(header_of(&record)->size += 8);
	REFUSED(header_of(&record)->size -= 8);
	REFUSED(header_of(&record)->size = UINT32_MAX);
	REFUSED(header_of(&record)->n_changes = 0);
	REFUSED(header_of(&record)->n_changes = 2);
	REFUSED(header_of(&record)->n_changes = UINT32_MAX);
	REFUSED(change_at(&record, at)->length = 8);
	REFUSED(change_at(&record, at)->length = 10);
	REFUSED(change_at(&record, at)->length = 16);
	REFUSED(change_at(&record, at)->length = KV_VALUE_SIZE);
	REFUSED(change_at(&record, at)->length = UINT16_MAX);
	REFUSED(change_at(&record, at)->operation = 0);
	REFUSED(change_at(&record, at)->operation = KV_CHANGE_DELETE);
	REFUSED(change_at(&record, at)->operation = 3);
	REFUSED(change_at(&record, at)->path[0] = 'x');
	REFUSED(change_at(&record, at)->path[0] = '\0');
	REFUSED(change_at(&record, at)->path[5] = 'x');
	REFUSED(memset(change_at(&record, at)->path + 1, 'x', KV_PATH_SIZE - 1));
	REFUSED(record.bytes[at + sizeof(struct kv_change)] = '\n');
	REFUSED(record.bytes[at + sizeof(struct kv_change)] = 0x7f);
	REFUSED(record.bytes[at + sizeof(struct kv_change) + 3] = '\0');
	REFUSED(record.bytes[record.size - 1] = 'x');
#undef REFUSED
}

Test(watcher_event, denials)
{
	struct kv_denial record = {
		.type = KV_RECORD_DENIAL, .verdict = -EACCES, .sequence = 3, .path = "/mac"
	};
	struct kv_denial denial = { .type = 0 };
	size_t size;

	for (size = 0; size < sizeof(record); size++)
		cr_expect_eq(watcher_denial_init(&denial, &record, size), -EBADMSG);
	cr_assert_eq(watcher_denial_init(&denial, &record, sizeof(record)), 0);
	cr_expect_str_eq(denial.path, "/mac");
	memset(record.path, 0, sizeof(record.path));
	cr_expect_eq(watcher_denial_init(&denial, &record, sizeof(record)), 0,
		     "not canonical: empty");
	record.path[0] = '/';
	cr_expect_eq(watcher_denial_init(&denial, &record, sizeof(record)), 0, "a list of all");
	record.path[0] = '\0';
	record.verdict = 0;
	cr_expect_eq(watcher_denial_init(&denial, &record, sizeof(record)), -EBADMSG);
	record.verdict = -EILSEQ;
	memset(record.path, 'x', sizeof(record.path));
	cr_expect_eq(watcher_denial_init(&denial, &record, sizeof(record)), -EBADMSG);
	memset(record.path, 0, sizeof(record.path));
	record.type = KV_RECORD_COMMIT;
	cr_expect_eq(watcher_denial_init(&denial, &record, sizeof(record)), -EBADMSG);
}
