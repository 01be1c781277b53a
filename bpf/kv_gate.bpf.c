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
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kv_path.bpf.h"
#include "maps/kv_gate_maps.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile struct kv_gate_config config = {};

static __always_inline struct kv_staging *get_staging(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&staging, &zero);
}

static __always_inline struct kv_ctl *get_ctl(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ctl, &zero);
}

/* The change at offset `at` of the staged request, or NULL. */
static __always_inline struct kv_change *staged_change(struct kv_staging *stage, __u64 at)
{
	opaque(at);
	if (at > KV_REQUEST_MAX)
		return NULL;
	return (struct kv_change *)(stage->request + at);
}

/*
 * Generic cell rate algorithm: one event per interval, with `burst` saved up.
 * `*arrival` is the theoretical arrival time of the next one.
 */
static __always_inline int take_rate(__u64 *arrival, __u64 now, __u64 interval, __u64 burst)
{
	__u64 next = *arrival > now ? *arrival : now;

	if (next - now > burst)
		return 0;
	*arrival = next + interval;
	return 1;
}

/* --- checking the staged copy --- */

struct value_check {
	__u64 at;	/* of the text in the request */
	__u64 classes;	/* bits that every byte so far had */
	__u64 seen_nul; /* BYTE_NUL after the first NUL */
	__u64 bad;	/* a byte other than NUL after a NUL */
	__u64 n_nuls;
};

static long check_word(__u32 i, void *data)
{
	struct value_check *check = data;
	struct kv_staging *stage = get_staging();
	__u64 at = check->at + (__u64)i * 8;

	opaque(at);
	if (!stage || at > KV_REQUEST_MAX + KV_CHANGE_SIZE(KV_VALUE_MAX) - 8)
		return 1;
#pragma unroll
	for (int j = 0; j < 8; j++) {
		__u64 bits = byte_classes[stage->request[at + j]];

		check->classes &= bits;
		check->n_nuls += bits >> 7;
		check->seen_nul |= bits & BYTE_NUL;
		check->bad |= check->seen_nul & ~bits;
	}
	return 0;
}

/* The value's bytes: `length` of the rule's class, then NULs only. */
static __always_inline int check_value(__u64 at, __u32 length, const struct kv_rule *rule)
{
	__u32 n_words = (length + 8) / 8;
	struct value_check check = {
		.at = at + KV_CHANGE_HEADER,
		.classes = BYTE_TEXT | BYTE_HEX | BYTE_UINT,
	};

	if (length > rule->max_length)
		return -EMSGSIZE;
	bpf_loop(n_words, check_word, &check, 0);
	if (check.bad || check.n_nuls != (__u64)n_words * 8 - length)
		return -EBADMSG;
	if (!(check.classes & BYTE_TEXT))
		return -EBADMSG;
	if (rule->class == KV_CLASS_HEX && (!(check.classes & BYTE_HEX) || length % 2))
		return -EBADMSG;
	if (rule->class == KV_CLASS_UINT &&
	    (!(check.classes & BYTE_UINT) || length < 1 || length > 10))
		return -EBADMSG;
	return 0;
}

/* Exact path, else its directory "/dir/", else "/". */
static __always_inline const struct kv_rule *find_rule(const struct kv_change *change,
						       __u64 directory)
{
	const struct kv_rule *rule = bpf_map_lookup_elem(&acl, change->path);
	struct kv_key key __attribute__((aligned(8)));

	if (rule)
		return rule;
	path_directory(change->path, directory, &key);
	rule = bpf_map_lookup_elem(&acl, &key);
	if (rule)
		return rule;
	__builtin_memset(&key, 0, sizeof(key));
	key.path[0] = '/';
	return bpf_map_lookup_elem(&acl, &key);
}

struct request_check {
	__u32 verb;
	__u32 size;
	__u64 at; /* of the change that is checked next */
	__s64 error;
	__u32 i_refused;
	__u32 canonical; /* the refused change's path may be shown */
};

