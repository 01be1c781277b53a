/* SPDX-License-Identifier: Apache-2.0 */
/* dhclient's leases and configuration. What is expected was observed with dhclient
 * 4.4.3. */
#include "tests/unit/migrate.h"

#define LEASE(_interface, _options)                                     \
	"lease {\n  interface \"" _interface "\";\n"                    \
	"  fixed-address 10.77.0.150;\n"                                \
	"  option subnet-mask 255.255.255.0;\n"                         \
	"  option domain-search \"lab.example.\", \"x}y;\";\n" _options \
	"  renew 1 2026/11/30 07:46:08;\n}\n"
#define DUID "default-duid \"\\000\\001\\000\\0012\\237\\346\\014\\002\\000\\000\\000w\\002\";\n"
#define NET " 10.77.0.150/24"

static const char *read_both(const char *lease, const char *configuration)
{
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCLIENT);
	const struct migrate_files files = { .lease = MIGRATE_TEXT(lease),
					     .duid = MIGRATE_TEXT(""),
					     .configuration = MIGRATE_TEXT(configuration) };

	return migrate_read_text(&request, &files);
}

/* Debian's dhclient.conf, abridged. */
static const char debian[] =
	"option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;\n"
	"send host-name = gethostname();\n"
	"request subnet-mask, broadcast-address,\n\trfc3442-classless-static-routes, ntp-servers;\n"
	"#send dhcp-client-identifier 1:0:a0:24:ab:fb:9c;\n"
	"#lease {\n#  interface \"uplink0\";\n#}\n";

Test(migrate_dhclient, U33_sends_no_id_by_default)
{
	cr_expect_str_eq(read_both(LEASE("uplink0", ""), debian), "none" NET);
	cr_expect_str_eq(read_both(LEASE("uplink0", ""), ""), "none" NET);
}

Test(migrate_dhclient, U33_duid_of_ifupdown)
{
	cr_expect_str_eq(read_both(DUID LEASE("uplink0", ""), debian), "id ff000077020001000132"
								       "9fe60c020000007702" NET);
	cr_expect_str_eq(read_both("default-duid 1;\n" LEASE("uplink0", ""), debian), "none" NET);
	cr_expect_str_eq(read_both("default-duid \"\";\n" LEASE("uplink0", ""), debian),
			 "unknown" NET);
}

Test(migrate_dhclient, U33_what_the_configuration_says)
{
	static const struct {
		const char *configuration, *expected;
	} rows[] = {
		{ "send dhcp-client-identifier 1:0:a0:24:ab:fb:9c;", "id 0100a024abfb9c" },
		{ "send dhcp-client-identifier \"hello\";", "id 68656c6c6f" },
		{ "send dhcp-client-identifier \"\\x00sd\\\"\\t\\n\\r\\b\"; # added by "
		  "NetworkManager\n",
		  "id 00736422090a0d08" },
		{ "send dhcp-client-identifier \"a\\x01\\002b\";", "id 61010262" },
		{ "send dhcp-client-identifier = hardware;", "id 01020000007702" },
		{ "send dhcp-client-identifier = \"txt\";", "id 747874" },
		{ "send dhcp-client-identifier = concat(01, \"x\");", "unknown" },
		{ "send dhcp-client-identifier 1;", "unknown" },
		{ "send dhcp-client-identifier 1:100;", "unknown" },
		{ "send dhcp-client-identifier 1:;", "unknown" },
		{ "send dhcp-client-identifier \"a\", \"b\";", "unknown" },
		{ "send dhcp-client-identifier", "unknown" },
		{ "send dhcp-client-identifier \"ab", "unknown" },
		{ "interface \"uplink0\" { send dhcp-client-identifier \"per-if\"; }\n"
		  "send dhcp-client-identifier \"all\";",
		  "id 7065722d6966" },
		{ "interface uplink0 { send host-name \"x\"; send dhcp-client-identifier 1:2; }",
		  "id 0102" },
		{ "interface \"other\" { send dhcp-client-identifier 1:2; }", "none" },
		{ "if option x = 1 { send dhcp-client-identifier 1:2; } else { send "
		  "dhcp-client-identifier 1:3; }",
		  "none" },
		{ "lease { send dhcp-client-identifier 1:2; }", "none" },
		{ "}}} send dhcp-client-identifier 1:2;", "id 0102" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "%s" NET, rows[i].expected);
		cr_expect_str_eq(read_both(LEASE("uplink0", ""), rows[i].configuration), expected,
				 "%s", rows[i].configuration);
	}
	cr_expect_str_eq(read_both(DUID LEASE("uplink0", ""), "send dhcp-client-identifier 1:2;"),
			 "id 0102" NET, "more than -i");
}

