/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-gate-requests.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bpf/support-frames-grammar.h"
#include "userspace/common/batch.h"
#include "userspace/common/hash.h"

#define PICK(list) (list)[grammar_draw(sizeof(list) / sizeof((list)[0]))]

/* --- well-formed requests --- */

static void draw_path(char path[KV_PATH_SIZE])
{
	/* what a calf may write, what it may not, and what is no path */
	static const char *const mine[] = { "/x/a", "/x/b",    "/x/c", "/x/long",
					    "/x/0", "/number", "/hex", "/x/secret" };
	static const char *const paths[] = { "/mtu",   "/ip",	     "/ntp/001",
					     "/ntp/9", "/lease/a.b", "/x/a/b",
					     "/mac",   "/unknown",   "/status/address",
					     "/link" };
	static const char *const others[] = { "/", "", "x", "/X", "//x", "/x/", "/x/..", "/x\n" };

	memset(path, 0, KV_PATH_SIZE);
	if (grammar_once_in(24)) {
		for (uint32_t i = 0, n = grammar_draw(KV_PATH_SIZE); i <= n; i++)
			path[i] = "/ab0-_."[i ? grammar_draw(7) : 0];
		path[KV_PATH_SIZE - 1] = '\0';
		return;
	}
	(void)snprintf(path, KV_PATH_SIZE, "%s",
		       grammar_once_in(24)   ? PICK(others) :
		       grammar_draw(24) < 14 ? PICK(mine) :
					       PICK(paths));
}

static uint16_t draw_text(const char *path, unsigned char *text)
{
	uint32_t length = grammar_draw(grammar_once_in(16) ? KV_VALUE_MAX + 1 : 24);
	bool is_hex = !strcmp(path, "/hex"), is_number = !strcmp(path, "/number");

	if (is_hex)
		length = length % 16 * 2;
	if (is_number)
		length = 1 + length % 10;
	for (uint32_t i = 0; i < length; i++) {
		if (is_hex)
			text[i] = (unsigned char)"0123456789abcdef"[grammar_draw(16)];
		else if (is_number)
			text[i] = (unsigned char)('0' + grammar_draw(10));
		else if (grammar_once_in(8))
			text[i] = grammar_once_in(2) ? '"' : '\\';
		else
			text[i] = (unsigned char)(0x20 + grammar_draw(0x5f));
	}
	return (uint16_t)length;
}

static void put_change(struct hostile_request *hostile, uint16_t operation)
{
	struct kv_change change = { .operation = operation };
	unsigned char *at = hostile->bytes + hostile->size;

	hostile->at[hostile->n++] = hostile->size;
	memset(at, 0, KV_CHANGE_SIZE(KV_VALUE_MAX));
	draw_path(change.path);
	if (operation == KV_CHANGE_WRITE)
		change.length = draw_text(change.path, at + sizeof(change));
	memcpy(at, &change, sizeof(change));
	hostile->size += KV_CHANGE_SIZE(change.length);
}

static void draw_commit(struct hostile_request *hostile)
{
	uint32_t n = 1 + grammar_draw(grammar_once_in(64) ? KV_CHANGES_MAX : 4);

	while (hostile->n < n && hostile->size + KV_CHANGE_SIZE(KV_VALUE_MAX) <= KV_REQUEST_MAX)
		put_change(hostile, grammar_once_in(3) ? KV_CHANGE_DELETE : KV_CHANGE_WRITE);
}

static uint64_t draw_condition(void)
{
	if (!grammar_once_in(8))
		return KV_REVISION_ANY;
	return grammar_once_in(2) ? KV_REVISION_ABSENT : 1 + grammar_draw(1000);
}

static void draw_batch(struct hostile_request *hostile)
{
	static const uint16_t operations[] = {
		[KV_VERB_READ] = 0, [KV_VERB_WRITE] = KV_CHANGE_WRITE, [KV_VERB_DELETE] = KV_CHANGE_DELETE
	};
	uint32_t n = 1 + grammar_draw(grammar_once_in(16) ? KV_BATCH_MAX : 5);

	while (hostile->n < n &&
	       hostile->size + sizeof(struct kv_batched) + KV_CHANGE_SIZE(KV_VALUE_MAX) <=
		       KV_REQUEST_MAX) {
		struct kv_batched header = { .revision = draw_condition(),
					     .verb = KV_VERB_READ + grammar_draw(3) };

		memcpy(hostile->bytes + hostile->size, &header, sizeof(header));
		hostile->size += (uint32_t)sizeof(header);
		put_change(hostile, operations[header.verb]);
	}
}

