/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What every part of the gate works on: its maps, its frozen configuration,
 * and the staged copy of the request.
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

/* What every step of a call works on. */
struct call {
	struct kv_staging *stage;
	struct kv_ctl *control;
};

/*
 * A global function: the verifier walks it once, wherever it is called from,
 * and knows nothing of what it returns. What it is given a pointer to is no
 * key of a map to Linux 6.1: a path must be copied.
 */
#define GLOBAL __attribute__((noinline))

/*
 * Read again from where it lies: for the verifier a number that may be
 * anything, so that what was compared with it before splits no state after.
 */
#define read_again(x) (*(volatile typeof(x) *)&(x))

/* The change at offset `at` of the staged request, or NULL. */
static __always_inline struct kv_change *staged_change(struct kv_staging *stage, __u64 at)
{
	opaque(at);
	if (at > KV_REQUEST_MAX)
		return NULL;
	return (struct kv_change *)(stage->request + at);
}

/* A request of the call; there are not more of them than check_request() let pass. */
static __always_inline struct kv_item *get_item(struct kv_staging *stage, __u64 i)
{
	__u64 index = i;

	opaque(index);
	return &stage->items[index & (KV_BATCH_MAX - 1)];
}

/* The value of a path in the store, or NULL. */
static __always_inline struct kv_value *find_value(const char *path)
{
	return bpf_map_lookup_elem(&kv, path);
}

#endif
