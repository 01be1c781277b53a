/* SPDX-License-Identifier: Apache-2.0 */
/* The effective configuration, loaded again, comes to the same. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support-shipped.h"

static char text[2][16384];

TestSuite(configuration_print, .init = shipped_setup, .fini = shipped_teardown);

static void print_loaded(const char *yaml, char to[static sizeof(text[0])])
{
	FILE *file;

	cr_assert_eq(shipped_load(yaml), 0, "%s: %s", yaml, capture_text());
	memset(to, 0, sizeof(text[0]));
	file = fmemopen(to, sizeof(text[0]), "w");
	configuration_print(&configuration, descriptions, 1, file);
	fclose(file);
}

Test(configuration_print, U32_loaded_again_is_the_same)
{
	static const char *const rows[] = {
		"",
		"metric: 5\ntable: 7\ncarrier: ignore\ncarrier_delay: 0\nmode: tc\nforeign: pass\n"
		"transactions_per_hour: 7\nrequest_max_size: 700\n",
		"quarantine: 30\nwait_interface: forever\nresolv_conf: /a/b\nchronyd_directory: /c\n",
		"wait_interface: 17\ndrift: repair\nwitness: warn\nsyslog: true\n",
		"audit_max_size: 0\naudit_files: 7\naudit_on_failure: lose\n",
		"drift: report\nuse: {dns: false, routes: false, mtu: false, hostname: true}\n",
		"routes: {max: 3, min_prefix_length: 1, allow_hiding: true}\n",
		"routes: {min_connected_prefix_length: 9}\n",
		"dns: {options: [], sortlist: 10.0.0.0, search: [a.example, b], supersede: []}\n",
		"dns: {prepend: [127.0.0.1, '::1'], append: 192.0.2.1, options: edns0 trust-ad}\n",
		"calves: {dhcp4: {grants: [dns, address], hostname: b}}\n",
		"calves: {dhcp4: {grants: []}}\nproviders: [dhcp4]\n",
		"calves: {dhcp4: {hostname: a, parameters: '42 43', send: {43: 'hex:', 124: "
		"'text:a\"b\\c'}}}\n",
		"ceilings: {memory: 134217728, pids: 65, cpu: 50, frame_burst: 201}\n",
		"calves: {dhcp4: {vendor_class: 'quoted \" and \\ '}}\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_loaded(rows[i], text[0]);
		print_loaded(text[0], text[1]);
		cr_expect_str_eq(text[0], text[1], "%s", rows[i]);
	}
}

/* The message about an unknown field lists them all: a new field is not forgotten. */
Test(configuration_print, U32_every_field)
{
	static const char all[] =
		"metric: 5\nwait_interface: 3\ndrift: repair\ndns: {append: '::1'}\n";
	char line[64], *known, *rest = NULL;
	unsigned int n = 0;

	print_loaded(all, text[0]);
	cr_assert_eq(shipped_load("unknown: 1\n"), -EINVAL);
	snprintf(text[1], sizeof(text[1]), "\n%s", capture_text());
	known = strstr(text[1], "known fields: ");
	cr_assert_not_null(known, "%s", text[1]);
	memmove(text[0] + 1, text[0], sizeof(text[0]) - 1);
	text[0][0] = '\n';
	for (char *name = strtok_r(known + strlen("known fields: "), ", \n", &rest); name;
	     name = strtok_r(NULL, ", \n", &rest)) {
		snprintf(line, sizeof(line), "\n%s:", name);
		cr_expect(strstr(text[0], line), "%s", name);
		n++;
	}
	cr_expect_geq(n, 17u);
}

/* What was set is there, and so are the defaults. */
Test(configuration_print, U32_is_complete)
{
	print_loaded("metric: 5\ncalves: {dhcp4: {send: {43: 'hex:0104', 124: 'text:a'}}}\n",
		     text[0]);
	cr_expect(strstr(text[0], "metric: 5\n"));
	cr_expect(strstr(text[0], "carrier_delay: 200\n"));
	cr_expect(strstr(text[0], "\n  ntp: true\n"));
	cr_expect(strstr(text[0], "\ncalves:\n  dhcp4:\n    client_id: \"mac\"\n"));
	cr_expect(strstr(text[0], "\n    send: {43: \"hex:0104\", 124: \"hex:61\"}\n"));
	print_loaded("ceilings: {pids: 65}\n", text[0]);
	cr_expect(strstr(text[0], "\nceilings:\n  memory: 67108864\n  pids: 65\n"));
	print_loaded("", text[0]);
	cr_expect_eq(strncmp(text[0], "# metric: 1000 and the index of the uplink\n", 43), 0);
}
