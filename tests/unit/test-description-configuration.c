/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support-configuration.h"

TestSuite(configuration, .init = setup, .fini = teardown);

static const char *option(const char *calf, const char *name)
{
	const struct configuration_option *it =
		configuration_find_option(&configuration, calf, name);

	return it ? it->value : NULL;
}

static void expect_defaults(void)
{
	cr_expect(configuration.handlers.metric == 1000 &&
		  configuration.handlers.metric_adds_index);
	cr_expect(configuration.handlers.table == 254);
	cr_expect(configuration.handlers.use_dns && configuration.handlers.use_routes &&
		  configuration.handlers.use_mtu && configuration.handlers.use_domain &&
		  !configuration.handlers.use_hostname && configuration.handlers.use_ntp &&
		  !configuration.syslog);
	cr_expect(configuration.handlers.max_routes == 64 &&
		  configuration.handlers.min_prefix_length == 8 &&
		  configuration.handlers.min_connected_prefix_length == 16 &&
		  !configuration.handlers.allow_hiding);
	cr_expect_str_eq(configuration.handlers.resolv_conf, "/etc/resolv.conf");
	cr_expect_str_eq(configuration.handlers.chronyd_directory, "/run/chrony");
	cr_expect(!configuration.ignores_carrier && configuration.carrier_delay_ms == 200);
	cr_expect(configuration.mode == FRAME_MODE_AUTO && !configuration.pass_foreign);
	cr_expect(!configuration.starts_fast);
	cr_expect_eq(configuration.transactions_per_hour, 120);
	cr_expect_eq(configuration.request_max_size, 576);
	cr_expect(configuration.quarantine_s == 0);
	cr_expect(configuration.wait_interface_s == -1);
	cr_expect(configuration.audit_max_size == 16 << 20 && configuration.audit_files == 4 &&
		  !configuration.audit_may_lose);
	cr_expect(configuration.n_options == 2);
	cr_expect_str_eq(option("a", "wait"), "4");
	cr_expect_str_eq(option("b", "wait"), "5");
}

Test(configuration, defaults)
{
	cr_assert(load("", 2) == 0);
	expect_defaults();
	cr_assert(load("# only a comment\n", 2) == 0);
	expect_defaults();
	options.configuration[0] = '\0';
	cr_assert(load("metric: 5\n", 2) == 0);
	expect_defaults();
}

Test(configuration, U10_metric_is_added_to_only_by_default)
{
	cr_assert(load("table: 100\n", 2) == 0);
	cr_expect(configuration.handlers.metric == 1000 &&
		  configuration.handlers.metric_adds_index);
	cr_assert(load("metric: 1000\n", 2) == 0);
	cr_expect(configuration.handlers.metric == 1000 &&
		  !configuration.handlers.metric_adds_index);
	cr_assert(load("metric: 0\n", 2) == 0);
	cr_expect(configuration.handlers.metric == 0 && !configuration.handlers.metric_adds_index);
}

