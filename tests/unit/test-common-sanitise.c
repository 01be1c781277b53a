/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "userspace/common/sanitise.h"

Test(common_sanitise, printable_and_terminated)
{
	char to[4];

	cr_assert_eq(sanitise(to, sizeof(to), "a\tbc", 4), 3);
	cr_assert_str_eq(to, "a?b");
	cr_assert_eq(sanitise(to, sizeof(to), NULL, 0), 0);
	cr_assert_str_eq(to, "");
	cr_assert_eq(sanitise(to, 1, "a", 1), 0);
	cr_assert_eq(sanitise(to, 0, "a", 1), 0);
}
