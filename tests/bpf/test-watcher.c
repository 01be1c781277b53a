// SPDX-License-Identifier: Apache-2.0
/*
 * The watcher as a process of its own, confined as in life, between a real
 * gate and a network namespace.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
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
#include <unistd.h>

#include "tests/bpf/support-gate.h"
#include "userspace/priv/persist.h"
#include "userspace/priv/roles.h"

#define AUDIT "/tmp/log/watcher.jsonl"
#define STATE "/tmp/lib/watched"
#define RESOLV_CONF "/tmp/etc/resolv.conf"

static const char description[] =
	"name: dhcp4\n"
	"executable: calf-dhcp4\n"
	"limits: {memory: 16777216, pids: 4, requests_per_second: 200, request_burst: 100}\n"
	"keys:\n"
	"  - {path: /ip, type: ipv4-net, access: [write, delete]}\n"
	"  - {path: /lease/time, type: lifetime, access: [write], persistent: true}\n"
	"frames:\n"
	"  - check: dhcp4\n"
	"    local_port: 68\n"
	"    remote_port: 67\n"
	"    max_frame: 1514\n"
	"    ingress_per_second: 50\n"
	"    ingress_burst: 20\n"
	"    egress_per_second: 30\n"
	"    egress_burst: 10\n";

static const struct test_rule calf_rules[] = { { "/ip", ALL_ACCESS, KV_CLASS_TEXT, 18 },
					       { "/gateway", ALL_ACCESS, KV_CLASS_TEXT, 15 },
					       { "/mtu", ALL_ACCESS, KV_CLASS_UINT, 5 },
					       { "/nameserver/", ALL_ACCESS, KV_CLASS_TEXT, 15 },
					       { "/lease/", ALL_ACCESS, KV_CLASS_TEXT, 64 },
					       { "/x/", ALL_ACCESS, KV_CLASS_TEXT, 1023 },
					       { NULL } };
static const struct test_rule watcher_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/status/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL }
};
static const struct test_rule no_rules[] = { { NULL } };

static struct gate_test test;
static int calf = -1;
static pid_t watcher = -1;
static bool wants_syslog;

static int sh(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

#define EXPECT_SH(_command) cr_expect_eq(sh(_command), 0, "%s", _command)

/* Until the command succeeds, for at most 8 s. */
#define EVENTUALLY(_command)                            \
	EXPECT_SH("for i in $(seq 160); do { " _command \
		  "; } >/dev/null 2>&1 && exit 0; sleep 0.05; done; exit 1")

static void place(int from, int to)
{
	if (dup2(from, to) < 0)
		_exit(90);
}

/* What the supervisor does: descriptors from 3 on, then the role. */
static void run_watcher(void)
{
	static const char *const calves = "/tmp/calf";
	struct options options = {
		.role = ROLE_WATCHER,
		.instance = "watched",
		.uplink = "up0",
		.resolv_conf = RESOLV_CONF,
		.audit = AUDIT,
		.state = STATE,
		.syslog = wants_syslog,
		.calves = { calves },
		.n_calves = 1,
		.mode = -1,
	};
	int fds[] = { test.fds[KV_SUBJECT_WATCHER], test.store.kv_fd, test.store.ctl_fd,
		      test.store.events_fd, test.store.denials_fd };
	int i;

	for (i = 0; i < 5; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD, 200);
		if (fds[i] < 0)
			_exit(91);
	}
	for (i = 0; i < 5; i++)
		place(fds[i], WATCHER_FD_GATE + i);
	(void)close_range(_WATCHER_FD_END, ~0u, 0);
	_exit(watcher_main(&options));
}

static void start(void)
{
	watcher = fork();
	cr_assert_geq(watcher, 0);
	if (!watcher)
		run_watcher();
}

static int stop(int number)
{
	int status = 0;

	cr_assert_eq(kill(watcher, number), 0);
	cr_assert_eq(waitpid(watcher, &status, 0), watcher);
	watcher = -1;
	return status;
}

