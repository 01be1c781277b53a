/* SPDX-License-Identifier: Apache-2.0 */
/* The file with the URI of the captive portal. */
#include "tests/unit/support-providers.h"
#include "userspace/priv/handlers/file.h"

TestSuite(handlers_portal, .init = providers_setup, .fini = dns_teardown);

static int apply(void)
{
	context.error[0] = context.note[0] = '\0';
	return handler_portal.apply(&context, &wanted);
}

static const char *content(void)
{
	static char bytes[KV_VALUE_SIZE + 1];
	int n = file_read(scratch_path("test/captive-portal"), bytes, sizeof(bytes));

	return n < 0 ? NULL : bytes;
}

Test(handlers_portal, first_provider)
{
	cr_expect_eq(apply(), 0);
	cr_expect_null(content());
	set("/captive-portal/ra", "https://ra.example/api");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(), "https://ra.example/api\n");
	cr_expect_str_eq(context.note, "");
	set("/captive-portal/dhcp6", "https://ra.example/api");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(context.note, "", "they agree");
	set_own("/captive-portal", "HTTP://192.0.2.1/");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(), "HTTP://192.0.2.1/\n");
	cr_expect_str_eq(context.note,
			 "/captive-portal is HTTP://192.0.2.1/, but /captive-portal/dhcp6 is "
			 "https://ra.example/api; the first one counts");
	test_remove(&wanted, "/captive-portal");
	test_remove(&wanted, "/captive-portal/dhcp6");
	test_remove(&wanted, "/captive-portal/ra");
	set("/captive-portal/gone", "https://gone.example/");
	cr_expect_eq(apply(), 0);
	cr_expect_null(content());
}

Test(handlers_portal, end_of_the_lease)
{
	set_own("/lease/time", "10");
	set_own("/captive-portal", "https://lease.example/");
	set("/captive-portal/ra", "https://ra.example/");
	context.now_ns = 9 * S;
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(), "https://lease.example/\n");
	context.now_ns = 10 * S;
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(), "https://ra.example/\n");
	context.now_ns = 1000 * S;
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(), "https://ra.example/\n");
}

/* A browser does more than requests with some of them. */
Test(handlers_portal, other_schemes)
{
	static const char *const wrong[] = { "file:///etc/shadow",
					     "javascript:alert(1)",
					     "ftp://example.org/",
					     "urn:ietf:params:capport:unrestricted",
					     "http:/x",
					     "https:x",
					     "httpss://x" };

	set("/captive-portal/ra", "https://ra.example/");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set("/captive-portal/dhcp6", wrong[i]);
		cr_expect_eq(apply(), -EBADMSG, "%s", wrong[i]);
		cr_expect_str_eq(content(), "https://ra.example/\n");
		cr_expect_not_null(strstr(context.error, "/captive-portal/dhcp6 is "));
	}
}

Test(handlers_portal, longest)
{
	char uri[KV_VALUE_SIZE] = "https://ra.example/";

	memset(uri + strlen(uri), 'x', KV_VALUE_MAX - strlen(uri));
	set("/captive-portal/ra", uri);
	set("/captive-portal/dhcp6", "https://dhcp6.example/");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(), "https://dhcp6.example/\n");
	cr_expect_not_null(strstr(context.note, "/captive-portal/ra is https://ra.example/xxx"));
	cr_expect_not_null(strstr(context.note, "; the first one counts"));
	test_remove(&wanted, "/captive-portal/dhcp6");
	cr_expect_eq(apply(), 0);
	cr_expect_eq(strlen(content()), KV_VALUE_MAX + 1);
}

/* Of an instance whose watcher is dead; others end never. */
Test(handlers_portal, of_another_instance)
{
	cr_assert_eq(mkdir(scratch_path("dead"), 0711), 0);
	scratch_write_text("dead/captive-portal", "https://dead.example/\n", 0644);
	scratch_write_text("dead/captive-portal.until", "5000000000 0 0\n", 0644);
	context.now_ns = 4 * S;
	cr_expect_eq(apply(), 0);
	cr_expect_eq(access(scratch_path("dead/captive-portal"), F_OK), 0);
	context.now_ns = 5 * S;
	cr_expect_eq(apply(), 0);
	cr_expect_neq(access(scratch_path("dead/captive-portal"), F_OK), 0);
}