static __always_inline int check_one(struct request_check *check, struct kv_change *change)
{
	__u32 length = change->length, operation = change->operation, needed;
	struct path_facts facts;
	const struct kv_rule *rule;

	check->canonical = 0;
	if (length > KV_VALUE_MAX)
		return -EMSGSIZE;
	if (check->at + KV_CHANGE_SIZE(length) > check->size || change->reserved)
		return -EINVAL;
	facts = path_inspect(change->path);
	if (!facts.canonical)
		return -EILSEQ;
	check->canonical = 1;

	if (check->verb == KV_VERB_READ && !operation && !length)
		needed = KV_ACCESS_READ;
	else if ((check->verb == KV_VERB_WRITE || check->verb == KV_VERB_COMMIT) &&
		 operation == KV_CHANGE_WRITE)
		needed = KV_ACCESS_WRITE;
	else if ((check->verb == KV_VERB_DELETE || check->verb == KV_VERB_COMMIT) &&
		 operation == KV_CHANGE_DELETE && !length)
		needed = KV_ACCESS_DELETE;
	else
		return -EINVAL;

	rule = find_rule(change, facts.directory);
	if (!rule || !(rule->access & needed))
		return -EACCES;
	if (needed == KV_ACCESS_WRITE)
		return check_value(check->at, length, rule);
	return 0;
}

static long check_change(__u32 i, void *data)
{
	struct request_check *check = data;
	struct kv_staging *stage = get_staging();
	struct kv_change *change;

	if (!stage)
		return 1;
	change = staged_change(stage, check->at);
	if (!change) {
		check->error = -EINVAL;
		return 1;
	}
	check->i_refused = i;
	check->error = check_one(check, change);
	if (check->error)
		return 1;
	check->at += KV_CHANGE_SIZE(change->length);
	return 0;
}

/* --- changing the store, under the lock --- */

struct text_copy {
	struct kv_value *to;
	const char *from; /* NULL: zeroes */
	__u64 n_words;	  /* of `from`; zeroes behind them */
};

static long copy_word(__u32 i, void *data)
{
	struct text_copy *copy = data;
	__u64 at = i;

	opaque(at);
	if (at >= KV_VALUE_SIZE / 8)
		return 1;
	if (at < copy->n_words)
		((__u64 *)copy->to->text)[at] = ((const __u64 *)copy->from)[at];
	else
		((__u64 *)copy->to->text)[at] = 0;
	return 0;
}

/* Set a value from checked text, leaving no byte of the longer old one. */
static __always_inline void set_value(struct kv_value *to, const char *from, __u32 length,
				      __u64 revision, __u64 boot_ns, __u32 subject)
{
	__u32 n_words = (length + 8) / 8, n_old = (to->length + 8) / 8;
	struct text_copy copy = { .to = to, .from = from, .n_words = n_words };

	bpf_loop(n_old > n_words ? n_old : n_words, copy_word, &copy, 0);
	to->revision = revision;
	to->boot_ns = boot_ns;
	to->length = length;
	to->subject = (__u16)subject;
	to->reserved = 0;
}

struct application {
	__u64 at;
	__u64 revision;
	__u64 boot_ns;
	__s64 error;
	__u32 keep_undo; /* more than one change: each must be revocable */
	__u32 n_applied;
};

static __always_inline int apply_one(struct application *app, struct kv_staging *stage,
				     struct kv_change *change, struct kv_ctl *control,
				     struct kv_undo *back)
{
	struct kv_value *old = bpf_map_lookup_elem(&kv, change->path);
	__u32 length = change->length;
	int error;

	back->action = KV_UNDO_NOTHING;
	back->at = (__u32)app->at;
	if (old && app->keep_undo) {
		set_value(&back->value, old->text, old->length, old->revision, old->boot_ns,
			  old->subject);
		back->action = KV_UNDO_RESTORE;
	}
	if (change->operation == KV_CHANGE_DELETE) {
		if (!old)
			return 0;
		error = bpf_map_delete_elem(&kv, change->path);
		if (!error)
			control->n_keys--;
		else
			back->action = KV_UNDO_NOTHING;
		return error;
	}
	if (old) {
		set_value(old, (const char *)(change + 1), length, app->revision, app->boot_ns,
			  config.subject);
		return 0;
	}
	set_value(&stage->value, (const char *)(change + 1), length, app->revision, app->boot_ns,
		  config.subject);
	error = bpf_map_update_elem(&kv, change->path, &stage->value, BPF_NOEXIST);
	if (!error) {
		control->n_keys++;
		back->action = KV_UNDO_REMOVE;
	}
	return error;
}

static long apply_change(__u32 i, void *data)
{
	struct application *app = data;
	struct kv_staging *stage = get_staging();
	struct kv_ctl *control = get_ctl();
	struct kv_undo *back = bpf_map_lookup_elem(&undo, &i);
	struct kv_change *change;

	app->error = -EINVAL;
	if (!stage || !control || !back)
		return 1;
	change = staged_change(stage, app->at);
	if (!change)
		return 1;
	app->error = apply_one(app, stage, change, control, back);
	if (app->error)
		return 1;
	app->n_applied = i + 1;
	app->at += KV_CHANGE_SIZE(change->length);
	return 0;
}