Test(configuration, everything)
{
	cr_assert(load("metric: 7\n"
		       "table: 1000\n"
		       "carrier: ignore\n"
		       "carrier_delay: 0\n"
		       "mode: tc\n"
		       "foreign: pass\n"
		       "transactions_per_hour: 3600\n"
		       "request_max_size: 1024\n"
		       "quarantine: 3600\n"
		       "resolv_conf: \"/run/resolv conf\"\n"
		       "chronyd_directory: /var/run/chrony\n"
		       "use: {dns: false, mtu: true, domain: false, hostname: true, ntp: false}\n"
		       "routes: {max: 3, min_prefix_length: 16, min_connected_prefix_length: 8,\n"
		       "         allow_hiding: true}\n"
		       "drift: report\n"
		       "witness: warn\n"
		       "fast_start: yes\n"
		       "syslog: true\n"
		       "calves:\n"
		       "  b: {wait: 30, note: \"a b\"}\n"
		       "  a:\n"
		       "    hostname: myhost\n"
		       "    wait: 60\n",
		       2) == 0,
		  "%s", capture_text());
	cr_expect(configuration.handlers.metric == 7 && !configuration.handlers.metric_adds_index);
	cr_expect(configuration.handlers.table == 1000);
	cr_expect(configuration.ignores_carrier && configuration.carrier_delay_ms == 0);
	cr_expect(configuration.mode == FRAME_MODE_TC && configuration.pass_foreign);
	cr_expect(configuration.starts_fast);
	cr_expect_eq(configuration.transactions_per_hour, 3600);
	cr_expect_eq(configuration.request_max_size, 1024);
	cr_expect(configuration.quarantine_s == 3600);
	cr_expect_str_eq(configuration.handlers.resolv_conf, "/run/resolv conf");
	cr_expect_str_eq(configuration.handlers.chronyd_directory, "/var/run/chrony");
	cr_expect(!configuration.handlers.use_dns && configuration.handlers.use_routes &&
		  configuration.handlers.use_mtu && !configuration.handlers.use_domain &&
		  configuration.handlers.use_hostname && !configuration.handlers.use_ntp &&
		  configuration.syslog);
	cr_expect(configuration.handlers.max_routes == 3 &&
		  configuration.handlers.min_prefix_length == 16 &&
		  configuration.handlers.min_connected_prefix_length == 8 &&
		  configuration.handlers.allow_hiding);
	cr_expect(configuration.drift == CONFIGURATION_DRIFT_REPORT);
	cr_expect(configuration.handlers.witness_warns);
	cr_expect(configuration.n_options == 4);
	cr_expect_str_eq(option("a", "hostname"), "myhost");
	cr_expect_str_eq(option("a", "wait"), "60");
	cr_expect_str_eq(option("b", "wait"), "30");
	cr_expect_str_eq(option("b", "note"), "a b");
}

/* The operator's value is told from the default, also if it is the same. */
Test(configuration, U33_options_that_are_set)
{
	cr_assert(load("", 1) == 0);
	cr_expect(!configuration_find_option(&configuration, "a", "wait")->is_set);
	cr_expect(configuration_find_option(&configuration, "a", "hostname") == NULL);
	cr_assert(load("calves: {a: {wait: 4}}\n", 1) == 0);
	cr_expect(configuration_find_option(&configuration, "a", "wait")->is_set);
	cr_expect_eq(configuration_find_option(&configuration, "a", "wait")->line, 1);
	cr_assert(configuration_set_option(&configuration, "a", "wait", "9", false) == 0);
	cr_expect_str_eq(option("a", "wait"), "9");
	cr_expect(!configuration_find_option(&configuration, "a", "wait")->is_set);
	cr_assert(configuration_set_option(&configuration, "a", "hostname", "x", false) == 0);
	cr_expect_str_eq(option("a", "hostname"), "x");
	cr_expect(configuration.n_options == 2);
}

/* Whether one calf has it says nothing about the other. */
Test(configuration, options_of_the_same_name)
{
	cr_assert(load("calves: {a: {wait: 40}}\n", 2) == 0);
	cr_expect_str_eq(option("a", "wait"), "40");
	cr_expect_str_eq(option("b", "wait"), "5");
	cr_expect(!configuration_find_option(&configuration, "b", "wait")->is_set);
	cr_assert(load("calves: {b: {wait: 7}, a: }\n", 2) == 0);
	cr_expect_str_eq(option("a", "wait"), "4");
	cr_expect_str_eq(option("b", "wait"), "7");
	cr_assert(configuration_set_option(&configuration, "b", "hostname", "x", true) == 0);
	cr_expect_null(option("a", "hostname"));
	cr_assert(configuration_set_option(&configuration, "a", "hostname", "y", true) == 0);
	cr_expect_str_eq(option("b", "hostname"), "x");
}

Test(configuration, F2_audit)
{
	cr_assert(load("audit_max_size: 65536\naudit_files: 100\naudit_on_failure: lose\n", 1) ==
		  0);
	cr_expect(configuration.audit_max_size == 65536 && configuration.audit_files == 100 &&
		  configuration.audit_may_lose);
	cr_assert(load("audit_max_size: 0\naudit_files: 2\naudit_on_failure: refuse\n", 1) == 0);
	cr_expect(configuration.audit_max_size == 0 && configuration.audit_files == 2 &&
		  !configuration.audit_may_lose);
}

