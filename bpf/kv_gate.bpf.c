/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DOC: the gate, the only writer of the store.
 *
 * There is one instance per subject, whose number is in frozen .rodata: a
 * process that holds the program's descriptor acts as that subject and as no
 * other. A call takes its instance's own lock word and rate, copies the request
 * into its own staging map (which may fault and sleep for as long as its caller
 * likes), checks the copy, and only then takes the lock that all instances
 * share. Nothing under that lock can sleep, fault or wait.
 *
 * A commit is one revision and one event record, which is reserved before the
 * first key is changed: there is no change without an event, and no event
 * without its change. A batch is up to KV_BATCH_MAX requests in one call, each
 * handled as if it had been sent alone; every other request is served as the
 * only item of its call.
 */
#include "bpf/kv_apply.bpf.h"
#include "bpf/kv_check.bpf.h"
#include "bpf/kv_list.bpf.h"
#include "bpf/kv_record.bpf.h"
#include "bpf/kv_watch.bpf.h"

#define ANSWER_SHORT 264 /* bytes: of a batch of 16 writes */
#define NOTED_ERRNOS 128 /* a power of two above those that a caller may report */

char _license[] SEC("license") = "Dual BSD/GPL";

/* --- under the lock --- */

static __always_inline int over_quota(const struct kv_ctl *control, const struct kv_work *work)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	__u64 n_keys = control->subject[subject].n_keys;
	__u64 n_bytes = control->subject[subject].n_bytes;

	/* A subject that already exceeds its quota may still make things
	 * smaller. */
	return (n_keys > config.max_keys && n_keys > work->keys_before) ||
	       (n_bytes > config.max_bytes && n_bytes > work->bytes_before);
}

static __always_inline void apply(struct call *call)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	struct kv_work *work = &call->stage->work;
	struct kv_ctl *control = call->control;

	work->at = work->base;
	work->n_applied = 0;
	work->keys_before = control->subject[subject].n_keys;
	work->bytes_before = control->subject[subject].n_bytes;
	bpf_loop(read_again(work->n_changes), apply_change, call, 0);
	if (!work->error && control->n_keys > control->max_keys)
		work->error = -ENOSPC;
	if (!work->error && over_quota(control, work))
		work->error = -EDQUOT;
	if (!work->error)
		return;
	if (work->n_applied == work->n_changes)
		work->at = work->base; /* the last change is not the only cause: the denial shows
				        * the first */
	bpf_loop(read_again(work->n_applied), undo_change, call, 0);
}

GLOBAL int commit_locked(struct kv_ctl *control)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1), zero = 0;
	struct kv_staging *stage = bpf_map_lookup_elem(&staging, &zero);
	struct kv_change *change = stage ? staged_change(stage, stage->work.base) : NULL;
	struct kv_event *event = (struct kv_event *)change - 1;
	struct call call = { stage, control };
	struct bpf_dynptr record;
	struct kv_work *work;
	__u64 size, audit_ns;
	long failed;

	if (!change || !control)
		return -EINVAL;
	work = &stage->work;
	size = sizeof(*event) + work->record_size;
	/* otherwise clang merges two comparisons, from which Linux 6.1 learns
	 * nothing */
	opaque(size);
	if (size < sizeof(*event) + KV_CHANGE_SIZE(0) || size > sizeof(*event) + KV_REQUEST_MAX)
		return -EINVAL;
	if (check_conditions(&call))
		return -ESTALE;
	/* the first change is to blame for what follows: all of its bytes are checked */
	work->at = work->base;
	/* a record's header is 8 bytes; the changes are padded to 8 already */
	if (!take_share(control, size + 8))
		return -EAGAIN;
	audit_ns = stage->audit_ns;
	if (!take_bytes(stage, work->audit_bytes)) {
		return_share(control, size + 8);
		return -EFBIG;
	}
	work->revision = control->revision + 1;
	work->error = -EAGAIN;
	*event = (struct kv_event){
		.type = KV_RECORD_COMMIT,
		.size = work->record_size,
		.revision = work->revision,
		.boot_ns = work->boot_ns,
		.uid = work->uid,
		.tgid = work->tgid,
		.subject = (__u16)subject,
		.verb = (__u16)work->verb,
		.n_changes = work->n_changes,
	};
	/* no branch in between: if there is no record, nothing is written */
	failed = bpf_ringbuf_reserve_dynptr(&events, (__u32)size, 0, &record);
	failed |= write_record(&record, stage, event, size);
	if (failed) {
		return_share(control, size + 8);
		goto refused;
	}
	apply(&call);
	/* A discarded record is unread, too, and takes room until the reader has passed it. */
	if (work->error)
		goto refused;
	control->revision = work->revision;
	control->n_commits++;
	control->subject[subject].n_accepted++;
	bpf_ringbuf_submit_dynptr(&record, 0);
	fan_out(&call);
	return 0;
