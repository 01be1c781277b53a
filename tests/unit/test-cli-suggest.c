/* SPDX-License-Identifier: Apache-2.0 */
/* What is suggested instead of a word that does not exist. */
#include "tests/unit/cli-capture.h"

TestSuite(cli_suggest, .init = make_roots, .fini = scratch_remove);

Test(cli_suggest, U36_unknown_commands)
{
	static const struct {
		const char *word, *want;
	} rows[] = {
		/* of other clients */
		{ "rebind", "use `calfpen renew`" },
		{ "start", "use `calfpen run --interface NAME`" },
		{ "dump", "use `calfpen ls -l`" },
		{ "show", "use `calfpen status`" },
		{ "lease", "use `calfpen status`" },
		{ "rm", "use `calfpen del PATH`" },
		{ "log", "use `calfpen audit`" },
		/* misspelt */
		{ "stat", "did you mean status?" },
		{ "statsu", "did you mean status?" },
		{ "Status", "did you mean status?" },
		{ "sets", "did you mean set?" },
		{ "gte", "did you mean get?" },
		{ "framse", "did you mean frames?" },
		{ "comit", "did you mean commit?" },
		{ "rnu", "did you mean run?" },
		{ "rnew", "did you mean renew?" },
		{ "halp", "did you mean help?" },
		/* neither */
		{ "frobnicate", "see `calfpen help`" },
		{ "x", "see `calfpen help`" },
		{ "", "see `calfpen help`" },
		{ "renew release", "see `calfpen help`" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "see `calfpen help`" },
	};
	char want[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(calfpen(rows[i].word, NULL), CLI_USAGE, "%s", rows[i].word);
		snprintf(want, sizeof(want), "calfpen: unknown command: %s; %s\n", rows[i].word,
			 rows[i].want);
		cr_expect_str_eq(err_text, want, "%s", err_text);
	}
}
