/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Maps of the gate. kv, ctl, undo and the two rings exist once for an instance; acl
 * and staging once per gate, so the loader makes them for every gate anew.
 * All but the rings are frozen before a calf starts.
 */
#ifndef CALFPEN_MAPS_KV_GATE_MAPS_BPF_H
#define CALFPEN_MAPS_KV_GATE_MAPS_BPF_H

#include "maps/kv_store_maps.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kv_ctl);
} ctl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KV_CHANGES_MAX);
	__type(key, __u32);
	__type(value, struct kv_undo);
} undo SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, KV_EVENTS_SIZE);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, KV_DENIALS_SIZE);
} denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KV_RULES_MAX);
	__type(key, struct kv_key);
	__type(value, struct kv_rule);
} acl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kv_staging);
} staging SEC(".maps");

#endif
