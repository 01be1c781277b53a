/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway as a process of its own, confined as in life, between a socket
 * and a real gate.
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
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"
#include "userspace/common/wire.h"
#include "userspace/priv/roles.h"

#define UID_BASE 1900000100u
#define BURST 50

static const char description[] =
	"name: dhcp4\n"
	"executable: calf-dhcp4\n"
	"limits: {memory: 16777216, pids: 4, requests_per_second: 200, request_burst: 100}\n"
	"keys:\n"
	"  - {path: /ip, type: ipv4-net, access: [write, delete]}\n"
	"  - {path: /mac, type: mac, access: [read]}\n"
	"  - {path: /lease/time, type: lifetime, access: [read, write, delete]}\n"
	"  - {path: /only/described, type: text, access: [read, write]}\n"
	"frames:\n"
	"  - check: dhcp4\n"
	"    local_port: 68\n"
	"    remote_port: 67\n"
	"    max_frame: 1514\n"
	"    ingress_per_second: 50\n"
	"    ingress_burst: 20\n"
	"    egress_per_second: 30\n"
	"    egress_burst: 10\n";

/* /only/described is missing here: what the kernel refuses is refused. */
static const struct test_rule calf_rules[] = { { "/ip", KV_ACCESS_WRITE | KV_ACCESS_DELETE,
						 KV_CLASS_TEXT, 18 },
					       { "/mac", KV_ACCESS_READ, KV_CLASS_TEXT, 17 },
					       { "/lease/time", ALL_ACCESS, KV_CLASS_TEXT, 10 },
					       { NULL } };
static const struct test_rule other_rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 1023 },
						{ NULL } };

static struct gate_test test;
static pid_t gateway = -1;
static int control = -1, calf_stdout = -1, calf_stderr = -1, gateway_log = -1;

static void run_gateway(const int fds[4], int log)
{
	struct options options = {
		.role = ROLE_GATEWAY,
		.i_calf = 0,
		.uid_base = UID_BASE,
		.calves = { "/tmp/calf" },
		.n_calves = 1,
		.mode = -1,
	};
	int high[4];

	for (int i = 0; i < 4; i++) {
		high[i] = fcntl(fds[i], F_DUPFD, 200);
		if (high[i] < 0)
			_exit(91);
	}
	if (dup2(log, 2) < 0)
		_exit(92);
	for (int i = 0; i < 4; i++)
		if (dup2(high[i], GATEWAY_FD_GATE + i) < 0)
			_exit(93);
	(void)close_range(_GATEWAY_FD_END, ~0u, 0);
	_exit(gateway_main(&options));
}

static void setup(void)
{
	int socket_fds[2], out[2], err[2], log[2];
	FILE *file;

	if (geteuid() != 0)
		cr_skip_test("needs root");
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
	cr_assert_geq(fputs(description, file), 0);
	cr_assert_eq(fclose(file), 0);

	gate_test_begin(&test, 256, 4);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, other_rules, FAST, 1000);
	(void)gate_test_subject(&test, KV_SUBJECT_CALF, calf_rules, 1, BURST);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket_fds), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(log, O_CLOEXEC), 0);
	gateway = fork();
	cr_assert_geq(gateway, 0);
	if (gateway == 0)
		run_gateway((const int[]){ test.fds[KV_SUBJECT_CALF], socket_fds[1], out[0],
					   err[0] },
			    log[1]);
	close(socket_fds[1]);
	close(out[0]);
	close(err[0]);
	close(log[1]);
	control = socket_fds[0];
	calf_stdout = out[1];
	calf_stderr = err[1];
	gateway_log = log[0];
}

static void teardown(void)
{
	if (gateway > 0) {
		(void)kill(gateway, SIGKILL);
		(void)waitpid(gateway, NULL, 0);
	}
	gate_test_end(&test);
}

TestSuite(gateway, .init = setup, .fini = teardown, .timeout = 30);

