/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/gateway-store.h"
#include "tests/unit/wire-vectors.h"
#include "userspace/common/log.h"

static struct test_store store;
static struct gateway_responder responder;
static struct gateway_output output;
static uint8_t frame[WIRE_FRAME_MAX];

static void setup(void)
{
	gateway_responder_init(&responder, &test_table, &test_store_calls, &store);
	log_init("test", open("/dev/null", O_WRONLY), LOG_LEVEL_ERROR);
}

/* Of the last answer. */
static unsigned int answer_code;

/* The answer to the frame, as "ok TEXT" or "error TEXT". */
static const char *answer_frame(size_t size)
{
	static char text[KV_VALUE_SIZE + 48];
	struct wire_response response;
	size_t used = 0;
	int r;

	output.size = 0;
	r = gateway_answer(&responder, frame, size, &used, &output);
	if (r < 0)
		return strerrorname_np(-r);
	cr_assert_eq(r, 1);
	cr_assert_eq(used, size);
	cr_assert_eq(wire_frame_size(output.bytes, output.size), (int)output.size);
	cr_assert_eq(wire_decode_response(output.bytes, output.size, &response), 0);
	cr_assert_eq(response.code != WIRE_CODE_NONE, response.tag == WIRE_ERROR);
	cr_assert_eq(response.id, -7);
	answer_code = response.code;
	snprintf(text, sizeof(text), "%s %.*s", response.tag == WIRE_OK ? "ok" : "error",
		 (int)response.value.size, response.value.bytes);
	if (response.revision != 0)
		snprintf(text + strlen(text), 24, "@%" PRIu64, response.revision);
	return text;
}

static const char *answer(unsigned int tag, const char *path, const char *value)
{
	int size = wire_encode_request(-7, WIRE_WRITE, path, value, strlen(value), 0, frame,
				       sizeof(frame));

	cr_assert_gt(size, 0);
	frame[20] = (uint8_t)tag;
	return answer_frame((size_t)size);
}

/* The same with an expected revision; the answer's own comes behind it. */
static const char *answer_if(enum wire_request_tag tag, const char *path, const char *value,
			     uint64_t revision)
{
	int size = wire_encode_request(-7, tag, path, value, strlen(value), revision, frame,
				       sizeof(frame));

	cr_assert_gt(size, 0);
	return answer_frame((size_t)size);
}

TestSuite(gateway_request, .init = setup);

Test(gateway_request, write_read_delete)
{
	cr_assert_str_eq(answer(WIRE_DELETE, "/a", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "error err-not-found");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "xxx"), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "ok xxx");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "ok ", "empty is not absent");
	cr_assert_str_eq(answer(WIRE_DELETE, "/a", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "error err-not-found");
}

Test(gateway_request, paths_without_a_right)
{
	for (unsigned int tag = 0; tag < 8; tag++) {
		if (tag == WIRE_COMMIT || tag == WIRE_LIST)
			continue;
		cr_assert_str_eq(answer(tag, "/xxxxxx", ""), "error xxxxxx is not an allowed path");
		cr_assert_eq(answer_code, WIRE_CODE_NOT_ALLOWED);
		cr_assert_str_eq(answer(tag, "/a/b", ""), "error a/b is not an allowed path");
		cr_assert_str_eq(answer(tag, "/foo", ""), "error foo is not an allowed path");
		cr_assert_str_eq(answer(tag, "/hidden", ""), "error hidden is not an allowed path");
		if (tag != WIRE_WATCH)
			cr_assert_str_eq(answer(tag, "", ""), "error  is not an allowed path");
	}
	cr_assert_str_eq(answer(WIRE_READ, "/ip", ""), "error ip is not an allowed path");
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "error ip is not an allowed path");
	cr_assert_str_eq(answer(WIRE_WRITE, "/mac", "02:00:00:00:77:02"),
			 "error mac is not an allowed path");
	cr_assert_str_eq(answer(WIRE_READ, "/nameserver/001", ""),
			 "error nameserver/001 is not an allowed path");
	cr_assert_str_eq(answer(WIRE_WRITE, "/nameserver/001/x", "1.2.3.4"),
			 "error nameserver/001/x is not an allowed path");
	cr_assert_eq(store.n_calls, 0, "the store was never asked");
}

