/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The map that host_set writes, and the frame programs read. */
#ifndef CALFPEN_MAPS_FRAME_HOST_MAP_BPF_H
#define CALFPEN_MAPS_FRAME_HOST_MAP_BPF_H

#include "maps/frame.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_host);
} frame_host SEC(".maps");

#endif
