/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a request is decoded completely before anything is checked. Then, in this
 * order: the calf has a right on the path, the operation is known, the calf may do
 * it, the value fits and has the right type. Only then the store is called, which
 * checks path, right, length and class again, and the condition. Of a request, only
 * the segments of a canonical path are echoed. A refusal here is noted in the store,
 * so that it is audited like a refusal by the store.
 */
#include "userspace/priv/gateway/request.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/path.h"
#include "userspace/common/value.h"
#include "userspace/common/wire.h"
#include "userspace/priv/gateway/response.h"

/* Returns the calf's entry for a path, or NULL if it has no right of any kind. */
static const struct key_rule *known_key(const struct gateway_responder *responder, int path_status,
					const struct kv_key *path)
{
	const struct key_rule *key;

	if (path_status != 0 || path->path[0] == '\0')
		return NULL;
	key = key_rule_find(responder->table->keys, responder->table->n_keys, path->path);
	return key && key->access != 0 ? key : NULL;
}

/* By convention a text value ends with one newline, which is not stored. */
static size_t stored_length(const struct value_rule *rule, const struct wire_data *value)
{
	if (rule->type != VALUE_HEX && value->bytes && value->size > 0 &&
	    value->bytes[value->size - 1] == '\n')
		return value->size - 1;
	return value->size;
}

/* Returns the store's verb for a request; 0 if there is none. */
static enum kv_verb verb_of(uint16_t tag)
{
	static const enum kv_verb verbs[] = {
		[WIRE_WRITE] = KV_VERB_WRITE,	[WIRE_READ] = KV_VERB_READ,
		[WIRE_DELETE] = KV_VERB_DELETE, [WIRE_LIST] = KV_VERB_LIST,
		[WIRE_WATCH] = KV_VERB_WATCH,	[WIRE_COMMIT] = KV_VERB_COMMIT,
	};

	return tag < sizeof(verbs) / sizeof(verbs[0]) ? verbs[tag] : 0;
}

/* Refuse in `answer` and note it in the store. A path that is not canonical is "". */
static void refuse(struct gateway_responder *responder, uint16_t tag, const struct kv_key *path,
		   int verdict, const char *display, struct gateway_response *answer)
{
	responder->store->note_denial(responder->store_data, verb_of(tag), path->path, verdict);
	gateway_response_verdict(answer, verdict, display);
}

static void refuse_unknown(struct gateway_responder *responder, uint16_t tag,
			   const struct kv_key *path, uint16_t unknown,
			   struct gateway_response *answer)
{
	responder->store->note_denial(responder->store_data, verb_of(tag), path->path, -EINVAL);
	gateway_response_refuse(answer, WIRE_CODE_UNKNOWN_OPERATION, "undefined field %u", unknown);
}

/* --- read, write, delete --- */

/* Whether a request for a key is allowed, and what a write stores. */
struct admission {
	int verdict; /* 0, or the negative errno of the refusal */
	const struct key_rule *key;
	bool is_unknown; /* refused because the operation is unknown */
	const char *text;
	size_t length;
};

static struct admission admit(const struct gateway_responder *responder,
			      const struct wire_request *request)
{
	const struct key_rule *key = known_key(responder, request->path_status, &request->path);
	struct admission admission = { .verdict = -EACCES, .text = "" };

	if (!key)
		return admission;
	admission.key = key;
	switch (request->tag) {
	case WIRE_READ:
		if (key->access & KV_ACCESS_READ)
			admission.verdict = 0;
		break;
	case WIRE_WRITE:
		if (!(key->access & KV_ACCESS_WRITE))
			break;
		if (request->value.bytes)
			admission.text = (const char *)request->value.bytes;
		admission.length = stored_length(&key->rule, &request->value);
		admission.verdict = value_check(&key->rule, admission.text, admission.length);
		break;
	case WIRE_DELETE:
		if (key->access & KV_ACCESS_DELETE)
			admission.verdict = 0;
		break;
	default:
		admission.verdict = -EINVAL;
		admission.is_unknown = true;
		break;
	}
	return admission;
}

/* --- commit --- */

/* The response to a commit. If the request has a condition, the response has the new
 * revision. */
static void answer_change(const struct wire_request *request, int verdict, uint64_t revision,
			  const char *display, struct gateway_response *answer)
{
	if (request->revision != 0)
		answer->revision = revision;
	gateway_response_verdict(answer, verdict, display);
}

/* As wire_request.display: the part of a change's path that an error may echo. */
static const char *change_display(const struct wire_change *change)
{
	if (change->path_status != 0)
		return "?";
	return change->path.path[0] == '/' ? change->path.path + 1 : "";
}

/* Check one change of a commit and pack it. Returns false if refused in `answer`. */
static bool pack_change(struct gateway_responder *responder, const struct wire_change *change,
			struct gateway_response *answer)
{
	const struct key_rule *key = known_key(responder, change->path_status, &change->path);
	const char *text = change->value.bytes ? (const char *)change->value.bytes : "";
	int r = -EACCES;

	if (key && change->tag == WIRE_CHANGE_WRITE && (key->access & KV_ACCESS_WRITE)) {
		size_t length = stored_length(&key->rule, &change->value);

		r = value_check(&key->rule, text, length);
		if (!r)
			r = commit_write(&responder->commit, change->path.path, text, length);
	} else if (key && change->tag == WIRE_CHANGE_DELETE && (key->access & KV_ACCESS_DELETE)) {
		r = commit_delete(&responder->commit, change->path.path);
	} else if (key && change->tag > WIRE_CHANGE_DELETE) {
		refuse_unknown(responder, WIRE_COMMIT, &change->path, change->tag, answer);
		return false;
	}
	if (r)
		refuse(responder, WIRE_COMMIT, &change->path, r, change_display(change), answer);
	return !r;
}