static void setup(void)
{
	FILE *file;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (sh("ip -V 2>&1 | grep -q iproute2"))
		cr_skip_test("needs iproute2's ip");
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
	cr_assert_eq(sh("mkdir /tmp/etc /tmp/calf; echo original > " RESOLV_CONF ";"
			"cp /bin/true /tmp/calf/calf-dhcp4;"
			"ip link set lo up; ip link add up0 type veth peer name peer0;"
			"ip link set peer0 up; ip link set up0 up"),
		     0);
	file = fopen("/tmp/calf/calf.yaml", "w");
	cr_assert_not_null(file);
	cr_assert_geq(fputs(description, file), 0);
	cr_assert_eq(fclose(file), 0);
	gate_test_begin(&test, 256, 4);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, no_rules, FAST, 100);
	(void)gate_test_subject(&test, KV_SUBJECT_WATCHER, watcher_rules, 20000, 20000);
	(void)gate_test_subject(&test, KV_SUBJECT_OPERATOR, no_rules, FAST, 100);
	calf = gate_test_subject(&test, KV_SUBJECT_CALF, calf_rules, FAST, 100000);
}

static void teardown(void)
{
	if (watcher > 0)
		(void)stop(SIGKILL);
	gate_test_end(&test);
}

TestSuite(watcher, .init = setup, .fini = teardown, .timeout = 60);

static struct gate_commit commit;

static void add(const char *path, const char *text)
{
	cr_assert_eq(gate_commit_write(&commit, path, text, strlen(text)), 0);
}

static uint64_t run(void)
{
	uint64_t revision = 0;
	int r = gate_commit(calf, &commit, &revision, NULL);

	cr_assert_eq(r, 0, "%s", strerror(-r));
	gate_commit_init(&commit);
	return revision;
}

static uint64_t lease(const char *ip, const char *seconds)
{
	gate_commit_init(&commit);
	add("/ip", ip);
	add("/gateway", "192.0.2.1");
	add("/mtu", "1400");
	add("/nameserver/001", "192.0.2.53");
	add("/lease/time", seconds);
	return run();
}

/* Wait until the status says so; what it says in the end. */
static const char *status_of(const char *handler, const char *awaited)
{
	static struct kv_value value;
	char path[64];
	int i;

	(void)snprintf(path, sizeof(path), "/status/%s", handler);
	for (i = 0; i < 160; i++) {
		if (gate_read(test.fds[KV_SUBJECT_WATCHER], path, &value) == 0 &&
		    !strncmp(value.text, awaited, strlen(awaited)))
			break;
		(void)usleep(50000);
	}
	return value.text;
}

static const char *ok_of(uint64_t revision)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "ok %llu", (unsigned long long)revision);
	return text;
}

/* Lines of the audit log with this revision, all of them JSON; the last in
 * *linep (borrowed until the next call). */
static unsigned int audit_lines(uint64_t revision, json_t **linep)
{
	static json_t *last;
	FILE *file = fopen(AUDIT, "r");
	char text[8192];
	unsigned int n = 0;

	cr_assert_not_null(file);
	json_decref(last);
	last = NULL;
	while (fgets(text, sizeof(text), file)) {
		json_t *line = json_loads(text, 0, NULL);

		cr_assert_not_null(line, "%s", text);
		if (revision != (uint64_t)json_integer_value(json_object_get(line, "revision"))) {
			json_decref(line);
			continue;
		}
		n++;
		json_decref(last);
		last = line;
	}
	(void)fclose(file);
	if (linep)
		*linep = last;
	return n;
}