Test(configuration, F6_witness)
{
	cr_assert(load("metric: 7\n", 1) == 0);
	cr_expect_not(configuration.handlers.witness_warns, "the default");
	cr_assert(load("witness: enforce\n", 1) == 0);
	cr_expect_not(configuration.handlers.witness_warns);
}

Test(configuration, U18_drift)
{
	cr_assert(load("metric: 7\n", 1) == 0);
	cr_expect(configuration.drift == CONFIGURATION_DRIFT_DEFAULT);
	cr_assert(load("drift: repair\n", 1) == 0);
	cr_expect(configuration.drift == CONFIGURATION_DRIFT_REPAIR);
}

Test(configuration, command_line_overrides)
{
	options.mode = FRAME_MODE_NATIVE;
	memcpy(options.resolv_conf, "/b", 3);
	cr_assert(load("mode: tc\nresolv_conf: /a\n", 1) == 0);
	cr_expect(configuration.mode == FRAME_MODE_NATIVE && !configuration.syslog);
	cr_expect_str_eq(configuration.handlers.resolv_conf, "/b");
	options.quarantine_s = 0;
	cr_assert(load("quarantine: 30\n", 1) == 0);
	cr_expect(configuration.quarantine_s == 0);
	options.quarantine_s = 5;
	cr_assert(load("quarantine: 30\n", 1) == 0);
	cr_expect(configuration.quarantine_s == 5);
	options.syslog = true;
	cr_assert(load("syslog: false\n", 1) == 0);
	cr_expect(configuration.syslog);
}

