/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/lease_keys.h"

#define S 1000000000ull
#define NOW (1000 * S)
#define WALL 1700000000 /* 2023-11-14T22:13:20Z */

static struct client_lease lease;
static struct message_policy policy;
static struct lease_keys keys, before;
static struct commit commit;

static void full_lease(void)
{
	lease = (struct client_lease){
		.prefix_length = 24,
		.time_s = 3600,
		.t1_s = 1800,
		.t2_s = 3150,
		.expires_ns = NOW + 3600 * S,
	};
	lease.address = address("192.0.2.10");
	lease.server = address("192.0.2.1");
	lease.parameters.gateway = address("192.0.2.1");
	lease.parameters.mtu = 1400;
	lease.parameters.n_name_servers = 2;
	lease.parameters.name_servers[0] = address("192.0.2.53");
	lease.parameters.name_servers[1] = address("192.0.2.54");
	lease.parameters.n_routes = 2;
	lease.parameters.routes[0] = (struct value_route){ .destination = address("10.0.0.0"),
							   .prefix_length = 8,
							   .gateway = address("192.0.2.2") };
	lease.parameters.routes[1] = (struct value_route){ .destination = address("10.1.0.0"),
							   .prefix_length = 16,
							   .onlink = true };
	strcpy(lease.parameters.domain, "example.org");
	strcpy(lease.parameters.search, "example.org example.net");
}

static void project(void)
{
	lease_project(&lease, CLIENT_BOUND, &policy, NOW, WALL, &keys);
}

/* The value written to `path`; "-" if it is deleted, NULL if untouched. */
static const char *change(const char *path)
{
	static char text[KV_VALUE_SIZE];
	const char *found = NULL;
	uint32_t at = 0;

	for (uint32_t i = 0; i < commit.n_changes; i++) {
		struct kv_change header;

		memcpy(&header, commit.bytes + at, sizeof(header));
		if (strcmp(header.path, path) == 0) {
			cr_assert_null(found, "%s is changed twice", path);
			found = "-";
			if (header.operation == KV_CHANGE_WRITE) {
				memcpy(text, commit.bytes + at + sizeof(header), header.length);
				text[header.length] = '\0';
				found = text;
			}
		}
		at += KV_CHANGE_SIZE(header.length);
	}
	cr_assert_eq(at, commit.size);
	return found;
}

static void setup(void)
{
	full_lease();
	project();
}

TestSuite(lease, .init = setup);

/* All keys may be there, with whatever value. */
static const struct lease_keys *all(void)
{
	static struct lease_keys some;

	lease_keys_init(&some, &policy);
	lease_keys_all(&some);
	return &some;
}

