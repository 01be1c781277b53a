/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/settings.h"

static struct settings_values values;
static struct client_config config;
static const char *wanted, *wrong;

static void setup(void)
{
	settings_values_init(&values);
	wanted = wrong = NULL;
	memcpy(values.mac, support_mac, 6);
}

TestSuite(values, .init = setup);

static int take(const char *path, const char *text)
{
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++)
		if (strcmp(settings_path(i), path) == 0)
			return settings_values_take(&values, i, text, &wanted);
	cr_assert(false, "no key %s", path);
	return 0;
}

static int finish(void)
{
	return settings_values_finish(&values, 12345, &config, &wrong);
}

/* A whole configuration of this one value. */
static void with(const char *path, const char *text)
{
	setup();
	cr_assert_eq(take(path, text), 0, "%s: %s", path, text);
	cr_assert_eq(finish(), 0, "%s: %s", path, text);
}

static void assert_client_id(const void *bytes, size_t size)
{
	cr_assert_eq(config.sender.client_id_size, size);
	cr_assert_eq(memcmp(config.sender.client_id, bytes, size), 0);
}

Test(values, defaults)
{
	static const struct message_policy policy;
	struct client_config expected = { .start_delay_ms = 2,
					  .first_retransmission_ms = 4000,
					  .retransmission_max_ms = 64000,
					  .fallback_lease_s = 3600 };

	message_sender_init(&expected.sender, support_mac, &policy);
	cr_assert_eq(finish(), 0);
	cr_assert_eq(memcmp(&config, &expected, sizeof(config)), 0);
	cr_assert_eq(memcmp(&values.policy, &policy, sizeof(policy)), 0);
}

