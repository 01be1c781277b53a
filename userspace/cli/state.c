/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/state.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maps/kv.h"
#include "userspace/common/clock.h"

#define STATE_MAX ((size_t)262144)
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
	static const char *const names[] = KV_SUBJECT_NAMES;
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

void cli_state_time(uint64_t boot_ns, char text[static CLOCK_SECONDS_SIZE])
{
	uint64_t now = clock_now_ns(CLOCK_BOOTTIME), wall_ns;

	snprintf(text, CLOCK_SECONDS_SIZE, "-");
	if (boot_ns == 0 || boot_ns > now + AHEAD_MAX_NS)
		return;
	wall_ns = clock_now_ns(CLOCK_REALTIME) - (now - boot_ns);
	(void)clock_format_utc_s((int64_t)(wall_ns / NS_PER_S), text);
}
