/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys /link/macs/001, 002, ...: the MACs of this host's links, in text with
 * a space between two of them, each MAC once and in no particular order. The
 * watcher writes them, from the kernel's list of links; a calf that watches
 * /link recognises other interfaces of the host by them.
 */
#ifndef CALFPEN_COMMON_LINK_MACS_H
#define CALFPEN_COMMON_LINK_MACS_H

#include "maps/kv.h"

#define LINK_MACS_DIRECTORY "/link/macs"
#define LINK_MACS_TEXT 17 /* strlen("02:00:00:00:77:02") */
#define LINK_MACS_KEYS 16
/* As many as a value holds. */
#define LINK_MACS_PER_KEY ((KV_VALUE_MAX + 1) / (LINK_MACS_TEXT + 1))
#define LINK_MACS_MAX (LINK_MACS_KEYS * LINK_MACS_PER_KEY)

#endif
