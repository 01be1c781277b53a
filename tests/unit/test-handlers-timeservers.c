/* SPDX-License-Identifier: Apache-2.0 */
/* Which time servers get into a file. */
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/timeservers.h"

static struct handler_context context;
static struct wanted wanted;
static char text[TIMESERVERS_TEXT_SIZE];

static void setup(void)
{
	cr_assert_eq(wanted_init(&wanted, 64), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_timeservers, .init = setup, .fini = teardown);

Test(handlers_timeservers, format)
{
	cr_expect_eq(timeservers_format(&context, &wanted, "server ", " iburst", text), 0);
	cr_expect_str_eq(text, "");
	test_set(&wanted, "/ntp/002", "192.0.2.2", 0);
	test_set(&wanted, "/ntp/001", "192.0.2.1", 0);
	cr_expect_eq(timeservers_format(&context, &wanted, "server ", " iburst", text), 0);
	cr_expect_str_eq(text, "server 192.0.2.1 iburst\nserver 192.0.2.2 iburst\n");
}

Test(handlers_timeservers, values_that_cannot_be)
{
	static const char *const wrong[] = {
		"0.0.0.0",   "127.0.0.1",   "224.0.1.1",       "::1",
		"",	     "ntp.example", "192.0.2.1 key 1", "192.0.2.1\nallow all",
		"192.0.2.01"
	};
	size_t i;

	test_set(&wanted, "/ntp/002", "192.0.2.2", 0);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		context.error[0] = '\0';
		test_set(&wanted, "/ntp/001", wrong[i], 0);
		cr_expect_eq(timeservers_format(&context, &wanted, "", "", text), -EBADMSG, "%s",
			     wrong[i]);
		cr_expect_str_eq(text, "192.0.2.2\n", "%s", wrong[i]);
	}
}

Test(handlers_timeservers, eight_of_the_longest_fit)
{
	char path[32];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "/ntp/%03u", i);
		test_set(&wanted, path, "198.151.100.200", 0);
	}
	cr_expect_eq(timeservers_format(&context, &wanted, "server ", " iburst", text), 0);
	cr_expect_eq(strlen(text), TIMESERVERS_MAX * strlen("server 198.151.100.200 iburst\n"));
}
