/* SPDX-License-Identifier: Apache-2.0 */
/* What may be meant by a word that does not exist. */
#include <string.h>

#include "userspace/cli/cli.h"

#define WORD_MAX 24 /* longer words are not misspelt, but wrong */
#define TYPOS_MAX 2

/* Words that mean the same, mostly those of other clients. */
static const struct {
	const char *words, *instead;
} synonyms[] = {
	{ " rebind rebound ", "calfpen renew" },
	{ " start up ", "calfpen run --interface NAME" },
	{ " ps show info state lease ", "calfpen status" },
	{ " dump keys tree ", "calfpen ls -l" },
	{ " log logs journal ", "calfpen audit" },
	{ " monitor tail events follow ", "calfpen watch" },
	{ " pcap capture tcpdump packets drops ", "calfpen frames" },
	{ " put write ", "calfpen set PATH VALUE" },
	{ " cat read ", "calfpen get PATH" },
	{ " rm delete remove unset ", "calfpen del PATH" },
	{ " clean cleanup purge ", "calfpen forget INSTANCE" },
};

static const char *find_synonym(const char *word)
{
	char bounded[WORD_MAX + 3];

	if (strlen(word) > WORD_MAX || strchr(word, ' '))
		return NULL;
	snprintf(bounded, sizeof(bounded), " %s ", word);
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		if (strstr(synonyms[i].words, bounded))
			return synonyms[i].instead;
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Return how many letters are missing, too many, wrong or exchanged with the next one.
 * Both words have up to WORD_MAX bytes. */
static size_t count_typos(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], n_a = strlen(a), n_b = strlen(b);

	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1, row[j]);
		}
	}
	return rows[n_a % 3][n_b];
}

/* Return the name that is most like the word, or NULL if none is. */
static const char *find_similar(const char *word, const char *const *names, size_t n_names)
{
	size_t length = strlen(word), fewest = TYPOS_MAX + 1;
	const char *similar = NULL;

	if (length < 2 || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n_names; i++)
		if (strncmp(word, names[i], length) == 0)
			return names[i];
	for (size_t i = 0; i < n_names; i++) {
		size_t n_typos = strlen(names[i]) > WORD_MAX ? fewest : count_typos(word, names[i]);

		if (n_typos >= fewest || n_typos * 2 > length)
			continue;
		fewest = n_typos;
		similar = names[i];
	}
	return similar;
}

int cli_unknown(const struct cli *cli, const char *kind, const char *word, const char *const *names,
		size_t n_names)
{
	const char *dashes = strncmp(word, "--", 2) == 0 ? "--" : "";
	const char *instead = *dashes ? NULL : find_synonym(word);
	const char *similar = find_similar(word + strlen(dashes), names, n_names);

	if (instead)
		cli_fail(cli, "unknown %s: %s; use `%s`", kind, word, instead);
	else if (similar)
		cli_fail(cli, "unknown %s: %s; did you mean %s%s?", kind, word, dashes, similar);
	else
		return cli_usage(cli, *dashes ? "unknown option" : "unknown command", word);
	return CLI_USAGE;
}
