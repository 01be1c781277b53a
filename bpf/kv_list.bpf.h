/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Listing: a page of the keys below a directory that the subject may read,
 * slot by slot. A call looks at a bounded number of slots, so that a long
 * listing never keeps others waiting.
 */
#ifndef CALFPEN_BPF_KV_LIST_BPF_H
#define CALFPEN_BPF_KV_LIST_BPF_H

#include "bpf/kv_check.bpf.h"

#define LIST_SLOTS 256 /* a call looks at */
#define LIST_ENTRY_MAX KV_ENTRY_SIZE(KV_PATH_MAX)

/* Is the path below the directory of `length` bytes, or the same? */
static __always_inline int is_below(const char *path, const char *directory, __u32 length)
{
	__u64 difference = 0;
	__u8 next;

#pragma unroll
	for (int i = 0; i < KV_PATH_SIZE / 8; i++) {
		__s64 left = (__s64)length - i * 8, sign = left >> 63;

		opaque(sign);
		left = (left & ~sign) - 8;
		sign = left >> 63;
		opaque(sign);
		left = (left & sign) + 8;
		opaque(left);
		difference |= (((const __u64 *)path)[i] ^ ((const __u64 *)directory)[i]) &
			      first_bytes[left & 15];
	}
	next = (__u8)path[length & (KV_PATH_SIZE - 1)];
	return !difference && (!length || next == '/' || !next);
}

static long list_slot(__u32 i, void *data)
{
	struct kv_staging *stage = get_staging();
	const struct kv_rule *rule;
	struct kv_value *value;
	struct kv_slot *slot;
	struct kv_work *work;
	__u32 index;
	__u64 used;

	(void)i;
	(void)data;
	if (!stage)
		return 1;
	work = &stage->work;
	index = work->slot;
	slot = bpf_map_lookup_elem(&slots, &index);
	used = work->used;
	opaque(used);
	if (!slot || used > KV_VALUE_SIZE - LIST_ENTRY_MAX)
		return 1; /* the page is full: this slot is the next page's first */
	work->slot = index + 1;
	if (!slot->path[0] ||
	    !is_below(slot->path, ((struct kv_change *)stage->request)->path, work->directory))
		return 0;
	LOOK_UP_BY_PATH(acl, slot->path, KV_NOTE_DIRECTORY(slot->noted), rule);
	if (!rule || !(rule->access & KV_ACCESS_READ))
		return 0;
	value = find_value(slot->path);
	if (!value)
		return 0;
	((struct kv_entry *)(stage->page + used))->revision = value->revision;
	path_copy(stage->page + used + sizeof(struct kv_entry), slot->path);
	work->used += KV_ENTRY_SIZE(KV_NOTE_LENGTH(slot->noted));
	return 0;
}

/* The page is made in stage->page, for the caller to copy out. */
static __always_inline void list_locked(struct kv_staging *stage, const struct kv_ctl *control)
{
	struct kv_change *change = (struct kv_change *)stage->request;
	struct kv_work *work = &stage->work;
	__u32 left;

	work->directory = KV_NOTE_LENGTH(change->noted);
	left = work->slot < control->n_slots ? control->n_slots - work->slot : 0;
	bpf_loop(left < LIST_SLOTS ? left : LIST_SLOTS, list_slot, NULL, 0);
	work->answer_length = work->used;
	work->answer_cursor = work->slot < control->n_slots ? work->slot : 0;
	work->revision = control->revision;
}

#endif