/* Take back, newest first: i counts from 0, the change is n_applied - 1 - i. */
static long undo_change(__u32 i, void *data)
{
	struct application *app = data;
	__u32 index = app->n_applied - 1 - i;
	struct kv_staging *stage = get_staging();
	struct kv_ctl *control = get_ctl();
	struct kv_undo *back = bpf_map_lookup_elem(&undo, &index);
	struct kv_change *change;
	struct kv_value *now;

	if (!stage || !control || !back)
		return 1;
	change = staged_change(stage, back->at);
	if (!change)
		return 1;
	if (back->action == KV_UNDO_REMOVE) {
		if (!bpf_map_delete_elem(&kv, change->path))
			control->n_keys--;
	} else if (back->action == KV_UNDO_RESTORE) {
		now = bpf_map_lookup_elem(&kv, change->path);
		if (now)
			set_value(now, back->value.text, back->value.length, back->value.revision,
				  back->value.boot_ns, back->value.subject);
		else if (!bpf_map_update_elem(&kv, change->path, &back->value, BPF_NOEXIST))
			control->n_keys++;
	}
	return 0;
}

/* Nothing was written after all. */
static __always_inline void return_share(struct kv_ctl *control, __u64 size)
{
	__u32 subject = config.subject;

	if (subject < KV_SUBJECTS_MAX)
		control->subject[subject].since -= size;
}

/*
 * The subject's share of unread event bytes. `before` holds what was written
 * up to `mark`; once the reader has passed it, `since` takes its place. So the
 * estimate is never below the truth and follows the reader. (The reader's
 * position is the watcher's to write; forging it can only shift these shares,
 * never lose an event: the reserve decides.)
 */
static __always_inline int take_share(struct kv_ctl *control, __u64 size)
{
	__u32 subject = config.subject;
	__u64 read, written;

	if (subject >= KV_SUBJECTS_MAX)
		return 0;
	read = bpf_ringbuf_query(&events, BPF_RB_CONS_POS);
	written = bpf_ringbuf_query(&events, BPF_RB_PROD_POS);
	if (read >= control->subject[subject].mark) {
		control->subject[subject].before = control->subject[subject].since;
		control->subject[subject].since = 0;
		control->subject[subject].mark = written;
		if (read == written)
			control->subject[subject].before = 0;
	}
	if (control->subject[subject].before + control->subject[subject].since + size >
	    KV_EVENTS_SIZE / (config.n_subjects ?: 1))
		return 0;
	control->subject[subject].since += size;
	return 1;
}

static __always_inline int commit_locked(struct kv_request *request, struct kv_staging *stage,
					 struct kv_ctl *control, __u64 now)
{
	struct application app = { .revision = control->revision + 1, .boot_ns = now };
	__u32 n_changes = request->n_changes, size = request->size;
	struct kv_event event = {
		.type = KV_RECORD_COMMIT,
		.size = size,
		.revision = app.revision,
		.boot_ns = now,
		.uid = (__u32)bpf_get_current_uid_gid(),
		.tgid = (__u32)(bpf_get_current_pid_tgid() >> 32),
		.subject = (__u16)config.subject,
		.verb = (__u16)request->verb,
		.n_changes = n_changes,
	};
	/* a record's header is 8 bytes; the changes are padded to 8 already */
	__u64 share = sizeof(event) + size + 8;
	struct bpf_dynptr record;
	__u32 subject = config.subject;

	if (size == 0 || size > KV_REQUEST_MAX || subject >= KV_SUBJECTS_MAX)
		return -EINVAL;
	if (!take_share(control, share))
		return -EAGAIN;
	if (bpf_ringbuf_reserve_dynptr(&events, sizeof(event) + size, 0, &record) ||
	    bpf_dynptr_write(&record, 0, &event, sizeof(event), 0) ||
	    bpf_dynptr_write(&record, sizeof(event), stage->request, size, 0)) {
		bpf_ringbuf_discard_dynptr(&record, 0);
		return_share(control, share);
		return -EAGAIN;
	}
	app.keep_undo = n_changes > 1;
	bpf_loop(n_changes, apply_change, &app, 0);
	if (!app.error && control->n_keys > control->max_keys)
		app.error = -ENOSPC;
	if (app.error) {
		request->i_refused = app.n_applied;
		bpf_loop(app.n_applied, undo_change, &app, 0);
		bpf_ringbuf_discard_dynptr(&record, 0);
		return_share(control, share);
		return (int)app.error;
	}
	control->revision = app.revision;
	control->n_commits++;
	control->subject[subject].n_accepted++;
	bpf_ringbuf_submit_dynptr(&record, 0);
	request->revision = app.revision;
	return 0;
}

