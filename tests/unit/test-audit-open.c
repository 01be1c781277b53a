/* SPDX-License-Identifier: Apache-2.0 */
/* Rotation, and how the chain goes on over restarts, rotations by others and tampering. */
#include "tests/unit/support-audit.h"

TestSuite(audit_open, .init = audit_setup, .fini = audit_teardown);

static void open_audit(void)
{
	cr_assert_eq(audit_open(&audit, path, &settings), 0);
}

static const char *segment(unsigned int i)
{
	static char name[2][PATH_MAX];

	cr_assert_eq(audit_segment_path(path, i, name[i % 2]), 0);
	return name[i % 2];
}

static void move(const char *to)
{
	cr_assert_eq(rename(path, to), 0);
}

Test(audit_open, F2_restarts)
{
	for (unsigned int i = 1; i <= 6; i++) {
		open_audit();
		cr_expect_eq(put(i), 0);
		if (i % 2)
			kill_audit();
		else
			audit_close(&audit, 0);
	}
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4, 5, 6");
	cr_expect_str_eq(capture_text(), "");
}

Test(audit_open, F2_rotation)
{
	settings.max_size = 4 * line_length();
	open_audit();
	for (unsigned int i = 1; i <= 13; i++)
		cr_expect_eq(put(i), 0);
	/* four files, begin included at most four lines each */
	cr_expect_str_eq(see_log(), "begin 2, 4, 5, 6, begin 3, 7, 8, 9, begin 4, 10, 11, 12, "
				    "begin 5, 13");
	cr_expect_eq(access(segment(3), F_OK), 0);
	cr_expect_eq(access(segment(4), F_OK), -1);
	cr_expect_eq(access(scratch_path("log/x.audit.jsonl.new"), F_OK), -1);
	kill_audit();
	open_audit();
	cr_expect_eq(put(14), 0);
	cr_expect_not_null(strstr(see_log(), "begin 5, 13, 14"));
	cr_expect_str_eq(capture_text(), "");
}