Test(configuration, refused)
{
	static const struct {
		const char *text, *refused;
	} rows[] = {
		{ "metric: 5\nmetrik: 6\n",
		  "2: unknown field \"metrik\" in a configuration; known fields: metric, table, carrier, "
		  "carrier_delay, mode, foreign, transactions_per_hour, request_max_size, quarantine, wait_interface, resolv_conf, dns, chronyd_directory, use, routes, drift, witness, fast_start, syslog, audit_max_size, audit_files, audit_on_failure, ceilings, providers, calves" },
		{ "metric: 5\nmetric: 6\n", "2: field \"metric\" is repeated, first on line 1" },
		{ "carrier: lost\n", "1: carrier \"lost\" is not one of: follow, ignore" },
		{ "carrier_delay: 600001\n", "1: carrier_delay must be a number from 0 to 600000" },
		{ "- metric\n", "1: a configuration must be a mapping of fields" },
		{ "metric: 4294967296\n", "1: metric must be a number from 0 to 4294967295" },
		{ "metric: -1\n", "1: metric must be a number from 0 to 4294967295" },
		{ "metric: 1.5\n", "1: metric must be a number from 0 to 4294967295" },
		{ "metric:\n  - 1\n", "2: metric must be a number from 0 to 4294967295" },
		{ "table: 0\n", "1: table must be a number from 1 to 4294967295" },
		{ "table: 255\n", "1: table 255 is reserved for the kernel" },
		{ "\nmode: xdp\n", "2: mode \"xdp\" is not one of: auto, native, tc, generic" },
		{ "foreign: accept\n", "1: foreign \"accept\" is not one of: drop, pass" },
		{ "quarantine: 3601\n", "1: quarantine must be a number from 0 to 3600" },
		{ "wait_interface: 86401\n",
		  "1: wait_interface \"86401\" is not a number from 0 to 86400, nor \"forever\"" },
		{ "wait_interface: ever\n",
		  "1: wait_interface \"ever\" is not a number from 0 to 86400, nor \"forever\"" },
		{ "quarantine: on\n", "1: quarantine must be a number from 0 to 3600" },
		{ "mode: [tc]\n", "1: mode must be one of: auto, native, tc, generic" },
		{ "resolv_conf: etc\n", "1: resolv_conf \"etc\" is not an absolute path" },
		{ "chronyd_directory: run/chrony\n",
		  "1: chronyd_directory \"run/chrony\" is not an absolute path" },
		{ "routes: {max: 65}\n", "1: max must be a number from 0 to 64" },
		{ "routes: {min_prefix_length: 0}\n",
		  "1: min_prefix_length must be a number from 1 to 32" },
		{ "routes: {min_connected_prefix_length: 0}\n",
		  "1: min_connected_prefix_length must be a number from 1 to 32" },
		{ "routes: {min_connected_prefix_length: 33}\n",
		  "1: min_connected_prefix_length must be a number from 1 to 32" },
		{ "drift: ignore\n", "1: drift \"ignore\" is not one of: repair, report" },
		{ "witness: off\n", "1: witness \"off\" is not one of: enforce, warn" },
		{ "fast_start: on\n", "1: fast_start \"on\" is not one of: no, yes" },
		{ "syslog: on\n", "1: syslog must be true or false" },
		{ "audit_max_size: 65535\n",
		  "1: audit_max_size 65535 is less than 65536; 0: no rotation" },
		{ "audit_max_size: 2147483648\n",
		  "1: audit_max_size must be a number from 0 to 2147483647" },
		{ "audit_files: 1\n", "1: audit_files must be a number from 2 to 100" },
		{ "audit_on_failure: stop\n",
		  "1: audit_on_failure \"stop\" is not one of: refuse, lose" },
		{ "use: {dns: yes}\n", "1: dns must be true or false" },
		{ "use:\n  dns: true\n  color: true\n",
		  "3: unknown field \"color\" in use; known fields: dns, routes, mtu, domain, "
		  "hostname, ntp" },
		{ "calves:\n  a:\n    hostname: a\n    color: red\n",
		  "4: unknown option \"color\" of a; known options: hostname, wait" },
		{ "calves:\n  b:\n    hostname: a\n",
		  "3: unknown option \"hostname\" of b; known options: wait, note" },
		{ "calves:\n  a: {}\n  b: {withheld: /ip}\n",
		  "3: option \"withheld\" follows from \"grants\"; use that" },
		{ "calves:\n  a: {hostname: -a}\n",
		  "2: option \"hostname\": \"-a\" is not a valid hostname" },
		{ "calves: {a: {wait: 0}}\n",
		  "1: option \"wait\": \"0\" is not a number from 1 to 60" },
		{ "calves: {a: {wait: 31}, b: {wait: 31}}\n",
		  "1: option \"wait\": \"31\" is not a number from 1 to 30" },
		{ "calves: {b: {note: abcde}}\n", "1: option \"note\" is longer than 4 bytes" },
		{ "calves: {a: {wait: 5,\n wait: 6}}\n",
		  "2: \"wait\" is repeated, first on line 1" },
		{ "calves: {a: {},\n a: {}}\n", "2: \"a\" is repeated, first on line 1" },
		{ "calves: {}\ncalves: {}\n", "2: field \"calves\" is repeated, first on line 1" },
#define WRITE(_calves) "1: calves must be a mapping of fields; write: calves: {" _calves "}"
		{ "calves: [a, b]\n", WRITE("a: {}, b: {}") },
		{ "calves: [a: {wait: 3}, b: {}, [b]]\n", WRITE("a: {wait: 3}, b: {}") },
		{ "calves: [[a]]\n", WRITE("dhcp4: {}") },
		{ "calves: a\n", WRITE("a: {}") },
		{ "calves: a b\n", WRITE("a b: {}") },
		{ "calves: \"\"\n", WRITE("\"\": {}") },
		{ "calves:\n", WRITE("dhcp4: {}") },
		{ "calves: ~\n", WRITE("dhcp4: {}") },
		{ "calves: {a: [wait]}\n", "1: a must be a mapping of fields" },
		{ "calves: {a: \"\"}\n", "1: a must be a mapping of fields" },
		{ "calves: {a: \"~\"}\n", "1: a must be a mapping of fields" },
		{ "calves: {a: nil}\n", "1: a must be a mapping of fields" },
		{ "calves: {[a]: {}}\n", "1: a field name in calves must be plain text" },
		{ "calves: {a: {hostname: }}\n", "1: hostname is empty" },
		{ "calves: {a: {hostname: [a]}}\n", "1: hostname must be text" },
		{ "a: *b\n", "1: aliases are not allowed" },
		{ "a: 1\n b: 2\n", "2: mapping values are not allowed in this context" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[512];

		configuration.handlers.metric = 77;
		cr_expect(load(rows[i].text, 2) == -EINVAL, "accepted: %s", rows[i].text);
		snprintf(expected, sizeof(expected), "%s:%s\n", path, rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
		cr_expect(configuration.handlers.metric == 77, "written on failure");
	}
}

Test(configuration, no_options_at_all)
{
	char expected[256];

	descriptions[0].n_options = 0;
	cr_expect(load("calves: {a: {x: y}}\n", 1) == -EINVAL);
	snprintf(expected, sizeof(expected), "%s:1: unknown option \"x\"; a has no options\n",
		 path);
	cr_expect_str_eq(capture_text(), expected);
}

/* What was right in an earlier version, or is put in the wrong place: the line to write. */
Test(configuration, options_outside_of_their_calf)
{
	static const struct {
		const char *text, *refused;
	} rows[] = {
		{ "metric: 5\nhostname: web1\n",
		  "2: \"hostname\" is an option of a calf; write instead: calves: {a: {hostname: "
		  "web1}}" },
		{ "note: \"a \\\"b, c\"\n",
		  "1: \"note\" is an option of a calf; write instead: calves: {b: {note: \"a "
		  "\\\"b, c\"}}" },
		{ "note: a, b\n",
		  "1: \"note\" is an option of a calf; write instead: calves: {b: {note: \"a, "
		  "b\"}}" },
		{ "metrik: 6\nwait: {4: \"text:x\", 5: a}\n",
		  "2: \"wait\" is an option of a calf; write instead: calves: {a: {wait: {4: "
		  "\"text:x\", 5: a}}}" },
		{ "options: {hostname: web1}\n",
		  "1: each calf has options of its own; instead of \"options\", write: calves: {a: "
		  "{hostname: web1}}" },
		{ "metric: 5\noptions:\n  wait: 7\n  hostname: web1\n  color: red\n  note: 'x'\n",
		  "2: each calf has options of its own; instead of \"options\", write: calves: {a: "
		  "{wait: 7, hostname: web1}, b: {wait: 7, note: \"x\"}}; no calf has: color" },
		{ "options: {color: red, [1]: x, size: 3}\n",
		  "1: each calf has options of its own; instead of \"options\", write: calves: "
		  "{CALF: {NAME: VALUE}}; no calf has: color, size" },
		{ "options: {note: [a, [b], 'c\"d'], hostname: {[1]: x, 2: [y]}}\n",
		  "1: each calf has options of its own; instead of \"options\", write: calves: {a: "
		  "{hostname: {2: \"y\"}}, b: {note: \"a c\\\"d\"}}" },
		{ "calves: {a: {}}\noptions: {}\n",
		  "2: each calf has options of its own; instead of \"options\", write: calves: "
		  "{CALF: {NAME: VALUE}}" },
		{ "options: [hostname]\n",
		  "1: each calf has options of its own; instead of \"options\", write: calves: "
		  "{CALF: {NAME: VALUE}}" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char expected[512];

		cr_expect(load(rows[i].text, 2) == -EINVAL, "accepted: %s", rows[i].text);
		snprintf(expected, sizeof(expected), "%s:%s\n", path, rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
	}
}

/* What is written instead is accepted. */
Test(configuration, line_to_write_is_right)
{
	char text[512], *line;

	cr_assert(load("options: {wait: 7, hostname: \"web1\", note: 'a, b'}\n", 2) == -EINVAL);
	line = strstr(capture_text(), "calves: {");
	cr_assert_not_null(line);
	(void)snprintf(text, sizeof(text), "%s", line);
	cr_assert(load(text, 2) == 0, "%s%s", text, capture_text());
	cr_expect_str_eq(option("a", "hostname"), "web1");
	cr_expect_str_eq(option("b", "wait"), "7");
	cr_expect_str_eq(option("b", "note"), "a, b");
}

/* A named file must be there, and be a file. */
Test(configuration, not_readable)
{
	memcpy(options.configuration, "/nonexistent", 13);
	cr_expect(load("", 1) == -ENOENT);
	cr_expect_str_eq(capture_text(), "/nonexistent: No such file or directory\n");
	memcpy(options.configuration, "/", 2);
	cr_expect(load("", 1) == -EINVAL);
	cr_expect_str_eq(capture_text(), "/: not a regular file\n");
}

/* Words, lists, and words beside a type. */
Test(configuration, choices_and_lists)
{
	static const struct {
		const char *text, *refused;
	} rows[] = {
		{ "conflict: off", NULL },
		{ "id: none", NULL },
		{ "id: 01ff", NULL },
		{ "codes: 1", NULL },
		{ "codes: 1 254", NULL },
		{ "servers: 192.0.2.1 any", NULL },
		{ "conflict: of", "\"conflict\": \"of\" is not one of: wait off" },
		{ "id: dui", "\"id\": \"dui\" is not a valid hex, and not one of: mac none" },
		{ "id: 000102030405", "\"id\" is longer than 8 bytes" },
		{ "codes: 1 255",
		  "\"codes\": \"1 255\" is not a list of up to 2, separated by single blanks, "
		  "each a number from 1 to 254" },
		{ "codes: 1 2 3",
		  "\"codes\": \"1 2 3\" is not a list of up to 2, separated by single blanks, "
		  "each a number from 1 to 254" },
		{ "servers: [192.0.2.1]", "servers must be text" },
		{ "servers: 1.2.3",
		  "\"servers\": \"1.2.3\" is not a list of up to 3, separated by single blanks, "
		  "each a valid ipv4, and not one of: any" },
	};

	descriptions[0].n_options = 4;
	memset(descriptions[0].options, 0, sizeof(descriptions[0].options));
	descriptions[0].options[0] = (struct description_option){
		.name = "conflict",
		.rule = { .type = VALUE_TEXT, .max_length = 4, .choices = "wait off" },
	};
	descriptions[0].options[1] = (struct description_option){
		.name = "id",
		.rule = { .type = VALUE_HEX, .max_length = 8, .choices = "mac none" },
	};
	descriptions[0].options[2] = (struct description_option){
		.name = "codes",
		.rule = { .type = VALUE_U16,
			  .min = 1,
			  .max = 254,
			  .max_length = 11,
			  .max_items = 2 },
	};
	descriptions[0].options[3] = (struct description_option){
		.name = "servers",
		.rule = { .type = VALUE_IPV4, .max_length = 47, .max_items = 3, .choices = "any" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[128], refused[256];
		int r;

		snprintf(text, sizeof(text), "calves: {a: {%s}}\n", rows[i].text);
		r = load(text, 1);
		cr_assert_eq(r, rows[i].refused ? -EINVAL : 0, "%s: %s", text, capture_text());
		if (!rows[i].refused)
			continue;
		snprintf(refused, sizeof(refused), "%s%s\n",
			 strchr(rows[i].refused, '"') ? "option " : "", rows[i].refused);
		cr_assert(strstr(capture_text(), refused), "%s", capture_text());
	}
}

/* The word counts only where a description has it. */
Test(configuration, U49_host_name_is_told_if_asked_for)
{
	cr_assert_eq(load("calves: {a: {hostname: host}}\n", 2), 0);
	cr_expect_not(configuration.tells_host_name, "a host of that name");
	snprintf(descriptions[0].options[0].rule.choices, VALUE_CHOICES_SIZE, "any localhost");
	cr_assert_eq(load("calves: {a: {hostname: host}}\n", 2), 0);
	cr_expect_not(configuration.tells_host_name);
	snprintf(descriptions[0].options[0].rule.choices, VALUE_CHOICES_SIZE, "any host");
	cr_assert_eq(load("calves: {a: {hostname: web1}, b: {note: host}}\n", 2), 0);
	cr_expect_not(configuration.tells_host_name);
	cr_assert_eq(load("calves: {a: {hostname: host}}\n", 2), 0);
	cr_expect(configuration.tells_host_name);
}

/* The limit is one of each calf, not of all together. */
Test(configuration, many_options)
{
	for (uint32_t i = 0; i < 2 * DESCRIPTION_OPTIONS_MAX; i++) {
		struct description_option *it = &descriptions[i % 2].options[i / 2];

		snprintf(it->name, sizeof(it->name), "o%u", i / 2);
		snprintf(it->value, sizeof(it->value), "%u", i);
		it->rule = (struct value_rule){ .type = VALUE_TEXT, .max_length = 4 };
		it->has_default = true;
	}
	descriptions[0].n_options = descriptions[1].n_options = DESCRIPTION_OPTIONS_MAX;
	cr_assert(load("calves: {b: {o3: x}}\n", 2) == 0);
	cr_expect_eq(configuration.n_options, 2 * DESCRIPTION_OPTIONS_MAX);
	cr_expect_str_eq(option("a", "o3"), "6");
	cr_expect_str_eq(option("b", "o3"), "x");
	cr_expect_str_eq(option("b", "o47"), "95");
}

Test(configuration, U08_wait_interface)
{
	cr_assert(load("wait_interface: forever\n", 1) == 0);
	cr_expect(configuration.wait_interface_s == OPTIONS_WAIT_FOREVER);
	cr_assert(load("wait_interface: 60\n", 1) == 0);
	cr_expect(configuration.wait_interface_s == 60);
	options.wait_interface_s = 0;
	cr_assert(load("wait_interface: 60\n", 1) == 0);
	cr_expect(configuration.wait_interface_s == 0);
}

/* Whatever its name: only its rights say which calf the host's lease is of. */
Test(configuration, calf_of_the_lease)
{
	static const struct key_rule reads = { .path = "/ip", .access = KV_ACCESS_READ };
	static const struct key_rule writes = { .path = "/ip", .access = KV_ACCESS_WRITE };

	cr_assert_eq(load("", 2), 0);
	cr_expect_str_eq(configuration.lease_calf, "");
	descriptions[0].n_keys = descriptions[1].n_keys = 1;
	descriptions[0].n_frames = descriptions[1].n_frames = 1;
	descriptions[0].keys[0] = reads;
	descriptions[1].keys[0] = writes;
	cr_assert_eq(load("", 2), 0);
	cr_expect_str_eq(configuration.lease_calf, "b");
	cr_assert_eq(load("", 1), 0);
	cr_expect_str_eq(configuration.lease_calf, "");
}

Test(configuration, Q25_fallback_of_the_calf_of_the_lease)
{
	static const struct description_option fallback = {
		.name = "fallback_lease",
		.rule = { .type = VALUE_U32, .min = 60, .max = 7200, .max_length = 10 },
		.value = "3600",
		.has_default = true,
	};

	descriptions[0].options[descriptions[0].n_options++] = fallback;
	descriptions[1].options[descriptions[1].n_options++] = fallback;
	cr_assert_eq(load("calves: {b: {fallback_lease: 90}}\n", 2), 0);
	cr_expect_eq(configuration.handlers.fallback_lease_s, 0, "none of them leases /ip");
	descriptions[1].n_keys = descriptions[1].n_frames = 1;
	descriptions[1].keys[0] = (struct key_rule){ .path = "/ip", .access = KV_ACCESS_WRITE };
	cr_assert_eq(load("calves: {a: {fallback_lease: 80}, b: {fallback_lease: 90}}\n", 2), 0);
	cr_expect_eq(configuration.handlers.fallback_lease_s, 90);
	cr_assert_eq(load("", 2), 0);
	cr_expect_eq(configuration.handlers.fallback_lease_s, 3600);
}

Test(configuration, V4_31_address_of_inform)
{
	const struct in_addr none = { 0 };
	static const struct {
		const char *value, *present, *address;
	} rows[] = {
		{ NULL, "10.77.0.5/24", NULL },
		{ "0", "10.77.0.5/24", NULL },
		{ "1", NULL, NULL },
		{ "1", "10.77.0.5", NULL },
		{ "1", "10.77.0.5/24", "10.77.0.5" },
		{ "10.77.0.9", NULL, "10.77.0.9" },
		{ "10.77.0.9", "10.77.0.5/24", "10.77.0.9" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct in_addr found = none;

		configuration.n_options = 0;
		(void)strcpy(configuration.lease_calf, "lan4");
		cr_assert_eq(configuration_set_option(&configuration, "dhcp4", "inform",
						      "10.77.0.66", true),
			     0);
		if (rows[i].value)
			cr_assert_eq(configuration_set_option(&configuration, "lan4", "inform",
							      rows[i].value, true),
				     0);
		cr_expect_eq(configuration_inform(&configuration, rows[i].present, &found),
			     rows[i].address != NULL, "%zu", i);
		cr_expect_eq(found.s_addr, rows[i].address ? inet_addr(rows[i].address) : 0, "%zu",
			     i);
	}
}
