/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/state.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maps/kv.h"

#define STATE_MAX ((size_t)262144)
#define NS_PER_S 1000000000ull
#define AHEAD_MAX_NS (86400 * NS_PER_S) /* what is to come, and no junk */

json_t *cli_state_load(const struct cli *cli)
{
	char path[PATH_MAX];
	json_t *state = NULL;
	char *text;
	ssize_t size;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/state.json", cli->run_root,
			     cli->instance) >= sizeof(path))
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = malloc(STATE_MAX);
	size = text ? read(fd, text, STATE_MAX) : -1;
	close(fd);
	if (size > 0)
		state = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return state;
}

const char *cli_state_subject(unsigned int subject, const json_t *state, char *text, size_t size)
{
	static const char *const names[] = {
		[KV_SUBJECT_SUPERVISOR] = "supervisor",
		[KV_SUBJECT_WATCHER] = "watcher",
		[KV_SUBJECT_OPERATOR] = "operator",
	};
	const char *name;

	if (subject < KV_SUBJECT_CALF)
		return names[subject];
	name = json_string_value(json_object_get(json_array_get(json_object_get(state, "calves"),
								subject - KV_SUBJECT_CALF),
						 "name"));
	if (name)
		return name;
	snprintf(text, size, "calf %u", subject - KV_SUBJECT_CALF + 1);
	return text;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void cli_state_time(uint64_t boot_ns, char text[static STATE_TIME_SIZE])
{
	uint64_t now = now_ns(CLOCK_BOOTTIME);
	struct tm broken;
	time_t seconds;

	snprintf(text, STATE_TIME_SIZE, "-");
	if (boot_ns == 0 || boot_ns > now + AHEAD_MAX_NS)
		return;
	seconds = (time_t)((now_ns(CLOCK_REALTIME) - (now - boot_ns)) / NS_PER_S);
	if (gmtime_r(&seconds, &broken))
		strftime(text, STATE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &broken);
}

int cli_print_json(const struct cli *cli, json_t *json)
{
	int r = CLI_OK;

	if (!json || json_dumpf(json, cli->out, JSON_INDENT(2)) < 0)
		r = cli_fail(cli, "cannot write JSON");
	else
		fputc('\n', cli->out);
	json_decref(json);
	return r;
}
