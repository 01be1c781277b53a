/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli-capture.h"

TestSuite(cli_arguments, .init = make_roots, .fini = scratch_remove);

Test(cli_arguments, help_and_version)
{
	cr_assert_eq(calfpen("help", NULL), CLI_OK);
	cr_assert_not_null(strstr(out_text, "5 conflict (--if-revision, --create)"));
	cr_assert_not_null(strstr(out_text, "Exit status: 0 success, 1 failure, 2 usage error"));
	cr_assert_eq(calfpen("--help", NULL), CLI_OK);
	cr_assert_eq(calfpen("status", "--help", NULL), CLI_OK);
	cr_assert_eq(calfpen("--version", NULL), CLI_OK);
	cr_assert_eq(strncmp(out_text, "calfpen ", 8), 0);
}

Test(cli_arguments, wrong_usage_is_one_line)
{
	cr_assert_eq(calfpen(NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: missing command; see `calfpen help`\n");
	cr_assert_eq(calfpen("frobnicate", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: unknown command: frobnicate; see `calfpen help`\n");
	cr_assert_eq(calfpen("--frobnicate", "ls", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "--frobnicate", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: unknown option: --frobnicate; see `calfpen help`\n");
	cr_assert_eq(calfpen("get", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("get", "/a", "/b", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "/a", "/b", "/c", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("status", "/a", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "--instance", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: missing argument: --instance; see `calfpen help`\n");
	cr_assert_eq(calfpen("ls", "--instance", "../x", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("--instance", "", "ls", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "--instance=-x", NULL), CLI_USAGE, "as for `calfpen run`");
}

Test(cli_arguments, words_of_the_changing_commands)
{
	cr_assert_eq(calfpen("set", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: set: missing PATH or VALUE; see `calfpen help`\n");
	cr_assert_eq(calfpen("set", "/a", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("set", "/a", "b", "c", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("set", "a", "b", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: invalid path: a\n");
	cr_assert_eq(calfpen("del", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("del", "/", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("commit", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("watch", "a", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("watch", "/a", "/b", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("audit", "/a", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("audit", "--path", "a", NULL), CLI_USAGE);
}

/* An option is accepted in any position, and refused by commands that ignore it. */
Test(cli_arguments, options_belong_to_commands)
{
	cr_assert_eq(calfpen("ls", "--create", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: option not valid for this command: ls; see "
				   "`calfpen help`\n");
	cr_assert_eq(calfpen("--denied", "status", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("get", "/a", "-f", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("set", "/a", "b", "--from", "1", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("commit", "-", "--create", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("set", "/a", "b", "--create", "--if-revision", "3", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text,
			 "calfpen: --create and --if-revision are mutually exclusive; see "
			 "`calfpen help`\n");
	cr_assert_eq(calfpen("-l", "ls", NULL), CLI_FAILURE, "no instance: %s", err_text);
	cr_assert_eq(calfpen("set", "--create", "/a", "b", NULL), CLI_FAILURE);
	cr_assert_eq(calfpen("watch", "--from", "7", "/a", "--json", NULL), CLI_FAILURE);
	cr_assert_eq(calfpen("watch", "--from", "0", NULL), CLI_FAILURE);
}

Test(cli_arguments, revisions)
{
	static const char *const wrong[] = {
		"",
		"0",
		"-1",
		"+1",
		" 1",
		"1 ",
		"0x1",
		"01",
		"x",
		"9223372036854775807",
		"18446744073709551615",
		"99999999999999999999",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cr_assert_eq(calfpen("del", "/a", "--if-revision", wrong[i], NULL), CLI_USAGE,
			     "'%s'", wrong[i]);
		cr_assert_eq(strncmp(err_text, "calfpen: invalid revision: ", 27), 0);
	}
	cr_assert_eq(calfpen("del", "/a", "--if-revision", "9223372036854775806", NULL),
		     CLI_FAILURE);
}

Test(cli_arguments, nothing_is_an_option_after_two_dashes)
{
	cr_assert_eq(calfpen("set", "/a", "-1", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("set", "/a", "--", "-1", NULL), CLI_FAILURE, "no instance");
	cr_assert_eq(calfpen("set", "--", "/a", "--create", NULL), CLI_FAILURE);
	cr_assert_eq(calfpen("set", "--", "/a", "--", NULL), CLI_FAILURE);
	cr_assert_eq(calfpen("set", "/a", "--", NULL), CLI_USAGE);
}

Test(cli_arguments, paths)
{
	cr_assert_eq(calfpen("get", "ip", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: invalid path: ip\n");
	cr_assert_eq(calfpen("get", "/", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("get", "/a/../b", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "ip", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "//", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "", NULL), CLI_USAGE);
}

Test(cli_arguments, no_instance)
{
	cr_assert_eq(calfpen("status", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "no instance: nothing is pinned in "));
	cr_assert_eq(calfpen("--instance", "x", "ls", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "no instance"));
}

Test(cli_arguments, instances)
{
	cr_assert_eq(mkdir(pins_root, 0700), 0);
	make_directory(pins_root, "uplink1");
	make_directory(pins_root, "uplink0");
	cr_assert_eq(calfpen("ls", NULL), CLI_FAILURE);
	cr_assert_str_eq(err_text, "calfpen: several instances exist; choose one with --instance: "
				   "uplink0 uplink1\n");
	cr_assert_eq(calfpen("ls", "/", "--instance", "uplink2", NULL), CLI_FAILURE);
	cr_assert_str_eq(
		err_text,
		"calfpen: no such instance: uplink2; existing instances: uplink0 uplink1\n");
	cr_assert_eq(calfpen("ls", "--instance", "uplink1", "/", "--json", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "instance uplink1"), "it was chosen: %s", err_text);
}

Test(cli_arguments, run_without_priv_beside)
{
	cr_assert_eq(calfpen("run", "--interface", "x0", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "calfpen: cannot run "));
	cr_assert_not_null(strstr(err_text, "../lib/calfpen/calfpen-priv: "));
}
