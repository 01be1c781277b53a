/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the text of a secret: its writer, the supervisor, and no ring but the writer's. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-gate.h"
#include "userspace/common/path.h"
#include "userspace/common/record.h"
#include "userspace/common/ring.h"

#define WRITER KV_SUBJECT_CALF
#define OTHER (KV_SUBJECT_CALF + 1) /* may read, write and watch all of it by its rules */
#define OWN (ALL_ACCESS | KV_ACCESS_WATCH)

static struct gate_test test;

static const struct test_rule writer_rules[] = {
	{ "/key", OWN | KV_ACCESS_SECRET, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/dir/", OWN | KV_ACCESS_SECRET, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/plain", OWN, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL },
};
static const struct test_rule other_rules[] = { { "/", OWN, KV_CLASS_TEXT, KV_VALUE_MAX },
						{ NULL } };
static const struct test_rule supervisor_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/key", KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_SECRET, KV_CLASS_TEXT,
	  KV_VALUE_MAX },
	{ NULL },
};
static const struct test_rule watcher_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX }, { NULL }
};
static const struct test_rule operator_rules[] = {
	{ "/", KV_ACCESS_READ | KV_ACCESS_WATCH, KV_CLASS_TEXT, KV_VALUE_MAX }, { NULL }
};

static void begin_unsealed(void)
{
	gate_test_begin(&test, 64, 5);
	gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, supervisor_rules, FAST, FAST);
	gate_test_subject(&test, KV_SUBJECT_WATCHER, watcher_rules, FAST, FAST);
	gate_test_subject(&test, KV_SUBJECT_OPERATOR, operator_rules, FAST, FAST);
	gate_test_subject(&test, WRITER, writer_rules, FAST, FAST);
	gate_test_subject(&test, OTHER, other_rules, FAST, FAST);
}

