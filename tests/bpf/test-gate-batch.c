/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that share a call and nothing else; and the records of refusals. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"
#include "userspace/common/path.h"

static struct gate_test test;
static struct batch batch;
static struct batch_results results;

static const struct test_rule rules[] = {
	{ "/x/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/mac", KV_ACCESS_READ, KV_CLASS_TEXT, 17 },
	{ "/number", ALL_ACCESS, KV_CLASS_UINT, 10 },
	{ NULL },
};

static void begin(void)
{
	gate_test_begin(&test, 64, 3);
	gate_test_subject(&test, 0, rules, FAST, FAST);
	gate_test_subject(&test, 1, rules, 1, 10);
	gate_test_subject(&test, 2, rules, FAST, FAST);
	batch_init(&batch);
}

static void end(void)
{
	gate_test_end(&test);
}

static struct kv_key key_of(const char *path)
{
	struct kv_key key = { 0 };

	cr_assert_eq(path_to_key(path, &key), 0);
	return key;
}

static void put(const char *path, const char *text, uint64_t condition)
{
	struct kv_key key = key_of(path);

	cr_assert_eq(batch_write(&batch, &key, text, strlen(text), condition), 0);
}

/* --- the two rings, as text --- */

static char seen[8192];
static uint64_t last_sequence;

static void note(const char *text)
{
	strncat(seen, text, sizeof(seen) - strlen(seen) - 1);
}

static int take(void *data, void *record, size_t size)
{
	const struct kv_event *event = record;
	const struct kv_denial *denial = record;
	const struct kv_change *change = (const struct kv_change *)(event + 1);
	char text[160];

	(void)data;
	if (event->type == KV_RECORD_COMMIT) {
		cr_assert_eq(size, sizeof(*event) + event->size);
		cr_assert_eq(event->n_changes, 1);
		cr_assert_eq(event->size, KV_CHANGE_SIZE(change->length));
		snprintf(text, sizeof(text), "%llu:%u:%u:%s=%s ",
			 (unsigned long long)event->revision, event->subject, event->verb,
			 change->path, (const char *)(change + 1));
	} else {
		cr_assert_eq(size, sizeof(*denial));
		cr_assert_eq(denial->type, KV_RECORD_DENIAL);
		cr_assert_eq(denial->sequence, last_sequence + 1);
		last_sequence = denial->sequence;
		snprintf(text, sizeof(text), "%u:%u:%s:%s:%u ", denial->subject, denial->verb,
			 denial->path, strerrorname_np(-denial->verdict), denial->suppressed);
	}
	note(text);
	return 0;
}

static const char *consume(int ring_fd)
{
	struct ring_buffer *ring = ring_buffer__new(ring_fd, take, NULL, NULL);

	seen[0] = '\0';
	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
	return seen;
}

static const char *events(void)
{
	return consume(test.store.events_fd);
}

static const char *denials(void)
{
	return consume(test.store.denials_fd);
}

/* --- what became of it, as text --- */

static const char *run(int subject)
{
	struct batch_result result;
	uint32_t at = 0, n = 0;
	char text[64];
	int r = gate_batch(test.fds[subject], &batch, &results);

	batch_init(&batch);
	seen[0] = '\0';
	if (r)
		return strerrorname_np(-r);
	while (batch_results_next(&results, &at, &result)) {
		n++;
		if (result.verdict)
			snprintf(text, sizeof(text), "%s ", strerrorname_np(-result.verdict));
		else
			snprintf(text, sizeof(text), "%llu%s%.*s ",
				 (unsigned long long)result.revision, result.length ? "=" : "",
				 (int)result.length, result.text);
		note(text);
	}
	cr_assert_eq(n, results.n);
	cr_assert_eq(at, results.length);
	return seen;
}

TestSuite(gate_batch, .init = begin, .fini = end);

