/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A request is decoded whole before anything is looked at. Then, in this
 * order: the path is known to the calf, the operation is known, the calf may
 * do it, the value fits and is of its type; only then the store is asked,
 * which checks path, right, length and class again. No byte of a request is
 * echoed but the segments of a canonical path.
 */
#include "userspace/priv/gateway_request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/common/wire.h"

/* The value or text of an answer. */
struct answer {
	enum wire_response_tag tag;
	size_t length;
	char text[KV_VALUE_SIZE];
};

__attribute__((format(printf, 2, 3))) static void refuse(struct answer *answer, const char *format,
							 ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(answer->text, WIRE_ERROR_MAX + 1, format, arguments);
	va_end(arguments);
	answer->tag = WIRE_ERROR;
	answer->length = strlen(answer->text);
}

static void refuse_path(struct answer *answer, const char *display)
{
	refuse(answer, "%s is not an allowed path", display);
}

/* The answer for what the store said of the key shown as `display`. */
static void answer_verdict(struct answer *answer, int verdict, const char *display)
{
	switch (-verdict) {
	case 0:
		break;
	case ENOENT:
		refuse(answer, "err-not-found");
		break;
	case EACCES:
		refuse_path(answer, display);
		break;
	case EMSGSIZE:
		refuse(answer, "value too large");
		break;
	case EBADMSG:
		refuse(answer, "wrong type");
		break;
	case EDQUOT:
	case ENOSPC:
		refuse(answer, "quota exceeded");
		break;
	case EBUSY:
	case EAGAIN:
		refuse(answer, "try again");
		break;
	case E2BIG:
		refuse(answer, "too many changes");
		break;
	default:
		log_error("gateway: the store refused /%s: %s", display, strerrorname_np(-verdict));
		refuse(answer, "store failed");
		break;
	}
}

/* The calf's entry for a path, or NULL: it has no right of any kind on it. */
static const struct description_key *known_key(const struct gateway_responder *responder,
					       int path_status, const struct kv_key *path)
{
	const struct description_key *key;

	if (path_status != 0 || path->path[0] == '\0')
		return NULL;
	key = description_find_key(responder->description, path->path);
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

/* An expected revision cannot be checked yet. To change the key without its
 * condition would be wrong: true, refused as a field that is not known. */
static bool refuse_condition(const struct wire_request *request, struct answer *answer)
{
	if (request->revision == 0)
		return false;
	refuse(answer, "undefined field 8");
	return true;
}

static void answer_read(const struct gateway_responder *responder,
			const struct wire_request *request, struct answer *answer)
{
	struct kv_value value;
	int r = responder->store->read(responder->store_data, request->path.path, &value);

	if (r == 0 && value.length <= KV_VALUE_MAX) {
		memcpy(answer->text, value.text, value.length);
		answer->length = value.length;
		return;
	}
	answer_verdict(answer, r == 0 ? -EIO : r, request->display);
}

static void answer_write(const struct gateway_responder *responder,
			 const struct wire_request *request, const struct value_rule *rule,
			 struct answer *answer)
{
	const char *text = request->value.bytes ? (const char *)request->value.bytes : "";
	size_t length = stored_length(rule, &request->value);
	int r = value_check(rule, text, length);

	if (r == 0)
		r = responder->store->write(responder->store_data, request->path.path, text,
					    length);
	answer_verdict(answer, r, request->display);
}

static void answer_delete(const struct gateway_responder *responder,
			  const struct wire_request *request, struct answer *answer)
{
	int r = responder->store->remove(responder->store_data, request->path.path);

	/* Deleting an absent key succeeds. */
	answer_verdict(answer, r == -ENOENT ? 0 : r, request->display);
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
			struct answer *answer)
{
	const struct description_key *key =
		known_key(responder, change->path_status, &change->path);
	const char *display = change_display(change);
	const char *text = change->value.bytes ? (const char *)change->value.bytes : "";
	int r = -EACCES;

	if (!key) {
		refuse_path(answer, display);
		return false;
	}
	switch (change->tag) {
	case WIRE_CHANGE_WRITE:
		if (key->access & KV_ACCESS_WRITE) {
			size_t length = stored_length(&key->rule, &change->value);

			r = value_check(&key->rule, text, length);
			if (r == 0)
				r = gate_commit_write(&responder->commit, change->path.path, text,
						      length);
		}
		break;
	case WIRE_CHANGE_DELETE:
		if (key->access & KV_ACCESS_DELETE)
			r = gate_commit_delete(&responder->commit, change->path.path);
		break;
	default:
		refuse(answer, "undefined field %u", change->tag);
		return false;
	}
	answer_verdict(answer, r, display);
	return r == 0;
}

static int answer_commit(struct gateway_responder *responder, const uint8_t *frame, size_t size,
			 const struct wire_request *request, struct answer *answer)
{
	struct wire_change change;
	uint32_t i_refused = 0;
	int r;

	if (request->path_status != 0 || request->path.path[0] != '\0') {
		refuse_path(answer, request->display);
		return 0;
	}
	if (refuse_condition(request, answer))
		return 0;
	if (request->n_changes > KV_CHANGES_MAX) {
		answer_verdict(answer, -E2BIG, "");
		return 0;
	}
	gate_commit_init(&responder->commit);
	for (uint32_t i = 0; i < request->n_changes; i++) {
		r = wire_request_change(frame, size, request, i, &change);
		if (r < 0)
			return r;
		if (!pack_change(responder, &change, answer))
			return 0;
	}
	if (request->n_changes == 0)
		return 0; /* nothing to do is done */
	r = responder->store->commit(responder->store_data, &responder->commit, &i_refused);
	if (r == 0)
		return 0;
	change = (struct wire_change){ .path_status = WIRE_PATH_REFUSED };
	if (i_refused < request->n_changes)
		wire_request_change(frame, size, request, i_refused, &change);
	answer_verdict(answer, r, change_display(&change));
	return 0;
}

/* Read, write or delete of the request's own path. */
static void answer_key(const struct gateway_responder *responder,
		       const struct wire_request *request, struct answer *answer)
{
	const struct description_key *key =
		known_key(responder, request->path_status, &request->path);

	if (!key) {
		refuse_path(answer, request->display);
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
		if (!refuse_condition(request, answer))
			answer_write(responder, request, &key->rule, answer);
		return;
	case WIRE_DELETE:
		if (!(key->access & KV_ACCESS_DELETE))
			break;
		if (!refuse_condition(request, answer))
			answer_delete(responder, request, answer);
		return;
	default:
		refuse(answer, "undefined field %u", request->tag);
		return;
	}
	refuse_path(answer, request->display);
}

void gateway_responder_init(struct gateway_responder *responder,
			    const struct description *description,
			    const struct gateway_store *store, void *store_data)
{
	responder->description = description;
	responder->store = store;
	responder->store_data = store_data;
	gate_commit_init(&responder->commit);
}

int gateway_answer(struct gateway_responder *responder, const uint8_t *frame, size_t size,
		   uint8_t *response, size_t response_size)
{
	struct answer answer = { .tag = WIRE_OK };
	struct wire_request request;
	int r;

	r = wire_decode_request(frame, size, &request);
	if (r < 0)
		return r;
	if (request.tag == WIRE_COMMIT) {
		r = answer_commit(responder, frame, size, &request, &answer);
		if (r < 0)
			return r;
	} else {
		answer_key(responder, &request, &answer);
	}
	return wire_encode_response(request.id, answer.tag, answer.text, answer.length, 0, response,
				    response_size);
}