static void begin(void)
{
	begin_unsealed();
	cr_assert_eq(store_seal(&test.store), 0);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(gate_secrets, .init = begin, .fini = end);

static void put(uint32_t subject, const char *path, const char *text)
{
	cr_assert_eq(gate_write(test.fds[subject], path, text, strlen(text), NULL), 0, "%s", path);
}

/* What a subject gets for a read: the text, "(hidden)" or "(refused)". */
static const char *got(uint32_t subject, const char *path)
{
	static struct kv_value value;
	int r = gate_read(test.fds[subject], path, &value);

	if (r == -EACCES)
		return "(refused)";
	cr_assert_eq(r, 0, "%s: %d", path, r);
	cr_expect_eq(value.length, strlen(value.text));
	if (value.flags & KV_VALUE_HIDDEN) {
		cr_expect(value.flags & KV_VALUE_SECRET);
		cr_expect_str_eq(value.text, KV_SECRET_TEXT);
		return "(hidden)";
	}
	return value.text;
}

static void expect_got(const char *path, const char *supervisor, const char *priv,
		       const char *writer, const char *other)
{
	cr_expect_str_eq(got(KV_SUBJECT_SUPERVISOR, path), supervisor, "%s", path);
	cr_expect_str_eq(got(KV_SUBJECT_WATCHER, path), priv, "%s", path);
	cr_expect_str_eq(got(KV_SUBJECT_OPERATOR, path), priv, "%s", path);
	cr_expect_str_eq(got(WRITER, path), writer, "%s", path);
	cr_expect_str_eq(got(OTHER, path), other, "%s", path);
}

/* --- records, as text --- */

static char seen[8192];

static void note(const char *ring, const struct record_change *change)
{
	size_t used = strlen(seen);

	(void)snprintf(seen + used, sizeof(seen) - used, "%s%s%s%s%.12s%s", ring, change->key.path,
		       change->operation == KV_CHANGE_DELETE ? " deleted" : "=",
		       change->is_secret ? "SECRET " : "", change->text, "; ");
}

static int take_commit(void *data, const void *record, size_t size)
{
	struct record_commit commit;
	struct record_change change;

	(void)data;
	cr_expect_null(memmem(record, size, "hunter", 6));
	cr_assert_eq(record_commit_init(&commit, record, size), 0);
	while (record_commit_next(&commit, &change))
		note("", &change);
	return 0;
}

static int take_watched(void *data, const void *record, size_t size)
{
	struct kv_watch_event event;
	struct record_change change;

	cr_assert_eq(record_watch_init(&event, &change, record, size), 0);
	note(data, &change);
	return 0;
}

static int take_denial(void *data, const void *record, size_t size)
{
	struct kv_denial denial;
	size_t used = strlen(seen);

	(void)data;
	cr_assert_eq(record_denial_init(&denial, record, size), 0);
	(void)snprintf(seen + used, sizeof(seen) - used, "%u %u %s %d; ", denial.subject,
		       denial.verb, denial.path, denial.verdict);
	return 0;
}

static const char *records(int ring_fd, ring_record_fn take, char *prefix)
{
	struct ring ring;

	seen[0] = '\0';
	cr_assert_eq(ring_open(&ring, ring_fd), 0);
	cr_assert_eq(ring_consume(&ring, take, prefix), 0);
	ring_close(&ring);
	return seen;
}

static const char *events(void)
{
	return records(test.store.events_fd, take_commit, NULL);
}

static const char *watched(uint32_t subject)
{
	static char none[] = "";

	return records(test.store.ring_fds[subject], take_watched, none);
}

/* All that a ring has ever contained, read or not. */
static bool is_in_ring(int ring_fd, uint32_t ring_size, const char *text)
{
	struct ring ring;
	bool is_there;

	cr_assert_eq(ring_open(&ring, ring_fd), 0);
	is_there = memmem(ring.data, ring_size, text, strlen(text)) != NULL;
	ring_close(&ring);
	return is_there;
}

/* --- reads --- */

Test(gate_secrets, readers)
{
	struct kv_key key = { "/key" };
	struct kv_value value;

	put(WRITER, "/key", "hunter2");
	put(WRITER, "/dir/001", "hunter3");
	put(WRITER, "/plain", "known");
	expect_got("/key", "hunter2", "(hidden)", "hunter2", "(refused)");
	expect_got("/dir/001", "hunter3", "(hidden)", "hunter3", "(refused)");
	cr_expect_str_eq(got(OTHER, "/plain"), "known");
	cr_expect_str_eq(got(KV_SUBJECT_OPERATOR, "/plain"), "known");
	cr_expect_str_eq(records(test.store.denials_fd, take_denial, NULL),
			 "4 1 /key -13; 4 1 /dir/001 -13; ",
			 "the reads of the other calf are recorded");
	/* what the watcher and the operator may know */
	cr_assert_eq(gate_read(test.fds[KV_SUBJECT_WATCHER], "/key", &value), 0);
	cr_expect_eq(value.revision, 1);
	cr_expect_eq(value.subject, WRITER);
	cr_expect_neq(value.boot_ns, 0);
	/* bpftool, by root */
	cr_assert_eq(bpf_map_lookup_elem(test.store.kv_fd, &key, &value), 0);
	cr_expect_str_eq(value.text, "hunter2");
	cr_expect_eq(value.flags, KV_VALUE_SECRET);
	cr_expect_eq(value.length, 7);
}

/* The answer of a subject that may not have the text has no byte of it. */
Test(gate_secrets, answers_are_clear)
{
	unsigned char bytes[KV_CHANGE_SIZE(0)];
	struct kv_request request;
	char path[KV_PATH_SIZE] = "/key", text[600];

	memset(text, 'h', sizeof(text));
	cr_assert_eq(gate_write(test.fds[WRITER], "/key", text, sizeof(text), NULL), 0);
	(void)gate_test_change(bytes, path, 0, NULL, 0);
	cr_assert_eq(gate_test_raw(test.fds[KV_SUBJECT_OPERATOR], KV_VERB_READ, 1, bytes,
				   sizeof(bytes), &request),
		     0);
	cr_expect_eq(request.length, 0);
	cr_expect_null(memchr(request.text, 'h', sizeof(request.text)));
	cr_expect_eq(gate_test_raw(test.fds[OTHER], KV_VERB_READ, 1, bytes, sizeof(bytes),
				   &request),
		     -EACCES);
	cr_expect_null(memchr(request.text, 'h', sizeof(request.text)));
}

Test(gate_secrets, listed_by_path)
{
	static const uint32_t subjects[] = { KV_SUBJECT_OPERATOR, WRITER, OTHER };
	struct gate_page page;
	uint64_t revision = 0;
	const char *path;

	put(WRITER, "/key", "hunter2");
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		uint32_t at = 0;

		page = (struct gate_page){ 0 };
		cr_assert_eq(gate_list(test.fds[subjects[i]], "/", &page), 0);
		cr_assert(gate_page_next(&page, &at, &revision, &path));
		cr_expect_str_eq(path, "/key");
		cr_expect_null(memmem(page.bytes, sizeof(page.bytes), "hunter", 6));
	}
}

