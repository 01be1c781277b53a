/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are no values of their type, for everyone who has to refuse them: the parsers,
 * the gateway, the handlers. Numbers are wrong for a rule with all the bounds of their type.
 */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_WRONG_VALUES_H
#define CALFPEN_TESTS_UNIT_SUPPORT_WRONG_VALUES_H

#define WRONG_L63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"

/* Wrong wherever an address of either family is expected. */
#define WRONG_ADDRESSES(_before, _after)                                                    \
	_before "" _after, _before ":" _after, _before ":::" _after, _before "::::" _after, \
		_before "1" _after, _before "1:" _after, _before ":1" _after,               \
		_before ":1::" _after, _before "1:::2" _after, _before "1::2::3" _after,    \
		_before "::1::" _after, _before "2001:DB8::1" _after,                       \
		_before "2001:db8::A" _after, _before "2001:0db8::1" _after,                \
		_before "2001:db8::0001" _after, _before "2001:db8::01" _after,             \
		_before "2001:db8::00" _after, _before "2001:db8::0" _after,                \
		_before "2001:db8:0:0:0:0:0:1" _after, _before "2001:db8:0:0::1" _after,    \
		_before "2001:db8::0:1" _after, _before "2001:db8::1:1:1:1:1" _after,       \
		_before "2001::1:0:0:0:1:1" _after, _before "2001:0:0:1:0:0:0:1" _after,    \
		_before "::1:0:0:0:0" _after, _before "0:0:0:0:0:0:0:0" _after,             \
		_before "0::" _after, _before "::0" _after, _before "1:2:3:4:5:6:7" _after, \
		_before "1:2:3:4:5:6:7:8:9" _after, _before "1:2:3:4:5:6:7:8::" _after,     \
		_before "::1:2:3:4:5:6:7:8" _after, _before "1:2:3:4:5:6:7::8" _after,      \
		_before "1:2:3:4:5:6:7:" _after, _before ":2:3:4:5:6:7:8" _after,           \
		_before "12345::" _after, _before "2001:db8::12345" _after,                 \
		_before "2001:db8::g" _after, _before "fe80::1%eth0" _after,                \
		_before "fe80::1%2" _after, _before "::ffff:102:304" _after,                \
		_before "::ffff:0:0" _after, _before "::ffff:1.2.3.4" _after,               \
		_before "::1.2.3.4" _after, _before "64:ff9b::192.0.2.33" _after,           \
		_before " ::1" _after, _before "::1 " _after, _before "::1\t" _after,       \
		_before "::1\n" _after, _before "[::1]" _after, _before "::1/128" _after,   \
		_before "2001:db8::1,2001:db8::2" _after, _before "2001:db8::-1" _after,    \
		_before "2001.db8::1" _after, _before "0x1::" _after

/* Wrong for every type of numbers. */
#define WRONG_NUMBERS                                                                              \
	"", "-", "+", "+1", "--1", "-0", "00", "01", "-01", " 1", "1 ", "1 2", "1,0", "1.0",       \
		"1e3", "0x1", "0b1", "1_0", "a", "1a", "a1", "1-", "1/2", "#1", "\t1", "1\n",      \
		"'1'", "\"1\"", "1:1", "infinite", "nan", "true", "-a", "- 1", "1+1", "0-1", "1%", \
		"\xc2\xb2", "1\x7f", "99999999999999999999", "-9223372036854775809",               \
		"18446744073709551616", "-18446744073709551615", "184467440737095516150"

/* Wrong for every name of a host. */
#define WRONG_NAMES                                                                              \
	"", ".", "..", "host.", ".host", "a..b", "-a", "a-", "a-.b", "a.-b", "a_b", "_a", "a b", \
		" a", "a ", "a\t", "a\n", "a\nnameserver 192.0.2.66", "a\r", "a;b", "a#", "a,b", \
		"a/b", "a:b", "a@b", "a!", "a\\b", "a\"", "'a'", "$(reboot)", "`reboot`", "a&b", \
		"a|b", "a%b", "a*", "a?", "(a)", "[a]", "{a}", "\xc3\xa9.example", "a\x7f",      \
		"\x1b[2J", "\001", WRONG_L63 "4",                                                \
		WRONG_L63 "." WRONG_L63 "." WRONG_L63 "." WRONG_L63

static const char *const wrong_ipv6[] = {
	WRONG_ADDRESSES("", ""),
	"1.2.3.4",
};

static const char *const wrong_ip[] = {
	WRONG_ADDRESSES("", ""),
	"1.2.3.04",
	"1.2.3.4/32",
	"1.2.3",
	"1.2.3.256",
	"1.2.3.4.5",
	"1.2.3.4 ",
	" 1.2.3.4",
	"1.2.3.+4",
};

