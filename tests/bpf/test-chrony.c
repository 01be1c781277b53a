/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role that asks chronyd, confined as in production, with a chronyd simulated by
 * the test: of another user, in a directory that only this user can access.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/priv/chrony/chrony.h"
#include "userspace/priv/roles.h"

#define DIRECTORY "/tmp/chrony"
#define SOCKET DIRECTORY "/" CHRONY_SOCKET
#define UID 65500u
#define GID 65501u
#define PATIENCE_MS 60000

static int server = -1;

static int sh(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	capture_begin();
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mkdir(DIRECTORY, 0700), 0);
	cr_assert_eq(chown(DIRECTORY, UID, GID), 0);
}

TestSuite(chrony_role, .init = setup);

/* chronyd's socket, 0755 as it makes it: only its user may connect. */
static void listen_as(int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };

	server = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(chmod(SOCKET, 0755), 0);
	cr_assert_eq(chown(SOCKET, UID, GID), 0);
}

static pid_t start_role(int directory)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid)
		return pid;
	if (dup2(directory, CHRONY_FD_DIRECTORY) < 0)
		_exit(99);
	(void)close_range(CHRONY_FD_DIRECTORY + 1, ~0u, 0);
	log_init("role", 2, LOG_LEVEL_INFO);
	_exit(chrony_main());
}

static int end_of(pid_t pid)
{
	int status = 0;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status %x", status);
	return WEXITSTATUS(status);
}

