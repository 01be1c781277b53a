/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/sibling.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t sibling_fork(bool is_sibling, int *pidfdp)
{
	int pidfd = -1;
	/* A sibling's exit signal is that of its creator. */
	struct clone_args arguments = {
		.flags = (is_sibling ? CLONE_PARENT : 0) | (pidfdp ? CLONE_PIDFD : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = is_sibling ? 0 : SIGCHLD,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0)
		return -errno;
	if (pidfdp && pid)
		*pidfdp = pidfd;
	return pid;
}
