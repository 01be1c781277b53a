/* SPDX-License-Identifier: Apache-2.0 */
/* What the next start does about the state.json of a supervisor that was killed. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/supervisor/instance.h"
#include "userspace/state/state.h"

static struct instance instance;
static pid_t gateway;
static uint32_t gateway_uid;

/* A process that a killed supervisor left. */
static void setup(void)
{
	int ready[2];
	char byte;

	scratch_make();
	instance = INSTANCE_NULL(instance);
	snprintf(instance.directory, sizeof(instance.directory), "%s", scratch);
	gateway_uid = geteuid() ? getuid() : 1879048193;
	cr_assert_eq(pipe(ready), 0);
	gateway = fork();
	if (gateway == 0) {
		if (setresuid(gateway_uid, gateway_uid, gateway_uid) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	cr_assert_gt(gateway, 0);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
}

static void teardown(void)
{
	kill(gateway, SIGKILL);
	waitpid(gateway, NULL, 0);
	scratch_remove();
}

TestSuite(instance, .init = setup, .fini = teardown);

/* It wrote this, with the gateway's process id in between. */
static void left(const char *before, const char *after)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%d%s", before, (int)gateway, after);
	scratch_write_text(STATE_FILE, text, 0600);
}

/* It had the uids from this one on. */
static void left_with_uids(int64_t first)
{
	char before[128];

	snprintf(before, sizeof(before),
		 "{\"version\": 1, \"uid_base\": %lld, \"calves\": [{\"gateway_pid\": 1}, "
		 "{\"gateway_pid\": ",
		 (long long)first);
	left(before, "}]}");
}

/* The wait status of the gateway after a start, 0: it lives. */
static int start(void)
{
	int status = 0;

	capture_begin();
	instance_end_leftovers(&instance, -1);
	waitpid(gateway, &status, WNOHANG);
	return status;
}

/* Whatever uids the next run has. */
Test(instance, F9_leftover_of_other_uids_is_ended)
{
	static const int64_t others[] = { 1, -128, -1000000, -1879048193, -5000000000 };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		left_with_uids((int64_t)gateway_uid + others[i]);
		cr_expect_eq(start(), 0, "another uid: not the gateway any more");
		cr_expect_str_eq(capture_text(), "");
	}
	left("{\"version\": 1, \"calves\": [{\"gateway_pid\": ", "}]}");
	cr_expect_eq(start(), 0, "nothing is known of its uids");
	left_with_uids((int64_t)gateway_uid - 127);
	cr_expect_eq(start(), SIGKILL);
	cr_expect_not_null(strstr(capture_text(), "left by a supervisor that was killed"));
}

/* A calf does not end with its gateway if it does not want to. */
Test(instance, leftover_calf_is_ended)
{
	char before[128];

	snprintf(before, sizeof(before),
		 "{\"version\": 1, \"uid_base\": %u, \"calves\": [{\"gateway_pid\": 0, \"pid\": ",
		 gateway_uid + 1);
	left(before, "}]}");
	cr_expect_eq(start(), 0, "another uid: not the calf any more");
	snprintf(before, sizeof(before),
		 "{\"version\": 1, \"uid_base\": %u, \"calves\": [{\"gateway_pid\": 0, \"pid\": ",
		 gateway_uid);
	left(before, "}]}");
	cr_expect_eq(start(), SIGKILL);
	cr_expect_not_null(strstr(capture_text(), "left by a supervisor that was killed"));
}

/* Told in one line; nothing is done on its word, and it is replaced. */
Test(instance, other_version_is_replaced)
{
	static const char *const texts[][3] = {
		{ "{\"version\": 7, \"calves\": [{\"gateway_pid\": ", "}]}",
		  STATE_FILE ": version 7, this calfpen reads version 1; replacing it" },
		{ "{\"calves\": [{\"gateway_pid\": ", "}]}",
		  STATE_FILE ": no version, this calfpen reads version 1; replacing it" },
		{ "{\"version\": 1, \"calves\": [{\"gateway_pid\": ", "}",
		  STATE_FILE ":1: not JSON: " },
	};
	char error[STATE_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *state;

		left(texts[i][0], texts[i][1]);
		cr_expect_eq(start(), 0);
		cr_expect_not_null(strstr(capture_text(), texts[i][2]), "%s", capture_text());
		cr_expect_eq(strchr(capture_text(), '\n'), strrchr(capture_text(), '\n'));
		cr_expect_eq(instance_write_state(&instance, "{\"version\": 1}"), 0);
		state = state_load(scratch_path(STATE_FILE), error);
		cr_expect_not_null(state, "%s", error);
		json_decref(state);
	}
}

/* Take the uplink as the instance of this name. */
static int lock_uplink(struct instance *of, const char *name, int ifindex)
{
	capture_begin();
	snprintf(of->directory, sizeof(of->directory), "%s/%s", scratch, name);
	return instance_lock_uplink(of, "eth0", ifindex);
}

Test(instance, U20_uplink_has_one_instance)
{
	struct instance one = INSTANCE_NULL(one), two = INSTANCE_NULL(two);

	cr_expect_eq(lock_uplink(&one, "one", 7), 0);
	cr_expect_eq(lock_uplink(&one, "one", 7), 0, "it has it already");
	cr_expect_eq(lock_uplink(&two, "two", 7), -EBUSY);
	cr_expect_not_null(strstr(capture_text(),
				  "eth0: instance one is already running on this uplink; "),
			   "%s", capture_text());
	cr_expect_eq(lock_uplink(&two, "two", 8), 0, "another uplink");
	/* its device is replaced */
	cr_expect_eq(lock_uplink(&one, "one", 8), -EBUSY);
	cr_expect_not_null(strstr(capture_text(), "instance two is already running"));
	cr_expect_eq(lock_uplink(&one, "one", 9), 0);
	cr_expect_eq(lock_uplink(&two, "two", 7), 0, "the former uplink is free");
	cr_expect_eq(access(two.uplink_lock, F_OK), 0);
	two.lock_fd = dup(two.uplink_fd);
	instance_deinit(&two);
	cr_expect_eq(lock_uplink(&one, "one", 7), 0);
	one.lock_fd = dup(one.uplink_fd);
	instance_deinit(&one);
	cr_expect_eq(rmdir(scratch), 0, "no lock is left");
}

/* The kernel releases the lock of a process that was killed; the file stays. */
Test(instance, U20_killed_instance_does_not_block)
{
	struct instance one = INSTANCE_NULL(one), two = INSTANCE_NULL(two);
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (!lock_uplink(&one, "one", 7))
			raise(SIGKILL);
		_exit(1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
	cr_expect_eq(lock_uplink(&two, "two", 7), 0);
	cr_expect_eq(lock_uplink(&one, "one", 7), -EBUSY);
	cr_expect_not_null(strstr(capture_text(), "instance two is already running"));
}

Test(instance, no_file)
{
	cr_expect_eq(start(), 0);
	cr_expect_str_eq(capture_text(), "");
}