static const char *const wrong_ipv6_lease[] = {
	WRONG_ADDRESSES("", "/64 1 2"),
	"2001:db8::1 3600 7200",
	"2001:db8::1/0 3600 7200",
	"2001:db8::1/064 3600 7200",
	"2001:db8::1/129 3600 7200",
	"2001:db8::1/-1 3600 7200",
	"2001:db8::1/ 3600 7200",
	"2001:db8::1//64 3600 7200",
	"2001:db8::1/64",
	"2001:db8::1/64 ",
	"2001:db8::1/64 3600",
	"2001:db8::1/64 3600 ",
	"2001:db8::1/64  3600 7200",
	"2001:db8::1/64 3600  7200",
	"2001:db8::1/64 3600 7200 ",
	"2001:db8::1/64 3600 7200 1",
	"2001:db8::1/64 7200 3600",
	"2001:db8::1/64 infinite 7200",
	"2001:db8::1/64 Infinite infinite",
	"2001:db8::1/64 3600 infinit",
	"2001:db8::1/64 3600 infinitely",
	"2001:db8::1/64 03600 7200",
	"2001:db8::1/64 3600 4294967295",
	"2001:db8::1/64 -1 7200",
	"2001:db8::1/64 1h 2h",
	"::/64 3600 7200",
	"::1/128 3600 7200",
	"ff02::1/64 3600 7200",
	"1.2.3.4/24 3600 7200",
	"",
	"/",
	"64",
	"2001:db8::1/64 3600 7200\n",
	"2001:db8::1/64\t3600 7200",
	" 2001:db8::1/64 3600 7200",
	"2001:db8::1/64 3600 4294967296",
	"2001:db8::1/6a 3600 7200",
	"2001:db8::1/+64 3600 7200",
	"2001:db8::1 /64 3600 7200",
	"2001:db8::1/ 64 3600 7200",
	"2001:db8::1/64 3600,7200",
	"2001:db8::1/64 forever forever",
	"2001:db8::1/64 0x10 0x20",
	"2001:db8::1/64 1.5 2.5",
	"2001:db8::1%eth0/64 3600 7200",
};

static const char *const wrong_ipv6_prefix[] = {
	WRONG_ADDRESSES("", "/64 1 2"),
	"2001:db8::1/64 3600 7200",
	"2001:db8:0:8000::/48 3600 7200",
	"2001:db8::ff/127 1 1",
	"2001:db8::/28 1 1",
	"4000::/1 1 1",
	"::/0 1 1",
	"2001:db8::/32 2 1",
	"2001:db8::/32 1",
	"",
	"2001:db8::/32",
	"2001:db8:: 1 1",
	"2001:db8::/32 1 1 ",
	" 2001:db8::/32 1 1",
	"2001:db8::/32  1 1",
	"2001:db8::/32 1  1",
	"2001:db8::/32 infinite 1",
	"2001:db8::/32 01 1",
	"2001:db8::/032 1 1",
	"2001:db8::/33.0 1 1",
	"2001:db8::/129 1 1",
	"fe80::/8 1 1",
	"ff00::/8 1 1",
	"ff02::/16 1 1",
	"::/1 1 1",
	"::1/128 1 1",
	"2001:db8::/32 1 1\n",
	"2001:db8::/32 1 -1",
	"10.0.0.0/8 1 1",
	"2001:db8::/32 4294967295 4294967295",
};

static const char *const wrong_gateway6[] = {
	WRONG_ADDRESSES("", " high 1"),
	"fe80::1",
	"fe80::1 medium",
	"fe80::1 medium ",
	"fe80::1 1800",
	"fe80::1 Medium 1800",
	"fe80::1 mediu 1800",
	"fe80::1 mediums 1800",
	"fe80::1 high low 1800",
	"fe80::1  high 1800",
	"fe80::1 high  1800",
	"fe80::1 high 1800 ",
	"fe80::1 high 01800",
	"fe80::1/64 high 1800",
	":: high 1800",
	"::1 high 1800",
	"ff02::2 high 1800",
	"",
	"high 1800",
	"fe80::1 high",
	"fe80::1 HIGH 1800",
	"fe80::1 0 1800",
	"fe80::1 high -1",
	"fe80::1 high 4294967295",
	"fe80::1 high infinit",
	"fe80::1 high 1 2",
	"fe80::1 high\t1800",
	"fe80::1 high 1800\n",
	" fe80::1 high 1800",
	"fe80::1, high 1800",
	"fe80::1 reserved 1800",
	"fe80::1 high 1h",
	"ff00:: low 1",
	"192.0.2.1 high 1800",
	"via fe80::1 high 1800",
	"fe80::1 highlow 1800",
	"fe80::1 low 0x10",
};

