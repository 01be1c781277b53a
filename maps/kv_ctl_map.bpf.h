/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The state of the store besides its keys, frozen as soon as it is created. */
#ifndef CALFPEN_MAPS_KV_CTL_MAP_BPF_H
#define CALFPEN_MAPS_KV_CTL_MAP_BPF_H

#include "maps/kv.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kv_ctl);
} ctl SEC(".maps");

#endif
