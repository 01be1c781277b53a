/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong state.json files: each is refused with one line. */
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "userspace/state/state.h"

TestSuite(common_state, .init = scratch_make, .fini = scratch_remove);

static char error[STATE_ERROR_SIZE];

static json_t *load(const char *text)
{
	scratch_write_text(STATE_FILE, text, 0600);
	return state_load(scratch_path(STATE_FILE), error);
}

/* What the error says behind the path. */
static const char *refused(const char *text)
{
	size_t length = strlen(scratch_path(STATE_FILE));

	cr_assert_null(load(text));
	cr_assert_eq(strncmp(error, scratch_path(STATE_FILE), length), 0, "%s", error);
	cr_assert_null(strchr(error, '\n'));
	return error + length;
}

Test(common_state, version_1_is_read)
{
	json_t *state = load("{\"version\": 1, \"pid\": 5, \"a new member\": []}");

	cr_assert_not_null(state);
	cr_expect_str_eq(error, "");
	cr_expect_eq(json_integer_value(json_object_get(state, STATE_PID)), 5);
	json_decref(state);
}

Test(common_state, no_file_is_no_error)
{
	memset(error, 'x', sizeof(error));
	cr_assert_null(state_load(scratch_path("absent"), error));
	cr_expect_str_eq(error, "");
}

Test(common_state, other_versions)
{
	cr_expect_str_eq(refused("{\"version\": 7, \"pid\": 5}"),
			 ": version 7, this calfpen reads version 1");
	cr_expect_str_eq(refused("{\"version\": 0}"), ": version 0, this calfpen reads version 1");
	cr_expect_str_eq(refused("{\"version\": -1}"),
			 ": version -1, this calfpen reads version 1");
	cr_expect_str_eq(refused("{\"version\": 4294967297}"),
			 ": version 4294967297, this calfpen reads version 1");
	cr_expect_str_eq(refused("{\"pid\": 5}"), ": no version, this calfpen reads version 1");
	cr_expect_str_eq(refused("{\"version\": \"1\"}"),
			 ": no version, this calfpen reads version 1");
	cr_expect_str_eq(refused("{\"version\": 1.0}"),
			 ": no version, this calfpen reads version 1");
}

Test(common_state, damaged)
{
	static const char *const texts[] = {
		"",
		"{",
		"{\"version\": 1",
		"{\"version\": 1}{",
		"{\"version\": 1, \"version\": 1}",
		"{\"version\": 99999999999999999999}",
		"\x1b[31m",
		"{\"version\": 1, \"\x1b\n\": \"\xff\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(strncmp(refused(texts[i]), ":1: not JSON: ", 14), 0, "%s", error);
	cr_expect_str_eq(refused("[{\"version\": 1}]"), ": not a JSON object");
	cr_expect_eq(strncmp(refused("{\n\"version\":\n]"), ":3: not JSON: ", 14), 0, "%s", error);
	for (const char *c = error; *c; c++)
		cr_expect(*c >= 0x20 && *c <= 0x7e);
}

Test(common_state, not_a_file_of_this_size)
{
	char *text = malloc(STATE_SIZE_MAX + 1);

	memset(text, ' ', STATE_SIZE_MAX);
	text[STATE_SIZE_MAX] = '\0';
	cr_expect_str_eq(refused(text), ": larger than 1048575 bytes");
	free(text);
	cr_assert_eq(mkdir(scratch_path("directory"), 0700), 0);
	cr_assert_null(state_load(scratch_path("directory"), error));
	cr_expect_not_null(strstr(error, "directory: Is a directory"));
	/* does not wait for a writer */
	cr_assert_eq(mkfifo(scratch_path("fifo"), 0600), 0);
	cr_assert_null(state_load(scratch_path("fifo"), error));
	cr_expect_not_null(strstr(error, "fifo:1: not JSON: "));
}