static __always_inline int read_locked(struct kv_request *request, struct kv_staging *stage,
				       struct kv_ctl *control)
{
	struct kv_change *change = (struct kv_change *)stage->request;
	struct kv_value *value = bpf_map_lookup_elem(&kv, change->path);
	__u32 subject = config.subject;

	if (subject >= KV_SUBJECTS_MAX)
		return -EINVAL;
	control->subject[subject].n_reads++;
	if (!value)
		return -ENOENT;
	request->revision = value->revision;
	request->boot_ns = value->boot_ns;
	request->length = value->length;
	/* The context can be written at constant offsets only: copy whole. */
#pragma unroll
	for (int i = 0; i < KV_VALUE_SIZE / 8; i++)
		((__u64 *)request->text)[i] = ((__u64 *)value->text)[i];
	return 0;
}

/* --- refusals --- */

static __always_inline void record_denial(struct kv_request *request, struct kv_staging *stage,
					  struct kv_ctl *control, struct request_check *check,
					  int verdict, __u64 now)
{
	__u32 subject = config.subject;
	struct kv_denial *denial;
	struct kv_change *change;

	if (subject >= KV_SUBJECTS_MAX || verdict == -ENOENT)
		return; /* "absent" is an answer */
	control->subject[subject].n_refused++;
	/* busy and full are not attempts at something forbidden */
	if (verdict == -EBUSY || verdict == -EAGAIN)
		return;
	denial = take_rate(&stage->denial_ns, now, config.denial_interval_ns,
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
	denial->boot_ns = now;
	denial->uid = (__u32)bpf_get_current_uid_gid();
	denial->tgid = (__u32)(bpf_get_current_pid_tgid() >> 32);
	denial->subject = (__u16)subject;
	denial->verb = (__u16)request->verb;
	denial->suppressed = stage->suppressed;
	change = staged_change(stage, check->at);
	if (check->canonical && change)
		__builtin_memcpy(denial->path, change->path, sizeof(denial->path));
	else
		__builtin_memset(denial->path, 0, sizeof(denial->path));
	stage->suppressed = 0;
	bpf_ringbuf_submit(denial, 0);
}

static __always_inline int check_request(struct kv_request *request, struct kv_staging *stage,
					 struct request_check *check, __u64 now)
{
	__u32 n_changes = request->n_changes, size = request->size;

	if (!take_rate(&stage->rate_ns, now, config.rate_interval_ns, config.rate_burst_ns))
		return -EDQUOT;
	if (check->verb < KV_VERB_READ || check->verb > KV_VERB_COMMIT || n_changes < 1 ||
	    n_changes > KV_CHANGES_MAX || size < KV_CHANGE_SIZE(0) || size > KV_REQUEST_MAX)
		return -EINVAL;
	if (check->verb != KV_VERB_COMMIT && n_changes != 1)
		return -EINVAL;
	if (bpf_copy_from_user(stage->request, size, (const void *)request->request))
		return -EFAULT;
	bpf_loop(n_changes, check_change, check, 0);
	if (check->error)
		return (int)check->error;
	return check->at == size ? 0 : -EINVAL;
}

static __always_inline int serve(struct kv_request *request, struct kv_staging *stage,
				 struct kv_ctl *control)
{
	struct request_check check = { .verb = request->verb, .size = request->size };
	__u64 now = bpf_ktime_get_boot_ns();
	int error = check_request(request, stage, &check, now);

	if (!error) {
		/* Held over code that can neither fault nor sleep. */
		if (__sync_val_compare_and_swap(&control->lock, 0, config.subject + 1)) {
			error = -EBUSY;
		} else {
			error = check.verb == KV_VERB_READ ?
					read_locked(request, stage, control) :
					commit_locked(request, stage, control, now);
			__sync_lock_test_and_set(&control->lock, 0);
		}
	} else {
		request->i_refused = check.i_refused;
	}
	if (error)
		record_denial(request, stage, control, &check, error, now);
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