Test(gate_secrets, batch)
{
	static const struct {
		uint32_t subject;
		int verdict;
		const char *text;
	} reads[] = {
		{ WRITER, 0, "hunter2" },      { KV_SUBJECT_SUPERVISOR, 0, "hunter2" },
		{ KV_SUBJECT_WATCHER, 0, "" }, { KV_SUBJECT_OPERATOR, 0, "" },
		{ OTHER, -EACCES, "" },
	};
	static struct batch_results results;
	static struct batch batch;
	struct kv_key key = { "/key" }, plain = { "/plain" };
	struct batch_result result;

	batch_init(&batch);
	cr_assert_eq(batch_write(&batch, &plain, "known", 5, KV_REVISION_ANY), 0);
	cr_assert_eq(batch_write(&batch, &key, "hunter2", 7, KV_REVISION_ANY), 0);
	cr_assert_eq(batch_write(&batch, &plain, "known2", 6, KV_REVISION_ANY), 0);
	cr_assert_eq(gate_batch(test.fds[WRITER], &batch, &results), 0);
	cr_expect_eq(results.n, 3);
	cr_expect_str_eq(events(), "/plain=known; /key=SECRET <secret>; /plain=known2; ");
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		uint32_t at = 0;

		batch_init(&batch);
		cr_assert_eq(batch_read(&batch, &key), 0);
		cr_assert_eq(batch_read(&batch, &plain), 0);
		cr_assert_eq(gate_batch(test.fds[reads[i].subject], &batch, &results), 0);
		cr_assert(batch_results_next(&results, &at, &result));
		cr_expect_eq(result.verdict, reads[i].verdict, "subject %u", reads[i].subject);
		cr_expect_eq(result.length, strlen(reads[i].text));
		cr_expect_eq(memcmp(result.text, reads[i].text, result.length), 0);
		cr_assert(batch_results_next(&results, &at, &result));
		cr_expect_eq(result.verdict, 0);
		cr_expect_eq(result.length, 6, "the next result is not affected");
		cr_expect_eq(memcmp(result.text, "known2", 6), 0);
	}
	cr_expect_str_eq(records(test.store.denials_fd, take_denial, NULL), "4 1 /key -13; ");
}

/* --- writes --- */

/* The rules of whoever writes decide, and they are frozen. */
Test(gate_secrets, overwritten)
{
	put(WRITER, "/key", "hunter2");
	put(WRITER, "/key", "hunter4");
	expect_got("/key", "hunter4", "(hidden)", "hunter4", "(refused)");
	put(OTHER, "/key", "shown");
	cr_expect_str_eq(got(KV_SUBJECT_OPERATOR, "/key"), "shown");
	cr_expect_str_eq(got(OTHER, "/key"), "shown");
	put(WRITER, "/key", "hunter5");
	expect_got("/key", "hunter5", "(hidden)", "hunter5", "(refused)");
	cr_assert_eq(gate_delete(test.fds[WRITER], "/key", NULL), 0);
	put(OTHER, "/key", "shown");
	cr_expect_str_eq(got(KV_SUBJECT_WATCHER, "/key"), "shown", "a new key");
}

