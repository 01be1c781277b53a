/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/support-description.h"
#include "userspace/priv/description/description.h"

#define ARP_RULE                                                                             \
	"  - {check: arp, ingress_per_second: 10, ingress_burst: 20, egress_per_second: 2, " \
	"egress_burst: 8}"

TestSuite(description, .init = setup, .fini = scratch_remove);

static const struct key_rule *key(const struct description *description, const char *path)
{
	return description_find_key(description, path);
}

/* Only a calf with frames that may write /ip has a lease that the filter records. */
Test(description, leases_ip)
{
	static const struct {
		unsigned int line;
		const char *text;
		bool leases_ip;
	} rows[] = {
		{ 0, NULL, false },
		{ 6, "  - {path: /ip, type: ipv4-net, access: [read, watch]}", false },
		{ 6, "  - {path: /ip, type: ipv4-net, access: [delete]}", false },
		{ 6, "  - {path: /ip, type: ipv4-net, access: [write]}", true },
	};
	static struct description d;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_description(rows[i].line, rows[i].text);
		cr_assert_eq(description_load(scratch, &d), 0, "%s", capture_text());
		cr_expect_eq(description_leases_ip(&d), rows[i].leases_ip, "%zu", i);
		cr_expect(description_has_check(&d, FRAME_CHECK_DHCP4));
		cr_expect(!description_has_check(&d, FRAME_CHECK_ARP));
	}
	d.n_frames = 0;
	cr_expect(!description_leases_ip(&d), "it has no frames");
	cr_expect(!description_has_check(&d, FRAME_CHECK_DHCP4));
}

Test(description, good)
{
	static struct description d;

	write_description(0, NULL);
	cr_assert(description_load(scratch, &d) == 0, "%s", capture_text());
	cr_assert_str_eq(d.name, "dhcp4");
	cr_assert_str_eq(d.directory, scratch);
	cr_assert(d.name_line == 1);
	cr_assert_str_eq(d.executable, "calf-dhcp4");
	cr_assert(d.memory_bytes == 16777216 && d.pids == 32);
	cr_assert(d.requests_per_second == 200 && d.request_burst == 100);
	cr_assert(d.audit_bytes_per_second == 4096 && d.audit_burst == 65536);
	cr_assert(d.cpu_percent == 10);
	cr_assert(d.log_bytes_per_second == 512 && d.log_burst == 65536);
	cr_assert(d.n_keys == 6);
	for (uint32_t i = 0; i < 6; i++)
		cr_assert(d.key_lines[i] == (i < 4 ? 5 + i : 15 + i), "key %u", i);
	cr_assert(key(&d, "/mac")->access == (KV_ACCESS_READ | KV_ACCESS_WATCH));
	cr_assert(key(&d, "/mac")->rule.max_length == 17 && key(&d, "/mac")->count == 1);
	cr_assert(key(&d, "/mtu")->rule.min == 576 && key(&d, "/mtu")->rule.max == 65535);
	cr_assert(key(&d, "/domain")->rule.max_length == 63);
	cr_assert(key(&d, "/nameserver/001")->count == 8);
	cr_assert(key(&d, "/nameserver/001")->rule.type == VALUE_IPV4);
	cr_assert(key(&d, "/nameserver/001/x") == NULL);
	cr_assert(key(&d, "/nameserver") == NULL);
	cr_assert(key(&d, "/other") == NULL);
	cr_assert(key(&d, "/config/dhcp4/hostname")->rule.type == VALUE_HOSTNAME);
	cr_assert(key(&d, "/config/dhcp4/wait")->access == (KV_ACCESS_READ | KV_ACCESS_WATCH));
	cr_assert(key(&d, "/domain")->persistent && !key(&d, "/mtu")->persistent);
	cr_assert(d.max_keys == 13, "%u", d.max_keys);
	cr_assert(d.max_bytes == 17 + 5 + 8 * 15 + 63 + 253 + 10, "%" PRIu64, d.max_bytes);
	cr_assert(d.n_frames == 1);
	cr_assert(d.frames[0].check == FRAME_CHECK_DHCP4);
	cr_assert(d.frames[0].local_port == 68 && d.frames[0].remote_port == 67);
	cr_assert(d.frames[0].max_frame == 1514);
	cr_assert(d.frames[0].ingress_interval_ns == 20000000);
	cr_assert(d.frames[0].ingress_burst_ns == 400000000);
	cr_assert(d.frames[0].egress_interval_ns == 33333333);
	cr_assert(d.frames[0].egress_burst_ns == 333333330);
	cr_assert(d.n_options == 2);
	cr_assert_str_eq(d.options[0].name, "hostname");
	cr_assert(!d.options[0].has_default && d.options[0].line == 19);
	cr_assert_str_eq(d.options[1].value, "4");
	cr_assert(d.options[1].has_default && d.options[1].rule.max == 60);
	cr_assert(d.n_metrics == 2);
	cr_assert_str_eq(d.metrics[0].help, "What we sent");
	cr_assert(!d.metrics[0].is_gauge && d.metrics[1].is_gauge);
	cr_assert_str_eq(capture_text(), "");
}

