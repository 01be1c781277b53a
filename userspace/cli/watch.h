/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen watch`.
 *
 * A watch is a sequence of lines: the present keys, `synced R`, then every
 * change after revision R. What changes while the keys are listed is in the
 * ring already; it is merged into the list, so that the list is the state at
 * R and nothing is said twice.
 */
#ifndef CALFPEN_CLI_WATCH_H
#define CALFPEN_CLI_WATCH_H

#include "userspace/cli/store.h"

/* watch_output.c: lines that can wait for a slow reader and still be stopped
 * by a signal. A negative return ends the watch: WATCH_STOPPED, or the errno
 * of the output, -EPIPE if it was closed. */
struct watch_output {
	FILE *file;
	int fd;	       /* of the file, -1: it has none */
	int signal_fd; /* readable: stop */
	bool json;
	size_t used;
	char bytes[4096]; /* what poll(2) says a pipe has room for */
};

#define WATCH_STOPPED (-ECANCELED)

/* `text` NULL: deleted. */
int watch_put_change(struct watch_output *output, uint64_t revision, const char *path,
		     const char *text);
int watch_put_synced(struct watch_output *output, uint64_t revision);
int watch_put_resync(struct watch_output *output);
int watch_flush(struct watch_output *output);
/* Wait until `fd` (-1: none) is readable, 0, or `timeout_ms` have passed, 1;
 * or negative as above, also when the output is closed meanwhile. */
int watch_wait(struct watch_output *output, int fd, int timeout_ms);

/* watch_view.c: what a watcher knows; pure but for what it prints */
struct watch_view {
	const char *directory;
	uint64_t from;	      /* keys that are not newer are left out */
	uint64_t begun;	      /* events up to here are covered by the list */
	uint64_t synced;      /* the list and events up to here are the state */
	uint64_t sequence;    /* of the last record */
	bool has_sequence;    /* there was one */
	bool is_announced;    /* the state is printed */
	bool is_lost;	      /* a record is missing, or was not understood */
	struct cli_key *keys; /* room for STORE_KEYS_MAX, sorted */
	size_t n_keys;
};

/* Take a listing, which `keys` becomes the view's. `begun` is the revision
 * from which on changes are in the ring; `synced` that of the store after the
 * listing. */
void watch_view_begin(struct watch_view *view, struct cli_key *keys, size_t n_keys, uint64_t begun,
		      uint64_t synced);
/* One record of the ring: 0, or negative as watch_put_change(). */
int watch_view_record(struct watch_view *view, struct watch_output *output, const void *record,
		      size_t size);
/* Print the state and `synced`, unless that is done: 0, or negative. */
int watch_view_announce(struct watch_view *view, struct watch_output *output);
void watch_view_deinit(struct watch_view *view);

#endif
