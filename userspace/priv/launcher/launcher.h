/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher: a process that does what takes privileges to start a process again, so that
 * the supervisor, its parent, needs none of them. It is forked when everything exists, and
 * knows from then on what each number is. A request is two numbers, an answer is one. What it
 * starts are children of the supervisor: if the launcher ends, nothing else does.
 */
#ifndef CALFPEN_PRIV_LAUNCHER_LAUNCHER_H
#define CALFPEN_PRIV_LAUNCHER_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "userspace/priv/launcher/pair.h"
#include "userspace/priv/launcher/program.h"

#define LAUNCHER_ENTRIES_MAX 72
#define LAUNCHER_UPLINK_SIZE 16

enum launcher_verb {
	/* Each of these is for one number. The answer is the pid of the new process, or a
	 * negative errno. */
	LAUNCHER_CREATE = 1, /* begin to create the container of a pair */
	LAUNCHER_START,	     /* a program or function; of a pair: the gateway, and then the calf */
	LAUNCHER_DELETE,     /* the container of a pair */
	/* Kill what LAUNCHER_START has started for this number (of a pair: the gateway; and let
	 * a container that is not started yet go). The answer is 0 or a negative errno. */
	LAUNCHER_STOP,
	/* The tap of a pair is that of the descriptor which comes with the request; without one,
	 * the launcher closes the one that it has. The answer is 0 or a negative errno. */
	LAUNCHER_TAP,
	/* The number is the index of another device that is now the uplink. The answer is 0. */
	LAUNCHER_UPLINK,
	_LAUNCHER_VERB_END,
};

struct launcher_request {
	uint32_t verb; /* enum launcher_verb */
	uint32_t number;
};

struct launcher_answer {
	int32_t result;
};

/* What a number is. Everything that is pointed to must stay as it is when launcher_start() is
 * called. */
struct launcher_entry {
	enum launcher_kind {
		LAUNCHER_NONE,
		LAUNCHER_PROGRAM,
		LAUNCHER_FUNCTION,
		LAUNCHER_PAIR,
	} kind;
	struct launcher_program program;
	/* Opened for each start, as descriptor 3 of the program, which runs as its owner; NULL:
	 * none */
	const char *directory;
	int (*function)(const void *data); /* runs without capabilities; returns an exit code */
	const void *data;
	int fds[3]; /* of the function, which it keeps */
	struct launcher_pair *pair;
	uint32_t uid; /* that the program, or a pair's gateway, changes to */
	int pidfd;    /* of what was started last, -1: nothing */
};

struct launcher_table {
	struct launcher_entry entries[LAUNCHER_ENTRIES_MAX];
	uint32_t n;
	char *uplink; /* text of the uplink's index in the argv of programs, LAUNCHER_UPLINK_SIZE */
	bool is_foreign;     /* the runtime is not the pen */
	const int *kept_fds; /* what else the launcher must not close */
	uint32_t n_kept;
};

/* The supervisor's side. */
struct launcher {
	int fd;	   /* -1: not started, or gone */
	pid_t pid; /* 0: none */
	bool is_gone;
	bool is_stopping; /* wait for no answer longer than 0.2 s */
};

#define LAUNCHER_NULL(_x) ((struct launcher){ .fd = -1 })

/* Fork the launcher. Returns 0, or a negative errno, logged. */
int launcher_start(struct launcher *launcher, struct launcher_table *table);

/* Serve requests from the socket `fd` until it is closed, or a request is not well-formed.
 * Returns 0 (closed) or a negative errno: -EBADMSG. For tests; launcher_start() calls it. */
int launcher_serve(int fd, struct launcher_table *table);

/* Request something and wait for the answer, at most 5 s (0.2 s if
 * launcher->is_stopping): a launcher that does not answer is killed. Returns the answer; or -EPIPE if there is no launcher (any more). */
int launcher_request(struct launcher *launcher, enum launcher_verb verb, uint32_t number);

/* LAUNCHER_TAP, with the tap `fd`, or -1. Returns as launcher_request(). */
int launcher_request_tap(struct launcher *launcher, uint32_t number, int fd);

/* Take its wait status, after the supervisor has reaped it. Logs one line. */
void launcher_ended(struct launcher *launcher, int status);

/* Let it exit, and wait for that. Does nothing if there is none. */
void launcher_stop(struct launcher *launcher);

#endif
