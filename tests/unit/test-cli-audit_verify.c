/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen audit --verify`: every way to change a log is found, and named. */
#include <jansson.h>

#include "tests/unit/cli-capture.h"
#include "userspace/cli/audit.h"
#include "userspace/common/audit_head.h"

#define N 8 /* lines of each of the two segments */
#define LINE_SIZE 256

static char lines[2 * N][LINE_SIZE]; /* segment by segment, the older one first */
static char log_path[160], older_path[176], wanted[1024];

static void write_file(const char *path, const char *const *texts, size_t n)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(file, "%s\n", texts[i]);
	(void)fclose(file);
}

static void write_log(void)
{
	const char *texts[2 * N];

	for (size_t i = 0; i < (size_t)2 * N; i++)
		texts[i] = lines[i];
	write_file(older_path, texts, N);
	write_file(log_path, texts + N, N);
}

static void make_line(size_t i, const char *previous)
{
	char text[128];

	if (i % N == 0)
		(void)snprintf(
			text, sizeof(text),
			"\"subject\":\"audit\",\"verb\":\"begin\",\"verdict\":\"ok\",\"segment\":%zu",
			i / N + 1);
	else
		(void)snprintf(text, sizeof(text),
			       "\"subject\":\"dhcp4\",\"verb\":\"commit\",\"path\":\"/ip\","
			       "\"verdict\":\"ok\",\"value\":\"%zu\"",
			       i);
	(void)snprintf(lines[i], LINE_SIZE,
		       "{\"time\":\"2026-11-24T02:15:%02zu.000000Z\",%s,\"prev\":\"%s\"}", i, text,
		       previous);
}

static void make_lines(void)
{
	char previous[CHAIN_SIZE] = CHAIN_START;

	for (size_t i = 0; i < (size_t)2 * N; i++) {
		make_line(i, previous);
		chain_hash(lines[i], strlen(lines[i]), previous);
	}
}

/* What the watcher has noted: line `i` of all is the last one, `in_log` that of the log. */
static void make_head_of(size_t i, size_t in_log, uint64_t drained)
{
	struct audit_head head = { .segment = 2,
				   .log = audit_head_log(log_path),
				   .drained = { drained } };
	struct audit_head_page *page;

	chain_hash(lines[i], strlen(lines[i]), head.hash);
	chain_hash(lines[in_log], strlen(lines[in_log]), head.log_hash);
	(void)mkdir(scratch_path("run/x"), 0700);
	cr_assert_eq(audit_head_open(scratch_path("run/x/audit-head"), &page), 0);
	audit_head_set(page, &head);
	audit_head_close(page);
}

static void make_head(size_t i)
{
	make_head_of(i, i, 0);
}

static void setup(void)
{
	make_roots();
	(void)snprintf(log_path, sizeof(log_path), "%s/x.audit.jsonl", scratch);
	(void)snprintf(older_path, sizeof(older_path), "%s.1", log_path);
	make_lines();
	write_log();
	make_head((size_t)2 * N - 1);
}

TestSuite(cli_audit_verify, .init = setup, .fini = scratch_remove);

static int verify(void)
{
	return calfpen("--instance", "x", "audit", "--verify", NULL);
}

/* What it says of one problem. */
static void expect_problem(const char *path, size_t line, const char *problem)
{
	cr_expect_eq(verify(), CLI_FAILURE);
	(void)snprintf(wanted, sizeof(wanted), "%s:%zu: %s", path, line, problem);
	cr_expect_not_null(strstr(out_text, wanted), "%s\nin\n%s", wanted, out_text);
	cr_expect_not_null(strstr(out_text, ": damaged, "), "%s", out_text);
}

Test(cli_audit_verify, F2_all_is_well)
{
	cr_expect_eq(verify(), CLI_OK);
	cr_expect_str_eq(out_text, "16 records in 2 files from 2026-11-24T02:15:00.000000Z to "
				   "2026-11-24T02:15:15.000000Z: ok\n");
	cr_expect_str_eq(err_text, "");
}

Test(cli_audit_verify, F2_json)
{
	json_t *json;

	cr_expect_eq(calfpen("--instance", "x", "audit", "--verify", "--json", NULL), CLI_OK);
	json = json_loads(out_text, 0, NULL);
	cr_assert_not_null(json);
	cr_expect(json_is_true(json_object_get(json, "ok")));
	cr_expect(json_is_true(json_object_get(json, "end_checked")));
	cr_expect_eq(json_integer_value(json_object_get(json, "records")), 2 * N);
	cr_expect_eq(json_array_size(json_object_get(json, "files")), 2u);
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(json, "files"), 0)),
			 older_path);
	json_decref(json);
	lines[3][60]++;
	write_log();
	cr_expect_eq(calfpen("--instance", "x", "audit", "--verify", "--json", NULL), CLI_FAILURE);
	json = json_loads(out_text, 0, NULL);
	cr_expect(json_is_false(json_object_get(json, "ok")));
	cr_expect_eq(json_array_size(json_object_get(json, "problems")), 1u);
	json_decref(json);
}

/* Any octet of any line. */
Test(cli_audit_verify, F2_altered)
{
	for (size_t i = 0; i < (size_t)2 * N; i++)
		for (size_t at = 12; at < strlen(lines[i]); at += 29) {
			lines[i][at] ^= 1;
			write_log();
			cr_expect_eq(verify(), CLI_FAILURE, "octet %zu of line %zu: %s", at, i,
				     out_text);
			lines[i][at] ^= 1;
		}
	lines[3][60] ^= 1;
	write_log();
	expect_problem(older_path, 4, "altered, or lines after it are missing\n");
	cr_expect_not_null(strstr(out_text, "1 problem\n"));
}

static void remove_lines(size_t from, size_t n)
{
	const char *texts[2 * N];
	size_t used = 0, n_older = N;

	for (size_t i = 0; i < (size_t)2 * N; i++)
		if (i < from || i >= from + n)
			texts[used++] = lines[i];
		else if (i < N)
			n_older--;
	write_file(older_path, texts, n_older);
	write_file(log_path, texts + n_older, used - n_older);
}

Test(cli_audit_verify, F2_missing)
{
	for (size_t i = 0; i < (size_t)2 * N; i++) {
		remove_lines(i, 1);
		cr_expect_eq(verify(), CLI_FAILURE, "line %zu: %s", i, out_text);
	}
	remove_lines(3, 2);
	expect_problem(older_path, 3, "altered, or lines after it are missing\n");
	remove_lines(0, 2);
	expect_problem(older_path, 1, "the lines before it are missing\n");
	remove_lines(N - 1, 1);
	expect_problem(older_path, N - 1, "altered, or lines after it are missing\n");
	remove_lines(N, 1);
	expect_problem(older_path, N, "altered, or lines after it are missing\n");
	/* the end */
	remove_lines(2 * N - 2, 2);
	expect_problem(log_path, N - 2, "the last lines, after it, are missing or altered\n");
	remove_lines(N, N);
	expect_problem(older_path, N, "the last lines, after it, are missing or altered\n");
}

static void put_line(size_t at, const char *line)
{
	const char *texts[2 * N + 1];

	for (size_t i = 0; i < (size_t)2 * N + 1; i++)
		texts[i] = i < at ? lines[i] : i > at ? lines[i - 1] : line;
	write_file(older_path, texts, N + (at < N));
	write_file(log_path, texts + N + (at < N), N + (at >= N));
}

Test(cli_audit_verify, F2_inserted)
{
	char line[LINE_SIZE], hash[CHAIN_SIZE], problem[512];

	/* with a hash of its own, a copy of one, without any */
	chain_hash(lines[4], strlen(lines[4]), hash);
	(void)snprintf(
		line, sizeof(line),
		"{\"time\":\"2026-11-24T02:15:04.000000Z\",\"subject\":\"x\",\"verb\":\"commit\","
		"\"verdict\":\"ok\",\"prev\":\"%s\"}",
		hash);
	put_line(5, line);
	(void)snprintf(problem, sizeof(problem),
		       "inserted or moved: the line after it follows line 5 of %s\n", older_path);
	expect_problem(older_path, 6, problem);
	put_line(5, lines[2]);
	cr_expect_eq(verify(), CLI_FAILURE);
	put_line(5, "{\"time\":\"\",\"subject\":\"x\",\"verb\":\"commit\",\"verdict\":\"ok\"}");
	expect_problem(older_path, 6,
		       "inserted or altered: it has no hash of the line before it\n");
	cr_expect_not_null(strstr(out_text, "1 problem\n"));
	for (size_t i = 1; i <= (size_t)2 * N - 1; i++) {
		put_line(i, line);
		cr_expect_eq(verify(), CLI_FAILURE, "%zu: %s", i, out_text);
	}
}

Test(cli_audit_verify, F2_reordered)
{
	for (size_t i = 0; i + 1 < (size_t)2 * N; i++) {
		char line[LINE_SIZE];

		memcpy(line, lines[i], LINE_SIZE);
		memcpy(lines[i], lines[i + 1], LINE_SIZE);
		memcpy(lines[i + 1], line, LINE_SIZE);
		write_log();
		cr_expect_eq(verify(), CLI_FAILURE, "%zu: %s", i, out_text);
		memcpy(lines[i + 1], lines[i], LINE_SIZE);
		memcpy(lines[i], line, LINE_SIZE);
	}
}

/* A segment is gone: in the middle it is damage, at the beginning it is told. */
Test(cli_audit_verify, F2_segments)
{
	char third[192];
	const char *texts[2];

	(void)snprintf(third, sizeof(third), "%s.2", log_path);
	cr_assert_eq(rename(older_path, third), 0);
	cr_expect_eq(verify(), CLI_OK, "a gap in the numbers of the files is none of the chain");
	texts[0] =
		"{\"time\":\"2026-11-24T02:15:00.000000Z\",\"subject\":\"audit\",\"verb\":\"begin\","
		"\"verdict\":\"ok\",\"segment\":4,\"prev\":\"0123456789abcdef0123456789abcdef\"}";
	write_file(log_path, texts, 1);
	expect_problem(log_path, 1, "segments 2 to 3, which were before this one, are missing\n");
	cr_assert_eq(unlink(third), 0);
	write_log();
	cr_assert_eq(unlink(older_path), 0);
	cr_expect_eq(verify(), CLI_OK);
	cr_expect_not_null(
		strstr(out_text, "note: the segments before number 2 are not there any more\n"));
	cr_assert_eq(unlink(log_path), 0);
	cr_expect_eq(verify(), CLI_FAILURE);
	cr_expect_neq(err_text[0], '\0');
}

/* What the watcher has found at a start */
Test(cli_audit_verify, F2_mismatch)
{
	char hash[CHAIN_SIZE];

	chain_hash(lines[2 * N - 2], strlen(lines[2 * N - 2]), hash);
	(void)snprintf(lines[2 * N - 1], LINE_SIZE,
		       "{\"time\":\"2026-11-24T02:15:15.000000Z\",\"subject\":\"audit\","
		       "\"verb\":\"mismatch\",\"verdict\":\"error\",\"prev\":\"%s\"}",
		       hash);
	write_log();
	make_head((size_t)2 * N - 1);
	expect_problem(log_path, N, "when the watcher was started, the last lines before this one");
}

/* After a boot, the end is not known. */
Test(cli_audit_verify, F2_without_a_head)
{
	cr_assert_eq(unlink(scratch_path("run/x/audit-head")), 0);
	remove_lines(2 * N - 2, 2);
	cr_expect_eq(verify(), CLI_OK);
	cr_expect_not_null(
		strstr(out_text, "note: whether the end is missing could not be checked"));
	cr_expect_not_null(strstr(out_text, "14 records"));
}

/* While it runs, the log may be longer than it was a moment ago. */
Test(cli_audit_verify, F2_newer_than_the_head)
{
	make_head((size_t)2 * N - 2);
	cr_expect_eq(verify(), CLI_OK, "the watcher was killed before it noted it: %s", out_text);
	/* but it does not write more than one */
	make_head((size_t)2 * N - 3);
	expect_problem(log_path, N, "inserted: other lines were written last\n");
}

/* The head of another log says nothing. */
Test(cli_audit_verify, F2_head_of_another_log)
{
	log_path[0] = 'x';
	make_head(3);
	log_path[0] = '/';
	cr_expect_eq(verify(), CLI_OK);
	cr_expect_not_null(
		strstr(out_text, "note: whether the end is missing could not be checked"));
}

Test(cli_audit_verify, F2_torn_and_older_lines)
{
	put_line(5, "{\"time\":\"2026-11-24T02:1");
	cr_expect_eq(verify(), CLI_OK, "%s", out_text);
	(void)snprintf(wanted, sizeof(wanted), "%s:6: note: a torn line", older_path);
	cr_expect_not_null(strstr(out_text, wanted), "%s", out_text);
	/* lines of an older version, which the first line with a hash follows */
	cr_assert_eq(unlink(older_path), 0);
	(void)snprintf(
		lines[0], LINE_SIZE,
		"{\"time\":\"2026-11-24T02:15:00.000000Z\",\"subject\":\"x\",\"verb\":\"commit\","
		"\"verdict\":\"ok\"}");
	memcpy(lines[1], lines[0], LINE_SIZE);
	lines[1][27]++;
	for (size_t i = 2; i < (size_t)2 * N; i++) {
		char hash[CHAIN_SIZE];

		chain_hash(lines[i - 1], strlen(lines[i - 1]), hash);
		make_line(i, hash);
	}
	write_log();
	make_head((size_t)2 * N - 1);
	cr_expect_eq(verify(), CLI_OK, "%s", out_text);
	cr_expect_not_null(
		strstr(out_text, "note: the first 2 records are of a version without hashes\n"));
	lines[1][60]++;
	write_log();
	expect_problem(older_path, 2, "altered, or lines after it are missing\n");
}

/* Records that wait follow those of the log, also if the first ones are in it already. */
static void write_reserves(const char *const *texts)
{
	write_file(scratch_path("x.audit.reserve"), texts + N + 3, 2);
	write_file(scratch_path("run/x/audit-reserve"), texts + N + 5, 3);
}

Test(cli_audit_verify, F2_reserve)
{
	const char *texts[2 * N];
	uint64_t drained = 0;

	for (size_t i = 0; i < (size_t)2 * N; i++)
		texts[i] = lines[i];
	write_reserves(texts);
	/* with a head, and, after a boot, without one */
	for (int has_head = 1; has_head >= 0; has_head--)
		for (size_t n = 3; n <= 5; n++) {
			drained = n == 3 ? 0 : drained + strlen(lines[N + n - 1]) + 1;
			if (has_head)
				make_head_of((size_t)2 * N - 1, N + n - 1, drained);
			else
				(void)unlink(scratch_path("run/x/audit-head"));
			write_file(log_path, texts + N, n);
			cr_expect_eq(verify(), CLI_OK, "%zu: %s", n, out_text);
			cr_expect_not_null(strstr(out_text, "16 records"), "%s", out_text);
		}
	write_file(log_path, texts + N, N);
	cr_expect_eq(verify(), CLI_OK, "%s", out_text);
	write_file(log_path, texts + N, 2);
	expect_problem(log_path, 2, "altered, or lines after it are missing\n");
	make_head_of((size_t)2 * N - 1, N + 2, 0);
	expect_problem(scratch_path("run/x/audit-reserve"), 3,
		       "the last lines, after it, are missing or altered\n");
	/* printed after the log, and counted when it is followed */
	write_file(log_path, texts + N, 3);
	cr_expect_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK);
	for (size_t i = 0; i < (size_t)2 * N; i++)
		cr_expect_not_null(strstr(out_text, lines[i]));
	cr_expect_lt(strstr(out_text, lines[N + 2]), strstr(out_text, lines[N + 3]));
	cr_expect_lt(strstr(out_text, lines[N + 4]), strstr(out_text, lines[N + 5]));
	/* without any file of the log */
	cr_assert_eq(unlink(log_path), 0);
	cr_assert_eq(unlink(older_path), 0);
	cr_expect_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK);
	cr_expect_not_null(strstr(out_text, lines[N + 3]));
}

Test(cli_audit_verify, F2_options)
{
	cr_expect_eq(calfpen("--instance", "x", "audit", "--verify", "-f", NULL), CLI_USAGE);
	cr_expect_eq(calfpen("--instance", "x", "audit", "--verify", "--denied", NULL), CLI_USAGE);
	cr_expect_eq(calfpen("--instance", "x", "ls", "--verify", NULL), CLI_USAGE);
}
