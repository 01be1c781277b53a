/* SPDX-License-Identifier: Apache-2.0 */
/* Which uids an instance gets, whoever asks at the same time or is killed meanwhile. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/common/lock.h"
#include "userspace/priv/supervisor/uids.h"
#include "userspace/state/uids.h"

static struct uids_roots roots;
static char run_root[64], pins_root[64];
static struct uids uids;

static void setup(void)
{
	scratch_make();
	snprintf(run_root, sizeof(run_root), "%s/run", scratch);
	snprintf(pins_root, sizeof(pins_root), "%s/pins", scratch);
	cr_assert_eq(mkdir(run_root, 0700) | mkdir(pins_root, 0700), 0);
	roots = (struct uids_roots){ .run = run_root, .pins = pins_root };
	capture_begin();
}

TestSuite(uids, .init = setup, .fini = scratch_remove);

/* Make a directory of the instance, as in a start. */
static void make(const char *root, const char *instance)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, instance);
	cr_assert(mkdir(path, 0711) == 0 || errno == EEXIST);
}

static void remove_made(const char *root, const char *instance)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, instance);
	cr_assert_eq(rmdir(path), 0);
}

/* Start the instance. Returns its first uid, or a negative errno. */
static int64_t start(const char *instance, uint32_t wanted)
{
	uint32_t first;
	int r;

	capture_begin();
	make(run_root, instance);
	r = uids_take(&roots, instance, wanted, -1, &first);
	return r ? r : (int64_t)first;
}

