/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: audit log and syslog
 *
 * The supervisor opens the socket to the syslog daemon, which each role inherits, because
 * it has the right to. The audit log is the watcher's, which inherits a descriptor that
 * --audit names; here it is only checked, for an error at the start.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/streams.h"
#include "userspace/priv/audit/audit.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/* A gateway that was taken over may ask all the time. */
#define CONNECT_INTERVAL_NS NS_PER_S
/* For what waits for slow readers at the end, and the latest moment to wait until. */
#define FLUSH_NS (200 * NS_PER_MS)
#define CLOSED_MS 1950

/* syslog */

static int on_ask(struct loop *loop, int fd, short revents, void *data)
{
	struct supervisor *s = data;

	(void)revents;
	loop_remove_fd(loop, fd);
	loop_timer_set(&s->syslog_timer, loop_now_ns() + CONNECT_INTERVAL_NS);
	(void)syslog_connect(&s->syslog);
	return 0;
}

static int on_syslog_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;
	eventfd_t n;

	(void)now_ns;
	(void)eventfd_read(s->syslog.ask_fd, &n);
	return loop_add_fd(loop, s->syslog.ask_fd, POLLIN, on_ask, s);
}

int supervisor_start_syslog(struct supervisor *s)
{
	int r = syslog_open(&s->syslog, SYSLOG_PATH, s->options->instance);

	if (!r)
		r = syslog_watch(&s->syslog, &s->loop);
	if (!r)
		r = loop_add_timer(&s->loop, &s->syslog_timer, on_syslog_timer, s);
	return r ? r : loop_add_fd(&s->loop, s->syslog.ask_fd, POLLIN, on_ask, s);
}

/* audit log */

/* A pipe is kept open, so that its reader does not see an end when the watcher, which
 * opens it itself, is restarted. */
static void check_file(struct supervisor *s)
{
	int fd = audit_check(s->options->audit);
	struct stat status;

	if (fd < 0)
		log_error(
			"audit log %s: cannot open: %s; records go to a reserve of 1 MiB until it "
			"can be opened; another file can be given with --audit",
			s->options->audit, audit_strerror(fd));
	else if (fstat(fd, &status) || S_ISREG(status.st_mode))
		(void)close(fd);
	else
		s->audit_fd = fd;
}

static bool is_null_device(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

static int take_descriptor(struct supervisor *s)
{
	const char *name = s->options->audit;
	int fd = streams_own(s->options->audit_fd);

	if (fd < 0) {
		log_error("--audit: %s: descriptor %d is not open for writing", name,
			  s->options->audit_fd);
		return fd;
	}
	if (is_null_device(fd))
		log_warning("audit log %s: leads to /dev/null, which keeps no records", name);
	s->audit_fd = fd;
	return 0;
}

int supervisor_open_audit(struct supervisor *s)
{
	if (s->options->audit_fd)
		return take_descriptor(s);
	if (options_has_audit_file(s->options))
		check_file(s);
	return 0;
}

static void close_audit(struct supervisor *s)
{
	if (s->audit_fd >= 0)
		(void)close(s->audit_fd);
	s->audit_fd = -1;
}

void supervisor_reopen_audit(struct supervisor *s)
{
	if (options_has_audit_file(s->options) && s->audit_fd >= 0) {
		close_audit(s);
		check_file(s);
	}
	if (s->watcher_pid > 0)
		kill(s->watcher_pid, SIGUSR2);
}

/* Returns how long to wait now. */
static uint64_t flush_ns(const struct supervisor *s)
{
	uint64_t until_ns = s->stop_ns + CLOSED_MS * NS_PER_MS, now_ns = loop_now_ns();
	uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;

	return left_ns < FLUSH_NS ? left_ns : FLUSH_NS;
}

void supervisor_close_logs(struct supervisor *s)
{
	syslog_close(&s->syslog, flush_ns(s));
	close_audit(s);
}
