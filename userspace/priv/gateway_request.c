/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A request is decoded whole before anything is looked at. Then, in this
 * order: the path is known to the calf, the operation is known, the calf may
 * do it, the value fits and is of its type; only then the store is asked,
 * which checks path, right, length and class again, and the condition. No byte
 * of a request is echoed but the segments of a canonical path.
 */
#include "userspace/priv/gateway_request.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/common/wire.h"
#include "userspace/priv/gateway_response.h"

/* The calf's entry for a path, or NULL: it has no right of any kind on it. */
static const struct description_key *known_key(const struct gateway_responder *responder,
					       int path_status, const struct kv_key *path)
{
	const struct description_key *key;

	if (path_status != 0 || path->path[0] == '\0')
		return NULL;
	key = key_table_find(responder->table->keys, responder->table->n_keys, path->path);
	return key && key->access != 0 ? key : NULL;
}

/* By custom a text value ends in one newline, which is not stored. */
static size_t stored_length(const struct value_rule *rule, const struct wire_data *value)
{
	if (rule->type != VALUE_HEX && value->bytes && value->size > 0 &&
	    value->bytes[value->size - 1] == '\n')
		return value->size - 1;
	return value->size;
}

/* The answer to a change, whose request may have carried a condition: then it
 * carries the new revision. */
static void answer_change(const struct wire_request *request, int verdict, uint64_t revision,
			  const char *display, struct gateway_response *answer)
{
	if (request->revision != 0)
		answer->revision = revision;
	gateway_response_verdict(answer, verdict, display);
}

/* A request with a revision, whichever, is told the value's. */
static void answer_read(const struct gateway_responder *responder,
			const struct wire_request *request, struct gateway_response *answer)
{
	struct kv_value value;
	int r = responder->store->read(responder->store_data, request->path.path, &value);

	if (r == 0 && value.length <= KV_VALUE_MAX) {
		memcpy(answer->text, value.text, value.length);
		answer->length = value.length;
		answer->revision = request->revision != 0 ? value.revision : 0;
		return;
	}
	gateway_response_verdict(answer, r == 0 ? -EIO : r, request->display);
}

static void answer_write(const struct gateway_responder *responder,
			 const struct wire_request *request, const struct value_rule *rule,
			 struct gateway_response *answer)
{
	const char *text = request->value.bytes ? (const char *)request->value.bytes : "";
	size_t length = stored_length(rule, &request->value);
	uint64_t revision = 0;
	int r = value_check(rule, text, length);

	if (r == 0)
		r = responder->store->write(responder->store_data, request->path.path, text, length,
					    request->revision, &revision);
	answer_change(request, r, revision, request->display, answer);
}

static void answer_delete(const struct gateway_responder *responder,
			  const struct wire_request *request, struct gateway_response *answer)
{
	uint64_t revision = 0;
	int r = responder->store->remove(responder->store_data, request->path.path,
					 request->revision, &revision);

	/* Deleting an absent key succeeds. */
	answer_change(request, r == -ENOENT ? 0 : r, revision, request->display, answer);
}

/* As wire_request.display: what an error text may echo of a change's path. */
static const char *change_display(const struct wire_change *change)
{
	if (change->path_status != 0)
		return "?";
	return change->path.path[0] == '/' ? change->path.path + 1 : "";
}

/* Check one change of a commit and pack it. False: refused in `answer`. */
static bool pack_change(struct gateway_responder *responder, const struct wire_change *change,
			struct gateway_response *answer)
{
	const struct description_key *key =
		known_key(responder, change->path_status, &change->path);
	const char *display = change_display(change);
	const char *text = change->value.bytes ? (const char *)change->value.bytes : "";
	int r = -EACCES;

	if (!key) {
		gateway_response_refuse_path(answer, display);
		return false;
	}
	switch (change->tag) {
	case WIRE_CHANGE_WRITE:
		if (key->access & KV_ACCESS_WRITE) {
			size_t length = stored_length(&key->rule, &change->value);

			r = value_check(&key->rule, text, length);
			if (r == 0)
				r = commit_write(&responder->commit, change->path.path, text,
						 length);
		}
		break;
	case WIRE_CHANGE_DELETE:
		if (key->access & KV_ACCESS_DELETE)
			r = commit_delete(&responder->commit, change->path.path);
		break;
	default:
		gateway_response_refuse(answer, "undefined field %u", change->tag);
		return false;
	}
	gateway_response_verdict(answer, r, display);
	return r == 0;
}

