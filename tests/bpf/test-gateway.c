/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's process: requests, logs, rights, ends. */
#include <bpf/libbpf.h>
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bpf/support-gateway.h"
#include "userspace/common/wire.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/audit.h"

#define BURST 50

static const char keys[] =
	"  - {path: /ip, type: ipv4-net, access: [write, delete]}\n"
	"  - {path: /mac, type: mac, access: [read]}\n"
	"  - {path: /lease/time, type: lifetime, access: [read, write, delete]}\n"
	"  - {path: /only/described, type: text, access: [read, write]}\n";

/* /only/described is missing here: what the kernel refuses is refused. */
static const struct test_rule calf_rules[] = { { "/ip", KV_ACCESS_WRITE | KV_ACCESS_DELETE,
						 KV_CLASS_TEXT, 18 },
					       { "/mac", KV_ACCESS_READ, KV_CLASS_TEXT, 17 },
					       { "/lease/time", ALL_ACCESS, KV_CLASS_TEXT, 10 },
					       { NULL } };
static struct gateway_test test;

static void setup(void)
{
	gateway_test_begin(&test, keys, calf_rules, 1, BURST);
}

static void teardown(void)
{
	gateway_test_end(&test);
}

TestSuite(gateway, .init = setup, .fini = teardown);

static int ended(void)
{
	return gateway_test_wait(&test);
}

static const char *logged(void)
{
	return gateway_test_log(&test);
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
		ssize_t n = read(test.control, bytes + size, ask);

		if (n <= 0)
			return "closed";
		size += (size_t)n;
		wanted = wire_frame_size(bytes, size);
		cr_assert_geq(wanted, 0);
	}
	cr_assert_eq(wire_decode_response(bytes, size, &response), 0);
	cr_assert_eq(response.code != WIRE_CODE_NONE, response.tag == WIRE_ERROR);
	snprintf(text, sizeof(text), "%s %.*s", response.tag == WIRE_OK ? "ok" : "error",
		 (int)response.value.size, (const char *)response.value.bytes);
	return text;
}

static uint8_t frame[WIRE_FRAME_MAX];

static void ask(enum wire_request_tag tag, const char *path, const char *value)
{
	int size = wire_encode_request(1, tag, path, value, strlen(value), 0, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	cr_assert_eq(write(test.control, frame, (size_t)size), size);
}

static const char *answer(enum wire_request_tag tag, const char *path, const char *value)
{
	ask(tag, path, value);
	return response();
}

static const char *stored(const char *path)
{
	static struct kv_value value;
	int r = gate_read(test.gate.fds[KV_SUBJECT_SUPERVISOR], path, &value);

	return r == 0 ? value.text : strerrorname_np(-r);
}

Test(gateway, requests_reach_the_store_as_the_calf)
{
	static struct commit commit;
	int size;

	gate_write(test.gate.fds[KV_SUBJECT_SUPERVISOR], "/mac", "02:00:00:00:77:02", 17, NULL);
	cr_assert_str_eq(answer(WIRE_READ, "/mac", ""), "ok 02:00:00:00:77:02");
	cr_assert_str_eq(answer(WIRE_WRITE, "/mac", "02:00:00:00:77:03"),
			 "error mac is not an allowed path");
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15/24\n"), "ok ");
	cr_assert_str_eq(stored("/ip"), "10.0.2.15/24");
	cr_assert_str_eq(answer(WIRE_READ, "/lease/time", ""), "error err-not-found");
	cr_assert_str_eq(answer(WIRE_DELETE, "/lease/time", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_WRITE, "/only/described", "x"),
			 "error only/described is not an allowed path");

	commit_init(&commit);
	commit_delete(&commit, "/ip");
	commit_write(&commit, "/lease/time", "3600", 4);
	size = wire_encode_commit(2, commit.bytes, commit.size, commit.n_changes, 0, frame,
				  sizeof(frame));
	cr_assert_eq(write(test.control, frame, (size_t)size), size);
	cr_assert_str_eq(response(), "ok ");
	cr_assert_str_eq(stored("/ip"), "ENOENT");
	cr_assert_str_eq(stored("/lease/time"), "3600");

	commit_init(&commit);
	commit_write(&commit, "/lease/time", "7200", 4);
	commit_write(&commit, "/only/described", "x", 1);
	size = wire_encode_commit(3, commit.bytes, commit.size, commit.n_changes, 0, frame,
				  sizeof(frame));
	cr_assert_eq(write(test.control, frame, (size_t)size), size);
	cr_assert_str_eq(response(), "error only/described is not an allowed path");
	cr_assert_str_eq(stored("/lease/time"), "3600", "all or nothing");

	close(test.control);
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

Test(gateway, pipelined_flood_is_served)
{
	/* As many at once as fit into the two socket buffers: the gateway
	 * reads no more while its responses are not read. */
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 100; i++)
			ask(WIRE_READ, "/nothing", "");
		for (int i = 0; i < 100; i++)
			cr_assert_str_eq(response(), "error nothing is not an allowed path");
	}
}

