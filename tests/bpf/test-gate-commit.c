/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate guarantees of a commit: revision, event, all or nothing. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maps/kv.h"
#include "skel/kv_gate.skel.h"
#include "tests/bpf/support-gate.h"

static struct gate_test test;

static const struct test_rule open_rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
					       { "/read-only", KV_ACCESS_READ, KV_CLASS_TEXT, 8 },
					       { NULL } };

static void begin(void)
{
	gate_test_begin(&test, 64, 2);
	gate_test_subject(&test, 0, open_rules, FAST, FAST);
	gate_test_subject(&test, 1, open_rules, FAST, FAST);
}

static void end(void)
{
	gate_test_end(&test);
}

/* The last event record, and how many there were. */
struct seen {
	uint32_t n;
	struct kv_event event;
	unsigned char changes[KV_REQUEST_MAX];
	struct kv_denial denial;
};

static int take(void *data, void *record, size_t size)
{
	struct seen *seen = data;

	seen->n++;
	if (*(uint32_t *)record == KV_RECORD_DENIAL) {
		cr_assert_eq(size, sizeof(seen->denial));
		memcpy(&seen->denial, record, size);
		return 0;
	}
	memcpy(&seen->event, record, sizeof(seen->event));
	cr_assert_eq(size, sizeof(seen->event) + seen->event.size);
	memcpy(seen->changes, (char *)record + sizeof(seen->event), seen->event.size);
	return 0;
}

static void consume(int ring_fd, struct seen *seen)
{
	struct ring_buffer *ring = ring_buffer__new(ring_fd, take, seen, NULL);

	cr_assert_not_null(ring);
	seen->n = 0;
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
}

static struct seen seen;

Test(gate_commit, revision_and_event, .init = begin, .fini = end)
{
	struct kv_value value;
	uint64_t revision = 0;

	cr_assert_eq(gate_write(test.fds[0], "/ip", "10.0.0.1/24", 11, &revision), 0);
	cr_expect_eq(revision, 1);
	consume(test.store.events_fd, &seen);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.event.revision, 1);
	cr_expect_eq(seen.event.subject, 0);
	cr_expect_eq(seen.event.verb, KV_VERB_WRITE);
	cr_expect_eq(seen.event.n_changes, 1);
	cr_expect_eq(seen.event.uid, getuid());
	cr_expect_eq(seen.event.tgid, (uint32_t)getpid());
	cr_expect_str_eq(((struct kv_change *)seen.changes)->path, "/ip");
	cr_expect_str_eq((char *)seen.changes + KV_CHANGE_HEADER, "10.0.0.1/24");

	cr_assert_eq(gate_write(test.fds[1], "/ip", "10.0.0.1/24", 11, &revision), 0);
	cr_expect_eq(revision, 2, "an equal value is a change");
	cr_assert_eq(gate_read(test.fds[0], "/ip", &value), 0);
	cr_expect_eq(value.revision, 2);
	cr_expect_eq(value.length, 11);
	cr_expect_str_eq(value.text, "10.0.0.1/24");
	cr_assert_eq(gate_delete(test.fds[0], "/ip", &revision), 0);
	cr_expect_eq(revision, 3);
	cr_expect_eq(gate_read(test.fds[0], "/ip", &value), -ENOENT);
	cr_assert_eq(gate_delete(test.fds[0], "/ip", &revision), 0, "of an absent key");
	cr_expect_eq(revision, 4);
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.n, 3);
	cr_expect_eq(gate_test_ctl(&test).n_keys, 0);
}

Test(gate_commit, writer_is_the_program, .init = begin, .fini = end)
{
	struct kv_value value;
	uint32_t key_subject;
	struct kv_key key = { .path = "/x" };

	cr_assert_eq(gate_write(test.fds[1], "/x", "1", 1, NULL), 0);
	cr_assert_eq(bpf_map_lookup_elem(test.store.kv_fd, &key, &value), 0);
	key_subject = value.subject;
	cr_expect_eq(key_subject, 1);
}