static const char *field(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

Test(watcher, lease_to_kernel_and_back)
{
	uint64_t revision;
	json_t *line;
	int status;

	start();
	revision = lease("192.0.2.5/24", "3600");
	cr_expect_str_eq(status_of("dns", ok_of(revision)), ok_of(revision));
	cr_expect_str_eq(status_of("address", ok_of(revision)), ok_of(revision));
	cr_expect_str_eq(status_of("route", ok_of(revision)), ok_of(revision));
	cr_expect_str_eq(status_of("link", ok_of(revision)), ok_of(revision));
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.5/24'");
	EXPECT_SH("ip route show default | grep -q 'via 192.0.2.1 .* src 192.0.2.5 metric 100'");
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1400'");
	EXPECT_SH("grep -qx 'nameserver 192.0.2.53' " RESOLV_CONF);
	EXPECT_SH("grep -qx '# Generated by calfpen (instance watched)' " RESOLV_CONF);

	cr_expect_eq(audit_lines(revision, &line), 5);
	cr_expect_str_eq(field(line, "subject"), "dhcp4");
	cr_expect_str_eq(field(line, "verb"), "commit");
	cr_expect_str_eq(field(line, "path"), "/lease/time");
	cr_expect_str_eq(field(line, "value"), "3600");
	cr_expect_str_eq(field(line, "verdict"), "ok");
	cr_expect_eq(json_integer_value(json_object_get(line, "pid")), getpid());
	EXPECT_SH("test $(stat -c %a " AUDIT ") = 600; test $(stat -c %a /tmp/log) = 700");

	cr_expect_eq(gate_delete(calf, "/ip", &revision), 0);
	cr_expect_eq(gate_delete(calf, "/nameserver/001", &revision), 0);
	cr_expect_eq(gate_delete(calf, "/mtu", &revision), 0);
	cr_expect_str_eq(status_of("link", ok_of(revision)), ok_of(revision));
	EXPECT_SH("! ip -4 addr show dev up0 | grep inet; ! ip route show | grep 202");
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1500'; grep -qx original " RESOLV_CONF);
	cr_expect_eq(audit_lines(revision, &line), 1);
	cr_expect_str_eq(field(line, "verb"), "delete");
	cr_expect_null(json_object_get(line, "value"));

	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
}

/* NET_ADMIN and a filter; the whole of it is for tests of confine.c. */
Test(watcher, is_confined)
{
	char command[128];
	uint64_t revision;

	start();
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	(void)snprintf(command, sizeof(command),
		       "grep -q '^CapEff:.0000000000001000$' /proc/%d/status", watcher);
	EXPECT_SH(command);
	(void)snprintf(command, sizeof(command), "grep -q '^Seccomp:.2$' /proc/%d/status", watcher);
	EXPECT_SH(command);
}

Test(watcher, status_writes_do_not_loop)
{
	uint64_t revision;
	struct kv_ctl before, after;

	start();
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	(void)usleep(200000);
	cr_expect_eq(strncmp(status_of("persist", ok_of(revision)), "ok ", 3), 0);
	before = gate_test_ctl(&test);
	(void)usleep(1500000);
	after = gate_test_ctl(&test);
	cr_expect_eq(before.revision, after.revision);
	cr_expect_leq(after.revision, revision + 4);
}

/* Lines of the audit log per revision, 1 to n; all read once. */
static void count_audit_lines(unsigned int *counts, uint64_t n)
{
	FILE *file = fopen(AUDIT, "r");
	char text[8192];

	cr_assert_not_null(file);
	while (fgets(text, sizeof(text), file)) {
		json_t *line = json_loads(text, 0, NULL);
		uint64_t revision;

		cr_assert_not_null(line, "%s", text);
		revision = (uint64_t)json_integer_value(json_object_get(line, "revision"));
		if (revision >= 1 && revision <= n)
			counts[revision]++;
		json_decref(line);
	}
	(void)fclose(file);
}

/* Killed again and again while a calf writes: every revision is in the log,
 * once (or twice, the one it died at), and the state is the last one. */
Test(watcher, killed_while_the_store_changes)
{
	static unsigned int counts[4096];
	uint64_t revision = 0, i, n;
	unsigned int n_doubles = 0, round;
	char value[32];

	for (round = 0; round < 8; round++) {
		start();
		for (i = 0; i < 100; i++) {
			gate_commit_init(&commit);
			(void)snprintf(value, sizeof(value), "192.0.2.%u/24", round + 10);
			add("/ip", value);
			add("/x/y", value);
			revision = run();
			if (i % 10 == 0)
				(void)usleep(1000 * round);
		}
		(void)stop(SIGKILL);
	}
	cr_expect_eq(gate_delete(calf, "/x/y", &revision), 0);
	start();
	EVENTUALLY("ip -4 addr show dev up0 | grep 192.0.2.17/24");
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	(void)status_of("address", "ok");
	(void)usleep(300000);
	(void)stop(SIGTERM);
	n = gate_test_ctl(&test).revision;
	cr_assert_lt(n, sizeof(counts) / sizeof(counts[0]));
	count_audit_lines(counts, n);
	for (i = 1; i <= n; i++) {
		cr_expect_gt(counts[i], 0, "revision %llu is not in the log",
			     (unsigned long long)i);
		n_doubles += counts[i] > 4; /* a status commit has at most four */
	}
	cr_expect_eq(n_doubles, 0);
}

Test(watcher, changes_while_it_is_down)
{
	uint64_t revision;

	start();
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	(void)stop(SIGKILL);
	/* an address of ours that nobody wants any more, a key removed */
	(void)lease("192.0.2.6/24", "3600");
	cr_expect_eq(gate_delete(calf, "/nameserver/001", &revision), 0);
	start();
	EVENTUALLY("grep -qx original " RESOLV_CONF);
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.6'");
	cr_expect_eq(audit_lines(revision, NULL), 1, "from before the list, audited");
}

/* Records that another reader took: the gap is seen, the store listed. */
Test(watcher, gap_in_the_ring)
{
	uint64_t revision;

	start();
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	cr_assert_eq(kill(watcher, SIGSTOP), 0);
	cr_expect_eq(gate_delete(calf, "/nameserver/001", NULL), 0);
	gate_test_drain(&test);
	gate_commit_init(&commit);
	add("/x/z", "1");
	(void)run();
	cr_assert_eq(kill(watcher, SIGCONT), 0);
	EVENTUALLY("grep -qx original " RESOLV_CONF);
}

Test(watcher, refusals_are_audited)
{
	uint64_t revision;

	start();
	cr_expect_eq(gate_write(calf, "/status/dns", "ok 1", 4, NULL), -EACCES);
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	EVENTUALLY("grep '\"seq\":.*\"subject\":\"dhcp4\",\"verb\":\"write\","
		   "\"path\":\"/status/dns\",\"verdict\":\"EACCES\"' " AUDIT);
}

Test(watcher, uplink_comes_back)
{
	uint64_t revision;

	start();
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	EXPECT_SH("ip link del up0");
	revision = lease("192.0.2.5/24", "3600");
	cr_expect_str_eq(status_of("address", "error: "),
			 "error: addresses of the uplink: No such device");
	cr_expect_str_eq(status_of("dns", ok_of(revision)), ok_of(revision));
	EXPECT_SH("ip link add up0 type veth peer name peer0; ip link set up0 up");
	cr_expect_eq(strncmp(status_of("address", "ok "), "ok ", 3), 0);
	(void)status_of("route", "ok ");
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.5'");
}

Test(watcher, values_are_checked_again)
{
	/* the gate knows classes only; a gateway that lost its mind may write this */
	start();
	gate_commit_init(&commit);
	add("/ip", "300.0.2.5/24");
	add("/nameserver/001", "; rm -rf /");
	add("/nameserver/002", "192.0.2.2");
	(void)run();
	cr_expect_str_eq(status_of("address", "error: "),
			 "error: /ip is \"300.0.2.5/24\": Bad message");
	cr_expect_str_eq(status_of("dns", "error: "),
			 "error: /nameserver/001 is \"; rm -rf /\": Bad message");
	EXPECT_SH("grep -qx 'nameserver 192.0.2.2' " RESOLV_CONF "; test $(wc -l < " RESOLV_CONF
		  ") = 2");
}

Test(watcher, no_audit_no_watcher)
{
	int status;

	EXPECT_SH("mkdir -p " AUDIT);
	start();
	cr_assert_eq(waitpid(watcher, &status, 0), watcher);
	watcher = -1;
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_FAILURE, "%x", status);
}

