/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed calls of a subject's gate program (bpf/kv_gate.bpf.c) with
 * BPF_PROG_RUN. A process that holds the program's descriptor acts as that
 * subject; it needs no capability. struct kv_request documents the meaning of
 * every errno.
 *
 * If the store is busy, calls are retried, first with sched_yield() and then
 * with short sleeps, for at least 0.2 s; then they return -EBUSY.
 */
#ifndef CALFPEN_COMMON_GATE_H
#define CALFPEN_COMMON_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/batch.h"
#include "userspace/common/commit.h"

/* Run a commit. Returns 0 with the new revision in *revisionp (may be NULL), or
 * a negative errno with the index of the refused change in *i_refusedp (may be
 * NULL). */
int gate_commit(int program_fd, const struct commit *commit, uint64_t *revisionp,
		uint32_t *i_refusedp);

/* Write or delete one key. `condition` is KV_REVISION_ANY, KV_REVISION_ABSENT
 * (create only), or the revision that the key must have, otherwise the result
 * is -ESTALE. Returns as gate_commit(). */
int gate_write_if(int program_fd, const char *path, const char *text, size_t length,
		  uint64_t condition, uint64_t *revisionp);
int gate_delete_if(int program_fd, const char *path, uint64_t condition, uint64_t *revisionp);

/* Write or delete one key unconditionally. Returns as gate_commit(). */
static inline int gate_write(int program_fd, const char *path, const char *text, size_t length,
			     uint64_t *revisionp)
{
	return gate_write_if(program_fd, path, text, length, KV_REVISION_ANY, revisionp);
}

static inline int gate_delete(int program_fd, const char *path, uint64_t *revisionp)
{
	return gate_delete_if(program_fd, path, KV_REVISION_ANY, revisionp);
}

/* Read a key. Returns 0, -ENOENT, or another negative errno. *valuep is written
 * on success only. The text of a secret that the watcher or the operator reads is
 * KV_SECRET_TEXT, with KV_VALUE_HIDDEN among the flags. */
int gate_read(int program_fd, const char *path, struct kv_value *valuep);

/*
 * Run a batch that is not empty. Returns 0 with the results of its first
 * requests, at least one: when the values read fill the results, the remaining
 * requests are not served. Or returns a negative errno, which is the verdict of
 * the first request; then no other request was served.
 */
int gate_batch(int program_fd, const struct batch *batch, struct batch_results *results);
/* One page of a listing. Zero it before the first call. */
struct gate_page {
	uint64_t revision; /* of the store when the page was filled */
	uint32_t cursor;   /* 0 after the last page */
	uint32_t length;   /* bytes used of `bytes` */
	_Alignas(8) char bytes[KV_VALUE_SIZE];
};

/*
 * Get the next page of the keys below `directory` ("/" for all; otherwise
 * without a trailing slash) on which the subject has any right, in no
 * particular order. Returns 0, -EILSEQ, or another negative errno. Repeat until
 * page->cursor is 0; a page may be empty.
 */
int gate_list(int program_fd, const char *directory, struct gate_page *page);
/* Step to the next entry of a page. Returns true with the entry, or false at
 * the end. *atp is the caller's position and starts at 0. The path lives as
 * long as the page. */
bool gate_page_next(const struct gate_page *page, uint32_t *atp, uint64_t *revisionp,
		    const char **pathp);

/*
 * Begin, end or query the watch of the subject. From GATE_WATCH_BEGIN on, every
 * change of a key that the subject may watch is in its ring (struct
 * kv_watch_event), or counted as lost. *revisionp: changes newer than this are
 * in the ring. *n_lostp: number of records lost since the ring was created.
 * Either may be NULL. Returns 0, -EACCES if the subject may watch nothing, or
 * another negative errno.
 */
enum gate_watch { GATE_WATCH_END = 0, GATE_WATCH_BEGIN = 1, GATE_WATCH_ASK = 2 };
int gate_watch(int program_fd, enum gate_watch operation, uint64_t *revisionp, uint64_t *n_lostp);

/*
 * Record a refusal by the caller itself, in the name of its subject. Like all
 * records of refusals it may be dropped. It changes nothing. `path` is
 * canonical or "" (none to show), `verdict` is the negative errno. Returns 0,
 * or a negative errno.
 */
int gate_note_denial(int program_fd, enum kv_verb verb, const char *path, int verdict);

/* Set the revision from which a store that has none continues. Supervisor only.
 * Returns 0, -EEXIST (the store has a revision) or -EACCES. */
int gate_restore(int program_fd, uint64_t revision);

#endif
