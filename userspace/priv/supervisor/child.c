/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/program.h"

#define KILLED_NS (NS_PER_S / 5)

int child_open_program(const char *name)
{
	char path[PATH_MAX] = "/proc/self/exe";
	int fd, r = name ? program_path(name, path, sizeof(path)) : 0;

	if (r) {
		log_error("%s: cannot find it next to this program: %s", name, strerror(-r));
		return r;
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		log_error("%s: %s; install it next to calfpen-priv", path, strerror(-r));
		return r;
	}
	return fd;
}

bool child_wait(pid_t *pid, int *statusp, const struct await_limit *limit)
{
	if (*pid > 0 && !await_child(*pid, statusp, limit))
		*pid = 0;
	return *pid <= 0;
}

void child_await_killed(pid_t *pid)
{
	const struct await_limit limit = await_within(&AWAIT_FOREVER, KILLED_NS);

	if (*pid <= 0)
		return;
	if (await_child(*pid, NULL, &limit) == -ETIMEDOUT)
		log_error("process %d: does not exit after SIGKILL; leaving it", (int)*pid);
	*pid = 0;
}

void child_end(pid_t *pid)
{
	if (*pid > 0)
		kill(*pid, SIGKILL);
	child_await_killed(pid);
}