/* The ways that are seldom taken, under the confinement too. */
Test(watcher, file_in_place_and_read_only_proc_sys)
{
	uint64_t revision;

	EXPECT_SH("echo under > /tmp/under; mount --bind /tmp/under " RESOLV_CONF ";"
		  "sysctl -qw net.ipv4.conf.up0.promote_secondaries=0;"
		  "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys");
	start();
	revision = lease("192.0.2.5/24", "3600");
	cr_expect_str_eq(status_of("dns", ok_of(revision)), ok_of(revision));
	EXPECT_SH("grep -qx 'nameserver 192.0.2.53' /tmp/under");
	revision = lease("192.0.2.6/24", "3600");
	cr_expect_str_eq(status_of("address", ok_of(revision)), ok_of(revision));
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.6'");
	cr_expect_eq(gate_delete(calf, "/nameserver/001", &revision), 0);
	cr_expect_str_eq(status_of("dns", ok_of(revision)), ok_of(revision));
	EXPECT_SH("grep -qx under /tmp/under");
}

/* A store full of keys, listed at start. */
Test(watcher, full_store)
{
	uint64_t revision = 0;
	char path[32];
	int i;

	gate_commit_init(&commit);
	for (i = 0; i < 240; i++) {
		(void)snprintf(path, sizeof(path), "/x/%03d", i);
		add(path, "0123456789abcdef");
		if (commit.n_changes == 60)
			revision = run();
	}
	revision = lease("192.0.2.5/24", "3600");
	start();
	cr_expect_str_eq(status_of("address", ok_of(revision)), ok_of(revision));
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.5/24'");
	cr_expect_eq(audit_lines(1, NULL), 60);
}