refused:
	bpf_ringbuf_discard_dynptr(&record, 0);
	stage->audit_ns = audit_ns; /* what is refused is not audited */
	work->i_refused = work->n_applied;
	return work->error;
}

/* Return 1 if this is a secret whose text the subject may not have. Its writer may, and the
 * supervisor; and if the supervisor has restored it, the subject whose rule says that it is a
 * secret. In numbers, because branches are states. */
static __always_inline __u64 is_hidden(const struct kv_value *value, const struct kv_change *change)
{
	__u64 knows = is_zero(value->subject ^ config.subject) |
		      is_zero(config.subject ^ KV_SUBJECT_SUPERVISOR) |
		      (is_zero(value->subject ^ KV_SUBJECT_SUPERVISOR) &
		       is_zero(change->operation ^ KV_CHANGE_SECRET));
	__u64 hidden = value->flags & KV_VALUE_SECRET & (knows ^ 1);

	opaque(hidden);
	return hidden;
}

/* Copy the value into the page, followed by a NUL; for a batch after its
 * result. Of what is hidden, nothing is copied; the answer clears the page. */
static __always_inline int read_locked(struct call *call)
{
	struct kv_staging *stage = call->stage;
	struct kv_ctl *control = call->control;
	struct kv_work *work = &stage->work;
	struct kv_change *change = staged_change(stage, work->base);
	const struct kv_value *value = change ? find_value(change->path) : NULL;
	struct bpf_dynptr page;
	__u32 at = work->used + work->is_batch * sizeof(struct kv_result);
	__u64 size, length, hidden;

	control->subject[config.subject & (KV_SUBJECTS_MAX - 1)].n_reads++;
	if (!value)
		return -ENOENT;
	if (bpf_dynptr_from_mem(stage->page, sizeof(stage->page), 0, &page))
		return -ENOBUFS;
	hidden = is_hidden(value, change);
	if (hidden && config.subject >= KV_SUBJECT_CALF)
		return -EACCES;
	length = value->length * (hidden ^ 1);
	size = ((length + 8) & ~7ull) * (hidden ^ 1);
	opaque(size);
	if (size > KV_VALUE_SIZE)
		return -EIO; /* impossible */
	/* the helper checks that there is room */
	if (bpf_dynptr_write(&page, at, (void *)value->text, (__u32)size, 0))
		return -ENOBUFS;
	work->revision = value->revision;
	work->answer_boot_ns = value->boot_ns;
	work->answer_length = (__u32)length;
	work->answer_cursor = KV_CURSOR(value->subject, value->flags | hidden * KV_VALUE_HIDDEN);
	return 0;
}

/* Load an item of a batch into the work. Returns not 0 if the page has no room
 * for its result. */
static __always_inline int load_item(struct kv_staging *stage, const struct kv_item *item)
{
	struct kv_work *work = &stage->work;
	struct kv_change *change = staged_change(stage, item->at);
	const struct kv_batched *header = (const struct kv_batched *)change - 1;

	if (work->used > KV_ANSWER_SIZE - sizeof(struct kv_result) || !change ||
	    item->at < sizeof(*header))
		return -ENOBUFS;
	work->verb = item->verb;
	work->at = item->at;
	work->base = item->at;
	work->size = KV_CHANGE_SIZE(change->length);
	work->n_changes = 1;
	work->audit_bytes = 0;
	work->record_size = 0;
	work->n_secrets = 0;
	count_change(work, change);
	work->condition = header->revision;
	work->revision = 0;
	work->answer_length = 0;
	return 0;
}

static __always_inline void put_result(struct kv_staging *stage, int verdict)
{
	struct kv_work *work = &stage->work;
	struct kv_result *result;
	__u64 used = work->used;

	opaque(used);
	if (used > KV_ANSWER_SIZE - sizeof(*result))
		return; /* load_item() has checked */
	result = (struct kv_result *)(stage->page + used);
	result->revision = verdict ? 0 : work->revision;
	result->verdict = verdict;
	result->length = verdict ? 0 : work->answer_length;
	work->used = (__u32)used + KV_RESULT_SIZE(result->length);
}

static long serve_item(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct kv_item *item = get_item(stage, i);
	struct kv_work *work = &stage->work;
	int verdict;

	if (work->is_batch && load_item(stage, item))
		return 1;
	if (!item->verdict && item->verb == KV_VERB_READ)
		item->verdict = read_locked(data);
	else if (!item->verdict)
		item->verdict = commit_locked(((struct call *)data)->control);
	/* every way to it meets here */
	verdict = read_again(item->verdict);
	if (read_again(work->is_batch)) {
		if (verdict == -ENOBUFS)
			return 1;
		put_result(stage, verdict);
	}
	item->at = (__u32)work->at;
	work->n_refused += !!verdict;
	work->n_served = i + 1;
	return 0;
}

