/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's host name in the store, with a real gate and in an own UTS namespace. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>

#include "tests/bpf/support-gate.h"
#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/priv/supervisor/host_name.h"

static const struct test_rule rules[] = {
	{ "/host/name", ALL_ACCESS, KV_CLASS_TEXT, 64 },
	{ NULL },
};

static struct gate_test test;
static struct host_name host_name;
static struct loop loop;
static int gate;

static void name(const char *text)
{
	cr_assert_eq(sethostname(text, strlen(text)), 0);
}

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(unshare(CLONE_NEWUTS), 0);
	name("web1");
	gate_test_begin(&test, 256, 1);
	gate = gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, rules, FAST, 1000);
	cr_assert_eq(store_seal(&test.store), 0);
	loop_init(&loop);
	capture_begin();
}

static void teardown(void)
{
	host_name_deinit(&host_name);
	gate_test_end(&test);
}

TestSuite(host_name, .init = setup, .fini = teardown);

/* The key has this value; NULL: it is absent. */
static bool has(const char *text)
{
	struct kv_value value = { .length = 0 };
	int r = gate_read(gate, "/host/name", &value);

	return text ? !r && strcmp(value.text, text) == 0 : r == -ENOENT;
}

static void expect(const char *text)
{
	uint64_t until_ns = loop_now_ns() + 60 * NS_PER_S;

	while (!has(text) && loop_now_ns() < until_ns)
		cr_assert_eq(loop_run_once(&loop, until_ns), 0);
	cr_assert(has(text), "not %s", text ? text : "absent");
}

Test(host_name, U49_follows_the_kernels)
{
	cr_assert_eq(host_name_init(&host_name, gate, true, &loop), 0);
	cr_assert(has("web1"), "before the loop runs");
	name("web2.example.org");
	expect("web2.example.org");
	name("web3");
	name("web4");
	expect("web4");
}

/* Nothing that says nothing, and nothing that is no name. */
Test(host_name, U49_names_that_are_not_told)
{
	static const char *const names[] = { "localhost", "localhost.localdomain", "(none)", "a_b",
					     "\x1b[31m" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name(names[i]);
		loop_init(&loop);
		cr_assert_eq(host_name_init(&host_name, gate, true, &loop), 0);
		cr_assert(has(NULL), "%s", names[i]);
		name("localhosts");
		expect("localhosts");
		host_name_deinit(&host_name);
	}
	loop_init(&loop);
	cr_assert_eq(host_name_init(&host_name, gate, true, &loop), 0);
	name("(none)");
	expect(NULL);
	cr_assert(strstr(capture_text(), "the kernel's host name \"(none)\" says nothing to a "
					 "server; sending none\n"));
	cr_assert_null(strchr(capture_text(), '\x1b'));
}

Test(host_name, U49_only_if_asked_for)
{
	uint64_t revision;

	cr_assert_eq(gate_write(gate, "/host/name", "old", 3, &revision), 0);
	cr_assert_eq(host_name_init(&host_name, gate, false, &loop), 0);
	cr_assert(has(NULL), "of a previous run");
	name("web2");
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_assert(has(NULL));
	host_name_deinit(&host_name);
	cr_assert_eq(host_name_init(&host_name, gate, false, &loop), 0);
	cr_assert_eq(gate_test_ctl(&test).revision, revision + 1, "deleted once");
}

/* A container may set its name as often as it likes. */
Test(host_name, U49_changes_elsewhere_are_cheap)
{
	uint64_t until_ns;
	unsigned int n = 0;

	cr_assert_eq(host_name_init(&host_name, gate, true, &loop), 0);
	until_ns = loop_now_ns() + 1500 * NS_PER_MS;
	for (uint64_t now_ns = 0; now_ns < until_ns; n++) {
		char text[16];

		snprintf(text, sizeof(text), "c%u", n);
		name(text);
		now_ns = loop_now_ns();
		cr_assert_eq(loop_run_once(&loop, now_ns), 0);
	}
	cr_assert_gt(n, 1000);
	cr_assert_leq(gate_test_ctl(&test).revision, 4, "one at the start, one a second");
}
