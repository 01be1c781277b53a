/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "userspace/common/backoff.h"

Test(common_backoff, doubles_up_to_the_limit)
{
	static const uint32_t seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };

	for (uint32_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		cr_expect_eq(backoff_ns(i + 1, BACKOFF_MIN_NS, BACKOFF_MAX_NS),
			     seconds[i] * NS_PER_S);
	cr_expect_eq(backoff_ns(1000000, BACKOFF_MIN_NS, BACKOFF_MAX_NS), 60 * NS_PER_S);
	cr_expect_eq(backoff_ns(UINT32_MAX, BACKOFF_MIN_NS, BACKOFF_MAX_NS), 60 * NS_PER_S);
}

Test(common_backoff, other_limits)
{
	cr_expect_eq(backoff_ns(1, 100, 1000), 100);
	cr_expect_eq(backoff_ns(4, 100, 1000), 800);
	cr_expect_eq(backoff_ns(5, 100, 1000), 1000);
	cr_expect_eq(backoff_ns(1, 1000, 100), 100, "never above the limit");
	/* no overflow on the way up */
	cr_expect_eq(backoff_ns(100, UINT64_MAX / 2 + 2, UINT64_MAX), UINT64_MAX);
	cr_expect_eq(backoff_ns(UINT32_MAX, 1, UINT64_MAX), UINT64_MAX);
}