/* For the supervisor, once: the store continues from the snapshot's
 * revision. */
static __always_inline int restore_locked(const struct kv_work *work, struct kv_ctl *control)
{
	if (config.subject != KV_SUBJECT_SUPERVISOR)
		return -EACCES;
	if (control->revision)
		return -EEXIST;
	control->revision = work->condition;
	return 0;
}

/* The lock is held only during code that can neither fault nor sleep. */
static __always_inline int serve_locked(__u32 verb, struct call *call)
{
	struct kv_ctl *control = call->control;
	struct kv_work *work = &call->stage->work;

	switch (verb) {
	case KV_VERB_LIST:
		control->subject[config.subject & (KV_SUBJECTS_MAX - 1)].n_reads++;
		list_locked(call);
		return 0;
	case KV_VERB_WATCH:
		return watch_locked(work, control);
	case KV_VERB_RESTORE:
		return restore_locked(work, control);
	default:
		bpf_loop(read_again(work->n_items), serve_item, call, 0);
		return work->is_batch ? 0 : call->stage->items[0].verdict;
	}
}

/* --- answers --- */

/* Clear what earlier answers have left behind the first `length` bytes of the page, as
 * far as it is copied. This closes no leak: the page belongs to one subject, which was
 * given these bytes before. But an answer shows only what it is about. */
static __always_inline void clear_rest(struct kv_staging *stage, __u32 length)
{
	__u64 used = ((__u64)length + 7) & ~7ull;
	__u64 rest = (length < ANSWER_SHORT ? ANSWER_SHORT : KV_ANSWER_SIZE) - used;
	struct bpf_dynptr page;

	if (bpf_dynptr_from_mem(stage->page, sizeof(stage->page), 0, &page))
		return;
	opaque(rest);
	if (rest <= KV_VALUE_SIZE)
		bpf_dynptr_write(&page, (__u32)used, (void *)zeroes, (__u32)rest, 0);
}

/* The context can be written at constant offsets only: it is copied completely,
 * or up to a size that is enough for most answers. A value is followed by a
 * NUL. */
static __always_inline void answer_page(struct kv_request *request, struct kv_staging *stage)
{
	clear_rest(stage, request->length);
#pragma unroll
	for (int i = 0; i < ANSWER_SHORT / 8; i++)
		((__u64 *)request->text)[i] = ((const __u64 *)stage->page)[i];
	if (request->length < ANSWER_SHORT)
		return;
#pragma unroll
	for (int i = ANSWER_SHORT / 8; i < KV_ANSWER_SIZE / 8; i++)
		((__u64 *)request->text)[i] = ((const __u64 *)stage->page)[i];
}

static __always_inline void answer(struct kv_request *request, struct kv_staging *stage)
{
	const struct kv_work *work = &stage->work;

	request->revision = work->revision;
	request->boot_ns = work->answer_boot_ns;
	request->length = work->is_batch ? work->used : work->answer_length;
	request->cursor = work->is_batch ? work->n_served : work->answer_cursor;
	if (work->verb == KV_VERB_READ || work->verb == KV_VERB_LIST || work->is_batch)
		answer_page(request, stage);
}

/* --- refusals --- */

static __always_inline void record_denial(struct kv_staging *stage, struct kv_ctl *control,
					  const struct kv_item *item)
{
	__u32 subject = config.subject & (KV_SUBJECTS_MAX - 1);
	struct kv_work *work = &stage->work;
	int verdict = item->verdict;
	struct kv_denial *denial;
	struct kv_change *change;

	if (!verdict || verdict == -ENOENT)
		return; /* "absent" is an answer */
	control->subject[subject].n_refused++;
	/* busy, full and stale are not attempts to do something forbidden */
	if (verdict == -EBUSY || verdict == -EAGAIN || verdict == -ESTALE)
		return;
	denial = NULL;
	if (take_rate(&stage->denial_ns, work->boot_ns, config.denial_interval_ns,
		      config.denial_burst_ns) &&
	    take_bytes(stage, KV_AUDIT_COST(KV_PATH_MAX, 0)))
		denial = bpf_ringbuf_reserve(&denials, sizeof(*denial), 0);
	if (!denial) {
		stage->suppressed++;
		control->subject[subject].n_suppressed++;
		return;
	}
	denial->type = KV_RECORD_DENIAL;
	denial->verdict = verdict;
	denial->sequence = __sync_fetch_and_add(&control->n_denials, 1) + 1;
	denial->boot_ns = work->boot_ns;
	denial->uid = work->uid;
	denial->tgid = work->tgid;
	denial->subject = (__u16)subject;
	denial->verb = (__u16)item->verb;
	denial->suppressed = stage->suppressed;
	__builtin_memset(denial->path, 0, sizeof(denial->path));
	change = staged_change(stage, item->at);
	if (item->canonical && change)
		path_copy(denial->path, change->path);
	stage->suppressed = 0;
	bpf_ringbuf_submit(denial, 0);
}

