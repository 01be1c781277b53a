/* SPDX-License-Identifier: Apache-2.0 */
/* What the next start does about the state.json of a supervisor that was killed. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/supervisor/instance.h"
#include "userspace/state/state.h"

static struct instance instance;
static pid_t gateway;

/* A process that a killed supervisor left. */
static void setup(void)
{
	scratch_make();
	instance = INSTANCE_NULL(instance);
	snprintf(instance.directory, sizeof(instance.directory), "%s", scratch);
	gateway = fork();
	if (gateway == 0) {
		pause();
		_exit(0);
	}
	cr_assert_gt(gateway, 0);
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

/* The wait status of the gateway after a start, 0: it lives. */
static int start(uint32_t uid)
{
	int status = 0;

	capture_begin();
	instance_end_leftovers(&instance, uid, uid, -1);
	waitpid(gateway, &status, WNOHANG);
	return status;
}

Test(instance, leftover_is_ended)
{
	left("{\"version\": 1, \"calves\": [{\"gateway_pid\": 1}, {\"gateway_pid\": ", "}]}");
	cr_expect_eq(start(getuid() + 1), 0, "another uid: not the gateway any more");
	cr_expect_str_eq(capture_text(), "");
	cr_expect_eq(start(getuid()), SIGKILL);
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
		cr_expect_eq(start(getuid()), 0);
		cr_expect_not_null(strstr(capture_text(), texts[i][2]), "%s", capture_text());
		cr_expect_eq(strchr(capture_text(), '\n'), strrchr(capture_text(), '\n'));
		cr_expect_eq(instance_write_state(&instance, "{\"version\": 1}"), 0);
		state = state_load(scratch_path(STATE_FILE), error);
		cr_expect_not_null(state, "%s", error);
		json_decref(state);
	}
}

Test(instance, no_file)
{
	cr_expect_eq(start(getuid()), 0);
	cr_expect_str_eq(capture_text(), "");
}
