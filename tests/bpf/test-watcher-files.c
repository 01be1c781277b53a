/* SPDX-License-Identifier: Apache-2.0 */
/* The watcher's files: the saved store, a rotated log, syslog. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/bpf/support-watcher.h"
#include "userspace/common/log.h"
#include "userspace/common/syslog.h"
#include "userspace/priv/persist/persist.h"

TestSuite(watcher_files, .init = setup, .fini = teardown);

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

Test(watcher_files, store_is_saved)
{
	uint64_t revision, saved;
	char time[32];
	int status;

	start();
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("persist", revision);
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
	EXPECT_SH("test \"$(ls " STATE " | xargs)\" = 'revision store'");
}

/* The confined watcher is uid 0 without CAP_DAC_OVERRIDE. */
Test(watcher_files, store_cannot_be_saved)
{
	uint64_t revision;

	EXPECT_SH("mkdir -p " STATE "; mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs " STATE);
	start();
	revision = lease("192.0.2.5/24", "3600");
	cr_expect_str_eq(status_of("persist", "error: "),
			 "error: /tmp/lib/watched: No space left on device");
	EXPECT_OK("address", revision); /* all the same */
	EXPECT_SH("mount -o remount,size=64k,nr_inodes=10 " STATE);
	cr_expect_eq(strncmp(status_of("persist", "ok "), "ok ", 3), 0);
	EXPECT_SH("chown 12345 " STATE "; chmod 700 " STATE);
	revision = lease("192.0.2.5/24", "7200");
	cr_expect_str_eq(status_of("persist", "error: "),
			 "error: /tmp/lib/watched: Permission denied");
	cr_expect_eq(kill(watcher, 0), 0);
}

Test(watcher_files, log_is_rotated)
{
	uint64_t revision = start_with_lease();

	EVENTUALLY("grep -q /status/persist " AUDIT);
	EXPECT_SH("mv " AUDIT " " AUDIT ".1");
	cr_assert_eq(kill(watcher, SIGHUP), 0);
	EVENTUALLY("test -e " AUDIT);
	revision = lease("192.0.2.6/24", "3600");
	EXPECT_OK("dns", revision);
	cr_expect_eq(audit_lines(revision, NULL), 5);
	EXPECT_SH("grep -q 192.0.2.5/24 " AUDIT ".1; ! grep -q 192.0.2.6/24 " AUDIT ".1");
	EXPECT_SH("test $(stat -c %a " AUDIT ") = 600");
	/* the directory is gone: lines are still written to the open file */
	EXPECT_SH("mv /tmp/log /tmp/log.away");
	cr_assert_eq(kill(watcher, SIGHUP), 0);
	revision = lease("192.0.2.7/24", "3600");
	EXPECT_OK("dns", revision);
	EXPECT_SH("mv /tmp/log.away /tmp/log");
	cr_expect_eq(audit_lines(revision, NULL), 5);
}

/* SIGUSR2 is the usual one, SIGHUP does the same, SIGUSR1 nothing at all. */
Test(watcher_files, U40_signals)
{
	static const int reopening[] = { SIGUSR2, SIGHUP };
	uint64_t revision = start_with_lease();

	EVENTUALLY("grep -q /status/persist " AUDIT);
	for (size_t i = 0; i < sizeof(reopening) / sizeof(reopening[0]); i++) {
		EXPECT_SH("mv " AUDIT " " AUDIT ".1");
		cr_assert_eq(kill(watcher, SIGUSR1), 0);
		revision = lease(i ? "192.0.2.6/24" : "192.0.2.7/24", "3600");
		EXPECT_OK("dns", revision);
		EXPECT_SH("test ! -e " AUDIT);
		cr_assert_eq(kill(watcher, reopening[i]), 0);
		EVENTUALLY("test -e " AUDIT);
	}
	revision = lease("192.0.2.8/24", "3600");
	EXPECT_OK("dns", revision);
}

/* What is no file is not reopened, and nothing says that it was. */
Test(watcher_files, U40_signal_without_a_file)
{
	int fds[2], fd = open("/tmp/errors", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), status;

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	audit_log = fds[1];
	cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)start_with_lease();
	cr_assert_eq(kill(watcher, SIGUSR2), 0);
	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
	EXPECT_SH("! grep reopened /tmp/errors");
	close(fd);
}

static int start_syslog(void)
{
	static const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	const struct timeval wait = { .tv_sec = PATIENCE_S };
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
		if (strstr(message, "]: {\"time\"") && strstr(message, text))
			return true;
	}
	return false;
}

/* A /dev of our own, and what the supervisor has. */
static void open_syslog(struct syslog *syslog)
{
	EXPECT_SH("mkdir /tmp/dev; for d in null urandom; do : > /tmp/dev/$d;"
		  "mount --bind /dev/$d /tmp/dev/$d; done; mount --rbind /tmp/dev /dev");
	cr_assert_eq(syslog_open(syslog, SYSLOG_PATH, "watched"), 0);
	log_also(NULL, NULL);
	syslog_socket = syslog->outlet.fd;
	syslog_ask = syslog->ask_fd;
}

