/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>

#include "userspace/cli/audit.h"
#include "userspace/common/path.h"
#include "userspace/common/sanitise.h"

#define DAMAGED_SHOWN 200
#define TEXT_SIZE ((size_t)KV_VALUE_SIZE * 2)

/* Return a string member, made printable, or `otherwise` if it is missing. */
static const char *text_of(const json_t *record, const char *member, const char *otherwise,
			   char text[TEXT_SIZE])
{
	const json_t *string = json_object_get(record, member);

	if (!json_is_string(string))
		return otherwise;
	sanitise(text, TEXT_SIZE, json_string_value(string), json_string_length(string));
	return text;
}

/* The log contains only printable bytes; others could control a terminal. */
static bool is_printable(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return false;
	return true;
}

static bool is_record(const json_t *record)
{
	static const char *const members[] = { "time", "subject", "verb", "verdict" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!json_is_string(json_object_get(record, members[i])))
			return false;
	return true;
}

static bool is_wanted(const struct cli *cli, const char *directory, const json_t *record)
{
	const char *path = json_string_value(json_object_get(record, "path"));
	const char *subject = json_string_value(json_object_get(record, "subject"));
	const char *verdict = json_string_value(json_object_get(record, "verdict"));

	if (cli->denied && strcmp(verdict, "ok") == 0)
		return false;
	if (cli->subject && strcmp(subject, cli->subject) != 0)
		return false;
	return !directory || (path && path_is_below(path, directory));
}

static void print_damaged(const struct cli *cli, const char *line, size_t length)
{
	char text[DAMAGED_SHOWN + 1];
	json_t *json;

	sanitise(text, sizeof(text), line, length);
	if (!cli->json) {
		fprintf(cli->out, "damaged: %s%s\n", text, length > DAMAGED_SHOWN ? "..." : "");
		return;
	}
	json = json_pack("{s:s}", "damaged", text);
	json_dumpf(json, cli->out, JSON_COMPACT);
	fputc('\n', cli->out);
	json_decref(json);
}

/* A change of a commit may be a write or a deletion; only a write has a value. */
static bool is_deletion(const json_t *record)
{
	return strcmp(json_string_value(json_object_get(record, "verb")), "commit") == 0 &&
	       strcmp(json_string_value(json_object_get(record, "verdict")), "ok") == 0 &&
	       !json_object_get(record, "value");
}

/* Print "TIME REVISION SUBJECT VERB VERDICT PATH VALUE", then reason and number of
 * suppressed records if there are any. */
static void print_record(const struct cli *cli, const json_t *record)
{
	static const char *const columns[] = { "time", "revision", "subject", "verb", "verdict" };
	static const int widths[] = { 27, 8, 10, 6, 8 };
	const json_t *number;
	char text[TEXT_SIZE];
	const char *value;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		number = json_object_get(record, columns[i]);
		if (json_is_integer(number))
			fprintf(cli->out, "%*" JSON_INTEGER_FORMAT "  ", widths[i],
				json_integer_value(number));
		else
			fprintf(cli->out, i == 1 ? "%*s  " : "%-*s  ", widths[i],
				text_of(record, columns[i], "-", text));
	}
	fputs(text_of(record, "path", "-", text), cli->out);
	value = text_of(record, "value", NULL, text);
	if (value)
		fprintf(cli->out, "  %s", value);
	else if (is_deletion(record))
		fputs("  (deleted)", cli->out);
	value = text_of(record, "reason", NULL, text);
	if (value)
		fprintf(cli->out, "  (%s)", value);
	number = json_object_get(record, "suppressed");
	if (json_is_integer(number))
		fprintf(cli->out, "  (%" JSON_INTEGER_FORMAT " earlier denials not recorded)",
			json_integer_value(number));
	number = json_object_get(record, "segment");
	if (json_is_integer(number))
		fprintf(cli->out, "  (segment %" JSON_INTEGER_FORMAT ")",
			json_integer_value(number));
	fputc('\n', cli->out);
}

static json_t *load_record(const char *line, size_t length)
{
	json_t *record = NULL;

	if (length < AUDIT_LINE_MAX && is_printable(line, length))
		record = json_loadb(line, length, 0, NULL);
	if (record && is_record(record))
		return record;
	json_decref(record);
	return NULL;
}

bool audit_line_is_record(const char *line, size_t length)
{
	json_t *record = load_record(line, length);

	json_decref(record);
	return record != NULL;
}

/* Returns how much of the line precedes a record that was appended to a damaged one, as
 * by versions that did not end such a line, or the length of all of it. In a text of a
 * record, the quotation marks would have backslashes. */
static size_t damaged_length(const char *line, size_t length)
{
	static const char start[] = "{\"time\":\"";
	const char *next = memmem(line + 1, length - 1, start, sizeof(start) - 1);

	return next ? (size_t)(next - line) : length;
}

void audit_line_print(const struct cli *cli, const char *directory, const char *line, size_t length)
{
	while (length > 0) {
		json_t *record = load_record(line, length);
		size_t n = length;

		if (!record) {
			n = damaged_length(line, length);
			print_damaged(cli, line, n);
		} else if (is_wanted(cli, directory, record)) {
			if (cli->json)
				fprintf(cli->out, "%.*s\n", (int)length, line);
			else
				print_record(cli, record);
		}
		json_decref(record);
		line += n;
		length -= n;
	}
}