static long record_item(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct kv_item *item = get_item(stage, i);

	record_denial(stage, ((struct call *)data)->control, item);
	return 0;
}

/* The whole call was refused: record only that. */
static __always_inline void refuse_call(struct kv_request *request, struct kv_staging *stage,
					int verdict)
{
	struct kv_work *work = &stage->work;

	stage->items[0].verdict = verdict;
	stage->items[0].canonical = work->is_batch ? 0 : work->canonical;
	stage->items[0].at = (__u32)work->at;
	/* a number that is no verb is the caller's: it is not recorded */
	stage->items[0].verb = work->verb <= KV_VERB_DENIAL ? work->verb : KV_VERB_NONE;
	if (work->is_batch) {
		stage->items[0].verb = KV_VERB_BATCH;
		request->length = 0;
		request->cursor = 0;
	}
	request->i_refused = work->i_refused;
	work->n_served = 1;
	work->n_refused = 1;
}

/* --- the call --- */

static const __u8 may_be_noted[NOTED_ERRNOS] = {
	[E2BIG] = 1,  [EACCES] = 1,   [EBADMSG] = 1, [EILSEQ] = 1,
	[EINVAL] = 1, [EMSGSIZE] = 1, [EUSERS] = 1,
};

/* Record a refusal by the caller itself. What it says about it is one of the verbs
 * and errnos with which a gateway refuses something. */
static __always_inline int note_denial(struct kv_staging *stage)
{
	__u32 error = stage->work.asked;

	if (error >= NOTED_ERRNOS || !may_be_noted[error & (NOTED_ERRNOS - 1)] ||
	    stage->work.slot > KV_VERB_WATCH)
		return -EINVAL;
	stage->items[0].verdict = -(__s32)error;
	stage->items[0].verb = stage->work.slot;
	stage->items[0].canonical = stage->work.canonical;
	stage->items[0].at = 0;
	stage->work.n_served = 1;
	stage->work.n_refused = 1;
	return 0;
}

static __always_inline int serve(struct kv_request *request, struct call *call)
{
	struct kv_staging *stage = call->stage;
	struct kv_ctl *control = call->control;
	struct kv_work *work = &stage->work;
	int error = check_request(request, call);

	if (!work->is_batch) {
		stage->items[0].verb = work->verb;
		stage->items[0].canonical = work->canonical;
		stage->items[0].verdict = 0;
	}
	if (error)
		return error;
	if (work->verb == KV_VERB_DENIAL)
		return note_denial(stage);
	if (__sync_val_compare_and_swap(&control->lock, 0, config.subject + 1)) {
		/* another subject holds the lock: do not charge this one's
		 * rate */
		stage->rate_ns = stage->items[0].rate_ns;
		return -EBUSY;
	}
	error = serve_locked(request->verb, call);
	__sync_lock_test_and_set(&control->lock, 0);
	return error;
}

SEC("syscall")
int kv_gate(struct kv_request *request)
{
	__u32 zero = 0;
	struct kv_staging *stage = bpf_map_lookup_elem(&staging, &zero);
	struct kv_ctl *control = bpf_map_lookup_elem(&ctl, &zero);
	struct call call;
	struct kv_item *unserved;
	int error;

	if (!stage || !control)
		return -EINVAL;
	call = (struct call){ stage, control };
	if (__sync_val_compare_and_swap(&stage->busy, 0, 1))
		return -EBUSY;
	stage->work.error = serve(request, &call);
	/* all paths join here, and again after the answer */
	error = read_again(stage->work.error);
	if (error)
		refuse_call(request, stage, error);
	else
		answer(request, stage);
	error = read_again(stage->work.error);
	if (read_again(stage->work.n_refused))
		bpf_loop(read_again(stage->work.n_served), record_item, &call, 0);
	/* requests that are not served are not charged */
	unserved = get_item(stage, stage->work.n_served);
	if (!error && stage->work.is_batch && stage->work.n_served < stage->work.n_items)
		stage->rate_ns = unserved->rate_ns;
	__sync_lock_test_and_set(&stage->busy, 0);
	return error;
}
