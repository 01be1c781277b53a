/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's command. It reads what an instance has pinned and written,
 * and uses the store as the subject `operator`, through the operator's gate and
 * with its rights. Only `run` and `forget` execute another program. Commands return an exit code
 * and print one line on `err` if they fail.
 */
#ifndef CALFPEN_CLI_CLI_H
#define CALFPEN_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "userspace/common/instance.h"

/* Exit codes, documented in `calfpen help` and calfpen(8). */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_USAGE = 2,	  /* bad arguments, or a bad line in the file of a commit */
	CLI_ABSENT = 3,	  /* no such key */
	CLI_DENIED = 4,	  /* the operator does not have the right */
	CLI_CONFLICT = 5, /* the condition of --if-revision or --create is false */
	CLI_BUSY = 6,	  /* a quota, the ring or the store is full or busy */
	CLI_VALUE = 7,	  /* the value is too long for its key, or of another type */
	CLI_DEAD = 8,	  /* nobody runs the instance */
	CLI_FAILED = 9,	  /* status: a process of the instance fails again and again */
};

#define CLI_CALVES_MAX 64 /* at least as many as `run` takes */

struct cli {
	const char *pins_root;		      /* PINS_ROOT except in tests */
	const char *run_root;		      /* RUN_ROOT except in tests */
	const char *audit_root;		      /* CLI_AUDIT_ROOT except in tests */
	const char *saved_root;		      /* CLI_SAVED_ROOT except in tests */
	char instance[INSTANCE_NAME_MAX + 1]; /* as given, or the only one */
	bool may_be_path;		      /* the instance is a word like "ip" in `ls ip` */
	bool json;
	bool long_lines;     /* ls, get: -l */
	bool follow;	     /* audit, frames: -f */
	bool denied;	     /* audit: only refused requests */
	bool dropped;	     /* frames: only dropped frames */
	bool all;	     /* status: also counters that are zero */
	bool create;	     /* set */
	bool effective;	     /* check */
	bool settable;	     /* ls: only keys that the operator may set */
	bool verify;	     /* audit: check the chain of the lines */
	uint64_t condition;  /* set, del, commit: --if-revision, or 0 */
	uint64_t from;	     /* watch: --from, or 0 */
	const char *subject; /* audit: --subject, or NULL */
	const char *path;    /* audit: --path, or NULL */
	const char *reason;  /* frames: --reason, or NULL */
	const char *pcap;    /* frames: --pcap, or NULL */
	/* check: --calf */
	char *calves[CLI_CALVES_MAX];
	int n_calves;
	FILE *in;
	FILE *out;
	FILE *err;
};

#define CLI_AUDIT_ROOT "/var/log/calfpen"
#define CLI_SAVED_ROOT "/var/lib/calfpen"

/* arguments.c: run the command that argv names. Returns an enum cli_exit. */
int cli_main(int argc, char **argv);
/* Do the same with the roots and streams that the caller has set in `cli`. */
int cli_dispatch(struct cli *cli, int argc, char **argv);

/* output.c: print one line "calfpen: ..." on cli->err. Returns CLI_FAILURE. */
__attribute__((format(printf, 2, 3))) int cli_fail(const struct cli *cli, const char *format, ...);
/* Print "WHAT: ARGUMENT; see `calfpen help`", or no ARGUMENT if it is NULL.
 * Returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *what, const char *argument);
/* suggest.c: print that `word` is no `kind` ("command", "option") and what may be meant,
 * one of the `names` or what is used for it here. Returns CLI_USAGE. */
int cli_unknown(const struct cli *cli, const char *kind, const char *word, const char *const *names,
		size_t n_names);
/* help.c: print the help; or, if `command` is not NULL, what it says about the command
 * and about the options of all commands, and examples. */
void cli_help(const struct cli *cli, const char *command);
/* Print that `path` is not a valid path. Returns CLI_USAGE. */
int cli_invalid_path(const struct cli *cli, const char *where, const char *path);
/* Print why the store could not be opened; `error` is a negative errno of
 * store.h. Returns CLI_FAILURE. */