static void draw_well_formed(struct hostile_request *hostile)
{
	static const int errnos[] = { EACCES,  EINVAL, E2BIG, EUSERS, EMSGSIZE,
				      EBADMSG, EILSEQ, EPERM, EAGAIN };
	static const uint32_t verbs[] = {
		KV_VERB_COMMIT, KV_VERB_COMMIT, KV_VERB_COMMIT, KV_VERB_WRITE,	 KV_VERB_WRITE,
		KV_VERB_DELETE, KV_VERB_DELETE, KV_VERB_BATCH,	KV_VERB_BATCH,	 KV_VERB_BATCH,
		KV_VERB_READ,	KV_VERB_LIST,	KV_VERB_WATCH,	KV_VERB_RESTORE, KV_VERB_DENIAL,
	};
	struct kv_request *request = &hostile->request;

	hostile->n = 0;
	hostile->size = 0;
	*request = (struct kv_request){ .verb = PICK(verbs), .revision = draw_condition() };
	switch (request->verb) {
	case KV_VERB_COMMIT:
		draw_commit(hostile);
		break;
	case KV_VERB_BATCH:
		draw_batch(hostile);
		break;
	case KV_VERB_WATCH:
		request->length = grammar_draw(4);
		break;
	case KV_VERB_RESTORE:
		break;
	case KV_VERB_WRITE:
	case KV_VERB_DELETE:
		put_change(hostile, (uint16_t)(request->verb - KV_VERB_WRITE + KV_CHANGE_WRITE));
		break;
	default:
		put_change(hostile, 0);
		break;
	}
	if (request->verb == KV_VERB_DENIAL) {
		request->length = (uint32_t)PICK(errnos);
		request->cursor = grammar_draw(KV_VERB_DENIAL + 2);
	}
	request->n_changes = hostile->n;
	request->size = hostile->size;
}

/* --- and what becomes of them --- */

static uint32_t draw_any(uint32_t was)
{
	static const uint32_t numbers[] = { 0,	 1,   2,   7,	     8,	       127,
					    128, 129, 255, 1u << 16, 1u << 31, UINT32_MAX };

	switch (grammar_draw(4)) {
	case 0:
		return was + 1 + grammar_draw(8);
	case 1:
		return was - 1 - grammar_draw(8);
	case 2:
		return was ^ 1u << grammar_draw(32);
	default:
		return PICK(numbers);
	}
}

static void change_field(struct kv_request *request)
{
	switch (grammar_draw(6)) {
	case 0:
		request->verb = grammar_once_in(2) ? grammar_draw(12) : draw_any(request->verb);
		break;
	case 1:
		request->n_changes = draw_any(request->n_changes);
		break;
	case 2:
		request->size += grammar_once_in(2) ? 8 * (1 + grammar_draw(3)) :
						      draw_any(request->size);
		break;
	case 3:
		request->length = draw_any(request->length);
		break;
	case 4:
		request->cursor = draw_any(request->cursor);
		break;
	default:
		if (grammar_once_in(4))
			request->request = grammar_once_in(2) ? 0 : 0xffffffff81000000;
		else
			request->revision = draw_any((uint32_t)request->revision);
		break;
	}
}

/* Behind a value, or behind the last change, where nothing should be. */
static void change_padding(struct hostile_request *hostile)
{
	uint32_t at = hostile->at[grammar_draw(hostile->n)];
	struct kv_change change;
	uint32_t first, n;

	memcpy(&change, hostile->bytes + at, sizeof(change));
	if (change.length > KV_VALUE_MAX)
		return;
	first = at + KV_CHANGE_HEADER + change.length;
	n = at + KV_CHANGE_SIZE(change.length) - first;
	hostile->bytes[first + grammar_draw(n)] = (unsigned char)(1 + grammar_draw(255));
}

