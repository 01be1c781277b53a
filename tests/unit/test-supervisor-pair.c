/* SPDX-License-Identifier: Apache-2.0 */
/* The uids of a pair are its own, whatever other calves there are. */
#include <criterion/criterion.h>

#include "maps/kv.h"
#include "userspace/common/instance.h"
#include "userspace/priv/supervisor/pair.h"

#define BASE 1879048192u

Test(supervisor_pair, uids_by_subject_number)
{
	bool is_used[INSTANCE_UIDS] = { false };

	cr_expect_eq(pair_gateway_uid(BASE, KV_SUBJECT_CALF), BASE + 6);
	cr_expect_eq(pair_calf_uid(BASE, KV_SUBJECT_CALF), BASE + 7);
	for (uint32_t i = KV_SUBJECT_CALF; i < KV_SUBJECTS_MAX; i++) {
		const uint32_t uids[] = { pair_gateway_uid(BASE, i), pair_calf_uid(BASE, i) };

		for (int j = 0; j < 2; j++) {
			cr_assert(uids[j] > BASE && uids[j] < BASE + INSTANCE_UIDS, "%u", i);
			cr_expect(!is_used[uids[j] - BASE], "%u", i);
			is_used[uids[j] - BASE] = true;
		}
	}
}
