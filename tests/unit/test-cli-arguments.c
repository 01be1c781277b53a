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

/* The other usual ways to ask for them. */
Test(cli_arguments, U36_help_and_version)
{
	char help[sizeof(out_text)], version[sizeof(out_text)];
	static const char *const words[][3] = {
		{ "-V" }, { "version" }, { "ls", "--version" }, { "ls", "-V" }
	};

	cr_assert_eq(calfpen("--version", NULL), CLI_OK);
	memcpy(version, out_text, sizeof(version));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		cr_expect_eq(calfpen(words[i][0], words[i][1], NULL), CLI_OK, "%zu", i);
		cr_expect_str_eq(out_text, version);
	}
	cr_assert_eq(calfpen("-h", NULL), CLI_OK);
	cr_expect_not_null(strstr(out_text, "  get [-l] PATH "));
	cr_assert_eq(calfpen("set", "-h", NULL), CLI_OK);
	cr_expect_not_null(strstr(out_text, "  set PATH VALUE "));
	cr_expect_null(strstr(out_text, "  get [-l] PATH "));
	memcpy(help, out_text, sizeof(help));
	cr_assert_eq(calfpen("help", "set", NULL), CLI_OK);
	cr_expect_str_eq(out_text, help);
	cr_expect_eq(calfpen("help", "sett", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: unknown command: sett; did you mean set?\n");
	cr_expect_eq(calfpen("help", "run", NULL), CLI_FAILURE, "no calfpen-priv beside this test");
	cr_expect_not_null(strstr(err_text, "calfpen-priv: "), "%s", err_text);
	cr_expect_eq(calfpen("version", "x", NULL), CLI_USAGE);
}

Test(cli_arguments, wrong_usage_is_one_line)
{
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
	cr_assert_str_eq(err_text, "calfpen: invalid path: a; a path begins with \"/\"\n");
	cr_assert_eq(calfpen("del", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("del", "/", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("commit", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("watch", "a", NULL), CLI_FAILURE, "no such instance");
	cr_assert_eq(calfpen("watch", "/a", "/b", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("audit", "/a", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("audit", "--path", "a", NULL), CLI_USAGE);
}

/* A letter in the middle of a word is named, and not the word before it. */
Test(cli_arguments, U36_unknown_options)
{
	cr_expect_eq(calfpen("ls", "-lx", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: unknown option: -x; see `calfpen help`\n");
	cr_expect_eq(calfpen("-xl", "ls", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: unknown option: -x; see `calfpen help`\n");
	cr_expect_eq(calfpen("status", "--josn", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: unknown option: --josn; did you mean --json?\n");
	cr_expect_eq(calfpen("status", "--json=1", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: option without an argument: --json=1; see `calfpen "
				   "help`\n");
}

/* Also in front of `run`, whose other options are calfpen-priv's. */
Test(cli_arguments, U42_options_of_no_command)
{
	static const struct {
		const char *words[3], *want;
	} rows[] = {
		{ { "--json", "run" }, "run has no option --json" },
		{ { "--all", "run" }, "run has no option --all" },
		{ { "-l", "run" }, "run has no option -l" },
		{ { "--if-revision", "3", "run" }, "run has no option --if-revision" },
		{ { "-f", "get", "/a" }, "get has no option -f" },
		{ { "--json", "forget" }, "forget has no option --json" },
		{ { "forget", "--json", "x" }, "forget has no option --json" },
		{ { "--json", "help" }, "help has no option --json" },
		{ { "--instance=x", "help" }, "help has no option --instance" },
		{ { "version", "--instance", "x" }, "version has no option --instance" },
		{ { "get", "--settable", "/a" }, "get has no option --settable" },
		{ { "ls", "-l", "--settable" }, "--settable and -l are mutually exclusive" },
	};
	char want[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(calfpen(rows[i].words[0], rows[i].words[1], rows[i].words[2], NULL),
			     CLI_USAGE, "%zu", i);
		snprintf(want, sizeof(want), "calfpen: %s; see `calfpen help`\n", rows[i].want);
		cr_expect_str_eq(err_text, want, "%s", err_text);
	}
	cr_expect_eq(calfpen("--instance", "x", "run", NULL), CLI_FAILURE, "no calfpen-priv");
	cr_expect_eq(calfpen("--instance", "x", "forget", NULL), CLI_FAILURE, "no calfpen-priv");
}

/* An option is accepted in any position, and refused by commands that ignore it. */
Test(cli_arguments, options_belong_to_commands)
{
	cr_assert_eq(calfpen("ls", "--create", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: ls has no option --create; see `calfpen help`\n");
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
	cr_assert_str_eq(err_text, "calfpen: invalid path: ip; a path begins with \"/\"\n");
	cr_assert_eq(calfpen("get", "/", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("get", "/a/../b", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("ls", "ip", NULL), CLI_FAILURE, "no such instance");
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
	cr_assert_str_eq(err_text, "calfpen: several instances exist; name one of them: uplink0 "
				   "uplink1\n");
	cr_assert_eq(calfpen("ls", "/", "--instance", "uplink2", NULL), CLI_FAILURE);
	cr_assert_str_eq(
		err_text,
		"calfpen: no such instance: uplink2; existing instances: uplink0 uplink1\n");
	cr_assert_eq(calfpen("ls", "--instance", "uplink1", "/", "--json", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "instance uplink1"), "it was chosen: %s", err_text);
}

static void make_two(void)
{
	cr_assert_eq(mkdir(pins_root, 0700), 0);
	make_directory(pins_root, "uplink0");
	make_directory(pins_root, "uplink1");
}

/* The first word is an instance if there is one more than the command needs. */
Test(cli_arguments, U35_instance_as_a_word)
{
	static const char *const rows[][5] = {
		{ "ls", "uplink1" },
		{ "ls", "uplink1", "/lease" },
		{ "ls", "-l", "uplink1", "--json", "/lease" },
		{ "get", "uplink1", "/ip" },
		{ "set", "uplink1", "/control/dhcp4/renew", "now" },
		{ "set", "uplink1", "/control/dhcp4/renew", "uplink0" },
		{ "del", "uplink1", "/a" },
		{ "watch", "uplink1", "/" },
		{ "watch", "--from", "3", "uplink1" },
		{ "frames", "uplink1" },
		{ "frames", "uplink1", "--dropped" },
		{ "status", "uplink1" },
		{ "-i", "uplink1", "get", "/ip" },
		{ "get", "-i", "uplink1", "/ip" },
		{ "get", "-iuplink1", "uplink1", "/ip" },
	};

	make_two();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(calfpen(rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4],
				     NULL),
			     CLI_FAILURE, "row %zu", i);
		cr_expect_not_null(strstr(err_text, "uplink1"), "row %zu: %s", i, err_text);
	}
	in_text = "set /a b\n";
	cr_expect_eq(calfpen("commit", "uplink1", "-", NULL), CLI_FAILURE);
	cr_expect_not_null(strstr(err_text, "instance uplink1 has no store"), "%s", err_text);
}

/* Each word is an instance or a calf of one, and with a wrong one nothing is done. */
Test(cli_arguments, words_of_requests)
{
	static const struct {
		const char *words[4], *want;
	} rows[] = {
		{ { "renew", "/control" }, "invalid instance name: /control; see `calfpen help`" },
		{ { "renew", "uplink0", "a b" }, "invalid instance name: a b; see `calfpen help`" },
		{ { "renew", "" }, "invalid instance name: ; see `calfpen help`" },
		{ { "release", "uplink0/" },
		  "not INSTANCE or INSTANCE/CALF: uplink0/; see `calfpen help`" },
		{ { "release", "uplink0/a/b" },
		  "not INSTANCE or INSTANCE/CALF: uplink0/a/b; see `calfpen help`" },
		{ { "-iuplink0", "renew", "uplink0", "uplink1/a" },
		  "another instance than --instance: uplink1/a; see `calfpen help`" },
		{ { "renew", "--create" }, "renew has no option --create; see `calfpen help`" },
		{ { "renew" }, "several instances exist; name one of them: uplink0 uplink1" },
		{ { "renew", "dhcp4" },
		  "no such instance: dhcp4; existing instances: uplink0 uplink1" },
	};
	char want[256];

	make_two();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *words = rows[i].words;

		cr_expect_neq(calfpen(words[0], words[1], words[2], words[3], NULL), CLI_OK);
		(void)snprintf(want, sizeof(want), "calfpen: %s\n", rows[i].want);
		cr_expect_str_eq(err_text, want, "%zu: %s", i, err_text);
	}
}

Test(cli_arguments, U35_unknown_instance_as_a_word)
{
	static const char unknown[] =
		"calfpen: no such instance: wan; existing instances: uplink0 uplink1\n";

	make_two();
	cr_expect_eq(calfpen("get", "wan", "/ip", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, unknown);
	cr_expect_eq(calfpen("status", "wan", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, unknown);
	cr_expect_eq(calfpen("list", "wan", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, unknown);
	cr_expect_eq(calfpen("frames", "wan", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, unknown);
	cr_expect_eq(calfpen("audit", "wan", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, unknown);
	cr_expect_eq(calfpen("watch", "wan", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, "calfpen: no such instance: wan (a path begins with \"/\"); "
				   "existing instances: uplink0 uplink1\n");
}

Test(cli_arguments, U35_words_that_are_no_instance)
{
	make_two();
	cr_expect_eq(calfpen("get", "uplink0", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: invalid path: uplink0; a path begins with \"/\"\n");
	cr_expect_eq(calfpen("set", "uplink0", "/a", NULL), CLI_USAGE);
	cr_expect_eq(calfpen("get", "/ip", "uplink0", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: unexpected argument: uplink0; see `calfpen help`\n");
	cr_expect_eq(calfpen("get", "uplink0", "uplink1", "/ip", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: unexpected argument: /ip; see `calfpen help`\n");
	cr_expect_eq(calfpen("status", "uplink0", "uplink1", NULL), CLI_USAGE);
	cr_expect_eq(calfpen("help", "uplink0", NULL), CLI_USAGE);
	cr_expect_eq(calfpen("ls", "UPLINK", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: invalid instance name: UPLINK; see `calfpen help`\n");
	cr_expect_eq(calfpen("ls", "uids", NULL), CLI_USAGE, "a file");
	cr_expect_eq(calfpen("-i", "uplink0", "ls", "uplink1", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: another instance than --instance: uplink1; see "
				   "`calfpen help`\n");
}

Test(cli_arguments, run_without_priv_beside)
{
	cr_assert_eq(calfpen("run", "--interface", "x0", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "calfpen: cannot run "));
	cr_assert_not_null(strstr(err_text, "../lib/calfpen/calfpen-priv: "));
}
