/* SPDX-License-Identifier: Apache-2.0 */
/* When the supervisor saves secrets, with a real store. */
#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"
#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/priv/persist/persist.h"
#include "userspace/priv/supervisor/supervisor-private.h"

static const struct test_rule supervisor_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL },
};
static const struct test_rule keeper_rules[] = {
	{ "/psk", ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, 32 },
	{ "/session", ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, 32 },
	{ NULL },
};

static struct description keeper = {
	.name = "keeper",
	.keys = { { .path = "/psk", .persistent = true, .secret = true },
		  { .path = "/session", .secret = true } },
	.n_keys = 2,
};

static struct gate_test test;
static struct supervisor s;
static struct options options = { .instance = "test", .state = "/tmp/state" };
static int calf;

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	gate_test_begin(&test, 64, 4);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, supervisor_rules, FAST, 1000);
	calf = gate_test_subject(&test, KV_SUBJECT_CALF, keeper_rules, FAST, 1000);
	cr_assert_eq(store_seal(&test.store), 0);
	s.options = &options;
	s.store = test.store;
	s.descriptions = &keeper;
	s.n_descriptions = 1;
	s.secrets.ask_fd = -1;
	s.launcher = LAUNCHER_NULL(s.launcher);
	loop_init(&s.loop);
	capture_begin();
}

/* Watch, with a launcher that knows everything as it is now. */
static void watch(void)
{
	cr_assert_eq(supervisor_watch_secrets(&s), 0);
	cr_assert_eq(supervisor_start_launcher(&s), 0);
}

static void teardown(void)
{
	launcher_stop(&s.launcher);
	gate_test_end(&test);
}

TestSuite(supervisor_secrets, .init = setup, .fini = teardown);

/* What the supervisor's loop does. Returns true when a process has been started and ended. */
static bool run(uint64_t within_ns)
{
	uint64_t until_ns = loop_now_ns() + within_ns;
	int status;

	while (s.secrets.pid <= 0 && loop_now_ns() < until_ns)
		cr_assert_eq(loop_run_once(&s.loop, until_ns), 0);
	if (s.secrets.pid <= 0)
		return false;
	cr_assert_eq(waitpid(s.secrets.pid, &status, 0), s.secrets.pid);
	supervisor_secrets_ended(&s, status);
	return true;
}

static const char *saved(void)
{
	static char text[256];
	struct persist_snapshot snapshot;
	struct persist_entry entry;
	size_t used = 0;

	if (persist_load_secrets(options.state, &snapshot))
		return "(no file)";
	text[0] = '\0';
	while (persist_next(&snapshot, &entry))
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%.*s ",
					 entry.key.path, entry.length, entry.text);
	persist_snapshot_deinit(&snapshot);
	return text;
}

static void write_key(const char *path, const char *text)
{
	cr_assert_eq(gate_write(calf, path, text, strlen(text), NULL), 0);
}

static void tell(void)
{
	cr_assert_eq(eventfd_write(s.secrets.ask_fd, 1), 0);
}

Test(supervisor_secrets, saved_at_the_start_and_after_changes)
{
	uint64_t before_ns;

	write_key("/psk", "hunter2");
	write_key("/session", "hunter3");
	watch();
	cr_expect_str_eq(saved(), "(no file)");
	before_ns = loop_now_ns();
	cr_assert(run(10 * NS_PER_S));
	cr_expect_str_eq(saved(), "/psk=hunter2 ");
	cr_expect_not(run(NS_PER_S / 5), "nothing has changed");
	for (int i = 0; i < 20; i++)
		tell();
	write_key("/psk", "hunter4");
	cr_assert(run(10 * NS_PER_S));
	cr_expect_geq(loop_now_ns() - before_ns, NS_PER_S, "not more often than once a second");
	cr_expect_str_eq(saved(), "/psk=hunter4 ");
	cr_expect_not(run(NS_PER_S + NS_PER_S / 5), "all of them at once");
	cr_assert_eq(gate_delete(calf, "/psk", NULL), 0);
	tell();
	cr_assert(run(10 * NS_PER_S));
	cr_expect_str_eq(saved(), "");
	cr_expect_str_eq(capture_text(), "");
}

/* Also what nobody told. */
Test(supervisor_secrets, saved_at_the_end)
{
	watch();
	write_key("/psk", "hunter2");
	s.stop_ns = loop_now_ns();
	supervisor_save_secrets(&s);
	cr_expect_str_eq(saved(), "/psk=hunter2 ");
	cr_expect_leq(s.secrets.pid, 0);
	cr_expect_str_eq(capture_text(), "");
}

/* A start that was refused before it came to secrets, and an instance that saves nothing. */
Test(supervisor_secrets, nothing_to_save)
{
	write_key("/psk", "hunter2");
	s.stop_ns = loop_now_ns();
	supervisor_save_secrets(&s);
	cr_expect_str_eq(saved(), "(no file)");
	options.state[0] = '\0';
	watch();
	tell();
	cr_expect_not(run(NS_PER_S / 5));
	supervisor_save_secrets(&s);
	cr_expect_neq(access("/tmp/state", F_OK), 0);
}

/* No process is started, unless a file has what no description keeps any more. */
Test(supervisor_secrets, descriptions_without_one)
{
	struct wanted none = WANTED_NULL(none);

	write_key("/psk", "hunter2");
	watch();
	cr_assert(run(10 * NS_PER_S));
	cr_expect_str_eq(saved(), "/psk=hunter2 ");
	keeper.keys[0].persistent = false;
	launcher_stop(&s.launcher);
	cr_assert_eq(supervisor_start_launcher(&s), 0);
	s.stop_ns = loop_now_ns();
	supervisor_save_secrets(&s);
	cr_expect_str_eq(saved(), "", "it is no longer kept");
	cr_assert_eq(unlink("/tmp/state/secrets"), 0);
	tell();
	cr_expect_not(run(NS_PER_S + NS_PER_S / 5));
	cr_expect_not(persist_has_secrets(options.state, &keeper, 1));
	cr_expect_eq(persist_save_secrets(options.state, &none, &keeper, 1, 0), 0);
	cr_expect_str_eq(saved(), "(no file)");
}

Test(supervisor_secrets, disk_that_fails)
{
	write_key("/psk", "hunter2");
	cr_assert_eq(mkdir("/tmp/state", 0700), 0);
	cr_assert_eq(mount("tmpfs", "/tmp/state", "tmpfs", MS_RDONLY, NULL), 0);
	watch();
	cr_assert(run(10 * NS_PER_S));
	cr_assert(run(10 * NS_PER_S), "it is tried again");
	cr_expect_str_eq(capture_text(),
			 "cannot save secrets in /tmp/state: Read-only file system; retrying\n",
			 "once");
	cr_assert_eq(umount("/tmp/state"), 0);
	cr_assert(run(10 * NS_PER_S));
	cr_expect_str_eq(saved(), "/psk=hunter2 ");
	cr_expect_not_null(strstr(capture_text(), "saving secrets works again\n"));
	cr_expect_null(strstr(capture_text(), "hunter"));
}
