/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Listing: a page of the keys below a directory on which the subject has any
 * right, slot by slot. Any right is enough, since a subject that may write or
 * delete a key can find out whether it exists. A call examines a bounded number
 * of slots, so that a long listing never keeps other subjects waiting.
 */
#ifndef CALFPEN_BPF_KV_LIST_BPF_H
#define CALFPEN_BPF_KV_LIST_BPF_H

#include "bpf/kv_check.bpf.h"

#define LIST_SLOTS 256 /* a call looks at */
#define LIST_ENTRY_MAX KV_ENTRY_SIZE(KV_PATH_MAX)

/* Return whether the path is the directory of `length` bytes or below it. */
static __always_inline int is_below(const char *path, const char *directory, __u32 length)
{
	const __u64 *masks = masks_of(length);
	__u64 difference = 0;
	__u8 next;

#pragma unroll
	for (int i = 0; i < KV_PATH_SIZE / 8; i++)
		difference |= (((const __u64 *)path)[i] ^ ((const __u64 *)directory)[i]) & masks[i];
	next = (__u8)path[length & (KV_PATH_SIZE - 1)];
	return !difference && (!length || next == '/' || !next);
}

static long list_slot(__u32 i, void *data)
{
	const struct kv_ctl *control = ((struct call *)data)->control;
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct kv_value *value;
	struct kv_slot *slot;
	struct kv_work *work;
	__u32 index;
	__u64 used;

	(void)i;
	work = &stage->work;
	index = work->slot;
	slot = bpf_map_lookup_elem(&slots, &index);
	used = work->used;
	opaque(used);
	if (index >= control->n_slots || !slot || used > KV_VALUE_SIZE - LIST_ENTRY_MAX)
		return 1; /* this was the last slot, or the page is full: then it is the next page's
			   * first */
	work->slot = index + 1;
	if (!slot->path[0] ||
	    !is_below(slot->path, ((struct kv_change *)stage->request)->path, work->directory))
		return 0;
	if (!rule_of(slot->path, slot->noted).access)
		return 0;
	value = find_value(slot->path);
	if (!value)
		return 0;
	((struct kv_entry *)(stage->page + used))->revision = value->revision;
	path_copy(stage->page + used + sizeof(struct kv_entry), slot->path);
	work->used += KV_ENTRY_SIZE(KV_NOTE_LENGTH(slot->noted));
	return 0;
}

/* Build the page in stage->page, for the caller to copy out. */
static __always_inline void list_locked(struct call *call)
{
	const struct kv_ctl *control = call->control;
	struct kv_staging *stage = call->stage;
	struct kv_change *change = (struct kv_change *)stage->request;
	struct kv_work *work = &stage->work;

	work->directory = KV_NOTE_LENGTH(change->noted);
	bpf_loop(LIST_SLOTS, list_slot, call, 0);
	work->answer_length = work->used;
	work->answer_cursor = work->slot < control->n_slots ? work->slot : 0;
	work->revision = control->revision;
}

#endif