static int answer_commit(struct gateway_responder *responder, const uint8_t *frame, size_t size,
			 const struct wire_request *request, struct gateway_response *answer)
{
	struct wire_change change = { 0 };
	uint64_t revision = 0;
	uint32_t i_refused = 0;
	int r;

	if (request->path_status != 0 || request->path.path[0] != '\0') {
		refuse(responder, WIRE_COMMIT, &request->path, -EACCES, request->display, answer);
		return 0;
	}
	if (request->n_changes > KV_CHANGES_MAX) {
		refuse(responder, WIRE_COMMIT, &request->path, -E2BIG, "", answer);
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
		return 0; /* an empty commit succeeds */
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

/* --- list, watch --- */

/* Does the calf have a right of any kind on the path or on a key below it? */
static bool is_known_directory(const struct gateway_responder *responder, const char *directory)
{
	const struct key_table *table = responder->table;
	const struct key_rule *key = key_rule_find(table->keys, table->n_keys, directory);

	if (directory[0] == '\0' || (key && key->access != 0))
		return true;
	for (uint32_t i = 0; i < table->n_keys; i++)
		if (table->keys[i].access != 0 && path_is_below(table->keys[i].path, directory))
			return true;
	return false;
}

/* Begin a list or watch of a directory, a key or everything. Returns false if refused
 * in `answer`. */
static bool begin_entries(struct gateway_responder *responder, const struct wire_request *request,
			  struct gateway_response *answer)
{
	int r = -EACCES;

	if (request->path_status == 0 && request->tag == WIRE_WATCH)
		r = gateway_watches_add(&responder->watches, request);
	else if (request->path_status == 0 && is_known_directory(responder, request->path.path))
		r = 0;
	if (r == -EACCES || r == -EUSERS)
		refuse(responder, request->tag, &request->path, r, request->display, answer);
	else
		gateway_response_verdict(answer, r, request->display);
	if (!r && request->tag == WIRE_LIST)
		gateway_list_begin(&responder->list, request);
	return !r;
}

/* --- in order --- */

void gateway_responder_init(struct gateway_responder *responder, const struct key_table *table,
			    const struct gateway_store *store, void *store_data)
{
	responder->table = table;
	responder->store = store;
	responder->store_data = store_data;
	responder->list = (struct gateway_list){ 0 };
	gateway_watches_init(&responder->watches, table, store, store_data);
	gateway_batch_begin(&responder->batch);
	commit_init(&responder->commit);
}

/* Serve a request that is not batched. Returns 1, or a negative errno: malformed. */
static int answer_alone(struct gateway_responder *responder, const uint8_t *frame, size_t size,
			const struct wire_request *request, const struct admission *admission,
			struct gateway_output *output)
{
	struct gateway_response answer = { .tag = WIRE_OK };
	int r;

	switch (request->tag) {
	case WIRE_COMMIT:
		r = answer_commit(responder, frame, size, request, &answer);
		if (r < 0)
			return r;
		break;
	case WIRE_LIST:
	case WIRE_WATCH:
		if (begin_entries(responder, request, &answer))
			return 1;
		break;
	default:
		if (admission->is_unknown)
			refuse_unknown(responder, request->tag, &request->path, request->tag,
				       &answer);
		else
			refuse(responder, request->tag, &request->path, admission->verdict,
			       request->display, &answer);
		break;
	}
	r = gateway_response_encode(&answer, request->id, gateway_output_end(output),
				    gateway_output_room(output));
	if (r < 0)
		return r;
	output->size += (size_t)r;
	return 1;
}

static bool goes_alone(uint16_t tag)
{
	return tag == WIRE_COMMIT || tag == WIRE_LIST || tag == WIRE_WATCH;
}

/* Decode the first request of the bytes. Returns the size of its frame, 0 if it is
 * incomplete, or a negative errno: malformed. */
static int next_request(const uint8_t *bytes, size_t size, struct wire_request *requestp)
{
	int frame_size = wire_frame_size(bytes, size), r;

	if (frame_size <= 0)
		return frame_size;
	if ((size_t)frame_size > size)
		return 0;
	r = wire_decode_request(bytes, (size_t)frame_size, requestp);
	return r < 0 ? r : frame_size;
}

int gateway_answer(struct gateway_responder *responder, const uint8_t *bytes, size_t size,
		   size_t *usedp, struct gateway_output *output)
{
	struct gateway_batch *batch = &responder->batch;
	struct admission admission = { .verdict = -EINVAL };
	struct wire_request request;
	size_t at = 0;
	int r;

	gateway_batch_begin(batch);
	while ((r = next_request(bytes + at, size - at, &request)) > 0 &&
	       !goes_alone(request.tag)) {
		admission = admit(responder, &request);
		if (admission.verdict != 0 ||
		    !gateway_batch_append(batch, &request, &admission.key->rule, admission.text,
					  admission.length, at + (size_t)r, output))
			break;
		at += (size_t)r;
	}
	/* The request that ended the batch is decoded again in the next call. */
	if (at > 0)
		return gateway_batch_run(batch, responder->store, responder->store_data, usedp,
					 output);
	if (r <= 0)
		return r;
	*usedp = (size_t)r;
	return answer_alone(responder, bytes, (size_t)r, &request, &admission, output);
}
