/* SPDX-License-Identifier: Apache-2.0 */
/* dhcpcd's lease file, DUID and configuration. What is expected was observed with
 * dhcpcd 9.4.1. */
#include "tests/unit/migrate.h"

#define DUID "00:01:00:01:32:9f:e6:02:02:00:00:00:77:02\n"
#define NETMASK "\x01\x04\xff\xff\xff\x00"

/* Read an ACK with these options, and this configuration. */
static const char *read_with(const struct migrate_request *request, const char *options,
			     size_t size, const char *duid, const char *configuration)
{
	static uint8_t ack[ACK_SIZE_MAX];
	const struct migrate_files files = {
		.lease = { (const char *)ack, migrate_ack(ack, options, size) },
		.duid = MIGRATE_TEXT(duid),
		.configuration = MIGRATE_TEXT(configuration),
	};

	return migrate_read_text(request, &files);
}

static const char *configured(const char *configuration)
{
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCPCD);

	return read_with(&request, NETMASK, sizeof(NETMASK) - 1, DUID, configuration);
}

#define ECHOED(_options) read_with(&request, (_options), sizeof(_options) - 1, DUID, "duid\n")
#define NET " 10.77.0.150/24"
#define DUID_ID                   \
	"id ff000077020001000132" \
	"9fe602020000007702"

Test(migrate_dhcpcd, U33_duid_is_debians_default)
{
	cr_expect_str_eq(configured("# comment\n\n\tduid\npersistent\nvendorclassid\n"),
			 DUID_ID NET);
	cr_expect_str_eq(configured("duid"), DUID_ID NET, "no newline at the end");
	cr_expect_str_eq(configured("duid uuid\n"), DUID_ID NET, "only a hint for a new one");
}

Test(migrate_dhcpcd, U33_what_the_configuration_says)
{
	static const struct {
		const char *configuration, *expected;
	} rows[] = {
		{ "", "none" },
		{ "clientid\n", "id 01020000007702" },
		{ "clientid \"\"\n", "id 01020000007702" },
		{ "clientid \"foo bar\"\n", "id 00666f6f20626172" },
		{ "clientid foo\r\n", "id 00666f6f" },
		{ "clientid 01:02:03:04\n", "id 01020304" },
		{ "clientid 01:02:03:0\n", "id 0030313a30323a30333a30" },
		{ "clientid a\\x01b\n", "unknown" },
		{ "duid\ninterface uplink0\niaid 7\n", "id ff000000070001000132"
						       "9fe602020000007702" },
		{ "duid\ninterface uplink0\niaid abc\n", "id ff616263000001000132"
							 "9fe602020000007702" },
		{ "duid\ninterface uplink0\niaid 0x7\n", "unknown" },
		{ "clientid\ninterface uplink0\niaid 0x7\n", "id 01020000007702" },
		{ "duid\ninterface uplink0\niaid abcde\n", "unknown" },
		{ "clientid\nduid 00:01:02:03:04\n", "id ff000077020001020304" },
		{ "duid\nclientid\n", "id 01020000007702" },
		{ "clientid aa:bb\nduid\n", "id aabb" },
		{ "duid\nclientid aa:bb\n", "id aabb" },
		{ "clientid aa:bb\nclientid\n", "id 01020000007702" },
		{ "duid\nanonymous\n", "id 01020000007702" },
		{ "interface other0\nduid\n", "none" },
		{ "interface other0\nduid\ninterface uplink0\n", "none" },
		{ "interface uplink0\nclientid aa:bb:cc\nssid foo\nclientid aa:dd\n", "id aabbcc" },
		{ "interface uplink0\nclientid aa:bb:cc\nprofile foo\nclientid aa:dd\n",
		  "id aabbcc" },
		{ ";duid\n#clientid\nclientidx\n", "none" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "%s" NET, rows[i].expected);
		cr_expect_str_eq(configured(rows[i].configuration), expected, "%s",
				 rows[i].configuration);
	}
}