Test(description, limits_of_the_store)
{
	static struct description d;

	write_description(3, "limits: {memory: 16777216, pids: 16, requests_per_second: 200, "
			     "request_burst: 100, max_keys: 7, max_bytes: 512, "
			     "audit_bytes_per_second: 1, audit_burst: 2413}");
	cr_assert(description_load(scratch, &d) == 0, "%s", capture_text());
	cr_assert(d.pids == 16 && d.max_keys == 7 && d.max_bytes == 512);
	cr_assert(d.audit_bytes_per_second == 1 && d.audit_burst == 2413);
}

Test(description, limits_of_cpu_and_log)
{
	static struct description d;

	write_description(3,
			  "limits: {memory: 16777216, pids: 16, requests_per_second: 200, "
			  "request_burst: 100, cpu: 1, log_bytes_per_second: 7, log_burst: 2048}");
	cr_assert(description_load(scratch, &d) == 0, "%s", capture_text());
	cr_assert(d.cpu_percent == 1 && d.log_bytes_per_second == 7 && d.log_burst == 2048);
}

/* Lists and words: the length is that of the longest value. */
Test(description, choices_and_lists)
{
	static struct description d;

	write_description(20,
			  "  - {name: wait, type: u16, choices: [none, forever], default: none}\n"
			  "  - {name: codes, type: u16, max: 254, items: 16, default: 1 2}\n"
			  "  - {name: words, type: text, choices: [a, bc], items: 3}\n"
			  "  - {name: texts, type: text, items: 3}");
	cr_assert(description_load(scratch, &d) == 0, "%s", capture_text());
	cr_assert_str_eq(d.options[1].rule.choices, "none forever");
	cr_assert(d.options[1].rule.max_length == 7 && d.options[1].rule.max_items == 0);
	cr_assert(d.options[2].rule.max_length == 16 * 6 - 1 && d.options[2].rule.max_items == 16);
	cr_assert_str_eq(d.options[2].value, "1 2");
	cr_assert(key(&d, "/config/dhcp4/codes")->rule.max_items == 16);
	cr_assert(d.options[3].rule.max_length == 8);
	cr_assert(d.options[4].rule.max_length == KV_VALUE_MAX);
	write_description(5, "  - {path: /mac, type: text, choices: [up, down], access: [read]}");
	cr_assert(description_load(scratch, &d) == 0, "%s", capture_text());
	cr_assert_str_eq(key(&d, "/mac")->rule.choices, "up down");
}

/* ARP has rates only. */
Test(description, arp_rule)
{
	static struct description d;

	write_description(9,
			  "  - {path: /ip, type: ipv4-net, access: [write]}\nframes:\n" ARP_RULE);
	cr_assert(description_load(scratch, &d) == 0, "%s", capture_text());
	cr_assert(d.n_frames == 2);
	cr_assert(d.frames[0].check == FRAME_CHECK_ARP);
	cr_assert(d.frames[0].local_port == 0 && d.frames[0].remote_port == 0);
	cr_assert(d.frames[0].max_frame == 0);
	cr_assert(d.frames[0].ingress_interval_ns == 100000000);
	cr_assert(d.frames[0].ingress_burst_ns == 2000000000);
	cr_assert(d.frames[0].egress_interval_ns == 500000000);
	cr_assert(d.frames[0].egress_burst_ns == 4000000000);
	cr_assert(d.frames[1].check == FRAME_CHECK_DHCP4);
}

struct row {
	unsigned int line;	 /* that is replaced ... */
	const char *replacement; /* ... by this */
	const char *refused;	 /* "LINE: reason" */
};