Test(gate_batch, each_has_its_own_verdict_revision_and_event)
{
	put("/x/a", "1", 0);
	put("/mac", "no right", 0);
	put("/x/b", "2", 0);
	batch_read(&batch, &(struct kv_key){ "/x/a" });
	put("/number", "no number", 0);
	put("/number", "7", 0);
	put("/unknown", "x", 0);
	batch_delete(&batch, &(struct kv_key){ "/x/a" }, 0);
	batch_read(&batch, &(struct kv_key){ "/x/a" });
	batch_read(&batch, &(struct kv_key){ "/x/b" });
	batch_delete(&batch, &(struct kv_key){ "/x/none" }, 0);
	cr_assert_str_eq(run(0), "1 EACCES 2 1=1 EBADMSG 3 EACCES 4 ENOENT 2=2 5 ");
	cr_assert_str_eq(events(), "1:0:2:/x/a=1 2:0:2:/x/b=2 3:0:2:/number=7 4:0:3:/x/a= "
				   "5:0:3:/x/none= ");
	cr_assert_str_eq(denials(), "0:2:/mac:EACCES:0 0:2:/number:EBADMSG:0 "
				    "0:2:/unknown:EACCES:0 ");
	cr_assert_eq(gate_test_ctl(&test).revision, 5);
	cr_assert_eq(gate_test_ctl(&test).n_keys, 2);
	cr_assert_eq(gate_test_ctl(&test).subject[0].n_accepted, 5);
	cr_assert_eq(gate_test_ctl(&test).subject[0].n_reads, 3);
	cr_assert_eq(gate_test_ctl(&test).subject[0].n_refused, 3);
	cr_assert_eq(gate_test_ctl(&test).lock, 0);
}

Test(gate_batch, conditions)
{
	put("/x/a", "1", KV_REVISION_ABSENT);
	put("/x/a", "2", KV_REVISION_ABSENT);
	put("/x/a", "3", 1);
	put("/x/a", "4", 1);
	batch_delete(&batch, &(struct kv_key){ "/x/a" }, 1);
	batch_delete(&batch, &(struct kv_key){ "/x/a" }, 2);
	put("/x/a", "5", 2);
	cr_assert_str_eq(run(0), "1 ESTALE 2 ESTALE ESTALE 3 ESTALE ");
	cr_assert_str_eq(denials(), "", "overtaken is not forbidden");
}

Test(gate_batch, as_many_as_there_may_be)
{
	char path[16];

	for (int i = 0; i < KV_BATCH_MAX; i++) {
		snprintf(path, sizeof(path), "/x/%d", i);
		put(path, "v", 0);
	}
	run(0);
	cr_assert_eq(results.n, KV_BATCH_MAX);
	cr_assert_eq(gate_test_ctl(&test).revision, KV_BATCH_MAX);
	cr_assert_eq(gate_test_ctl(&test).n_keys, KV_BATCH_MAX);
}

/* One request of rate each. */
Test(gate_batch, rate_of_each)
{
	for (int i = 0; i < 8; i++)
		put("/x/a", "1", 0);
	cr_assert_str_eq(run(1), "1 2 3 4 5 6 7 8 ");
	for (int i = 0; i < 5; i++)
		put("/x/a", "1", 0);
	cr_assert_str_eq(run(1), "9 10 11 EDQUOT EDQUOT ");
	put("/x/a", "1", 0);
	put("/x/a", "1", 0);
	cr_assert_str_eq(run(1), "EDQUOT");
	cr_assert_str_eq(denials(), "1:2:/x/a:EDQUOT:0 1:2:/x/a:EDQUOT:0 1:8::EDQUOT:0 ");
	cr_assert_eq(gate_test_ctl(&test).subject[1].n_refused, 3);
}

