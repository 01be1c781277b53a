// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * DOC: the gate, the only writer of the store.
 *
 * One instance per subject; the subject is in frozen .rodata, so whoever
 * holds the program's descriptor acts as that subject and as no other. A call
 * takes its instance's own word and rate, copies the request into its own
 * staging map (which may fault and sleep for as long as its caller likes),
 * checks the copy, and only then takes the lock that all instances share.
 * Nothing under that lock can sleep, fault or wait.
 *
 * A commit is one revision and one event record, reserved before the first
 * key is touched: no change without an event, no event without its change.
 */
#include "bpf/kv_apply.bpf.h"
#include "bpf/kv_check.bpf.h"
#include "bpf/kv_list.bpf.h"
#include "bpf/kv_watch.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* --- under the lock --- */

static __always_inline int over_quota(const struct kv_ctl *control, const struct kv_work *work)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	__u64 n_keys = control->subject[subject].n_keys;
	__u64 n_bytes = control->subject[subject].n_bytes;

	/* Whoever is over it already may still make things smaller. */
	return (n_keys > config.max_keys && n_keys > work->keys_before) ||
	       (n_bytes > config.max_bytes && n_bytes > work->bytes_before);
}

static __always_inline void apply(struct kv_staging *stage, struct kv_ctl *control)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	struct kv_work *work = &stage->work;

	work->at = 0;
	work->n_applied = 0;
	work->keys_before = control->subject[subject].n_keys;
	work->bytes_before = control->subject[subject].n_bytes;
	bpf_loop(read_again(work->n_changes), apply_change, NULL, 0);
	if (!work->error && control->n_keys > control->max_keys)
		work->error = -ENOSPC;
	if (!work->error && over_quota(control, work))
		work->error = -EDQUOT;
	if (work->error)
		bpf_loop(read_again(work->n_applied), undo_change, NULL, 0);
}

static __always_inline int commit_locked(struct kv_request *request, struct kv_staging *stage,
					 struct kv_ctl *control)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	struct kv_work *work = &stage->work;
	struct kv_event event = {
		.type = KV_RECORD_COMMIT,
		.size = work->size,
		.revision = control->revision + 1,
		.boot_ns = work->boot_ns,
		.uid = (__u32)bpf_get_current_uid_gid(),
		.tgid = (__u32)(bpf_get_current_pid_tgid() >> 32),
		.subject = (__u16)subject,
		.verb = (__u16)work->verb,
		.n_changes = work->n_changes,
	};
	__u64 size = work->size;
	struct bpf_dynptr record;

	opaque(size);
	if (size < KV_CHANGE_SIZE(0) || size > KV_REQUEST_MAX)
		return -EINVAL;
	if (check_conditions(work))
		return -ESTALE;
	/* a record's header is 8 bytes; the changes are padded to 8 already */
	if (!take_share(control, sizeof(event) + work->size + 8))
		return -EAGAIN;
	work->revision = control->revision + 1;
	work->error = -EAGAIN;
	if (bpf_ringbuf_reserve_dynptr(&events, sizeof(event) + (__u32)size, 0, &record) ||
	    bpf_dynptr_write(&record, 0, &event, sizeof(event), 0) ||
	    bpf_dynptr_write(&record, sizeof(event), stage->request, (__u32)size, 0))
		goto refused;
	apply(stage, control);
	if (work->error)
		goto refused;
	control->revision = work->revision;
	control->n_commits++;
	control->subject[subject].n_accepted++;
	bpf_ringbuf_submit_dynptr(&record, 0);
	fan_out(control, work);
	request->revision = work->revision;
	return 0;
refused:
	bpf_ringbuf_discard_dynptr(&record, 0);
	return_share(control, sizeof(event) + work->size + 8);
	request->i_refused = work->n_applied;
	return work->error;
}

/* The context can be written at constant offsets only: copied whole. */
static __always_inline void answer_text(struct kv_request *request, const struct kv_value *value)
{
#pragma unroll
	for (int i = 0; i < KV_VALUE_SIZE / 8; i++)
		((__u64 *)request->text)[i] = ((const __u64 *)value->text)[i];
}

