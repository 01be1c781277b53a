/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Changing the store, under the lock: nothing here can sleep, fault or wait.
 * Each change of a commit can be undone until the commit is complete.
 */
#ifndef CALFPEN_BPF_KV_APPLY_BPF_H
#define CALFPEN_BPF_KV_APPLY_BPF_H

#include "bpf/kv_state.bpf.h"

static const char zeroes[KV_VALUE_SIZE];

/* Set a value from a checked change, without leaving a byte of a longer old
 * value. */
static __always_inline void set_value(struct kv_value *to, const struct kv_change *change,
				      const struct kv_work *work)
{
	__u64 length = change->length, size = (length + 8) & ~7ull;
	__u64 rest = (((__u64)to->length + 8) & ~7ull) - size;
	struct bpf_dynptr text;

	/* it cannot be larger, but the verifier does not know */
	opaque(size);
	if (size > KV_VALUE_SIZE || bpf_dynptr_from_mem(to->text, sizeof(to->text), 0, &text))
		return;
	bpf_dynptr_write(&text, 0, (void *)(change + 1), (__u32)size, 0);
	if ((__s64)rest <= 0)
		rest = ~0ull;
	opaque(rest); /* otherwise clang compares rest - 1, from which Linux 6.1 learns nothing */
	if (rest <= KV_VALUE_SIZE)
		bpf_dynptr_write(&text, (__u32)size, (void *)zeroes, (__u32)rest, 0);
	to->revision = work->revision;
	to->boot_ns = work->boot_ns;
	to->length = (__u16)length;
	to->flags = (__u16)is_zero(change->operation ^ KV_CHANGE_SECRET);
	to->subject = (__u16)config.subject;
}

/* --- slots: every key has one, so that a listing can go page by page --- */

static __always_inline struct kv_slot *get_slot(__u32 index)
{
	return bpf_map_lookup_elem(&slots, &index);
}

static __always_inline __u16 slot_take(struct kv_ctl *control, const struct kv_change *change)
{
	__u32 index = control->free_slot ? control->free_slot - 1 : control->n_slots;
	struct kv_slot *slot = get_slot(index);

	if (!slot)
		return 0; /* impossible: there are as many slots as entries of kv */
	if (control->free_slot)
		control->free_slot = slot->next_free;
	else
		control->n_slots++;
	path_copy(slot->path, change->path);
	slot->noted = change->noted;
	return (__u16)index;
}

static __always_inline void slot_give_back(struct kv_ctl *control, __u32 index)
{
	struct kv_slot *slot = get_slot(index);

	if (!slot)
		return;
	*(__u64 *)slot->path = 0;
	slot->next_free = control->free_slot;
	control->free_slot = index + 1;
}

/* --- quotas: a key belongs to the subject that wrote it last --- */

static __always_inline void own(struct kv_ctl *control, __u32 subject, __s32 n_keys, __s64 n_bytes)
{
	subject &= KV_SUBJECTS_MAX - 1;
	control->subject[subject].n_keys += (__u32)n_keys;
	control->subject[subject].n_bytes += (__u64)n_bytes;
}

/* --- one change, forward and back --- */

/* Insert the staged value. */
GLOBAL int insert(struct kv_ctl *control, const struct kv_change *change)
{
	__u32 zero = 0;
	struct kv_staging *stage = bpf_map_lookup_elem(&staging, &zero);
	struct kv_value *value;
	struct kv_key key;
	int error;

	if (!control || !change || !stage)
		return -EINVAL;
	value = &stage->value;
	path_copy(key.path, change->path);
	value->slot = slot_take(control, change);
	error = bpf_map_update_elem(&kv, &key, value, BPF_NOEXIST);
	if (error) {
		slot_give_back(control, value->slot);
		return error;
	}
	control->n_keys++;
	own(control, value->subject, 1, value->length);
	return 0;
}

GLOBAL int remove(struct kv_ctl *control, const struct kv_change *change,
		  const struct kv_value *value)
{
	__u32 slot, subject, length;
	struct kv_key key;
	int error;

	if (!control || !change || !value)
		return -EINVAL;
	slot = value->slot;
	subject = value->subject;
	length = value->length;
	path_copy(key.path, change->path);
	error = bpf_map_delete_elem(&kv, &key);
	if (error)
		return error;
	slot_give_back(control, slot);
	control->n_keys--;
	own(control, subject, -1, -(__s64)length);
	return 0;
}

static __always_inline void replace(struct kv_ctl *control, struct kv_value *value,
				    const struct kv_change *change, const struct kv_work *work)
{
	own(control, value->subject, -1, -(__s64)value->length);
	set_value(value, change, work);
	own(control, value->subject, 1, value->length);
}

/* Return whether this change, even if it is the only one, may exceed the
 * subject's quota. */
static __always_inline int near_quota(const struct kv_ctl *control, __u32 length)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);

	return control->subject[subject].n_keys >= config.max_keys ||
	       control->subject[subject].n_bytes + length > config.max_bytes;
}

/* Save how to undo the change, if anything after it can fail. */
static __always_inline void remember(const struct kv_work *work, const struct kv_ctl *control,
				     __u32 length, __u32 i, const struct kv_value *old)
{
	struct kv_undo *back = bpf_map_lookup_elem(&undo, &i);

	if (!back)
		return;
	back->at = (__u32)work->at;
	back->action = KV_UNDO_NOTHING;
	if (old && (work->n_changes > 1 || near_quota(control, length)) &&
	    !bpf_map_update_elem(&undo_values, &i, old, BPF_ANY))
		back->action = KV_UNDO_RESTORE;
}