static void change_header(struct hostile_request *hostile)
{
	uint32_t at = hostile->at[grammar_draw(hostile->n)];
	struct kv_change change;

	memcpy(&change, hostile->bytes + at, sizeof(change));
	switch (grammar_draw(3)) {
	case 0:
		change.operation = (uint16_t)grammar_draw(5);
		break;
	case 1:
		change.length = (uint16_t)draw_any(change.length);
		break;
	default:
		change.noted = draw_any(change.noted);
		break;
	}
	memcpy(hostile->bytes + at, &change, sizeof(change));
	if (at >= sizeof(struct kv_batched) && grammar_once_in(3))
		hostile->bytes[at - 1 - grammar_draw(sizeof(struct kv_batched))] ^=
			(unsigned char)(1u << grammar_draw(8));
}

static void change_once(struct hostile_request *hostile)
{
	uint32_t kind = grammar_draw(8);

	if (!hostile->n || kind == 0) {
		change_field(&hostile->request);
	} else if (kind <= 2) {
		change_padding(hostile);
	} else if (kind == 3) {
		change_header(hostile);
	} else if (kind == 4) { /* more than it says, or less than it has */
		for (uint32_t i = 0; i < 64; i++)
			hostile->bytes[hostile->size + i] = (unsigned char)grammar_draw(256);
		hostile->request.size = hostile->size + 8 * grammar_draw(9);
	} else if (kind == 5) { /* one part in the place of another */
		uint32_t n = 1 + grammar_draw(64);
		uint32_t to = grammar_draw(hostile->size), from = grammar_draw(hostile->size);

		memmove(hostile->bytes + to, hostile->bytes + from, n);
	} else if (kind == 6) {
		hostile->bytes[grammar_draw(hostile->size)] = (unsigned char)grammar_draw(256);
	} else {
		hostile->bytes[grammar_draw(hostile->size)] ^=
			(unsigned char)(1u << grammar_draw(8));
	}
}

void hostile_request_draw(struct hostile_request *hostile)
{
	draw_well_formed(hostile);
	hostile->request.request = (uintptr_t)hostile->bytes;
	for (uint32_t n = grammar_once_in(3) ? 0 : 1 + grammar_draw(3); n > 0; n--)
		change_once(hostile);
	memset(hostile->request.text, HOSTILE_UNTOUCHED, sizeof(hostile->request.text));
}

int hostile_request_send(int gate_fd, struct hostile_request *hostile)
{
	union bpf_attr attr = { 0 };

	attr.test.prog_fd = (uint32_t)gate_fd;
	attr.test.ctx_in = (uintptr_t)&hostile->request;
	attr.test.ctx_size_in = sizeof(hostile->request);
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0)
		return -errno;
	return (int)attr.test.retval;
}

uint32_t hostile_request_change(const struct hostile_request *hostile, uint32_t i)
{
	uint32_t header = hostile->request.verb == KV_VERB_BATCH ? sizeof(struct kv_batched) : 0;
	uint32_t at = header;
	struct kv_change change;

	for (;; i--) {
		if (at > KV_REQUEST_MAX)
			return UINT32_MAX;
		if (!i)
			return at;
		memcpy(&change, hostile->bytes + at, sizeof(change));
		at += KV_CHANGE_SIZE(change.length) + header;
	}
}

uint64_t hostile_request_seed(const char *text)
{
	return hash_text(HASH_START, text) | 1;
}

void hostile_request_each_commit(const struct hostile_request *hostile,
				 void (*note)(uint64_t revision, uint32_t n_changes))
{
	const struct kv_request *request = &hostile->request;
	static struct batch_results results;
	struct batch_result result;
	struct kv_batched header;
	uint32_t at = 0;

	if (request->verb >= KV_VERB_WRITE && request->verb <= KV_VERB_COMMIT)
		note(request->revision, request->n_changes);
	if (request->verb != KV_VERB_BATCH)
		return;
	results.n = request->cursor;
	results.length = request->length;
	memcpy(results.bytes, request->text, sizeof(results.bytes));
	for (uint32_t i = 0; batch_results_next(&results, &at, &result); i++) {
		memcpy(&header,
		       hostile->bytes + hostile_request_change(hostile, i) - sizeof(header),
		       sizeof(header));
		if (!result.verdict && header.verb != KV_VERB_READ)
			note(result.revision, 1);
	}
}
