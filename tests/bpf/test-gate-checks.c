/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate checks of a request: one row per rule. */
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-gate.h"
#include "userspace/common/path.h"
#include "userspace/common/record.h"

#define N_RANDOM_KEYS 20000

static struct gate_test test;
static int gate;

static void begin(void)
{
	static const struct test_rule rules[] = {
		{ "/mac", KV_ACCESS_READ, KV_CLASS_TEXT, 17 },
		{ "/ip", KV_ACCESS_WRITE | KV_ACCESS_DELETE, KV_CLASS_TEXT, 18 },
		{ "/long", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
		{ "/hex", ALL_ACCESS, KV_CLASS_HEX, 64 },
		{ "/number", ALL_ACCESS, KV_CLASS_UINT, 10 },
		{ "/nameserver/", ALL_ACCESS, KV_CLASS_TEXT, 15 },
		{ "/nameserver/009", KV_ACCESS_READ, KV_CLASS_TEXT, 15 },
		{ "/a/b/", ALL_ACCESS, KV_CLASS_TEXT, 15 },
		{ NULL },
	};

	gate_test_begin(&test, 64, 2);
	gate = gate_test_subject(&test, 0, rules, FAST, FAST);
}

static void end(void)
{
	gate_test_end(&test);
}

/* A raw write of "x" to a 64-byte key with every check in user space left out. */
static int write_key(const void *key, size_t size)
{
	unsigned char request[KV_CHANGE_SIZE(1)];
	char padded[64] = { 0 };

	memcpy(padded, key, size);
	gate_test_change(request, padded, KV_CHANGE_WRITE, "x", 1);
	return gate_test_raw(gate, KV_VERB_WRITE, 1, request, sizeof(request), NULL);
}

static void any_path(struct gate_test *open)
{
	static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 },
						  { NULL } };

	gate_test_subject(open, 1, rules, FAST, FAST);
}

struct path_row {
	const char *what;
	const char *key;
	size_t size;
	int verdict;
};

#define SEG31 "abcdefghijklmnopqrstuvwxyz01234"
#define ROW(what, key, verdict)                     \
	{                                           \
		what, key, sizeof(key) - 1, verdict \
	}

static const struct path_row path_rows[] = {
	ROW("one segment", "/x", 0),
	ROW("every byte of the alphabet", "/az09._-", 0),
	ROW("eight segments", "/a/b/c/d/e/f/g/h", 0),
	ROW("nine segments", "/a/b/c/d/e/f/g/h/i", -EILSEQ),
	ROW("segment of 31", "/" SEG31, 0),
	ROW("segment of 32", "/" SEG31 "5", -EILSEQ),
	ROW("63 bytes", "/" SEG31 "/abcdefghijklmnopqrstuvwxyz0123", 0),
	ROW("64 bytes, no NUL", "/" SEG31 "/" SEG31, -EILSEQ),
	ROW("three dots", "/...", 0),
	ROW("dot in a segment", "/.a", 0),
	ROW("dots behind", "/a..", 0),
	ROW("empty", "", -EILSEQ),
	ROW("root", "/", -EILSEQ),
	ROW("no leading slash", "ip", -EILSEQ),
	ROW("double slash", "//ip", -EILSEQ),
	ROW("double slash inside", "/a//b", -EILSEQ),
	ROW("trailing slash", "/ip/", -EILSEQ),
	ROW("dot", "/.", -EILSEQ),
	ROW("dot inside", "/a/./b", -EILSEQ),
	ROW("dot dot", "/..", -EILSEQ),
	ROW("dot dot inside", "/a/../b", -EILSEQ),
	ROW("upper case", "/IP", -EILSEQ),
	ROW("blank", "/i p", -EILSEQ),
	ROW("newline", "/ip\n", -EILSEQ),
	ROW("high byte", "/ip\xff", -EILSEQ),
	ROW("byte behind the NUL", "/ip\0x", -EILSEQ),
	ROW("byte far behind the NUL",
	    "/ip\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x",
	    -EILSEQ),
};

