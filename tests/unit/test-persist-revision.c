/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/support-persist.h"
#include "userspace/priv/persist/revision.h"

static char path[64];

static void setup(void)
{
	scratch_make();
	(void)snprintf(path, sizeof(path), "%s/revision", scratch);
	capture_begin();
}

static void teardown(void)
{
	scratch_remove();
}

TestSuite(persist_revision, .init = setup, .fini = teardown);

static int load(uint64_t *revisionp)
{
	*revisionp = 77;
	return persist_revision_load(scratch, revisionp);
}

Test(persist_revision, saved_and_loaded)
{
	static const uint64_t revisions[] = { 0, 1, 262144, INT64_MAX };
	struct stat status;
	uint64_t revision;

	cr_expect_eq(load(&revision), -ENOENT);
	cr_expect_eq(persist_revision_last(scratch), 0);
	for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++) {
		cr_assert_eq(persist_revision_save(scratch, revisions[i]), 0);
		cr_expect_eq(load(&revision), 0);
		cr_expect_eq(revision, revisions[i]);
		cr_expect_eq(persist_revision_last(scratch), revisions[i]);
	}
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_size, PERSIST_REVISION_SIZE);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect_eq(persist_revision_load("/proc/none", &revision), -ENOENT);
	cr_expect_eq(persist_revision_save("/proc/none", 1), -ENOENT);
	cr_expect_str_eq(capture_text(), "");
}

static void write_bytes(const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

/* Every byte flipped in every bit, every length. */
Test(persist_revision, damage)
{
	uint8_t bytes[PERSIST_REVISION_SIZE + 1] = { 0 };
	uint64_t revision;
	int fd;

	cr_assert_eq(persist_revision_save(scratch, 123456), 0);
	fd = open(path, O_RDONLY);
	cr_assert_eq(read(fd, bytes, sizeof(bytes)), PERSIST_REVISION_SIZE);
	close(fd);
	for (size_t i = 0; i < PERSIST_REVISION_SIZE; i++) {
		for (unsigned int flip = 1; flip < 256; flip++) {
			bytes[i] ^= (uint8_t)flip;
			write_bytes(bytes, PERSIST_REVISION_SIZE);
			cr_assert_eq(load(&revision), -EBADMSG, "byte %zu", i);
			cr_assert_eq(revision, 77);
			bytes[i] ^= (uint8_t)flip;
		}
	}
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		write_bytes(bytes, size);
		cr_assert_eq(load(&revision), size == PERSIST_REVISION_SIZE ? 0 : -EBADMSG);
	}
}

Test(persist_revision, damaged_is_set_aside)
{
	struct wanted wanted;
	uint64_t revision;

	test_fill(&wanted);
	cr_assert_eq(test_save(scratch, &wanted), 0);
	write_bytes((const uint8_t *)"nonsense", 8);
	cr_expect_eq(persist_revision_last(scratch), 7 + PERSIST_REVISION_DAMAGED_JUMP);
	cr_expect_not_null(strstr(capture_text(), "/revision is damaged; renamed to "
						  "revision.damaged, revisions continue far "
						  "above the last known one\n"));
	cr_expect_eq(load(&revision), -ENOENT);
	wanted_deinit(&wanted);
}

/* The greater of both files. */
Test(persist_revision, beside_the_snapshot)
{
	struct wanted wanted;

	test_fill(&wanted);
	cr_assert_eq(test_save(scratch, &wanted), 0);
	cr_expect_eq(persist_revision_last(scratch), 7);
	cr_assert_eq(persist_revision_save(scratch, 6), 0);
	cr_expect_eq(persist_revision_last(scratch), 7);
	cr_assert_eq(persist_revision_save(scratch, 8), 0);
	cr_expect_eq(persist_revision_last(scratch), 8);
	wanted_deinit(&wanted);
}

Test(persist_revision, made_ahead_at_a_start)
{
	uint64_t revision;
	char below[96];

	(void)snprintf(below, sizeof(below), "%s/a/b", scratch);
	persist_revision_end(below, persist_revision_begin(below, 5));
	cr_expect_eq(persist_revision_load(below, &revision), 0);
	cr_expect_eq(revision, 5 + PERSIST_REVISION_AHEAD);
	cr_expect_eq(persist_revision_begin(below, 6), 0, "it is ahead already");
	cr_expect_eq(persist_revision_begin("", 6), 0);
	cr_expect_str_eq(capture_text(), "");
	persist_revision_end("/proc/none", persist_revision_begin("/proc/none", 5));
	cr_expect_str_eq(capture_text(),
			 "/proc/none/revision: cannot write: No such file or directory; revisions "
			 "may be reused after a power cut\n");
}