/* As after a reboot: it is the supervisor's then, but for the one that writes it. */
Test(gate_secrets, restored)
{
	put(KV_SUBJECT_SUPERVISOR, "/key", "hunter2");
	expect_got("/key", "hunter2", "(hidden)", "hunter2", "(refused)");
	put(WRITER, "/key", "hunter3");
	expect_got("/key", "hunter3", "(hidden)", "hunter3", "(refused)");
}

/* No request can say by itself that it writes a secret. */
Test(gate_secrets, operation_of_records)
{
	unsigned char bytes[KV_CHANGE_SIZE(KV_VALUE_MAX)];
	char path[KV_PATH_SIZE] = "/key";
	static const uint32_t verbs[] = { KV_VERB_READ, KV_VERB_WRITE, KV_VERB_DELETE,
					  KV_VERB_COMMIT };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		uint32_t size = gate_test_change(bytes, path, KV_CHANGE_SECRET, "x", 1);

		cr_expect_eq(gate_test_raw(test.fds[WRITER], verbs[i], 1, bytes, size, NULL),
			     -EINVAL);
		size = gate_test_change(bytes, path, KV_CHANGE_SECRET, "", 0);
		cr_expect_eq(gate_test_raw(test.fds[WRITER], verbs[i], 1, bytes, size, NULL),
			     -EINVAL);
	}
	cr_expect_str_eq(events(), "");
}

/* --- commits and their records --- */

static struct commit commit;

static void fill_commit(void)
{
	static char text[KV_VALUE_MAX];

	memset(text, 'h', sizeof(text));
	memcpy(text, "hunter", 6);
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "/plain", "first", 5), 0);
	cr_assert_eq(commit_write(&commit, "/key", "hunter2", 7), 0);
	cr_assert_eq(commit_write(&commit, "/dir/001", "", 0), 0);
	cr_assert_eq(commit_write(&commit, "/dir/002", text, sizeof(text)), 0);
	cr_assert_eq(commit_delete(&commit, "/dir/003"), 0);
	cr_assert_eq(commit_write(&commit, "/plain", "last", 4), 0);
}

Test(gate_secrets, commit)
{
	fill_commit();
	cr_assert_eq(gate_commit(test.fds[WRITER], &commit, NULL, NULL), 0);
	cr_expect_str_eq(events(), "/plain=first; /key=SECRET <secret>; /dir/001=SECRET <secret>; "
				   "/dir/002=SECRET <secret>; /dir/003 deleted; /plain=last; ");
	expect_got("/key", "hunter2", "(hidden)", "hunter2", "(refused)");
	expect_got("/dir/001", "", "(hidden)", "", "(refused)");
	cr_expect_eq(strlen(got(WRITER, "/dir/002")), KV_VALUE_MAX);
	cr_expect_str_eq(got(OTHER, "/plain"), "last");
}

/* The record of a full commit of the shortest secrets is not longer than the commit. */
Test(gate_secrets, largest_commit)
{
	char path[KV_PATH_SIZE];

	commit_init(&commit);
	for (unsigned int i = 0; i < KV_CHANGES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/dir/%03u", i % 32);
		cr_assert_eq(commit_write(&commit, path, "h", 1), 0);
	}
	cr_assert_eq(gate_commit(test.fds[WRITER], &commit, NULL, NULL), 0);
	cr_expect_eq(strlen(events()), KV_CHANGES_MAX * strlen("/dir/000=SECRET <secret>; "));
}