/* As the supervisor does when a role asks for it. */
static void connect_on_request(struct syslog *syslog)
{
	struct pollfd ask = { .fd = syslog->ask_fd, .events = POLLIN };

	cr_assert_eq(poll(&ask, 1, PATIENCE_S * 1000), 1, "nobody asks");
	cr_expect_eq(syslog_connect(syslog), 0);
}

Test(watcher_files, log_goes_to_syslog_too)
{
	struct syslog syslog;
	int fd, status;

	open_syslog(&syslog);
	fd = start_syslog();
	cr_assert_eq(syslog_connect(&syslog), 0);
	start();
	(void)lease("192.0.2.5/24", "3600");
	cr_expect(logged(fd, "\"value\":\"192.0.2.5/24\""));
	/* the daemon is restarted */
	close(fd);
	(void)lease("192.0.2.6/24", "3600");
	settle();
	fd = start_syslog();
	connect_on_request(&syslog);
	cr_expect(logged(fd, "\"value\":\"192.0.2.6/24\""));
	(void)lease("192.0.2.7/24", "3600");
	cr_expect(logged(fd, "192.0.2.7/24"));
	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
	close(fd);
}

/* The log can be opened only when the watcher exits: syslog gets the record of its begin. */
Test(watcher_files, U34_record_at_the_end)
{
	struct syslog syslog;
	int fd, status;
	pid_t reader;

	open_syslog(&syslog);
	fd = start_syslog();
	cr_assert_eq(syslog_connect(&syslog), 0);
	EXPECT_SH("mkdir -p " AUDIT);
	start();
	(void)lease("192.0.2.5/24", "3600");
	cr_expect(logged(fd, "\"value\":\"192.0.2.5/24\""));
	reader = fork();
	cr_assert_geq(reader, 0);
	if (!reader)
		_exit(logged(fd, "\"verb\":\"begin\"") ? 0 : 1);
	pause_watcher();
	EXPECT_SH("rmdir " AUDIT);
	cr_assert_eq(kill(watcher, SIGTERM), 0);
	(void)stop(SIGCONT);
	cr_assert_eq(waitpid(reader, &status, 0), reader);
	cr_expect_eq(status, 0);
	close(fd);
}

/* How many records of changes to /ip arrive. */
static unsigned int count_leases(int fd, unsigned int n)
{
	unsigned int n_seen = 0;

	while (n_seen < n && logged(fd, "\"path\":\"/ip\",\"verdict\":\"ok\""))
		n_seen++;
	return n_seen;
}

/* More than 1,000 records while the daemon does not read, of which its socket takes ten. */
Test(watcher_files, U34_burst)
{
	struct syslog syslog;
	uint64_t revision = 0;
	int fd, status;

	open_syslog(&syslog);
	fd = start_syslog();
	cr_assert_eq(syslog_connect(&syslog), 0);
	start();
	for (int i = 0; i < 250; i++)
		revision = lease(i % 2 ? "192.0.2.8/24" : "192.0.2.9/24", "3600");
	EXPECT_OK("dns", revision);
	cr_expect_eq(audit_lines(revision, NULL), 5, "the watcher does not wait");
	cr_expect_eq(count_leases(fd, 250), 250);
	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
	close(fd);
}

/* What waited in a watcher that is killed is counted by the next one, and said. */
Test(watcher_files, U34_killed_while_records_wait)
{
	struct syslog syslog;
	uint64_t revision = 0;
	unsigned int n_seen = 0;
	int fd;

	open_syslog(&syslog);
	fd = start_syslog();
	cr_assert_eq(syslog_connect(&syslog), 0);
	start();
	for (int i = 0; i < 10; i++)
		revision = lease(i % 2 ? "192.0.2.8/24" : "192.0.2.9/24", "3600");
	EXPECT_OK("dns", revision);
	settle();
	(void)stop(SIGKILL);
	while (recv(fd, (char[16]){ 0 }, 16, MSG_DONTWAIT) > 0)
		n_seen++;
	cr_expect_lt(n_seen, 50, "of 50 and more");
	start();
	cr_expect(logged(fd, " records could not be written\""));
	close(fd);
}

/* Its records go to a descriptor of the supervisor, of which the reader is slow. */
Test(watcher_files, U39_audit_to_a_pipe)
{
	static char text[1 << 16];
	uint64_t revision = 0;
	unsigned int n_seen = 0;
	int fds[2], status;
	FILE *file;

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	cr_assert_geq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	audit_log = fds[1];
	start();
	for (int i = 0; i < 250; i++)
		revision = lease(i % 2 ? "192.0.2.8/24" : "192.0.2.9/24", "3600");
	EXPECT_OK("dns", revision);
	cr_assert_eq(fcntl(fds[0], F_SETFL, 0), 0);
	file = fdopen(fds[0], "r");
	cr_assert_not_null(file);
	while (n_seen < 250 && fgets(text, sizeof(text), file)) {
		json_t *record = json_loads(text, 0, NULL);

		cr_assert_not_null(record, "%s", text);
		json_decref(record);
		n_seen += strstr(text, "\"path\":\"/ip\"") != NULL;
	}
	cr_expect_eq(n_seen, 250);
	EXPECT_SH("! test -e " AUDIT);
	status = stop(SIGTERM);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_OK, "%x", status);
	(void)fclose(file);
}