static int open_directory(void)
{
	int fd = open(DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

static pid_t start(void)
{
	int fd = open_directory();
	pid_t pid = start_role(fd);

	close(fd);
	return pid;
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* One request and its sender. */
struct asked {
	uint8_t request[64];
	ssize_t size;
	struct sockaddr_un from;
};

static bool await_request(struct asked *asked, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = server, .events = POLLIN };
	socklen_t length = sizeof(asked->from);

	*asked = (struct asked){ .size = -1 };
	if (poll(&poll_fd, 1, timeout_ms) != 1)
		return false;
	asked->size = recvfrom(server, asked->request, sizeof(asked->request), 0,
			       (struct sockaddr *)&asked->from, &length);
	return asked->size == CHRONY_SIZE;
}

static void answer(const struct asked *asked, uint8_t status, uint8_t version, size_t size)
{
	uint8_t reply[1500] = { version, 2, 0, 0, 0, 70, 0, 1, 0, status };

	memcpy(reply + 16, asked->request + 8, 4);
	cr_expect_eq(sendto(server, reply, size, 0, (const struct sockaddr *)&asked->from,
			    sizeof(asked->from)),
		     (ssize_t)size, "%s", strerror(errno));
}

/* The role leaves nothing in the directory of chronyd's socket. */
static void expect_clean(void)
{
	cr_expect_eq(sh("test \"$(ls -A " DIRECTORY " | grep -v chronyd.sock)\" = ''"), 0);
}

/* Stop the role, so that its timeout does not matter: at most one of its three attempts
 * expires meanwhile. */
static void hold(pid_t pid)
{
	cr_assert_eq(kill(pid, SIGSTOP), 0);
}

static void resume(pid_t pid)
{
	cr_assert_eq(kill(pid, SIGCONT), 0);
}

static int expect_answered(uint8_t status)
{
	struct asked asked;
	pid_t pid = start();

	cr_assert(await_request(&asked, PATIENCE_MS));
	hold(pid);
	answer(&asked, status, 6, CHRONY_SIZE);
	resume(pid);
	return end_of(pid);
}

/* A line of /proc/PID/status. */
static void expect_status(pid_t pid, const char *line)
{
	char command[160];

	(void)snprintf(command, sizeof(command),
		       "tr '\\t' ' ' < /proc/%d/status | sed 's/ *$//' | grep -qx '%s'", pid, line);
	cr_expect_eq(sh(command), 0, "no \"%s\"", line);
}

/* Resume a stopped role and reply: it succeeds and leaves nothing behind. */
static void expect_reloaded(pid_t pid, const struct asked *asked)
{
	answer(asked, 0, 6, CHRONY_SIZE);
	resume(pid);
	cr_expect_eq(end_of(pid), CHRONY_RELOADED);
	expect_clean();
}

Test(chrony_role, reloaded)
{
	char name[108];
	struct asked asked;
	struct stat status;
	pid_t pid;

	listen_as(SOCK_DGRAM);
	pid = start();
	cr_assert(await_request(&asked, PATIENCE_MS));
	/* named as chronyc names it, for chronyd to write to */
	(void)snprintf(name, sizeof(name), DIRECTORY "/chronyc.%d.sock", pid);
	cr_expect_str_eq(asked.from.sun_path, name);
	cr_assert_eq(stat(name, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0666);
	cr_expect_eq(status.st_uid, UID);
	hold(pid);
	expect_status(pid, "Uid: 65500 65500 65500 65500");
	expect_status(pid, "Gid: 65501 65501 65501 65501");
	expect_status(pid, "Groups:");
	expect_status(pid, "CapPrm: 0000000000000000");
	expect_status(pid, "CapBnd: 0000000000000000");
	expect_status(pid, "NoNewPrivs: 1");
	expect_status(pid, "Seccomp: 2");
	expect_reloaded(pid, &asked);
}

/* A chronyd that keeps running as root has a directory owned by root. */
Test(chrony_role, of_root)
{
	struct asked asked;
	pid_t pid;

	cr_assert_eq(chown(DIRECTORY, 0, 0), 0);
	listen_as(SOCK_DGRAM);
	cr_assert_eq(chown(SOCKET, 0, 0), 0);
	pid = start();
	cr_assert(await_request(&asked, PATIENCE_MS));
	hold(pid);
	expect_status(pid, "Uid: 0 0 0 0");
	expect_status(pid, "CapPrm: 0000000000000000");
	expect_status(pid, "CapBnd: 0000000000000000");
	expect_reloaded(pid, &asked);
}

Test(chrony_role, refused)
{
	struct asked asked;
	pid_t pid;

	listen_as(SOCK_DGRAM);
	cr_expect_eq(expect_answered(1), CHRONY_REFUSED + 1);
	cr_expect_eq(expect_answered(2), CHRONY_REFUSED + 2);
	cr_expect_eq(expect_answered(200), CHRONY_REFUSED + CHRONY_STATUS_MAX);
	pid = start();
	cr_assert(await_request(&asked, PATIENCE_MS));
	hold(pid);
	answer(&asked, 18, 7, CHRONY_SIZE);
	resume(pid);
	cr_expect_eq(end_of(pid), CHRONY_REFUSED + 18);
	expect_clean();
}

/* Three requests with one sequence number, a second in all. */
Test(chrony_role, silent)
{
	struct asked first, next;
	double begin = now();
	pid_t pid;

	listen_as(SOCK_DGRAM);
	pid = start();
	cr_assert(await_request(&first, PATIENCE_MS));
	cr_assert(await_request(&next, PATIENCE_MS));
	cr_expect_eq(next.request[7], 1);
	cr_expect_arr_eq(next.request + 8, first.request + 8, 4);
	cr_assert(await_request(&next, PATIENCE_MS));
	cr_expect_eq(next.request[7], 2);
	cr_expect_eq(end_of(pid), CHRONY_SILENT);
	cr_expect(now() - begin > 0.9, "%f s", now() - begin);
	cr_expect_not(await_request(&next, 0));
	expect_clean();
}

/* A late reply to the first request is accepted. */
Test(chrony_role, late)
{
	struct asked first, next;
	pid_t pid;

	listen_as(SOCK_DGRAM);
	pid = start();
	cr_assert(await_request(&first, PATIENCE_MS));
	cr_assert(await_request(&next, PATIENCE_MS));
	hold(pid);
	answer(&first, 0, 6, CHRONY_SIZE);
	resume(pid);
	cr_expect_eq(end_of(pid), CHRONY_RELOADED);
	expect_clean();
}

/* A malformed reply is ignored; a reply after it is accepted. */
Test(chrony_role, malformed)
{
	struct asked asked;
	size_t size;
	pid_t pid;

	listen_as(SOCK_DGRAM);
	pid = start();
	cr_assert(await_request(&asked, PATIENCE_MS));
	hold(pid);
	for (size = 0; size < CHRONY_SIZE; size += 4)
		answer(&asked, 0, 6, size);
	answer(&asked, 0, 6, CHRONY_SIZE);
	resume(pid);
	cr_expect_eq(end_of(pid), CHRONY_RELOADED);

	pid = start();
	cr_assert(await_request(&asked, PATIENCE_MS));
	do {
		hold(pid);
		answer(&asked, 0, 9, 1500);
		resume(pid);
	} while (await_request(&asked, 500));
	cr_expect_eq(end_of(pid), CHRONY_MALFORMED);
	expect_clean();
}

Test(chrony_role, not_running)
{
	cr_expect_eq(end_of(start()), CHRONY_NOT_RUNNING); /* no socket */
	listen_as(SOCK_DGRAM);
	close(server);
	cr_expect_eq(end_of(start()), CHRONY_NOT_RUNNING); /* a socket without a process */
	expect_clean();
}

/* chronyd exits between two requests. */
Test(chrony_role, ends_meanwhile)
{
	struct asked asked;
	pid_t pid;

	listen_as(SOCK_DGRAM);
	pid = start();
	cr_assert(await_request(&asked, PATIENCE_MS));
	hold(pid);
	close(server);
	resume(pid);
	cr_expect_eq(end_of(pid), CHRONY_NOT_RUNNING);
	expect_clean();
}

/* Something else under the socket's name. */
Test(chrony_role, no_socket_there)
{
	cr_assert_eq(sh("echo > " SOCKET), 0);
	cr_expect_eq(end_of(start()), CHRONY_ERROR + ENOTSOCK);
	cr_assert_eq(unlink(SOCKET), 0);
	cr_assert_eq(symlink("/dev/null", SOCKET), 0);
	cr_expect_eq(end_of(start()), CHRONY_ERROR + ENOTSOCK);
	cr_assert_eq(unlink(SOCKET), 0);
	listen_as(SOCK_STREAM);
	cr_assert_eq(listen(server, 1), 0);
	cr_expect_eq(end_of(start()), CHRONY_ERROR + EPROTOTYPE);
	expect_clean();
}

/* The role may not write to a socket whose owner is not that of the directory. */
Test(chrony_role, no_right_to_it)
{
	listen_as(SOCK_DGRAM);
	cr_assert_eq(chown(SOCKET, UID + 10, GID + 10), 0);
	cr_expect_eq(end_of(start()), CHRONY_ERROR + EACCES);
	cr_assert_eq(chown(SOCKET, UID, GID), 0);
	cr_assert_eq(chmod(DIRECTORY, 0500), 0);
	cr_expect_eq(end_of(start()), CHRONY_ERROR + EACCES);
	expect_clean();
}

/* A directory that was replaced after it was opened: the new one with the same name is
 * neither written to nor used. */
Test(chrony_role, directory_replaced)
{
	int fd = open_directory();

	cr_assert_eq(rename(DIRECTORY, "/tmp/former"), 0);
	cr_expect_eq(end_of(start_role(fd)), CHRONY_NOT_RUNNING);
	cr_assert_eq(rmdir("/tmp/former"), 0);
	cr_expect_eq(end_of(start_role(fd)), CHRONY_NOT_RUNNING);
	close(fd);
}

Test(chrony_role, no_directory)
{
	int fd = open("/dev/null", O_PATH | O_CLOEXEC);

	cr_expect_eq(end_of(start_role(fd)), CHRONY_ERROR + ENOTDIR);
	close(fd);
}

/* chronyd's own limit is that of socket names, too. */
Test(chrony_role, long_name)
{
	char path[140];
	int fd;

	memset(path, 'x', sizeof(path));
	memcpy(path, "/tmp/", 5);
	path[sizeof(path) - 1] = '\0';
	cr_assert_eq(mkdir(path, 0755), 0);
	fd = open(path, O_PATH | O_CLOEXEC);
	cr_expect_eq(end_of(start_role(fd)), CHRONY_ERROR + ENAMETOOLONG);
	close(fd);
	cr_assert_eq(rmdir(path), 0);
	path[100] = '\0'; /* the directory fits, but the role's socket in it does not */
	cr_assert_eq(mkdir(path, 0755), 0);
	fd = open(path, O_PATH | O_CLOEXEC);
	cr_expect_eq(end_of(start_role(fd)), CHRONY_ERROR + ENAMETOOLONG);
	close(fd);
}

/* The socket of a killed process does not get in the way. */
Test(chrony_role, stale_name)
{
	char command[128];
	struct asked asked;
	pid_t pid;
	int fd;

	listen_as(SOCK_DGRAM);
	fd = open_directory();
	pid = fork();
	if (pid == 0) {
		(void)snprintf(command, sizeof(command),
			       "touch " DIRECTORY "/chronyc.%d.sock; chown 65500:65501 " DIRECTORY
			       "/*",
			       getpid());
		if (sh(command) || dup2(fd, CHRONY_FD_DIRECTORY) < 0)
			_exit(99);
		_exit(chrony_main());
	}
	close(fd);
	cr_assert(await_request(&asked, PATIENCE_MS));
	hold(pid);
	expect_reloaded(pid, &asked);
}
