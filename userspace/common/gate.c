/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/gate.h"

#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "userspace/common/path.h"

/* A holder of the lock is done within microseconds, unless it is preempted:
 * then a short sleep, not a spin, lets it continue. */
#define BUSY_YIELDS 100
#define BUSY_SLEEPS 2000
#define BUSY_SLEEP_NS 100000

static int gate_run(int program_fd, struct kv_request *request)
{
	for (int i = 0;; i++) {
		/* Without libbpf, because a gateway must not link it. */
		union bpf_attr attr = { 0 };

		attr.test.prog_fd = (uint32_t)program_fd;
		attr.test.ctx_in = (uintptr_t)request;
		attr.test.ctx_size_in = sizeof(*request);
		if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0)
			return -errno;
		if ((int)attr.test.retval != -EBUSY || i == BUSY_YIELDS + BUSY_SLEEPS)
			return (int)attr.test.retval;
		if (i < BUSY_YIELDS)
			sched_yield();
		else /* ppoll: a call that confined callers are allowed anyway */
			ppoll(NULL, 0, &(const struct timespec){ .tv_nsec = BUSY_SLEEP_NS }, NULL);
	}
}

/* The text is output of the gate: clearing it would take a quarter of our part
 * of the time of a write. */
static void request_init(struct kv_request *request, enum kv_verb verb)
{
	memset(request, 0, offsetof(struct kv_request, text));
	request->verb = verb;
}

static int gate_change(int program_fd, uint32_t verb, const void *changes, uint32_t size,
		       uint32_t n_changes, uint64_t condition, uint64_t *revisionp,
		       uint32_t *i_refusedp)
{
	struct kv_request request;

	request_init(&request, verb);
	request.n_changes = n_changes;
	request.request = (uintptr_t)changes;
	request.size = size;
	request.revision = condition;
	int r = gate_run(program_fd, &request);
	if (r && i_refusedp)
		*i_refusedp = request.i_refused;
	if (!r && revisionp)
		*revisionp = request.revision;
	return r;
}

int gate_commit(int program_fd, const struct commit *commit, uint64_t *revisionp,
		uint32_t *i_refusedp)
{
	return gate_change(program_fd, KV_VERB_COMMIT, commit->bytes, commit->size,
			   commit->n_changes, commit->condition, revisionp, i_refusedp);
}

/* One change on the stack: a struct commit is too large for that. */
static int gate_change_one(int program_fd, uint32_t verb, const char *path, uint16_t operation,
			   const char *text, size_t length, uint64_t condition, uint64_t *revisionp)
{
	struct {
		struct kv_change change;
		char text[KV_VALUE_SIZE];
	} one;
	struct kv_key key;

	if (path_to_key(path, &key))
		return -EILSEQ;
	if (length > KV_VALUE_MAX)
		return -EMSGSIZE;
	one.change = (struct kv_change){ .operation = operation, .length = (uint16_t)length };
	memcpy(one.change.path, key.path, sizeof(one.change.path));
	/* the last word contains the padding, too */
	memset(one.text + (length & ~(size_t)7), 0, 8);
	if (length)
		memcpy(one.text, text, length);
	return gate_change(program_fd, verb, &one, KV_CHANGE_SIZE(length), 1, condition, revisionp,
			   NULL);
}

int gate_write_if(int program_fd, const char *path, const char *text, size_t length,
		  uint64_t condition, uint64_t *revisionp)
{
	return gate_change_one(program_fd, KV_VERB_WRITE, path, KV_CHANGE_WRITE, text, length,
			       condition, revisionp);
}

int gate_delete_if(int program_fd, const char *path, uint64_t condition, uint64_t *revisionp)
{
	return gate_change_one(program_fd, KV_VERB_DELETE, path, KV_CHANGE_DELETE, NULL, 0,
			       condition, revisionp);
}

