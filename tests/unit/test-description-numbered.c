/* SPDX-License-Identifier: Apache-2.0 */
/* An option that is a mapping of numbers to octets, in the operator's file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/description/configuration.h"

static struct description description;
static struct options options;
static struct configuration configuration;

static void setup(void)
{
	scratch_make();
	options.mode = -1;
	options.quarantine_s = -1;
	snprintf(options.configuration, sizeof(options.configuration), "%s", scratch_path("x"));
	description = (struct description){
		.directory = "/calf",
		.options = { { .name = "send",
			       .rule = { .type = VALUE_NUMBERED_HEX,
					 .min = 1,
					 .max = 254,
					 .max_length = 100 },
			       .reserved = { { 12, 12, "use hostname" },
					     { 50, 59, "part of the protocol" } },
			       .n_reserved = 2 } },
		.n_options = 1,
		.name = "a",
	};
}

static void teardown(void)
{
	configuration_deinit(&configuration);
	scratch_remove();
}

TestSuite(numbered, .init = setup, .fini = teardown);

static int load(const char *text)
{
	scratch_write("x", text, strlen(text), 0600);
	capture_begin();
	configuration_deinit(&configuration);
	return configuration_load(&options, &description, 1, &configuration);
}

Test(numbered, U49_text_hex_and_addresses)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "{43: hex:0104deadbeef}", "43:0104deadbeef" },
		{ "{43: \"hex:0104DEADbeef\"}", "43:0104deadbeef" },
		{ "{60: text:a b:c}", "60:6120623a63" },
		{ "{60: \"text: \"}", "60:20" },
		{ "{118: address:192.0.2.0}", "118:c0000200" },
		{ "{3: \"address:192.0.2.1 255.255.255.255\"}", "3:c0000201ffffffff" },
		{ "{80: \"hex:\"}", "80:" },
		{ "{254: \"hex:00\", 1: text:hex:00, 43: \"text:text:\"}",
		  "1:6865783a3030 43:746578743a 254:00" },
		{ "{\"43\": hex:00}", "43:00" },
		{ "\n    43: hex:01\n    11: text:x", "11:78 43:01" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "calves:\n a:\n  send: %s\n", rows[i].text);
		cr_assert_eq(load(text), 0, "%s: %s", rows[i].text, capture_text());
		cr_assert_eq(configuration.n_options, 1);
		cr_assert_str_eq(configuration.options[0].value, rows[i].value, "%s", rows[i].text);
	}
}

/* With the file and the line, and what to do instead. */
Test(numbered, U49_refused_with_its_line)
{
#define KINDS "is not text:TEXT, hex:DIGITS or address:ADDRESS"
	static const struct {
		const char *text, *refused;
	} rows[] = {
		{ "43: hex:00\n    12: text:x",
		  "5: option \"send\": 12 is not allowed: use hostname" },
		{ "50: hex:00", "4: option \"send\": 50 is not allowed: part of the protocol" },
		{ "59: hex:00", "4: option \"send\": 59 is not allowed: part of the protocol" },
		{ "0: hex:00", "4: option \"send\": \"0\" is not a number from 1 to 254" },
		{ "255: hex:00", "4: option \"send\": \"255\" is not a number from 1 to 254" },
		{ "043: hex:00", "4: option \"send\": \"043\" is not a number from 1 to 254" },
		{ "0x2b: hex:00", "4: option \"send\": \"0x2b\" is not a number from 1 to 254" },
		{ "43: hex:00\n    43: hex:01", "5: \"43\" is repeated, first on line 4" },
		{ "43: abc", "4: option \"send\": 43: \"abc\" " KINDS },
		{ "43: hex:0", "4: option \"send\": 43: \"hex:0\" " KINDS },
		{ "43: hex:0x00", "4: option \"send\": 43: \"hex:0x00\" " KINDS },
		{ "43: hex:00 01", "4: option \"send\": 43: \"hex:00 01\" " KINDS },
		{ "43: \"text:\"", "4: option \"send\": 43: \"text:\" " KINDS },
		{ "43: \"address:\"", "4: option \"send\": 43: \"address:\" " KINDS },
		{ "43: address:192.0.2", "4: option \"send\": 43: \"address:192.0.2\" " KINDS },
		{ "43: \"address:192.0.2.1 \"",
		  "4: option \"send\": 43: \"address:192.0.2.1 \" " KINDS },
		{ "43: u8:1", "4: option \"send\": 43: \"u8:1\" " KINDS },
		{ "43: [1, 2]", "4: send must be text" },
		{ "43:", "4: send is empty" },
		{ "43: text:01234567890123456789012345678901234567890123456789",
		  "4: option \"send\": the values are too long together" },
	};
	char expected[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "calves:\n a:\n  send:\n    %s\n", rows[i].text);
		cr_expect_eq(load(text), -EINVAL, "accepted: %s", rows[i].text);
		snprintf(expected, sizeof(expected), "%s:%s\n", scratch_path("x"), rows[i].refused);
		cr_expect_str_eq(capture_text(), expected);
	}
	snprintf(expected, sizeof(expected), "%s:1: send must be a mapping of fields\n",
		 scratch_path("x"));
	cr_expect_eq(load("calves: {a: {send: \"43:00\"}}\n"), -EINVAL);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect_eq(load("calves: {a: {send: {}}}\n"), -EINVAL);
	cr_expect(strstr(capture_text(), ":1: send is empty\n"));
}

/* Whatever fits into a value of the store, and no more. */
Test(numbered, U49_as_long_as_a_value)
{
	char text[KV_VALUE_SIZE + 64];
	int size;

	description.options[0].rule.max_length = KV_VALUE_MAX;
	for (int n = 500; n <= 520; n++) {
		bool fits = 3 + 2 * n <= KV_VALUE_MAX;

		size = snprintf(text, sizeof(text), "calves: {a: {send: {43: \"text:");
		memset(text + size, 'x', (size_t)n);
		memcpy(text + size + n, "\"}}}", 5);
		cr_expect_eq(load(text), fits ? 0 : -EINVAL, "%d", n);
	}
}
