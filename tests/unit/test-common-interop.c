/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our codec against the reference tool, `capnp`, by the original schema and
 * by ours. Run from the top of the tree; schemas and the committed layout are
 * in tests/interop and userspace/common.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/wire-vectors.h"

#define ORIGINAL "tests/interop/original.capnp"
#define CONTROL "userspace/common/control.capnp"
#define LAYOUT "tests/interop/layout.txt"

static char directory[] = "/tmp/calfpen-interop-XXXXXX";
static uint8_t output[4 << 20];

static void setup(void)
{
	if (system("capnp --version > /dev/null 2>&1") != 0)
		cr_skip_test("capnp is not installed");
	cr_assert_eq(access(CONTROL, R_OK), 0, "run from the top of the tree");
	cr_assert_not_null(mkdtemp(directory));
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	if (strstr(directory, "XXXXXX") == NULL)
		cr_assert_eq(system(command), 0);
}

TestSuite(interop, .init = setup, .fini = teardown, .timeout = 120);

static const char *temporary(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* Run a command on this input: bytes of its output, NUL behind them. */
static size_t run(const char *command, const void *input, size_t size)
{
	char line[512];
	FILE *file = fopen(temporary("input"), "w");
	size_t n;

	cr_assert_eq(fwrite(input, 1, size, file), size);
	fclose(file);
	snprintf(line, sizeof(line), "%s < %s 2>&1", command, temporary("input"));
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
	int r = wire_encode_response(vector->id, vector->tag, vector->value, strlen(vector->value),
				     0, bytes, size);

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
	decode_all(CONTROL, ", revision = 0", ", revision = 0, more = false");
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

Test(interop, layout_has_not_changed)
{
	char *committed;
	size_t n = run("cat " LAYOUT, "", 0);

	committed = strndup((const char *)output, n);
	run("capnp compile -ocapnp " CONTROL " && capnp compile -ocapnp " ORIGINAL, "", 0);
	cr_assert_str_eq((const char *)output, committed);
	free(committed);
}

static uint64_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

/* A vector with a few of its pointer fields, bytes or bits changed. */
static size_t mutate(uint8_t *bytes, size_t size)
{
	static const char *const seeds[] = {
		"00000000 08000000 00000000 02000300 07000000 03000000 00000000 00000000"
		"09000000 0e000000 00000000 00000000 00000000 00000000 01000000 12000000"
		"61000000 00000000",
		"00000000 15000000 00000000 02000200 04000000 05000000 00000000 00000000"
		"00000000 00000000 01000000 37000000 08000000 01000200 00000000 00000000"
		"11000000 16000000 21000000 4a000000 01000000 00000000 21000000 0e000000"
		"00000000 00000000 05000000 5a000000 09000000 22000000 6e616d65 73657276"
		"65720000 00000000 30303100 00000000 31302e30 2e322e33 0a000000 00000000"
		"01000000 12000000 62000000 00000000",
	};
	uint32_t i_seed = next_random(VECTORS_N(request_vectors) + VECTORS_N(seeds));
	size_t n = i_seed < VECTORS_N(request_vectors) ?
			   from_hex(request_vectors[i_seed].hex, bytes, size) :
			   from_hex(seeds[i_seed - VECTORS_N(request_vectors)], bytes, size);

	for (uint32_t i = next_random(4); i < 4; i++) {
		size_t at = 8 + next_random((uint32_t)(n - 8));

		switch (next_random(3)) {
		case 0:
			bytes[at] ^= (uint8_t)(1u << next_random(8));
			break;
		case 1:
			bytes[at] = (uint8_t)next_random(16);
			break;
		default:
			bytes[at] = (uint8_t)(bytes[at] + 4);
			break;
		}
	}
	return n;
}

/* Whatever we accept, the reference accepts with the same meaning. */
Test(interop, reference_accepts_what_we_accept)
{
	enum { TRIES = 20000 };
	static uint8_t stream[TRIES * 256];
	static struct wire_request accepted[TRIES];
	size_t n_stream = 0, n_accepted = 0;
	char *line;

	for (int i = 0; i < TRIES; i++) {
		size_t size = mutate(stream + n_stream, 256);

		if (wire_decode_request(stream + n_stream, size, &accepted[n_accepted]) < 0)
			continue;
		n_accepted++;
		n_stream += size;
	}
	cr_assert_gt(n_accepted, TRIES / 20);
	run("capnp decode --short " CONTROL " Request", stream, n_stream);
	line = strtok((char *)output, "\n");
	for (size_t i = 0; i < n_accepted; i++) {
		const struct wire_request *request = &accepted[i];
		char want[320];
		int n;

		cr_assert_not_null(line, "only %zu of %zu lines", i, n_accepted);
		n = snprintf(want, sizeof(want), "(id = %d", request->id);
		if (request->path.path[0] != '\0') {
			char path[KV_PATH_SIZE], *rest = path, *segment;

			strcpy(path, request->display);
			n += snprintf(want + n, sizeof(want) - (size_t)n, ", path = [");
			while ((segment = strsep(&rest, "/")))
				n += snprintf(want + n, sizeof(want) - (size_t)n, "\"%s\"%s",
					      segment, rest ? ", " : "]");
		}
		cr_assert_eq(strncmp(line, want, strlen(want)), 0, "%s instead of %s", line, want);
		switch (request->tag) {
		case WIRE_WRITE:
			cr_assert(strstr(line, "write = ") || request->value.size == 0, "%s", line);
			break;
		case WIRE_READ:
			cr_assert_not_null(strstr(line, "read = void"), "%s", line);
			break;
		case WIRE_DELETE:
			cr_assert_not_null(strstr(line, "delete = void"), "%s", line);
			break;
		default:
			break;
		}
		line = strtok(NULL, "\n");
	}
	cr_assert_null(line);
}
