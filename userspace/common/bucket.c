/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/bucket.h"

#include "userspace/common/clock.h"

struct bucket bucket_full(uint32_t per_second, uint32_t burst)
{
	uint64_t unit_ns = (NS_PER_S + per_second - 1) / per_second;

	return (struct bucket){ .unit_ns = unit_ns, .burst_ns = burst * unit_ns };
}

bool bucket_take(struct bucket *bucket, uint64_t n_units, uint64_t now_ns)
{
	uint64_t from_ns = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;
	uint64_t full_ns = from_ns + n_units * bucket->unit_ns;

	if (full_ns - now_ns > bucket->burst_ns)
		return false;
	bucket->full_ns = full_ns;
	return true;
}