static const char *table(void)
{
	static char text[4096];
	FILE *file = fopen(scratch_path("run/" UIDS_FILE), "re");

	cr_assert_not_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

Test(uids, U35_each_instance_has_its_own)
{
	struct stat status;

	cr_expect_eq(start("eth0", 0), 1879048192);
	cr_expect_eq(start("eth1", 0), 1879048320);
	cr_expect_eq(start("wan", 0), 1879048448);
	cr_expect_str_eq(table(), "eth0:1879048192:128\neth1:1879048320:128\nwan:1879048448:128\n");
	cr_expect_str_eq(capture_text(), "");
	cr_assert_eq(stat(scratch_path("run/" UIDS_FILE), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0644);
}

Test(uids, U35_instance_keeps_its_own)
{
	start("eth0", 0);
	start("eth1", 0);
	cr_expect_eq(start("eth1", 0), 1879048320);
	cr_expect_eq(start("eth0", 0), 1879048192);
	/* stopped, and the other one gone */
	remove_made(run_root, "eth0");
	cr_expect_eq(start("eth1", 0), 1879048320);
	/* chosen by an option, and then not any more */
	cr_expect_eq(start("eth1", 300000), 300000);
	cr_expect_eq(start("eth1", 0), 1879048192);
}

Test(uids, U35_instances_that_are_gone_make_room)
{
	start("eth0", 0);
	start("eth1", 0);
	make(pins_root, "eth0");
	remove_made(run_root, "eth0");
	cr_expect_eq(start("wan", 0), 1879048448, "eth0 has its pins");
	remove_made(pins_root, "eth0");
	cr_expect_eq(start("lan", 0), 1879048192);
	cr_expect_eq(start("eth0", 0), 1879048576, "taken meanwhile");
	remove_made(run_root, "eth1");
	cr_expect_eq(start("dmz", 1879048320), 1879048320, "by an option, too");
}

/* Which ones overlap, and with whom. */
Test(uids, F9_overlap_is_refused)
{
	static const struct {
		uint32_t wanted;
		int64_t result;
	} rows[] = {
		{ 400000, -EADDRINUSE },
		{ 400127, -EADDRINUSE },
		{ 399873, -EADDRINUSE },
		{ 400128, 400128 },
		{ 399872, 399872 },
		{ 1879048192, -EADDRINUSE },
		{ 1879048191, -EADDRINUSE },
		{ 1879048320, 1879048320 },
		{ UINT32_MAX - 129, 4294967166 },
		{ 65537, 65537 },
	};

	cr_assert_eq(start("eth0", 400000), 400000);
	cr_assert_eq(start("eth1", 0), 1879048192);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(start("wan", rows[i].wanted), rows[i].result, "%u: %s", rows[i].wanted,
			     capture_text());
	start("wan", 400100);
	cr_expect_str_eq(capture_text(),
			 "--uid-base: uids 400100 to 400227 overlap with those of instance eth0, "
			 "400000 to 400127; choose others, or leave the option out\n");
	cr_expect_eq(start("eth0", 400001), 400001, "its own");
}

/* Uids that an option chose are not handed out. */
Test(uids, F9_default_avoids_what_options_chose)
{
	start("eth0", 1879048200);
	start("eth1", 1879048500);
	cr_expect_eq(start("wan", 0), 1879048704, "%s", table());
}

static void write_state(const char *instance, const char *text)
{
	char path[64];

	make(run_root, instance);
	snprintf(path, sizeof(path), "run/%s/state.json", instance);
	scratch_write_text(path, text, 0600);
}

/* Instances run although the table is gone. */
Test(uids, F9_lost_table)
{
	start("eth0", 0);
	start("eth1", 0);
	start("eth2", 0);
	write_state("eth1", "{\"version\": 1, \"uid_base\": 1879048320}");
	write_state("eth2", "{\"version\": 1, \"uid_base\": 1879048448}");
	cr_assert_eq(unlink(scratch_path("run/" UIDS_FILE)), 0);
	cr_expect_eq(start("wan", 1879048320), -EADDRINUSE);
	cr_expect_eq(start("wan", 0), 1879048192);
	cr_expect_eq(start("lan", 0), 1879048576);
	cr_assert_eq(unlink(scratch_path("run/" UIDS_FILE)), 0);
	cr_expect_eq(start("eth2", 0), 1879048448, "it was killed");
	write_state("dmz", "{\"version\": 1, \"uid_base\": 7}");
	write_state("dmz2", "{\"version\": 1, \"uid_base\": -1}");
	write_state("dmz3", "{\"version\": 1}");
	write_state("dmz4", "{\"ver");
	cr_expect_eq(start("lan", 0), 1879048192, "%s", table());
}

Test(uids, F9_damaged_table)
{
	start("eth0", 0);
	start("eth1", 0);
	write_state("eth1", "{\"version\": 1, \"uid_base\": 1879048320}");
	scratch_write_text("run/" UIDS_FILE, "eth0:1879048192:128\neth1:187\nwan:1", 0644);
	cr_expect_eq(start("wan", 0), 1879048448);
	cr_expect_not_null(strstr(capture_text(), "/uids: removed 2 damaged lines\n"), "%s",
			   capture_text());
	cr_expect_str_eq(table(), "eth0:1879048192:128\neth1:1879048320:128\nwan:1879048448:128\n");
	start("wan", 0);
	cr_expect_str_eq(capture_text(), "");
}

#define N_PROCESSES 12

/* Take uids in another process, when `go` is closed. */
static pid_t start_apart(const char *instance, const int go[2])
{
	pid_t pid = fork();
	uint32_t first;
	char byte;

	cr_assert_geq(pid, 0);
	if (pid)
		return pid;
	close(go[1]);
	if (read(go[0], &byte, 1) < 0)
		_exit(2);
	_exit(uids_take(&roots, instance, 0, -1, &first) ? 1 : 0);
}

Test(uids, U35_many_at_once)
{
	char names[N_PROCESSES][16];
	pid_t pids[N_PROCESSES];
	int go[2], status;

	cr_assert_eq(pipe(go), 0);
	for (int i = 0; i < N_PROCESSES; i++) {
		snprintf(names[i], sizeof(names[i]), "eth%d", i);
		make(run_root, names[i]);
		pids[i] = start_apart(names[i], go);
	}
	close(go[1]);
	for (int i = 0; i < N_PROCESSES; i++) {
		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_expect_eq(status, 0, "%s: %s", names[i], capture_text());
	}
	cr_assert_eq(uids_load(scratch_path("run/" UIDS_FILE), &uids), 0);
	cr_assert_eq(uids.n_entries, N_PROCESSES);
	for (size_t i = 0; i < N_PROCESSES; i++)
		for (size_t j = 0; j < i; j++)
			cr_expect_neq(uids.entries[i].first, uids.entries[j].first);
}

/* Whenever a writer is killed, the table is whole and not locked. */
Test(uids, U35_killed_writers)
{
	int status;

	start("eth0", 0);
	make(run_root, "wan");
	for (unsigned int i = 0; i < 60; i++) {
		pid_t pid = fork();
		uint32_t first, wanted = 0;

		if (!pid)
			for (;;)
				uids_take(&roots, "wan", 300000 + 128 * (wanted++ % 2), -1, &first);
		usleep(i * 97);
		kill(pid, SIGKILL);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert_eq(uids_load(scratch_path("run/" UIDS_FILE), &uids), 0, "%s", table());
		cr_assert_not_null(uids_find(&uids, "eth0"));
		cr_assert_eq(start("eth1", 500000 + 128 * i), 500000 + 128 * i, "%s",
			     capture_text());
	}
}

/* Nobody waits for ever. */
Test(uids, locked_table)
{
	int lock = lock_take(scratch_path("run/" UIDS_FILE), true), stop[2];
	uint32_t first = 0;

	cr_assert_geq(lock, 0);
	cr_expect_eq(start("eth0", 0), -EBUSY);
	cr_expect_not_null(strstr(capture_text(), "/uids: another process keeps it locked; "));
	cr_assert_eq(pipe(stop), 0);
	close(stop[1]);
	cr_expect_eq(uids_take(&roots, "eth0", 0, stop[0], &first), -ECANCELED);
	cr_expect_eq(first, 0);
	close(lock);
	cr_expect_eq(start("eth0", 0), 1879048192);
}

Test(uids, too_many_instances)
{
	char name[16];
	FILE *file = fopen(scratch_path("run/" UIDS_FILE), "we");

	for (unsigned int i = 0; i < UIDS_ENTRIES_MAX; i++) {
		snprintf(name, sizeof(name), "e%u", i);
		make(pins_root, name);
		fprintf(file, "%s:%u:128\n", name, UIDS_FIRST + INSTANCE_UIDS * i);
	}
	fclose(file);
	cr_expect_eq(start("eth0", 0), -EUSERS);
	cr_expect_not_null(strstr(capture_text(), "/uids: too many instances; "));
	remove_made(pins_root, "e5");
	cr_expect_eq(start("eth0", 0), UIDS_FIRST + INSTANCE_UIDS * 5);
}

/* An instance that keeps its uids starts also if nothing can be written. */
Test(uids, restart_writes_nothing)
{
	struct stat before, after;

	start("eth0", 0);
	cr_assert_eq(stat(scratch_path("run/" UIDS_FILE), &before), 0);
	cr_expect_eq(start("eth0", 0), 1879048192);
	cr_assert_eq(stat(scratch_path("run/" UIDS_FILE), &after), 0);
	cr_expect_eq(before.st_ino, after.st_ino);
}
