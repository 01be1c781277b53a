/* SPDX-License-Identifier: Apache-2.0 */
/* What a launcher takes for a request, and what ends it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/priv/launcher/launcher.h"

enum { FUNCTION, NOTHING, PROGRAM, PAIR, N };

static struct launcher_pair pair = { .fds = { -1, -1, -1, -1, -1, -1, -1, -1 },
				     .channels = LAUNCHER_CHANNELS_NULL };
static struct launcher_table table;
static char uplink[LAUNCHER_UPLINK_SIZE] = "7";
static char *arguments[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit $0" }, uplink,
			     NULL };
static int socket_fd = -1;
static pid_t launcher_pid;

static int sleep_long(const void *data)
{
	(void)data;
	sleep(100);
	return 0;
}

static void setup(void)
{
	int ends[2];

	capture_begin();
	for (int i = 0; i < N; i++)
		table.entries[i].pidfd = -1;
	table.entries[FUNCTION].kind = LAUNCHER_FUNCTION;
	table.entries[FUNCTION].function = sleep_long;
	table.entries[PROGRAM].kind = LAUNCHER_PROGRAM;
	table.entries[PROGRAM].program.fd = open("/bin/sh", O_PATH | O_CLOEXEC);
	table.entries[PROGRAM].program.argv = arguments;
	table.entries[PAIR].kind = LAUNCHER_PAIR;
	table.entries[PAIR].pair = &pair;
	table.n = N;
	table.uplink = uplink;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	launcher_pid = fork();
	cr_assert_geq(launcher_pid, 0);
	if (!launcher_pid) {
		close(ends[0]);
		_exit(-launcher_serve(ends[1], &table));
	}
	close(ends[1]);
	socket_fd = ends[0];
}

TestSuite(launcher_serve, .init = setup, .timeout = 20);

/* Returns the code with which the launcher exits. */
static int exit_code(void)
{
	int status;

	cr_assert_eq(waitpid(launcher_pid, &status, 0), launcher_pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int ask(uint32_t verb, uint32_t number)
{
	const struct launcher_request request = { verb, number };
	struct launcher_answer answer;

	cr_assert_eq(send(socket_fd, &request, sizeof(request), 0), (ssize_t)sizeof(request));
	cr_assert_eq(recv(socket_fd, &answer, sizeof(answer), 0), (ssize_t)sizeof(answer));
	return answer.result;
}

Test(launcher_serve, ends_with_the_supervisor)
{
	close(socket_fd);
	cr_expect_eq(exit_code(), 0);
}

/* One of every size but the right one */
#define SIZE_TEST(size)                                                           \
	Test(launcher_serve, request_of_##size##_octets)                          \
	{                                                                         \
		static const uint32_t request[64] = { LAUNCHER_START, FUNCTION }; \
                                                                                  \
		cr_assert_eq(send(socket_fd, request, size, 0), size);            \
		cr_expect_eq(exit_code(), EBADMSG);                               \
	}
SIZE_TEST(1)
SIZE_TEST(4)
SIZE_TEST(7)
SIZE_TEST(9)
SIZE_TEST(12)
SIZE_TEST(16)
SIZE_TEST(256)

/* Verbs that there are not, numbers that there are not, and verbs for another kind of number */
#define WRONG_TEST(name, verb, number)                                    \
	Test(launcher_serve, name)                                        \
	{                                                                 \
		const struct launcher_request request = { verb, number }; \
                                                                          \
		cr_assert_eq(send(socket_fd, &request, 8, 0), 8);         \
		cr_expect_eq(exit_code(), EBADMSG);                       \
	}
WRONG_TEST(verb_zero, 0, FUNCTION)
WRONG_TEST(verb_after_the_last, _LAUNCHER_VERB_END, FUNCTION)
WRONG_TEST(verb_far_away, UINT32_MAX, FUNCTION)
WRONG_TEST(number_after_the_last, LAUNCHER_START, N)
WRONG_TEST(number_far_away, LAUNCHER_START, UINT32_MAX)
WRONG_TEST(number_of_nothing, LAUNCHER_START, NOTHING)
WRONG_TEST(stop_of_nothing, LAUNCHER_STOP, NOTHING)
WRONG_TEST(container_of_a_program, LAUNCHER_CREATE, PROGRAM)
WRONG_TEST(container_of_a_function, LAUNCHER_DELETE, FUNCTION)
WRONG_TEST(tap_of_a_program, LAUNCHER_TAP, PROGRAM)
WRONG_TEST(uplink_zero, LAUNCHER_UPLINK, 0)
WRONG_TEST(uplink_too_large, LAUNCHER_UPLINK, (uint32_t)INT32_MAX + 1)

static void send_with(uint32_t verb, uint32_t number, const int *fds, size_t n)
{
	struct launcher_request request = { verb, number };
	char control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec part = { &request, sizeof(request) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(header), fds, n * sizeof(int));
	cr_assert_eq(sendmsg(socket_fd, &message, 0), (ssize_t)sizeof(request));
}

Test(launcher_serve, descriptor_with_another_verb)
{
	send_with(LAUNCHER_START, FUNCTION, (int[]){ 0 }, 1);
	cr_expect_eq(exit_code(), EBADMSG);
}

Test(launcher_serve, two_descriptors)
{
	send_with(LAUNCHER_TAP, PAIR, (int[]){ 0, 1 }, 2);
	cr_expect_eq(exit_code(), EBADMSG);
}

/* It is refused, and closed. */
Test(launcher_serve, descriptor_that_is_no_tap)
{
	struct launcher_answer answer = { 0 };
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	send_with(LAUNCHER_TAP, PAIR, &ends[1], 1);
	cr_assert_eq(recv(socket_fd, &answer, sizeof(answer), 0), (ssize_t)sizeof(answer));
	cr_expect_eq(answer.result, -EBADMSG);
	close(ends[1]);
	cr_expect_eq(read(ends[0], (char[1]){ 0 }, 1), 0, "nobody else has the other end");
	cr_expect_eq(ask(LAUNCHER_TAP, PAIR), 0, "it goes on");
}

/* What it starts is a child of ours, and knows us as its parent. */
Test(launcher_serve, program)
{
	pid_t pid = ask(LAUNCHER_START, PROGRAM);
	int status;

	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "%x", status);
	cr_expect_eq(ask(LAUNCHER_STOP, PROGRAM), 0, "it has ended already");
}

Test(launcher_serve, another_uplink)
{
	pid_t pid;
	int status;

	cr_expect_eq(ask(LAUNCHER_UPLINK, 47), 0);
	pid = ask(LAUNCHER_START, PROGRAM);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 47, "%x", status);
}

Test(launcher_serve, function_is_stopped)
{
	pid_t pid;
	int status;

	if (geteuid())
		cr_skip_test("needs root: the process drops its capabilities");
	pid = ask(LAUNCHER_START, FUNCTION);
	cr_assert_gt(pid, 0);
	cr_expect_eq(waitpid(pid, &status, WNOHANG), 0);
	cr_expect_eq(ask(LAUNCHER_STOP, FUNCTION), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", status);
}

/* Nothing that it has started ends with it. */
Test(launcher_serve, end_of_the_launcher)
{
	pid_t pid;

	if (geteuid())
		cr_skip_test("needs root: the process drops its capabilities");
	pid = ask(LAUNCHER_START, FUNCTION);
	cr_assert_eq(kill(launcher_pid, SIGKILL), 0);
	cr_assert_eq(waitpid(launcher_pid, NULL, 0), launcher_pid);
	cr_expect_eq(usleep(20000), 0);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), 0);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* A start without LAUNCHER_CREATE has no channels. */
Test(launcher_serve, pair_that_was_not_created)
{
	cr_expect_eq(ask(LAUNCHER_START, PAIR), -ENOTCONN);
	cr_expect_eq(ask(LAUNCHER_STOP, PAIR), 0);
}
