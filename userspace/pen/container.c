/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/container.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "userspace/pen/process.h"
#include "userspace/pen/record.h"
#include "userspace/pen/cgroup.h"
#include "userspace/pen/report.h"

/* Open ROOT/ID. Returns a descriptor, or a negative errno, reported. */
static int open_container(const char *root, const char *id, struct pen_record *recordp)
{
	int fd = pen_record_open(root, id, recordp);

	if (fd == -ENOENT)
		return pen_fail(fd, "container %s does not exist", id);
	return fd < 0 ?
		       pen_fail(fd, "container %s: %s/%s: %s", id, root, id, strerrordesc_np(-fd)) :
		       fd;
}

/* Open the pipe that the process waits for. Returns -ENXIO if none does. */
static int open_start(int directory_fd)
{
	int fd = openat(directory_fd, PEN_START_PIPE,
			O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pen_container_start(const char *root, const char *id)
{
	struct pen_record record;
	int fd = open_container(root, id, &record), start, r = 0;

	if (fd < 0)
		return fd;
	start = open_start(fd);
	close(fd);
	if (start < 0)
		return pen_fail(start, "container %s: cannot start it: %s", id,
				start == -ENXIO ? "it runs already, or has exited" :
						  strerrordesc_np(-start));
	if (write(start, "", 1) != 1)
		r = pen_fail(-errno, "container %s: cannot start it: %s", id,
			     strerrordesc_np(errno));
	close(start);
	return r;
}

int pen_container_kill(const char *root, const char *id, int signal)
{
	struct pen_record record;
	int fd = open_container(root, id, &record), pidfd, r = 0;

	if (fd < 0)
		return fd;
	close(fd);
	pidfd = pen_process_open(record.pid, record.start);
	if (pidfd < 0)
		return pen_fail(pidfd, "container %s: %s", id,
				pidfd == -ESRCH ? "not running" : strerrordesc_np(-pidfd));
	if (pidfd_send_signal(pidfd, signal, NULL, 0))
		r = pen_fail(-errno, "container %s: signal %d: %s", id, signal,
			     strerrordesc_np(errno));
	close(pidfd);
	return r;
}

static int end_process(const char *id, const struct pen_record *record, bool is_forced)
{
	int pidfd = pen_process_open(record->pid, record->start), r;

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return pen_fail(pidfd, "container %s: %s", id, strerrordesc_np(-pidfd));
	r = is_forced ? pen_process_kill(pidfd) : -EBUSY;
	close(pidfd);
	if (r == -EBUSY)
		return pen_fail(r, "container %s: still running; use --force", id);
	return r ? pen_fail(r, "container %s: cannot kill process %d: %s", id, (int)record->pid,
			    strerrordesc_np(-r)) :
		   0;
}

int pen_container_delete(const char *root, const char *id, bool is_forced)
{
	struct pen_record record;
	int fd = pen_record_open(root, id, &record), r;

	if (fd == -ENOENT && is_forced)
		return 0;
	fd = fd < 0 ? open_container(root, id, &record) : fd;
	if (fd < 0)
		return fd;
	close(fd);
	r = end_process(id, &record, is_forced);
	if (!r)
		r = pen_cgroup_remove(record.cgroup);
	if (r)
		return r;
	r = pen_record_remove(root, id);
	return r ? pen_fail(r, "container %s: %s/%s: %s", id, root, id, strerrordesc_np(-r)) : 0;
}

static const char *status_of(int directory_fd, const struct pen_record *record)
{
	int pidfd = pen_process_open(record->pid, record->start), start;

	if (pidfd < 0)
		return "stopped";
	close(pidfd);
	start = open_start(directory_fd);
	if (start < 0)
		return "running";
	close(start);
	return "created";
}

int pen_container_state(const char *root, const char *id)
{
	struct pen_record record;
	int fd = open_container(root, id, &record), r;
	const char *status;
	json_t *state;

	if (fd < 0)
		return fd;
	status = status_of(fd, &record);
	close(fd);
	state = json_pack("{s:s, s:s, s:s, s:i, s:s}", "ociVersion", "1.0.0", "id", id, "status",
			  status, "pid", strcmp(status, "stopped") ? (int)record.pid : 0, "bundle",
			  record.bundle);
	r = state && !json_dumpf(state, stdout, JSON_INDENT(1)) && putchar('\n') == '\n' &&
			    !fflush(stdout) ?
		    0 :
		    pen_fail(-EIO, "cannot print the state");
	json_decref(state);
	return r;
}
