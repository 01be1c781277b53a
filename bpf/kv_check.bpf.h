/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Checking the staged request: canonical paths, rights, sizes, value bytes.
 * Nothing here reads the store, and no lock is held.
 */
#ifndef CALFPEN_BPF_KV_CHECK_BPF_H
#define CALFPEN_BPF_KV_CHECK_BPF_H

#include "bpf/kv_state.bpf.h"

/* A word of the text; `meant` has the top bit of each byte that counts. */
static __always_inline void check_bytes(struct kv_value_bits *bits, __u64 word, __u64 meant)
{
	__u64 digits = bytes_within(word, '0', '9');

	meant &= TOPS;
	bits->not_text |= (~bytes_within(word, 0x20, 0x7e) | word) & meant;
	bits->not_uint |= (~digits | word) & meant;
	bits->not_hex |= (~(digits | bytes_within(word, 'a', 'f')) | word) & meant;
}

static __always_inline const __u64 *staged_word(struct kv_staging *stage, __u64 at)
{
	opaque(at);
	if (at > KV_REQUEST_MAX + KV_CHANGE_SIZE(KV_VALUE_MAX) - 8)
		return NULL;
	return (const __u64 *)(stage->request + at);
}

static long check_word(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	const __u64 *word = staged_word(stage, stage->work.at + KV_CHANGE_HEADER + (__u64)i * 8);

	if (!word)
		return 1;
	check_bytes(&stage->work.value, *word, TOPS);
	return 0;
}

/* Check the value's bytes: `length` of the rule's class. `last` is the word that
 * contains the first NUL, `meant` selects the bytes before it. */
static __always_inline int check_value(struct call *call, __u32 length, __u64 last, __u64 meant,
				       const struct kv_rule *rule)
{
	struct kv_value_bits *bits = &call->stage->work.value;

	if (length > rule->max_length)
		return -EMSGSIZE;
	*bits = (struct kv_value_bits){ 0 };
	bpf_loop(length / 8, check_word, call, 0);
	check_bytes(bits, last, meant);
	if (bits->not_text)
		return -EBADMSG;
	if (rule->class == KV_CLASS_HEX && (bits->not_hex || length % 2))
		return -EBADMSG;
	if (rule->class == KV_CLASS_UINT && (bits->not_uint || length < 1 || length > 10))
		return -EBADMSG;
	return 0;
}

static const struct kv_key root = { "/" };

/* Look up by exact path, else by its directory "/dir/", else by "/". A macro,
 * since the map must be known where the helper is called. */
#define LOOK_UP_BY_PATH(map, path_, directory_, found)                      \
	do {                                                                \
		found = bpf_map_lookup_elem(&(map), path_);                 \
		if (!found) {                                               \
			struct kv_key key_ __attribute__((aligned(8)));     \
                                                                            \
			path_directory(path_, directory_, &key_);           \
			found = bpf_map_lookup_elem(&(map), &key_);         \
			if (!found)                                         \
				found = bpf_map_lookup_elem(&(map), &root); \
		}                                                           \
	} while (0)

/* Get the rule of a path; no access bit is set if there is none. */
GLOBAL __u64 find_rule(const struct kv_key *path, __u64 directory)
{
	const struct kv_rule *found;
	struct kv_key key;
	__u64 rule;

	if (!path)
		return 0;
	path_copy(key.path, path->path);
	LOOK_UP_BY_PATH(acl, key.path, directory, found);
	if (!found)
		return 0;
	__builtin_memcpy(&rule, found, sizeof(rule));
	return rule;
}

static __always_inline struct kv_rule rule_of(const char *path, __u32 noted)
{
	__u64 found = find_rule((const struct kv_key *)path, KV_NOTE_DIRECTORY(noted));
	struct kv_rule rule;

	__builtin_memcpy(&rule, &found, sizeof(rule));
	return rule;
}

/* The right that a change needs, by verb and operation: KV_ACCESS_*, or one of
 * these. */
#define NEEDS_DIRECTORY 0x40 /* a path to list, or "/" */
#define NEEDS_NOTHING 0x80

static const __u8 needed_access[16 * 4] = {
	[KV_VERB_READ * 4] = KV_ACCESS_READ,
	[KV_VERB_WRITE * 4 + KV_CHANGE_WRITE] = KV_ACCESS_WRITE,
	[KV_VERB_DELETE * 4 + KV_CHANGE_DELETE] = KV_ACCESS_DELETE,
	[KV_VERB_COMMIT * 4 + KV_CHANGE_WRITE] = KV_ACCESS_WRITE,
	[KV_VERB_COMMIT * 4 + KV_CHANGE_DELETE] = KV_ACCESS_DELETE,
	[KV_VERB_LIST * 4] = NEEDS_DIRECTORY,
	[KV_VERB_DENIAL * 4] = NEEDS_NOTHING,
};

