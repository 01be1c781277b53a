/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store-audit CPU ROUNDS DIRECTORY: a line of the audit log, from the record to the file:
 * formatted, hashed and written, as the watcher does it; beside one that is only appended.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bench/support.h"
#include "userspace/common/log.h"
#include "userspace/priv/audit/audit.h"

#define LINES 2000 /* of a round */

static struct audit audit;

static struct audit_entry entry_of(unsigned int i)
{
	return (struct audit_entry){
		.wall_ns = bench_wall_ns(),
		.sequence = i,
		.revision = i,
		.subject = "dhcp4",
		.verb = "commit",
		.path = "/lease/expires",
		.verdict = "ok",
		.value = "2026-11-24T02:15:25Z",
		.has_caller = true,
		.uid = 1879048193,
		.pid = 4711,
	};
}

static double time_log(void)
{
	uint64_t start = bench_now_ns();

	for (unsigned int i = 1; i <= LINES; i++) {
		const struct audit_entry entry = entry_of(i);

		bench_check(audit_write(&audit, &entry), "a record was refused");
	}
	return (double)(bench_now_ns() - start) / LINES;
}

static double time_append(int fd)
{
	char line[AUDIT_LINE_SIZE];
	uint64_t start = bench_now_ns();

	for (unsigned int i = 1; i <= LINES; i++) {
		const struct audit_entry entry = entry_of(i);
		size_t length = audit_format(&entry, CHAIN_START, line);

		if (write(fd, line, length) != (ssize_t)length)
			bench_fail("cannot append: %m");
	}
	return (double)(bench_now_ns() - start) / LINES;
}

static double time_hash(void)
{
	char line[AUDIT_LINE_SIZE], hash[CHAIN_SIZE];
	const struct audit_entry entry = entry_of(1);
	size_t length = audit_format(&entry, CHAIN_START, line);
	uint64_t start = bench_now_ns();

	for (unsigned int i = 1; i <= LINES; i++) {
		chain_hash(line, length - 1, hash);
		line[0] = hash[0];
	}
	return (double)(bench_now_ns() - start) / LINES;
}

int main(int argc, char **argv)
{
	char log[PATH_MAX], plain[PATH_MAX], run[PATH_MAX];
	struct audit_settings settings = { .run_directory = run,
					   .max_size = 16u << 20,
					   .n_files = 4 };
	int fd;

	if (argc != 4)
		bench_fail("usage: store-audit CPU ROUNDS DIRECTORY");
	bench_pin(argv[1]);
	log_init("store-audit", STDERR_FILENO, LOG_LEVEL_ERROR);
	(void)snprintf(log, sizeof(log), "%s/x.audit.jsonl", argv[3]);
	(void)snprintf(plain, sizeof(plain), "%s/plain", argv[3]);
	(void)snprintf(run, sizeof(run), "%s/run", argv[3]);
	(void)mkdir(run, 0700);
	fd = open(plain, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		bench_fail("%s: %m", plain);
	bench_check(audit_open(&audit, log, &settings), log);
	for (int i = atoi(argv[2]); i > 0; i--) {
		bench_say("chained", time_log() / 1e3);
		bench_say("appended", time_append(fd) / 1e3);
		bench_say("hash", time_hash() / 1e3);
	}
	audit_close(&audit, 0);
	(void)close(fd);
	return 0;
}
