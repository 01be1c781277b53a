/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/audit_head.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/scratch.h"

TestSuite(audit_head, .init = scratch_make, .fini = scratch_remove);

static const struct audit_head first = { .hash = "00112233445566778899aabbccddeeff",
					 .log_hash = "",
					 .segment = 3 };
static const struct audit_head second = { .hash = "ffeeddccbbaa99887766554433221100",
					  .log_hash = "00112233445566778899aabbccddeeff",
					  .log = 5,
					  .is_cut = true,
					  .segment = 4,
					  .drained = { 1, 2 } };

static void expect_head(const struct audit_head *head, const struct audit_head *expected)
{
	cr_expect_str_eq(head->hash, expected->hash);
	cr_expect_str_eq(head->log_hash, expected->log_hash);
	cr_expect_eq(head->log, expected->log);
	cr_expect_arr_eq(head->drained, expected->drained, sizeof(head->drained));
	cr_expect_eq(head->is_cut, expected->is_cut);
	cr_expect_eq(head->segment, expected->segment);
}

Test(audit_head, F2_outlives_its_writer)
{
	const char *path = scratch_path("head");
	struct audit_head_page *page = NULL;
	struct audit_head head;
	struct stat status;

	cr_expect_eq(audit_head_read(path, &head), -ENOENT);
	cr_assert_eq(audit_head_open(path, &page), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect_eq(audit_head_get(page, &head), -ENODATA);
	cr_expect_eq(audit_head_read(path, &head), -ENODATA);
	audit_head_set(page, &first);
	cr_assert_eq(audit_head_read(path, &head), 0);
	expect_head(&head, &first);
	audit_head_set(page, &second);
	cr_assert_eq(audit_head_get(page, &head), 0);
	expect_head(&head, &second);
	audit_head_close(page);
	cr_assert_eq(audit_head_open(path, &page), 0);
	cr_assert_eq(audit_head_get(page, &head), 0);
	expect_head(&head, &second);
	audit_head_close(page);
	audit_head_close(NULL);
}

/* It is read as a whole while it is written. */
Test(audit_head, F2_read_while_it_is_written)
{
	const char *path = scratch_path("head");
	struct audit_head_page *page = NULL;
	struct audit_head head;
	int status, n = 0;
	pid_t pid;

	cr_assert_eq(audit_head_open(path, &page), 0);
	audit_head_set(page, &first);
	pid = fork();
	if (!pid)
		for (;;) {
			audit_head_set(page, &second);
			audit_head_set(page, &first);
		}
	for (int i = 0; i < 2000; i++) {
		int r = audit_head_read(path, &head);

		cr_assert(r == 0 || r == -ENODATA, "%d", r);
		n += !r;
		if (!r)
			expect_head(&head, head.segment == 3 ? &first : &second);
	}
	cr_expect_gt(n, 0);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	audit_head_close(page);
}

/* Other files are no heads, and are replaced by one. */
Test(audit_head, F2_other_files)
{
	static const char *const texts[] = { "", "x", "0123456789", NULL };
	struct audit_head_page *page = NULL;
	struct audit_head head;
	char bytes[1024];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i])
			scratch_write_text("other", texts[i], 0600);
		else
			scratch_write("other", bytes, sizeof(bytes), 0600);
		cr_expect_eq(audit_head_read(scratch_path("other"), &head), -ENODATA);
		cr_assert_eq(audit_head_open(scratch_path("other"), &page), 0);
		cr_expect_eq(audit_head_get(page, &head), -ENODATA);
		audit_head_close(page);
	}
	cr_assert_eq(symlink("other", scratch_path("link")), 0);
	cr_expect_eq(audit_head_open(scratch_path("link"), &page), -ELOOP);
	cr_expect_eq(audit_head_open(scratch_path("no/file"), &page), -ENOENT);
}
