/* SPDX-License-Identifier: Apache-2.0 */
/* A log in a directory of the test's own, and what is in its files. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_AUDIT_H
#define CALFPEN_TESTS_UNIT_SUPPORT_AUDIT_H

#include <criterion/criterion.h>

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/audit/audit.h"

static struct audit audit = { 0 };
static char path[256], run_directory[256];
static struct audit_settings settings = { .run_directory = run_directory, .n_files = 4 };

static inline void audit_setup(void)
{
	capture_begin();
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	scratch_make();
	audit = AUDIT_NULL(audit);
	(void)snprintf(path, sizeof(path), "%s/log/x.audit.jsonl", scratch);
	(void)snprintf(run_directory, sizeof(run_directory), "%s/run", scratch);
	cr_assert_eq(mkdir(run_directory, 0700), 0);
}

static inline void audit_teardown(void)
{
	audit_close(&audit, 0);
	scratch_remove();
}

static inline struct audit_entry entry_of(unsigned int number)
{
	static char value[16];

	(void)snprintf(value, sizeof(value), "value %04u", number);
	return (struct audit_entry){
		.wall_ns = 1795486525123456789ull,
		.sequence = number,
		.revision = number,
		.subject = "dhcp4",
		.verb = "commit",
		.path = "/ip",
		.verdict = "ok",
		.value = value,
	};
}

/* Write the record with this number; 0, or -EAGAIN. */
static inline int put(unsigned int number)
{
	const struct audit_entry entry = entry_of(number);

	return audit_write(&audit, &entry);
}

static inline size_t line_length(void)
{
	const struct audit_entry entry = entry_of(1);
	char line[AUDIT_LINE_SIZE];

	return audit_format(&entry, CHAIN_START, line);
}

/* A file size limit cuts the writes as a full disk does, also those to a reserve. */
static inline void limit_size(rlim_t size)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What is in files that were read one after the other: "begin 1, 2, 3, lost". */
struct seen {
	char text[1 << 16];
	char last[CHAIN_SIZE]; /* "": the next line may follow any */
	unsigned int n_bad;    /* lines that are no records */
	unsigned int n_breaks; /* of the chain */
};

static inline void see_line(struct seen *seen, const char *line, size_t length)
{
	const char *previous = chain_previous(line, length);
	json_t *json = json_loadb(line, length, 0, NULL);
	const char *verb = json_string_value(json_object_get(json, "verb"));
	json_int_t number = json_integer_value(json_object_get(json, "revision"));
	size_t used = strlen(seen->text);

	if (!json || !previous) {
		seen->n_bad++;
		json_decref(json);
		return;
	}
	if (!number)
		number = json_integer_value(json_object_get(json, "segment"));
	seen->n_breaks += seen->last[0] && strncmp(previous, seen->last, CHAIN_SIZE - 1) != 0;
	chain_hash(line, length, seen->last);
	(void)snprintf(seen->text + used, sizeof(seen->text) - used, "%s%s%s%.0lld",
		       used ? ", " : "", strcmp(verb, "commit") != 0 ? verb : "",
		       strcmp(verb, "commit") != 0 && number ? " " : "", (long long)number);
	json_decref(json);
}

static inline void see_file(struct seen *seen, const char *name)
{
	static char line[4 * AUDIT_LINE_SIZE];
	FILE *file = fopen(name, "r");

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		size_t length = strlen(line);

		if (line[length - 1] == '\n')
			see_line(seen, line, length - 1);
		else
			seen->n_bad++;
	}
	(void)fclose(file);
}

/* All segments of the log, the oldest first; of the chain, no line is missing. */
static inline const char *see_log(void)
{
	static struct seen seen;
	char name[PATH_MAX];

	seen = (struct seen){ .n_bad = 0 };
	for (unsigned int i = AUDIT_SEGMENTS_MAX; i-- > 0;)
		if (!audit_segment_path(path, i, name))
			see_file(&seen, name);
	cr_expect_eq(seen.n_bad, 0u);
	cr_expect_eq(seen.n_breaks, 0u, "%s", seen.text);
	return seen.text;
}

static inline const char *see_reserve(unsigned int i)
{
	static struct seen seen;
	char name[PATH_MAX];

	seen = (struct seen){ .n_bad = 0 };
	if (i)
		(void)snprintf(name, sizeof(name), "%s/audit-reserve", run_directory);
	else
		cr_assert_eq(audit_reserve_path(path, name), 0);
	see_file(&seen, name);
	cr_expect_eq(seen.n_bad, 0u);
	cr_expect_eq(seen.n_breaks, 0u, "%s", seen.text);
	return seen.text;
}

/* The process is killed; the next one opens the log. */
static inline void kill_audit(void)
{
	struct audit dead = audit;

	audit = AUDIT_NULL(audit);
	if (dead.file.fd >= 0)
		(void)close(dead.file.fd);
	if (dead.stream.fd >= 0)
		(void)close(dead.stream.fd);
	for (int i = 0; i < AUDIT_RESERVES; i++)
		if (dead.reserves[i].fd >= 0)
			(void)close(dead.reserves[i].fd);
	audit_head_close(dead.head);
}

#endif
