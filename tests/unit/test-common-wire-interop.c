/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our codec against the reference tool, `capnp`, with the original schema and
 * with ours. Run from the top of the tree; schemas and the committed layout are
 * in tests/interop and userspace/common.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "tests/unit/wire-vectors.h"

#define ORIGINAL "tests/interop/original.capnp"
#define CONTROL "userspace/common/control.capnp"
#define LAYOUT "tests/interop/layout.txt"

static uint8_t output[4 << 20];

static void setup(void)
{
	if (system("capnp --version > /dev/null 2>&1") != 0)
		cr_skip_test("capnp is not installed");
	cr_assert_eq(access(CONTROL, R_OK), 0, "run from the top of the tree");
	scratch_make();
}

TestSuite(interop, .init = setup, .fini = scratch_remove);

/* Run a command on this input: bytes of its output, NUL behind them. */
static size_t run(const char *command, const void *input, size_t size)
{
	char line[512];
	FILE *file = fopen(scratch_path("input"), "w");
	size_t n;

	cr_assert_eq(fwrite(input, 1, size, file), size);
	fclose(file);
	snprintf(line, sizeof(line), "%s < %s 2>&1", command, scratch_path("input"));
	file = popen(line, "r");
	n = fread(output, 1, sizeof(output) - 1, file);
	output[n] = '\0';
	cr_assert_eq(pclose(file), 0, "%s: %s", command, (const char *)output);
	return n;
}

static void reference_encodes(const char *schema, const char *type, const char *text,
			      const uint8_t *want, size_t size)
{
	char command[256];
	size_t n;

	snprintf(command, sizeof(command), "capnp encode %s %s", schema, type);
	n = run(command, text, strlen(text));
	cr_assert_eq(n, size, "%s: %zu bytes instead of %zu", text, n, size);
	cr_assert_arr_eq(output, want, size, "%s", text);
}

static void reference_decodes(const char *schema, const char *type, const uint8_t *bytes,
			      size_t size, const char *want)
{
	char command[256];

	snprintf(command, sizeof(command), "capnp decode --short %s %s", schema, type);
	run(command, bytes, size);
	cr_assert_str_eq((const char *)output, want);
}

/* The vectors as the reference writes them as text. */
static const char *const request_texts[] = {
	"(id = 0, path = [\"foo\", \"bar\"], read = void)",
	"(id = 2147483647, path = [], write = \"foo\")",
	"(id = 0, path = [], delete = void)",
	"(id = -3, path = [\"foo\"], delete = void)",
	"(id = 4, path = [\"nameserver\", \"001\"], write = \"10.0.2.3\\n\")",
};

static const char *const response_texts[] = {
	"(id = 0, ok = \"\")",
	"(id = 2147483647, ok = \"foo\")",
	"(id = 0, error = \"\")",
	"(id = -3, error = \"foo\")",
	"(id = 5, error = \"err-not-found\")",
};

static size_t our_request(size_t i, uint8_t *bytes, size_t size)
{
	const struct request_vector *vector = &request_vectors[i];
	int r = wire_encode_request(vector->id, vector->tag, vector->path, vector->value,
				    strlen(vector->value), 0, bytes, size);

	cr_assert_gt(r, 0);
	return (size_t)r;
}

static size_t our_response(size_t i, uint8_t *bytes, size_t size)
{
	const struct response_vector *vector = &response_vectors[i];
	int r = wire_encode_response(vector->id, vector->tag, WIRE_CODE_NONE, vector->value,
				     strlen(vector->value), 0, bytes, size);

	cr_assert_gt(r, 0);
	return (size_t)r;
}

Test(interop, original_encoder_writes_our_bytes)
{
	uint8_t bytes[256];

	for (size_t i = 0; i < VECTORS_N(request_vectors); i++)
		reference_encodes(ORIGINAL, "Request", request_texts[i], bytes,
				  our_request(i, bytes, sizeof(bytes)));
	for (size_t i = 0; i < VECTORS_N(response_vectors); i++)
		reference_encodes(ORIGINAL, "Response", response_texts[i], bytes,
				  our_response(i, bytes, sizeof(bytes)));
}

/* The texts of the vectors, as a decoder prints them: one a line. The schema
 * of today adds the members that old messages do not have, as zero. */