Test(gate_commit, all_or_nothing, .init = begin, .fini = end)
{
	static struct commit commit;
	struct kv_value value;
	uint64_t revision;
	uint32_t i_refused = 0;

	cr_assert_eq(gate_write(test.fds[0], "/a", "old", 3, NULL), 0);
	commit_init(&commit);
	commit_write(&commit, "/a", "new", 3);
	commit_write(&commit, "/b", "new", 3);
	commit_write(&commit, "/read-only", "new", 3);
	cr_expect_eq(gate_commit(test.fds[0], &commit, &revision, &i_refused), -EACCES);
	cr_expect_eq(i_refused, 2);
	cr_expect_eq(gate_read(test.fds[0], "/b", &value), -ENOENT);
	cr_assert_eq(gate_read(test.fds[0], "/a", &value), 0);
	cr_expect_str_eq(value.text, "old");
	cr_expect_eq(gate_test_ctl(&test).revision, 1);
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.n, 1, "no event without its change");

	commit_init(&commit);
	commit_write(&commit, "/a", "new", 3);
	commit_write(&commit, "/b", "new", 3);
	commit_delete(&commit, "/a");
	cr_assert_eq(gate_commit(test.fds[0], &commit, &revision, NULL), 0);
	cr_expect_eq(revision, 2, "one revision");
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.n, 1, "one event");
	cr_expect_eq(seen.event.n_changes, 3);
	cr_expect_eq(gate_read(test.fds[0], "/a", &value), -ENOENT, "in order");
	cr_assert_eq(gate_read(test.fds[0], "/b", &value), 0);
	cr_expect_eq(value.revision, 2);
}

Test(gate_commit, largest, .init = begin, .fini = end)
{
	static struct commit commit;
	static char text[KV_VALUE_SIZE];
	char path[KV_PATH_SIZE];

	gate_test_end(&test);
	gate_test_begin(&test, 256, 1);
	gate_test_subject(&test, 0, open_rules, FAST, FAST);
	commit_init(&commit);
	for (int i = 0; i < KV_CHANGES_MAX; i++) {
		snprintf(path, sizeof(path), "/key/%03d", i);
		cr_assert_eq(commit_write(&commit, path, "v", 1), 0);
	}
	cr_expect_eq(commit_write(&commit, "/one/more", "v", 1), -E2BIG);
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), 0);
	cr_expect_eq(gate_test_ctl(&test).n_keys, KV_CHANGES_MAX);

	memset(text, 'x', sizeof(text));
	commit_init(&commit);
	for (int i = 0; i < KV_CHANGES_MAX; i++) {
		snprintf(path, sizeof(path), "/key/%03d", i);
		if (commit_write(&commit, path, text, KV_VALUE_MAX))
			break;
	}
	cr_expect_eq(commit.n_changes, KV_REQUEST_MAX / KV_CHANGE_SIZE(KV_VALUE_MAX));
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), 0);
}

Test(gate_commit, full_store, .init = begin, .fini = end)
{
	static struct commit commit;
	struct kv_value value;
	char path[KV_PATH_SIZE];

	for (int i = 0; i < 63; i++) {
		snprintf(path, sizeof(path), "/key/%03d", i);
		cr_assert_eq(gate_write(test.fds[0], path, "old", 3, NULL), 0);
	}
	commit_init(&commit);
	commit_write(&commit, "/key/000", "new", 3);
	commit_delete(&commit, "/key/001");
	commit_write(&commit, "/new/1", "new", 3);
	commit_write(&commit, "/new/2", "new", 3);
	commit_write(&commit, "/new/3", "new", 3);
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), -ENOSPC);
	cr_expect_eq(gate_test_ctl(&test).n_keys, 63, "refused whole");
	cr_expect_eq(gate_test_ctl(&test).revision, 63);
	cr_assert_eq(gate_read(test.fds[0], "/key/000", &value), 0);
	cr_expect_str_eq(value.text, "old");
	cr_expect_eq(value.revision, 1);
	cr_assert_eq(gate_read(test.fds[0], "/key/001", &value), 0, "a delete is taken back");
	cr_expect_str_eq(value.text, "old");
	cr_expect_eq(gate_read(test.fds[0], "/new/1", &value), -ENOENT);

	cr_expect_eq(gate_write(test.fds[0], "/new/1", "x", 1, NULL), 0, "the last one");
	cr_expect_eq(gate_write(test.fds[0], "/new/2", "x", 1, NULL), -ENOSPC);
	cr_expect_eq(gate_write(test.fds[0], "/new/1", "y", 1, NULL), 0, "replacing needs no room");
	commit_init(&commit);
	commit_write(&commit, "/new/2", "x", 1);
	commit_delete(&commit, "/new/1");
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), 0, "a swap in a full store");
}