/* Fewer files than before are to stay: those that are too many would be a gap in the chain. */
Test(audit_open, F2_rotation_with_fewer_files)
{
	settings.max_size = 3 * line_length();
	open_audit();
	for (unsigned int i = 1; i <= 7; i++)
		cr_expect_eq(put(i), 0);
	kill_audit();
	cr_assert_eq(rename(segment(3), segment(AUDIT_SEGMENTS_MAX - 1)), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, begin 2, 3, 4, begin 3, 5, 6, begin 4, 7");
	settings.n_files = 2;
	open_audit();
	cr_expect_eq(put(8), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, begin 2, 3, 4, begin 3, 5, 6, begin 4, 7, 8",
			 "not before it is rotated");
	cr_expect_eq(put(9), 0);
	cr_expect_str_eq(see_log(), "begin 4, 7, 8, begin 5, 9");
	cr_expect_str_eq(capture_text(), "");
}

/* A number that is free is used before a file is replaced. */
Test(audit_open, F2_rotation_that_was_not_ended)
{
	settings.max_size = 3 * line_length();
	open_audit();
	for (unsigned int i = 1; i <= 6; i++)
		cr_expect_eq(put(i), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, begin 2, 3, 4, begin 3, 5, 6");
	cr_assert_eq(rename(scratch_path("log/x.audit.jsonl.2"),
			    scratch_path("log/x.audit.jsonl.3")),
		     0);
	scratch_write_text("log/x.audit.jsonl.new", "left", 0600);
	cr_expect_eq(put(7), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, begin 2, 3, 4, begin 3, 5, 6, begin 4, 7");
	/* killed after the log has got its number */
	move(scratch_path("log/x.audit.jsonl.0"));
	kill_audit();
	for (int i = 3; i >= 1; i--)
		(void)rename(segment((unsigned int)i), segment((unsigned int)i + 1));
	cr_assert_eq(rename(scratch_path("log/x.audit.jsonl.0"), segment(1)), 0);
	open_audit();
	cr_expect_eq(put(8), 0);
	cr_expect_str_eq(see_log(),
			 "begin 1, 1, 2, begin 2, 3, 4, begin 3, 5, 6, begin 4, 7, begin 5, 8");
	cr_expect_str_eq(capture_text(), "");
}

/* A log that cannot be rotated grows. */
Test(audit_open, F2_cannot_be_rotated)
{
	settings.max_size = 3 * line_length();
	open_audit();
	cr_assert_eq(mkdir(segment(1), 0700), 0);
	cr_assert_eq(mkdir(segment(2), 0700), 0);
	cr_assert_eq(mkdir(segment(3), 0700), 0);
	cr_assert_eq(mkdir(scratch_path("log/x.audit.jsonl.3/x"), 0700), 0);
	for (unsigned int i = 1; i <= 6; i++)
		cr_expect_eq(put(i), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4, 5, 6");
	cr_expect_not_null(strstr(capture_text(), ": cannot rotate it: "));
	cr_expect_null(strstr(strstr(capture_text(), "cannot rotate") + 1, "cannot rotate"),
		       "once");
}

/* A full disk while it is rotated: the new file cannot be begun. */
Test(audit_open, F2_full_at_the_rotation)
{
	settings.max_size = 3 * line_length();
	open_audit();
	cr_expect_eq(put(1), 0);
	cr_expect_eq(put(2), 0);
	limit_size(10);
	cr_expect_eq(put(3), -EAGAIN, "neither the log nor a reserve");
	limit_size(RLIM_INFINITY);
	(void)audit_retry(&audit);
	audit.rotate_ns = 0;
	cr_expect_eq(put(3), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, begin 2, 3");
}

Test(audit_open, F2_rotated_by_others)
{
	open_audit();
	cr_expect_eq(put(1), 0);
	cr_expect_eq(audit_reopen(&audit), 0, "not rotated: continues");
	cr_expect_eq(put(2), 0);
	move(segment(1));
	cr_expect_eq(put(3), 0);
	cr_expect_eq(access(path, F_OK), -1, "until it is reopened");
	cr_expect_eq(audit_reopen(&audit), 0);
	cr_expect_eq(put(4), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, begin 2, 4");
	/* while nobody runs */
	kill_audit();
	cr_assert_eq(rename(segment(1), segment(2)), 0);
	move(segment(1));
	open_audit();
	cr_expect_eq(put(5), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, begin 2, 4, begin 3, 5");
	cr_expect_str_eq(capture_text(), "");
	/* cannot reopen: continue with the old file */
	move(scratch_path("log/away"));
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(audit_reopen(&audit), -EISDIR);
	cr_assert_geq(audit.file.fd, 0);
	cr_expect_eq(put(6), 0);
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(rename(scratch_path("log/away"), path), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, begin 2, 4, begin 3, 5, 6");
}

/* Because the disk is full: what waits is in the new file, if not in the old one. */
Test(audit_open, F2_rotated_while_full)
{
	for (int has_room = 0; has_room < 2; has_room++) {
		open_audit();
		cr_expect_eq(put(1), 0);
		limit_size(audit.file.end);
		cr_expect_eq(put(2), 0);
		if (has_room)
			limit_size(RLIM_INFINITY);
		move(segment(1));
		cr_expect_eq(audit_reopen(&audit), 0);
		limit_size(RLIM_INFINITY);
		cr_expect_eq(put(3), 0);
		cr_expect_str_eq(see_log(), has_room ? "begin 1, 1, 2, begin 2, 3" :
						       "begin 1, 1, begin 2, 2, 3");
		audit_close(&audit, 0);
		cr_assert_eq(unlink(path), 0);
		cr_assert_eq(unlink(segment(1)), 0);
		cr_assert_eq(unlink(scratch_path("run/audit-head")), 0);
	}
}

Test(audit_open, F2_removed)
{
	open_audit();
	cr_expect_eq(put(1), 0);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(put(2), 0);
	cr_expect_str_eq(see_log(), "begin 2, 2");
	cr_expect_not_null(strstr(capture_text(), "was removed or renamed; opening it again"));
}

/* A file of a version without a chain; and one whose last line was torn. */
Test(audit_open, F2_older_versions_and_torn_lines)
{
	static struct seen seen;
	char text[512], hash[CHAIN_SIZE];
	static const char old[] =
		"{\"time\":\"\",\"subject\":\"a\",\"verb\":\"commit\",\"revision\":1}";
	FILE *file;

	cr_assert_eq(mkdir(scratch_path("log"), 0700), 0);
	(void)snprintf(text, sizeof(text), "%s\n", old);
	scratch_write_text("log/x.audit.jsonl", text, 0600);
	open_audit();
	cr_expect_eq(put(2), 0);
	kill_audit();
	file = fopen(path, "a");
	cr_assert_not_null(file);
	(void)fputs("{\"time\":\"torn", file);
	(void)fclose(file);
	open_audit();
	cr_expect_eq(put(3), 0);
	chain_hash(old, strlen(old), seen.last);
	memcpy(hash, seen.last, sizeof(hash));
	see_file(&seen, path);
	cr_expect_eq(seen.n_bad, 2u, "the old one and the torn one");
	cr_expect_eq(seen.n_breaks, 0u);
	cr_expect_str_eq(seen.text, "2, 3");
	cr_expect_str_eq(capture_text(), "");
}

/* While no process runs, the last record is removed. Returns where it was. */
static off_t remove_end(void)
{
	off_t before;

	open_audit();
	cr_expect_eq(put(1), 0);
	before = (off_t)audit.file.end;
	cr_expect_eq(put(2), 0);
	kill_audit();
	cr_assert_eq(truncate(path, before), 0);
	return before;
}

/* While no process runs, the end is removed: it is said and recorded, and the chain has a
 * break at this place. */
Test(audit_open, F2_end_was_removed)
{
	static struct seen seen;

	(void)remove_end();
	open_audit();
	cr_expect_eq(put(3), 0);
	see_file(&seen, path);
	cr_expect_str_eq(seen.text, "begin 1, 1, mismatch, 3");
	cr_expect_eq(seen.n_breaks, 1u);
	cr_expect_not_null(strstr(capture_text(), ": its end is not what was written last"));
	/* said once */
	kill_audit();
	capture_begin();
	open_audit();
	cr_expect_str_eq(capture_text(), "");
	/* all of it was */
	kill_audit();
	cr_assert_eq(unlink(path), 0);
	open_audit();
	cr_expect_not_null(strstr(capture_text(), ": its end is not what was written last"));
}

/* The disk is full then: the record is written before all others when there is room. */
Test(audit_open, F2_end_was_removed_while_full)
{
	static struct seen seen;
	const off_t before = remove_end();

	limit_size((rlim_t)before);
	cr_expect_eq(audit_open(&audit, path, &settings), -EFBIG);
	cr_expect_eq(put(3), 0);
	cr_expect_str_eq(see_reserve(0), "3");
	limit_size(RLIM_INFINITY);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(put(4), 0);
	move(segment(1));
	cr_expect_eq(audit_reopen(&audit), 0);
	see_file(&seen, segment(1));
	see_file(&seen, path);
	cr_expect_str_eq(seen.text, "begin 1, 1, mismatch, 3, 4, begin 2");
	cr_expect_eq(seen.n_breaks, 1u);
}

/* A process is killed between the line and the note of it: that is no damage. */
Test(audit_open, F2_killed_before_the_head)
{
	struct audit_head before;

	open_audit();
	cr_expect_eq(put(1), 0);
	cr_assert_eq(audit_head_get(audit.head, &before), 0);
	cr_expect_eq(put(2), 0);
	audit_head_set(audit.head, &before);
	kill_audit();
	open_audit();
	cr_expect_eq(put(3), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3");
	cr_expect_str_eq(capture_text(), "");
}

/* A process is killed between the line of a record that waited and the note of it, or the
 * host after it: what the log has does not count as waiting. */
Test(audit_open, F2_killed_while_it_is_drained)
{
	struct audit_head before;

	for (int has_head = 0; has_head < 2; has_head++) {
		open_audit();
		for (unsigned int i = 1; i <= 6; i++) {
			cr_expect_eq(put(i), 0);
			if (i == 3)
				limit_size(audit.file.end);
		}
		cr_expect_str_eq(see_reserve(0), "4, 5, 6");
		cr_assert_eq(audit_head_get(audit.head, &before), 0);
		limit_size(audit.file.end + line_length());
		cr_expect_eq(audit_retry(&audit), -EFBIG);
		audit_head_set(audit.head, &before);
		kill_audit();
		if (!has_head)
			cr_assert_eq(unlink(scratch_path("run/audit-head")), 0);
		capture_begin();
		cr_expect_eq(audit_open(&audit, path, &settings), -EFBIG);
		limit_size(RLIM_INFINITY);
		cr_expect_eq(audit_retry(&audit), 0);
		cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4, 5, 6");
		cr_expect_not_null(strstr(capture_text(), "; 2 records waited in the reserve"),
				   "%s", capture_text());
		audit_close(&audit, 0);
		cr_assert_eq(unlink(path), 0);
		cr_assert_eq(unlink(scratch_path("run/audit-head")), 0);
	}
}

/* After a boot, nothing is known of the end. */
Test(audit_open, F2_after_a_boot)
{
	open_audit();
	cr_expect_eq(put(1), 0);
	kill_audit();
	cr_assert_eq(unlink(scratch_path("run/audit-head")), 0);
	/* its directory is not there yet */
	cr_assert_eq(rename(scratch_path("log"), scratch_path("away")), 0);
	scratch_write_text("log", "", 0600);
	cr_expect_eq(audit_open(&audit, path, &settings), -ENOTDIR);
	cr_expect_eq(put(2), 0);
	kill_audit();
	cr_expect_eq(audit_open(&audit, path, &settings), -ENOTDIR);
	cr_expect_eq(put(3), 0);
	cr_assert_eq(unlink(scratch_path("log")), 0);
	cr_assert_eq(rename(scratch_path("away"), scratch_path("log")), 0);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(put(4), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4");
	cr_expect_null(strstr(capture_text(), "its end is not"));
}