int gate_read(int program_fd, const char *path, struct kv_value *valuep)
{
	struct {
		struct kv_change change;
		char text[8];
	} one = { 0 };
	struct kv_request request;
	struct kv_key key;

	if (path_to_key(path, &key))
		return -EILSEQ;
	request_init(&request, KV_VERB_READ);
	request.n_changes = 1;
	request.request = (uintptr_t)&one;
	request.size = KV_CHANGE_SIZE(0);
	memcpy(one.change.path, key.path, sizeof(one.change.path));
	int r = gate_run(program_fd, &request);
	if (r)
		return r;
	if (request.length > KV_VALUE_MAX)
		return -EIO;
	*valuep = (struct kv_value){
		.revision = request.revision,
		.boot_ns = request.boot_ns,
		.length = (uint16_t)request.length,
		.flags = KV_CURSOR_FLAGS(request.cursor),
		.subject = KV_CURSOR_SUBJECT(request.cursor),
	};
	memcpy(valuep->text, request.text, request.length);
	if (valuep->flags & KV_VALUE_HIDDEN) {
		valuep->length = KV_SECRET_LENGTH;
		memcpy(valuep->text, KV_SECRET_TEXT, sizeof(KV_SECRET_TEXT));
	}
	return 0;
}

int gate_batch(int program_fd, const struct batch *batch, struct batch_results *results)
{
	struct kv_request request;

	request_init(&request, KV_VERB_BATCH);
	request.n_changes = batch->n_requests;
	request.request = (uintptr_t)batch->bytes;
	request.size = batch->size;
	int r = gate_run(program_fd, &request);
	if (r)
		return r;
	if (request.length > sizeof(results->bytes) || request.cursor > batch->n_requests)
		return -EIO;
	results->n = request.cursor;
	results->length = request.length;
	memcpy(results->bytes, request.text, request.length);
	return 0;
}

int gate_list(int program_fd, const char *directory, struct gate_page *page)
{
	struct {
		struct kv_change change;
		char text[8];
	} one = { 0 };
	struct kv_request request = {
		.verb = KV_VERB_LIST,
		.n_changes = 1,
		.request = (uintptr_t)&one,
		.size = KV_CHANGE_SIZE(0),
		.cursor = page->cursor,
	};
	struct kv_key key = { "/" };

	if (strcmp(directory, "/") != 0 && path_to_key(directory, &key))
		return -EILSEQ;
	memcpy(one.change.path, key.path, sizeof(one.change.path));
	int r = gate_run(program_fd, &request);
	if (r)
		return r;
	if (request.length > sizeof(page->bytes))
		return -EIO;
	page->revision = request.revision;
	page->cursor = request.cursor;
	page->length = request.length;
	memcpy(page->bytes, request.text, request.length);
	return 0;
}

bool gate_page_next(const struct gate_page *page, uint32_t *atp, uint64_t *revisionp,
		    const char **pathp)
{
	uint32_t at = *atp;
	struct kv_entry entry;
	const char *path = page->bytes + at + sizeof(entry);

	if (page->length > sizeof(page->bytes) || at + sizeof(entry) >= page->length ||
	    !memchr(path, '\0', page->length - at - sizeof(entry)))
		return false;
	memcpy(&entry, page->bytes + at, sizeof(entry));
	*revisionp = entry.revision;
	*pathp = path;
	*atp = at + KV_ENTRY_SIZE(strlen(path));
	return true;
}

int gate_watch(int program_fd, enum gate_watch operation, uint64_t *revisionp, uint64_t *n_lostp)
{
	struct kv_request request = { .verb = KV_VERB_WATCH, .length = operation };
	int r = gate_run(program_fd, &request);

	if (r)
		return r;
	if (revisionp)
		*revisionp = request.revision;
	if (n_lostp)
		*n_lostp = request.boot_ns;
	return 0;
}

int gate_restore(int program_fd, uint64_t revision)
{
	struct kv_request request = { .verb = KV_VERB_RESTORE, .revision = revision };

	return gate_run(program_fd, &request);
}

int gate_note_denial(int program_fd, enum kv_verb verb, const char *path, int verdict)
{
	struct {
		struct kv_change change;
		char text[8];
	} one = { 0 };
	struct kv_request request = {
		.verb = KV_VERB_DENIAL,
		.n_changes = 1,
		.request = (uintptr_t)&one,
		.size = KV_CHANGE_SIZE(0),
		.length = (uint32_t)-verdict,
		.cursor = verb,
	};
	struct kv_key key;

	if (path[0] != '\0') {
		if (path_to_key(path, &key))
			return -EILSEQ;
		memcpy(one.change.path, key.path, sizeof(one.change.path));
	}
	return gate_run(program_fd, &request);
}