int cli_explain_store(const struct cli *cli, int error);
/* Print why the gate refused to `verb` ("write") `path`; `error` is its negative
 * errno. The line starts with `where` ("FILE:LINE: " or ""). Returns the exit
 * code. */
int cli_explain_gate(const struct cli *cli, const char *where, const char *verb, const char *path,
		     int error);

/* instances.c: check that something of cli->instance is pinned; if it is empty, choose
 * the only instance. Returns CLI_OK, or an exit code after printing one line. */
int cli_choose_instance(struct cli *cli);
/* instance.c: return the process id of the instance's supervisor, or 0 if it is not
 * running. */
int cli_running_pid(const struct cli *cli);
/* Check that the instance is running, because nobody would act on a change. Returns
 * CLI_OK, or CLI_DEAD after printing one line. */
int cli_check_running(const struct cli *cli);
/* Print one line if the instance is not running: what was printed is only what it
 * left. Returns `r`, or CLI_DEAD instead of CLI_OK. */
int cli_note_dead(const struct cli *cli, int r);

/* keys.c */
int cli_ls(struct cli *cli, const char *prefix);
int cli_get(struct cli *cli, const char *path);
/* Convert a PREFIX argument into a directory for gate_list(): "/lease" and
 * "/lease/" are the same, "/" is the whole store. `directory` has KV_PATH_SIZE
 * bytes. Returns false if `prefix` is not a valid path. */
bool cli_directory(const char *prefix, char *directory);

/* rights.c: print the keys at or below `directory` that the operator may set. Returns an
 * exit code. */
int cli_ls_settable(const struct cli *cli, int gate, const char *directory);
/* Print why the gate denied to `verb` ("write", "delete") `path`, and for which keys it
 * would not; otherwise as cli_explain_gate(). */
int cli_explain_denied(const struct cli *cli, int gate, const char *where, const char *verb,
		       const char *path);

/* change.c: open the gate of an instance that is running, which is chosen if none is named.
 * Returns a descriptor, or a negated exit code after printing one line. */
int cli_open_live_gate(struct cli *cli);
int cli_set(struct cli *cli, const char *path, const char *text);
int cli_del(struct cli *cli, const char *path);
int cli_commit(struct cli *cli, const char *file);

/* request.c: write the key of a request ("renew") for each of the words, which are
 * INSTANCE or INSTANCE/CALF, up to NULL; without a calf, for all calves that take the
 * request. No words are the chosen instance, or the only one. Returns the highest exit
 * code; CLI_ABSENT if no such calf takes it. */
int cli_request(struct cli *cli, const char *request, const char *const *words);

/* overview.c, watch.c, audit.c, status.c, frames.c. If no instance was chosen, `list`
 * and `status` print all of them. */
int cli_overview(struct cli *cli);
int cli_watch(struct cli *cli, const char *prefix);
int cli_audit(struct cli *cli);
int cli_status(struct cli *cli);
int cli_frames(struct cli *cli);

/* output.c: print `json`, indented and with a newline, and release it; NULL is
 * what jansson returns without memory. Returns CLI_OK, or CLI_FAILURE after
 * printing one line. */
int cli_print_json(const struct cli *cli, json_t *json);

/* output.c: flush `file` and wait for `timeout_ms`. Returns false, possibly
 * earlier, if the reader of `file` has closed it. */
bool cli_follow_wait(FILE *file, int timeout_ms);

/* run.c: execute calfpen-priv with these arguments. Returns only on failure:
 * CLI_FAILURE, after printing one line. */
int cli_run(struct cli *cli, int argc, char **argv);
/* run.c: execute calfpen-priv to check a configuration: `subject` is a file if it has a
 * slash or ends with .yaml, else an instance; NULL: the only instance. `describes`: to print
 * what its calves can change, instead. Returns only on failure, as cli_run(). */
int cli_check(struct cli *cli, const char *subject, bool describes);
/* run.c: execute calfpen-priv to forget the chosen instance, or, without one, all whose
 * leases are over. Returns only on failure. */
int cli_forget(struct cli *cli);

#endif
