/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupted saves: by a kill, by a full disk, by a file of the temporary name. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/support-persist.h"

#define N_FEW 4 /* keys that test_fill() makes */
#define N_MANY (N_FEW + 40)
#define STOPS_MAX 200 /* far more than there are in a save */

static struct wanted few, many;

static void setup(void)
{
	char path[KV_PATH_SIZE], text[KV_VALUE_SIZE];

	scratch_make();
	test_fill(&few);
	test_fill(&many);
	memset(text, 'y', 1000);
	text[1000] = '\0';
	for (int i = 0; i < N_MANY - N_FEW; i++) {
		(void)snprintf(path, sizeof(path), "/x/k%03d", i);
		test_set(&many, path, text, S);
	}
	capture_begin();
}

static void teardown(void)
{
	wanted_deinit(&few);
	wanted_deinit(&many);
	scratch_remove();
}

TestSuite(persist_save, .init = setup, .fini = teardown);

/*
 * Save in another process and kill it at its `n`th stop: there is one before and one
 * after each of its system calls. Returns false if it exited before that.
 */
static bool is_killed_at(int n, const struct wanted *wanted)
{
	pid_t writer = fork();
	int status;

	cr_assert_geq(writer, 0);
	if (writer == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
			_exit(1);
		_exit(test_save(scratch, wanted) ? 2 : 0);
	}
	cr_assert_eq(waitpid(writer, &status, 0), writer);
	for (int i = 0; i < n && WIFSTOPPED(status); i++) {
		cr_assert_eq(ptrace(PTRACE_SYSCALL, writer, NULL, NULL), 0);
		cr_assert_eq(waitpid(writer, &status, 0), writer);
	}
	if (!WIFSTOPPED(status)) {
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
		return false;
	}
	cr_assert_eq(kill(writer, SIGKILL), 0);
	cr_assert_eq(waitpid(writer, &status, 0), writer);
	cr_assert(WIFSIGNALED(status));
	return true;
}

/* Which of the two the file holds, whole. */
static const struct wanted *saved(void)
{
	struct persist_snapshot snapshot;
	struct persist_entry entry;
	const struct wanted *wanted;
	unsigned int n = 0;

	cr_assert_eq(persist_load(scratch, &snapshot), 0, "%s", capture_text());
	while (persist_next(&snapshot, &entry))
		n++;
	wanted = snapshot.revision == few.revision ? &few : &many;
	cr_expect_eq(snapshot.revision, wanted->revision);
	cr_expect_eq(snapshot.n_entries, wanted == &few ? N_FEW : N_MANY);
	cr_expect_eq(n, snapshot.n_entries);
	persist_snapshot_deinit(&snapshot);
	return wanted;
}

/* The file is the old one up to some system call, and the new one after it; leftovers
 * of a killed process do not disturb the next one. */
static void kill_everywhere(const struct wanted *from, const struct wanted *to)
{
	int n = 0, n_old = 0;

	cr_assert_eq(test_save(scratch, from), 0);
	for (; n < STOPS_MAX && is_killed_at(n, to); n++) {
		if (saved() == from) {
			cr_expect_eq(n_old, n, "it was the new one already");
			n_old++;
		} else {
			cr_assert_eq(test_save(scratch, from), 0);
		}
	}
	cr_expect_eq(saved(), to);
	cr_expect_lt(n, STOPS_MAX);
	cr_expect_gt(n_old, 8, "opened, written and synced, each before and behind");
	cr_expect_gt(n, n_old + 1, "the directory is synced when it is the new one");
}

Test(persist_save, killed_at_every_system_call)
{
	kill_everywhere(&few, &many);
	kill_everywhere(&many, &few);
}

/* A file size limit cuts the writes as a full disk does. */
Test(persist_save, full_disk_leaves_the_old_one)
{
	struct persist_snapshot snapshot;
	struct rlimit limit, former;
	rlim_t size;

	cr_assert_eq(test_save(scratch, &few), 0);
	test_set(&few, "/x/003", "more", S);
	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &former), 0);
	limit = former;
	for (size = 0; size < 150; size += 7) {
		limit.rlim_cur = size;
		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		cr_expect_eq(test_save(scratch, &few), -EFBIG);
		cr_expect_eq(access(scratch_path(".store.calfpen"), F_OK), -1);
		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &former), 0);
	}
	cr_assert_eq(persist_load(scratch, &snapshot), 0);
	cr_expect_eq(snapshot.revision, 7);
	persist_snapshot_deinit(&snapshot);
	cr_expect_eq(test_save(scratch, &few), 0);
}

/* A file or link with the name of the temporary file is not written through. */
Test(persist_save, temporary_name_is_taken)
{
	const char *victim = scratch_path("victim");
	struct stat status;

	cr_assert_eq(symlink(victim, scratch_path(".store.calfpen")), 0);
	cr_expect_eq(test_save(scratch, &few), 0);
	cr_expect_eq(lstat(victim, &status), -1);
	cr_assert_eq(mkdir(scratch_path(".store.calfpen"), 0700), 0);
	cr_expect_eq(test_save(scratch, &few), -EEXIST);
}