/* Check what is needed to find the next change behind this one. */
static __always_inline int check_envelope(const struct kv_work *work,
					  const struct kv_change *change)
{
	if (change->length > KV_VALUE_MAX)
		return -EMSGSIZE;
	if (work->at + KV_CHANGE_SIZE(change->length) > work->size || change->noted)
		return -EINVAL;
	return 0;
}

static __always_inline int check_one(struct call *call, struct kv_change *change, __u32 canonical,
				     __u32 is_root)
{
	__u32 operation = change->operation, length, needed, excess;
	struct kv_work *work = &call->stage->work;
	struct kv_rule rule;
	const __u64 *last;
	__u64 meant;

	work->canonical = canonical;
	work->needed = operation < 4 ? needed_access[(work->verb * 4 + operation) & 63] : 0;
	/* all paths join here */
	needed = read_again(work->needed);
	length = change->length;
	/* not 0: a text where there must be none; a product has one state,
	 * "and" two */
	excess = length * (needed ^ KV_ACCESS_WRITE);
	opaque(excess);
	if (!needed || excess)
		return -EINVAL;
	/* Of every request: a byte behind the text is nobody's, and records are
	 * copies. */
	last = staged_word(call->stage, work->at + KV_CHANGE_HEADER + (length & ~7u));
	meant = *masks_of(length & 7);
	if (!last || *last & ~meant)
		return -EBADMSG;
	if (needed == NEEDS_NOTHING)
		return 0;
	if (needed == NEEDS_DIRECTORY)
		return canonical || is_root ? 0 : -EILSEQ;
	if (!canonical)
		return -EILSEQ;
	rule = rule_of(change->path, change->noted);
	if (!(rule.access & needed))
		return -EACCES;
	/* The copy of the request says so from here on; its deletions are as any other. */
	change->operation |=
		KV_CHANGE_SECRET * (!!(rule.access & KV_ACCESS_SECRET) & (needed | needed >> 1));
	if (needed == KV_ACCESS_WRITE)
		return check_value(call, length, *last, meant, &rule);
	return 0;
}

/* Check the header of a batch's next request, before its change, and charge the
 * rate; that of the first request is already charged. */
static __always_inline int begin_item(struct kv_staging *stage, __u32 i)
{
	struct kv_work *work = &stage->work;
	const struct kv_batched *header =
		(const struct kv_batched *)staged_change(stage, work->at - sizeof(*header));
	struct kv_item *item = get_item(stage, i);

	if (!header || header->verb < KV_VERB_READ || header->verb > KV_VERB_DELETE ||
	    header->reserved)
		return -EINVAL;
	work->verb = header->verb;
	item->at = (__u32)work->at;
	item->verb = work->verb;
	item->verdict = 0;
	if (!i)
		return 0;
	item->rate_ns = stage->rate_ns;
	if (!take_rate(&stage->rate_ns, work->boot_ns, config.rate_interval_ns,
		       config.rate_burst_ns))
		item->verdict = -EDQUOT;
	return 0;
}

/* A failed check is the result of this request only, not of the batch. */
static __always_inline void end_item(struct kv_staging *stage)
{
	struct kv_work *work = &stage->work;
	struct kv_item *item = get_item(stage, read_again(work->i_refused));

	item->canonical = work->canonical;
	if (!item->verdict)
		item->verdict = work->error;
	work->error = 0;
}

static long inspect_word(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	const __u64 *word = staged_word(stage, stage->work.at + (__u64)i * 8);

	if (!word)
		return 1;
	return (long)path_inspect_word(&stage->work.path, *word, i);
}

/* What the change takes in the record, and in the audit log. A secret has no text there,
 * but there is a text that says so. All of it in numbers: branches are states. */
static __always_inline void count_change(struct kv_work *work, const struct kv_change *change)
{
	__u32 length = change->length;
	__u32 is_secret = (__u32)is_zero(change->operation ^ KV_CHANGE_SECRET);

	opaque(is_secret);
	work->n_secrets += is_secret;
	length *= 1 - is_secret;
	work->record_size += KV_CHANGE_SIZE(length);
	length += is_secret * KV_SECRET_LENGTH;
	work->audit_bytes += KV_AUDIT_COST(KV_NOTE_LENGTH(change->noted), length);
}

