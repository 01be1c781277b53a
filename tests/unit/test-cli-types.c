/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "userspace/cli/types.h"

static const char *flaw(const char *json, const char *path, const char *value)
{
	static char text[CLI_FLAW_SIZE];
	json_t *state = json ? json_loads(json, 0, NULL) : NULL;
	struct cli_types types;
	const char *flaw;

	cr_assert_eq(state != NULL, json != NULL);
	cli_types_init(&types, state);
	flaw = cli_types_flaw(&types, path, value, strlen(value), text);
	cli_types_deinit(&types);
	json_decref(state);
	return flaw ? flaw : "";
}

#define KEY(_path, _type, _rest) \
	"{\"path\": \"" _path "\", \"type\": \"" _type "\", \"min\": 576, \"max\": 1500, " _rest "}"
#define CHOICES(_words) "\"max_length\": 18, \"choices\": \"" _words "\""
#define STATE(_keys) "{\"calves\": [{}, {\"keys\": [" _keys "]}]}"

Test(cli_types, values)
{
	static const char state[] = STATE(
		KEY("/ip", "ipv4-net", CHOICES("")) "," KEY("/mtu", "u16", CHOICES("")) "," KEY(
			"/ntp/", "ipv4", CHOICES("")) "," KEY("/link", "text", CHOICES("up down")));

	cr_expect_str_eq(flaw(state, "/ip", "192.0.2.1/24"), "");
	cr_expect_str_eq(flaw(state, "/ip", "999.1.2.3/99 zz"), "not a valid ipv4-net");
	cr_expect_str_eq(flaw(state, "/ip", "much longer than a value can be"),
			 "not a valid ipv4-net");
	cr_expect_str_eq(flaw(state, "/mtu", "1500"), "");
	cr_expect_str_eq(flaw(state, "/mtu", "575"), "not a valid u16");
	cr_expect_str_eq(flaw(state, "/ntp/001", "%n"), "not a valid ipv4");
	cr_expect_str_eq(flaw(state, "/ntp/001/x", "%n"), "", "not known");
	cr_expect_str_eq(flaw(state, "/link", "up"), "");
	cr_expect_str_eq(flaw(state, "/link", "u"), "not a valid text");
	cr_expect_str_eq(flaw(state, "/other", "x"), "", "not known");
	cr_expect_str_eq(flaw(NULL, "/ip", "x"), "", "no state");
}

#define BOUNDS(_type, _min, _max)                                                       \
	"{\"path\": \"/n\", \"type\": \"" _type "\", \"min\": " _min ", \"max\": " _max \
	", \"max_length\": 20, \"choices\": \"\"}"

Test(cli_types, bounds)
{
	static const char u64[] = STATE(BOUNDS("u64", "5", "\"18446744073709551615\""));
	static const char s64[] = STATE(BOUNDS("s64", "-7", "-5"));

	cr_expect_str_eq(flaw(u64, "/n", "18446744073709551615"), "");
	cr_expect_str_eq(flaw(u64, "/n", "4"), "not a valid u64");
	cr_expect_str_eq(flaw(s64, "/n", "-5"), "");
	cr_expect_str_eq(flaw(s64, "/n", "-4"), "not a valid s64");
	cr_expect_str_eq(flaw(STATE(BOUNDS("u64", "0", "\"x\"")), "/n", "x"), "", "not known");
	cr_expect_str_eq(flaw(STATE(BOUNDS("u64", "0", "1.5")), "/n", "x"), "", "not known");
	cr_expect_str_eq(flaw(STATE(BOUNDS("u64", "\"0\"", "1")), "/n", "x"), "", "not known");
}

/* What another version wrote, or nobody, is not known. */
Test(cli_types, other_states)
{
	static const char *const states[] = {
		"{}",
		"[]",
		"{\"calves\": {}}",
		"{\"calves\": [1]}",
		STATE("1"),
		STATE("{\"path\": \"/ip\"}"),
		STATE(KEY("/ip", "ipv9", CHOICES(""))),
		STATE(KEY("/ip", "ipv4", "\"max_length\": 1024, \"choices\": \"\"")),
		STATE(KEY("/ip", "ipv4", "\"max_length\": -1, \"choices\": \"\"")),
		STATE(KEY(
			"/ip", "ipv4",
			CHOICES("0123456789012345678901234567890123456789012345678901234567890123"))),
		STATE(KEY("/ip/0123456789012345678901234567890123456789012345678901234567890123",
			  "ipv4", CHOICES(""))),
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		cr_expect_str_eq(flaw(states[i], "/ip", "x"), "", "%s", states[i]);
}
