/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Maps of the gate. All exist once per instance except acl and staging, which
 * the loader creates for every gate; watch_ring is only the template of the
 * rings. All except the rings are frozen before a calf starts.
 */
#ifndef CALFPEN_MAPS_KV_GATE_MAPS_BPF_H
#define CALFPEN_MAPS_KV_GATE_MAPS_BPF_H

#include "maps/kv_ctl_map.bpf.h"
#include "maps/kv_store_maps.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KV_CHANGES_MAX);
	__type(key, __u32);
	__type(value, struct kv_undo);
} undo SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KV_CHANGES_MAX);
	__type(key, __u32);
	__type(value, struct kv_value);
} undo_values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KV_KEYS_MAX + KV_KEYS_SLACK);
	__type(key, __u32);
	__type(value, struct kv_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, KV_EVENTS_SIZE);
} events SEC(".maps");

/* The watching subjects, and how many records each has lost. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KV_SUBJECTS_MAX);
	__type(key, __u32);
	__type(value, struct kv_watch);
} watches SEC(".maps");

/* Path, directory or "/" -> one bit per subject that may watch it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KV_RULES_MAX * 4);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct kv_key);
	__type(value, __u64);
} watch_rights SEC(".maps");

struct watch_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, KV_WATCH_SIZE);
} watch_ring SEC(".maps");

/* One ring per subject that may watch anything. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KV_SUBJECTS_MAX);
	__type(key, __u32);
	__array(values, struct watch_ring);
} rings SEC(".maps");

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
