/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: reloads of chronyd's sources
 *
 * A separate process, the chrony role (chrony/role.c), does the reload. The
 * watcher requests it by an eventfd counter whose value is ignored, and gets
 * the role's exit code, so that the supervisor reads nothing that chronyd or
 * the watcher wrote. Only one role runs at a time, and at most one is started
 * per second; all requests that arrive meanwhile cause one more.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/chrony/chrony.h"
#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define SPACING_NS NS_PER_S
/* The role exits by itself after a second. */
#define ROLE_LIFE_NS (10 * NS_PER_S)
#define END_MS 1800 /* since the shutdown began */

/* The pipe is full only if the watcher left thousands of results unread. Dropping
 * one does no harm, because the watcher needs the last one only. */
static void send_result(const struct supervisor_chrony *chrony, int result)
{
	const uint8_t byte = (uint8_t)result;

	if (write(chrony->results[1], &byte, 1) < 0)
		log_debug("the watcher does not read the results of reloads: %s", strerror(errno));
}

static void start(struct supervisor *s, uint64_t now_ns)
{
	struct supervisor_chrony *chrony = &s->chrony;
	pid_t pid = launcher_request(&s->launcher, LAUNCHER_START, LAUNCHER_CHRONY);

	chrony->is_asked = false;
	chrony->earliest_ns = now_ns + SPACING_NS;
	if (pid > 0) {
		chrony->pid = pid;
		loop_timer_set(&chrony->timer, now_ns + ROLE_LIFE_NS);
	} else {
		send_result(chrony, pid == -ENOENT ? CHRONY_NOT_RUNNING : chrony_error(-pid));
	}
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;

	(void)loop;
	if (s->chrony.pid > 0)
		(void)launcher_request(&s->launcher, LAUNCHER_STOP, LAUNCHER_CHRONY);
	else
		start(s, now_ns);
	return 0;
}

static bool take_request(struct supervisor_chrony *chrony)
{
	eventfd_t n;

	chrony->is_asked |= eventfd_read(chrony->ask_fd, &n) == 0;
	return chrony->is_asked;
}

static int on_request(struct loop *loop, int fd, short revents, void *data)
{
	struct supervisor *s = data;

	(void)loop;
	(void)fd;
	(void)revents;
	if (take_request(&s->chrony) && s->chrony.pid <= 0)
		loop_timer_set(&s->chrony.timer, s->chrony.earliest_ns);
	return 0;
}

int supervisor_start_chrony(struct supervisor *s)
{
	struct supervisor_chrony *chrony = &s->chrony;
	int r;

	chrony->ask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (chrony->ask_fd < 0 || pipe2(chrony->results, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	r = loop_add_timer(&s->loop, &chrony->timer, on_timer, s);
	return r ? r : loop_add_fd(&s->loop, chrony->ask_fd, POLLIN, on_request, s);
}

void supervisor_chrony_ended(struct supervisor *s, int status)
{
	s->chrony.pid = 0;
	send_result(&s->chrony, WIFEXITED(status) ? WEXITSTATUS(status) : CHRONY_FAILED);
	loop_timer_set(&s->chrony.timer, s->chrony.is_asked ? s->chrony.earliest_ns : LOOP_NEVER);
}

static void await_role(struct supervisor *s, const struct await_limit *limit)
{
	if (child_wait(&s->chrony.pid, NULL, limit))
		return;
	(void)launcher_request(&s->launcher, LAUNCHER_STOP, LAUNCHER_CHRONY);
	child_await_killed(&s->chrony.pid);
}

void supervisor_stop_chrony(struct supervisor *s)
{
	const struct await_limit limit = supervisor_stop_limit(s, END_MS);

	await_role(s, &limit);
	if (s->chrony.ask_fd >= 0 && take_request(&s->chrony) && !await_check(&limit)) {
		start(s, loop_now_ns());
		await_role(s, &limit);
	}
}
