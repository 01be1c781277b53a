/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "userspace/common/bucket.h"

#define S 1000000000ull

/* How many units there are to take, one at a time, in these nanoseconds. */
static uint64_t take_all(struct bucket *bucket, uint64_t from_ns, uint64_t to_ns, uint64_t step_ns)
{
	uint64_t n = 0;

	for (uint64_t now_ns = from_ns; now_ns < to_ns; now_ns += step_ns)
		while (bucket_take(bucket, 1, now_ns))
			n++;
	return n;
}

Test(bucket, burst_then_rate)
{
	struct bucket bucket = bucket_full(10, 5);

	cr_expect_eq(take_all(&bucket, 100 * S, 100 * S + 1, 1), 5);
	cr_expect_eq(take_all(&bucket, 100 * S + 1, 110 * S, S / 100), 99);
	/* what was saved up is never more than the burst */
	cr_expect_eq(take_all(&bucket, 1000 * S, 1000 * S + 1, 1), 5);
}

Test(bucket, all_or_nothing)
{
	struct bucket bucket = bucket_full(1, 10);

	cr_expect_not(bucket_take(&bucket, 11, 7 * S));
	cr_expect(bucket_take(&bucket, 10, 7 * S));
	cr_expect_not(bucket_take(&bucket, 1, 8 * S - 1));
	cr_expect_not(bucket_take(&bucket, 3, 9 * S));
	cr_expect(bucket_take(&bucket, 2, 9 * S));
}

Test(bucket, zeroed)
{
	struct bucket bucket = { 0 };

	for (int i = 0; i < 1000; i++)
		cr_expect(bucket_take(&bucket, UINT32_MAX, S));
}

/* A rate that does not divide a second is never exceeded. */
Test(bucket, rounding)
{
	static const uint32_t rates[] = { 3, 512, 999983, 1000000, 3000000, UINT32_MAX };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bucket bucket = bucket_full(rates[i], 1);
		uint64_t n = 0;

		for (uint64_t now_ns = 0; now_ns < S / 100; now_ns += 50)
			n += bucket_take(&bucket, 1, now_ns);
		cr_expect_leq(n, 1 + rates[i] / 100, "%u: %lu", rates[i], n);
	}
}