Test(migrate_dhclient, U33_what_the_server_echoes_was_sent)
{
#define ECHO LEASE("uplink0", "  option dhcp-client-identifier ff:0:0:77:2:0:1;\n")
	cr_expect_str_eq(read_both(DUID ECHO, "send dhcp-client-identifier 1:2;"),
			 "id ff000077020001" NET);
	cr_expect_str_eq(read_both(LEASE("uplink0", "option dhcp-client-identifier \"x}y\";"), ""),
			 "id 787d79" NET);
	cr_expect_str_eq(read_both(ECHO, "supersede dhcp-client-identifier \"sup\";"), "none" NET,
			 "the lease file has what dhclient.conf says");
	cr_expect_str_eq(read_both(ECHO, "default dhcp-client-identifier \"sup\";"), "none" NET);
	cr_expect_str_eq(read_both(ECHO, "supersede domain-name \"sup\";"),
			 "id ff000077020001" NET);
}

Test(migrate_dhclient, U33_last_lease_of_the_interface)
{
	cr_expect_str_eq(read_both(LEASE("uplink0", "option dhcp-client-identifier 1:1;") LEASE(
					   "uplink0", "option dhcp-client-identifier 1:2;")
					   LEASE("eth1", "option dhcp-client-identifier 1:3;"),
				   ""),
			 "id 0102" NET);
	cr_expect_str_eq(read_both(LEASE("eth1", "") LEASE("uplink01", ""), ""), "no lease");
	cr_expect_str_eq(read_both("lease6 { interface \"uplink0\"; ia-na 1 { x; } }", ""),
			 "no lease");
	cr_expect_str_eq(read_both("lease { interface \"uplink0\"; fixed-address 10.0.0.1; }", ""),
			 "none 10.0.0.1/32");
	cr_expect_str_eq(read_both("lease { interface \"uplink0\"; fixed-address 127.0.0.1; }", ""),
			 "none");
}

/* A lease counts if it is complete. */
Test(migrate_dhclient, U33_cut_file)
{
	static const char text[] = LEASE("uplink0", "");
	char copy[sizeof(text)];
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCLIENT);

	memcpy(copy, text, sizeof(copy));
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		const struct migrate_files files = { .lease = { copy, size },
						     .duid = { copy, size },
						     .configuration = { copy, size } };

		cr_expect_str_eq(migrate_read_text(&request, &files),
				 size < sizeof(text) - 2 ? "no lease" : "none" NET, "%zu", size);
	}
}

Test(migrate_dhclient, U33_bad_text)
{
	static char text[8192];
	char *at = text;

	cr_expect_str_eq(read_both(LEASE("uplink0", "option x \"\\\";"), ""), "no lease",
			 "a string without an end");
	memset(text, '{', 4000);
	cr_expect_str_eq(read_both(text, text), "no lease");
	memset(text, 'x', 4000);
	cr_expect_str_eq(read_both(text, text), "no lease");
	cr_expect_str_eq(read_both("}}}}; lease ; lease x {", ""), "no lease");
	cr_expect_str_eq(read_both(LEASE("uplink0", "option dhcp-client-identifier 1;"), ""),
			 "unknown" NET);
	at += sprintf(at, LEASE("uplink0", "") "lease { interface \"uplink0\"; fixed-address "
					       "10.77.0.150; option subnet-mask 255.255.255.0; "
					       "option dhcp-client-identifier ");
	for (size_t i = 0; i < 1000; i++)
		at += sprintf(at, "1:");
	sprintf(at, "1; }");
	cr_expect_str_eq(read_both(text, ""), "unknown" NET, "a thousand octets");
}
