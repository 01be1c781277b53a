/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed calls of a subject's gate program (bpf/kv_gate.bpf.c) by BPF_PROG_RUN.
 * Whoever holds the program's descriptor acts as that subject; no capability
 * is needed. The meaning of every errno is stated at struct kv_request.
 *
 * A busy store is retried, with sched_yield() at first and then with short
 * sleeps, for 0.2 s at least; then -EBUSY is passed on.
 */
#ifndef CALFPEN_COMMON_GATE_H
#define CALFPEN_COMMON_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/batch.h"
#include "userspace/common/commit.h"

/* Run a commit: 0 with the new revision in *revisionp (may be NULL), or a negative
 * errno with the index of the refused change in *i_refusedp (may be NULL). */
int gate_commit(int program_fd, const struct commit *commit, uint64_t *revisionp,
		uint32_t *i_refusedp);

/* One change each: KV_VERB_WRITE, KV_VERB_DELETE. `condition` is
 * KV_REVISION_ANY, KV_REVISION_ABSENT (create-only), or the revision that the
 * key must have: else -ESTALE. */
int gate_write_if(int program_fd, const char *path, const char *text, size_t length,
		  uint64_t condition, uint64_t *revisionp);
int gate_delete_if(int program_fd, const char *path, uint64_t condition, uint64_t *revisionp);

static inline int gate_write(int program_fd, const char *path, const char *text, size_t length,
			     uint64_t *revisionp)
{
	return gate_write_if(program_fd, path, text, length, KV_REVISION_ANY, revisionp);
}

static inline int gate_delete(int program_fd, const char *path, uint64_t *revisionp)
{
	return gate_delete_if(program_fd, path, KV_REVISION_ANY, revisionp);
}

/* Read a key: 0, -ENOENT, or another negative errno; *valuep is written on
 * success only. */
int gate_read(int program_fd, const char *path, struct kv_value *valuep);

/* Run a batch that is not empty: 0 with the results of its first requests, one
 * at least; values that are read fill them, then the others were not served.
 * Or a negative errno: the verdict of the first request, and no other was
 * served. */
int gate_batch(int program_fd, const struct batch *batch, struct batch_results *results);
/* One page of a listing. Zero it before the first. */
struct gate_page {
	uint64_t revision; /* of the store when the page was made */
	uint32_t cursor;   /* 0 after the last page */
	uint32_t length;   /* bytes used of `bytes` */
	_Alignas(8) char bytes[KV_VALUE_SIZE];
};

/* The next page of the keys below `directory` that the subject has any right
 * on ("/" for all; without a trailing slash otherwise): 0, -EILSEQ, or another
 * negative errno. In no order. Go on until page->cursor is 0; a page may be
 * empty. */
int gate_list(int program_fd, const char *directory, struct gate_page *page);
/* Walk a page: true with the next entry, *atp counts from 0. The path lives
 * as long as the page. */
bool gate_page_next(const struct gate_page *page, uint32_t *atp, uint64_t *revisionp,
		    const char **pathp);

/* Watching: from GATE_WATCH_BEGIN on, every change of a key that the subject
 * may watch is in its ring (struct kv_watch_event), or counted as lost.
 * *revisionp: changes newer than this are in the ring; *n_lostp: records lost
 * since the ring was made (either may be NULL). -EACCES: it may watch nothing. */
enum gate_watch { GATE_WATCH_END = 0, GATE_WATCH_BEGIN = 1, GATE_WATCH_ASK = 2 };
int gate_watch(int program_fd, enum gate_watch operation, uint64_t *revisionp, uint64_t *n_lostp);

/* Leave a record of what the caller has refused itself, in the name of its
 * subject: lossy, as every record of a refusal is. It changes nothing. `path`
 * is canonical or "" (none to show), `verdict` the negative errno. 0, or a
 * negative errno. */
int gate_note_denial(int program_fd, enum kv_verb verb, const char *path, int verdict);

/* Supervisor only: the revision from which the store goes on, while it has
 * none. 0, -EEXIST, -EACCES. */
int gate_restore(int program_fd, uint64_t revision);

#endif