/* Values that have no room left go with the next call, and are charged then. */
Test(gate_batch, reads_that_fill_the_answer)
{
	static char text[KV_VALUE_MAX];

	memset(text, 'v', sizeof(text));
	batch_write(&batch, &(struct kv_key){ "/x/long" }, text, KV_VALUE_MAX, 0);
	batch_write(&batch, &(struct kv_key){ "/x/half" }, text, 500, 0);
	cr_assert_str_eq(run(0), "1 2 ");
	batch_read(&batch, &(struct kv_key){ "/x/long" });
	put("/x/a", "1", 0);
	run(0);
	cr_assert_eq(results.n, 1, "the longest value fills it");
	cr_assert_eq(gate_test_ctl(&test).revision, 2, "who is not served did nothing");
	put("/x/a", "1", 0);
	batch_read(&batch, &(struct kv_key){ "/x/long" });
	run(0);
	cr_assert_eq(results.n, 1);
	batch_read(&batch, &(struct kv_key){ "/x/half" });
	batch_read(&batch, &(struct kv_key){ "/x/half" });
	put("/x/a", "2", 0);
	run(0);
	cr_assert_eq(results.n, 2);
	cr_assert_eq(gate_test_ctl(&test).revision, 3);

	/* subject 1 has 11 requests: ten are read, and one that had no room
	 * was not charged */
	for (int i = 0; i < 8; i++)
		batch_read(&batch, &(struct kv_key){ "/x/long" });
	run(1);
	cr_assert_eq(results.n, 1);
	for (int i = 0; i < 11; i++)
		batch_read(&batch, &(struct kv_key){ "/x/a" });
	run(1);
	cr_assert_eq(results.n, 11);
	cr_assert_str_eq(denials(), "1:1:/x/a:EDQUOT:0 ");
}

Test(gate_batch, quotas_of_each)
{
	test.max_keys = 2;
	gate_test_end(&test);
	gate_test_begin(&test, 64, 1);
	test.max_keys = 2;
	gate_test_subject(&test, 0, rules, FAST, FAST);
	put("/x/a", "1", 0);
	put("/x/b", "1", 0);
	put("/x/c", "1", 0);
	put("/x/a", "2", 0);
	batch_delete(&batch, &(struct kv_key){ "/x/a" }, 0);
	put("/x/c", "1", 0);
	cr_assert_str_eq(run(0), "1 2 EDQUOT 3 4 5 ");
	cr_assert_str_eq(denials(), "0:2:/x/c:EDQUOT:0 ");
	cr_assert_eq(gate_test_ctl(&test).n_keys, 2);
}

/* A full ring refuses each for itself, and nothing happens. */
Test(gate_batch, share_of_each)
{
	static char text[KV_VALUE_MAX];
	bool full = false;

	memset(text, 'v', sizeof(text));
	for (int i = 0; i < 100 && !full; i++) {
		for (int j = 0; j < 16; j++)
			batch_write(&batch, &(struct kv_key){ "/x/long" }, text, KV_VALUE_MAX, 0);
		full = strstr(run(0), "EAGAIN") != NULL;
	}
	cr_assert(full);
	batch_write(&batch, &(struct kv_key){ "/x/long" }, text, KV_VALUE_MAX, 0);
	batch_read(&batch, &(struct kv_key){ "/x/none" });
	cr_assert_str_eq(run(0), "EAGAIN ENOENT ");
	put("/x/a", "1", 0);
	cr_assert_str_neq(run(2), "EAGAIN ", "others have their own share");
}

static int raw(const void *bytes, uint32_t size, uint32_t n, struct kv_request *request)
{
	return gate_test_raw(test.fds[0], KV_VERB_BATCH, n, bytes, size, request);
}

