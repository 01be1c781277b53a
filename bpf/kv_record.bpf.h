/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records: of a commit in the event ring, and of its changes. That of a secret has no text. */
#ifndef CALFPEN_BPF_KV_RECORD_H
#define CALFPEN_BPF_KV_RECORD_H

#include "bpf/kv_check.bpf.h"

/* Write a change of a secret without its text, whose bytes must not be in a record even for
 * a moment, because all of a ring is mapped by its reader. */
static __always_inline long write_hidden(struct bpf_dynptr *record, __u32 at,
					 const struct kv_change *change)
{
	struct kv_hidden hidden = { .operation = KV_CHANGE_SECRET, .noted = change->noted };
	long failed = bpf_dynptr_write(record, at, (void *)change->path, KV_PATH_SIZE, 0);

	return failed | bpf_dynptr_write(record, at + KV_PATH_SIZE, &hidden, sizeof(hidden), 0);
}

/* A record that is written change by change. */
struct writing {
	struct kv_staging *stage;
	struct bpf_dynptr *record;
};

static long write_change(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct writing *)data)->stage;
	struct bpf_dynptr *record = ((struct writing *)data)->record;
	struct kv_change *change = staged_change(stage, stage->work.at);
	__u64 size, is_secret;
	long failed;

	(void)i;
	if (!change)
		return 1;
	is_secret = is_zero(change->operation ^ KV_CHANGE_SECRET);
	opaque(is_secret);
	size = KV_CHANGE_SIZE(change->length);
	opaque(size);
	if (size > KV_CHANGE_SIZE(KV_VALUE_MAX))
		return 1;
	if (is_secret)
		failed = write_hidden(record, stage->work.record_at, change);
	else
		failed = bpf_dynptr_write(record, stage->work.record_at, change, (__u32)size, 0);
	if (failed)
		return 1;
	stage->work.at += KV_CHANGE_SIZE(change->length);
	stage->work.record_at += KV_CHANGE_SIZE(change->length * (__u32)(is_secret ^ 1));
	return 0;
}

/* The event and its changes, without the texts of secrets. */
static __always_inline long write_without_secrets(struct bpf_dynptr *record,
						  struct kv_staging *stage, struct kv_event *event,
						  __u64 size)
{
	struct writing writing = { stage, record };

	stage->work.record_at = sizeof(*event);
	if (bpf_dynptr_write(record, 0, event, sizeof(*event), 0))
		return 1;
	bpf_loop(read_again(stage->work.n_changes), write_change, &writing, 0);
	stage->work.at = stage->work.base;
	return read_again(stage->work.record_at) ^ (long)size;
}

/* The event and its changes, which are contiguous: of a commit all changes,
 * from the start of the request, otherwise the one at `base`. */
static __always_inline long write_record(struct bpf_dynptr *record, struct kv_staging *stage,
					 struct kv_event *event, __u64 size)
{
	if (stage->work.n_secrets)
		return write_without_secrets(record, stage, event, size);
	if (stage->work.verb == KV_VERB_COMMIT)
		return bpf_dynptr_write(record, 0, &stage->first, (__u32)size, 0);
	return size > sizeof(*event) + KV_CHANGE_SIZE(KV_VALUE_MAX) ||
	       bpf_dynptr_write(record, 0, event, (__u32)size, 0);
}

#endif
