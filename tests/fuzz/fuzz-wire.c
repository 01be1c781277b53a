/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the decoder of the control protocol.
 *
 * It checks that only the frame is read, that every view is inside the frame, that a
 * path is canonical or empty, and that an accepted message that is encoded again
 * decodes to the same, as one segment and split into several.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "tests/unit/wire-split.h"
#include "userspace/common/path.h"
#include "userspace/common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t again[WIRE_FRAME_MAX], apart[WIRE_FRAME_MAX];
static struct split split;
static uint8_t packed[KV_REQUEST_MAX];

static void check_view(const struct wire_data *data, const uint8_t *frame, size_t size)
{
	if (!data->bytes) {
		CHECK(data->size == 0);
		return;
	}
	CHECK(data->bytes >= frame && data->bytes <= frame + size);
	CHECK(data->size <= (size_t)(frame + size - data->bytes));
}

static void check_path(int status, const struct kv_key *path)
{
	CHECK(status == 0 || status == WIRE_PATH_REFUSED);
	if (status == WIRE_PATH_REFUSED)
		CHECK(path->path[0] == '\0');
	if (path->path[0] != '\0')
		CHECK(path_key_is_canonical(path));
}

static bool same_data(const struct wire_data *a, const struct wire_data *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* Split the encoded message into segments that depend on the input. */
static size_t split_again(int n, int32_t id)
{
	uint32_t n_segments = 1 + ((uint32_t)id ^ (uint32_t)n) % 9;

	return split_frame(&split, again, (size_t)n, n_segments, (uint32_t)id, apart,
			   sizeof(apart));
}

static void check_key_request(const struct wire_request *request)
{
	struct wire_request second;
	size_t n_apart;
	int n;

	if (request->tag > WIRE_WATCH || request->path_status != 0)
		return;
	n = wire_encode_request(request->id, (enum wire_request_tag)request->tag,
				request->path.path, request->value.bytes, request->value.size,
				request->revision, again, sizeof(again));
	if (n == -EMSGSIZE)
		return; /* shorter structs than ours fill the largest frame */
	CHECK(n > 0);
	CHECK(wire_frame_size(again, (size_t)n) == n);
	CHECK(wire_decode_request(again, (size_t)n, &second) == 0);
	CHECK(second.id == request->id && second.tag == request->tag);
	CHECK(memcmp(&second.path, &request->path, sizeof(second.path)) == 0);
	CHECK(memcmp(second.display, request->display, sizeof(second.display)) == 0);
	CHECK(second.revision == request->revision);
	CHECK(same_data(&second.value, &request->value));

	n_apart = split_again(n, request->id);
	if (n_apart == 0)
		return; /* the pads do not fit into the largest frame */
	CHECK(wire_decode_request(apart, n_apart, &second) == 0);
	CHECK(memcmp(&second.path, &request->path, sizeof(second.path)) == 0);
	check_view(&second.value, apart, n_apart);
	CHECK(same_data(&second.value, &request->value));
}

/* Append a change. Returns false if the gate would refuse it. */
static bool pack(const struct wire_change *change, size_t *at)
{
	struct kv_change head = { .operation = change->tag == WIRE_CHANGE_WRITE ?
						       KV_CHANGE_WRITE :
						       KV_CHANGE_DELETE };

	if (change->tag > WIRE_CHANGE_DELETE || change->path.path[0] == '\0' ||
	    change->value.size > KV_VALUE_MAX ||
	    KV_CHANGE_SIZE(change->value.size) > sizeof(packed) - *at)
		return false;
	memcpy(head.path, change->path.path, sizeof(head.path));
	head.length = (uint16_t)change->value.size;
	memset(packed + *at, 0, KV_CHANGE_SIZE(head.length));
	memcpy(packed + *at, &head, sizeof(head));
	if (head.length > 0)
		memcpy(packed + *at + sizeof(head), change->value.bytes, head.length);
	*at += KV_CHANGE_SIZE(head.length);
	return true;
}

static void check_same_changes(const uint8_t *frame, size_t size,
			       const struct wire_request *request, const uint8_t *second_frame,
			       size_t second_size, const struct wire_request *second)
{
	struct wire_change change, second_change;

	CHECK(second->n_changes == request->n_changes);
	for (uint32_t i = 0; i < request->n_changes; i++) {
		CHECK(wire_request_change(frame, size, request, i, &change) == 0);
		CHECK(wire_request_change(second_frame, second_size, second, i, &second_change) ==
		      0);
		CHECK(memcmp(&change.path, &second_change.path, sizeof(change.path)) == 0);
		CHECK(change.tag == second_change.tag);
		check_view(&second_change.value, second_frame, second_size);
		CHECK(same_data(&change.value, &second_change.value));
	}
}

static void check_commit(const uint8_t *frame, size_t size, const struct wire_request *request)
{
	struct wire_change change;
	struct wire_request second;
	size_t n_apart;
	bool packable = request->n_changes <= KV_CHANGES_MAX;
	size_t at = 0;
	int n;

	for (uint32_t i = 0; i < request->n_changes; i++) {
		CHECK(wire_request_change(frame, size, request, i, &change) == 0);
		check_path(change.path_status, &change.path);
		check_view(&change.value, frame, size);
		packable = packable && pack(&change, &at);
	}
	CHECK(wire_request_change(frame, size, request, request->n_changes, &change) < 0);
	if (!packable)
		return;
	n = wire_encode_commit(request->id, packed, at, request->n_changes, request->revision,
			       again, sizeof(again));
	if (n == -EMSGSIZE)
		return; /* the same */
	CHECK(n > 0);
	CHECK(wire_decode_request(again, (size_t)n, &second) == 0);
	CHECK(second.id == request->id && second.tag == WIRE_COMMIT);
	CHECK(second.revision == request->revision);
	check_same_changes(frame, size, request, again, (size_t)n, &second);
	n_apart = split_again(n, request->id);
	if (n_apart == 0)
		return;
	CHECK(wire_decode_request(apart, n_apart, &second) == 0);
	check_same_changes(frame, size, request, apart, n_apart, &second);
}

static void check_same_response(const uint8_t *frame, size_t size,
				const struct wire_response *response, const uint8_t *second_frame,
				size_t second_size)
{
	struct wire_response second;
	struct wire_entry entry, second_entry;

	CHECK(wire_decode_response(second_frame, second_size, &second) == 0);
	CHECK(second.id == response->id && second.tag == response->tag);
	CHECK(response->tag != WIRE_ERROR || second.code == response->code);
	CHECK(same_data(&second.value, &response->value));
	CHECK(second.n_entries == response->n_entries);
	for (uint32_t i = 0; i < response->n_entries; i++) {
		CHECK(wire_response_entry(frame, size, response, i, &entry) == 0);
		CHECK(wire_response_entry(second_frame, second_size, &second, i, &second_entry) ==
		      0);
		CHECK(memcmp(&entry.path, &second_entry.path, sizeof(entry.path)) == 0);
		CHECK(entry.tag == second_entry.tag && entry.revision == second_entry.revision);
		check_view(&second_entry.value, second_frame, second_size);
		CHECK(same_data(&entry.value, &second_entry.value));
	}
}

/* Encode an accepted response again. Returns its size, or 0 if that is impossible. */
static int encode_response(const uint8_t *frame, size_t size, const struct wire_response *response)
{
	static struct wire_entry entries[WIRE_FRAME_MAX / 32];

	if (response->tag > WIRE_ENTRIES)
		return 0;
	if (response->tag < WIRE_ENTRIES)
		return wire_encode_response(response->id, (enum wire_response_tag)response->tag,
					    (enum wire_code)response->code, response->value.bytes,
					    response->value.size, response->revision, again,
					    sizeof(again));
	CHECK(response->n_entries <= sizeof(entries) / sizeof(entries[0]));
	for (uint32_t i = 0; i < response->n_entries; i++) {
		CHECK(wire_response_entry(frame, size, response, i, &entries[i]) == 0);
		check_path(0, &entries[i].path);
		check_view(&entries[i].value, frame, size);
	}
	return wire_encode_entries(response->id, entries, response->n_entries, response->revision,
				   response->more, again, sizeof(again));
}

static void check_response(const uint8_t *frame, size_t size)
{
	struct wire_response response;
	struct wire_entry entry;
	size_t n_apart;
	int n;

	if (wire_decode_response(frame, size, &response) < 0)
		return;
	check_view(&response.value, frame, size);
	CHECK(wire_response_entry(frame, size, &response, response.n_entries, &entry) < 0);
	n = encode_response(frame, size, &response);
	if (n == 0 || n == -EMSGSIZE)
		return;
	CHECK(n > 0);
	check_same_response(frame, size, &response, again, (size_t)n);
	n_apart = split_again(n, response.id);
	if (n_apart > 0)
		check_same_response(frame, size, &response, apart, n_apart);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int frame_size = wire_frame_size(bytes, size);
	struct wire_request request;

	CHECK(frame_size >= 0 || frame_size == -EMSGSIZE);
	CHECK(frame_size <= WIRE_FRAME_MAX && (frame_size <= 0 || frame_size >= 16));
	/* A stream: bytes after the first frame do not matter. */
	if (frame_size > 0 && (size_t)frame_size < size)
		size = (size_t)frame_size;
	check_response(bytes, size);
	if (wire_decode_request(bytes, size, &request) < 0)
		return 0;
	CHECK((size_t)frame_size == size);
	check_path(request.path_status, &request.path);
	check_view(&request.value, bytes, size);
	if (request.tag == WIRE_COMMIT)
		check_commit(bytes, size, &request);
	else
		check_key_request(&request);
	return 0;
}