/* A map smaller than ctl says: an update fails half-way, and is taken back. */
Test(gate_commit, failing_update)
{
	static struct commit commit;
	struct kv_gate_bpf *gate = kv_gate_bpf__open();
	struct kv_ctl ctl = { .layout_version = KV_LAYOUT_VERSION, .max_keys = 100 };
	struct kv_rule rule = { .access = ALL_ACCESS, .max_length = 100 };
	struct kv_key root = { .path = "/" };
	struct kv_value value;
	uint32_t zero = 0, i_refused = 99;
	int fd;

	cr_assert_not_null(gate);
	gate->rodata->config.rate_burst_ns = 1000000000;
	gate->rodata->config.share = KV_EVENTS_SIZE;
	gate->rodata->config.max_keys = 1000;
	gate->rodata->config.max_bytes = 100000;
	bpf_map__set_max_entries(gate->maps.kv, 4);
	cr_assert_eq(kv_gate_bpf__load(gate), 0);
	fd = bpf_program__fd(gate->progs.kv_gate);
	bpf_map_update_elem(bpf_map__fd(gate->maps.ctl), &zero, &ctl, BPF_ANY);
	bpf_map_update_elem(bpf_map__fd(gate->maps.acl), &root, &rule, BPF_ANY);
	cr_assert_eq(gate_write(fd, "/a", "old", 3, NULL), 0);
	cr_assert_eq(gate_write(fd, "/b", "old", 3, NULL), 0);
	commit_init(&commit);
	commit_write(&commit, "/a", "new", 3);
	commit_delete(&commit, "/b");
	for (int i = 0; i < 6; i++) {
		char path[KV_PATH_SIZE];

		snprintf(path, sizeof(path), "/n/%d", i);
		commit_write(&commit, path, "new", 3);
	}
	cr_expect_eq(gate_commit(fd, &commit, NULL, &i_refused), -E2BIG);
	cr_expect_eq(i_refused, 5, "%u", i_refused);
	cr_assert_eq(gate_read(fd, "/a", &value), 0);
	cr_expect_str_eq(value.text, "old");
	cr_assert_eq(gate_read(fd, "/b", &value), 0);
	cr_expect_str_eq(value.text, "old");
	cr_expect_eq(gate_read(fd, "/n/0", &value), -ENOENT);
	bpf_map_lookup_elem(bpf_map__fd(gate->maps.ctl), &zero, &ctl);
	cr_expect_eq(ctl.n_keys, 2);
	cr_expect_eq(ctl.revision, 2);
	cr_expect_eq(ctl.lock, 0);
	kv_gate_bpf__destroy(gate);
}

/* Nobody reads: the writer is refused at its share, the other writes on. */
Test(gate_commit, ring_full, .init = begin, .fini = end)
{
	static char text[1000];
	struct kv_ctl before, after;
	struct kv_value value;
	int error = 0, n = 0;

	memset(text, 'x', sizeof(text));
	while (!error && ++n < 10000)
		error = gate_write(test.fds[0], "/x", text, (size_t)(100 + n % 900), NULL);
	cr_assert_eq(error, -EAGAIN);
	cr_expect_leq(n, KV_EVENTS_SIZE / 2 / 150);
	before = gate_test_ctl(&test);
	cr_expect_eq(gate_write(test.fds[0], "/y", text, 1000, NULL), -EAGAIN);
	after = gate_test_ctl(&test);
	cr_expect_eq(after.revision, before.revision, "refused: nothing happened");
	cr_expect_eq(gate_read(test.fds[0], "/y", &value), -ENOENT);
	cr_expect_eq(gate_write(test.fds[1], "/y", text, 1000, NULL), 0, "the other's share");
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.n, n, "every change, once");
	cr_expect_eq(gate_write(test.fds[0], "/y", text, 1000, NULL), 0, "read: room again");
}