static void decode_all(const char *schema, const char *request_tail, const char *response_tail)
{
	char want[320], line[256];
	uint8_t bytes[256];

	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		snprintf(line, sizeof(line), "%s", request_texts[i]);
		line[strlen(line) - 1] = '\0';
		snprintf(want, sizeof(want), "%s%s)\n", line, request_tail);
		reference_decodes(schema, "Request", bytes, our_request(i, bytes, sizeof(bytes)),
				  want);
	}
	for (size_t i = 0; i < VECTORS_N(response_vectors); i++) {
		snprintf(line, sizeof(line), "%s", response_texts[i]);
		line[strlen(line) - 1] = '\0';
		snprintf(want, sizeof(want), "%s%s)\n", line, response_tail);
		reference_decodes(schema, "Response", bytes, our_response(i, bytes, sizeof(bytes)),
				  want);
	}
}

Test(interop, both_schemas_decode_our_bytes)
{
	decode_all(ORIGINAL, "", "");
	decode_all(CONTROL, ", revision = 0", ", revision = 0, more = false, code = 0");
}

/* The encoder of today makes wider structs: other bytes, the same meaning. */
Test(interop, we_decode_what_todays_encoder_writes)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		size_t n = run("capnp encode " CONTROL " Request", request_texts[i],
			       strlen(request_texts[i]));
		struct wire_request request;

		cr_assert_eq(wire_decode_request(output, n, &request), 0);
		cr_assert_eq(request.id, request_vectors[i].id);
		cr_assert_eq(request.tag, request_vectors[i].tag);
		cr_assert_str_eq(request.path.path, request_vectors[i].path);
		cr_assert(data_is(&request.value, request_vectors[i].value));
	}
	for (size_t i = 0; i < VECTORS_N(response_vectors); i++) {
		size_t n = run("capnp encode " CONTROL " Response", response_texts[i],
			       strlen(response_texts[i]));
		struct wire_response response;

		cr_assert_eq(wire_decode_response(output, n, &response), 0);
		cr_assert_eq(response.id, response_vectors[i].id);
		cr_assert_eq(response.tag, response_vectors[i].tag);
		cr_assert(data_is(&response.value, response_vectors[i].value));
	}
}

static const char commit_text[] = "(id = 4, commit = ["
				  "(path = [\"ip\"], write = \"10.0.2.15/24\"), "
				  "(path = [\"nameserver\", \"001\"], write = \"10.0.2.3\\n\"), "
				  "(path = [\"gateway\"], delete = void), "
				  "(path = [\"lease\", \"state\"], write = \"\")], revision = 0)";

Test(interop, commit_both_ways)
{
	static const struct {
		const char *path, *text;
	} changes[] = {
		{ "/ip", "10.0.2.15/24" },
		{ "/nameserver/001", "10.0.2.3\n" },
		{ "/gateway", NULL },
		{ "/lease/state", "" },
	};
	uint8_t packed[1024] = { 0 }, bytes[1024];
	struct wire_request request;
	struct wire_change change;
	size_t at = 0, n;
	int size;

	for (size_t i = 0; i < VECTORS_N(changes); i++) {
		struct kv_change head = {
			.operation = changes[i].text ? KV_CHANGE_WRITE : KV_CHANGE_DELETE,
			.length = (uint16_t)(changes[i].text ? strlen(changes[i].text) : 0),
		};

		strcpy(head.path, changes[i].path);
		memcpy(packed + at, &head, sizeof(head));
		if (changes[i].text)
			memcpy(packed + at + sizeof(head), changes[i].text, head.length);
		at += KV_CHANGE_SIZE(head.length);
	}
	size = wire_encode_commit(4, packed, at, VECTORS_N(changes), 0, bytes, sizeof(bytes));
	cr_assert_gt(size, 0);
	reference_encodes(CONTROL, "Request", commit_text, bytes, (size_t)size);
	snprintf((char *)packed, sizeof(packed), "%s\n", commit_text);
	reference_decodes(CONTROL, "Request", bytes, (size_t)size, (char *)packed);

	n = run("capnp encode " CONTROL " Request", commit_text, strlen(commit_text));
	cr_assert_eq(wire_decode_request(output, n, &request), 0);
	cr_assert_eq(request.tag, WIRE_COMMIT);
	cr_assert_eq(request.n_changes, VECTORS_N(changes));
	for (uint32_t i = 0; i < request.n_changes; i++) {
		cr_assert_eq(wire_request_change(output, n, &request, i, &change), 0);
		cr_assert_str_eq(change.path.path, changes[i].path);
		cr_assert_eq(change.tag, changes[i].text ? WIRE_CHANGE_WRITE : WIRE_CHANGE_DELETE);
		cr_assert(data_is(&change.value, changes[i].text ? changes[i].text : ""));
	}
}

