/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/watches.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/file_events.h"
#include "userspace/common/gate.h"
#include "userspace/common/instance.h"
#include "userspace/common/log.h"

/* The kernel reports that a file was closed before it releases its lock. */
#define FIRST_TRY_NS (100 * NS_PER_MS)
#define SECOND_TRY_NS NS_PER_S

/* End the watch, unless a process has locked the file. While it is locked
 * exclusively, no process begins to watch. Returns false if the file is locked. */
static bool end_unless_used(const struct watches *watches)
{
	int r;

	if (flock(watches->lock, LOCK_EX | LOCK_NB) < 0)
		return false;
	r = gate_watch(watches->gate, GATE_WATCH_END, NULL, NULL);
	if (r < 0)
		log_warning("cannot end the operator's watch: %s", strerror(-r));
	(void)flock(watches->lock, LOCK_UN);
	return true;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct watches *watches = data;

	(void)loop;
	if (end_unless_used(watches) || watches->is_second_try)
		return 0;
	watches->is_second_try = true;
	loop_timer_set(&watches->timer, now_ns + SECOND_TRY_NS);
	return 0;
}

static int on_closed(struct loop *loop, int fd, short revents, void *data)
{
	struct watches *watches = data;
	_Alignas(struct inotify_event) char events[1024];

	(void)revents;
	while (read(fd, events, sizeof(events)) > 0)
		;
	watches->is_second_try = false;
	loop_timer_set(&watches->timer, loop->now_ns() + FIRST_TRY_NS);
	return 0;
}

int watches_init(struct watches *watches, const char *directory, int gate, struct loop *loop)
{
	bool is_timer = false;
	char path[PATH_MAX];
	int r;

	*watches = WATCHES_NULL(*watches);
	watches->gate = gate;
	if (snprintf(path, sizeof(path), "%s/" INSTANCE_WATCH_LOCK, directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	watches->lock = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = watches->lock < 0 ? -errno : file_events_open(path, &is_timer);
	if (r >= 0) {
		watches->events = r;
		r = loop_add_fd(loop, watches->events, POLLIN, on_closed, watches);
	}
	if (!r && !is_timer && inotify_add_watch(watches->events, path, IN_CLOSE_WRITE) < 0)
		r = -errno;
	if (!r)
		r = loop_add_timer(loop, &watches->timer, on_timer, watches);
	if (r) {
		log_error("%s: %s", path, strerror(-r));
		return r;
	}
	(void)end_unless_used(watches);
	return 0;
}

void watches_deinit(struct watches *watches)
{
	if (watches->lock >= 0)
		close(watches->lock);
	if (watches->events >= 0)
		close(watches->events);
	*watches = WATCHES_NULL(*watches);
}
