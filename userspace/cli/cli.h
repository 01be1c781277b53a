/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's command. It reads what an instance has pinned and written,
 * and acts in the store as the subject `operator`, by its gate and with its
 * rights; only `run` starts anything. Commands return an exit code and say on
 * `err` what is wrong, in one line.
 */
#ifndef CALFPEN_CLI_CLI_H
#define CALFPEN_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "userspace/common/instance.h"

/* Exit codes, as `calfpen help` and calfpen(8) state them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_USAGE = 2,	  /* arguments, or a line of a commit's file */
	CLI_ABSENT = 3,	  /* there is no such key */
	CLI_DENIED = 4,	  /* the operator has not the right */
	CLI_CONFLICT = 5, /* --if-revision or --create does not hold */
	CLI_BUSY = 6,	  /* a quota, the ring or the store is full or busy */
	CLI_VALUE = 7,	  /* the value is too long for its key, or not of its type */
};

struct cli {
	const char *pins_root;		      /* PINS_ROOT, or a test's */
	const char *run_root;		      /* RUN_ROOT, or a test's */
	const char *audit_root;		      /* CLI_AUDIT_ROOT, or a test's */
	char instance[INSTANCE_NAME_MAX + 1]; /* --instance, or the only one */
	bool json;
	bool long_lines;     /* ls, get: -l */
	bool follow;	     /* audit, frames: -f */
	bool denied;	     /* audit: what was refused only */
	bool dropped;	     /* frames: what was dropped only */
	bool all;	     /* status: counters that are zero as well */
	bool create;	     /* set */
	uint64_t condition;  /* set, del, commit: --if-revision, or 0 */
	uint64_t from;	     /* watch: --from, or 0 */
	const char *subject; /* audit: --subject, or NULL */
	const char *path;    /* audit: --path, or NULL */
	const char *reason;  /* frames: --reason, or NULL */
	const char *pcap;    /* frames: --pcap, or NULL */
	FILE *in;
	FILE *out;
	FILE *err;
};

#define CLI_AUDIT_ROOT "/var/log/calfpen"

/* arguments.c: run the command that argv names; an enum cli_exit. */
int cli_main(int argc, char **argv);
/* The same with roots and streams set by the caller. */
int cli_dispatch(struct cli *cli, int argc, char **argv);

/* output.c: one line "calfpen: ..." on cli->err; returns CLI_FAILURE. */
__attribute__((format(printf, 2, 3))) int cli_fail(const struct cli *cli, const char *format, ...);
/* The same with "; see `calfpen help`" and CLI_USAGE; `argument` may be NULL. */
int cli_usage(const struct cli *cli, const char *what, const char *argument);
/* What kept the store from being opened; returns CLI_FAILURE. */
int cli_explain_store(const struct cli *cli, int error);
/* What the gate refused: the operator wanted to `verb` ("write") `path`.
 * `where` ("FILE:LINE: " or "") comes first. Returns the exit code. */
int cli_explain_gate(const struct cli *cli, const char *where, const char *verb, const char *path,
		     int error);

/* instance.c: choose the instance if none was named. CLI_OK, or an exit code
 * after one line. */
int cli_choose_instance(struct cli *cli);
/* The process id of the instance's supervisor, or 0 if none runs. */
int cli_running_pid(const struct cli *cli);

/* keys.c */
int cli_ls(struct cli *cli, const char *prefix);
int cli_get(struct cli *cli, const char *path);
/* "/lease" and "/lease/" are the same, and "/" is all: into `directory`, of
 * KV_PATH_SIZE bytes, as gate_list() takes it. False: not a path. */
bool cli_directory(const char *prefix, char *directory);

/* change.c */
int cli_set(struct cli *cli, const char *path, const char *text);
int cli_del(struct cli *cli, const char *path);
int cli_commit(struct cli *cli, const char *file);

/* watch.c, audit.c, status.c, frames.c */
int cli_watch(struct cli *cli, const char *prefix);
int cli_audit(struct cli *cli);
int cli_status(struct cli *cli);
int cli_frames(struct cli *cli);

/* output.c: print JSON, indented and with a newline, and release it. Returns CLI_OK,
 * or CLI_FAILURE with one line if it could not be made. */
int cli_print_json(const struct cli *cli, json_t *json);

/* output.c: flush `file` and wait. Returns false if its reader is gone. */
bool cli_follow_wait(FILE *file, int timeout_ms);

/* run.c: execute calfpen-priv with these arguments; returns on failure only. */
int cli_run(struct cli *cli, int argc, char **argv);

#endif