Test(migrate_dhcpcd, U33_vlan_is_the_iaid)
{
	struct migrate_request request = migrate_request_of(MIGRATE_DHCPCD);

	request.vlan = 100;
	cr_expect_str_eq(read_with(&request, "", 0, "00:03:00:01:02:00:00:00:77:02\n", "duid\n"),
			 "id ffff00006400030001020000007702 10.77.0.150/32");
}

Test(migrate_dhcpcd, U33_what_the_server_echoes_was_sent)
{
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCPCD);

	cr_expect_str_eq(ECHOED("\x3d\x03\x01\x02\x03" NETMASK), "id 010203" NET);
	cr_expect_str_eq(ECHOED("\0\0\x3d\x02\xaa\xbb"), "id aabb 10.77.0.150/32");
	cr_expect_str_eq(ECHOED("\x3d\x01\x01"), "unknown 10.77.0.150/32", "too short");
	cr_expect_str_eq(ECHOED("\x3d\x00"), "unknown 10.77.0.150/32");
	cr_expect_str_eq(ECHOED("\x3d\x02\xaa\xbb\x3d\x02\xaa\xbc"), "damaged");
	cr_expect_str_eq(ECHOED("\x3d\x09\xaa\xbb"), "damaged", "beyond the end");
}

Test(migrate_dhcpcd, U33_id_that_no_client_has)
{
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCPCD);
	uint8_t options[2 + 255] = { 61 };
	size_t size;

	for (size = MIGRATE_ID_MAX; size <= MIGRATE_ID_MAX + 1; size++) {
		options[1] = (uint8_t)size;
		cr_expect(strncmp(read_with(&request, (char *)options, size + 2, DUID, ""),
				  size > MIGRATE_ID_MAX ? "unknown" : "id", 2) == 0);
	}
}

Test(migrate_dhcpcd, U33_bad_duid)
{
	static const char *const duids[] = { "",	  "\n",		  "00\n",
					     "00:01\n",	  "00:01:0g\n",	  "00:01::02\n",
					     "00:01:2\n", "0001000132\n", "00:01:02 00:03\n" };
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCPCD);
	char much[3 * 200];

	for (size_t i = 0; i < sizeof(duids) / sizeof(duids[0]); i++)
		cr_expect_str_eq(read_with(&request, "", 0, duids[i], "duid\n"),
				 "unknown 10.77.0.150/32", "%s", duids[i]);
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = "00:"[i % 3];
	much[3 * 131 - 1] = '\0';
	cr_expect_str_eq(read_with(&request, "", 0, much, "duid\n"), "unknown 10.77.0.150/32");
	much[3 * 130 - 1] = '\0';
	cr_expect_eq(read_with(&request, "", 0, much, "duid\n")[0], 'i', "the longest");
}

Test(migrate_dhcpcd, U33_no_lease_of_this_interface)
{
	uint8_t ack[ACK_SIZE_MAX];
	struct migrate_files files = { .lease = { (const char *)ack, migrate_ack(ack, "", 0) },
				       .duid = MIGRATE_TEXT(DUID),
				       .configuration = MIGRATE_TEXT("duid\n") };
	const struct migrate_request request = migrate_request_of(MIGRATE_DHCPCD);

	ack[28 + 5]++;
	cr_expect_str_eq(migrate_read_text(&request, &files), "no lease", "another card");
	ack[28 + 5]--;
	ack[16] = 127;
	cr_expect_eq(strchr(migrate_read_text(&request, &files), '/'), NULL, "not a host's");
	for (size_t size = 0; size < ACK_OPTIONS; size++) {
		files.lease.size = size;
		cr_expect_str_eq(migrate_read_text(&request, &files), "damaged");
	}
	files.lease.size = ACK_OPTIONS + 4;
	for (size_t i = 0; i < 3; i++) { /* op, htype, hlen */
		ack[i] ^= 8;
		cr_expect_str_eq(migrate_read_text(&request, &files), "damaged");
		ack[i] ^= 8;
	}
	ack[ACK_OPTIONS - 1]++;
	cr_expect_str_eq(migrate_read_text(&request, &files), "damaged", "cookie");
}