Test(gate_checks, canonical_paths, .init = begin, .fini = end)
{
	any_path(&test);
	gate = test.fds[1];
	for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
		const struct path_row *row = &path_rows[i];

		cr_expect_eq(write_key(row->key, row->size), row->verdict, "%s: %d", row->what,
			     write_key(row->key, row->size));
	}
	/* every byte, alone in a segment */
	for (int byte = 1; byte < 256; byte++) {
		char key[] = { '/', (char)byte };
		int ok = byte && strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", byte);

		cr_expect_eq(write_key(key, sizeof(key)), ok ? 0 : -EILSEQ, "byte %#x", byte);
	}
}

/* Numerical Recipes' generator: the same keys on every run. */
static uint32_t test_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A key of segments that are mostly canonical, then a few bytes changed. */
static void random_key(struct kv_key *key, uint32_t *state)
{
	static const char bytes[] = "abz09._-//..\0\0A~\x80";
	uint32_t length, n_changed;

	memset(key, 0, sizeof(*key));
	length = test_random(state) % (sizeof(key->path) + 1);
	for (uint32_t i = 0; i < length; i++)
		key->path[i] = i % (1 + test_random(state) % 24) ? bytes[test_random(state) % 8] :
								   '/';
	n_changed = test_random(state) % 3;
	for (uint32_t i = 0; i < n_changed; i++)
		key->path[test_random(state) % sizeof(key->path)] =
			bytes[test_random(state) % (sizeof(bytes) - 1)];
}

/* Eight bytes at a time here, byte by byte there: the same verdict. */
Test(gate_checks, paths_as_user_space_sees_them, .init = begin, .fini = end)
{
	unsigned char request[KV_CHANGE_SIZE(0)];
	uint32_t state = 1, n_canonical = 0;
	struct kv_key key;

	any_path(&test);
	for (int i = 0; i < N_RANDOM_KEYS; i++) {
		bool canonical;
		int verdict;

		random_key(&key, &state);
		canonical = path_key_is_canonical(&key);
		n_canonical += canonical;
		gate_test_change(request, key.path, 0, "", 0);
		verdict =
			gate_test_raw(test.fds[1], KV_VERB_READ, 1, request, sizeof(request), NULL);
		cr_assert_eq(verdict, canonical ? -ENOENT : -EILSEQ, "key %d \"%.64s\": %d", i,
			     key.path, verdict);
	}
	cr_assert_gt(n_canonical, N_RANDOM_KEYS / 20);
	cr_assert_lt(n_canonical, N_RANDOM_KEYS / 2);
}

Test(gate_checks, rights, .init = begin, .fini = end)
{
	struct kv_value value;

	cr_expect_eq(gate_read(gate, "/mac", &value), -ENOENT);
	cr_expect_eq(gate_write(gate, "/mac", "x", 1, NULL), -EACCES, "read only");
	cr_expect_eq(gate_delete(gate, "/mac", NULL), -EACCES, "read only");
	cr_expect_eq(gate_write(gate, "/ip", "x", 1, NULL), 0);
	cr_expect_eq(gate_read(gate, "/ip", &value), -EACCES, "write does not imply read");
	cr_expect_eq(gate_delete(gate, "/ip", NULL), 0);
	cr_expect_eq(gate_read(gate, "/unknown", &value), -EACCES, "no match is a denial");
	cr_expect_eq(gate_write(gate, "/ipx", "x", 1, NULL), -EACCES, "no match by prefix of text");
	cr_expect_eq(gate_write(gate, "/ip/x", "x", 1, NULL), -EACCES, "an entry is no directory");
	cr_expect_eq(gate_write(gate, "/nameserver/001", "x", 1, NULL), 0, "directory entry");
	cr_expect_eq(gate_write(gate, "/nameserver", "x", 1, NULL), -EACCES, "not the directory");
	cr_expect_eq(gate_write(gate, "/nameserver/a/b", "x", 1, NULL), -EACCES, "one level");
	cr_expect_eq(gate_write(gate, "/nameserver/009", "x", 1, NULL), -EACCES, "exact wins");
	cr_expect_eq(gate_write(gate, "/a/b/c", "x", 1, NULL), 0, "deeper directory");
	cr_expect_eq(gate_write(gate, "/a/c", "x", 1, NULL), -EACCES);
}

