/* SPDX-License-Identifier: Apache-2.0 */
/* Ring records with every length and field that could be wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/record.h"

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

	(void)snprintf(change->path, sizeof(change->path), "%s", path);
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
	struct record_commit event;
	int r;

	cr_assert_not_null(copy);
	memcpy(copy, record->bytes, size);
	r = record_commit_init(&event, copy, size);
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

Test(common_record, good)
{
	static struct record record;
	struct record_commit event;
	struct record_change change;

	three(&record);
	cr_assert_eq(record_commit_init(&event, record.bytes, record.size), 0);
	cr_expect_eq(event.header.revision, 17);
	cr_assert_eq(record_commit_next(&event, &change), 1);
	cr_expect_str_eq(change.key.path, "/ip");
	cr_expect_eq(change.operation, KV_CHANGE_WRITE);
	cr_expect_eq(change.length, 12);
	cr_expect_str_eq(change.text, "192.0.2.5/24");
	cr_assert_eq(record_commit_next(&event, &change), 1);
	cr_expect_str_eq(change.key.path, "/mtu");
	cr_expect_eq(change.operation, KV_CHANGE_DELETE);
	cr_assert_eq(record_commit_next(&event, &change), 1);
	cr_expect_str_eq(change.text, "");
	cr_expect_eq(record_commit_next(&event, &change), 0);
	cr_expect_eq(record_commit_next(&event, &change), 0);
}

Test(common_record, longest)
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

Test(common_record, every_other_length)
{
	static struct record record;
	size_t size;

	three(&record);
	for (size = 0; size < record.size + 64; size++)
		cr_expect_eq(try(&record, size), size == record.size ? 0 : -EBADMSG, "%zu", size);
}

Test(common_record, wrong_fields)
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
	REFUSED(header_of(&record)->subject = KV_SUBJECTS_MAX);
	REFUSED(header_of(&record)->verb = KV_VERB_NONE);
	REFUSED(header_of(&record)->verb = KV_VERB_READ);
	REFUSED(header_of(&record)->verb = KV_VERB_DELETE);
	REFUSED(header_of(&record)->verb = KV_VERB_BATCH);
	REFUSED(change_at(&record, at)->noted = 0);
	REFUSED(change_at(&record, at)->noted += 1);
	REFUSED(change_at(&record, at)->noted += 1 << 16);
	REFUSED(change_at(&record, at)->length = 8);
	REFUSED(change_at(&record, at)->length = 10);
	REFUSED(change_at(&record, at)->length = 16);
	REFUSED(change_at(&record, at)->length = KV_VALUE_SIZE);
	REFUSED(change_at(&record, at)->length = UINT16_MAX);
	REFUSED(change_at(&record, at)->operation = 0);
	REFUSED(change_at(&record, at)->operation = KV_CHANGE_DELETE);
	REFUSED(change_at(&record, at)->operation = KV_CHANGE_SECRET);
	REFUSED(change_at(&record, at)->operation = 4);
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

/* The write of a secret, without its text. */
Test(common_record, secret)
{
	static struct record record;
	struct record_commit event;
	struct record_change change;
	size_t at;

	begin(&record, 17);
	at = add(&record, "/psk", KV_CHANGE_SECRET, "");
	add(&record, "/ip", KV_CHANGE_WRITE, "192.0.2.5/24");
	cr_assert_eq(record_commit_init(&event, record.bytes, record.size), 0);
	cr_assert_eq(record_commit_next(&event, &change), 1);
	cr_expect_str_eq(change.key.path, "/psk");
	cr_expect(change.is_secret);
	cr_expect_eq(change.operation, KV_CHANGE_WRITE);
	cr_expect_eq(change.length, KV_SECRET_LENGTH);
	cr_expect_str_eq(change.text, "<secret>");
	cr_assert_eq(record_commit_next(&event, &change), 1);
	cr_expect_not(change.is_secret);
	cr_expect_str_eq(change.text, "192.0.2.5/24");
	header_of(&record)->verb = KV_VERB_DELETE;
	cr_expect_eq(try(&record, record.size), -EBADMSG);
	begin(&record, 17);
	header_of(&record)->verb = KV_VERB_WRITE;
	add(&record, "/psk", KV_CHANGE_SECRET, "");
	cr_expect_eq(try(&record, record.size), 0);
	record.bytes[at + sizeof(struct kv_change)] = 'x';
	cr_expect_eq(try(&record, record.size), -EBADMSG, "a text after all");
}

/* A write is one change, and so is a deletion. */
Test(common_record, verbs)
{
	static struct record record;

	begin(&record, 1);
	header_of(&record)->verb = KV_VERB_WRITE;
	add(&record, "/a/b", KV_CHANGE_WRITE, "x");
	cr_expect_eq(try(&record, record.size), 0);
	add(&record, "/c", KV_CHANGE_WRITE, "x");
	cr_expect_eq(try(&record, record.size), -EBADMSG);
	begin(&record, 1);
	header_of(&record)->verb = KV_VERB_DELETE;
	add(&record, "/a/b", KV_CHANGE_DELETE, "");
	cr_expect_eq(try(&record, record.size), 0);
	record.bytes[record.size - 8] = 'x';
	cr_expect_eq(try(&record, record.size), -EBADMSG, "something behind it");
}

static int try_denial(const struct kv_denial *record)
{
	struct kv_denial denial = { .type = 0 };
	int r = record_denial_init(&denial, record, sizeof(*record));

	cr_expect_eq(r || !memcmp(&denial, record, sizeof(denial)), 1);
	return r;
}

