/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/launcher/launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/await.h"
#include "userspace/common/clock.h"
#include "userspace/common/descriptors.h"
#include "userspace/common/log.h"
#include "userspace/priv/confine/confine.h"

#define ANSWER_NS (5 * NS_PER_S) /* an answer takes less than 1 ms */
#define END_NS (NS_PER_S / 5)

/* Of the launcher's process: all that a request can need. */
static int keep_descriptors(const struct launcher_table *table, int fd)
{
	enum { PER_ENTRY = LAUNCHER_FDS_MAX + 16 };
	int *kept =
		calloc((size_t)LAUNCHER_ENTRIES_MAX * PER_ENTRY + table->n_kept + 1, sizeof(*kept));
	size_t n = 0;
	int r;

	if (!kept)
		return -ENOMEM;
	kept[n++] = fd;
	for (uint32_t i = 0; i < table->n_kept; i++)
		kept[n++] = table->kept_fds[i];
	for (uint32_t i = 0; i < table->n; i++) {
		const struct launcher_entry *entry = &table->entries[i];

		if (entry->kind == LAUNCHER_PROGRAM) {
			kept[n++] = entry->program.fd;
			for (uint32_t j = 0; j < entry->program.n_fds; j++)
				kept[n++] = entry->program.fds[j];
		} else if (entry->kind == LAUNCHER_FUNCTION) {
			for (size_t j = 0; j < sizeof(entry->fds) / sizeof(entry->fds[0]); j++)
				kept[n++] = entry->fds[j];
		} else if (entry->kind == LAUNCHER_PAIR) {
			const struct launcher_pair_fds *fds = &entry->pair->fds;
			const struct launcher_channels *channels = &entry->pair->channels;
			const int all[] = {
				fds->gate,
				fds->ring,
				fds->frames,
				fds->gateway_program,
				fds->syslog,
				fds->syslog_ask,
				fds->keys,
				fds->metrics,
				channels->control[0],
				channels->control[1],
				channels->log_stdout[0],
				channels->log_stdout[1],
				channels->log_stderr[0],
				channels->log_stderr[1],
				channels->go[0],
				channels->go[1],
			};

			memcpy(kept + n, all, sizeof(all));
			n += sizeof(all) / sizeof(all[0]);
		}
	}
	r = descriptors_keep(kept, n);
	free(kept);
	return r;
}

/* In the new process. Returns an exit code. */
static int run(int fd, struct launcher_table *table)
{
	int r;

	(void)prctl(PR_SET_NAME, "calfpen-launch");
	log_also(NULL, NULL);
	r = keep_descriptors(table, fd);
	if (r) {
		log_error("launcher: cannot close descriptors: %s", strerror(-r));
		return 1;
	}
	if (confine_enter(ROLE_LAUNCHER, 0, 0, table->is_foreign))
		return ROLE_EXIT_CONFINE;
	r = launcher_serve(fd, table);
	if (r)
		log_error("launcher: a request is not well-formed; exiting");
	return r ? ROLE_EXIT_MALFORMED : 0;
}

int launcher_start(struct launcher *launcher, struct launcher_table *table)
{
	int ends[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		r = -errno;
		log_error("cannot create the launcher's socket: %s", strerror(-r));
		return r;
	}
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(run(ends[1], table));
	}
	r = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r) {
		log_error("cannot fork: %s", strerror(-r));
		close(ends[0]);
		return r;
	}
	*launcher = (struct launcher){ .fd = ends[0], .pid = pid };
	return 0;
}

/* It will be reaped as any other child. */
static int give_up(struct launcher *launcher)
{
	if (launcher->fd >= 0)
		close(launcher->fd);
	launcher->fd = -1;
	launcher->is_gone = true;
	if (launcher->pid > 0)
		kill(launcher->pid, SIGKILL);
	return -EPIPE;
}

static int request_with(struct launcher *launcher, enum launcher_verb verb, uint32_t number,
			int tap_fd)
{
	const struct await_limit limit =
		await_within(&AWAIT_FOREVER, launcher->is_stopping ? END_NS : ANSWER_NS);
	struct launcher_request request = { .verb = verb, .number = number };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = &request, .iov_len = sizeof(request) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct launcher_answer answer;
	ssize_t n;

	if (launcher->fd < 0)
		return -EPIPE;
	if (tap_fd >= 0) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &tap_fd, sizeof(int));
	}
	if (sendmsg(launcher->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(request))
		return give_up(launcher);
	do {
		if (await_input(launcher->fd, &limit))
			return give_up(launcher);
		n = recv(launcher->fd, &answer, sizeof(answer), MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n == sizeof(answer) ? answer.result : give_up(launcher);
}

int launcher_request(struct launcher *launcher, enum launcher_verb verb, uint32_t number)
{
	return request_with(launcher, verb, number, -1);
}

int launcher_request_tap(struct launcher *launcher, uint32_t number, int fd)
{
	return request_with(launcher, LAUNCHER_TAP, number, fd);
}

void launcher_ended(struct launcher *launcher, int status)
{
	char how[48];

	launcher->pid = 0;
	(void)give_up(launcher);
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "exited with code %d", WEXITSTATUS(status));
	log_error("the launcher %s; everything goes on, but nothing can be restarted: restart the "
		  "instance",
		  how);
}

void launcher_stop(struct launcher *launcher)
{
	struct await_limit limit = await_within(&AWAIT_FOREVER, END_NS);

	if (launcher->fd >= 0)
		close(launcher->fd);
	launcher->fd = -1;
	if (launcher->pid > 0 && await_child(launcher->pid, NULL, &limit) == -ETIMEDOUT) {
		kill(launcher->pid, SIGKILL);
		limit = await_within(&AWAIT_FOREVER, END_NS);
		(void)await_child(launcher->pid, NULL, &limit);
	}
	launcher->pid = 0;
}
