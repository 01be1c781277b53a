/* SPDX-License-Identifier: Apache-2.0 */
/* A short run of the oracle that `make fuzz` runs for longer. */
#include <criterion/criterion.h>

#include "tests/fuzz/oracle.h"

Test(interop_oracle, reference_accepts_what_we_accept)
{
	if (system("capnp --version > /dev/null 2>&1") != 0)
		cr_skip_test("capnp is not installed");
	cr_assert_gt(oracle_run(1, time(NULL) + 3), 2 * BATCH - 1);
}