static const struct row rows[] = {
	/* form */
	{ 1, "name: [dhcp4", "2: did not find expected ',' or ']'" },
	{ 23, "  - {name: x, type: gauge, help: \"now}", "24: found unexpected end of stream" },
	{ 1, "- a", "2: did not find expected '-' indicator" },
	{ 5, "  - {path: /mac, type: \xff, access: [read]}", "5: invalid leading UTF-8 octet" },
	{ 5, "  - {path: /m\xc3\xa4, type: mac, access: [read]}",
	  "5: a value contains a byte that is not printable ASCII" },
	{ 5, "  - {path: \"/m\\0c\", type: mac, access: [read]}",
	  "5: a value contains a byte that is not printable ASCII" },
	{ 5, "  - &a {path: /mac, type: mac, access: [read]}", "5: anchors are not allowed" },
	{ 5, "  - *a", "5: aliases are not allowed" },
	{ 5, "  - !!map {path: /mac}", "5: tags are not allowed" },
	{ 5, "  - [[[[[[[[x]]]]]]]]", "5: nested too deeply" },
	{ 23, "---\nname: x", "23: more than one document" },
	/* fields */
	{ 1, "nane: dhcp4",
	  "1: unknown field \"nane\" in a description; known fields: name, "
	  "executable, limits, keys, frames, options, metrics, checks_options" },
	{ 1, "#", "2: a description has no field \"name\"" },
	{ 2, "name: again", "2: field \"name\" is repeated, first on line 1" },
	{ 2, "[a]: b", "2: a field name in a description must be plain text" },
	{ 4, "keys: {}\nx:",
	  "5: unknown field \"x\" in a description; known fields: name, "
	  "executable, limits, keys, frames, options, metrics, checks_options" },
	/* name and executable */
	{ 1, "name: [a]", "1: name must be text" },
	{ 1, "name:", "1: name is empty" },
	{ 1, "name: Dhcp", "1: name \"Dhcp\" must consist of a-z 0-9 - and begin with a letter" },
	{ 1, "name: 4dhcp", "1: name \"4dhcp\" must consist of a-z 0-9 - and begin with a letter" },
	{ 1, "name: sixteencharacter", "1: name is longer than 15 bytes" },
	{ 1, "name: 001", "1: name \"001\" must consist of a-z 0-9 - and begin with a letter" },
	{ 1, "name: supervisor",
	  "1: name \"supervisor\" is reserved for a part of calfpen itself" },
	{ 1, "name: watcher", "1: name \"watcher\" is reserved for a part of calfpen itself" },
	{ 1, "name: operator", "1: name \"operator\" is reserved for a part of calfpen itself" },
	{ 2, "executable: ../sh", "2: executable \"../sh\" must be a plain file name" },
	{ 2, "executable: proc", "2: executable \"proc\" must be a plain file name" },
	{ 2, "executable: none", "2: executable @/none: No such file or directory" },
	{ 2, "executable: data", "2: executable @/data: not executable" },
	{ 2, "executable: link", "2: executable @/link: not a regular file" },
	/* limits */
	{ 3, "limits: 3", "3: limits must be a mapping of fields" },
	{ 3, "limits: {memory: 16777216, pids: 32, requests_per_second: 200}",
	  "3: limits has no field \"request_burst\"" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "audit_bytes_per_second: 0}",
	  "3: audit_bytes_per_second must be a number from 1 to 1073741824" },
	{ 3, /* less than the longest change of one key */
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "audit_burst: 2412}",
	  "3: audit_burst must be a number from 2413 to 1073741824" },
	{ 3, "limits: {memory: 16M, pids: 32, requests_per_second: 200, request_burst: 1}",
	  "3: memory must be a number from 1048576 to 68719476736" },
	{ 3,
	  "limits:\n  memory: 16777216\n  pids: 15\n  requests_per_second: 2\n  request_burst: 1",
	  "5: pids must be a number from 16 to 1024" },
	{ 3, "limits: {memory: 16777216, pids: \"32\", requests_per_second: 2, request_burst: 1}",
	  "3: pids must be a number from 16 to 1024" },
	{ 3, "limits: {memory: 16777216, pids: 032, requests_per_second: 2, request_burst: 1}",
	  "3: pids must be a number from 16 to 1024" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 18446744073709551617, "
	  "request_burst: 1}",
	  "3: requests_per_second must be a number from 1 to 1000000" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "max_keys: 4097}",
	  "3: max_keys must be a number from 1 to 4096" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "max_bytes: 0}",
	  "3: max_bytes must be a number from 1 to 4190208" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "cpu: 101}",
	  "3: cpu must be a number from 1 to 100" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "log_bytes_per_second: 0}",
	  "3: log_bytes_per_second must be a number from 1 to 1048576" },
	{ 3,
	  "limits: {memory: 16777216, pids: 32, requests_per_second: 2, request_burst: 1, "
	  "log_burst: 2047}",
	  "3: log_burst must be a number from 2048 to 16777216" },
	/* keys */
	{ 5, "  - /mac", "5: a key must be a mapping of fields" },
	{ 5, "  - {path: /mac, type: mac}", "5: a key has no field \"access\"" },
	{ 5, "  - {path: mac, type: mac, access: [read]}",
	  "5: path \"mac\" is not canonical; use a leading slash, then 1 to 8 names of a-z 0-9 . _ -" },
	{ 5, "  - {path: /, type: mac, access: [read], count: 1}",
	  "5: path \"/\" is not canonical; use a leading slash, then 1 to 8 names of a-z 0-9 . _ -" },
	{ 5, "  - {path: /a//, type: mac, access: [read], count: 1}",
	  "5: path \"/a//\" is not canonical; use a leading slash, then 1 to 8 names of a-z 0-9 . _ "
	  "-" },
	{ 5, "  - {path: /1/2/3/4/5/6/7/8/, type: mac, access: [read], count: 1}",
	  "5: path \"/1/2/3/4/5/6/7/8/\" is not canonical; use a leading slash, then 1 to 8 names of "
	  "a-z 0-9 . _ -" },
	{ 5,
	  "  - {path: /0123456789012345678901234567890/01234567890123456789012345678/, "
	  "type: mac, access: [read], count: 1}",
	  "5: path \"/0123456789012345678901234567890/01234567890123456789012345678/\" is not "
	  "canonical; use a leading slash, then 1 to 8 names of a-z 0-9 . _ -" },
	{ 6, "  - {path: /mac, type: mac, access: [read]}", "6: path \"/mac\" is repeated" },
	{ 5, "  - {path: /, type: mac, access: [write], count: 1}",
	  "5: path \"/\" is not canonical; use a leading slash, then 1 to 8 names of a-z 0-9 . _ -" },
	{ 5, "  - {path: /mac, type: macc, access: [read]}",
	  "5: type \"macc\" is not one of: text, hex, mac, ipv4, ipv4-net, ipv6, ip, ipv6-lease, "
	  "ipv6-prefix, gateway6, route6, u8, u16, u32, u64, s32, s64, lifetime, hostname, host, "
	  "domain-list, route, uri, numbered-hex" },
	{ 5, "  - {path: /mac, type: mac, access: read}", "5: access must be a list" },
	{ 5, "  - {path: /mac, type: mac, access: []}", "5: access is empty" },
	{ 5, "  - {path: /mac, type: mac, access: [read, read]}",
	  "5: access \"read\" is repeated" },
	{ 5, "  - {path: /mac, type: mac, access: [list]}",
	  "5: access \"list\" is not one of: read, write, delete, watch" },
	{ 5, "  - path: /mac\n    type: mac\n    access: [write, watch]",
	  "7: access \"watch\" requires \"read\"" },
	{ 5, "  - {path: /mac, type: mac, access: [read], persistent: yes}",
	  "5: persistent must be true or false" },
	{ 5, "  - {path: /mac, type: mac, access: [read], count: 2}",
	  "5: count is allowed for directories only" },
	{ 7, "  - {path: /nameserver/, type: ipv4, access: [write]}",
	  "7: directory \"/nameserver/\" has no field \"count\"" },
	{ 7, "  - {path: /nameserver/, type: ipv4, count: 4097, access: [write]}",
	  "7: count must be a number from 1 to 4096" },
	{ 7, "  - {path: /nameserver/, type: ipv4, count: 4094, access: [write]}",
	  "8: the keys up to here add up to more than 4096" },
	{ 7, "  - {path: /nameserver/, type: ipv4, count: 4093, access: [write]}",
	  "19: the keys up to here add up to more than 4096" },
	{ 5, "  - {path: /mac, type: mac, min: 1, access: [read]}",
	  "5: min is allowed for numbers and numbered-hex only" },
	{ 5, "  - {path: /mac, type: ipv6, max: 1, access: [read]}",
	  "5: max is allowed for numbers and numbered-hex only" },
	{ 5, "  - {path: /mac, type: u8, max: 256, access: [read]}",
	  "5: max must be a number from 0 to 255" },
	{ 5, "  - {path: /mac, type: u64, max: 18446744073709551616, access: [read]}",
	  "5: max must be a number from 0 to 18446744073709551615" },
	{ 5, "  - {path: /mac, type: u64, min: -1, access: [read]}",
	  "5: min must be a number from 0 to 9223372036854775807" },
	{ 5, "  - {path: /mac, type: s32, min: -2147483649, access: [read]}",
	  "5: min must be a number from -2147483648 to 2147483647" },
	{ 5, "  - {path: /mac, type: s32, min: -5, max: -6, access: [read]}",
	  "5: max must be a number from -5 to 2147483647" },
	{ 5, "  - {path: /mac, type: s64, max: \"5\", access: [read]}",
	  "5: max must be a number from -9223372036854775808 to 9223372036854775807" },
	{ 6, "  - {path: /mtu, type: u16, max: 65536, access: [read]}",
	  "6: max must be a number from 0 to 65535" },
	{ 6, "  - {path: /mtu, type: u16, min: 576, max: 575, access: [read]}",
	  "6: max must be a number from 576 to 65535" },
	{ 8, "  - {path: /domain, type: hostname, max_length: 1024, access: [write]}",
	  "8: max_length must be a number from 1 to 253" },
	/* frames */
	{ 10, "  - check: udp", "10: check \"udp\" is not one of: dhcp4, arp" },
	{ 10, "  - check: arp", "11: \"local_port\" is not allowed with check: arp" },
	{ 11, "    # none", "10: a frame rule has no field \"local_port\"" },
	{ 13, "", "10: a frame rule has no field \"max_frame\"" },
	{ 9, "frames:\n" ARP_RULE "\n" ARP_RULE, "11: check and local_port are repeated" },
	{ 9,
	  "frames:\n  - {check: arp, ingress_per_second: 1, ingress_burst: 1, max_frame: 64, "
	  "egress_per_second: 1, egress_burst: 1}",
	  "10: \"max_frame\" is not allowed with check: arp" },
	{ 9, "frames:\n" ARP_RULE, "10: check: arp is for the calf that may write \"/ip\" only" },
	{ 9, "  - {path: /ip, type: ipv4-net, access: [read, delete]}\nframes:\n" ARP_RULE,
	  "11: check: arp is for the calf that may write \"/ip\" only" },
	{ 11, "    local_port: 65536", "11: local_port must be a number from 1 to 65535" },
	{ 13, "    max_frame: 1515", "13: max_frame must be a number from 64 to 1514" },
	{ 16, "    egress_per_second: 0",
	  "16: egress_per_second must be a number from 1 to 1000000" },
	{ 17, "", "10: a frame rule has no field \"egress_burst\"" },
	/* options */
	{ 19, "  - {name: host name, type: hostname}",
	  "19: option name \"host name\" must consist of a-z 0-9 . _ -" },
	{ 19, "  - {name: wait, type: hostname}", "20: option \"wait\" is repeated" },
	{ 20, "  - {name: wait, type: u32, min: 1, max: 60, default: 61}",
	  "20: default \"61\" is not a valid u32" },
	{ 20, "  - {name: wait, type: text, max_length: 2, default: abc}",
	  "20: default is longer than 2 bytes" },
	{ 20, "  - {name: wait, type: text, default: [a]}", "20: default must be text" },
	{ 20, "  - {name: wait, type: hex, choices: [off, none], default: of}",
	  "20: default \"of\" is not a valid hex" },
	{ 20, "  - {name: wait, type: hex, choices: []}", "20: choices is empty" },
	{ 20, "  - {name: wait, type: hex, choices: off}", "20: choices must be a list" },
	{ 20, "  - {name: wait, type: hex, choices: [\"a b\"]}",
	  "20: choice \"a b\" contains a blank" },
	{ 20,
	  "  - {name: wait, type: text, choices: [012345678901234567890123456789012,\n"
	  "      012345678901234567890123456789]}",
	  "21: the choices are longer than 63 bytes" },
	{ 20, "  - {name: wait, type: ipv4, items: 0}",
	  "20: items must be a number from 1 to 255" },
	{ 20, "  - {name: wait, type: numbered-hex, min: 0}",
	  "20: min must be a number from 1 to 4294967295" },
	{ 20, "  - {name: wait, type: u16, reserved: {1: no}}",
	  "20: reserved is allowed for numbered-hex only" },
	{ 20, "  - {name: wait, type: numbered-hex, max: 9, reserved: [1]}",
	  "20: reserved must be a mapping of fields" },
	{ 20, "  - {name: wait, type: numbered-hex, max: 9, reserved: {3-2: no}}",
	  "20: reserved number \"3-2\" is not a number from 1 to 9, or two with a - in between" },
	{ 20, "  - {name: wait, type: numbered-hex, max: 9, reserved: {1-10: no}}",
	  "20: reserved number \"1-10\" is not a number from 1 to 9, or two with a - in between" },
	{ 20, "  - {name: wait, type: numbered-hex, max: 9, reserved: {1: [no]}}",
	  "20: reason must be text" },
	{ 20, "  - {name: wait, type: u16, items: 2, default: \"1 2 3\"}",
	  "20: default \"1 2 3\" is not a valid u16" },
	/* metrics */
	{ 22, "  - {name: 1st, type: counter, help: x}",
	  "22: metric name \"1st\" must consist of a-z A-Z 0-9 _ : and not begin with a digit" },
	{ 22, "  - {name: \"a:state\", type: counter, help: x}",
	  "23: metric \"a:state\" is repeated" },
	{ 22, "  - {name: x, type: histogram, help: x}",
	  "22: type \"histogram\" is not one of: counter, gauge" },
	{ 22, "  - {name: x, type: counter}", "22: a metric has no field \"help\"" },
};