/* With a revision our bytes are those of today's encoder. */
Test(interop, revisions_both_ways)
{
	static const struct {
		enum wire_request_tag tag;
		const char *path, *value;
		uint64_t revision;
		const char *text;
	} requests[] = {
		{ WIRE_WRITE, "/foo/bar", "x\n", 1,
		  "(id = -7, path = [\"foo\", \"bar\"], write = \"x\\n\", revision = 1)" },
		{ WIRE_WRITE, "/a", "", UINT64_MAX,
		  "(id = -7, path = [\"a\"], write = \"\", revision = 18446744073709551615)" },
		{ WIRE_READ, "", "", 2, "(id = -7, path = [], read = void, revision = 2)" },
		{ WIRE_DELETE, "/a", "", 3,
		  "(id = -7, path = [\"a\"], delete = void, revision = 3)" },
		{ WIRE_LIST, "/a", "", 4, "(id = -7, path = [\"a\"], list = void, revision = 4)" },
		{ WIRE_WATCH, "/a", "", 5,
		  "(id = -7, path = [\"a\"], watch = void, revision = 5)" },
	};
	static const struct {
		enum wire_response_tag tag;
		enum wire_code code;
		const char *value, *text;
	} responses[] = {
		{ WIRE_OK, WIRE_CODE_NONE, "",
		  "(id = 9, ok = \"\", revision = 77, more = false, code = 0)" },
		{ WIRE_OK, WIRE_CODE_NONE, "10.0.2.15",
		  "(id = 9, ok = \"10.0.2.15\", revision = 77, more = false, code = 0)" },
		{ WIRE_ERROR, WIRE_CODE_CONFLICT, "conflict",
		  "(id = 9, error = \"conflict\", revision = 77, more = false, code = 7)" },
		{ WIRE_ERROR, (enum wire_code)255, "x",
		  "(id = 9, error = \"x\", revision = 77, more = false, code = 255)" },
	};
	uint8_t bytes[256];
	char line[256];
	int size;

	for (size_t i = 0; i < VECTORS_N(requests); i++) {
		struct wire_request request;

		size = wire_encode_request(-7, requests[i].tag, requests[i].path, requests[i].value,
					   strlen(requests[i].value), requests[i].revision, bytes,
					   sizeof(bytes));
		cr_assert_gt(size, 0);
		reference_encodes(CONTROL, "Request", requests[i].text, bytes, (size_t)size);
		snprintf(line, sizeof(line), "%s\n", requests[i].text);
		reference_decodes(CONTROL, "Request", bytes, (size_t)size, line);
		cr_assert_eq(wire_decode_request(bytes, (size_t)size, &request), 0);
		cr_assert_eq(request.revision, requests[i].revision);
	}
	for (size_t i = 0; i < VECTORS_N(responses); i++) {
		struct wire_response response;

		size = wire_encode_response(9, responses[i].tag, responses[i].code,
					    responses[i].value, strlen(responses[i].value), 77,
					    bytes, sizeof(bytes));
		cr_assert_gt(size, 0);
		reference_encodes(CONTROL, "Response", responses[i].text, bytes, (size_t)size);
		snprintf(line, sizeof(line), "%s\n", responses[i].text);
		reference_decodes(CONTROL, "Response", bytes, (size_t)size, line);
		cr_assert_eq(wire_decode_response(bytes, (size_t)size, &response), 0);
		cr_assert_eq(response.revision, 77);
		cr_assert_eq(response.code, responses[i].code);
		cr_assert(!response.more);
	}
}

static const char entries_text[] =
	"(id = 3, entries = ["
	"(path = [\"ip\"], revision = 5, value = \"10.0.2.15/24\"), "
	"(path = [\"lease\", \"state\"], revision = 6, value = \"\"), "
	"(path = [\"gateway\"], revision = 18446744073709551615, deleted = void), "
	"(path = [\"mac\"], revision = 8, listed = void), "
	"(revision = 9, synced = void), "
	"(revision = 10, resync = void)], revision = 11, more = true, code = 0)";

