/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Maps of the frame programs. All except the devmap are frozen after the rules are
 * stored; the kernel empties a slot of it when the tap is deleted. The large ones are
 * made as small as the number of calves allows (priv/frames/frames.c).
 */
#ifndef CALFPEN_MAPS_FRAME_MAPS_BPF_H
#define CALFPEN_MAPS_FRAME_MAPS_BPF_H

#include "maps/frame.h"
#include "maps/frame_host_map.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_RULES_N);
	__type(key, __u32);
	__type(value, struct frame_rule);
} frame_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_RULES_N);
	__type(key, __u32);
	__type(value, struct frame_bucket);
} frame_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_CALVES_MAX *FRAME_XIDS_MAX);
	__type(key, __u32);
	__type(value, struct frame_xid);
} frame_xids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_CALVES_MAX);
	__type(key, __u32);
	__type(value, struct frame_peers);
} frame_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_CALVES_MAX);
	__type(key, __u32);
	__type(value, struct frame_watched);
} frame_watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_quarantine);
} frame_quarantine SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_reply);
} frame_reply SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_CALVES_MAX *FRAME_REPLIES_KEPT);
	__type(key, __u32);
	__type(value, struct frame_reply);
} frame_replies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_witness);
} frame_witness SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_CALVES_MAX);
	__type(key, __u32);
	__type(value, struct frame_identity);
} frame_identity SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_message);
} frame_message SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FRAME_OWNERS_MAX *_FRAME_REASON_N);
	__type(key, __u32);
	__type(value, struct frame_counter);
} frame_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_SAMPLED_N);
	__type(key, __u32);
	__type(value, struct frame_sampler);
} frame_samplers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAME_SAMPLES_N);
	__type(key, __u32);
	__type(value, struct frame_sample);
} frame_samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, FRAME_CALVES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} frame_slot SEC(".maps");

#endif