/* Each value reaches its field, and only that: the switches of the quirks. */
Test(values, Q10_Q14_Q30_Q42_Q43_switches)
{
	static const struct {
		const char *path;
		size_t at; /* in struct settings_values */
		bool value_of_1;
	} rows[] = {
#define AT(_field) offsetof(struct settings_values, _field)
		{ "/config/dhcp4/broadcast", AT(config.broadcast), true },
		{ "/config/dhcp4/rapid_commit", AT(config.no_rapid_commit), false },
		{ "/config/dhcp4/link_local", AT(config.accept_link_local), true },
		{ "/config/dhcp4/defend", AT(config.defend_always), true },
		{ "/config/dhcp4/release_at_stop", AT(config.release_at_stop), true },
		{ "/config/dhcp4/anonymous", AT(anonymous), true },
		{ "/config/dhcp4/use_hostname", AT(policy.use_host_name), true },
		{ "/config/dhcp4/ipv6_mostly", AT(policy.ipv6_mostly), true },
		{ "/config/dhcp4/classless", AT(policy.ignore_classless), false },
		{ "/config/dhcp4/microsoft_classless", AT(policy.ignore_microsoft_classless),
		  false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const bool *flag = (const bool *)((const char *)&values + rows[i].at);

		setup();
		cr_assert_eq(take(rows[i].path, "1"), 0);
		cr_assert_eq(*flag, rows[i].value_of_1, "%s", rows[i].path);
		cr_assert_eq(take(rows[i].path, "0"), 0);
		cr_assert_eq(*flag, !rows[i].value_of_1, "%s", rows[i].path);
		cr_assert_eq(take(rows[i].path, "2"), -EINVAL);
		cr_assert_eq(take(rows[i].path, ""), -EINVAL);
		cr_assert_str_eq(wanted, "0 or 1");
	}
}

Test(values, V4_06_numbers)
{
	static const struct {
		const char *path;
		size_t at;
		const char *min, *max, *below, *above;
	} rows[] = {
		{ "/config/dhcp4/start_delay", AT(config.start_delay_ms), "0", "10000", "-1",
		  "10001" },
		{ "/config/dhcp4/first_retransmission", AT(config.first_retransmission_ms), "1000",
		  "5000", "999", "5001" },
		{ "/config/dhcp4/retransmission_max", AT(config.retransmission_max_ms), "5000",
		  "64000", "4999", "64001" },
		{ "/config/dhcp4/fallback_lease", AT(config.fallback_lease_s), "30", "4294967294",
		  "29", "4294967295" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t *number = (const uint32_t *)((const char *)&values + rows[i].at);

		cr_assert_eq(take(rows[i].path, rows[i].min), 0);
		cr_assert_eq(*number, strtoul(rows[i].min, NULL, 10));
		cr_assert_eq(take(rows[i].path, rows[i].max), 0);
		cr_assert_eq(*number, strtoul(rows[i].max, NULL, 10));
		cr_assert_eq(take(rows[i].path, rows[i].below), -EINVAL);
		cr_assert_eq(take(rows[i].path, rows[i].above), -EINVAL);
		cr_assert_eq(*number, strtoul(rows[i].max, NULL, 10), "untouched");
	}
}

Test(values, Q44_least_mtu)
{
	with("/config/dhcp4/mtu_min", "1280");
	cr_assert_eq(values.policy.mtu_min, 1280);
	cr_assert_eq(take("/config/dhcp4/mtu_min", "575"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/mtu_min", "65536"), -EINVAL);
}

Test(values, Q06_Q07_V4_50_client_identifiers)
{
	with("/config/dhcp4/client_id", "mac");
	assert_client_id("\1\2\0\0\0\x77\2", 7);
	with("/config/dhcp4/client_id", "none");
	cr_assert_eq(config.sender.client_id_size, 0);
	with("/config/dhcp4/client_id", "0001ff");
	assert_client_id("\0\1\xff", 3);
	/* RFC 4361: 255, IAID, DUID-LL */
	with("/config/dhcp4/client_id", "duid");
	assert_client_id("\xff\0\0\x77\2\0\3\0\1\2\0\0\0\x77\2", 15);
	cr_assert_eq(take("/config/dhcp4/iaid", "1"), 0);
	cr_assert_eq(take("/config/dhcp4/duid", "00040102"), 0);
	cr_assert_eq(finish(), 0);
	assert_client_id("\xff\0\0\0\1\0\4\1\2", 9);
	/* not used in another mode */
	cr_assert_eq(take("/config/dhcp4/client_id", "mac"), 0);
	cr_assert_eq(finish(), 0);
	assert_client_id("\1\2\0\0\0\x77\2", 7);
}

Test(values, client_identifiers_of_every_length)
{
	char hex[2 * 257 + 1] = "";

	for (size_t size = 0; size <= 256; size++) {
		bool is_good = size >= 2 && size <= 255;

		setup();
		cr_assert_eq(take("/config/dhcp4/client_id", hex), is_good ? 0 : -EINVAL, "%zu",
			     size);
		memcpy(hex + 2 * size, "ab", 3);
	}
	hex[0] = '\0';
	for (size_t size = 0; size <= 131; size++) {
		bool is_good = size >= 3 && size <= 130;

		setup();
		cr_assert_eq(take("/config/dhcp4/duid", hex), is_good ? 0 : -EINVAL, "%zu", size);
		memcpy(hex + 2 * size, "cd", 3);
	}
	cr_assert_eq(take("/config/dhcp4/client_id", "abc"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/client_id", "MAC"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/duid", "00 01 02"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/iaid", "4294967296"), -EINVAL);
}

/* Class of 0, 1, 254..256 octets, as it would come from the configuration. */
Test(values, C4_19_user_classes_of_every_length)
{
	char text[258] = "";

	for (size_t size = 0; size <= 256; size++) {
		setup();
		cr_assert_eq(take("/config/dhcp4/user_class", text), size <= 255 ? 0 : -EINVAL,
			     "%zu", size);
		cr_assert_eq(take("/config/dhcp4/vendor_class", text), size <= 255 ? 0 : -EINVAL,
			     "%zu", size);
		memcpy(text + size, "x", 2);
	}
}

Test(values, Q11_names)
{
	with("/config/dhcp4/hostname", "calf.example.org");
	cr_assert_str_eq(config.sender.host_name, "calf");
	with("/config/dhcp4/fqdn", "calf.example.org");
	cr_assert_str_eq(config.sender.fqdn, "calf.example.org");
	cr_assert_eq(take("/config/dhcp4/fqdn", "calf"), -EINVAL, "partial");
	cr_assert_str_eq(wanted, "a host name with its domain");
	cr_assert_eq(take("/config/dhcp4/hostname", "a b"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/hostname", ""), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/hostname", "-a"), -EINVAL);
}

/* The kernel's name, whatever the order of the keys. */
Test(values, U49_names_of_the_host)
{
	char longest[HOST_NAME_SIZE + 1];

	with("/config/dhcp4/hostname", "host");
	cr_assert_str_eq(config.sender.host_name, "", "not known");
	cr_assert_eq(take("/host/name", "web1.example.org"), 0);
	cr_assert_eq(finish(), 0);
	cr_assert_str_eq(config.sender.host_name, "web1");
	cr_assert_str_eq(config.sender.fqdn, "");
	cr_assert_eq(take("/config/dhcp4/fqdn", "host"), 0);
	cr_assert_eq(finish(), 0);
	cr_assert_str_eq(config.sender.fqdn, "web1.example.org");
	with("/config/dhcp4/fqdn", "host");
	cr_assert_eq(take("/host/name", "web1"), 0);
	cr_assert_eq(finish(), 0);
	cr_assert_str_eq(config.sender.fqdn, "", "partial");
	cr_assert_str_eq(config.sender.host_name, "", "not asked for");
	with("/host/name", "web1");
	cr_assert_str_eq(config.sender.host_name, "", "not asked for");
	with("/config/dhcp4/hostname", "host.example.org");
	cr_assert_str_eq(config.sender.host_name, "host", "a name that begins like the word");
	memset(longest, 'a', sizeof(longest));
	longest[30] = '.';
	longest[HOST_NAME_SIZE - 1] = '\0';
	cr_assert_eq(take("/host/name", longest), 0);
	longest[HOST_NAME_SIZE - 1] = 'a';
	longest[HOST_NAME_SIZE] = '\0';
	cr_assert_eq(take("/host/name", longest), -EINVAL);
	cr_assert_eq(take("/host/name", "a_b"), -EINVAL);
}

/* A name that comes later must fit, too. */
Test(values, U49_room_for_the_longest_name)
{
	char send[600];
	size_t n_names = 0, n_host = 0, n_fqdn = 0;

	for (size_t n = 100; n < 250; n++) {
		int size = snprintf(send, sizeof(send), "43:");

		memset(send + size, 'a', 2 * n);
		send[(size_t)size + 2 * n] = '\0';
		setup();
		cr_assert_eq(
			take("/config/dhcp4/vendor_class", "this one makes the message longer"), 0);
		cr_assert_eq(take("/config/dhcp4/send", send), 0);
		n_names += finish() == 0;
		cr_assert_eq(take("/config/dhcp4/hostname", "host"), 0);
		n_host += finish() == 0;
		cr_assert_eq(take("/config/dhcp4/fqdn", "host"), 0);
		n_fqdn += finish() == 0;
	}
	cr_assert_eq(n_names - n_host, 2 + 63);
	cr_assert_eq(n_names - n_fqdn, 2 + 3 + 64 + 2);
}

Test(values, U49_options_by_code)
{
	char text[KV_VALUE_SIZE] = "43:";

	with("/config/dhcp4/send", "43:0104deadbeef 118:c0000200 224:");
	cr_assert_eq(config.sender.extra_size, 8 + 6 + 2);
	cr_assert_eq(memcmp(config.sender.extra, "\x2b\6\1\4\xde\xad\xbe\xef\x76\4\xc0\0\2\0\xe0",
			    16),
		     0);
	cr_assert_eq(take("/config/dhcp4/send", "12:78"), -EINVAL, "use hostname");
	cr_assert(strstr(wanted, "CODE:HEX"));
	cr_assert_eq(take("/config/dhcp4/send", "43:00 53:01"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/send", "43"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/send", "43:0"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/send", "44:00 43:00"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/send", "256:00"), -EINVAL);
	/* together with the rest it must fit */
	memset(text + 3, 'a', 2 * 255);
	setup();
	cr_assert_eq(take("/config/dhcp4/send", text), 0);
	cr_assert_eq(finish(), 0);
	cr_assert_eq(take("/config/dhcp4/vendor_class", "a text"), 0);
	cr_assert_eq(take("/config/dhcp4/hostname", "host"), 0);
	cr_assert_eq(finish(), -EINVAL);
	cr_assert(strstr(wrong, "send"));
}

Test(values, Q08_V4_60_parameters)
{
	static const uint8_t list[] = { 121, 249, 1,   3,   33,	 6,   15, 119,
					26,  42,  114, 162, 245, 252, 6 };

	with("/config/dhcp4/parameters", "245 252 6 245");
	cr_assert_eq(values.policy.n_options, 3);
	cr_assert_eq(config.sender.n_parameters, 14, "6 is asked for anyway");
	cr_assert_eq(memcmp(config.sender.parameters, list, 14), 0);
	for (unsigned int code = 0; code < 256; code++) {
		bool is_good = code >= 1 && code <= 254 && !(code >= 50 && code <= 59) &&
			       code != 61 && code != 80 && code != 108;
		char text[8];

		snprintf(text, sizeof(text), "%u", code);
		cr_assert_eq(take("/config/dhcp4/parameters", text), is_good ? 0 : -EINVAL, "%u",
			     code);
	}
	cr_assert_eq(take("/config/dhcp4/parameters", "1  2"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/parameters", "1,2"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/parameters", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), 0);
	cr_assert_eq(take("/config/dhcp4/parameters", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"),
		     -EINVAL);
}

Test(values, servers)
{
	cr_assert_eq(take("/config/dhcp4/servers_allow", "192.0.2.1 192.0.2.2"), 0);
	cr_assert_eq(take("/config/dhcp4/servers_deny", "1.1.1.1 2.1.1.1 3.1.1.1 4.1.1.1 5.1.1.1 "
							"6.1.1.1 7.1.1.1 255.255.255.255"),
		     0);
	cr_assert_eq(finish(), 0);
	cr_assert_eq(config.n_allowed, 2);
	cr_assert_eq(config.allowed[1].s_addr, inet_addr("192.0.2.2"));
	cr_assert_eq(config.n_denied, 8);
	cr_assert_eq(config.denied[7].s_addr, INADDR_BROADCAST);
	cr_assert_eq(take("/config/dhcp4/servers_deny", "1.1.1.1 2.1.1.1 3.1.1.1 4.1.1.1 5.1.1.1 "
							"6.1.1.1 7.1.1.1 8.1.1.1 9.1.1.1"),
		     -EINVAL);
	cr_assert_eq(take("/config/dhcp4/servers_deny", "1.1.1"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/servers_deny", "100.100.100.1000"), -EINVAL);
}

Test(values, conflict)
{
	with("/config/dhcp4/conflict", "parallel");
	cr_assert_eq(config.conflict, CLIENT_CONFLICT_PARALLEL);
	with("/config/dhcp4/conflict", "wait");
	cr_assert_eq(config.conflict, CLIENT_CONFLICT_WAIT);
	with("/config/dhcp4/conflict", "off");
	cr_assert_eq(config.conflict, CLIENT_CONFLICT_OFF);
	cr_assert_eq(take("/config/dhcp4/conflict", "on"), -EINVAL);
}

Test(values, V4_31_static_address)
{
	with("/config/dhcp4/inform", "0");
	cr_assert_eq(config.inform.s_addr, INADDR_ANY);
	with("/config/dhcp4/inform", "192.0.2.7");
	cr_assert_eq(config.inform.s_addr, inet_addr("192.0.2.7"));
	cr_assert_eq(take("/config/dhcp4/inform", "2"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/inform", "0.0.0.0"), -EINVAL);
	cr_assert_eq(take("/config/dhcp4/inform", "224.0.0.1"), -EINVAL);
	setup();
	cr_assert_eq(take("/config/dhcp4/inform", "1"), 0);
	cr_assert_eq(finish(), -EINVAL);
	cr_assert(strstr(wrong, "/address"));
	cr_assert_eq(take("/address", "192.0.2.8/24"), 0);
	cr_assert_eq(finish(), 0);
	cr_assert_eq(config.inform.s_addr, inet_addr("192.0.2.8"));
}

Test(values, address_of_the_uplink_is_asked_for)
{
	with("/address", "192.0.2.8/24");
	cr_assert_eq(config.requested.s_addr, inet_addr("192.0.2.8"));
	cr_assert_eq(config.inform.s_addr, INADDR_ANY);
	cr_assert_eq(take("/address", "192.0.2.8"), -EINVAL);
}

/* No server gives it, so there is no need to request it. */
Test(values, U52_broadcast_address_of_the_uplink)
{
	with("/address", "192.0.2.255/24");
	cr_assert_eq(config.requested.s_addr, INADDR_ANY);
	with("/address", "192.0.2.255/23");
	cr_assert_eq(config.requested.s_addr, inet_addr("192.0.2.255"));
}

Test(values, V4_51_anonymity)
{
	cr_assert_eq(take("/config/dhcp4/anonymous", "1"), 0);
	cr_assert_eq(take("/config/dhcp4/client_id", "duid"), 0);
	cr_assert_eq(take("/config/dhcp4/hostname", "calf"), 0);
	cr_assert_eq(take("/config/dhcp4/parameters", "245"), 0);
	cr_assert_eq(take("/address", "192.0.2.8/24"), 0);
	cr_assert_eq(finish(), 0);
	cr_assert(config.sender.anonymous && config.no_reboot);
	cr_assert_eq(config.requested.s_addr, INADDR_ANY, "a previous address identifies the host");
	assert_client_id("\1\2\0\0\0\x77\2", 7);
	cr_assert_eq(config.sender.n_parameters, 5);
}

/* Longest values that one message holds, and one octet more. */
Test(values, Q04_C4_29_what_does_not_fit_together)
{
	char text[256] = "";

	memset(text, 'v', 255);
	cr_assert_eq(take("/config/dhcp4/vendor_class", text), 0);
	cr_assert_eq(finish(), 0);
	cr_assert_eq(take("/config/dhcp4/user_class", text), 0);
	cr_assert_eq(finish(), -EINVAL);
	cr_assert(strstr(wrong, "576"));
	cr_assert_eq(take("/config/dhcp4/anonymous", "1"), 0);
	cr_assert_eq(finish(), 0, "they are not sent");
}