Test(interop, entries_both_ways)
{
	static const uint8_t address[] = "10.0.2.15/24";
	static const struct wire_entry entries[] = {
		{ { "/ip" }, 5, WIRE_ENTRY_VALUE, { address, 12 } },
		{ { "/lease/state" }, 6, WIRE_ENTRY_VALUE, { NULL, 0 } },
		{ { "/gateway" }, UINT64_MAX, WIRE_ENTRY_DELETED, { NULL, 0 } },
		{ { "/mac" }, 8, WIRE_ENTRY_LISTED, { NULL, 0 } },
		{ { "" }, 9, WIRE_ENTRY_SYNCED, { NULL, 0 } },
		{ { "" }, 10, WIRE_ENTRY_RESYNC, { NULL, 0 } },
	};
	struct wire_response response;
	char line[1024];
	uint8_t bytes[1024];
	size_t n;
	int size =
		wire_encode_entries(3, entries, VECTORS_N(entries), 11, true, bytes, sizeof(bytes));

	cr_assert_gt(size, 0);
	reference_encodes(CONTROL, "Response", entries_text, bytes, (size_t)size);
	snprintf(line, sizeof(line), "%s\n", entries_text);
	reference_decodes(CONTROL, "Response", bytes, (size_t)size, line);

	n = run("capnp encode " CONTROL " Response", entries_text, strlen(entries_text));
	cr_assert_eq(wire_decode_response(output, n, &response), 0);
	cr_assert_eq(response.id, 3);
	cr_assert_eq(response.tag, WIRE_ENTRIES);
	cr_assert_eq(response.revision, 11);
	cr_assert(response.more);
	cr_assert_eq(response.n_entries, VECTORS_N(entries));
	for (uint32_t i = 0; i < response.n_entries; i++) {
		struct wire_entry entry;

		cr_assert_eq(wire_response_entry(output, n, &response, i, &entry), 0);
		cr_assert_str_eq(entry.path.path, entries[i].path.path);
		cr_assert_eq(entry.revision, entries[i].revision);
		cr_assert_eq(entry.tag, entries[i].tag);
		cr_assert(data_is(&entry.value, i == 0 ? "10.0.2.15/24" : ""));
	}
}

/* An old client sees id and nothing it does not know. */
Test(interop, original_reader_at_new_members)
{
	uint8_t bytes[256];
	int size = wire_encode_request(1, WIRE_LIST, "/a", NULL, 0, 4, bytes, sizeof(bytes));

	cr_assert_gt(size, 0);
	reference_decodes(ORIGINAL, "Request", bytes, (size_t)size, "(id = 1, path = [\"a\"])\n");
	size = wire_encode_response(2, WIRE_OK, WIRE_CODE_NONE, "x", 1, 77, bytes, sizeof(bytes));
	cr_assert_gt(size, 0);
	reference_decodes(ORIGINAL, "Response", bytes, (size_t)size, "(id = 2, ok = \"x\")\n");
}

/*
 * Clients that were built before errors had codes, by the schema of 2017 and
 * by today's without `code`, read an error with a code as they always did.
 */
Test(interop, older_readers_at_codes)
{
	char before[256];
	size_t n_today = run("cat " CONTROL, "", 0), n;

	n = run("grep -v 'code @6' " CONTROL, "", 0);
	cr_assert_lt(n, n_today, "the schema has no code");
	scratch_write("before.capnp", output, n, 0600);
	snprintf(before, sizeof(before), "%s", scratch_path("before.capnp"));
	for (unsigned int code = 0; code <= UINT8_MAX; code += code < _WIRE_CODE_N ? 1 : 61) {
		uint8_t bytes[256];
		int size = wire_encode_response(-3, WIRE_ERROR, (enum wire_code)code, "foo", 3, 0,
						bytes, sizeof(bytes));

		cr_assert_gt(size, 0);
		reference_decodes(ORIGINAL, "Response", bytes, (size_t)size,
				  "(id = -3, error = \"foo\")\n");
		reference_decodes(before, "Response", bytes, (size_t)size,
				  "(id = -3, error = \"foo\", revision = 0, more = false)\n");
	}
}

Test(interop, layout_has_not_changed)
{
	char *committed;
	size_t n = run("cat " LAYOUT, "", 0);

	committed = strndup((const char *)output, n);
	run("capnp compile -ocapnp " CONTROL " && capnp compile -ocapnp " ORIGINAL, "", 0);
	cr_assert_str_eq((const char *)output, committed);
	free(committed);
}