Test(gate_commit, rate, .init = begin, .fini = end)
{
	struct kv_value value;
	int n = 0;

	gate_test_end(&test);
	gate_test_begin(&test, 64, 2);
	gate_test_subject(&test, 0, open_rules, 1, 9);
	gate_test_subject(&test, 1, open_rules, FAST, FAST);
	while (n < 100 && gate_read(test.fds[0], "/x", &value) == -ENOENT)
		n++;
	cr_expect_eq(n, 10, "%d", n);
	cr_expect_eq(gate_write(test.fds[0], "/x", "1", 1, NULL), -EDQUOT);
	cr_expect_eq(gate_write(test.fds[1], "/x", "1", 1, NULL), 0, "another's rate is untouched");
}

Test(gate_commit, denials, .init = begin, .fini = end)
{
	struct kv_ctl ctl;

	cr_assert_eq(gate_write(test.fds[1], "/read-only", "1", 1, NULL), -EACCES);
	consume(test.store.denials_fd, &seen);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.denial.subject, 1);
	cr_expect_eq(seen.denial.verdict, -EACCES);
	cr_expect_eq(seen.denial.verb, KV_VERB_WRITE);
	cr_expect_eq(seen.denial.sequence, 1);
	cr_expect_str_eq(seen.denial.path, "/read-only");
	for (int i = 0; i < 1000; i++)
		gate_write(test.fds[1], "/read-only", "1", 1, NULL);
	consume(test.store.denials_fd, &seen);
	cr_expect_lt(seen.n, 100, "rate-limited");
	ctl = gate_test_ctl(&test);
	cr_expect_eq(ctl.subject[1].n_refused, 1001);
	cr_expect_eq(ctl.subject[1].n_suppressed + ctl.n_denials, 1001, "none uncounted");
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.n, 0, "refusals take no room of changes");
}

struct writer {
	int fd;
	int n_ok, n_other;
};

static void *write_many(void *data)
{
	struct writer *writer = data;

	for (int i = 0; i < 2000; i++) {
		int error = gate_write(writer->fd, "/x", "value", 5, NULL);

		if (!error)
			writer->n_ok++;
		else if (error != -EAGAIN && error != -EBUSY)
			writer->n_other++;
	}
	return NULL;
}

/* Two subjects at once: every success is one revision and one record. */
Test(gate_commit, concurrent_writers, .init = begin, .fini = end)
{
	struct writer writers[] = { { .fd = test.fds[0] }, { .fd = test.fds[1] } };
	pthread_t threads[2];
	struct kv_ctl ctl;

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, write_many, &writers[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ctl = gate_test_ctl(&test);
	cr_expect_eq(writers[0].n_other + writers[1].n_other, 0);
	cr_expect_eq(ctl.revision, (uint64_t)(writers[0].n_ok + writers[1].n_ok));
	cr_expect_eq(ctl.lock, 0);
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.n, ctl.revision);
	cr_expect_gt(writers[0].n_ok, 0);
	cr_expect_gt(writers[1].n_ok, 0);
}

/* The descriptor is the right: no capability, no uid. */
Test(gate_commit, unprivileged_holder, .init = begin, .fini = end)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(gate_write(test.fds[0], "/x", "1", 1, NULL) ? 1 : 0);
	}
	waitpid(child, &status, 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	consume(test.store.events_fd, &seen);
	cr_expect_eq(seen.event.uid, 65534, "the record names the caller");
	cr_expect_eq(seen.event.tgid, (uint32_t)child);
}