/* The snapshot as it is now; -ENOENT. */
static int load(uint64_t *revisionp, char time[static 32])
{
	struct persist_snapshot snapshot;
	struct persist_entry entry;
	int r = persist_load(STATE, &snapshot);

	if (r)
		return r;
	*revisionp = snapshot.revision;
	time[0] = '\0';
	while (persist_next(&snapshot, &entry)) {
		cr_expect_str_eq(entry.key.path, "/lease/time");
		(void)snprintf(time, 32, "%.*s", entry.length, entry.text);
	}
	persist_snapshot_deinit(&snapshot);
	return 0;
}

Test(watcher, store_is_saved)
{
	uint64_t revision, saved;
	char time[32];
	int status;

	start();
	revision = lease("192.0.2.5/24", "3600");
	cr_expect_str_eq(status_of("persist", ok_of(revision)), ok_of(revision));
	cr_assert_eq(load(&saved, time), 0);
	cr_expect_geq(saved, revision);
	cr_expect_str_eq(time, "3600");
	EXPECT_SH("test $(stat -c %a " STATE ") = 700; test $(stat -c %a " STATE "/store) = 600");

	/* not yet saved when it ends: saved then, revision and all */
	(void)lease("192.0.2.5/24", "7200");
	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
	cr_assert_eq(load(&saved, time), 0);
	cr_expect_eq(saved, gate_test_ctl(&test).revision);
	cr_expect_str_eq(time, "7200");
	EXPECT_SH("test $(ls " STATE ") = store");
}