/* Requests that came together are served in their order, each for itself. */
Test(gateway, pipelined_requests)
{
	static const struct {
		enum wire_request_tag tag;
		const char *path, *value, *answer;
	} rows[] = {
		{ WIRE_WRITE, "/lease/time", "1", "ok " },
		{ WIRE_READ, "/lease/time", "", "ok 1" },
		{ WIRE_WRITE, "/only/described", "x",
		  "error only/described is not an allowed path" },
		{ WIRE_WRITE, "/lease/time", "2", "ok " },
		{ WIRE_WRITE, "/lease/time", "soon", "error wrong type" },
		{ WIRE_READ, "/lease/time", "", "ok 2" },
		{ WIRE_DELETE, "/lease/time", "", "ok " },
		{ WIRE_READ, "/lease/time", "", "error err-not-found" },
	};
	static uint8_t together[4096];
	size_t size = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = wire_encode_request((int32_t)i, rows[i].tag, rows[i].path, rows[i].value,
					    strlen(rows[i].value), 0, together + size,
					    sizeof(together) - size);

		cr_assert_gt(n, 0);
		size += (size_t)n;
	}
	cr_assert_eq(write(test.control, together, size), (ssize_t)size);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(response(), rows[i].answer, "row %zu", i);
	cr_assert_eq(gate_test_ctl(&test.gate).revision, 3);
}

/* --- refusals are audited, the gateway's own as the gate's --- */

static struct watcher_audit audit;
static const struct audit_settings settings = { .n_files = 2 };

static int audit_record(void *data, void *record, size_t size)
{
	struct kv_denial denial;

	(void)data;
	cr_assert_eq(record_denial_init(&denial, record, size), 0);
	cr_expect_eq(watcher_audit_denial(&audit, &denial), 0);
	return 0;
}

/* As the watcher does: the audit log's lines, in /tmp, of our own. */
static const char *audited(void)
{
	static char text[16384];
	struct ring_buffer *ring =
		ring_buffer__new(test.gate.store.denials_fd, audit_record, NULL, NULL);
	FILE *file;
	size_t n;

	cr_assert_not_null(ring);
	cr_assert_eq(audit_open(&audit.log, "/tmp/audit.jsonl", &settings), 0);
	strcpy(audit.subjects[KV_SUBJECT_CALF], "dhcp4");
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
	audit_close(&audit.log, 0);
	file = fopen("/tmp/audit.jsonl", "r");
	cr_assert_not_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

Test(gateway, its_refusals_are_audited)
{
	static const struct {
		enum wire_request_tag tag;
		const char *path, *value, *line;
	} rows[] = {
		{ WIRE_READ, "/secret", "",
		  "\"verb\":\"read\",\"path\":\"/secret\",\"verdict\":\"EACCES\"" },
		{ WIRE_WRITE, "/mac", "02:00:00:00:77:03",
		  "\"verb\":\"write\",\"path\":\"/mac\",\"verdict\":\"EACCES\"" },
		{ WIRE_WRITE, "/ip", "10.0.2.15",
		  "\"verb\":\"write\",\"path\":\"/ip\",\"verdict\":\"EBADMSG\"" },
		{ WIRE_WRITE, "/ip", "100.100.100.100/32 and more",
		  "\"verb\":\"write\",\"path\":\"/ip\",\"verdict\":\"EMSGSIZE\"" },
		{ WIRE_LIST, "/secret", "",
		  "\"verb\":\"list\",\"path\":\"/secret\",\"verdict\":\"EACCES\"" },
		{ WIRE_WATCH, "/ip", "",
		  "\"verb\":\"watch\",\"path\":\"/ip\",\"verdict\":\"EACCES\"" },
		{ WIRE_WRITE, "/only/described", "x",
		  "\"verb\":\"write\",\"path\":\"/only/described\",\"verdict\":\"EACCES\"" },
	};
	const char *text;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(strncmp(answer(rows[i].tag, rows[i].path, rows[i].value), "error ", 6),
			     0);
	text = audited();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char seq[64];

		snprintf(seq, sizeof(seq), "\"seq\":%zu,\"subject\":\"dhcp4\",", i + 1);
		text = strstr(text, seq);
		cr_assert_not_null(text, "row %zu", i);
		text += strlen(seq);
		cr_assert_eq(strncmp(text, rows[i].line, strlen(rows[i].line)), 0,
			     "row %zu: %.120s", i, text);
	}
	cr_assert_eq(gate_test_ctl(&test.gate).revision, 0);
}