/* "DIR/calf.yaml:" and the reason, '@' in it replaced by the directory. */
static const char *expected(const char *refused)
{
	static char text[1024];
	const char *at = strchr(refused, '@');

	if (at == NULL)
		snprintf(text, sizeof(text), "%s/%s:%s\n", scratch, DESCRIPTION_FILE, refused);
	else
		snprintf(text, sizeof(text), "%s/%s:%.*s%s%s\n", scratch, DESCRIPTION_FILE,
			 (int)(at - refused), refused, scratch, at + 1);
	return text;
}

Test(description, refused)
{
	static struct description d;
	char link[256];

	snprintf(link, sizeof(link), "%s/link", scratch);
	cr_assert(symlink("calf-dhcp4", link) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_description(rows[i].line, rows[i].replacement);
		capture_begin();
		d.n_keys = 77;
		cr_expect(description_load(scratch, &d) == -EINVAL, "accepted: %s",
			  rows[i].replacement);
		cr_expect_str_eq(capture_text(), expected(rows[i].refused));
		cr_expect(d.n_keys == 77, "written on failure");
	}
}

Test(description, not_readable)
{
	static struct description d;
	char text[256];

	cr_assert(description_load("/nonexistent/calf", &d) == -ENOENT);
	cr_assert_str_eq(capture_text(),
			 "/nonexistent/calf: not a calf directory: No such file or directory\n");
	capture_begin();
	cr_assert(description_load(scratch, &d) == -ENOENT);
	snprintf(text, sizeof(text), "%s/calf.yaml: No such file or directory\n", scratch);
	cr_assert_str_eq(capture_text(), text);
	capture_begin();
	scratch_write(DESCRIPTION_FILE, "# nothing\n", 10, 0644);
	cr_assert(description_load(scratch, &d) == -EINVAL);
	snprintf(text, sizeof(text), "%s/calf.yaml:1: the file is empty\n", scratch);
	cr_assert_str_eq(capture_text(), text);
}

Test(description, too_large)
{
	static struct description d;
	static char text[65537];
	char reason[256];

	memset(text, '#', sizeof(text));
	scratch_write(DESCRIPTION_FILE, text, sizeof(text), 0644);
	cr_assert(description_load(scratch, &d) == -EFBIG);
	snprintf(reason, sizeof(reason), "%s/calf.yaml: larger than 65536 bytes\n", scratch);
	cr_assert_str_eq(capture_text(), reason);
}

/* Any cut of a good file is refused or accepted, never worse. */
Test(description, truncated)
{
	static struct description d;
	char text[8192];
	size_t size = 0;

	for (unsigned int i = 0; i < N_GOOD_LINES; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s\n", good[i]);
	for (size_t cut = 0; cut < size; cut += 3) {
		int r;

		scratch_write(DESCRIPTION_FILE, text, cut, 0644);
		capture_begin();
		r = description_load(scratch, &d);
		cr_expect((r == 0) == (capture_text()[0] == '\0'), "cut at %zu", cut);
	}
}