static int write_text(const char *path, const void *text, uint16_t length)
{
	unsigned char request[KV_CHANGE_SIZE(KV_VALUE_MAX)];
	char key[64] = { 0 };
	uint32_t size;

	snprintf(key, sizeof(key), "%s", path);
	size = gate_test_change(request, key, KV_CHANGE_WRITE, text, length);
	return gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, NULL);
}

Test(gate_checks, value_bytes, .init = begin, .fini = end)
{
	for (int byte = 0; byte < 256; byte++) {
		char text[] = { 'a', (char)byte, 'b' };
		int text_ok = byte >= 0x20 && byte <= 0x7e;
		int hex_ok = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
		char pair[] = { 'a', (char)byte };
		char digits[] = { '1', (char)byte, '2' };

		cr_expect_eq(write_text("/long", text, 3), text_ok ? 0 : -EBADMSG, "text %#x",
			     byte);
		cr_expect_eq(write_text("/hex", pair, 2), hex_ok ? 0 : -EBADMSG, "hex %#x", byte);
		cr_expect_eq(write_text("/number", digits, 3),
			     byte >= '0' && byte <= '9' ? 0 : -EBADMSG, "digits %#x", byte);
	}
	cr_expect_eq(write_text("/hex", "abc", 3), -EBADMSG, "odd");
	cr_expect_eq(write_text("/hex", "", 0), 0);
	cr_expect_eq(write_text("/number", "", 0), -EBADMSG, "no digit");
	cr_expect_eq(write_text("/long", "", 0), 0, "empty is a value");
}

Test(gate_checks, value_lengths, .init = begin, .fini = end)
{
	static char text[KV_VALUE_SIZE];
	struct kv_value value;

	memset(text, 'v', sizeof(text));
	for (uint16_t length = 0; length <= KV_VALUE_MAX; length++) {
		cr_assert_eq(write_text("/long", text, length), 0, "%u bytes", length);
		cr_assert_eq(gate_read(gate, "/long", &value), 0);
		cr_assert_eq(value.length, length);
		cr_assert_eq(strlen(value.text), length);
		if (length % 128 == 0)
			gate_test_drain(&test);
	}
	/* shorter again: nothing of the longer value is left */
	cr_assert_eq(write_text("/long", "short", 5), 0);
	cr_assert_eq(gate_read(gate, "/long", &value), 0);
	for (size_t i = 5; i < sizeof(value.text); i++)
		cr_assert_eq(value.text[i], 0, "byte %zu", i);
	cr_expect_eq(write_text("/ip", text, 18), 0);
	cr_expect_eq(write_text("/ip", text, 19), -EMSGSIZE, "the rule's limit");
	/* longer than any value: refused by its header alone */
	{
		unsigned char request[KV_CHANGE_SIZE(KV_VALUE_MAX)];
		char key[64] = "/long";
		struct kv_change *change = (struct kv_change *)request;
		uint32_t size = gate_test_change(request, key, KV_CHANGE_WRITE, text, KV_VALUE_MAX);

		change->length = KV_VALUE_MAX + 1;
		cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, NULL), -EMSGSIZE);
		change->length = 0xffff;
		cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, NULL), -EMSGSIZE);
	}
}

