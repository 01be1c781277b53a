/* SPDX-License-Identifier: Apache-2.0 */
/* Values that were written before their keys became secrets. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/bpf/support-pins.h"
#include "tests/unit/capture.h"
#include "userspace/common/record.h"
#include "userspace/common/ring.h"
#include "userspace/priv/supervisor/hide_secrets.h"

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 }, { NULL } };
static const struct test_rule secret_rules[] = {
	{ "/", ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, 100 }, { NULL }
};

static struct gate_test test;
static uint32_t keeper, observer;
static struct description descriptions[2] = {
	{ .name = "keeper",
	  .keys = { { .path = "/psk", .access = KV_ACCESS_WRITE, .secret = true },
		    { .path = "/eap/", .access = KV_ACCESS_WRITE, .secret = true },
		    { .path = "/eap/user", .access = KV_ACCESS_WRITE } },
	  .n_keys = 3 },
	{ .name = "observer",
	  .keys = { { .path = "/seen", .access = KV_ACCESS_WRITE } },
	  .n_keys = 1 },
};

static void put(uint32_t subject, const char *path, const char *text)
{
	cr_assert_eq(gate_write(test.fds[subject], path, text, strlen(text), NULL), 0, "%s", path);
}

/* A run with an older description, and the start after it. */
static void begin(void)
{
	capture_begin();
	gate_test_begin(&test, 64, 5);
	keeper = gate_test_number(&test, "keeper");
	observer = gate_test_number(&test, "observer");
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, rules, FAST, FAST);
	(void)gate_test_subject(&test, keeper, rules, FAST, FAST);
	(void)gate_test_subject(&test, observer, secret_rules, FAST, FAST);
	put(keeper, "/psk", "hunter2");
	put(KV_SUBJECT_SUPERVISOR, "/eap/001", "hunter3");
	put(keeper, "/eap/user", "alice");
	put(observer, "/seen", "was a secret");
	gate_test_drain(&test);
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, 64, 5), 0);
	cr_assert(test.store.adopted);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(supervisor_hide_secrets, .init = begin, .fini = end);

static uint64_t hide(void)
{
	const uint32_t numbers[] = { keeper, observer };
	const struct adopted_calves calves = { descriptions, numbers, 2 };
	uint64_t writers = hide_secrets_find(&test.store, &calves);

	hide_secrets(&test.store, &calves, writers);
	return writers;
}

static void expect(const char *path, const char *text, uint32_t subject, uint16_t flags)
{
	struct kv_key key = { "" };
	struct kv_value value;

	memcpy(key.path, path, strlen(path));
	cr_assert_eq(bpf_map_lookup_elem(test.store.kv_fd, &key, &value), 0, "%s", path);
	cr_expect_str_eq(value.text, text);
	cr_expect_eq(value.subject, subject, "%s", path);
	cr_expect_eq(value.flags, flags, "%s", path);
}

static int is_hidden(void *data, const void *record, size_t size)
{
	struct record_commit commit;
	struct record_change change;
	uint32_t *n = data;

	cr_assert_eq(record_commit_init(&commit, record, size), 0);
	while (record_commit_next(&commit, &change)) {
		cr_expect(change.is_secret, "%s", change.key.path);
		(*n)++;
	}
	return 0;
}

Test(supervisor_hide_secrets, each_keeps_its_writer)
{
	struct ring ring;
	uint32_t n = 0;

	cr_expect_eq(hide(), 1ull << keeper | 1ull << KV_SUBJECT_SUPERVISOR);
	expect("/psk", "hunter2", keeper, KV_VALUE_SECRET);
	expect("/eap/001", "hunter3", KV_SUBJECT_SUPERVISOR, KV_VALUE_SECRET);
	expect("/eap/user", "alice", keeper, 0);
	expect("/seen", "was a secret", observer, KV_VALUE_SECRET);
	cr_assert_eq(ring_open(&ring, test.store.events_fd), 0);
	cr_assert_eq(ring_consume(&ring, is_hidden, &n), 0);
	ring_close(&ring);
	cr_expect_eq(n, 2, "only what has changed");
	cr_expect_not(is_pinned(&test.pins, PIN_GATE_PREFIX "secrets"));
	cr_expect_eq(test.store.gate_fds[keeper], -1, "its own gate can be loaded");
	cr_expect_eq(hide(), 0, "once");
	cr_expect_str_eq(capture_text(), "");
}

/* Large changes, then small ones, until none fits. */
static void fill_ring(int gate)
{
	char text[100];
	int r = 0;

	memset(text, 'x', sizeof(text));
	for (size_t length = sizeof(text); length > 0; length = length / 4) {
		while (!r)
			r = gate_write(gate, "/x", text, length, NULL);
		cr_assert_eq(r, -EAGAIN);
		r = 0;
	}
}

/* A watcher that was killed has left a full ring: the start goes on. */
Test(supervisor_hide_secrets, full_ring)
{
	for (uint32_t i = 10; i < 16; i++)
		fill_ring(gate_test_subject(&test, i, rules, FAST, FAST));
	(void)hide();
	expect("/psk", "hunter2", keeper, 0);
	cr_expect_not_null(strstr(capture_text(), "cannot hide values that have become secrets: "
						  "Resource temporarily unavailable\n"));
	gate_test_drain(&test);
	(void)hide();
	expect("/psk", "hunter2", keeper, KV_VALUE_SECRET);
}