static long check_change(__u32 i, void *data)
{
	struct kv_staging *stage = ((struct call *)data)->stage;
	struct path_facts facts;
	struct kv_change *change;
	__u32 canonical, is_root, noted;
	__u64 n_words;

	stage->work.error = -EINVAL;
	stage->work.i_refused = i;
	stage->work.canonical = 0;
	stage->work.at += stage->work.header;
	change = staged_change(stage, stage->work.at);
	if (!change)
		return 1;
	stage->work.path = (struct kv_path_bits){ 0 };
	n_words = (__u64)bpf_loop(KV_PATH_SIZE / 8, inspect_word, data, 0);
	facts = path_conclude(&stage->work.path, change->path, n_words);
	canonical = (__u32)facts.canonical;
	is_root = (__u32)facts.root;
	noted = KV_NOTE(facts.directory, facts.length) & -canonical;
	/* No branch before this line: the verifier explores the code above once
	 * per state, and the compiler would like to compare early. */
	asm volatile("" : "+r"(canonical), "+r"(is_root), "+r"(noted) : : "memory");
	stage->work.error = check_envelope(&stage->work, change);
	if (!stage->work.error && stage->work.is_batch)
		stage->work.error = begin_item(stage, i);
	if (read_again(stage->work.error))
		return 1;
	/* The copy of the request belongs to the gate, so later steps can rely
	 * on this. */
	change->noted = noted;
	stage->work.error = check_one(data, change, canonical, is_root);
	if (stage->work.is_batch)
		end_item(stage);
	/* All paths through check_one() join here in one state. */
	if (read_again(stage->work.error))
		return 1; /* keep `at`: the denial shows this path */
	count_change(&stage->work, change);
	stage->work.at += KV_CHANGE_SIZE(change->length);
	return 0;
}

/* Return how many changes the verb may have. */
static __always_inline __u32 max_changes(__u32 verb)
{
	if (verb == KV_VERB_COMMIT)
		return KV_CHANGES_MAX;
	return verb == KV_VERB_BATCH ? KV_BATCH_MAX : 1;
}

/* Check the rate and the envelope, copy the request, and check every change. If it
 * is refused, `at` is the offset of the change that is to blame, and `canonical`
 * whether its path was found to be canonical. */
static __always_inline int check_request(struct kv_request *request, struct call *call)
{
	struct kv_staging *stage = call->stage;
	struct kv_work *work = &stage->work;
	__u32 n_changes = request->n_changes, size = request->size, verb = request->verb;
	__u32 is_batch = (__u32)is_zero(verb ^ KV_VERB_BATCH);
	__u64 now = bpf_ktime_get_boot_ns();

	opaque(is_batch); /* a number, not a branch: one state after it */
	work->at = 0;
	work->base = 0;
	work->boot_ns = now;
	work->condition = request->revision;
	work->uid = (__u32)bpf_get_current_uid_gid();
	work->tgid = (__u32)(bpf_get_current_pid_tgid() >> 32);
	work->verb = verb;
	work->size = size;
	work->n_changes = n_changes;
	work->i_refused = 0;
	work->canonical = 0;
	work->is_batch = is_batch;
	work->header = is_batch * sizeof(struct kv_batched);
	work->n_items = (n_changes - 1) * is_batch + 1;
	work->n_served = 0;
	work->n_refused = 0;
	work->used = 0;
	work->slot = request->cursor;
	work->asked = request->length;
	work->revision = 0;
	work->answer_boot_ns = 0;
	work->answer_length = 0;
	work->answer_cursor = 0;
	work->audit_bytes = 0;
	work->record_size = 0;
	work->n_secrets = 0;
	stage->items[0].rate_ns = stage->rate_ns;
	if (!take_rate(&stage->rate_ns, now, config.rate_interval_ns, config.rate_burst_ns))
		return -EDQUOT;
	if (verb == KV_VERB_WATCH || verb == KV_VERB_RESTORE)
		return n_changes || size ? -EINVAL : 0;
	if (verb < KV_VERB_READ || verb > KV_VERB_DENIAL || n_changes < 1 ||
	    n_changes > max_changes(verb) || size < KV_CHANGE_SIZE(0))
		return -EINVAL;
	/* Checked in the register that is used: the verifier of Linux 6.1 forgets the
	 * bounds of a 32-bit value that the compiler spills to the stack. */
	opaque(size);
	if (size > KV_REQUEST_MAX)
		return -EINVAL;
	if (bpf_copy_from_user(stage->request, size, (const void *)request->request))
		return -EFAULT;
	bpf_loop(read_again(work->n_changes), check_change, call, 0);
	if (work->error)
		return work->error;
	if (work->at == work->size) {
		work->at = 0;
		return 0;
	}
	work->canonical = 0; /* `at` is behind what was checked: no record may show it */
	return -EINVAL;
}

#endif
