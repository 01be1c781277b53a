/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/commit_file.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/path.h"

#define LINE_SIZE (KV_VALUE_MAX + KV_PATH_MAX + 64)

static int reject(struct commit_file *file, const char *reason)
{
	file->reason = reason;
	return -EINVAL;
}

/* Read one line without its newline, NUL-terminated. Returns its length, -1 at
 * the end of the file, or LINE_SIZE if it does not fit. */
static int read_line(FILE *from, char line[LINE_SIZE])
{
	int length = 0, c;

	while ((c = getc(from)) != EOF && c != '\n') {
		if (length == LINE_SIZE - 1)
			return LINE_SIZE;
		line[length++] = (char)c;
	}
	line[length] = '\0';
	return c == EOF && length == 0 ? -1 : length;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* Cut off the first word and skip the single blank after it. */
static char *take_word(char **restp)
{
	char *word = *restp, *end = word + strcspn(word, " \t");

	*restp = *end ? end + 1 : NULL; /* NULL: the line ends here, without a blank */
	*end = '\0';
	return word;
}

static int parse_change(struct commit_file *file, char *line)
{
	struct commit *commit = &file->commit;
	char *rest = line, *verb = take_word(&rest), *path;
	bool is_set = strcmp(verb, "set") == 0;
	int r;

	if (!is_set && strcmp(verb, "del") != 0)
		return reject(file, "expected `set PATH VALUE` or `del PATH`");
	while (rest && is_blank(*rest))
		rest++;
	if (!rest || *rest == '\0')
		return reject(file, "missing path");
	path = take_word(&rest);
	if (!path_is_canonical(path))
		return reject(file, "invalid path");
	if (is_set && !rest)
		return reject(file, "missing value");
	if (!is_set && rest && rest[strspn(rest, " \t")] != '\0')
		return reject(file, "unexpected text after the path");
	if (is_set && !is_printable(rest))
		return reject(file, "the value contains a byte that is not printable ASCII");
	r = is_set ? commit_write(commit, path, rest, strlen(rest)) : commit_delete(commit, path);
	if (r == -EMSGSIZE)
		return reject(file, "the value is longer than 1023 bytes");
	if (r == -E2BIG && commit->n_changes == KV_CHANGES_MAX)
		return reject(file, "more than 128 changes");
	if (r == -E2BIG)
		return reject(file, "more than 32 KiB of changes");
	if (r < 0)
		return reject(file, strerror(-r));
	file->changes[commit->n_changes - 1].line = file->bad_line;
	file->changes[commit->n_changes - 1].is_delete = !is_set;
	return path_to_key(path, &file->changes[commit->n_changes - 1].key);
}

_Static_assert(KV_VALUE_MAX == 1023 && KV_CHANGES_MAX == 128 && KV_REQUEST_MAX == 32768,
	       "limits in the messages above");

int commit_file_read(struct commit_file *file, FILE *from)
{
	unsigned int n_lines = 0;
	char line[LINE_SIZE];
	int length;

	commit_init(&file->commit);
	file->bad_line = 0;
	file->reason = NULL;
	while ((length = read_line(from, line)) >= 0) {
		char *start = line + strspn(line, " \t");

		file->bad_line = ++n_lines;
		if (length == LINE_SIZE)
			return reject(file, "line too long");
		if (strlen(line) != (size_t)length)
			return reject(file, "the line contains a NUL byte");
		if (*start == '\0' || *start == '#')
			continue;
		if (parse_change(file, start) < 0)
			return -EINVAL;
	}
	file->bad_line = 0;
	return file->commit.n_changes == 0 && !ferror(from) ? reject(file, "contains no changes") :
							      0;
}
