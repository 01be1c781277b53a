/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: `calfpen audit --verify`: follow the chain (common/chain.h) over all files of the
 * log, then over the records that wait, to the end that the watcher has noted.
 *
 * A line that is no record was torn when the power failed: the next one follows the line
 * before it. Lines without a hash are of a version that had none, if no line with one is
 * before them.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/audit.h"
#include "userspace/common/clock.h"

/* Lines that are remembered, to find one that was inserted or moved. */
#define REMEMBERED 4096
/* The watcher may move records from the reserve to the log while this reads them. */
#define ATTEMPTS 3
#define PAUSE_MS 100

struct place {
	const char *path;
	unsigned long long line;
};

struct verify {
	struct audit_set set;
	struct audit_file file;
	struct audit_head head;
	bool has_head, is_head_seen, is_log_seen;
	struct place here, last; /* the line that is read, and the record before it */
	char expected[CHAIN_SIZE];
	char last_previous[CHAIN_SIZE]; /* the hash in the last line */
	char begun_after[CHAIN_SIZE];	/* the same, if it began a segment */
	bool is_chained;
	struct {
		char hash[CHAIN_SIZE];
		struct place place;
	} remembered[REMEMBERED];
	unsigned long long n_records, n_unchained, segment, first_segment;
	char first_time[CLOCK_TEXT_SIZE], last_time[CLOCK_TEXT_SIZE];
	json_t *problems, *torn;
	/* of the records that wait */
	char reserve_first[CHAIN_SIZE], reserve_last[CHAIN_SIZE];
	uint64_t drained; /* bytes of the reserve that is read that are in the log */
	unsigned long long n_skip, n_waiting;
	bool is_found, is_waiting; /* they are read now */
};

static json_t *place_json(const struct place *place)
{
	return json_pack("{s:s, s:I}", "file", place->path, "line", (json_int_t)place->line);
}

__attribute__((format(printf, 3, 4))) static void
add_problem(struct verify *verify, const struct place *place, const char *format, ...)
{
	json_t *problem = place_json(place);
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_object_set_new(problem, "problem", json_string(text));
	json_array_append_new(verify->problems, problem);
}

static void note_time(struct verify *verify, const char *line, size_t length)
{
	static const char start[] = "{\"time\":\"";
	size_t skip = sizeof(start) - 1;

	if (length < skip + CLOCK_TEXT_SIZE || memcmp(line, start, skip) != 0)
		return;
	memcpy(verify->last_time, line + skip, CLOCK_TEXT_SIZE - 1);
	for (char *c = verify->last_time; *c; c++)
		if (!strchr("0123456789-:.TZ", *c))
			*c = '?';
	if (!verify->first_time[0])
		memcpy(verify->first_time, verify->last_time, CLOCK_TEXT_SIZE);
}

/* The watcher itself has noticed that lines are missing, perhaps a whole file of them. */
static bool is_mismatch(const char *line, size_t length)
{
	static const char verb[] = "\"subject\":\"audit\",\"verb\":\"" AUDIT_MISMATCH "\"";

	return memmem(line, length, verb, sizeof(verb) - 1);
}

static void remember(struct verify *verify, const char *line, size_t length)
{
	size_t i = verify->n_records++ % REMEMBERED;

	chain_hash(line, length, verify->expected);
	memcpy(verify->remembered[i].hash, verify->expected, CHAIN_SIZE);
	verify->remembered[i].place = verify->here;
	verify->last = verify->here;
	verify->is_head_seen |= !strcmp(verify->head.hash, verify->expected);
	verify->is_log_seen |= !verify->is_waiting &&
			       !strcmp(verify->head.log_hash, verify->expected);
}

static const struct place *find(const struct verify *verify, const char *hash)
{
	for (size_t i = 0; i < REMEMBERED && i < verify->n_records; i++)
		if (!strncmp(verify->remembered[i].hash, hash, CHAIN_SIZE - 1))
			return &verify->remembered[i].place;
	return NULL;
}

/* The line does not have the hash of the one before it. */
static void add_break(struct verify *verify, const char *previous, unsigned long long segment)
{
	const struct place *follows = find(verify, previous);

	if (segment > verify->segment + 1 && verify->segment)
		add_problem(verify, &verify->here,
			    "segments %llu to %llu, which were before this one, are missing",
			    verify->segment + 1, segment - 1);
	else if (follows)
		add_problem(verify, &verify->last,
			    "inserted or moved: the line after it follows line %llu of %s",
			    follows->line, follows->path);
	else
		add_problem(verify, &verify->last, "altered, or lines after it are missing");
}

static void check_first(struct verify *verify, const char *previous, unsigned long long segment)
{
	verify->first_segment = segment;
	if (verify->n_unchained && strncmp(previous, verify->expected, CHAIN_SIZE - 1) != 0)
		add_break(verify, previous, 0);
	else if (!verify->n_unchained && !segment &&
		 !(verify->is_waiting && !strncmp(previous, CHAIN_START, CHAIN_SIZE - 1)))
		add_problem(verify, &verify->here, "the lines before it are missing");
}