Test(gateway_request, unchecked_bytes_are_not_echoed)
{
	size_t size;
	int r = wire_encode_request(-7, WIRE_READ, "/foo", NULL, 0, 0, frame, sizeof(frame));

	cr_assert_gt(r, 0);
	size = (size_t)r;
	frame[size - 8] = 0x1b;
	cr_assert_str_eq(answer_frame(size), "error ? is not an allowed path");
	frame[size - 8] = '/';
	cr_assert_str_eq(answer_frame(size), "error ? is not an allowed path");
	frame[size - 8] = 'F';
	cr_assert_str_eq(answer_frame(size), "error ? is not an allowed path");
}

Test(gateway_request, unknown_operations)
{
	cr_assert_str_eq(answer(6, "/a", ""), "error undefined field 6");
	cr_assert_eq(answer_code, WIRE_CODE_UNKNOWN_OPERATION);
	cr_assert_str_eq(answer(7, "/mac", ""), "error undefined field 7");
	cr_assert_str_eq(answer(255, "/a", ""), "error undefined field 255");
	cr_assert_str_eq(answer(6, "/xxxxxx", ""), "error xxxxxx is not an allowed path",
			 "the path comes first");
}

Test(gateway_request, right_comes_before_value)
{
	cr_assert_str_eq(answer(WIRE_WRITE, "/mac", "not a mac, and much too long for one"),
			 "error mac is not an allowed path");
}

Test(gateway_request, newline)
{
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15/24\n"), "ok ");
	cr_assert_str_eq(test_store_text(&store, "/ip"), "10.0.2.15/24");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "x\n"), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "ok x");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "x\n\n"), "error wrong type");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "\nx"), "error wrong type");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "ok x", "unchanged");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "\n"), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "0123456789\n"), "ok ",
			 "the newline does not count");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "0123456789a"), "error value too large");
	cr_assert_str_eq(answer(WIRE_WRITE, "/empty", "\n"), "ok ");
	cr_assert_str_eq(answer(WIRE_WRITE, "/hex", "00ff\n"), "error wrong type");
	cr_assert_str_eq(answer(WIRE_WRITE, "/hex", "00ff"), "ok ");
}

Test(gateway_request, types)
{
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15"), "error wrong type");
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15/24 and more!"),
			 "error value too large", "size comes before type");
	cr_assert_str_eq(answer(WIRE_WRITE, "/nameserver/001", "10.0.2.3"), "ok ");
	cr_assert_str_eq(answer(WIRE_WRITE, "/nameserver/001", "x"), "error wrong type");
	cr_assert_str_eq(answer(WIRE_WRITE, "/b/c", "\xff"), "error wrong type");
	cr_assert_eq(store.n_calls, 1);
}

