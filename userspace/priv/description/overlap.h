/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calves of an instance beside each other, used by the supervisor and by
 * `calfpen check` when all descriptions are loaded and nothing on the host is changed
 * yet. Each description has been checked alone.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_OVERLAP_H
#define CALFPEN_PRIV_DESCRIPTION_OVERLAP_H

#include <stdint.h>

#include "userspace/priv/description/description.h"

/*
 * Refuse two calves that have the same name, that may write or delete the same key, or
 * whose frame rules match the same frames. Reading and watching a key is no overlap, but a
 * directory in which another calf may write requires "of: any". Refuse more keys, persistent
 * keys or requests than a store has room for, and rights to them, and more calves with frame
 * rules than the filter has numbers for. If no calf may write a key or directory of any, or
 * has the option or request, a line on stderr says so. Returns 0, or -EINVAL after one line
 * on stderr, "FILE:LINE: reason", which also has file and line of the other calf.
 */
int overlap_check(const struct description *descriptions, uint32_t n_descriptions);

#endif
