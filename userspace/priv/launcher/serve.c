/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the launcher
 *
 * Receive a request, do it, answer. The only data in a request are two numbers, of which
 * nothing is taken on trust, and for one verb a descriptor that must be a tap.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/descriptors.h"
#include "userspace/common/log.h"
#include "userspace/common/sibling.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/launcher/launcher.h"

/* For the functions that a starter calls, which have no argument. */
static bool is_foreign;

static int reduce_starter(void)
{
	return confine_reduce(ROLE_STARTER, is_foreign);
}

/* start */

static void forget_process(struct launcher_entry *entry)
{
	if (entry->pidfd >= 0)
		close(entry->pidfd);
	entry->pidfd = -1;
}

static pid_t start_program(struct launcher_entry *entry)
{
	struct launcher_program program = entry->program;
	struct stat status;
	int directory = -1;
	pid_t pid;

	if (entry->directory) {
		/* O_PATH needs no permission on the directory. */
		directory = open(entry->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (directory < 0)
			return -errno;
		if (fstat(directory, &status)) {
			pid = -errno;
			close(directory);
			return pid;
		}
		entry->uid = status.st_uid;
		program.fds[0] = directory;
		program.n_fds = 1;
	}
	pid = launcher_execute(&program, true, &entry->pidfd);
	if (directory >= 0)
		close(directory);
	return pid;
}

/* In a process of its own. Returns an exit code. */
static int call(const struct launcher_entry *entry, pid_t supervisor)
{
	/* One that hangs may outlive the supervisor: it must not hold its locks. */
	if (descriptors_keep(entry->fds, sizeof(entry->fds) / sizeof(entry->fds[0])))
		return EBADF;
	if (confine_reduce(ROLE_SAVER, is_foreign))
		return EPERM;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != supervisor)
		return ESRCH;
	return entry->function(entry->data);
}

static pid_t start_function(struct launcher_entry *entry)
{
	pid_t supervisor = getppid(), pid = sibling_fork(true, &entry->pidfd);

	if (pid < 0)
		log_error("cannot fork: %s", strerror(-pid));
	if (pid == 0)
		_exit(call(entry, supervisor));
	return pid;
}

static pid_t start(struct launcher_entry *entry)
{
	forget_process(entry);
	switch (entry->kind) {
	case LAUNCHER_PROGRAM:
		return start_program(entry);
	case LAUNCHER_FUNCTION:
		return start_function(entry);
	case LAUNCHER_PAIR:
		return launcher_pair_start(entry->pair, true, &entry->pidfd);
	case LAUNCHER_NONE:
		break;
	}
	return -ENOENT;
}

/* stop */

/* Without CAP_KILL: by a short-lived process that takes the uid of the one to kill. A pidfd
 * cannot mean another process, whoever reaps this one. */
static int kill_process(const struct launcher_entry *entry)
{
	pid_t helper;

	if (entry->pidfd < 0 || !syscall(SYS_pidfd_send_signal, entry->pidfd, SIGKILL, NULL, 0))
		return 0;
	if (errno != EPERM)
		return errno == ESRCH ? 0 : -errno;
	helper = fork();
	if (helper == 0) {
		if (setresuid(entry->uid, entry->uid, entry->uid))
			_exit(1);
		_exit(syscall(SYS_pidfd_send_signal, entry->pidfd, SIGKILL, NULL, 0) ? 1 : 0);
	}
	if (helper < 0)
		return -errno;
	(void)waitpid(helper, NULL, 0);
	return 0;
}

static int stop(struct launcher_entry *entry)
{
	int r = kill_process(entry);

	forget_process(entry);
	if (entry->kind == LAUNCHER_PAIR)
		launcher_pair_close(entry->pair);
	return r;
}

/* other verbs */

static pid_t delete_container(const struct launcher_pair *pair)
{
	const struct runtime_starter_fds own = { .go = -1,
						 .log = pair->fds.syslog,
						 .log_ask = pair->fds.syslog_ask,
						 .is_sibling = true };

	return runtime_begin_delete(pair->runtime, pair->container, &own, reduce_starter);
}

static bool is_tap(int fd)
{
	struct ifreq request = { .ifr_flags = 0 };

	return !ioctl(fd, TUNGETIFF, &request) && (request.ifr_flags & IFF_TAP);
}

static int take_tap(struct launcher_pair *pair, int fd)
{
	if (fd >= 0 && !is_tap(fd)) {
		close(fd);
		return -EBADMSG;
	}
	if (pair->fds.frames >= 0)
		close(pair->fds.frames);
	pair->fds.frames = fd;
	return 0;
}

/* the socket */

/* Receive exactly one request, and the descriptor that may come with one verb. Returns 1; 0 at
 * the end; or a negative errno. */
static int receive(int socket, struct launcher_request *request, int *fdp)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { .iov_base = request, .iov_len = sizeof(*request) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *header;
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*fdp = -1;
	header = CMSG_FIRSTHDR(&message);
	if (n == 0 && !header)
		return 0;
	/* The room is enough for a second descriptor. */
	if (header && (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		       header->cmsg_len != CMSG_LEN(sizeof(int))))
		return -EBADMSG;
	if (header)
		memcpy(fdp, CMSG_DATA(header), sizeof(int));
	if (n != sizeof(*request) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return -EBADMSG;
	return *fdp < 0 || request->verb == LAUNCHER_TAP ? 1 : -EBADMSG;
}

static bool is_for_pair(uint32_t verb)
{
	return verb == LAUNCHER_CREATE || verb == LAUNCHER_DELETE || verb == LAUNCHER_TAP;
}

static bool is_well_formed(const struct launcher_table *table,
			   const struct launcher_request *request)
{
	enum launcher_kind kind;

	if (request->verb == LAUNCHER_UPLINK)
		return table->uplink && request->number > 0 && request->number <= INT32_MAX;
	if (request->verb < LAUNCHER_CREATE || request->verb >= _LAUNCHER_VERB_END ||
	    request->number >= table->n)
		return false;
	kind = table->entries[request->number].kind;
	return kind == LAUNCHER_PAIR || (kind != LAUNCHER_NONE && !is_for_pair(request->verb));
}

/* Returns the answer. */
static int obey(struct launcher_table *table, const struct launcher_request *request, int fd)
{
	struct launcher_entry *entry;

	if (request->verb == LAUNCHER_UPLINK) {
		(void)snprintf(table->uplink, LAUNCHER_UPLINK_SIZE, "%u", request->number);
		return 0;
	}
	entry = &table->entries[request->number];
	switch ((enum launcher_verb)request->verb) {
	case LAUNCHER_CREATE:
		return launcher_pair_create(entry->pair, true, reduce_starter);
	case LAUNCHER_START:
		return start(entry);
	case LAUNCHER_STOP:
		return stop(entry);
	case LAUNCHER_DELETE:
		return delete_container(entry->pair);
	case LAUNCHER_TAP:
		return take_tap(entry->pair, fd);
	default:
		return -EBADMSG;
	}
}

int launcher_serve(int fd, struct launcher_table *table)
{
	struct launcher_request request;
	struct launcher_answer answer;
	int r, request_fd = -1;

	is_foreign = table->is_foreign;
	for (;;) {
		r = receive(fd, &request, &request_fd);
		if (r <= 0)
			return r;
		if (!is_well_formed(table, &request))
			return -EBADMSG;
		answer.result = obey(table, &request, request_fd);
		if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
			return -errno;
	}
}