/* The exit code of the gateway, or minus the signal that ended it. */
static int ended(void)
{
	int status = 0;

	cr_assert_eq(waitpid(gateway, &status, 0), gateway);
	gateway = -1;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* All that it logged, once it has ended. */
static const char *logged(void)
{
	static char text[65536];
	size_t size = 0;
	ssize_t n;

	while ((n = read(gateway_log, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	return text;
}

/* The next response, as "ok TEXT" or "error TEXT". */
static const char *response(void)
{
	static uint8_t bytes[WIRE_RESPONSE_MAX];
	static char text[KV_VALUE_SIZE + 16];
	struct wire_response response;
	size_t size = 0;
	int wanted = 0;

	while (wanted == 0 || size < (size_t)wanted) {
		size_t ask = wanted == 0 ? 8 - size : (size_t)wanted - size;
		ssize_t n = read(control, bytes + size, ask);

		if (n <= 0)
			return "closed";
		size += (size_t)n;
		wanted = wire_frame_size(bytes, size);
		cr_assert_geq(wanted, 0);
	}
	cr_assert_eq(wire_decode_response(bytes, size, &response), 0);
	snprintf(text, sizeof(text), "%s %.*s", response.tag == WIRE_OK ? "ok" : "error",
		 (int)response.value.size, (const char *)response.value.bytes);
	return text;
}

static uint8_t frame[WIRE_FRAME_MAX];

static void ask(enum wire_request_tag tag, const char *path, const char *value)
{
	int size = wire_encode_request(1, tag, path, value, strlen(value), 0, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	cr_assert_eq(write(control, frame, (size_t)size), size);
}

static const char *answer(enum wire_request_tag tag, const char *path, const char *value)
{
	ask(tag, path, value);
	return response();
}

static const char *stored(const char *path)
{
	static struct kv_value value;
	int r = gate_read(test.fds[KV_SUBJECT_SUPERVISOR], path, &value);

	return r == 0 ? value.text : strerrorname_np(-r);
}

Test(gateway, requests_reach_the_store_as_the_calf)
{
	static struct gate_commit commit;
	int size;

	gate_write(test.fds[KV_SUBJECT_SUPERVISOR], "/mac", "02:00:00:00:77:02", 17, NULL);
	cr_assert_str_eq(answer(WIRE_READ, "/mac", ""), "ok 02:00:00:00:77:02");
	cr_assert_str_eq(answer(WIRE_WRITE, "/mac", "02:00:00:00:77:03"),
			 "error mac is not an allowed path");
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15/24\n"), "ok ");
	cr_assert_str_eq(stored("/ip"), "10.0.2.15/24");
	cr_assert_str_eq(answer(WIRE_READ, "/lease/time", ""), "error err-not-found");
	cr_assert_str_eq(answer(WIRE_DELETE, "/lease/time", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_WRITE, "/only/described", "x"),
			 "error only/described is not an allowed path");

	gate_commit_init(&commit);
	gate_commit_delete(&commit, "/ip");
	gate_commit_write(&commit, "/lease/time", "3600", 4);
	size = wire_encode_commit(2, commit.bytes, commit.size, commit.n_changes, 0, frame,
				  sizeof(frame));
	cr_assert_eq(write(control, frame, (size_t)size), size);
	cr_assert_str_eq(response(), "ok ");
	cr_assert_str_eq(stored("/ip"), "ENOENT");
	cr_assert_str_eq(stored("/lease/time"), "3600");

	gate_commit_init(&commit);
	gate_commit_write(&commit, "/lease/time", "7200", 4);
	gate_commit_write(&commit, "/only/described", "x", 1);
	size = wire_encode_commit(3, commit.bytes, commit.size, commit.n_changes, 0, frame,
				  sizeof(frame));
	cr_assert_eq(write(control, frame, (size_t)size), size);
	cr_assert_str_eq(response(), "error only/described is not an allowed path");
	cr_assert_str_eq(stored("/lease/time"), "3600", "all or nothing");

	close(control);
	cr_assert_eq(ended(), ROLE_EXIT_EOF);
	cr_assert_str_eq(logged(), "");
}

Test(gateway, rate_of_the_calf)
{
	const char *text = "ok ";
	int n = 0;

	while (strcmp(text, "ok ") == 0 && n++ < 10 * BURST)
		text = answer(WIRE_WRITE, "/lease/time", "1");
	cr_assert_str_eq(text, "error quota exceeded");
	cr_assert_geq(n, BURST / 2);
}

Test(gateway, pipelined_flood_goes_on)
{
	/* As many at once as the two socket buffers surely hold: the gateway
	 * reads no further while nobody takes its responses. */
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 100; i++)
			ask(WIRE_READ, "/nothing", "");
		for (int i = 0; i < 100; i++)
			cr_assert_str_eq(response(), "error nothing is not an allowed path");
	}
}

Test(gateway, malformed_message)
{
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15/24"), "ok ");
	cr_assert_eq(write(control, "\xff\xff\xff\xff", 4), 4);
	cr_assert_str_eq(response(), "closed");
	cr_assert_eq(ended(), ROLE_EXIT_MALFORMED);
	cr_assert_str_eq(logged(), "<error> dhcp4: gateway: malformed message after 1 requests: "
				   "EMSGSIZE\n");
	cr_assert_str_eq(stored("/ip"), "10.0.2.15/24");
}

Test(gateway, passed_descriptor)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} passed = { .head = { .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS,
			       .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec part = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};

	memcpy(CMSG_DATA(&passed.head), &(int){ 0 }, sizeof(int));
	cr_assert_eq(sendmsg(control, &message, 0), 1);
	cr_assert_eq(ended(), ROLE_EXIT_MALFORMED);
	cr_assert_str_eq(logged(), "<error> dhcp4: gateway: malformed message after 0 requests: "
				   "EPROTO\n");
}

Test(gateway, log_pipes)
{
	static const char out[] = "<info> bound\x1b[2J to 10.0.2.15\nhalf a li";
	static const char err[] = "<error> cannot go on\nlast words";

	cr_assert_eq(write(calf_stdout, out, sizeof(out) - 1), sizeof(out) - 1);
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok ");
	cr_assert_eq(write(calf_stderr, err, sizeof(err) - 1), sizeof(err) - 1);
	close(calf_stdout);
	close(calf_stderr);
	close(control);
	cr_assert_eq(ended(), ROLE_EXIT_EOF);
	cr_assert_not_null(strstr(logged(), "<info> dhcp4: calf: bound?[2J to 10.0.2.15\n"));
}

Test(gateway, log_pipes_may_end_before_the_socket)
{
	const char *text;

	cr_assert_eq(write(calf_stderr, "only this\nand", 13), 13);
	close(calf_stdout);
	close(calf_stderr);
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok ");
	close(control);
	cr_assert_eq(ended(), ROLE_EXIT_EOF);
	text = logged();
	cr_assert_not_null(strstr(text, "<info> dhcp4: calf: only this\n"), "%s", text);
	cr_assert_not_null(strstr(text, "<info> dhcp4: calf: and\n"), "%s", text);
}

Test(gateway, log_flood)
{
	static char flood[50000];
	const char *text;

	memset(flood, 'x', sizeof(flood));
	for (size_t i = 9; i < sizeof(flood); i += 10)
		flood[i] = '\n';
	cr_assert_eq(write(calf_stdout, flood, sizeof(flood)), sizeof(flood));
	close(control);
	cr_assert_eq(ended(), ROLE_EXIT_EOF);
	text = logged();
	cr_assert_not_null(strstr(text, "gateway: 4800 lines of the calf suppressed\n"), "%s",
			   text + strlen(text) - 200);
}

Test(gateway, its_rights)
{
	char path[64], line[256];
	bool uid = false, no_capability = false, filtered = false;
	FILE *file;

	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok "); /* it is confined by now */
	snprintf(path, sizeof(path), "/proc/%d/status", gateway);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		uid |= strcmp(line, "Uid:\t1900000101\t1900000101\t1900000101\t1900000101\n") == 0;
		no_capability |= strcmp(line, "CapEff:\t0000000000000000\n") == 0;
		filtered |= strcmp(line, "Seccomp:\t2\n") == 0;
	}
	fclose(file);
	cr_assert(uid && no_capability && filtered);
}