static void on_unchained(struct verify *verify, const char *line, size_t length)
{
	if (!audit_line_is_record(line, length)) {
		json_array_append_new(verify->torn, place_json(&verify->here));
		return;
	}
	if (verify->is_chained) {
		add_problem(verify, &verify->here,
			    "inserted or altered: it has no hash of the line before it");
		return;
	}
	note_time(verify, line, length);
	verify->n_unchained++;
	remember(verify, line, length);
}

static void on_line(void *data, const char *line, size_t length)
{
	struct verify *verify = data;
	const char *previous = chain_previous(line, length);
	unsigned long long segment;

	verify->here.line++;
	if (!previous) {
		on_unchained(verify, line, length);
		return;
	}
	segment = audit_segment_of(line, length);
	if (!verify->is_chained)
		check_first(verify, previous, segment);
	else if (strncmp(previous, verify->expected, CHAIN_SIZE - 1) != 0)
		add_break(verify, previous, segment);
	if (is_mismatch(line, length))
		add_problem(verify, &verify->here,
			    "when the watcher was started, the last lines before this one were "
			    "missing or altered");
	verify->is_chained = true;
	note_time(verify, line, length);
	memcpy(verify->last_previous, previous, CHAIN_SIZE - 1);
	verify->begun_after[0] = '\0';
	if (segment) {
		verify->segment = segment;
		memcpy(verify->begun_after, previous, CHAIN_SIZE - 1);
	}
	remember(verify, line, length);
}

static int read_file(struct verify *verify, const struct audit_set_file *from, audit_file_fn call)
{
	int r = audit_file_use(&verify->file, from->fd);

	verify->file.used = 0;
	verify->here = (struct place){ .path = from->path };
	if (!r)
		r = audit_file_read(&verify->file, call, verify);
	audit_file_end(&verify->file, call, verify);
	return r;
}

/*
 * The records that wait. The first ones of a reserve may be in the log already: the head
 * says how many, and, after a boot, when there is none, it is the hash with which the chain
 * goes on. If a segment was begun while they waited, they get another hash when they are
 * written: then the chain goes on with the first one that waits, if the head is that of
 * both ends.
 */

static void look_at_waiting(void *data, const char *line, size_t length)
{
	struct verify *verify = data;
	const char *previous = chain_previous(line, length);
	bool is_drained = verify->drained > length, is_next;

	verify->drained = is_drained ? verify->drained - length - 1 : 0;
	if (!previous)
		return;
	is_next = verify->has_head ? !is_drained :
				     !strncmp(previous, verify->expected, CHAIN_SIZE - 1);
	if (!verify->n_waiting || (is_next && !verify->is_found))
		memcpy(verify->reserve_first, previous, CHAIN_SIZE - 1);
	if (is_next && !verify->is_found)
		verify->n_skip = verify->n_waiting;
	verify->is_found |= is_next;
	chain_hash(line, length, verify->reserve_last);
	verify->n_waiting++;
}

static void on_waiting(void *data, const char *line, size_t length)
{
	struct verify *verify = data;

	verify->is_waiting = true;
	if (verify->n_skip && chain_previous(line, length)) {
		verify->n_skip--;
		verify->here.line++;
		return;
	}
	on_line(verify, line, length);
}

/* Find out with which of them the chain goes on. */
static void find_waiting(struct verify *verify)
{
	if (!verify->n_waiting)
		return;
	if (!verify->is_found &&
	    (verify->has_head || !strcmp(verify->reserve_last, verify->expected)))
		verify->n_skip = verify->n_waiting; /* all are in the log */
	else if (verify->has_head || !strcmp(verify->reserve_first, verify->begun_after) ||
		 !strcmp(verify->reserve_first, CHAIN_START))
		memcpy(verify->expected, verify->reserve_first, CHAIN_SIZE);
}

static int read_all(struct verify *verify)
{
	int r = 0;

	for (unsigned int i = verify->set.n; !r && i-- > 0;)
		r = read_file(verify, &verify->set.files[i], on_line);
	for (unsigned int i = 0; !r && i < verify->set.n_reserves; i++) {
		const struct audit_set_file *reserve = &verify->set.reserves[i];

		verify->drained = verify->has_head ? verify->head.drained[reserve->number] : 0;
		r = read_file(verify, reserve, look_at_waiting);
	}
	find_waiting(verify);
	for (unsigned int i = 0; !r && i < verify->set.n_reserves; i++)
		r = read_file(verify, &verify->set.reserves[i], on_waiting);
	return r;
}

/* output */