Test(lease, all_keys)
{
	lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
	cr_assert_str_eq(change("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(change("/gateway"), "192.0.2.1");
	cr_assert_str_eq(change("/mtu"), "1400");
	cr_assert_str_eq(change("/domain"), "example.org");
	cr_assert_str_eq(change("/search"), "example.org example.net");
	cr_assert_str_eq(change("/nameserver/001"), "192.0.2.53");
	cr_assert_str_eq(change("/nameserver/002"), "192.0.2.54");
	cr_assert_str_eq(change("/route/001"), "10.0.0.0/8 via 192.0.2.2");
	cr_assert_str_eq(change("/route/002"), "10.1.0.0/16 onlink");
	cr_assert_str_eq(change("/lease/time"), "3600");
	cr_assert_str_eq(change("/lease/state"), "bound");
	cr_assert_str_eq(change("/lease/server"), "192.0.2.1");
	cr_assert_str_eq(change("/lease/address"), "192.0.2.10");
	cr_assert_str_eq(change("/lease/t1"), "1800");
	cr_assert_str_eq(change("/lease/t2"), "3150");
	cr_assert_str_eq(change("/lease/expires"), "2023-11-14T23:13:20Z");
	cr_assert_eq(commit.n_changes, 16);
}

Test(lease, first_commit_names_every_key)
{
	lease_changes(all(), &keys, true, &commit);
	cr_assert_eq(commit.n_changes, LEASE_OPTION);
	cr_assert_str_eq(change("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(change("/nameserver/003"), "-");
	cr_assert_str_eq(change("/nameserver/008"), "-");
	cr_assert_null(change("/nameserver/009"));
	cr_assert_str_eq(change("/route/003"), "-");
	cr_assert_str_eq(change("/route/064"), "-");
	cr_assert_null(change("/route/065"));
}

/* What a network may say besides. */
static void say_more(void)
{
	struct message_parameters *parameters = &lease.parameters;

	strcpy(parameters->host_name, "calf.example.org");
	strcpy(parameters->captive_portal, "https://portal.example.org/api");
	parameters->has_ipv6_only = true;
	parameters->ipv6_only_s = 1800;
	parameters->n_time_servers = 2;
	parameters->time_servers[0] = address("192.0.2.123");
	parameters->time_servers[1] = address("192.0.2.124");
	parameters->n_resolvers = 1;
	strcpy(parameters->resolvers[0], "1 dns.example.org 192.0.2.53 alpn=dot");
	/* 245 is asked for and not there, 252 has no octets */
	policy.n_options = 3;
	memcpy(policy.options, "\xf5\xfc\x2b", 3);
	parameters->n_options = 2;
	parameters->options[0] = (struct message_option){ .code = 252, .at = 0, .size = 0 };
	parameters->options[1] = (struct message_option){ .code = 43, .at = 0, .size = 3 };
	memcpy(parameters->option_bytes, "\0\xab\n", 3);
}

Test(lease, C4_09_all_other_keys)
{
	say_more();
	project();
	lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
	cr_assert_str_eq(change("/hostname"), "calf.example.org");
	cr_assert_str_eq(change("/captive-portal"), "https://portal.example.org/api");
	cr_assert_str_eq(change("/ipv6-only"), "1800");
	cr_assert_str_eq(change("/ntp/001"), "192.0.2.123");
	cr_assert_str_eq(change("/ntp/002"), "192.0.2.124");
	cr_assert_str_eq(change("/dnr/001"), "1 dns.example.org 192.0.2.53 alpn=dot");
	cr_assert_str_eq(change("/option/043"), "00ab0a", "hex, whatever it is");
	cr_assert_null(change("/option/245"));
	cr_assert_null(change("/option/252"));
	cr_assert_eq(commit.n_changes, 16 + 7);
}

/* The first commit deletes those that were asked for and are not there. */
Test(lease, first_commit_with_options)
{
	say_more();
	project();
	lease_changes(all(), &keys, true, &commit);
	cr_assert_eq(commit.n_changes, LEASE_OPTION + 3);
	cr_assert_str_eq(change("/option/043"), "00ab0a");
	cr_assert_str_eq(change("/option/245"), "-");
	cr_assert_str_eq(change("/option/252"), "-");
	cr_assert_str_eq(change("/ntp/008"), "-");
	cr_assert_null(change("/ntp/009"));
	cr_assert_str_eq(change("/dnr/008"), "-");
	cr_assert_null(change("/dnr/009"));
}

/* Those that are there are written or deleted, whatever their value is. */
Test(lease, first_commit_where_some_are_there)
{
	struct lease_keys none;

	say_more();
	lease_keys_init(&before, &policy);
	cr_assert(lease_keys_found(&before, "/ip"));
	cr_assert(lease_keys_found(&before, "/ip"), "twice is once");
	cr_assert(lease_keys_found(&before, "/lease/time"));
	cr_assert(lease_keys_found(&before, "/route/064"));
	cr_assert(lease_keys_found(&before, "/option/245"));
	cr_assert_not(lease_keys_found(&before, "/option/001"), "not requested");
	cr_assert_not(lease_keys_found(&before, "/route/065"));
	cr_assert_not(lease_keys_found(&before, "/mac"));
	project();
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(change("/lease/time"), "3600");
	cr_assert_str_eq(change("/lease/server"), "192.0.2.1", "was not there");
	cr_assert_str_eq(change("/route/064"), "-");
	cr_assert_str_eq(change("/option/245"), "-");
	cr_assert_null(change("/route/063"));
	lease_keys_init(&none, &policy);
	lease_changes(&before, &none, false, &commit);
	cr_assert_eq(commit.n_changes, 4);
	cr_assert_str_eq(change("/ip"), "-");
}

Test(lease, V4_36_V4_62_what_is_no_longer_said_is_deleted)
{
	say_more();
	project();
	before = keys;
	lease.parameters.captive_portal[0] = '\0';
	lease.parameters.n_time_servers = 1;
	lease.parameters.n_resolvers = 0;
	lease.parameters.n_options = 0;
	lease.parameters.has_ipv6_only = false;
	strcpy(lease.parameters.host_name, "cow");
	project();
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/captive-portal"), "-");
	cr_assert_str_eq(change("/ntp/002"), "-");
	cr_assert_str_eq(change("/dnr/001"), "-");
	cr_assert_str_eq(change("/option/043"), "-");
	cr_assert_str_eq(change("/ipv6-only"), "-");
	cr_assert_str_eq(change("/hostname"), "cow");
	cr_assert_str_eq(change("/lease/time"), "3600");
	cr_assert_eq(commit.n_changes, 7);
}

/* An option that was not requested has no key. */
Test(lease, options_that_were_not_asked_for)
{
	say_more();
	policy.n_options = 0;
	project();
	lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
	cr_assert_null(change("/option/043"));
}

Test(lease, V4_36_renewal_without_a_change)
{
	before = keys;
	lease.expires_ns += 1800 * S;
	lease_project(&lease, CLIENT_BOUND, &policy, NOW + 1800 * S, WALL + 1800, &keys);
	lease_changes(&before, &keys, true, &commit);
	cr_assert_eq(commit.n_changes, 2);
	cr_assert_str_eq(change("/lease/time"), "3600", "written although it is equal");
	cr_assert_str_eq(change("/lease/expires"), "2023-11-14T23:43:20Z");
}

Test(lease, V4_36_renewal_with_changes)
{
	before = keys;
	lease.parameters.gateway = address("192.0.2.254");
	lease.parameters.mtu = 0;
	lease.parameters.n_name_servers = 1;
	lease.parameters.name_servers[0] = address("192.0.2.54");
	project();
	lease_changes(&before, &keys, true, &commit);
	cr_assert_eq(commit.n_changes, 5);
	cr_assert_str_eq(change("/lease/time"), "3600");
	cr_assert_str_eq(change("/gateway"), "192.0.2.254");
	cr_assert_str_eq(change("/mtu"), "-");
	cr_assert_str_eq(change("/nameserver/001"), "192.0.2.54");
	cr_assert_str_eq(change("/nameserver/002"), "-");
}

Test(lease, V4_21_another_address)
{
	before = keys;
	lease.address = address("192.0.2.99");
	project();
	lease_changes(&before, &keys, true, &commit);
	cr_assert_eq(commit.n_changes, 3);
	cr_assert_str_eq(change("/ip"), "192.0.2.99/24");
	cr_assert_str_eq(change("/lease/address"), "192.0.2.99");
}

/* T1 has passed: the lease is what it was. */
Test(lease, state_alone)
{
	before = keys;
	lease_project(&lease, CLIENT_RENEWING, &policy, NOW + 1800 * S, WALL + 1801, &keys);
	lease_changes(&before, &keys, false, &commit);
	cr_assert_eq(commit.n_changes, 1);
	cr_assert_str_eq(change("/lease/state"), "renewing");
	before = keys;
	lease_project(&lease, CLIENT_REBINDING, &policy, NOW + 3150 * S, WALL + 3150, &keys);
	lease_changes(&before, &keys, false, &commit);
	cr_assert_eq(commit.n_changes, 1);
	cr_assert_str_eq(change("/lease/state"), "rebinding");
	before = keys;
	lease_changes(&before, &keys, false, &commit);
	cr_assert_eq(commit.n_changes, 0);
}

Test(lease, V4_20_loss_deletes_all)
{
	before = keys;
	lease_project(NULL, CLIENT_INIT, &policy, NOW, WALL, &keys);
	lease_changes(&before, &keys, false, &commit);
	cr_assert_eq(commit.n_changes, 16);
	for (uint32_t i = 0, at = 0; i < commit.n_changes; i++) {
		struct kv_change header;

		memcpy(&header, commit.bytes + at, sizeof(header));
		cr_assert_eq(header.operation, KV_CHANGE_DELETE);
		at += KV_CHANGE_SIZE(0);
	}
	lease_changes(all(), &keys, false, &commit);
	cr_assert_eq(commit.n_changes, LEASE_OPTION);
}

Test(lease, Q44_mtu_from_576_up)
{
	static const struct {
		uint16_t mtu;
		const char *text;
	} rows[] = { { 0, NULL },    { 68, NULL },     { 575, NULL },
		     { 576, "576" }, { 1500, "1500" }, { 65535, "65535" } };

	policy.mtu_min = 1280;
	lease.parameters.mtu = 1279;
	project();
	lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
	cr_assert_null(change("/mtu"), "the operator's least");
	lease.parameters.mtu = 1280;
	project();
	lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
	cr_assert_str_eq(change("/mtu"), "1280");
	policy.mtu_min = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lease.parameters.mtu = rows[i].mtu;
		project();
		lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
		if (rows[i].text)
			cr_assert_str_eq(change("/mtu"), rows[i].text);
		else
			cr_assert_null(change("/mtu"));
	}
}

Test(lease, V4_19_time_is_what_is_left)
{
	lease_project(&lease, CLIENT_BOUND, &policy, NOW + 1, WALL, &keys);
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/lease/time"), "3599", "rounded up");
	lease_project(&lease, CLIENT_BOUND, &policy, NOW + 3599 * S, WALL, &keys);
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/lease/time"), "1");
	lease_project(&lease, CLIENT_BOUND, &policy, NOW + 4000 * S, WALL, &keys);
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/lease/time"), "0");
}

Test(lease, V4_34_infinite)
{
	lease.time_s = lease.t1_s = lease.t2_s = CLIENT_INFINITE;
	lease.expires_ns = CLIENT_NEVER;
	project();
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/lease/time"), "infinite");
	cr_assert_str_eq(change("/lease/t1"), "infinite");
	cr_assert_str_eq(change("/lease/t2"), "infinite");
	cr_assert_str_eq(change("/lease/expires"), "never");
}

Test(lease, Q17_server_that_does_not_say)
{
	lease.server.s_addr = INADDR_ANY;
	project();
	lease_changes(&before, &keys, true, &commit);
	cr_assert_str_eq(change("/lease/server"), "0.0.0.0");
}

/* The way to it is the route handler's business. */
Test(lease, Q39_gateway_outside_the_subnet)
{
	lease.prefix_length = 32;
	lease.parameters.gateway = address("10.99.0.1");
	project();
	lease_changes(&LEASE_KEYS_NULL(keys), &keys, true, &commit);
	cr_assert_str_eq(change("/ip"), "192.0.2.10/32");
	cr_assert_str_eq(change("/gateway"), "10.99.0.1");
}

/* Every second from 1970 on would take too long: days, and their edges. */
Test(lease, dates)
{
	lease.expires_ns = NOW;
	for (int64_t day = 0; day < 130000; day++) {
		for (int64_t second = day * 86400; second < day * 86400 + 86400; second += 86399) {
			struct tm tm;
			char expected[32];

			gmtime_r(&second, &tm);
			strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
			lease_project(&lease, CLIENT_BOUND, &policy, NOW, second, &keys);
			cr_assert_str_eq(keys.text + keys.at[LEASE_EXPIRES], expected);
		}
	}
}

Test(lease, dates_that_cannot_be_written)
{
	lease_project(&lease, CLIENT_BOUND, &policy, NOW, -1000000, &keys);
	cr_assert_eq(keys.at[LEASE_EXPIRES], 0);
	lease_project(&lease, CLIENT_BOUND, &policy, NOW, INT64_MAX / 2, &keys);
	cr_assert_eq(keys.at[LEASE_EXPIRES], 0);
}

/* The largest lease there can be fits: into the keys, and into one commit. */
Test(lease, C4_29_largest_lease)
{
	struct message_parameters *parameters = &lease.parameters;

	lease.address = lease.server = address("192.168.100.100");
	lease.time_s = lease.t1_s = lease.t2_s = UINT32_MAX - 1;
	lease.expires_ns = NOW + (UINT32_MAX - 1) * S;
	memset(parameters->domain, 'a', KV_VALUE_MAX);
	memset(parameters->search, 'b', KV_VALUE_MAX);
	memset(parameters->host_name, 'c', MESSAGE_NAME_SIZE - 1);
	memset(parameters->captive_portal, 'd', KV_VALUE_MAX);
	parameters->has_ipv6_only = true;
	parameters->ipv6_only_s = UINT32_MAX;
	parameters->n_name_servers = MESSAGE_NAME_SERVERS_MAX;
	for (int i = 0; i < MESSAGE_NAME_SERVERS_MAX; i++)
		parameters->name_servers[i] = address("192.168.100.200");
	parameters->n_time_servers = MESSAGE_TIME_SERVERS_MAX;
	for (int i = 0; i < MESSAGE_TIME_SERVERS_MAX; i++)
		parameters->time_servers[i] = address("192.168.100.200");
	parameters->n_resolvers = MESSAGE_RESOLVERS_MAX;
	for (int i = 0; i < MESSAGE_RESOLVERS_MAX; i++)
		memset(parameters->resolvers[i], 'e', MESSAGE_RESOLVER_SIZE - 1);
	parameters->n_routes = MESSAGE_ROUTES_MAX;
	for (int i = 0; i < MESSAGE_ROUTES_MAX; i++)
		parameters->routes[i] =
			(struct value_route){ .destination = address("192.168.100.128"),
					      .prefix_length = 32,
					      .gateway = address("192.168.100.101") };
	policy.n_options = parameters->n_options = MESSAGE_OPTIONS_MAX;
	for (uint8_t i = 0; i < MESSAGE_OPTIONS_MAX; i++) {
		uint16_t size = MESSAGE_OPTIONS_SIZE / MESSAGE_OPTIONS_MAX;

		policy.options[i] = (uint8_t)(224 + i);
		parameters->options[i] =
			(struct message_option){ policy.options[i], (uint16_t)(i * size), size };
	}
	lease_project(&lease, CLIENT_REBINDING, &policy, NOW, WALL, &keys);
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++)
		cr_assert_neq(keys.at[slot], 0, "slot %d did not fit", slot);
	lease_changes(all(), &keys, true, &commit);
	cr_assert_eq(commit.n_changes, _LEASE_SLOT_N);
	cr_assert_str_eq(change("/route/064"), "192.168.100.128/32 via 192.168.100.101");
	cr_assert_eq(strlen(change("/option/239")), 2 * 96);
}

/* After a restart the values of the keys are not known. */
Test(lease_keys, U03_keys_of_the_previous_run)
{
	static const struct {
		const char *path;
		bool is_kept, is_kept_unclassed;
	} rows[] = {
		{ "/gateway", true, false },
		{ "/route/001", true, false },
		{ "/mtu", true, true },
		{ "/domain", true, true },
		{ "/search", true, true },
		{ "/captive-portal", true, true },
		{ "/nameserver/002", true, true },
		{ "/ntp/001", true, true },
		{ "/dnr/001", true, true },
		{ "/option/245", true, true },
		{ "/hostname", false, false },
		{ "/ipv6-only", false, false },
	};

	policy = (struct message_policy){ .n_options = 1, .options = { 245 } };
	for (int pass = 0; pass < 3; pass++) {
		policy.ignore_classless = pass == 1;
		lease = (struct client_lease){ .prefix_length = 24, .is_continued = pass < 2 };
		lease.address = address("192.0.2.10");
		lease_keys_init(&before, &policy);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			cr_assert(lease_keys_found(&before, rows[i].path));
		project();
		lease_keys_continue(&before, &lease, &policy, &keys);
		lease_changes(&before, &keys, true, &commit);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			bool is_kept = pass == 0 ? rows[i].is_kept :
						   pass == 1 && rows[i].is_kept_unclassed;
			const char *changed = change(rows[i].path);

			cr_assert(is_kept ? !changed : changed && !strcmp(changed, "-"),
				  "%s, pass %d", rows[i].path, pass);
		}
		cr_assert_str_eq(change("/ip"), "192.0.2.10/24");
	}
}

/* Only what is below a path, not what begins like it. */
Test(lease, withheld_keys_are_not_touched)
{
	full_lease();
	project();
	lease_keys_withhold(&keys, "/mtu /nameserver /search /gate");
	before = LEASE_KEYS_NULL(before);
	lease_changes(&before, &keys, false, &commit);
	cr_expect_null(change("/mtu"));
	cr_expect_null(change("/nameserver/001"));
	cr_expect_null(change("/nameserver/002"));
	cr_expect_null(change("/search"));
	cr_expect_str_eq(change("/gateway"), "192.0.2.1");
	cr_expect_str_eq(change("/ip"), "192.0.2.10/24");
	cr_expect_str_eq(change("/domain"), "example.org");
	cr_expect_str_eq(change("/route/001"), "10.0.0.0/8 via 192.0.2.2");
	project();
	lease_keys_withhold(&keys, "");
	lease_changes(&before, &keys, false, &commit);
	cr_expect_str_eq(change("/mtu"), "1400");
}
