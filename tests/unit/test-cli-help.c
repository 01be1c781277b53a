/* SPDX-License-Identifier: Apache-2.0 */
/* The help of each command, taken from the help of all. */
#include "tests/unit/cli-capture.h"

TestSuite(cli_help, .init = make_roots, .fini = scratch_remove);

Test(cli_help, U36_of_one_command)
{
	cr_assert_eq(calfpen("help", "frames", NULL), CLI_OK);
	cr_expect_str_eq(
		out_text,
		"Usage: calfpen [OPTIONS] COMMAND\n"
		"\n"
		"  frames [-f]                  print the last frames that were dropped, or\n"
		"                               sent or received by the calf; -f: follow them\n"
		"      [--reason R] [--dropped] only those\n"
		"      [--pcap FILE]            write a capture for tcpdump; \"-\": standard output\n"
		"\n"
		"  -i, --instance NAME   the same as an option\n"
		"  --json                print JSON\n"
		"  -l                    ls, get: also print revision, time, writer and length\n"
		"  -h, --help            print this text, or that of the command\n"
		"  -V, --version         print the version\n"
		"\n"
		"For example:\n"
		"  calfpen frames -f --dropped\n"
		"  calfpen frames -f --pcap - | tcpdump -n -r -\n");
}

/* Every command that the help of all lists has one, with an example that begins so. */
Test(cli_help, U36_of_every_command)
{
	char all[sizeof(out_text)], word[32], example[64];
	int n_commands = 0;

	cr_assert_eq(calfpen("help", NULL), CLI_OK);
	memcpy(all, out_text, sizeof(all));
	for (const char *line = all; *line; line += strcspn(line, "\n") + 1) {
		if (sscanf(line, "  %31[a-z]%*c", word) != 1 || strncmp(line, "   ", 3) == 0 ||
		    strcmp(word, "run") == 0)
			continue;
		n_commands++;
		cr_expect_eq(calfpen(word, "--help", NULL), CLI_OK, "%s", word);
		snprintf(example, sizeof(example), "\n  calfpen %s", word);
		cr_expect_not_null(strstr(out_text, "\n  --json "), "%s", word);
		cr_expect_not_null(strstr(out_text, "\nFor example:\n"), "%s", word);
		cr_expect_not_null(strstr(out_text, example), "%s", out_text);
	}
	cr_expect_geq(n_commands, 12);
}
