/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are no values, at the handlers: a gateway that lets them through must not matter.
 * Nothing of them is in a file, the key is named, and what is good beside them is used. That of
 * /hostname needs root: tests/bpf/test-handlers-providers.c.
 */
#include "tests/unit/support-providers.h"
#include "tests/unit/support-wrong-values.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/timeservers.h"

TestSuite(handlers_wrong_values, .init = providers_setup, .fini = dns_teardown);

static char text[DNS_TEXT_SIZE];

static int compose(void)
{
	static struct dns_settings settings;
	static struct dns_list list;
	bool ends;
	int r = dns_settings_init(&settings, &context, &wanted, true, &ends);

	memset(&list, 0, sizeof(list));
	dns_list_add(&list, &settings);
	(void)dns_list_format(&list, text);
	return r;
}

static int format_servers(void)
{
	bool ends;

	return timeservers_format(&context, &wanted, true, "", "", text, &ends);
}

static int apply_portal(void)
{
	int r = handler_portal.apply(&context, &wanted);

	cr_expect_geq(file_read(scratch_path("test/captive-portal"), text, sizeof(text)), 0);
	return r;
}

static void expect_refused(int (*run)(void), const char *path, const char *const texts[], size_t n,
			   const char *expected)
{
	char error[KV_PATH_SIZE + 16];

	cr_assert_geq(n, 40, "%s", path);
	(void)snprintf(error, sizeof(error), "%s is \"", path);
	for (size_t i = 0; i < n; i++) {
		context.error[0] = '\0';
		set(path, texts[i]);
		cr_expect_eq(run(), -EBADMSG, "%s \"%s\"", path, texts[i]);
		cr_expect_str_eq(text, expected, "%s \"%s\"", path, texts[i]);
		cr_expect_eq(strncmp(context.error, error, strlen(error)), 0, "%s", context.error);
		for (const char *at = context.error; *at; at++)
			cr_expect(*at >= ' ' && *at <= '~', "%s", context.error);
	}
	test_remove(&wanted, path);
}
#define EXPECT_REFUSED(_run, _path, _texts, _expected) \
	expect_refused(_run, _path, _texts, sizeof(_texts) / sizeof((_texts)[0]), _expected)

Test(handlers_wrong_values, ST_3_name_servers)
{
	set_own("/nameserver/001", "192.0.2.1");
	set("/nameserver/ra/002", "2001:db8::2");
	EXPECT_REFUSED(compose, "/nameserver/ra/001", wrong_ip,
		       HEADER "nameserver 192.0.2.1\nnameserver 2001:db8::2\n");
	EXPECT_REFUSED(compose, "/nameserver/ra/003", wrong_ip,
		       HEADER "nameserver 192.0.2.1\nnameserver 2001:db8::2\n");
}

Test(handlers_wrong_values, ST_3_search_lists)
{
	set("/search/dhcp6", "good.example");
	EXPECT_REFUSED(compose, "/search/ra", wrong_domain_list, HEADER "search good.example\n");
	EXPECT_REFUSED(compose, "/search/dhcp4", wrong_domain_list, HEADER "search good.example\n");
}

Test(handlers_wrong_values, ST_3_domains)
{
	set("/search/dhcp6", "good.example");
	EXPECT_REFUSED(compose, "/domain/ra", wrong_hostname, HEADER "search good.example\n");
}

Test(handlers_wrong_values, ST_3_time_servers)
{
	set("/ntp/ra/002", "ntp.example");
	set("/ntp/dhcp6/001", "2001:db8::123");
	EXPECT_REFUSED(format_servers, "/ntp/ra/001", wrong_host, "2001:db8::123\nntp.example\n");
}

Test(handlers_wrong_values, ST_3_portals)
{
	set("/captive-portal/ra", "https://good.example/");
	EXPECT_REFUSED(apply_portal, "/captive-portal/dhcp6", wrong_uri, "https://good.example/\n");
}
