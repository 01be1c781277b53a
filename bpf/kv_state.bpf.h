/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shared by all parts of the gate: its maps, its frozen configuration, and the
 * staged copy of the request.
 */
#ifndef CALFPEN_BPF_KV_STATE_BPF_H
#define CALFPEN_BPF_KV_STATE_BPF_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kv_path.bpf.h"
#include "bpf/rate.bpf.h"
#include "maps/kv_gate_maps.bpf.h"

const volatile struct kv_gate_config config = {};

/* The state used by every step of a call. */
struct call {
	struct kv_staging *stage;
	struct kv_ctl *control;
};

/*
 * A global function: the verifier explores it once, wherever it is called, and
 * knows nothing about its result. Linux 6.1 does not accept a pointer argument
 * of it as the key of a map: a path must be copied.
 */
#define GLOBAL __attribute__((noinline))

/*
 * Read a value again from memory: for the verifier this is a number that may be
 * anything, so that earlier comparisons do not split the state after it.
 */
#define read_again(x) (*(volatile typeof(x) *)&(x))

/* Return the change at offset `at` of the staged request, or NULL. */
static __always_inline struct kv_change *staged_change(struct kv_staging *stage, __u64 at)
{
	opaque(at);
	if (at > KV_REQUEST_MAX)
		return NULL;
	return (struct kv_change *)(stage->request + at);
}

/* Return a request of the call; check_request() has limited their number. */
static __always_inline struct kv_item *get_item(struct kv_staging *stage, __u64 i)
{
	__u64 index = i;

	opaque(index);
	return &stage->items[index & (KV_BATCH_MAX - 1)];
}

/*
 * Charge the subject for bytes of the audit log. Unlike an event of a rate, they must
 * be saved up before: so no more than the burst is ever written at once. Returns 1, or
 * 0 if there are not enough.
 */
static __always_inline int take_bytes(struct kv_staging *stage, __u32 n_bytes)
{
	__u64 cost = n_bytes * config.audit_byte_ns;

	return cost <= config.audit_burst_ns &&
	       take_rate(&stage->audit_ns, stage->work.boot_ns, cost, config.audit_burst_ns - cost);
}

/* Return the value of a path in the store, or NULL. */
static __always_inline struct kv_value *find_value(const char *path)
{
	return bpf_map_lookup_elem(&kv, path);
}

#endif