Test(gate_checks, packing, .init = begin, .fini = end)
{
	unsigned char request[2 * KV_CHANGE_SIZE(8)] = { 0 };
	char key[64] = "/long";
	struct kv_change *change = (struct kv_change *)request;
	uint32_t size = gate_test_change(request, key, KV_CHANGE_WRITE, "12345678", 8);
	struct kv_request answer;

	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, NULL), 0);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size - 8, NULL), -EINVAL,
		     "text behind the end");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size + 8, NULL), -EINVAL,
		     "bytes left over");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_COMMIT, 2, request, size, NULL), -EINVAL,
		     "one change too few");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 0, request, size, NULL), -EINVAL);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_COMMIT, KV_CHANGES_MAX + 1, request, size, NULL),
		     -EINVAL);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, 0, NULL), -EINVAL);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, KV_REQUEST_MAX + 1, NULL),
		     -EINVAL);
	cr_expect_eq(gate_test_raw(gate, 0, 1, request, size, NULL), -EINVAL, "no verb");
	cr_expect_eq(gate_test_raw(gate, 99, 1, request, size, NULL), -EINVAL, "unknown verb");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_READ, 1, request, size, NULL), -EINVAL,
		     "a read carries no text");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_DELETE, 1, request, size, NULL), -EINVAL,
		     "verb and operation differ");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, NULL, size, NULL), -EFAULT);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, (void *)0xffffffff81000000ul, size,
				   NULL),
		     -EFAULT, "a kernel address");
	change->operation = 7;
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, NULL), -EINVAL);
	change->operation = KV_CHANGE_DELETE;
	cr_expect_eq(gate_test_raw(gate, KV_VERB_DELETE, 1, request, size, NULL), -EINVAL,
		     "a delete carries no text");
	change->operation = KV_CHANGE_WRITE;
	change->noted = 1;
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, NULL), -EINVAL);
	change->noted = 0;
	/* text shorter than its padding says, and a byte in the padding */
	request[KV_CHANGE_HEADER + 9] = 'x';
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size, &answer), -EBADMSG);
	cr_expect_eq(answer.i_refused, 0);
}

/* A copy of the request becomes the record: nothing may be behind what is checked. */
Test(gate_checks, F1_nothing_behind_a_change, .init = begin, .fini = end)
{
	unsigned char request[2 * KV_CHANGE_SIZE(8)] = { 0 };
	static const struct {
		uint32_t verb;
		uint16_t operation;
		const char *text;
		int verdict; /* without junk */
	} rows[] = {
		{ KV_VERB_WRITE, KV_CHANGE_WRITE, "", 0 },
		{ KV_VERB_WRITE, KV_CHANGE_WRITE, "1234567", 0 },
		{ KV_VERB_WRITE, KV_CHANGE_WRITE, "12345678", 0 },
		{ KV_VERB_COMMIT, KV_CHANGE_WRITE, "1", 0 },
		{ KV_VERB_COMMIT, KV_CHANGE_DELETE, "", 0 },
		{ KV_VERB_DELETE, KV_CHANGE_DELETE, "", 0 },
		{ KV_VERB_READ, 0, "", -ENOENT },
		{ KV_VERB_LIST, 0, "", 0 },
	};
	char key[64] = "/long";
	struct kv_ctl ctl;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t size = gate_test_change(request, key, rows[i].operation, rows[i].text,
						 (uint16_t)strlen(rows[i].text));
		uint32_t first = KV_CHANGE_HEADER + (uint32_t)strlen(rows[i].text);

		for (uint32_t at = first; at < size; at++) {
			request[at] = '!';
			cr_expect_eq(gate_test_raw(gate, rows[i].verb, 1, request, size, NULL),
				     -EBADMSG, "row %zu, byte %u", i, at);
			request[at] = 0;
		}
		ctl = gate_test_ctl(&test);
		cr_expect_eq(gate_test_raw(gate, rows[i].verb, 1, request, size, NULL),
			     rows[i].verdict, "row %zu", i);
		cr_expect_eq(gate_test_ctl(&test).revision,
			     ctl.revision + (rows[i].operation != 0));
		if (rows[i].operation == KV_CHANGE_WRITE)
			cr_assert_eq(gate_delete(gate, "/long", NULL), 0);
	}
}

static struct kv_denial denial;

static int take_denial(void *data, void *record, size_t size)
{
	(void)data;
	cr_assert_eq(record_denial_init(&denial, record, size), 0, "malformed");
	return 0;
}