static __always_inline void remember_action(__u32 i, __u32 action)
{
	struct kv_undo *back = bpf_map_lookup_elem(&undo, &i);

	if (back)
		back->action = action;
}

static __always_inline int apply_one(struct kv_staging *stage, struct kv_change *change,
				     struct kv_ctl *control, __u32 i)
{
	struct kv_value *old = find_value(change->path);
	struct kv_work *work = &stage->work;
	int error = 0;

	remember(work, control, change->length, i, old);
	if (change->operation == KV_CHANGE_DELETE) {
		if (old)
			error = remove(control, change, old);
		if (error)
			remember_action(i, KV_UNDO_NOTHING);
		return error;
	}
	if (old) {
		replace(control, old, change, work);
		return 0;
	}
	set_value(&stage->value, change, work);
	error = insert(control, change);
	if (!error)
		remember_action(i, KV_UNDO_REMOVE);
	return error;
}

static long apply_change(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct kv_ctl *control = ((struct call *)data)->control;
	struct kv_change *change;

	stage->work.error = -EINVAL;
	change = staged_change(stage, stage->work.at);
	if (!change)
		return 1;
	stage->work.error = apply_one(stage, change, control, i);
	if (read_again(stage->work.error))
		return 1;
	stage->work.n_applied = i + 1;
	stage->work.at += KV_CHANGE_SIZE(change->length);
	return 0;
}

/* Insert the previous value. */
static __always_inline void restore(struct kv_ctl *control, struct kv_staging *stage,
				    const struct kv_change *change, struct kv_value *saved)
{
	struct bpf_dynptr value;

	if (!bpf_dynptr_from_mem(&stage->value, sizeof(stage->value), 0, &value) &&
	    !bpf_dynptr_write(&value, 0, saved, sizeof(*saved), 0))
		insert(control, change);
}

/* Undo changes, newest first: i counts from 0, the change is n_applied - 1 -
 * i. */
static long undo_change(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct kv_ctl *control = ((struct call *)data)->control;
	struct kv_value *now, *saved;
	struct kv_change *change;
	struct kv_undo *back;
	__u32 index;

	index = stage->work.n_applied - 1 - i;
	back = bpf_map_lookup_elem(&undo, &index);
	saved = bpf_map_lookup_elem(&undo_values, &index);
	if (!back || !saved)
		return 1;
	change = staged_change(stage, back->at);
	if (!change || back->action == KV_UNDO_NOTHING)
		return 0;
	now = find_value(change->path);
	if (now)
		remove(control, change, now);
	if (back->action == KV_UNDO_RESTORE)
		restore(control, stage, change, saved);
	return 0;
}

/* --- conditions --- */

static long check_condition(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	const struct kv_value *value;
	struct kv_change *change;
	struct kv_work *work;
	int stale;

	(void)i;
	work = &stage->work;
	work->error = -ESTALE;
	change = staged_change(stage, work->at);
	if (!change)
		return 1;
	value = find_value(change->path);
	if (!value)
		stale = work->condition != KV_REVISION_ABSENT && work->verb != KV_VERB_COMMIT;
	else if (work->condition == KV_REVISION_ABSENT)
		stale = 1;
	else if (work->verb == KV_VERB_COMMIT)
		stale = value->revision > work->condition;
	else
		stale = value->revision != work->condition;
	if (stale)
		return 1;
	work->error = 0;
	work->at += KV_CHANGE_SIZE(change->length);
	return 0;
}

static __always_inline int check_conditions(struct call *call)
{
	struct kv_work *work = &call->stage->work;

	work->at = work->base;
	work->error = 0;
	if (work->condition != KV_REVISION_ANY)
		bpf_loop(read_again(work->n_changes), check_condition, call, 0);
	return work->error;
}

/* --- the subject's share of the event ring --- */

/* Undo the accounting, because nothing was written. */
static __always_inline void return_share(struct kv_ctl *control, __u64 size)
{
	__u32 subject = config.subject;

	if (subject < KV_SUBJECTS_MAX)
		control->subject[subject].since -= size;
}

/*
 * The subject's share of unread event bytes. `before` is the number of bytes
 * written up to `mark`; once the reader has passed `mark`, `since` replaces it.
 * So the estimate is never too low and follows the reader. (The watcher can
 * write the reader's position. Forging it can only shift these shares, never
 * lose an event, because the reservation decides.)
 */
static __always_inline int take_share(struct kv_ctl *control, __u64 size)
{
	__u32 subject = config.subject;
	__u64 read;

	if (subject >= KV_SUBJECTS_MAX)
		return 0;
	read = bpf_ringbuf_query(&events, BPF_RB_CONS_POS);
	if (read >= control->subject[subject].mark) {
		__u64 written = bpf_ringbuf_query(&events, BPF_RB_PROD_POS);

		control->subject[subject].before = control->subject[subject].since;
		control->subject[subject].since = 0;
		control->subject[subject].mark = written;
		if (read == written)
			control->subject[subject].before = 0;
	}
	if (control->subject[subject].before + control->subject[subject].since + size >
	    config.share)
		return 0;
	control->subject[subject].since += size;
	return 1;
}

#endif
