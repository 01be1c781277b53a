/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The store itself. It is frozen as soon as it is created: programs write it;
 * user space, root included, can only read it. The gate writes; tap_ingress
 * looks up /ip.
 */
#ifndef CALFPEN_MAPS_KV_STORE_MAPS_BPF_H
#define CALFPEN_MAPS_KV_STORE_MAPS_BPF_H

#include "maps/kv.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KV_KEYS_MAX + KV_KEYS_SLACK);
	__type(key, struct kv_key);
	__type(value, struct kv_value);
} kv SEC(".maps");

#endif
