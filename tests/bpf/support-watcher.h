/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watcher in a separate process, confined as in production, between a real gate
 * and a network namespace.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_WATCHER_H
#define CALFPEN_TESTS_BPF_SUPPORT_WATCHER_H

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/program.h"
#include "tests/bpf/support-frames.h"
#include "tests/bpf/support-gate.h"
#include "userspace/priv/description/loaded.h"
#include "userspace/priv/options.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/supervisor/report.h"

#define AUDIT "/tmp/log/watcher.jsonl"
#define STATE "/tmp/lib/watched"
#define RESOLV_CONF "/tmp/etc/resolv.conf"

static const char description[] = DESCRIPTION_HEAD
	"  - {path: /ip, type: ipv4-net, access: [write, delete]}\n"
	"  - {path: /x/psk, type: mac, access: [read, write], secret: true, persistent: true}\n"
	"  - {path: /x/was-secret, type: text, access: [write], persistent: true}\n"
	"  - {path: /lease/time, type: lifetime, access: [write], persistent: true}\n" DESCRIPTION_TAIL;

static const struct test_rule calf_rules[] = {
	{ "/ip", ALL_ACCESS, KV_CLASS_TEXT, 18 },
	{ "/gateway", ALL_ACCESS, KV_CLASS_TEXT, 15 },
	{ "/mtu", ALL_ACCESS, KV_CLASS_UINT, 5 },
	{ "/route/", ALL_ACCESS, KV_CLASS_TEXT, 64 },
	{ "/nameserver/", ALL_ACCESS, KV_CLASS_TEXT, 15 },
	{ "/ntp/", ALL_ACCESS, KV_CLASS_TEXT, 15 },
	{ "/lease/", ALL_ACCESS, KV_CLASS_TEXT, 64 },
	/* as the calf of an earlier description wrote it */
	{ "/x/was-secret", ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, 1023 },
	{ "/control/dhcp4/", ALL_ACCESS, KV_CLASS_TEXT, 63 },
	{ "/x/", ALL_ACCESS, KV_CLASS_TEXT, 1023 },
	{ "/x/psk", ALL_ACCESS | KV_ACCESS_SECRET, KV_CLASS_TEXT, 1023 },
	{ NULL }
};
static const struct test_rule watcher_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/link", KV_ACCESS_READ | KV_ACCESS_WRITE, KV_CLASS_TEXT, 4 },
	{ "/link/macs/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/status/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/status/metrics/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL }
};
static const struct test_rule operator_rules[] = {
	{ "/control/dhcp4/", ALL_ACCESS, KV_CLASS_TEXT, 63 }, { NULL }
};
static const struct test_rule no_rules[] = { { NULL } };

static struct gate_test test;
static struct frames_test server; /* its DHCPACKs: see frames_test_ack() */
static int calf = -1;
static pid_t watcher = -1;
/* of the supervisor; -1: /dev/null */
static int audit_log = -1, syslog_socket = -1, syslog_ask = -1;
static int watcher_report = -1;
static int quarantine_s;
static const char *configuration;   /* the operator's file; NULL: none */
static unsigned int uplink_ifindex; /* 0: by its name */
static int chrony_ask = -1, chrony_results[2] = { -1, -1 };
static int breaches[2] = { -1, -1 };
static int secrets_ask = -1;