Test(gateway_request, large_values)
{
	static char value[60 * 1024 + 1];

	memset(value, 'v', sizeof(value) - 1);
	cr_assert_str_eq(answer(WIRE_WRITE, "/b/c", value), "error value too large");
	value[2048] = '\0';
	cr_assert_str_eq(answer(WIRE_WRITE, "/b/c", value), "error value too large");
	cr_assert_str_eq(answer(WIRE_READ, "/b/c", ""), "error err-not-found");
	value[KV_VALUE_MAX + 1] = '\0';
	cr_assert_str_eq(answer(WIRE_WRITE, "/b/c", value), "error value too large");
	value[KV_VALUE_MAX] = '\0';
	cr_assert_str_eq(answer(WIRE_WRITE, "/b/c", value), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/b/c", "") + 3, value);
}

Test(gateway_request, verdicts_of_the_store)
{
	static const struct {
		int verdict;
		enum wire_code code;
		const char *text;
	} rows[] = {
		{ -EDQUOT, WIRE_CODE_QUOTA_EXCEEDED, "error quota exceeded" },
		{ -ENOSPC, WIRE_CODE_QUOTA_EXCEEDED, "error quota exceeded" },
		{ -EBUSY, WIRE_CODE_TRY_AGAIN, "error try again" },
		{ -EAGAIN, WIRE_CODE_TRY_AGAIN, "error try again" },
		{ -EMSGSIZE, WIRE_CODE_VALUE_TOO_LARGE, "error value too large" },
		{ -EBADMSG, WIRE_CODE_WRONG_TYPE, "error wrong type" },
		{ -E2BIG, WIRE_CODE_TOO_MANY_CHANGES, "error too many changes" },
		{ -ESTALE, WIRE_CODE_CONFLICT, "error conflict" },
		{ -EACCES, WIRE_CODE_NOT_ALLOWED, "error a is not an allowed path" },
		{ -EFAULT, WIRE_CODE_FAILED, "error store failed" },
	};

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		store.verdict = rows[i].verdict;
		cr_assert_str_eq(answer(WIRE_WRITE, "/a", "x"), rows[i].text);
		cr_assert_eq(answer_code, rows[i].code);
		cr_assert_str_eq(answer(WIRE_READ, "/a", ""), rows[i].text);
		cr_assert_eq(answer_code, rows[i].code);
		cr_assert_str_eq(answer(WIRE_DELETE, "/a", ""), rows[i].text);
		cr_assert_eq(answer_code, rows[i].code);
	}
	store.verdict = -ENOENT;
	cr_assert_str_eq(answer(WIRE_DELETE, "/a", ""), "ok ");
}

Test(gateway_request, conditions)
{
	cr_assert_str_eq(answer_if(WIRE_WRITE, "/a", "1", KV_REVISION_ABSENT), "ok @1");
	cr_assert_str_eq(answer_if(WIRE_WRITE, "/a", "2", KV_REVISION_ABSENT), "error conflict");
	cr_assert_str_eq(answer_if(WIRE_WRITE, "/a", "2", 1), "ok @2");
	cr_assert_str_eq(answer_if(WIRE_WRITE, "/a", "3", 1), "error conflict");
	cr_assert_str_eq(answer_if(WIRE_READ, "/a", "", 1), "ok 2@2", "a read tells it");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "ok 2", "if asked");
	cr_assert_str_eq(answer(WIRE_WRITE, "/a", "4"), "ok ", "no condition, no revision");
	cr_assert_str_eq(answer_if(WIRE_DELETE, "/a", "", 2), "error conflict");
	cr_assert_str_eq(answer_if(WIRE_DELETE, "/a", "", 3), "ok @4");
	cr_assert_str_eq(answer_if(WIRE_DELETE, "/a", "", 3), "error conflict");
	cr_assert_str_eq(answer_if(WIRE_READ, "/a", "", 1), "error err-not-found");
	cr_assert_str_eq(answer_if(WIRE_WRITE, "/mac", "x", 9), "error mac is not an allowed path");
	cr_assert_str_eq(answer_if(WIRE_WRITE, "/hex", "x", 9), "error wrong type");
}

static const char *answer_commit(const struct commit *commit)
{
	int size = wire_encode_commit(-7, commit->bytes, commit->size, commit->n_changes, 0, frame,
				      sizeof(frame));

	cr_assert_gt(size, 0);
	return answer_frame((size_t)size);
}

Test(gateway_request, commit)
{
	static struct commit commit;

	commit_init(&commit);
	cr_assert_str_eq(answer_commit(&commit), "ok ", "nothing to do is done");
	cr_assert_eq(store.n_calls, 0);

	commit_write(&commit, "/ip", "10.0.2.15/24\n", 13);
	commit_write(&commit, "/nameserver/001", "10.0.2.3", 8);
	commit_delete(&commit, "/a");
	cr_assert_str_eq(answer_commit(&commit), "ok ");
	cr_assert_eq(store.n_keys, 2);
	cr_assert_str_eq(test_store_text(&store, "/ip"), "10.0.2.15/24");

	store.verdict = -EACCES;
	store.i_refused = 1;
	cr_assert_str_eq(answer_commit(&commit), "error nameserver/001 is not an allowed path");
	store.i_refused = 99;
	cr_assert_str_eq(answer_commit(&commit), "error ? is not an allowed path");
	store.verdict = -ENOSPC;
	cr_assert_str_eq(answer_commit(&commit), "error quota exceeded");
}

