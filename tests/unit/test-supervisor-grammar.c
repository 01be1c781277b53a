/* SPDX-License-Identifier: Apache-2.0 */
/* What the filter is told that the calf may say. */
#include <criterion/criterion.h>
#include <string.h>

#include "userspace/priv/supervisor/supervisor-private.h"

static struct supervisor supervisor;
static struct description description;
static struct frame_grammar grammar;

static void setup(void)
{
	cr_assert_eq(description_load("build/lib/calfpen/calves/dhcp4", &description), 0);
	supervisor.configuration.transactions_per_hour = 120;
	supervisor.configuration.request_max_size = 600;
}

TestSuite(supervisor_grammar, .init = setup);

static void set(const char *name, const char *value)
{
	cr_assert_eq(
		configuration_set_option(&supervisor.configuration, "dhcp4", name, value, true), 0);
}

Test(supervisor_grammar, F5_options)
{
	uint32_t n = 0;

	supervisor_make_grammar(&supervisor, &description, &grammar);
	for (size_t i = 0; i < sizeof(grammar.codes); i++)
		n += grammar.codes[i] == FRAME_CODE_SENT;
	cr_expect_eq(n, 12);
	cr_expect(grammar.codes[53] && grammar.codes[61] && !grammar.codes[82] &&
		  !grammar.codes[0]);
	set("send", "43:0102 93:0007");
	supervisor_make_grammar(&supervisor, &description, &grammar);
	cr_expect(grammar.codes[43] && grammar.codes[93] && !grammar.codes[94]);
}

Test(supervisor_grammar, F5_transactions)
{
	supervisor_make_grammar(&supervisor, &description, &grammar);
	cr_expect_eq(grammar.transaction_interval_ns, 30000000000ull);
	cr_expect_eq(grammar.transaction_burst_ns, 59 * 30000000000ull);
}

Test(supervisor_grammar, F5_size)
{
	supervisor_make_grammar(&supervisor, &description, &grammar);
	cr_expect_eq(grammar.max_size, 572);
}