static inline int sh(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

#define EXPECT_SH(_command) cr_expect_eq(sh(_command), 0, "%s", _command)

/* A wait ends what hangs, it judges no speed: of a busy machine the watcher may
 * get little, and it looks the less often the longer a look takes. */
#define PATIENCE_S 60
#define PAUSE_US 10000

/* Until the command succeeds. */
#define EVENTUALLY(_command)                             \
	EXPECT_SH("for i in $(seq 1200); do { " _command \
		  "; } >/dev/null 2>&1 && exit 0; sleep 0.05; done; exit 1")

static inline void place(int from, int to)
{
	if (dup2(from, to) < 0)
		_exit(90);
}

static inline int seal_loaded(const struct options *options)
{
	static struct description loaded_description;
	static struct configuration loaded_configuration;
	const struct loaded loaded = { .configuration = &loaded_configuration,
				       .descriptions = &loaded_description,
				       .n_descriptions = 1 };

	if (description_load(options->calves[0], &loaded_description) ||
	    configuration_load(options, &loaded_description, 1, &loaded_configuration))
		_exit(92);
	return loaded_seal(&loaded);
}

/* What the supervisor does: descriptors from 3 on, then the role. */
static inline void run_watcher(void)
{
	static const char *const calves = "/tmp/calf";
	struct options options = {
		.role = ROLE_WATCHER,
		.instance = "watched",
		.uplink = "up0",
		.uplink_ifindex = uplink_ifindex,
		.resolv_conf = RESOLV_CONF,
		.audit = AUDIT,
		.state = STATE,
		.audit_fd = audit_log >= 0 ? 1 : 0,
		.calves = { calves },
		.n_calves = 1,
		.mode = -1,
		.quarantine_s = quarantine_s,
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[] = { test.fds[KV_SUBJECT_WATCHER],
		      test.store.kv_fd,
		      test.store.ctl_fd,
		      test.store.events_fd,
		      test.store.denials_fd,
		      chrony_ask,
		      chrony_results[0],
		      -1,
		      watcher_report,
		      audit_log >= 0 ? audit_log : null,
		      syslog_socket >= 0 ? syslog_socket : null,
		      syslog_ask >= 0 ? syslog_ask : null,
		      breaches[1],
		      server.witness_fd,
		      frames_host_program(&server.host),
		      secrets_ask };
	const int n = sizeof(fds) / sizeof(fds[0]);
	int i;

	if (configuration)
		(void)snprintf(options.configuration, sizeof(options.configuration), "%s",
			       configuration);

	fds[WATCHER_FD_LOADED - WATCHER_FD_GATE] = seal_loaded(&options);
	for (i = 0; i < n; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD, 200);
		if (fds[i] < 0)
			_exit(91);
	}
	for (i = 0; i < n; i++)
		place(fds[i], WATCHER_FD_GATE + i);
	(void)close_range(_WATCHER_FD_END, ~0u, 0);
	_exit(watcher_main(&options));
}

static inline void start(void)
{
	if (watcher_report < 0)
		watcher_report = report_create();
	watcher = fork();
	cr_assert_geq(watcher, 0);
	if (!watcher)
		run_watcher();
}

static inline int stop(int number)
{
	int status = 0;

	cr_assert_eq(kill(watcher, number), 0);
	cr_assert_eq(waitpid(watcher, &status, 0), watcher);
	watcher = -1;
	return status;
}

/* Stopped when this returns. */
static inline void pause_watcher(void)
{
	int status;

	cr_assert_eq(kill(watcher, SIGSTOP), 0);
	cr_assert_eq(waitpid(watcher, &status, WUNTRACED), watcher);
	cr_assert(WIFSTOPPED(status), "%x", status);
}

static inline bool positions_meet(const unsigned long *consumer, const unsigned long *producer)
{
	return __atomic_load_n(consumer, __ATOMIC_ACQUIRE) ==
	       __atomic_load_n(producer, __ATOMIC_ACQUIRE);
}

/* Has it read every event, and does it sleep? */
static inline bool is_watcher_idle(void)
{
	unsigned long *consumer, *producer;
	char path[32], text[512] = "";
	bool is_drained;
	FILE *file;

	consumer = mmap(NULL, 4096, PROT_READ, MAP_SHARED, test.store.events_fd, 0);
	producer = mmap(NULL, 4096, PROT_READ, MAP_SHARED, test.store.events_fd, 4096);
	cr_assert(consumer != MAP_FAILED && producer != MAP_FAILED);
	is_drained = positions_meet(consumer, producer);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", watcher);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_not_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	is_drained &= positions_meet(consumer, producer);
	(void)munmap(consumer, 4096);
	(void)munmap(producer, 4096);
	return is_drained && strstr(text, ") S ");
}

/* Wait until the watcher has done all that it can do now: what has been
 * committed, by itself too, is acted on and in the log, as is what a command
 * changed on the host, except for what it checks a little later. */
static inline void settle(void)
{
	int i;

	for (i = 0; !is_watcher_idle(); i++) {
		cr_assert_lt(i, PATIENCE_S * 1000000 / PAUSE_US, "the watcher never sleeps");
		(void)usleep(PAUSE_US);
	}
}

/* Give the next watcher this configuration. */
static inline void configure(const char *text)
{
	FILE *file = fopen("/tmp/watched.yaml", "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
	configuration = "/tmp/watched.yaml";
}

static inline void setup(void)
{
	FILE *file;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (sh("ip -V 2>&1 | grep -q iproute2"))
		cr_skip_test("needs iproute2's ip");
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS), 0);
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
	chrony_ask = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	secrets_ask = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cr_assert(chrony_ask >= 0 && secrets_ask >= 0 &&
		  !pipe2(chrony_results, O_CLOEXEC | O_NONBLOCK) &&
		  !pipe2(breaches, O_CLOEXEC | O_NONBLOCK));
	gate_test_begin(&test, 256, 4);
	cr_assert_eq(gate_test_number(&test, "dhcp4"), KV_SUBJECT_CALF);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, no_rules, FAST, 100);
	(void)gate_test_subject(&test, KV_SUBJECT_WATCHER, watcher_rules, 20000, 20000);
	(void)gate_test_subject(&test, KV_SUBJECT_OPERATOR, operator_rules, FAST, 100);
	calf = gate_test_subject(&test, KV_SUBJECT_CALF, calf_rules, FAST, 100000);
	frames_test_begin_beside(&server, &test);
}