static const struct kv_denial *last_denial(void)
{
	struct ring_buffer *ring = ring_buffer__new(test.store.denials_fd, take_denial, NULL, NULL);

	cr_assert_not_null(ring);
	memset(&denial, 0, sizeof(denial));
	cr_assert_eq(ring_buffer__consume(ring), 1);
	ring_buffer__free(ring);
	return &denial;
}

/* Refused as a whole: neither bytes of the caller nor of an earlier request. */
Test(gate_checks, F1_refusals_show_what_was_checked, .init = begin, .fini = end)
{
	unsigned char request[3 * KV_CHANGE_SIZE(8)] = { 0 };
	char key[64] = "/long", junk[64] = "/status/audit";
	uint32_t size = gate_test_change(request, key, KV_CHANGE_WRITE, "1", 1);

	(void)gate_test_change(request + size, junk, KV_CHANGE_WRITE, "1", 1);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size + 8, NULL), -EINVAL);
	cr_expect_str_eq(last_denial()->path, "", "the size is wrong, not a path");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_COMMIT, 1, request, 2 * size, NULL), -EINVAL);
	cr_expect_str_eq(last_denial()->path, "");
	memset(request + size, 0x1b, 2 * size);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_WRITE, 1, request, size + 8, NULL), -EINVAL);
	cr_expect_str_eq(last_denial()->path, "");
	cr_expect_eq(gate_test_raw(gate, KV_VERB_COMMIT, 2, request, size + 8, NULL), -EINVAL);
	cr_expect_str_eq(last_denial()->path, "");
	/* a number that is no verb is not shown, also not its lower half */
	cr_expect_eq(gate_test_raw(gate, 0x10002, 1, request, size, NULL), -EINVAL);
	cr_expect_eq(last_denial()->verb, KV_VERB_NONE);
	cr_expect_eq(gate_test_raw(gate, KV_VERB_DENIAL + 1, 1, request, size, NULL), -EINVAL);
	cr_expect_eq(last_denial()->verb, KV_VERB_NONE);
}

/* How many bytes behind the answer are not zero? */
static int count_stale(const struct kv_request *answer)
{
	int n = 0;

	for (size_t i = answer->length; i < sizeof(answer->text); i++)
		n += answer->text[i] != 0;
	return n;
}

/* A later answer shows nothing of an earlier one. */
Test(gate_checks, F1_answers_without_a_past, .init = begin, .fini = end)
{
	unsigned char change[KV_CHANGE_SIZE(0)];
	static char text[KV_VALUE_MAX];
	struct kv_request answer;
	char key[64] = "/long";

	(void)gate_test_change(change, key, 0, "", 0);
	memset(text, 'v', sizeof(text));
	for (uint32_t length = 0; length < 24; length++) {
		cr_assert_eq(gate_write(gate, "/long", text, sizeof(text), NULL), 0);
		cr_assert_eq(gate_test_raw(gate, KV_VERB_READ, 1, change, sizeof(change), &answer),
			     0);
		cr_assert_eq(answer.length, KV_VALUE_MAX);
		cr_assert_eq(answer.text[KV_VALUE_MAX - 1], 'v');
		cr_assert_eq(gate_write(gate, "/long", text, 250 + length, NULL), 0);
		cr_assert_eq(gate_test_raw(gate, KV_VERB_READ, 1, change, sizeof(change), &answer),
			     0);
		cr_expect_eq(strnlen(answer.text, sizeof(answer.text)), 250 + length);
		cr_expect_eq(count_stale(&answer), 0, "%u", 250 + length);
	}
	cr_assert_eq(gate_write(gate, "/long", "1", 1, NULL), 0);
	cr_assert_eq(gate_test_raw(gate, KV_VERB_LIST, 1, change, sizeof(change), &answer), 0);
	cr_expect_eq(answer.length, KV_ENTRY_SIZE(5));
	cr_expect_eq(count_stale(&answer), 0, "of a list");
}