/* What cannot be taken apart is refused whole. */
Test(gate_batch, envelope)
{
	struct kv_batched *second;
	struct kv_request request;
	uint32_t size;

	put("/x/a", "1", 0);
	put("/x/b", "1", 0);
	size = batch.size;
	second = (struct kv_batched *)(batch.bytes + size / 2);
	cr_expect_eq(raw(batch.bytes, size, 1, &request), -EINVAL, "bytes left over");
	cr_expect_eq(request.cursor, 0);
	cr_expect_eq(raw(batch.bytes, size, 3, NULL), -EINVAL, "one too few");
	cr_expect_eq(raw(batch.bytes, size - 8, 2, NULL), -EINVAL, "text behind the end");
	cr_expect_eq(raw(batch.bytes, size, 0, NULL), -EINVAL);
	cr_expect_eq(raw(batch.bytes, size, KV_BATCH_MAX + 1, NULL), -EINVAL);
	cr_expect_eq(raw(NULL, size, 2, NULL), -EFAULT);
	second->verb = KV_VERB_COMMIT;
	cr_expect_eq(raw(batch.bytes, size, 2, NULL), -EINVAL, "a commit in a batch");
	second->verb = KV_VERB_BATCH;
	cr_expect_eq(raw(batch.bytes, size, 2, NULL), -EINVAL, "a batch in a batch");
	second->verb = 0;
	cr_expect_eq(raw(batch.bytes, size, 2, NULL), -EINVAL, "no verb");
	second->verb = KV_VERB_WRITE;
	second->reserved = 1;
	cr_expect_eq(raw(batch.bytes, size, 2, NULL), -EINVAL);
	second->reserved = 0;
	((struct kv_change *)(second + 1))->length = KV_VALUE_MAX + 1;
	cr_expect_eq(raw(batch.bytes, size, 2, NULL), -EMSGSIZE);
	((struct kv_change *)(second + 1))->length = 1;
	cr_expect_eq(gate_test_ctl(&test).revision, 0, "nothing happened");

	/* what is wrong with one of them is its own affair */
	((struct kv_change *)(second + 1))->path[1] = 'X';
	cr_expect_eq(raw(batch.bytes, size, 2, &request), 0);
	cr_expect_eq(request.cursor, 2);
	((struct kv_change *)(second + 1))->path[1] = 'x';
	second->verb = KV_VERB_READ;
	cr_expect_str_eq(run(0), "2 EINVAL ", "a read carries no text");
}

/* --- contention --- */

static int stop;

static void *commit_for_ever(void *data)
{
	static _Thread_local struct commit commit;
	int *n_commits = data;
	char path[16];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		commit_init(&commit);
		for (int i = 0; i < 32; i++) {
			snprintf(path, sizeof(path), "/x/%d", i);
			commit_write(&commit, path, "v", 1);
		}
		if (!gate_commit(test.fds[0], &commit, NULL, NULL))
			__atomic_add_fetch(n_commits, 1, __ATOMIC_RELAXED);
		gate_test_drain(&test);
	}
	return NULL;
}

/* Waiting for a lock that others hold is not charged: of 11 requests that
 * subject 1 may send, 11 are served, however often each must be retried. */
Test(gate_batch, busy_lock_costs_no_rate)
{
	pthread_t threads[2];
	int n_refused = 0, n_commits[2] = { 0 };

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, commit_for_ever, &n_commits[i]);
	for (int i = 0; i < 2; i++)
		while (!__atomic_load_n(&n_commits[i], __ATOMIC_RELAXED))
			usleep(1000);
	for (int i = 0; i < 11; i++)
		n_refused += gate_write(test.fds[1], "/x/mine", "1", 1, NULL) != 0;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(n_refused, 0, "%d refused", n_refused);
}

/* --- what callers refuse themselves --- */

Test(gate_denial, is_recorded_and_changes_nothing, .init = begin, .fini = end)
{
	put("/x/a", "1", 0);
	run(0);
	cr_assert_eq(gate_note_denial(test.fds[0], KV_VERB_WRITE, "/x/a", -EBADMSG), 0);
	cr_assert_eq(gate_note_denial(test.fds[0], KV_VERB_LIST, "/unknown/path", -EACCES), 0);
	cr_assert_eq(gate_note_denial(test.fds[0], 0, "", -EINVAL), 0);
	cr_assert_eq(gate_note_denial(test.fds[0], KV_VERB_READ, "not/canonical", -EINVAL),
		     -EILSEQ);
	cr_assert_str_eq(denials(), "0:2:/x/a:EBADMSG:0 0:5:/unknown/path:EACCES:0 0:0::EINVAL:0 ");
	cr_assert_eq(gate_test_ctl(&test).revision, 1);
	cr_assert_eq(gate_test_ctl(&test).n_keys, 1);
	cr_assert_eq(gate_test_ctl(&test).subject[0].n_refused, 3);
	cr_assert_str_eq(events(), "1:0:2:/x/a=1 ");
}