static inline void teardown(void)
{
	if (watcher > 0)
		(void)stop(SIGKILL);
	frames_test_end_beside(&server);
	gate_test_end(&test);
}

static struct commit commit;

static inline void add(const char *path, const char *text)
{
	cr_assert_eq(commit_write(&commit, path, text, strlen(text)), 0);
}

static inline uint64_t run(void)
{
	uint64_t revision = 0;
	int r = gate_commit(calf, &commit, &revision, NULL);

	cr_assert_eq(r, 0, "%s", strerror(-r));
	commit_init(&commit);
	return revision;
}

/* A lease that a server gave. */
static inline uint64_t lease(const char *ip, const char *seconds)
{
	frames_test_ack(&server, ip, "192.0.2.1", seconds);
	commit_init(&commit);
	add("/ip", ip);
	add("/gateway", "192.0.2.1");
	add("/mtu", "1400");
	add("/nameserver/001", "192.0.2.53");
	add("/lease/time", seconds);
	return run();
}

/* What a handler's status says. */
static inline const char *status_now(const char *handler)
{
	static struct kv_value value;
	char path[64];

	(void)snprintf(path, sizeof(path), "/status/%s", handler);
	return gate_read(test.fds[KV_SUBJECT_WATCHER], path, &value) ? "" : value.text;
}

/* Wait until the status begins so; what it says in the end. */
static inline const char *status_of(const char *handler, const char *awaited)
{
	const char *status = status_now(handler);
	int i;

	for (i = 0; i < PATIENCE_S * 1000000 / PAUSE_US; i++) {
		if (!strncmp(status, awaited, strlen(awaited)))
			break;
		(void)usleep(PAUSE_US);
		status = status_now(handler);
	}
	return status;
}

/* Wait until the text is in the status; false if it never is. */
static inline bool status_has(const char *handler, const char *text)
{
	int i;

	for (i = 0; i < PATIENCE_S * 1000000 / PAUSE_US; i++) {
		if (strstr(status_now(handler), text))
			return true;
		(void)usleep(PAUSE_US);
	}
	return false;
}

/* Wait until the handler is well at this revision or a later one: the watcher's
 * own commits count, too, and when they come nobody can say. */
static inline bool is_ok(const char *handler, uint64_t revision)
{
	int i;

	for (i = 0; i < PATIENCE_S * 1000000 / PAUSE_US; i++) {
		const char *status = status_now(handler);
		unsigned long long of = 0;
		int n = 0;

		if (sscanf(status, "ok %llu%n", &of, &n) == 1 && !status[n] && of >= revision)
			return true;
		(void)usleep(PAUSE_US);
	}
	return false;
}

#define EXPECT_OK(_handler, _revision) \
	cr_expect(is_ok(_handler, _revision), "%s: %s", _handler, status_now(_handler))

/* The watcher has brought a lease of an hour to the host: its revision. */
static inline uint64_t start_with_lease(void)
{
	uint64_t revision;

	start();
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("dns", revision);
	return revision;
}

/* Lines of the audit log with this revision, all of them JSON; the last in
 * *linep (borrowed until the next call). */
static inline unsigned int audit_lines(uint64_t revision, json_t **linep)
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

static inline const char *field(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

#endif
