/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Watching: after a commit, a copy of each change is written to the ring of
 * every subject that watches and may see it. A full ring causes a gap in the
 * sequence numbers of its subject, and has no effect on others.
 */
#ifndef CALFPEN_BPF_KV_WATCH_BPF_H
#define CALFPEN_BPF_KV_WATCH_BPF_H

#include "bpf/kv_record.bpf.h"

static long fan_subject(__u32 i, void *data)
{
	struct kv_watch_event event = { .type = KV_RECORD_CHANGE };
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct kv_change *change;
	struct kv_watch *watch;
	struct bpf_dynptr record;
	__u64 size, is_secret, is_own, is_hidden;
	long failed;
	void *ring;

	if (i >= KV_SUBJECTS_MAX || !(stage->work.mask >> i))
		return 1;
	if (!(stage->work.mask >> i & 1))
		return 0;
	watch = bpf_map_lookup_elem(&watches, &i);
	ring = bpf_map_lookup_elem(&rings, &i);
	change = staged_change(stage, stage->work.at);
	if (!watch || !ring || !change)
		return 0;
	is_secret = is_zero(change->operation ^ KV_CHANGE_SECRET);
	is_own = is_secret & is_zero(i ^ config.subject);
	is_hidden = is_secret ^ is_own;
	opaque(is_hidden);
	size = change->length * (1 - is_hidden);
	size = KV_CHANGE_SIZE(size);
	opaque(size);
	if (size < KV_CHANGE_SIZE(0) || size > KV_CHANGE_SIZE(KV_VALUE_MAX))
		return 0;
	event.size = (__u32)size;
	event.sequence = ++watch->sequence;
	event.revision = stage->work.revision;
	event.boot_ns = stage->work.boot_ns;
	/* its writer gets it as any other change */
	change->operation -= (KV_CHANGE_SECRET - KV_CHANGE_WRITE) * is_own;
	failed = bpf_ringbuf_reserve_dynptr(ring, sizeof(event) + (__u32)size, 0, &record) ||
		 bpf_dynptr_write(&record, 0, &event, sizeof(event), 0) ||
		 (is_hidden ? write_hidden(&record, sizeof(event), change) :
			      bpf_dynptr_write(&record, sizeof(event), change, (__u32)size, 0));
	change->operation += (KV_CHANGE_SECRET - KV_CHANGE_WRITE) * is_own;
	if (failed) {
		watch->n_lost++;
		bpf_ringbuf_discard_dynptr(&record, 0);
		return 0;
	}
	bpf_ringbuf_submit_dynptr(&record, 0);
	return 0;
}

static long fan_change(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	const struct kv_ctl *control = ((struct call *)data)->control;
	struct kv_change *change;
	const __u64 *rights;

	(void)i;
	change = staged_change(stage, stage->work.at);
	if (!change)
		return 1;
	LOOK_UP_BY_PATH(watch_rights, change->path, KV_NOTE_DIRECTORY(change->noted), rights);
	stage->work.mask = rights ? *rights & control->watching : 0;
	if (stage->work.mask)
		bpf_loop(KV_SUBJECTS_MAX, fan_subject, data, 0);
	stage->work.at += KV_CHANGE_SIZE(change->length);
	return 0;
}

static __always_inline void fan_out(struct call *call)
{
	struct kv_work *work = &call->stage->work;

	work->at = work->base;
	if (call->control->watching)
		bpf_loop(read_again(work->n_changes), fan_change, call, 0);
}

/* Begin, end or query; under the lock, so that the revision separates the
 * changes in the ring from those that must be listed. */
static __always_inline int watch_locked(struct kv_work *work, struct kv_ctl *control)
{
	__u32 subject = config.subject, operation = work->asked;
	struct kv_watch *watch = bpf_map_lookup_elem(&watches, &subject);

	if (!watch || subject >= KV_SUBJECTS_MAX || operation > 2)
		return -EINVAL;
	if (!bpf_map_lookup_elem(&rings, &subject))
		return -EACCES;
	if (operation == 1)
		control->watching |= 1ull << subject;
	else if (operation == 0)
		control->watching &= ~(1ull << subject);
	watch->active = control->watching >> subject & 1;
	work->revision = control->revision;
	work->answer_boot_ns = watch->n_lost;
	return 0;
}

#endif