static const char *answer_commit_if(const struct commit *commit, uint64_t revision)
{
	int size = wire_encode_commit(-7, commit->bytes, commit->size, commit->n_changes, revision,
				      frame, sizeof(frame));

	cr_assert_gt(size, 0);
	return answer_frame((size_t)size);
}

Test(gateway_request, conditions_of_a_commit)
{
	static struct commit commit;

	commit_init(&commit);
	commit_write(&commit, "/a", "1", 1);
	commit_write(&commit, "/b/c", "1", 1);
	cr_assert_str_eq(answer_commit_if(&commit, KV_REVISION_ABSENT), "ok @1");
	cr_assert_str_eq(answer_commit_if(&commit, KV_REVISION_ABSENT), "error conflict");
	cr_assert_str_eq(answer_commit_if(&commit, 1), "ok @2");
	cr_assert_str_eq(answer_commit_if(&commit, 1), "error conflict");
	cr_assert_str_eq(answer_commit(&commit), "ok ");
	cr_assert_eq(store.revision, 3);
}

static void begin(enum wire_request_tag tag, const char *path)
{
	int size = wire_encode_request(3, tag, path, NULL, 0, 0, frame, sizeof(frame));
	size_t used = 0;

	output.size = 0;
	responder.list.is_active = false;
	cr_assert_eq(gateway_answer(&responder, frame, (size_t)size, &used, &output), 1);
	cr_assert_eq(used, size);
	cr_assert_eq(output.size, 0, "%s", path);
}

Test(gateway_request, list_and_watch_begin)
{
	begin(WIRE_LIST, "/b");
	cr_assert(responder.list.is_active);
	cr_assert_eq(responder.list.id, 3);
	cr_assert_str_eq(responder.list.directory, "/b");
	begin(WIRE_LIST, "");
	cr_assert_str_eq(responder.list.directory, "/");
	begin(WIRE_WATCH, "/config");
	cr_assert_eq(responder.watches.n, 1);
}

/* Below a right of any kind, or above one: else it is a path like any other. */
Test(gateway_request, list_of_what_the_calf_may_know)
{
	static const char *const unknown[] = { "/xxxxxx", "/fo",   "/foo/bar/baz",     "/hidden",
					       "/b/d",	  "/ip/x", "/nameserver/001/x" };
	static const char *const known[] = {
		"/foo",	       "/foo/bar",	  "/b",		 "/ip",
		"/nameserver", "/nameserver/001", "/config/any", "/mac"
	};

	for (size_t i = 0; i < VECTORS_N(known); i++) {
		begin(WIRE_LIST, known[i]);
		cr_assert(responder.list.is_active, "%s", known[i]);
	}
	responder.list.is_active = false;
	for (size_t i = 0; i < VECTORS_N(unknown); i++) {
		char text[KV_PATH_SIZE + 32];

		snprintf(text, sizeof(text), "error %s is not an allowed path", unknown[i] + 1);
		cr_assert_str_eq(answer(WIRE_LIST, unknown[i], ""), text);
		cr_assert_not(responder.list.is_active);
		cr_assert_eq(store.n_denials, i + 1);
		cr_assert_eq(store.denial.verb, KV_VERB_LIST);
		cr_assert_str_eq(store.denial.path, unknown[i]);
	}
	cr_assert_eq(store.n_calls, 0);
}

