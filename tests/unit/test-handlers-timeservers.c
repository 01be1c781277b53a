/* SPDX-License-Identifier: Apache-2.0 */
/* Which time servers get into a file. */
#include "tests/unit/support-providers.h"
#include "userspace/priv/handlers/timeservers.h"

static char text[TIMESERVERS_TEXT_SIZE];
static bool ends;

TestSuite(handlers_timeservers, .init = providers_setup, .fini = dns_teardown);

static int format_at(bool is_leased)
{
	context.error[0] = context.note[0] = '\0';
	return timeservers_format(&context, &wanted, is_leased, "server ", " iburst", text, &ends);
}

static int format(void)
{
	return format_at(true);
}

Test(handlers_timeservers, format)
{
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "");
	set_own("/ntp/002", "192.0.2.2");
	set_own("/ntp/001", "192.0.2.1");
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "server 192.0.2.1 iburst\nserver 192.0.2.2 iburst\n");
}

Test(handlers_timeservers, values_that_cannot_be)
{
	static const char *const wrong[] = { "0.0.0.0",
					     "127.0.0.1",
					     "224.0.1.1",
					     "::1",
					     "::",
					     "",
					     "192.0.2.1 key 1",
					     "192.0.2.1\nallow all",
					     "192.0.2.01",
					     "ff02::101",
					     "ntp.example.",
					     "ntp_1.example",
					     "::ffff:c000:201",
					     "fe80::1%eth0",
					     "ntp.example iburst" };

	set_own("/ntp/002", "192.0.2.2");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_own("/ntp/001", wrong[i]);
		cr_expect_eq(format(), -EBADMSG, "%s", wrong[i]);
		cr_expect_str_eq(text, "server 192.0.2.2 iburst\n", "%s", wrong[i]);
		cr_expect_not_null(strstr(context.error, "/ntp/001 is "));
	}
}

Test(handlers_timeservers, addresses_of_both_families_and_names)
{
	set_own("/ntp/001", "ntp.example");
	set("/ntp/dhcp6/001", "2001:db8::123");
	set("/ntp/dhcp6/002", "4a");
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "server ntp.example iburst\nserver 2001:db8::123 iburst\n"
			       "server 4a iburst\n");
}

Test(handlers_timeservers, link_local_is_left_out)
{
	set("/ntp/dhcp6/001", "fe80::1");
	set("/ntp/dhcp6/002", "2001:db8::123");
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "server 2001:db8::123 iburst\n");
	cr_expect_str_eq(context.note, "/ntp/dhcp6/001 is left out: fe80::1 is of one link only");
}

/* One that lies is outnumbered by two others. */
Test(handlers_timeservers, three_of_a_provider)
{
	char path[KV_PATH_SIZE], server[32];

	for (unsigned int i = 1; i <= 8; i++) {
		(void)snprintf(path, sizeof(path), "/ntp/%03u", i);
		(void)snprintf(server, sizeof(server), "192.0.2.%u", i);
		set_own(path, server);
		/* and its directory, which is no other provider's */
		(void)snprintf(path, sizeof(path), "/ntp/dhcp4/%03u", i);
		(void)snprintf(server, sizeof(server), "198.51.100.%u", i);
		set(path, server);
	}
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "server 192.0.2.1 iburst\nserver 192.0.2.2 iburst\n"
			       "server 192.0.2.3 iburst\n");
	set("/ntp/ra/001", "192.0.2.2");
	set("/ntp/ra/002", "NTP.example");
	set("/ntp/dhcp6/001", "ntp.example");
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "server 192.0.2.1 iburst\nserver ntp.example iburst\n"
			       "server 192.0.2.2 iburst\nserver 192.0.2.3 iburst\n");
}

Test(handlers_timeservers, eight_of_the_longest_fit)
{
	char path[KV_PATH_SIZE], name[KV_VALUE_SIZE];
	size_t length = 0;

	for (unsigned int i = 0; i < 12; i++) {
		(void)snprintf(path, sizeof(path), "/ntp/%s/%03u", options.providers[i / 4], i);
		(void)snprintf(name, sizeof(name), "%02u%s.%s.%s.%s", i,
			       "a23456789b123456789c123456789d123456789e123456789f123456789g1",
			       "a23456789b123456789c123456789d123456789e123456789f123456789g123",
			       "a23456789b123456789c123456789d123456789e123456789f123456789g123",
			       "a23456789b123456789c123456789d123456789e123456789f123456789g1");
		cr_assert_eq(strlen(name), VALUE_HOSTNAME_MAX);
		set(path, name);
		length = strlen(name) + strlen("server  iburst\n");
	}
	cr_expect_eq(format(), 0);
	cr_expect_eq(strlen(text), TIMESERVERS_MAX * length);
}

Test(handlers_timeservers, end_of_the_lease)
{
	set("/ntp/dhcp6/001", "2001:db8::123");
	cr_expect_eq(format(), 0);
	cr_expect_not(ends);
	set_own("/ntp/001", "2001:db8::123");
	cr_expect_eq(format(), 0);
	cr_expect_str_eq(text, "server 2001:db8::123 iburst\n");
	cr_expect(ends);
	set_own("/ntp/001", "192.0.2.1");
	cr_expect_eq(format_at(false), 0);
	cr_expect_str_eq(text, "server 2001:db8::123 iburst\n");
	cr_expect_not(ends);
}