static const char *const wrong_route6[] = {
	WRONG_ADDRESSES("2001:db8::/32 via ", " high 1"),
	WRONG_ADDRESSES("", "/128 via fe80::1 high 1"),
	"2001:db8::1/64 via fe80::1 medium 1800",
	"2001:db8::1/0 via fe80::1 medium 1800",
	"2001:db8::/32 fe80::1 medium 1800",
	"2001:db8::/32  via fe80::1 medium 1800",
	"2001:db8::/32 via  fe80::1 medium 1800",
	"2001:db8::/32 via fe80::1 medium",
	"2001:db8::/32 via fe80::1",
	"2001:db8::/32 onlink",
	"2001:db8:: via fe80::1 medium 1800",
	"2001:db8::/32 via :: medium 1800",
	"2001:db8::/129 via fe80::1 medium 1800",
	"",
	"via fe80::1 medium 1800",
	"2001:db8::/32 via",
	"2001:db8::/32 VIA fe80::1 medium 1800",
	"2001:db8::/32 via fe80::1 medium 1800 ",
	" 2001:db8::/32 via fe80::1 medium 1800",
	"2001:db8::/32 via fe80::1 medium 01800",
	"2001:db8::/32 via fe80::1 1800",
	"2001:db8::/032 via fe80::1 medium 1800",
	"2001:db8::/32 via ::1 medium 1800",
	"2001:db8::/32 via ff02::2 medium 1800",
	"2001:db8::/32 via fe80::1 medium 1800\n",
	"2001:db8::/32 dev eth0 medium 1800",
	"::1/0 via fe80::1 medium 1800",
	"0.0.0.0/0 via fe80::1 medium 1800",
	"::/0 via 192.0.2.1 medium 1800",
	"::/ via fe80::1 medium 1800",
	"::/-1 via fe80::1 medium 1800",
	"2001:db8::/32,via fe80::1 medium 1800",
};

static const char *const wrong_u8[] = {
	WRONG_NUMBERS, "-1", "256", "1000", "65535", "4294967296",
};

static const char *const wrong_s32[] = {
	WRONG_NUMBERS, "-2147483649", "2147483648", "4294967295", "9223372036854775807",
};

static const char *const wrong_s64[] = {
	WRONG_NUMBERS,
	"9223372036854775808",
	"18446744073709551615",
};

static const char *const wrong_u64[] = {
	WRONG_NUMBERS,
	"-1",
	"-9223372036854775808",
};

static const char *const wrong_hostname[] = {
	WRONG_NAMES,
};

static const char *const wrong_host[] = {
	WRONG_NAMES,
	WRONG_ADDRESSES("", ""),
	"192.0.2.01",
	"192.0.2.256",
	"192.0.2",
	"4",
	"a.4",
	"a.0x4.",
	"256.256.256.256",
	"1.2.3.4.5",
	"127.1",
	"192.0.2.1/32",
	"192.0.2.1:123",
};

static const char *const wrong_domain_list[] = {
	"",
	".",
	"..",
	" ",
	"a  b",
	"a b ",
	" a",
	"a b. c",
	".a b",
	"a ..",
	"a -b",
	"a b-",
	"a,b",
	"a;",
	"a;b c",
	"a b;",
	"a b#",
	"a_b\nnameserver",
	"a_b#",
	"a b\n",
	"a\nnameserver 192.0.2.66",
	"a\tb",
	"a b\t",
	"a b\r",
	"-a b_c",
	"a b\\c",
	"a \"b\"",
	"a 'b'",
	"a $(reboot)",
	"a `b`",
	"a/b",
	"a b:c",
	"a@b",
	"a !",
	"a *",
	"a b?",
	"a (b)",
	"a [b]",
	"a {b}",
	"a \xc3\xa9",
	"a b\x7f",
	"a \x1b[2J",
	"a \001",
	"a " WRONG_L63 "4",
	"a " WRONG_L63 "." WRONG_L63 "." WRONG_L63 "." WRONG_L63,
};

static const char *const wrong_uri[] = {
	"",
	".",
	":",
	"//",
	" ",
	"example.org",
	"example.org/x",
	"//example.org",
	"/etc/passwd",
	"1http://x",
	"+http://x",
	"-a:b",
	"http",
	"http:",
	"http://a b",
	" http://a",
	"http://a ",
	"http://a\t",
	"http://a\n",
	"http://a\nb",
	"http://a\r\n",
	"http://\"",
	"http://<a>",
	"http://a\\b",
	"http://a^b",
	"http://a`b",
	"http://a{b",
	"http://a|b",
	"http://a}",
	"http://%",
	"http://%2",
	"http://%zz",
	"http://%2g",
	"http://a%",
	"http://a%a",
	"ht tp://a",
	"ht_tp://a",
	"h%74tp://a",
	"http//a",
	"\xc3\xa9://a",
	"http://\xc3\xa9",
	"http://a\x7f",
	"http://\001",
	"http://a\x1b[2J",
	"\thttp://a",
};

#endif