/* A flood of them is bounded in the log, and counted; each costs the calf a
 * request. */
Test(gateway, flood_of_refusals)
{
	struct kv_ctl ctl;

	for (int i = 0; i < 500; i++) {
		ask(WIRE_READ, "/secret", "");
		if (i % 50 == 49)
			for (int j = 0; j < 50; j++)
				cr_assert_str_eq(response(), "error secret is not an allowed path");
	}
	cr_assert_str_eq(answer(WIRE_WRITE, "/lease/time", "1"), "error quota exceeded");
	ctl = gate_test_ctl(&test.gate);
	cr_assert_eq(ctl.subject[KV_SUBJECT_CALF].n_refused, 501);
	cr_assert_eq(ctl.subject[KV_SUBJECT_CALF].n_suppressed, 501 - ctl.n_denials);
	cr_assert_lt(ctl.n_denials, 300);
}

Test(gateway, malformed_message)
{
	cr_assert_str_eq(answer(WIRE_WRITE, "/ip", "10.0.2.15/24"), "ok ");
	cr_assert_eq(write(test.control, "\xff\xff\xff\xff", 4), 4);
	cr_assert_str_eq(response(), "closed");
	cr_assert_eq(ended(), ROLE_EXIT_MALFORMED);
	cr_assert_str_eq(logged(), "<error> dhcp4: gateway: malformed message after 1 requests: "
				   "EMSGSIZE; disconnecting the calf\n");
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
	cr_assert_eq(sendmsg(test.control, &message, 0), 1);
	cr_assert_eq(ended(), ROLE_EXIT_MALFORMED);
	cr_assert_str_eq(logged(), "<error> dhcp4: gateway: malformed message after 0 requests: "
				   "EPROTO; disconnecting the calf\n");
}

Test(gateway, log_pipes)
{
	static const char out[] = "<info> bound\x1b[2J to 10.0.2.15\nhalf a li";
	static const char err[] = "<error> cannot go on\nlast words";

	cr_assert_eq(write(test.calf_stdout, out, sizeof(out) - 1), sizeof(out) - 1);
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok ");
	cr_assert_eq(write(test.calf_stderr, err, sizeof(err) - 1), sizeof(err) - 1);
	close(test.calf_stdout);
	close(test.calf_stderr);
	close(test.control);
	cr_assert_eq(ended(), ROLE_EXIT_EOF);
	cr_assert_not_null(strstr(logged(), "<info> dhcp4: calf: bound?[2J to 10.0.2.15\n"));
}

Test(gateway, log_pipes_may_end_before_the_socket)
{
	const char *text;

	cr_assert_eq(write(test.calf_stderr, "only this\nand", 13), 13);
	close(test.calf_stdout);
	close(test.calf_stderr);
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok ");
	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok ");
	close(test.control);
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
	cr_assert_eq(write(test.calf_stdout, flood, sizeof(flood)), sizeof(flood));
	close(test.control);
	cr_assert_eq(ended(), ROLE_EXIT_EOF);
	text = logged();
	cr_assert_not_null(strstr(text, "gateway: suppressed 4800 log lines from the calf\n"), "%s",
			   text + strlen(text) - 200);
}

Test(gateway, its_rights)
{
	char path[64], line[256];
	bool uid = false, no_capability = false, filtered = false;
	FILE *file;

	cr_assert_str_eq(answer(WIRE_DELETE, "/ip", ""), "ok "); /* it is confined by now */
	snprintf(path, sizeof(path), "/proc/%d/status", test.pid);
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