/* The confined watcher is uid 0 without CAP_DAC_OVERRIDE. */
Test(watcher, store_cannot_be_saved)
{
	uint64_t revision;

	EXPECT_SH("mkdir -p " STATE "; mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs " STATE);
	start();
	revision = lease("192.0.2.5/24", "3600");
	cr_expect_str_eq(status_of("persist", "error: "), "error: No space left on device");
	cr_expect_str_eq(status_of("address", ok_of(revision)), ok_of(revision),
			 "the host has its address all the same");
	EXPECT_SH("mount -o remount,size=64k,nr_inodes=10 " STATE);
	cr_expect_eq(strncmp(status_of("persist", "ok "), "ok ", 3), 0);
	EXPECT_SH("chown 12345 " STATE "; chmod 700 " STATE);
	revision = lease("192.0.2.5/24", "7200");
	cr_expect_str_eq(status_of("persist", "error: "), "error: Permission denied");
	cr_expect_eq(kill(watcher, 0), 0);
}

Test(watcher, log_is_rotated)
{
	uint64_t revision;

	start();
	revision = lease("192.0.2.5/24", "3600");
	(void)status_of("dns", ok_of(revision));
	EVENTUALLY("grep -q /status/persist " AUDIT);
	EXPECT_SH("mv " AUDIT " " AUDIT ".1");
	cr_assert_eq(kill(watcher, SIGHUP), 0);
	EVENTUALLY("test -e " AUDIT);
	revision = lease("192.0.2.6/24", "3600");
	(void)status_of("dns", ok_of(revision));
	cr_expect_eq(audit_lines(revision, NULL), 5);
	EXPECT_SH("grep -q 192.0.2.5/24 " AUDIT ".1; ! grep -q 192.0.2.6/24 " AUDIT ".1");
	EXPECT_SH("test $(stat -c %a " AUDIT ") = 600");
	/* a directory that is gone: lines go on into what is open */
	EXPECT_SH("mv /tmp/log /tmp/log.away");
	cr_assert_eq(kill(watcher, SIGHUP), 0);
	revision = lease("192.0.2.7/24", "3600");
	(void)status_of("dns", ok_of(revision));
	EXPECT_SH("mv /tmp/log.away /tmp/log");
	cr_expect_eq(audit_lines(revision, NULL), 5);
}

static int start_syslog(void)
{
	static const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	const struct timeval wait = { .tv_sec = 8 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)unlink(at.sun_path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	return fd;
}

/* Read until a message has the text. */
static bool logged(int fd, const char *text)
{
	static char message[16384];
	ssize_t n;

	while ((n = recv(fd, message, sizeof(message) - 1, 0)) >= 0) {
		message[n] = '\0';
		if (strstr(message, " audit - {\"time\"") && strstr(message, text))
			return true;
	}
	return false;
}

Test(watcher, log_goes_to_syslog_too)
{
	uint64_t revision;
	int fd, status;

	/* a /dev of our own */
	EXPECT_SH("mkdir /tmp/dev; for d in null urandom; do : > /tmp/dev/$d;"
		  "mount --bind /dev/$d /tmp/dev/$d; done; mount --rbind /tmp/dev /dev");
	fd = start_syslog();
	wants_syslog = true;
	start();
	revision = lease("192.0.2.5/24", "3600");
	cr_expect(logged(fd, "\"value\":\"192.0.2.5/24\""));
	/* the daemon is restarted; nobody reads from now on, and nobody waits */
	close(fd);
	(void)lease("192.0.2.6/24", "3600");
	fd = start_syslog();
	revision = lease("192.0.2.7/24", "3600");
	cr_expect(logged(fd, "192.0.2.7/24"));
	for (int i = 0; i < 50; i++)
		revision = lease("192.0.2.8/24", "3600");
	cr_expect_str_eq(status_of("dns", ok_of(revision)), ok_of(revision));
	cr_expect_eq(audit_lines(revision, NULL), 5, "all are in the file");
	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
	close(fd);
}