static __always_inline int read_locked(struct kv_request *request, struct kv_staging *stage,
				       struct kv_ctl *control)
{
	struct kv_change *change = (struct kv_change *)stage->request;
	struct kv_value *value;

	control->subject[config.subject & (KV_SUBJECTS_MAX - 1)].n_reads++;
	if (request->verb == KV_VERB_LIST) {
		list_locked(request, stage, control);
		value = &stage->value;
	} else {
		value = find_value(change->path);
		if (!value)
			return -ENOENT;
		request->revision = value->revision;
		request->boot_ns = value->boot_ns;
		request->length = value->length;
		request->cursor = value->subject;
	}
	answer_text(request, value);
	return 0;
}

/* The supervisor's, once: the store goes on from the snapshot's revision. */
static __always_inline int restore_locked(const struct kv_request *request, struct kv_ctl *control)
{
	if (config.subject != KV_SUBJECT_SUPERVISOR)
		return -EACCES;
	if (control->revision)
		return -EEXIST;
	control->revision = request->revision;
	return 0;
}

static __always_inline int serve_locked(struct kv_request *request, struct kv_staging *stage,
					struct kv_ctl *control)
{
	switch (request->verb) {
	case KV_VERB_READ:
	case KV_VERB_LIST:
		return read_locked(request, stage, control);
	case KV_VERB_WATCH:
		return watch_locked(request, control);
	case KV_VERB_RESTORE:
		return restore_locked(request, control);
	default:
		return commit_locked(request, stage, control);
	}
}

/* --- refusals --- */

static __always_inline void record_denial(struct kv_staging *stage, struct kv_ctl *control,
					  int verdict)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	struct kv_work *work = &stage->work;
	struct kv_denial *denial;
	struct kv_change *change;

	if (verdict == -ENOENT)
		return; /* "absent" is an answer */
	control->subject[subject].n_refused++;
	/* busy, full and overtaken are not attempts at something forbidden */
	if (verdict == -EBUSY || verdict == -EAGAIN || verdict == -ESTALE)
		return;
	denial = take_rate(&stage->denial_ns, work->boot_ns, config.denial_interval_ns,
			   config.denial_burst_ns) ?
			 bpf_ringbuf_reserve(&denials, sizeof(*denial), 0) :
			 NULL;
	if (!denial) {
		stage->suppressed++;
		control->subject[subject].n_suppressed++;
		return;
	}
	denial->type = KV_RECORD_DENIAL;
	denial->verdict = verdict;
	denial->sequence = __sync_fetch_and_add(&control->n_denials, 1) + 1;
	denial->boot_ns = work->boot_ns;
	denial->uid = (__u32)bpf_get_current_uid_gid();
	denial->tgid = (__u32)(bpf_get_current_pid_tgid() >> 32);
	denial->subject = (__u16)subject;
	denial->verb = (__u16)work->verb;
	denial->suppressed = stage->suppressed;
	__builtin_memset(denial->path, 0, sizeof(denial->path));
	change = staged_change(stage, work->at);
	if (work->canonical && change)
		path_copy(denial->path, change->path);
	stage->suppressed = 0;
	bpf_ringbuf_submit(denial, 0);
}

static __always_inline int serve(struct kv_request *request, struct kv_staging *stage,
				 struct kv_ctl *control)
{
	int error = check_request(request, stage);

	if (error) {
		request->i_refused = stage->work.i_refused;
	} else if (__sync_val_compare_and_swap(&control->lock, 0, config.subject + 1)) {
		error = -EBUSY;
	} else {
		/* Held over code that can neither fault nor sleep. */
		error = serve_locked(request, stage, control);
		__sync_lock_test_and_set(&control->lock, 0);
	}
	if (error)
		record_denial(stage, control, error);
	return error;
}

SEC("syscall")
int kv_gate(struct kv_request *request)
{
	struct kv_staging *stage = get_staging();
	struct kv_ctl *control = get_ctl();
	int error;

	if (!stage || !control)
		return -EINVAL;
	if (__sync_val_compare_and_swap(&stage->busy, 0, 1))
		return -EBUSY;
	error = serve(request, stage, control);
	__sync_lock_test_and_set(&stage->busy, 0);
	return error;
}