/* The refusals of this file leave a record in the store's ring. */
Test(gateway_request, refusals_are_noted)
{
	static struct commit commit;
	static const struct {
		unsigned int tag;
		const char *path, *value;
		enum kv_verb verb;
		int verdict;
	} rows[] = {
		{ WIRE_READ, "/xxxxxx", "", KV_VERB_READ, -EACCES },
		{ WIRE_READ, "/ip", "", KV_VERB_READ, -EACCES },
		{ WIRE_WRITE, "/mac", "02:00:00:00:77:02", KV_VERB_WRITE, -EACCES },
		{ WIRE_DELETE, "/mac", "", KV_VERB_DELETE, -EACCES },
		{ WIRE_WRITE, "/ip", "10.0.2.15", KV_VERB_WRITE, -EBADMSG },
		{ WIRE_WRITE, "/a", "0123456789a", KV_VERB_WRITE, -EMSGSIZE },
		{ WIRE_LIST, "/xxxxxx", "", KV_VERB_LIST, -EACCES },
		{ WIRE_WATCH, "/a", "", KV_VERB_WATCH, -EACCES },
		{ 77, "/a", "", 0, -EINVAL },
		{ WIRE_READ, "", "", KV_VERB_READ, -EACCES },
	};

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		cr_assert_eq(strncmp(answer(rows[i].tag, rows[i].path, rows[i].value), "error ", 6),
			     0);
		cr_assert_eq(store.n_denials, i + 1, "row %zu", i);
		cr_assert_eq(store.denial.verb, rows[i].verb, "row %zu", i);
		cr_assert_str_eq(store.denial.path, rows[i].path, "row %zu", i);
		cr_assert_eq(store.denial.verdict, rows[i].verdict, "row %zu", i);
	}
	commit_init(&commit);
	commit_write(&commit, "/a", "x", 1);
	commit_delete(&commit, "/mac");
	cr_assert_str_eq(answer_commit(&commit), "error mac is not an allowed path");
	cr_assert_eq(store.denial.verb, KV_VERB_COMMIT);
	cr_assert_str_eq(store.denial.path, "/mac");
	cr_assert_eq(store.n_denials, VECTORS_N(rows) + 1);
	cr_assert_eq(store.n_calls, 0);

	/* what the store refuses it records itself */
	store.verdict = -EACCES;
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "error a is not an allowed path");
	cr_assert_eq(store.n_denials, VECTORS_N(rows) + 1);
}

Test(gateway_request, refused_paths_of_list_and_watch)
{
	for (unsigned int tag = WIRE_LIST; tag <= WIRE_WATCH; tag++) {
		int size = wire_encode_request(-7, WIRE_READ, "/foo", NULL, 0, 0, frame,
					       sizeof(frame));

		frame[20] = (uint8_t)tag;
		frame[size - 8] = 0x1b;
		cr_assert_str_eq(answer_frame((size_t)size), "error ? is not an allowed path");
	}
}

Test(gateway_request, one_bad_change_refuses_the_commit)
{
	static const struct {
		const char *path, *text, *answer;
	} rows[] = {
		{ "/xxxxxx", "x", "error xxxxxx is not an allowed path" },
		{ "/mac", "02:00:00:00:77:02", "error mac is not an allowed path" },
		{ "/ip", NULL, "error ip is not an allowed path" },
		{ "/ip", "10.0.2.15", "error wrong type" },
		{ "/a", "0123456789a", "error value too large" },
		{ "/hidden", NULL, "error hidden is not an allowed path" },
	};
	static struct commit commit;

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		commit_init(&commit);
		commit_write(&commit, "/a", "x", 1);
		if (rows[i].text)
			commit_write(&commit, rows[i].path, rows[i].text, strlen(rows[i].text));
		else
			commit_delete(&commit, rows[i].path);
		commit_write(&commit, "/b/c", "x", 1);
		cr_assert_str_eq(answer_commit(&commit), rows[i].answer, "row %zu", i);
	}
	cr_assert_eq(store.n_calls, 0);
}

Test(gateway_request, too_many_changes)
{
	static struct commit commit;
	uint64_t word;

	commit_init(&commit);
	for (int i = 0; i < KV_CHANGES_MAX; i++)
		cr_assert_eq(commit_delete(&commit, "/a"), 0);
	cr_assert_str_eq(answer_commit(&commit), "ok ");
	/* More in number: 129 changes that are all zero. */
	memset(frame, 0, sizeof(frame));
	from_hex("00000000 8a010000 00000000 02000200 f9ffffff 05000000 00000000 00000000"
		 "00000000 00000000 01000000",
		 frame, 44);
	word = 1 | 7ull << 32 | (3ull * 129) << 35;
	memcpy(frame + 40, &word, 8);
	word = 129ull << 2 | 1ull << 32 | 2ull << 48;
	memcpy(frame + 48, &word, 8);
	frame[4] = (uint8_t)((48 + 3 * 129 * 8) / 8);
	frame[5] = (uint8_t)(((48 + 3 * 129 * 8) / 8) >> 8);
	cr_assert_str_eq(answer_frame(8 + 48 + 3 * 129 * 8), "error too many changes");
	cr_assert_eq(store.n_calls, 1);
}

