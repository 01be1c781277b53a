/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-gateway.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/program.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/key_table.h"
#include "userspace/priv/roles.h"

#define N_FDS (_GATEWAY_FD_END - GATEWAY_FD_GATE)

static const struct test_rule supervisor_rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 1023 },
						     { NULL } };

/* As the supervisor makes it. */
static int seal_keys(void)
{
	static struct description description;
	struct key_table table = { .uid = GATEWAY_TEST_UID_BASE + 1 };
	int fd;

	cr_assert_eq(description_load("/tmp/calf", &description), 0);
	table.log_bytes_per_second = description.log_bytes_per_second;
	table.log_burst = description.log_burst;
	table.n_keys = description.n_keys;
	memcpy(table.name, description.name, sizeof(table.name));
	memcpy(table.keys, description.keys, sizeof(table.keys));
	fd = key_table_seal(&table);
	cr_assert_geq(fd, 0);
	return fd;
}

static void run_gateway(int program, const int fds[N_FDS], int log)
{
	char *argv[] = { (char[]){ "calfpen-gateway" }, NULL };
	char *no_environment[] = { NULL };
	int high[N_FDS];

	for (int i = 0; i < N_FDS; i++) {
		high[i] = fcntl(fds[i], F_DUPFD, 200);
		if (high[i] < 0)
			_exit(91);
	}
	program = fcntl(program, F_DUPFD, 200);
	if (dup2(log, 2) < 0)
		_exit(92);
	for (int i = 0; i < N_FDS; i++)
		if (dup2(high[i], GATEWAY_FD_GATE + i) < 0)
			_exit(93);
	program = dup3(program, _GATEWAY_FD_END, O_CLOEXEC);
	(void)close_range(_GATEWAY_FD_END + 1, ~0u, 0);
	execveat(program, "", argv, no_environment, AT_EMPTY_PATH);
	_exit(94);
}

/* In a /tmp of our own. */
static void write_calf(const char *keys)
{
	FILE *file;

	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mkdir("/tmp/calf", 0755), 0);
	file = fopen("/tmp/calf/calf-dhcp4", "w");
	cr_assert_not_null(file);
	cr_assert_eq(fchmod(fileno(file), 0755), 0);
	cr_assert_eq(fclose(file), 0);
	file = fopen("/tmp/calf/calf.yaml", "w");
	cr_assert_not_null(file);
	cr_assert_gt(fprintf(file, DESCRIPTION_HEAD "%s" DESCRIPTION_TAIL, keys), 0);
	cr_assert_eq(fclose(file), 0);
}

void gateway_test_begin(struct gateway_test *test, const char *key_lines,
			const struct test_rule *rules, uint32_t requests_per_second, uint32_t burst)
{
	int socket_fds[2], out[2], err[2], log[2], program, ring, keys;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (geteuid() != 0)
		cr_skip_test("needs root");
	program = open_program("calfpen-gateway");
	write_calf(key_lines);
	gate_test_begin(&test->gate, 1024, 4);
	gate_test_subject(&test->gate, KV_SUBJECT_SUPERVISOR, supervisor_rules, FAST, 1000);
	gate_test_subject(&test->gate, KV_SUBJECT_CALF, rules, requests_per_second, burst);
	cr_assert_eq(store_seal(&test->gate.store), 0);
	ring = test->gate.store.ring_fds[KV_SUBJECT_CALF];
	if (ring < 0)
		ring = open("/dev/null", O_RDWR | O_CLOEXEC);

	keys = seal_keys();

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket_fds), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(log, O_CLOEXEC), 0);
	test->pid = fork();
	cr_assert_geq(test->pid, 0);
	if (test->pid == 0)
		run_gateway(program,
			    (const int[]){ test->gate.fds[KV_SUBJECT_CALF], socket_fds[1], out[0],
					   err[0], ring, keys, null, null },
			    log[1]);
	close(null);
	close(program);
	close(keys);
	close(socket_fds[1]);
	close(out[0]);
	close(err[0]);
	close(log[1]);
	test->control = socket_fds[0];
	test->calf_stdout = out[1];
	test->calf_stderr = err[1];
	test->log = log[0];
}

void gateway_test_end(struct gateway_test *test)
{
	if (test->pid > 0) {
		(void)kill(test->pid, SIGKILL);
		(void)waitpid(test->pid, NULL, 0);
	}
	gate_test_end(&test->gate);
}

int gateway_test_wait(struct gateway_test *test)
{
	int status = 0;

	cr_assert_eq(waitpid(test->pid, &status, 0), test->pid);
	test->pid = 0;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

const char *gateway_test_log(const struct gateway_test *test)
{
	static char text[65536];
	size_t size = 0;
	ssize_t n;

	while ((n = read(test->log, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	return text;
}