/* No path that is not canonical gets into a record, no number but an errno. */
Test(gate_denial, says_nothing_hostile, .init = begin, .fini = end)
{
	unsigned char change[KV_CHANGE_SIZE(8)];
	char key[64] = "/x\033[2J";
	uint32_t size = gate_test_change(change, key, 0, NULL, 0);
	struct kv_request request = {
		.verb = KV_VERB_DENIAL,
		.n_changes = 1,
		.request = (uintptr_t)change,
		.size = size,
		.length = EACCES,
		.cursor = KV_VERB_READ,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &request, .ctx_size_in = sizeof(request));

	cr_assert_eq(bpf_prog_test_run_opts(test.fds[0], &opts), 0);
	cr_assert_eq(opts.retval, 0);
	cr_assert_str_eq(denials(), "0:1::EACCES:0 ");
	request.length = 0;
	cr_assert_eq(bpf_prog_test_run_opts(test.fds[0], &opts), 0);
	cr_assert_eq((int)opts.retval, -EINVAL);
	request.length = 1u << 31;
	cr_assert_eq(bpf_prog_test_run_opts(test.fds[0], &opts), 0);
	cr_assert_eq((int)opts.retval, -EINVAL);
	request.length = EACCES;
	size = gate_test_change(change, key, KV_CHANGE_WRITE, "x", 1);
	request.size = size;
	cr_assert_eq(bpf_prog_test_run_opts(test.fds[0], &opts), 0);
	cr_assert_eq((int)opts.retval, -EINVAL, "a change");
	cr_assert_eq(gate_test_ctl(&test).revision, 0);
}

/* As many as of the gate's own refusals, the rest counted. Each is a request: otherwise
 * they could be sent as fast as the CPU can. */
Test(gate_denial, F1_is_bounded, .init = begin, .fini = end)
{
	struct kv_ctl ctl;
	int n_taken = 0;

	for (int i = 0; i < 1000; i++) {
		int r = gate_note_denial(test.fds[1], KV_VERB_READ, "/x/a", -EACCES);

		cr_assert(!r || r == -EDQUOT, "%d", r);
		n_taken += !r;
	}
	cr_expect_geq(n_taken, 11);
	cr_expect_lt(n_taken, 20, "%d in less than 10 s", n_taken);
	cr_expect_eq(gate_write(test.fds[1], "/x/a", "1", 1, NULL), -EDQUOT);
	ctl = gate_test_ctl(&test);
	cr_assert_eq(ctl.subject[1].n_refused, 1001);
	cr_assert_eq(ctl.subject[1].n_suppressed, 1001 - ctl.n_denials);
	cr_assert_geq(ctl.n_denials, 50);
	cr_assert_lt(ctl.n_denials, 200);
}

/* A caller says what it refused with words of a list. */
Test(gate_denial, F1_only_real_verbs_and_errnos, .init = begin, .fini = end)
{
	static const int errnos[] = { E2BIG, EACCES, EBADMSG, EILSEQ, EINVAL, EMSGSIZE, EUSERS };
	uint32_t n_verbs = 0, n_errnos = 0;

	for (uint32_t verb = 0; verb < 100; verb++)
		n_verbs += !gate_note_denial(test.fds[0], (enum kv_verb)verb, "", -EACCES);
	cr_expect_eq(n_verbs, KV_VERB_WATCH + 1, "%u", n_verbs);
	cr_expect_eq(gate_note_denial(test.fds[0], 0x10001, "", -EACCES), -EINVAL);
	for (int error = -1; error < 5000; error++)
		n_errnos += !gate_note_denial(test.fds[0], KV_VERB_READ, "", -error);
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		cr_expect_eq(gate_note_denial(test.fds[0], KV_VERB_READ, "", -errnos[i]), 0);
	cr_expect_eq(n_errnos, sizeof(errnos) / sizeof(errnos[0]), "%u", n_errnos);
}
