/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "userspace/common/hash.h"

/* Vectors of draft-eastlake-fnv, appendix C. */
Test(common_hash, fnv_1a)
{
	cr_expect_eq(hash_text(HASH_START, ""), UINT64_C(0xcbf29ce484222325));
	cr_expect_eq(hash_text(HASH_START, "a"), UINT64_C(0xaf63dc4c8601ec8c));
	cr_expect_eq(hash_text(HASH_START, "foobar"), UINT64_C(0x85944171f73967e8));
	cr_expect_eq(hash_text(hash_text(HASH_START, "foo"), "bar"), UINT64_C(0x85944171f73967e8));
}
