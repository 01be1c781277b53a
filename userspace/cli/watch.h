/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen watch`.
 *
 * A watch is a sequence of lines: the existing keys, `synced R`, then every
 * change after revision R. Changes that are made while the keys are listed are
 * already in the ring; they are merged into the list, so that the list is the
 * state at R and no change is printed twice.
 */
#ifndef CALFPEN_CLI_WATCH_H
#define CALFPEN_CLI_WATCH_H

#include "userspace/cli/store.h"
#include "userspace/cli/types.h"

/* watch_output.c: buffered lines. Writing waits for a slow reader, but a signal
 * can stop it. All functions return 0, or a negative value that ends the watch:
 * WATCH_STOPPED after a signal, else the negative errno of the output, -EPIPE if
 * its reader has closed it. */
struct watch_output {
	FILE *file;
	int fd;	       /* of `file`, or -1 if it has none */
	int signal_fd; /* becomes readable to stop the watch */
	bool json;
	size_t used;
	char bytes[4096]; /* PIPE_BUF: poll(2) reports a pipe writable if this fits */
};

#define WATCH_STOPPED (-ECANCELED)

/* Put the line of a change; `text` is NULL if the key was deleted, `flaw` if the value is
 * valid. Of a secret, `text` is KV_SECRET_TEXT. */
int watch_put_change(struct watch_output *output, uint64_t revision, const char *path,
		     const char *text, const char *flaw, bool is_secret);
/* Put the line `synced REVISION`. */
int watch_put_synced(struct watch_output *output, uint64_t revision);
/* Put the line `resync`. */
int watch_put_resync(struct watch_output *output);
/* Write the buffered lines. */
int watch_flush(struct watch_output *output);
/* Wait until one of two descriptors (-1: none) is readable. Returns 0 if one is, 1
 * after `timeout_ms`, or negative as above, also if the output is closed while
 * waiting. */
int watch_wait(struct watch_output *output, int fd, int other_fd, int timeout_ms);

/* watch_view.c: the state of a watch; pure except for its output */
struct watch_view {
	const char *directory;
	uint64_t from;	      /* only newer keys are printed at first */
	uint64_t begun;	      /* the list includes the events up to this revision */
	uint64_t synced;      /* the list plus the events up to here are the state */
	uint64_t sequence;    /* number of the last record */
	bool has_sequence;    /* a record was seen */
	bool is_announced;    /* the state was printed */
	bool is_lost;	      /* a record is missing or malformed */
	struct cli_key *keys; /* room for STORE_KEYS_MAX, sorted */
	size_t n_keys;
	struct cli_types types; /* to mark values that are not valid */
};

/* Start over with a list of keys; `keys` (from cli_list()) then belongs to the
 * view. `begun` is the revision after which changes are in the ring, `synced`
 * the revision of the store after the keys were listed. */
void watch_view_begin(struct watch_view *view, struct cli_key *keys, size_t n_keys, uint64_t begun,
		      uint64_t synced);
/* Process one record of the ring: merge it into the list or print it. Returns 0
 * (also for a bad record, which sets is_lost), or negative as
 * watch_put_change(). */
int watch_view_record(struct watch_view *view, struct watch_output *output, const void *record,
		      size_t size);
/* Print the state and `synced` unless that was done. Returns 0 or negative as
 * above. */
int watch_view_announce(struct watch_view *view, struct watch_output *output);
/* Free the keys and the types. */
void watch_view_deinit(struct watch_view *view);

#endif
