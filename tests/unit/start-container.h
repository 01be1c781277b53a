/* SPDX-License-Identifier: Apache-2.0 */
/* Start a container and wait for it, as no program does. */
#ifndef CALFPEN_TESTS_START_CONTAINER_H
#define CALFPEN_TESTS_START_CONTAINER_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/priv/container/runtime.h"

/* The octet is what is written to the process that creates the container. */
static inline int start_container(const struct runtime *runtime, const char *id, const char *bundle,
				  const struct runtime_fds *fds, char octet, int (*confine)(void),
				  pid_t *pidp)
{
	struct runtime_starter_fds own = { .go = -1, .log = capture_fd, .log_ask = -1 };
	pid_t creating;
	int go[2], status;

	cr_assert_eq(pipe2(go, O_NONBLOCK | O_CLOEXEC), 0);
	own.go = go[0];
	creating = runtime_create(runtime, id, bundle, fds, &own, confine);
	cr_assert_gt(creating, 0);
	cr_assert_eq(write(go[1], &octet, 1), 1);
	cr_assert_eq(waitpid(creating, &status, 0), creating);
	(void)close(go[0]);
	(void)close(go[1]);
	return runtime_started(runtime, id, creating, status, pidp);
}

#endif
