/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rate limit: a bucket that is filled all the time, at so many units a second, up to a
 * burst. The unit is what is limited: lines, bytes. Zeroed it has no limit.
 */
#ifndef CALFPEN_COMMON_BUCKET_H
#define CALFPEN_COMMON_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t unit_ns;  /* time in which it gains one unit */
	uint64_t burst_ns; /* time in which it is filled */
	uint64_t full_ns;  /* when it will be full */
};

/* Return a full bucket. `per_second` is not 0. */
struct bucket bucket_full(uint32_t per_second, uint32_t burst);
/* Take so many units (less than 2^32) at this time, of any clock that does not go back.
 * Returns false, and takes nothing, if there are not as many. */
bool bucket_take(struct bucket *bucket, uint64_t n_units, uint64_t now_ns);

#endif