Test(common_record, denials)
{
	static const struct kv_denial good = {
		.type = KV_RECORD_DENIAL,
		.verdict = -EACCES,
		.sequence = 3,
		.subject = KV_SUBJECTS_MAX - 1,
		.verb = KV_VERB_DENIAL,
		.path = "/mac",
	};
	struct kv_denial denial, bad;

	for (size_t size = 0; size < sizeof(good); size++)
		cr_expect_eq(record_denial_init(&denial, &good, size), -EBADMSG);
	cr_assert_eq(try_denial(&good), 0);
#define DENIAL(_r, _statement)                                     \
	do {                                                       \
		bad = good;                                        \
		_statement;                                        \
		cr_expect_eq(try_denial(&bad), (_r), #_statement); \
	} while (0)
	DENIAL(0, memset(bad.path, 0, sizeof(bad.path)));
	DENIAL(0, bad.verb = KV_VERB_NONE);
	DENIAL(0, bad.verdict = -4095);
	DENIAL(-EBADMSG, bad.verdict = -4096);
	DENIAL(-EBADMSG, bad.verdict = 0);
	DENIAL(-EBADMSG, bad.verdict = EACCES);
	DENIAL(-EBADMSG, bad.type = KV_RECORD_COMMIT);
	DENIAL(-EBADMSG, bad.sequence = 0);
	DENIAL(-EBADMSG, bad.subject = KV_SUBJECTS_MAX);
	DENIAL(-EBADMSG, bad.verb = KV_VERB_DENIAL + 1);
	DENIAL(-EBADMSG, memset(bad.path, 'x', sizeof(bad.path)));
	DENIAL(-EBADMSG, bad.path[1] = '\0');
	DENIAL(-EBADMSG, bad.path[0] = '\0');
	DENIAL(-EBADMSG, bad.path[sizeof(bad.path) - 1] = 'x');
#undef DENIAL
}

static int try_watch(const void *data, size_t size)
{
	struct record_change change = { .length = 0 };
	struct kv_watch_event event;
	int r = record_watch_init(&event, &change, data, size);

	if (!r) {
		cr_expect_eq(event.revision, 7);
		cr_expect_str_eq(change.key.path, "/link");
		cr_expect_str_eq(change.text, "down");
	}
	return r;
}

Test(common_record, watched_changes)
{
	struct watched {
		struct kv_watch_event event;
		struct kv_change change;
		char text[16];
	};
	static const struct watched good = {
		.event = { KV_RECORD_CHANGE, KV_CHANGE_SIZE(4), 1, 7, 0 },
		.change = { "/link", KV_CHANGE_WRITE, 4, KV_NOTE(1, 5) },
		.text = "down",
	};
	const size_t right = sizeof(good.event) + KV_CHANGE_SIZE(4);
	struct watched bad;

	for (size_t size = 0; size < sizeof(good); size++)
		cr_expect_eq(try_watch(&good, size), size == right ? 0 : -EBADMSG, "%zu", size);
#define REFUSED(_statement)                                                  \
	do {                                                                 \
		bad = good;                                                  \
		_statement;                                                  \
		cr_expect_eq(try_watch(&bad, right), -EBADMSG, #_statement); \
	} while (0)
	REFUSED(bad.event.type = KV_RECORD_COMMIT);
	REFUSED(bad.event.size += 8);
	REFUSED(bad.event.sequence = 0);
	REFUSED(bad.event.revision = 0);
	REFUSED(bad.change.noted = 0);
	REFUSED(bad.change.operation = KV_CHANGE_DELETE);
	REFUSED(bad.change.length = 3);
	REFUSED(bad.text[7] = 'x');
	REFUSED(bad.text[1] = '\033');
#undef REFUSED
}

/* What the kernel wrote, also if the rest is junk. */
Test(common_record, origin)
{
	const struct kv_event event = { .type = KV_RECORD_COMMIT,
					.revision = 9,
					.boot_ns = 5,
					.subject = 77,
					.uid = 1,
					.tgid = 2 };
	const struct kv_denial denial = { .type = KV_RECORD_DENIAL,
					  .sequence = 9,
					  .boot_ns = 5,
					  .subject = 77,
					  .uid = 1,
					  .tgid = 2 };
	struct record_origin origin;

	for (size_t size = 0; size < sizeof(event); size++)
		cr_expect_not(record_origin(&event, size, &origin));
	cr_assert(record_origin(&event, sizeof(event), &origin));
	cr_expect(origin.revision == 9 && !origin.sequence && origin.boot_ns == 5 &&
		  origin.subject == 77 && origin.uid == 1 && origin.tgid == 2);
	for (size_t size = 0; size < sizeof(denial); size++)
		cr_expect_not(record_origin(&denial, size, &origin));
	cr_assert(record_origin(&denial, sizeof(denial), &origin));
	cr_expect(!origin.revision && origin.sequence == 9 && origin.boot_ns == 5 &&
		  origin.subject == 77 && origin.uid == 1 && origin.tgid == 2);
	cr_expect_not(record_origin(&(uint64_t[16]){ KV_RECORD_CHANGE }, 128, &origin));
}

Test(common_record, description)
{
	unsigned char bytes[RECORD_SHOWN + 1];
	char text[RECORD_TEXT_SIZE];

	memset(bytes, 0x1b, sizeof(bytes));
	record_describe(bytes, 0, text);
	cr_expect_str_eq(text, "0 bytes: ");
	record_describe("\001\377", 2, text);
	cr_expect_str_eq(text, "2 bytes: 01ff");
	record_describe(bytes, RECORD_SHOWN, text);
	cr_expect_eq(strlen(text), strlen("64 bytes: ") + 2 * RECORD_SHOWN, "%s", text);
	record_describe(bytes, sizeof(bytes), text);
	cr_expect_eq(strspn(text, "0123456789abcdef :bytes."), strlen(text));
	cr_expect_str_eq(text + strlen(text) - 5, "1b...");
}