static int answer_commit(struct gateway_responder *responder, const uint8_t *frame, size_t size,
			 const struct wire_request *request, struct gateway_response *answer)
{
	struct wire_change change = { 0 };
	uint64_t revision = 0;
	uint32_t i_refused = 0;
	int r;

	if (request->path_status != 0 || request->path.path[0] != '\0') {
		gateway_response_refuse_path(answer, request->display);
		return 0;
	}
	if (request->n_changes > KV_CHANGES_MAX) {
		gateway_response_verdict(answer, -E2BIG, "");
		return 0;
	}
	commit_init(&responder->commit);
	responder->commit.condition = request->revision;
	for (uint32_t i = 0; i < request->n_changes; i++) {
		r = wire_request_change(frame, size, request, i, &change);
		if (r < 0)
			return r;
		if (!pack_change(responder, &change, answer))
			return 0;
	}
	if (request->n_changes == 0)
		return 0; /* nothing to do is done */
	r = responder->store->commit(responder->store_data, &responder->commit, &revision,
				     &i_refused);
	if (r < 0) {
		change = (struct wire_change){ .path_status = WIRE_PATH_REFUSED };
		if (i_refused < request->n_changes)
			wire_request_change(frame, size, request, i_refused, &change);
	}
	answer_change(request, r, revision, change_display(&change), answer);
	return 0;
}

/* Read, write or delete of the request's own path. */
static void answer_key(const struct gateway_responder *responder,
		       const struct wire_request *request, struct gateway_response *answer)
{
	const struct description_key *key =
		known_key(responder, request->path_status, &request->path);

	if (!key) {
		gateway_response_refuse_path(answer, request->display);
		return;
	}
	switch (request->tag) {
	case WIRE_READ:
		if (!(key->access & KV_ACCESS_READ))
			break;
		answer_read(responder, request, answer);
		return;
	case WIRE_WRITE:
		if (!(key->access & KV_ACCESS_WRITE))
			break;
		answer_write(responder, request, &key->rule, answer);
		return;
	case WIRE_DELETE:
		if (!(key->access & KV_ACCESS_DELETE))
			break;
		answer_delete(responder, request, answer);
		return;
	default:
		gateway_response_refuse(answer, "undefined field %u", request->tag);
		return;
	}
	gateway_response_refuse_path(answer, request->display);
}

/* List or watch of a directory, a key or everything. True if it has begun,
 * else `answer` says why not. */
static bool begin_entries(struct gateway_responder *responder, const struct wire_request *request,
			  struct gateway_response *answer)
{
	int r;

	if (request->path_status != 0) {
		gateway_response_refuse_path(answer, request->display);
		return false;
	}
	if (request->tag == WIRE_LIST) {
		gateway_list_begin(&responder->list, request);
		return true;
	}
	r = gateway_watches_add(&responder->watches, request);
	gateway_response_verdict(answer, r, request->display);
	return r == 0;
}

void gateway_responder_init(struct gateway_responder *responder, const struct key_table *table,
			    const struct gateway_store *store, void *store_data)
{
	responder->table = table;
	responder->store = store;
	responder->store_data = store_data;
	responder->list = (struct gateway_list){ 0 };
	gateway_watches_init(&responder->watches, table, store, store_data);
	commit_init(&responder->commit);
}

int gateway_answer(struct gateway_responder *responder, const uint8_t *frame, size_t size,
		   uint8_t *response, size_t response_size)
{
	struct gateway_response answer = { .tag = WIRE_OK };
	struct wire_request request;
	int r;

	r = wire_decode_request(frame, size, &request);
	if (r < 0)
		return r;
	switch (request.tag) {
	case WIRE_COMMIT:
		r = answer_commit(responder, frame, size, &request, &answer);
		if (r < 0)
			return r;
		break;
	case WIRE_LIST:
	case WIRE_WATCH:
		if (begin_entries(responder, &request, &answer))
			return 0;
		break;
	default:
		answer_key(responder, &request, &answer);
		break;
	}
	return gateway_response_encode(&answer, request.id, response, response_size);
}
