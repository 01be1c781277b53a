/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/gateway-store.h"
#include "tests/unit/wire-vectors.h"
#include "userspace/common/log.h"

static struct test_store store;
static struct gateway_responder responder;
static uint8_t frame[WIRE_FRAME_MAX];

static void setup(void)
{
	gateway_responder_init(&responder, &test_description, &test_store_calls, &store);
	log_init("test", open("/dev/null", O_WRONLY), LOG_LEVEL_ERROR);
}

/* The answer to the frame, as "ok TEXT" or "error TEXT". */
static const char *answer_frame(size_t size)
{
	static char text[KV_VALUE_SIZE + 16];
	uint8_t bytes[WIRE_RESPONSE_MAX];
	struct wire_response response;
	int r = gateway_answer(&responder, frame, size, bytes, sizeof(bytes));

	if (r < 0)
		return strerrorname_np(-r);
	cr_assert_eq(wire_frame_size(bytes, (size_t)r), r);
	cr_assert_eq(wire_decode_response(bytes, (size_t)r, &response), 0);
	cr_assert_eq(response.id, -7);
	snprintf(text, sizeof(text), "%s %.*s", response.tag == WIRE_OK ? "ok" : "error",
		 (int)response.value.size, response.value.bytes);
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

/* The same with an expected revision: the root struct is one word longer. */
static const char *answer_revision(unsigned int tag, const char *path)
{
	static const char hex[] = "00000000 07000000 00000000 02000200 f9ffffff 00000000"
				  "09000000 00000000 05000000 0e000000 00000000 00000000"
				  "01000000 12000000 61000000 00000000";
	size_t size = from_hex(hex, frame, sizeof(frame));

	frame[20] = (uint8_t)tag;
	frame[48 + 8] = (uint8_t)path[1];
	return answer_frame(size);
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
		if (tag == WIRE_COMMIT)
			continue;
		cr_assert_str_eq(answer(tag, "/xxxxxx", ""), "error xxxxxx is not an allowed path");
		cr_assert_str_eq(answer(tag, "/a/b", ""), "error a/b is not an allowed path");
		cr_assert_str_eq(answer(tag, "/foo", ""), "error foo is not an allowed path");
		cr_assert_str_eq(answer(tag, "/hidden", ""), "error hidden is not an allowed path");
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
	cr_assert_str_eq(answer(3, "/a", ""), "error undefined field 3");
	cr_assert_str_eq(answer(4, "/mac", ""), "error undefined field 4");
	cr_assert_str_eq(answer(255, "/a", ""), "error undefined field 255");
	cr_assert_str_eq(answer(3, "/xxxxxx", ""), "error xxxxxx is not an allowed path",
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
	cr_assert_str_eq(store.keys[test_store_find(&store, "/ip")].text, "10.0.2.15/24");
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
		const char *text;
	} rows[] = {
		{ -EDQUOT, "error quota exceeded" },
		{ -ENOSPC, "error quota exceeded" },
		{ -EBUSY, "error try again" },
		{ -EAGAIN, "error try again" },
		{ -EMSGSIZE, "error value too large" },
		{ -EBADMSG, "error wrong type" },
		{ -E2BIG, "error too many changes" },
		{ -EACCES, "error a is not an allowed path" },
		{ -EFAULT, "error store failed" },
	};

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		store.verdict = rows[i].verdict;
		cr_assert_str_eq(answer(WIRE_WRITE, "/a", "x"), rows[i].text);
		cr_assert_str_eq(answer(WIRE_READ, "/a", ""), rows[i].text);
		cr_assert_str_eq(answer(WIRE_DELETE, "/a", ""), rows[i].text);
	}
	store.verdict = -ENOENT;
	cr_assert_str_eq(answer(WIRE_DELETE, "/a", ""), "ok ");
}

Test(gateway_request, expected_revision_is_not_ignored)
{
	cr_assert_str_eq(answer_revision(WIRE_WRITE, "/a"), "error undefined field 8");
	cr_assert_str_eq(answer_revision(WIRE_DELETE, "/a"), "error undefined field 8");
	cr_assert_str_eq(answer_revision(WIRE_READ, "/a"), "error err-not-found");
	cr_assert_eq(store.n_calls, 1);
}

static const char *answer_commit(const struct gate_commit *commit)
{
	int size = wire_encode_commit(-7, commit->bytes, commit->size, commit->n_changes, 0, frame,
				      sizeof(frame));

	cr_assert_gt(size, 0);
	return answer_frame((size_t)size);
}

Test(gateway_request, commit)
{
	static struct gate_commit commit;

	gate_commit_init(&commit);
	cr_assert_str_eq(answer_commit(&commit), "ok ", "nothing to do is done");
	cr_assert_eq(store.n_calls, 0);

	gate_commit_write(&commit, "/ip", "10.0.2.15/24\n", 13);
	gate_commit_write(&commit, "/nameserver/001", "10.0.2.3", 8);
	gate_commit_delete(&commit, "/a");
	cr_assert_str_eq(answer_commit(&commit), "ok ");
	cr_assert_eq(store.n_keys, 2);
	cr_assert_str_eq(store.keys[test_store_find(&store, "/ip")].text, "10.0.2.15/24");

	store.verdict = -EACCES;
	store.i_refused = 1;
	cr_assert_str_eq(answer_commit(&commit), "error nameserver/001 is not an allowed path");
	store.i_refused = 99;
	cr_assert_str_eq(answer_commit(&commit), "error ? is not an allowed path");
	store.verdict = -ENOSPC;
	cr_assert_str_eq(answer_commit(&commit), "error quota exceeded");
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
	static struct gate_commit commit;

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		gate_commit_init(&commit);
		gate_commit_write(&commit, "/a", "x", 1);
		if (rows[i].text)
			gate_commit_write(&commit, rows[i].path, rows[i].text,
					  strlen(rows[i].text));
		else
			gate_commit_delete(&commit, rows[i].path);
		gate_commit_write(&commit, "/b/c", "x", 1);
		cr_assert_str_eq(answer_commit(&commit), rows[i].answer, "row %zu", i);
	}
	cr_assert_eq(store.n_calls, 0);
}

Test(gateway_request, too_many_changes)
{
	static struct gate_commit commit;
	uint64_t word;

	gate_commit_init(&commit);
	for (int i = 0; i < KV_CHANGES_MAX; i++)
		cr_assert_eq(gate_commit_delete(&commit, "/a"), 0);
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
	cr_assert_eq(store.n_calls, 1 + KV_CHANGES_MAX);
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
	static struct gate_commit commit;
	int size;

	size = wire_encode_request(-7, WIRE_DELETE, "/a", NULL, 0, 0, frame, sizeof(frame));
	frame[20] = WIRE_COMMIT;
	cr_assert_str_eq(answer_frame((size_t)size), "error a is not an allowed path");
	size = wire_encode_request(-7, WIRE_DELETE, "", NULL, 0, 0, frame, sizeof(frame));
	frame[20] = WIRE_COMMIT;
	cr_assert_str_eq(answer_frame((size_t)size), "ok ", "a null list is an empty one");

	gate_commit_init(&commit);
	gate_commit_delete(&commit, "/a");
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