Test(gateway_request, too_many_bytes)
{
	static struct {
		struct kv_change change;
		char text[KV_VALUE_SIZE];
	} packed[40];
	int size;

	for (size_t i = 0; i < VECTORS_N(packed); i++) {
		packed[i].change = (struct kv_change){
			.path = "/b/c",
			.operation = KV_CHANGE_WRITE,
			.length = KV_VALUE_MAX,
		};
		memset(packed[i].text, 'x', KV_VALUE_MAX);
	}
	cr_assert_eq(sizeof(packed[0]), KV_CHANGE_SIZE(KV_VALUE_MAX));
	size = wire_encode_commit(-7, packed, sizeof(packed), VECTORS_N(packed), 0, frame,
				  sizeof(frame));
	cr_assert_gt(size, KV_REQUEST_MAX);
	cr_assert_str_eq(answer_frame((size_t)size), "error too many changes");
	cr_assert_eq(store.n_calls, 0);
}

Test(gateway_request, commit_with_a_path_or_unknown_change)
{
	static struct commit commit;
	int size;

	size = wire_encode_request(-7, WIRE_DELETE, "/a", NULL, 0, 0, frame, sizeof(frame));
	frame[20] = WIRE_COMMIT;
	cr_assert_str_eq(answer_frame((size_t)size), "error a is not an allowed path");
	size = wire_encode_request(-7, WIRE_DELETE, "", NULL, 0, 0, frame, sizeof(frame));
	frame[20] = WIRE_COMMIT;
	cr_assert_str_eq(answer_frame((size_t)size), "ok ", "a null list is an empty one");

	commit_init(&commit);
	commit_delete(&commit, "/a");
	size = wire_encode_commit(-7, commit.bytes, commit.size, 1, 0, frame, sizeof(frame));
	frame[8 * 8 - 8] = 9; /* the tag in the change's data word */
	cr_assert_str_eq(answer_frame((size_t)size), "error undefined field 9");
}

Test(gateway_request, malformed)
{
	size_t size = from_hex("00000000 07000000 00000000 01000200 0d000000 01000000 05000000"
			       "0f000000 00000000 00000000 04000000 00000100 01000000 12000000"
			       "61000000 00000000",
			       frame, sizeof(frame));

	cr_assert_str_eq(answer_frame(size), "EPROTO");
	cr_assert_eq(store.n_calls, 0);
}

/* The kernel checks classes only; the gateway of another calf may have been taken over. */
Test(gateway_request, F1_stored_value_of_another_type)
{
	test_store_set(&store, "/mac", "02:00:00:00:77:02");
	cr_assert_str_eq(answer(WIRE_READ, "/mac", ""), "ok 02:00:00:00:77:02");
	test_store_set(&store, "/mac", "999.1.2.3/99 zz");
	cr_assert_str_eq(answer(WIRE_READ, "/mac", ""), "error stored value has the wrong type");
	cr_assert_eq(answer_code, WIRE_CODE_WRONG_TYPE);
	test_store_set(&store, "/a", "longer than 10");
	cr_assert_str_eq(answer(WIRE_READ, "/a", ""), "error stored value has the wrong type");
	test_store_set(&store, "/hex", "abc");
	cr_assert_str_eq(answer(WIRE_READ, "/hex", ""), "error stored value has the wrong type");
	/* its own key can be mended */
	cr_assert_str_eq(answer(WIRE_WRITE, "/hex", "abcd"), "ok ");
	cr_assert_str_eq(answer(WIRE_READ, "/hex", ""), "ok abcd");
	cr_assert_eq(store.n_denials, 0, "the writer is to blame, not the reader");
}
