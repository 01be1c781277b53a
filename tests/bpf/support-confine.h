/* SPDX-License-Identifier: Apache-2.0 */
/* A role in a child of the test, confined as in production, which makes one attempt. */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_CONFINE_H
#define CALFPEN_TESTS_BPF_SUPPORT_CONFINE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/roles.h"

#define GATEWAY_UID 1900000007u
#define CHRONY_UID 65500u
#define CHRONY_GID 65501u

/* 0 or a positive number if done, else a negative errno. */
typedef long (*attempt_fn)(void);

struct child {
	pid_t pid;
	int to, from; /* our ends of its pipes */
};

static inline void confine_setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	capture_begin();
}

/* Move the role's descriptor to its number, and our pipes out of the way. */
static inline void take_directory(int *to, int *from)
{
	int directory = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*to = fcntl(*to, F_DUPFD_CLOEXEC, 10);
	*from = fcntl(*from, F_DUPFD_CLOEXEC, 10);
	if (dup2(directory, CHRONY_FD_DIRECTORY) < 0)
		_exit(1);
}

/* Start a confined child that makes the attempt on request and reports the result. It
 * uses only calls that every role has: read, write, exit_group. */
static inline struct child start(enum role role, uint32_t uid, bool needs_sys_admin,
				 attempt_fn attempt)
{
	int to[2], from[2];
	struct child child;

	cr_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	child = (struct child){ .pid = fork(), .to = to[1], .from = from[0] };
	cr_assert(child.pid >= 0);
	if (child.pid == 0) {
		const uint32_t gid = role == ROLE_CHRONY ? CHRONY_GID : uid;
		long result;
		char go;

		if (role == ROLE_CHRONY)
			take_directory(&to[0], &from[1]);
		result = confine_enter(role, uid, gid, needs_sys_admin);

		if (write(from[1], &result, sizeof(result)) == sizeof(result) && result == 0 &&
		    read(to[0], &go, 1) == 1) {
			result = attempt != NULL ? attempt() : 0;
			if (write(from[1], &result, sizeof(result)) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	return child;
}

/* What confine_enter() returned. */
static inline long entered(const struct child *child)
{
	long result = -EPIPE;

	cr_expect(read(child->from, &result, sizeof(result)) == sizeof(result));
	return result;
}

/* Let it make its attempt: true with its result, or false if that killed it. */
static inline bool go(struct child *child, long *resultp)
{
	int status;
	bool answered;

	cr_assert(write(child->to, "g", 1) == 1);
	answered = read(child->from, resultp, sizeof(*resultp)) == sizeof(*resultp);
	cr_assert(waitpid(child->pid, &status, 0) == child->pid);
	if (!answered)
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", status);
	close(child->to);
	close(child->from);
	return answered;
}

#endif
