/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/state.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "userspace/common/clock.h"
#include "userspace/common/sanitise.h"

#define AHEAD_MAX_NS (86400 * NS_PER_S) /* for deadlines; later times are invalid */

json_t *cli_state_load(const struct cli *cli, int *rp)
{
	char path[PATH_MAX], error[STATE_ERROR_SIZE];
	json_t *state;
	int n = snprintf(path, sizeof(path), "%s/%s/" STATE_FILE, cli->run_root, cli->instance);

	*rp = CLI_OK;
	if (n < 0 || (size_t)n >= sizeof(path))
		return NULL;
	state = state_load(path, error);
	if (error[0])
		*rp = cli_fail(cli, "%s; use the calfpen that started the instance, or restart it",
			       error);
	return state;
}

static bool is_failed(const json_t *process, const char *restart)
{
	return json_is_true(
		json_object_get(json_object_get(process, restart), STATE_RESTART_FAILED));
}

bool cli_state_has_no_launcher(const json_t *state)
{
	const json_t *pid = json_object_get(state, STATE_LAUNCHER_PID);

	return json_is_integer(pid) && !json_integer_value(pid);
}

bool cli_state_is_failed(const json_t *state)
{
	bool failed = cli_state_has_no_launcher(state) || is_failed(state, STATE_WATCHER_RESTART);
	json_t *calf;
	size_t i;

	json_array_foreach(json_object_get(state, STATE_CALVES), i, calf)
		failed |= is_failed(calf, STATE_CALF_RESTART);
	return failed;
}

const char *cli_state_subject(unsigned int subject, const struct kv_ctl *ctl,
			      char text[static CLI_SUBJECT_SIZE])
{
	static const char *const names[] = KV_SUBJECT_NAMES;

	if (subject < KV_SUBJECT_CALF)
		return names[subject];
	if (subject < KV_SUBJECTS_MAX && ctl->names[subject][0])
		sanitise(text, CLI_SUBJECT_SIZE, ctl->names[subject],
			 strnlen(ctl->names[subject], KV_NAME_SIZE));
	else
		(void)snprintf(text, CLI_SUBJECT_SIZE, "subject %u", subject);
	return text;
}

void cli_state_time(uint64_t boot_ns, char text[static CLOCK_SECONDS_SIZE])
{
	uint64_t now = clock_now_ns(CLOCK_BOOTTIME), wall_ns;

	snprintf(text, CLOCK_SECONDS_SIZE, "-");
	if (boot_ns == 0 || boot_ns > now + AHEAD_MAX_NS)
		return;
	wall_ns = clock_now_ns(CLOCK_REALTIME) - (now - boot_ns);
	(void)clock_format_utc_s((int64_t)(wall_ns / NS_PER_S), text);
}
