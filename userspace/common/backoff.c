/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/backoff.h"

uint64_t backoff_ns(uint32_t n_failures, uint64_t min_ns, uint64_t max_ns)
{
	uint64_t wait_ns = min_ns;

	/* Not a shift: it would overflow before it is compared. */
	for (uint32_t i = 1; i < n_failures && wait_ns < max_ns; i++)
		wait_ns = wait_ns < max_ns / 2 ? wait_ns * 2 : max_ns;
	return wait_ns < max_ns ? wait_ns : max_ns;
}