static void print_places(const struct cli *cli, const json_t *array, const char *text)
{
	const json_t *place;
	size_t i;

	json_array_foreach(array, i, place)
	{
		const char *problem = json_string_value(json_object_get(place, "problem"));

		fprintf(cli->out, "%s:%" JSON_INTEGER_FORMAT ": %s\n",
			json_string_value(json_object_get(place, "file")),
			json_integer_value(json_object_get(place, "line")),
			problem ? problem : text);
	}
}

static void print_text(const struct cli *cli, const struct verify *verify)
{
	size_t n_problems = json_array_size(verify->problems);

	print_places(cli, verify->problems, "");
	print_places(cli, verify->torn, "note: a torn line, which is no record");
	if (verify->n_unchained)
		fprintf(cli->out, "note: the first %llu records are of a version without hashes\n",
			verify->n_unchained);
	if (verify->first_segment > 1)
		fprintf(cli->out, "note: the segments before number %llu are not there any more\n",
			verify->first_segment);
	if (!verify->has_head)
		fprintf(cli->out, "note: whether the end is missing could not be checked: the "
				  "instance has not run since the host was started\n");
	fprintf(cli->out, "%llu record%s in %u file%s", verify->n_records,
		verify->n_records == 1 ? "" : "s", verify->set.n, verify->set.n == 1 ? "" : "s");
	if (verify->first_time[0])
		fprintf(cli->out, " from %s to %s", verify->first_time, verify->last_time);
	if (n_problems)
		fprintf(cli->out, ": damaged, %zu problem%s\n", n_problems,
			n_problems == 1 ? "" : "s");
	else
		fputs(": ok\n", cli->out);
}

static json_t *files_json(const struct verify *verify)
{
	json_t *files = json_array();

	for (unsigned int i = verify->set.n; i-- > 0;)
		json_array_append_new(files, json_string(verify->set.files[i].path));
	return files;
}

static int print_json(const struct cli *cli, const struct verify *verify)
{
	return cli_print_json(
		cli, json_pack("{s:b, s:I, s:o, s:s, s:s, s:I, s:I, s:b, s:O, s:O}", "ok",
			       json_array_size(verify->problems) == 0, "records",
			       (json_int_t)verify->n_records, "files", files_json(verify), "first",
			       verify->first_time, "last", verify->last_time, "first_segment",
			       (json_int_t)verify->first_segment, "without_hash",
			       (json_int_t)verify->n_unchained, "end_checked", verify->has_head,
			       "torn", verify->torn, "problems", verify->problems));
}

static int print_result(const struct cli *cli, const struct verify *verify)
{
	if (cli->json)
		return print_json(cli, verify);
	print_text(cli, verify);
	return CLI_OK;
}

static void clear(struct verify *verify)
{
	json_decref(verify->problems);
	json_decref(verify->torn);
	memset(verify, 0, sizeof(*verify));
	verify->problems = json_array();
	verify->torn = json_array();
}

/* Is the end the one that the watcher has noted? The log may have got longer since the head
 * was read, and be one line longer if the watcher was killed. */
static void check_end(struct verify *verify, const struct cli *cli, const char *path)
{
	const struct audit_head before = verify->head;
	const struct place end = verify->last.path ? verify->last : (struct place){ .path = path };

	if (!verify->has_head)
		return;
	if (!verify->is_head_seen || (before.log_hash[0] && !verify->is_log_seen))
		add_problem(verify, &end, "the last lines, after it, are missing or altered");
	else if (strcmp(before.hash, verify->expected) != 0 &&
		 strcmp(before.hash, verify->last_previous) != 0 &&
		 audit_read_head(cli, path, &verify->head) &&
		 !strcmp(before.hash, verify->head.hash))
		add_problem(verify, &end, "inserted: other lines were written last");
}

/* Returns 0, or a negative errno. */
static int check(struct verify *verify, const struct cli *cli, const char *path)
{
	int r;

	clear(verify);
	/* First the end, then what leads to it. */
	verify->has_head = audit_read_head(cli, path, &verify->head);
	r = audit_set_open(&verify->set, cli, path);
	if (!r)
		r = read_all(verify);
	if (!r)
		check_end(verify, cli, path);
	return r;
}

int audit_verify(const struct cli *cli, const char *path)
{
	struct verify *verify = calloc(1, sizeof(*verify));
	int r = -ENOMEM;

	for (int i = 0; verify && i < ATTEMPTS; i++) {
		audit_set_close(&verify->set);
		r = check(verify, cli, path);
		if (r || !json_array_size(verify->problems))
			break;
		if (i + 1 < ATTEMPTS)
			(void)poll(NULL, 0, PAUSE_MS);
	}
	if (!r) {
		r = print_result(cli, verify);
		if (r == CLI_OK && json_array_size(verify->problems))
			r = CLI_FAILURE;
	}
	if (verify) {
		audit_set_close(&verify->set);
		clear(verify);
		json_decref(verify->problems);
		json_decref(verify->torn);
	}
	free(verify);
	return r;
}
