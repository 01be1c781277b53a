/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Checking the staged request: canonical paths, rights, sizes, value bytes.
 * Nothing here looks at the store, and no lock is held.
 */
#ifndef CALFPEN_BPF_KV_CHECK_BPF_H
#define CALFPEN_BPF_KV_CHECK_BPF_H

#include "bpf/kv_state.bpf.h"

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

/* By exact path, else by its directory "/dir/", else by "/": a macro, since
 * the map must be known where the helper is called. */
#define LOOK_UP_BY_PATH(map, path_, directory_, found)                      \
	do {                                                                \
		found = bpf_map_lookup_elem(&(map), path_);                 \
		if (!found) {                                               \
			struct kv_key key_ __attribute__((aligned(8)));     \
                                                                            \
			path_directory(path_, directory_, &key_);           \
			found = bpf_map_lookup_elem(&(map), &key_);         \
			if (!found) {                                       \
				__builtin_memset(&key_, 0, sizeof(key_));   \
				key_.path[0] = '/';                         \
				found = bpf_map_lookup_elem(&(map), &key_); \
			}                                                   \
		}                                                           \
	} while (0)

/* The right that a change needs, or 0 if verb and operation do not fit. */
static __always_inline __u32 needed_access(__u32 verb, __u32 operation, __u32 length)
{
	if (verb == KV_VERB_READ && !operation && !length)
		return KV_ACCESS_READ;
	if ((verb == KV_VERB_WRITE || verb == KV_VERB_COMMIT) && operation == KV_CHANGE_WRITE)
		return KV_ACCESS_WRITE;
	if ((verb == KV_VERB_DELETE || verb == KV_VERB_COMMIT) && operation == KV_CHANGE_DELETE &&
	    !length)
		return KV_ACCESS_DELETE;
	return 0;
}

/* "/", alone or as a whole key of NULs behind it. */
static __always_inline int is_root(const struct kv_change *change)
{
	const __u64 *words = (const __u64 *)change->path;
	__u64 rest = 0;

#pragma unroll
	for (int i = 1; i < KV_PATH_SIZE / 8; i++)
		rest |= words[i];
	return change->path[0] == '/' && !rest && words[0] == (__u64)(__u8)change->path[0];
}

static __always_inline int check_one(struct kv_work *work, struct kv_change *change)
{
	struct path_facts facts = path_inspect(change->path);
	__u32 length, operation, needed, canonical = (__u32)facts.canonical;
	const struct kv_rule *rule;

	/* No branch before this line: the verifier walks what is above it once
	 * per state, and the compiler would like to compare early. */
	asm volatile("" : "+r"(canonical) : : "memory");
	length = change->length;
	operation = change->operation;
	work->canonical = 0;
	if (length > KV_VALUE_MAX)
		return -EMSGSIZE;
	if (work->at + KV_CHANGE_SIZE(length) > work->size || change->noted)
		return -EINVAL;
	if (work->verb == KV_VERB_LIST && !operation && !length && is_root(change))
		return 0;
	if (!canonical)
		return -EILSEQ;
	work->canonical = 1;
	/* The request's copy is ours: whoever comes later need not look again. */
	change->noted = KV_NOTE(facts.directory, facts.length);
	needed = needed_access(work->verb, operation, length);
	if (!needed)
		return work->verb == KV_VERB_LIST && !operation && !length ? 0 : -EINVAL;
	LOOK_UP_BY_PATH(acl, change->path, facts.directory, rule);
	if (!rule || !(rule->access & needed))
		return -EACCES;
	if (needed == KV_ACCESS_WRITE)
		return check_value(work->at, length, rule);
	return 0;
}

static long check_change(__u32 i, void *data)
{
	struct kv_staging *stage = get_staging();
	struct kv_change *change;

	(void)data;
	if (!stage)
		return 1;
	stage->work.error = -EINVAL;
	change = staged_change(stage, stage->work.at);
	if (!change)
		return 1;
	stage->work.i_refused = i;
	stage->work.error = check_one(&stage->work, change);
	/* Every way through check_one() meets here in one state. */
	if (read_again(stage->work.error))
		return 1; /* `at` stays: the denial shows this path */
	stage->work.at += KV_CHANGE_SIZE(change->length);
	return 0;
}

/* Rate, envelope, the copy, and every change of it. */
static __always_inline int check_request(struct kv_request *request, struct kv_staging *stage)
{
	struct kv_work *work = &stage->work;
	__u32 n_changes = request->n_changes, size = request->size, verb = request->verb;
	__u64 now = bpf_ktime_get_boot_ns();

	work->at = 0;
	work->boot_ns = now;
	work->condition = request->revision;
	work->verb = verb;
	work->size = size;
	work->n_changes = n_changes;
	work->i_refused = 0;
	work->canonical = 0;
	if (!take_rate(&stage->rate_ns, now, config.rate_interval_ns, config.rate_burst_ns))
		return -EDQUOT;
	if (verb == KV_VERB_WATCH || verb == KV_VERB_RESTORE)
		return n_changes || size ? -EINVAL : 0;
	if (verb < KV_VERB_READ || verb > KV_VERB_RESTORE || n_changes < 1 ||
	    n_changes > KV_CHANGES_MAX || size < KV_CHANGE_SIZE(0) || size > KV_REQUEST_MAX)
		return -EINVAL;
	if (verb != KV_VERB_COMMIT && n_changes != 1)
		return -EINVAL;
	if (bpf_copy_from_user(stage->request, size, (const void *)request->request))
		return -EFAULT;
	bpf_loop(read_again(work->n_changes), check_change, NULL, 0);
	if (work->error)
		return work->error;
	return work->at == work->size ? 0 : -EINVAL;
}

#endif