Test(gate_secrets, watched)
{
	static const uint32_t subjects[] = { KV_SUBJECT_OPERATOR, WRITER, OTHER };

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		cr_assert_eq(gate_watch(test.fds[subjects[i]], GATE_WATCH_BEGIN, NULL, NULL), 0);
	fill_commit();
	cr_assert_eq(gate_commit(test.fds[WRITER], &commit, NULL, NULL), 0);
	cr_expect_str_eq(watched(WRITER), "/plain=first; /key=hunter2; /dir/001=; "
					  "/dir/002=hunterhhhhhh; /dir/003 deleted; /plain=last; ");
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (subjects[i] != WRITER)
			cr_expect_str_eq(watched(subjects[i]),
					 "/plain=first; /key=SECRET <secret>; "
					 "/dir/001=SECRET <secret>; /dir/002=SECRET <secret>; "
					 "/dir/003 deleted; /plain=last; ");
	put(WRITER, "/key", "hunter3");
	cr_expect_str_eq(watched(OTHER), "/key=SECRET <secret>; ");
	cr_expect_str_eq(watched(WRITER), "/key=hunter3; ");
	cr_expect_str_eq(watched(KV_SUBJECT_OPERATOR), "/key=SECRET <secret>; ");
	/* a ring has the texts of what its own subject wrote, and no others */
	put(KV_SUBJECT_SUPERVISOR, "/key", "hunter5");
	cr_expect_str_eq(watched(WRITER), "/key=SECRET <secret>; ");
	cr_expect(is_in_ring(test.store.ring_fds[WRITER], KV_WATCH_SIZE, "hunter"));
	cr_expect_not(is_in_ring(test.store.ring_fds[OTHER], KV_WATCH_SIZE, "hunter"));
	cr_expect_not(
		is_in_ring(test.store.ring_fds[KV_SUBJECT_OPERATOR], KV_WATCH_SIZE, "hunter"));
	cr_expect_not(is_in_ring(test.store.events_fd, KV_EVENTS_SIZE, "hunter"));
}

/* What a commit that fails has overwritten is as it was: secret or not. */
Test(gate_secrets, undone)
{
	char path[KV_PATH_SIZE];

	put(WRITER, "/key", "hunter2");
	put(WRITER, "/dir/000", "hunter3");
	put(WRITER, "/plain", "known");
	for (unsigned int i = 0; i < 60; i++) {
		(void)snprintf(path, sizeof(path), "/x/%03u", i);
		put(OTHER, path, "");
	}
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "/key", "hunter4", 7), 0);
	cr_assert_eq(commit_delete(&commit, "/dir/000"), 0);
	cr_assert_eq(commit_write(&commit, "/plain", "new", 3), 0);
	for (unsigned int i = 1; i < 10; i++) {
		(void)snprintf(path, sizeof(path), "/dir/%03u", i);
		cr_assert_eq(commit_write(&commit, path, "", 0), 0);
	}
	cr_assert_eq(gate_commit(test.fds[WRITER], &commit, NULL, NULL), -ENOSPC);
	expect_got("/key", "hunter2", "(hidden)", "hunter2", "(refused)");
	expect_got("/dir/000", "hunter3", "(hidden)", "hunter3", "(refused)");
	cr_expect_str_eq(got(OTHER, "/plain"), "known");
}

/* Of a short secret, the audit log has a longer text, which is paid for. */
Test(gate_secrets, audit_bytes, .init = begin_unsealed)
{
	/* There is no more room for rings. */
	static const struct test_rule rules[] = {
		{ "/key", KV_ACCESS_WRITE | KV_ACCESS_SECRET, KV_CLASS_TEXT, KV_VALUE_MAX },
		{ NULL },
	};

	test.audit_bytes_per_second = 1;
	test.audit_burst = KV_AUDIT_COST(4, KV_SECRET_LENGTH);
	gate_test_subject(&test, OTHER + 1, rules, FAST, FAST);
	test.audit_burst--;
	gate_test_subject(&test, OTHER + 2, rules, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
	cr_expect_eq(gate_write(test.fds[OTHER + 1], "/key", "h", 1, NULL), 0);
	cr_expect_eq(gate_write(test.fds[OTHER + 2], "/key", "h", 1, NULL), -EFBIG);
}
