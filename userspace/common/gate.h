/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed calls of a subject's gate program (bpf/kv_gate.bpf.c) by BPF_PROG_RUN.
 * Whoever holds the program's descriptor acts as that subject; no capability
 * is needed. The meaning of every errno is stated at struct kv_request.
 *
 * A busy store is retried a bounded number of times with sched_yield(), then
 * -EBUSY is passed on.
 */
#ifndef CALFPEN_COMMON_GATE_H
#define CALFPEN_COMMON_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

/* Changes packed for one commit. Caller's memory, about 32 KiB. */
struct gate_commit {
	uint32_t n_changes;
	uint32_t size;
	_Alignas(8) unsigned char bytes[KV_REQUEST_MAX];
};

/* Start an empty commit. */
void gate_commit_init(struct gate_commit *commit);
/* Append a change. 0, -EILSEQ (path not canonical), -EMSGSIZE (value longer
 * than KV_VALUE_MAX), -E2BIG (more than KV_CHANGES_MAX or KV_REQUEST_MAX). */
int gate_commit_write(struct gate_commit *commit, const char *path, const char *text,
		      size_t length);
int gate_commit_delete(struct gate_commit *commit, const char *path);

/* Run it: 0 with the new revision in *revisionp (may be NULL), or a negative
 * errno with the index of the refused change in *i_refusedp (may be NULL). */
int gate_commit(int program_fd, const struct gate_commit *commit, uint64_t *revisionp,
		uint32_t *i_refusedp);

/* One change each: KV_VERB_WRITE, KV_VERB_DELETE. */
int gate_write(int program_fd, const char *path, const char *text, size_t length,
	       uint64_t *revisionp);
int gate_delete(int program_fd, const char *path, uint64_t *revisionp);

/* Read a key: 0, -ENOENT, or another negative errno; *valuep is written on
 * success only. */
int gate_read(int program_fd, const char *path, struct kv_value *valuep);

#endif
