/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen watch` with a real gate: in its own process, with its output in a pipe. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bpf/cli-operator.h"

TestSuite(cli_watch, .init = setup, .fini = teardown);

struct watcher {
	pid_t pid;
	FILE *lines, *errors;
};

static struct watcher watch(char *argument, char *value)
{
	struct cli cli = { .pins_root = pins_root, .run_root = run_root, .saved_root = saved_root };
	char *argv[] = { "calfpen", "--instance", instance, "watch", argument, value, NULL };
	int out[2], err[2], argc = argument ? value ? 6 : 5 : 4;
	struct watcher watcher;

	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	watcher.pid = fork();
	if (watcher.pid == 0) {
		close(out[0]);
		close(err[0]);
		cli.out = fdopen(out[1], "w");
		cli.err = fdopen(err[1], "w");
		argc = cli_dispatch(&cli, argc, argv);
		fflush(cli.err);
		_exit(argc);
	}
	close(out[1]);
	close(err[1]);
	watcher.lines = fdopen(out[0], "r");
	watcher.errors = fdopen(err[0], "r");
	return watcher;
}

static void expect(struct watcher *watcher, const char *want)
{
	char line[2048] = "";

	cr_assert_not_null(fgets(line, sizeof(line), watcher->lines), "no line; want %s", want);
	line[strcspn(line, "\n")] = '\0';
	cr_assert_str_eq(line, want);
}

static void put(const char *path, const char *text)
{
	cr_assert_eq(gate_write(calf, path, text, strlen(text), NULL), 0);
}

/* Stop it with a signal, or by closing its output if `number` is 0. */
static void end(struct watcher *watcher, int number)
{
	int status;

	if (number)
		kill(watcher->pid, number);
	else
		fclose(watcher->lines);
	cr_assert_eq(waitpid(watcher->pid, &status, 0), watcher->pid);
	cr_assert(WIFEXITED(status), "%d", status);
	cr_assert_eq(WEXITSTATUS(status), CLI_OK);
	if (number)
		fclose(watcher->lines);
	fclose(watcher->errors);
}

Test(cli_watch, state_and_events)
{
	struct watcher watcher = watch(NULL, NULL);

	expect(&watcher, "1 set /ip 10.0.2.15/24");
	expect(&watcher, "synced 2");
	put("/control/renew", "now");
	expect(&watcher, "3 set /control/renew now");
	put("/secret", "not to be seen");
	cr_assert_eq(gate_delete(calf, "/ip", NULL), 0);
	expect(&watcher, "5 del /ip");
	cr_assert_eq(RUN("status"), CLI_OK);
	cr_assert_not_null(strstr(out_text, " bytes, watches\n"), "%s", out_text);
	in_text = "set /control/a 1\ndel /control/renew\n";
	cr_assert_eq(RUN("commit", "-"), CLI_OK);
	expect(&watcher, "6 set /control/a 1");
	expect(&watcher, "6 del /control/renew");
	end(&watcher, SIGTERM);
}

Test(cli_watch, from_and_prefix)
{
	struct watcher watcher;

	put("/control/b", "3");
	put("/control/a", "4");
	watcher = watch("--from", "3");
	expect(&watcher, "4 set /control/a 4");
	expect(&watcher, "synced 4");
	end(&watcher, SIGINT);
	watcher = watch("/control/", NULL);
	expect(&watcher, "4 set /control/a 4");
	expect(&watcher, "3 set /control/b 3");
	expect(&watcher, "synced 4");
	put("/ip", "x");
	put("/control/b", "6");
	expect(&watcher, "6 set /control/b 6");
	end(&watcher, SIGHUP);
	watcher = watch("--json", "/none");
	expect(&watcher, "{\"event\":\"synced\",\"revision\":6}");
	end(&watcher, SIGTERM);
}

/* Several watch at once, each with all that it asked for; that one ends, or is
 * killed, makes no difference to the others. */
Test(cli_watch, U48_many_watch)
{
	enum { N = 40 };
	struct watcher watchers[N], late;
	struct timespec began, now;
	char want[64];

	for (int i = 0; i < N; i++)
		watchers[i] = i % 2 ? watch("/control/", NULL) : watch(NULL, NULL);
	for (int i = 0; i < N; i++) {
		if (i % 2 == 0)
			expect(&watchers[i], "1 set /ip 10.0.2.15/24");
		expect(&watchers[i], "synced 2");
	}
	/* Each change reaches all of them before the next one is made. One that is not
	 * woken looks after a second. */
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < 300; i++) {
		put("/control/a", "x");
		if (i % 32 == 0)
			gate_test_drain(&test);
		snprintf(want, sizeof(want), "%d set /control/a x", i + 3);
		for (int j = 0; j < N; j++)
			expect(&watchers[j], want);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	cr_assert_lt(now.tv_sec - began.tv_sec, 150);
	for (int i = 1; i < N; i++) {
		if (i % 3) {
			end(&watchers[i], SIGTERM);
			continue;
		}
		kill(watchers[i].pid, SIGKILL);
		waitpid(watchers[i].pid, NULL, 0);
	}
	late = watch("/control/", NULL);
	expect(&late, "302 set /control/a x");
	expect(&late, "synced 302");
	put("/control/a", "last");
	expect(&watchers[0], "303 set /control/a last");
	expect(&late, "303 set /control/a last");
	end(&late, SIGTERM);
	put("/ip", "still there");
	expect(&watchers[0], "304 set /ip still there");
	end(&watchers[0], SIGTERM);
}

/* One that does not read, and one that is stopped, cost neither the writer nor the
 * other watch anything. They start over when they continue. */
Test(cli_watch, U48_one_does_not_read)
{
	struct watcher stopped = watch("/many", NULL), unread = watch("/many", NULL),
		       reading = watch("/many", NULL);
	char want[512], text[300], line[2048];

	expect(&stopped, "synced 2");
	expect(&unread, "synced 2");
	expect(&reading, "synced 2");
	kill(stopped.pid, SIGSTOP);
	memset(text, '.', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	/* several times what the ring and a pipe hold */
	for (int i = 0; i < 2000; i++) {
		put("/many/a", text);
		if (i % 32 == 0)
			gate_test_drain(&test);
		snprintf(want, sizeof(want), "%d set /many/a %s", i + 3, text);
		expect(&reading, want);
	}
	cr_assert_eq(poll(&(struct pollfd){ .fd = fileno(reading.lines), .events = POLLIN }, 1, 0),
		     0, "no resync");
	kill(stopped.pid, SIGCONT);
	do
		cr_assert_not_null(fgets(line, sizeof(line), unread.lines));
	while (strcmp(line, "resync\n") != 0);
	do
		cr_assert_not_null(fgets(line, sizeof(line), stopped.lines));
	while (strcmp(line, "resync\n") != 0);
	snprintf(want, sizeof(want), "2002 set /many/a %s", text);
	expect(&unread, want);
	expect(&unread, "synced 2002");
	expect(&stopped, want);
	expect(&stopped, "synced 2002");
	put("/many/a", "b");
	expect(&reading, "2003 set /many/a b");
	expect(&unread, "2003 set /many/a b");
	expect(&stopped, "2003 set /many/a b");
	end(&stopped, SIGTERM);
	end(&unread, SIGTERM);
	end(&reading, SIGTERM);
	cr_assert_eq(RUN("status"), CLI_OK);
	cr_assert_null(strstr(out_text, ", lost "), "%s", out_text);
}

/* The only one that reads stops, so that the ring becomes full: all start over. */
Test(cli_watch, U48_all_too_slow)
{
	struct watcher watchers[] = { watch("/many", NULL), watch("/many", NULL) };
	char text[300], line[2048];

	for (int i = 0; i < 2; i++) {
		expect(&watchers[i], "synced 2");
		kill(watchers[i].pid, SIGSTOP);
	}
	memset(text, '.', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 1000; i++) {
		put("/many/a", text);
		if (i % 32 == 0)
			gate_test_drain(&test);
	}
	put("/many/a", "last");
	for (int i = 0; i < 2; i++)
		kill(watchers[i].pid, SIGCONT);
	for (int i = 0; i < 2; i++) {
		do
			cr_assert_not_null(fgets(line, sizeof(line), watchers[i].lines));
		while (strcmp(line, "resync\n") != 0);
		expect(&watchers[i], "1003 set /many/a last");
		expect(&watchers[i], "synced 1003");
		end(&watchers[i], SIGTERM);
	}
}

/* What a reader of the watch knows. */
struct known {
	bool is_synced, was_lost;
	bool has_deleted, has_end;
	char even[16], odd[16]; /* the first word of the values */
};

static void learn(struct known *known, const char *line)
{
	char path[64] = "", value[1024] = "";

	if (strcmp(line, "resync\n") == 0) {
		*known = (struct known){ .was_lost = true };
	} else if (strncmp(line, "synced ", 7) == 0) {
		known->is_synced = true;
	} else if (sscanf(line, "%*u set %63s %1023s", path, value) == 2) {
		value[strcspn(value, ".")] = '\0';
		if (strcmp(path, "/many/even") == 0)
			snprintf(known->even, sizeof(known->even), "%.15s", value);
		else if (strcmp(path, "/many/odd") == 0)
			snprintf(known->odd, sizeof(known->odd), "%.15s", value);
		known->has_deleted |= strcmp(path, "/many/deleted") == 0;
		known->has_end |= strcmp(path, "/many/end") == 0;
	} else if (strstr(line, "del /many/deleted")) {
		known->has_deleted = false;
	}
}

/* A reader pauses, so that pipe and ring fill up. It then gets the complete state,
 * including the last value of every key. On a busy
 * machine events are lost again, also while the state is listed. */
Test(cli_watch, resync)
{
	struct watcher watcher = watch("/many", NULL);
	struct known known = { .is_synced = true };
	char line[2048], text[512] = "";

	expect(&watcher, "synced 2");
	put("/many/deleted", "x");
	for (int i = 0; i < 2000; i++) {
		memset(text, '.', sizeof(text) - 1);
		text[snprintf(text, sizeof(text), "%d", i)] = '.';
		put(i % 2 ? "/many/odd" : "/many/even", text);
		if (i % 32 == 0)
			gate_test_drain(&test);
	}
	cr_assert_eq(gate_delete(calf, "/many/deleted", NULL), 0);
	put("/ip", "x");
	while (!known.was_lost || !known.is_synced) {
		cr_assert_not_null(fgets(line, sizeof(line), watcher.lines));
		learn(&known, line);
	}
	/* the state was listed while we wrote or afterwards; the rest are events */
	put("/many/end", "x");
	while (!known.has_end || !known.is_synced) {
		cr_assert_not_null(fgets(line, sizeof(line), watcher.lines));
		learn(&known, line);
	}
	cr_assert_str_eq(known.even, "1998");
	cr_assert_str_eq(known.odd, "1999");
	cr_assert_not(known.has_deleted);
	end(&watcher, SIGTERM);
	cr_assert_eq(RUN("status"), CLI_OK);
	cr_assert_not_null(strstr(out_text, ", lost "), "%s", out_text);
}

/* After a kill the ring is full of old events, which the next watch does not show. */
Test(cli_watch, after_a_killed_one)
{
	struct watcher watcher = watch(NULL, NULL);
	char line[128];

	expect(&watcher, "1 set /ip 10.0.2.15/24");
	expect(&watcher, "synced 2");
	kill(watcher.pid, SIGKILL);
	waitpid(watcher.pid, NULL, 0);
	fclose(watcher.lines);
	fclose(watcher.errors);
	for (int i = 0; i < 3000; i++) {
		put("/ip", i % 2 ? "odd" : "even");
		if (i % 32 == 0)
			gate_test_drain(&test);
	}
	watcher = watch(NULL, NULL);
	expect(&watcher, "3002 set /ip odd");
	expect(&watcher, "synced 3002");
	put("/ip", "x");
	expect(&watcher, "3003 set /ip x");
	kill(watcher.pid, SIGSTOP);
	put("/ip", "y");
	kill(watcher.pid, SIGCONT);
	expect(&watcher, "3004 set /ip y");
	cr_assert_eq(poll(&(struct pollfd){ .fd = fileno(watcher.errors), .events = POLLIN }, 1, 0),
		     0, "%s", fgets(line, sizeof(line), watcher.errors));
	end(&watcher, SIGTERM);
}

Test(cli_watch, ends_with_its_reader)
{
	struct watcher watcher = watch(NULL, NULL);

	expect(&watcher, "1 set /ip 10.0.2.15/24");
	expect(&watcher, "synced 2");
	end(&watcher, 0);
}

/* Every change of a storm of writes is shown, also while the state is listed. */
Test(cli_watch, converges_under_load)
{
	struct watcher watcher;
	char line[2048], want[64];
	uint64_t revision, before = 0;
	bool synced = false;
	pid_t writer = fork();

	if (writer == 0) {
		for (int i = 0; i < 6000; i++) {
			char path[32];

			snprintf(path, sizeof(path), "/many/%d", i % 40);
			if (i % 7 == 3)
				gate_delete(calf, path, NULL);
			else
				gate_write(calf, path, "abc", 3, NULL);
			if (i % 32 == 0)
				gate_test_drain(&test);
		}
		gate_write(calf, "/many/last", "x", 1, NULL);
		_exit(0);
	}
	usleep(20000);
	watcher = watch("/many", NULL);
	/* Each line after synced is the next change, unless there was a resync. */
	while (fgets(line, sizeof(line), watcher.lines)) {
		if (sscanf(line, "synced %" SCNu64, &before) == 1) {
			synced = true;
		} else if (strcmp(line, "resync\n") == 0) {
			synced = false;
		} else if (sscanf(line, "%" SCNu64, &revision) == 1 && synced) {
			cr_assert_eq(revision, before + 1, "after %" PRIu64 ": %s", before, line);
			before = revision;
		}
		if (strstr(line, "set /many/last x"))
			break;
	}
	cr_assert_eq(waitpid(writer, NULL, 0), writer);
	snprintf(want, sizeof(want), "%llu set /many/0 now", gate_test_ctl(&test).revision + 1);
	if (!synced)
		while (fgets(line, sizeof(line), watcher.lines) && strncmp(line, "synced", 6) != 0)
			;
	put("/many/0", "now");
	expect(&watcher, want);
	end(&watcher, SIGTERM);
}

/* The supervisor has restarted and recreated gates and rings. */
Test(cli_watch, over_a_restart)
{
	struct watcher watcher = watch(NULL, NULL);

	expect(&watcher, "1 set /ip 10.0.2.15/24");
	expect(&watcher, "synced 2");
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, 2000, 4), 0);
	add_subjects();
	put("/ip", "unseen by the old ring");
	expect(&watcher, "resync");
	expect(&watcher, "3 set /ip unseen by the old ring");
	expect(&watcher, "synced 3");
	put("/ip", "x");
	expect(&watcher, "4 set /ip x");
	end(&watcher, SIGTERM);
}

Test(cli_watch, without_the_right)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/" PIN_RING_PREFIX "operator", PINS_ROOT, instance);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(RUN("watch"), CLI_DENIED);
	cr_assert_str_eq(err_text, "calfpen: /: the operator may not watch it\n");
}
