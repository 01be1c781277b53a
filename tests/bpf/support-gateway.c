/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-gateway.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/priv/roles.h"

#define N_FDS (_GATEWAY_FD_END - GATEWAY_FD_GATE)

static const char head[] =
	"name: dhcp4\n"
	"executable: calf-dhcp4\n"
	"limits: {memory: 16777216, pids: 4, requests_per_second: 200, request_burst: 100}\n"
	"keys:\n";
static const char tail[] = "frames:\n"
			   "  - check: dhcp4\n"
			   "    local_port: 68\n"
			   "    remote_port: 67\n"
			   "    max_frame: 1514\n"
			   "    ingress_per_second: 50\n"
			   "    ingress_burst: 20\n"
			   "    egress_per_second: 30\n"
			   "    egress_burst: 10\n";

static const struct test_rule supervisor_rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 1023 },
						     { NULL } };

static void run_gateway(const int fds[N_FDS], int log)
{
	struct options options = {
		.role = ROLE_GATEWAY,
		.i_calf = 0,
		.uid_base = GATEWAY_TEST_UID_BASE,
		.calves = { "/tmp/calf" },
		.n_calves = 1,
		.mode = -1,
	};
	int high[N_FDS];

	for (int i = 0; i < N_FDS; i++) {
		high[i] = fcntl(fds[i], F_DUPFD, 200);
		if (high[i] < 0)
			_exit(91);
	}
	if (dup2(log, 2) < 0)
		_exit(92);
	for (int i = 0; i < N_FDS; i++)
		if (dup2(high[i], GATEWAY_FD_GATE + i) < 0)
			_exit(93);
	(void)close_range(_GATEWAY_FD_END, ~0u, 0);
	_exit(gateway_main(&options));
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
	cr_assert_gt(fprintf(file, "%s%s%s", head, keys, tail), 0);
	cr_assert_eq(fclose(file), 0);
}

void gateway_test_begin(struct gateway_test *test, const char *keys, const struct test_rule *rules,
			uint32_t requests_per_second, uint32_t burst)
{
	int socket_fds[2], out[2], err[2], log[2], ring;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	write_calf(keys);
	gate_test_begin(&test->gate, 1024, 4);
	gate_test_subject(&test->gate, KV_SUBJECT_SUPERVISOR, supervisor_rules, FAST, 1000);
	gate_test_subject(&test->gate, KV_SUBJECT_CALF, rules, requests_per_second, burst);
	cr_assert_eq(store_seal(&test->gate.store), 0);
	ring = test->gate.store.ring_fds[KV_SUBJECT_CALF];
	if (ring < 0)
		ring = open("/dev/null", O_RDWR | O_CLOEXEC);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket_fds), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(log, O_CLOEXEC), 0);
	test->pid = fork();
	cr_assert_geq(test->pid, 0);
	if (test->pid == 0)
		run_gateway((const int[]){ test->gate.fds[KV_SUBJECT_CALF], socket_fds[1], out[0],
					   err[0], ring },
			    log[1]);
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
