/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compare our decoder with the reference tool: valid messages are split into
 * segments and mutated; `capnp convert` must accept every message that we accept,
 * and must print the same JSON for every member. Run from the top of the tree.
 */
#ifndef CALFPEN_TESTS_FUZZ_ORACLE_H
#define CALFPEN_TESTS_FUZZ_ORACLE_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/messages.h"
#include "tests/unit/wire-split.h"

#define BATCH 4000 /* accepted messages per run of the reference tool */
#define TRIES (BATCH * 40)
#define SCHEMA "userspace/common/control.capnp"

static uint64_t random_state;
static size_t n_unused; /* complaints of the tool, see next_line() */

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

/* Text that grows, up to the length of the text of a batch. */
static struct {
	char *bytes;
	size_t n, size;
} text;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	va_list arguments;

	if (text.size - text.n < 1 << 16) {
		text.size = 2 * text.size + (1 << 20);
		text.bytes = realloc(text.bytes, text.size);
	}
	va_start(arguments, format);
	text.n += (size_t)vsnprintf(text.bytes + text.n, text.size - text.n, format, arguments);
	va_end(arguments);
}

/* A refused path may be anything: '?' matches any list. */
static void put_path(const char *before, int status, const char *path)
{
	if (status != 0) {
		put("%s\"path\":?", before);
	} else if (path[0] != '\0') {
		put("%s\"path\":[\"", before);
		for (path++; *path; path++)
			put(*path == '/' ? "\",\"" : "%c", *path);
		put("\"]");
	}
}

static void put_data(const char *name, const struct wire_data *data)
{
	put(",\"%s\":[", name);
	for (size_t i = 0; i < data->size; i++)
		put("%s%u", i ? "," : "", data->bytes[i]);
	put("]");
}

static void put_changes(const uint8_t *frame, size_t size, const struct wire_request *request)
{
	put(",\"commit\":[");
	for (uint32_t i = 0; i < request->n_changes; i++) {
		struct wire_change change;

		if (wire_request_change(frame, size, request, i, &change) < 0)
			abort();
		put("%s{", i ? "," : "");
		put_path(",", change.path_status, change.path.path);
		if (change.tag == WIRE_CHANGE_WRITE)
			put_data("write", &change.value);
		else if (change.tag == WIRE_CHANGE_DELETE)
			put(",\"delete\":null");
		put("}");
	}
	put("]");
}

/* Append what the reference tool should print for a request. Returns 0, or -1 if we
 * do not accept it. */
static int put_request(const uint8_t *frame, size_t size)
{
	static const char *const voids[] = { "", "read", "delete", "list", "watch" };
	struct wire_request request;

	if (wire_decode_request(frame, size, &request) < 0)
		return -1;
	put("{\"id\":%" PRId32, request.id);
	put_path(",", request.path_status, request.path.path);
	put(",\"revision\":\"%" PRIu64 "\"", request.revision);
	if (request.tag == WIRE_WRITE)
		put_data("write", &request.value);
	else if (request.tag <= WIRE_WATCH)
		put(",\"%s\":null", voids[request.tag]);
	else if (request.tag == WIRE_COMMIT)
		put_changes(frame, size, &request);
	put("}\n");
	return 0;
}

static void put_entries(const uint8_t *frame, size_t size, const struct wire_response *response)
{
	static const char *const voids[] = { "", "deleted", "listed", "synced", "resync" };

	put(",\"entries\":[");
	for (uint32_t i = 0; i < response->n_entries; i++) {
		struct wire_entry entry;

		if (wire_response_entry(frame, size, response, i, &entry) < 0)
			abort();
		put("%s{", i ? "," : "");
		put_path(",", 0, entry.path.path);
		put(",\"revision\":\"%" PRIu64 "\"", entry.revision);
		if (entry.tag == WIRE_ENTRY_VALUE)
			put_data("value", &entry.value);
		else if (entry.tag <= WIRE_ENTRY_RESYNC)
			put(",\"%s\":null", voids[entry.tag]);
		put("}");
	}
	put("]");
}

static int put_response(const uint8_t *frame, size_t size)
{
	struct wire_response response;

	if (wire_decode_response(frame, size, &response) < 0)
		return -1;
	put("{\"id\":%" PRId32 ",\"revision\":\"%" PRIu64 "\",\"more\":%s,\"code\":%u", response.id,
	    response.revision, response.more ? "true" : "false", response.code);
	if (response.tag <= WIRE_ERROR)
		put_data(response.tag == WIRE_OK ? "ok" : "error", &response.value);
	else if (response.tag == WIRE_ENTRIES)
		put_entries(frame, size, &response);
	put("}\n");
	return 0;
}

/* Return the end of the JSON list that starts here. */
static const char *skip_list(const char *at)
{
	int depth = 0;
	bool in_string = false;

	for (; *at; at++) {
		if (in_string) {
			if (*at == '\\')
				at++;
			else
				in_string = *at != '"';
		} else if (*at == '"') {
			in_string = true;
		} else if (*at == '[') {
			depth++;
		} else if (*at == ']' && --depth == 0) {
			return at + 1;
		}
	}
	return at;
}

/* Skip to the next significant byte: not a comma, and not an empty path, which the
 * reference tool prints if the list is not null. */
static const char *next_byte(const char *at)
{
	static const char empty[] = "\"path\":[]";

	for (;;) {
		if (*at == ',' && (at[1] == '"' || at[1] == '{'))
			at++;
		else if (strncmp(at, empty, strlen(empty)) == 0)
			at += strlen(empty);
		else
			return at;
	}
}

/* Return whether two lines are the same. */
static bool same_line(const char *ours, const char *theirs)
{
	for (;;) {
		ours = next_byte(ours);
		theirs = next_byte(theirs);
		if (*ours == '?' && *theirs == '[') {
			ours++;
			theirs = skip_list(theirs);
		} else if (*ours != *theirs) {
			return false;
		} else if (*ours == '\n' || *ours == '\0') {
			return true;
		} else {
			ours++;
			theirs++;
		}
	}
}

static struct split split;

/* Make a valid message, usually split, usually with a few bytes changed. */
static size_t make_message(size_t (*message)(size_t i, uint8_t *to), size_t n_messages, uint8_t *to)
{
	uint8_t whole[MESSAGE_MAX];
	size_t size = message(next_random((uint32_t)n_messages), whole);
	uint32_t n_segments = next_random(6);
	size_t n;

	memcpy(to, whole, size);
	if (n_segments > 0) {
		size = split_frame(&split, whole, size, n_segments, random_state, to, MESSAGE_MAX);
		next_random(2);
	}
	n = next_random(5);
	for (size_t i = 0; i < n && size > 0; i++) {
		size_t at = 4 + next_random((uint32_t)size - 4);

		switch (next_random(4)) {
		case 0:
			to[at] ^= (uint8_t)(1u << next_random(8));
			break;
		case 1:
			to[at] = (uint8_t)next_random(16);
			break;
		case 2:
			to[at] = (uint8_t)(to[at] + 4);
			break;
		default: /* a word from another place: misplaced pointers */
			at &= ~(size_t)7;
			memmove(to + at, to + (next_random((uint32_t)size) & ~7u), 8);
			break;
		}
	}
	return size;
}

struct kind {
	const char *type;
	size_t (*message)(size_t i, uint8_t *to);
	int (*put)(const uint8_t *frame, size_t size);
	size_t n_messages;
};

static char directory[] = "/tmp/calfpen-oracle-XXXXXX";

static const char *temporary(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void show(const uint8_t *frame, size_t size, const char *ours, const char *theirs)
{
	printf("oracle: ours:      %.*s\n", (int)strcspn(ours, "\n"), ours);
	printf("oracle: reference: %.*s\n", (int)strcspn(theirs, "\n"), theirs);
	printf("oracle: message:   ");
	for (size_t i = 0; i < size; i++)
		printf("%02x", frame[i]);
	printf("\n");
}

/*
 * Read the next line with a message. Returns false at the end. After a complete
 * message the tool may print complaints, because it also follows pointers in slots
 * that no member uses. Readers, including the tool's own, ignore those.
 */
static bool next_line(FILE *file, char *line, size_t size)
{
	static const char begin[] = "*** ERROR CONVERTING", end[] = "*** END ERROR";

	if (!fgets(line, (int)size, file))
		return false;
	while (strncmp(line, begin, strlen(begin)) == 0) {
		while (strncmp(line, end, strlen(end)) != 0)
			if (!fgets(line, (int)size, file))
				return false;
		n_unused++;
		if (!fgets(line, (int)size, file))
			return false;
	}
	return true;
}

/* Run one batch. Returns the number of messages that both read in the same way, or
 * -1. */
static long run_batch(const struct kind *kind)
{
	static uint8_t frames[BATCH][MESSAGE_MAX];
	static size_t sizes[BATCH], lines[BATCH];
	static char line[1 << 20];
	size_t n_accepted = 0, n_same = 0;
	char command[256];
	FILE *file;

	text.n = 0;
	for (int i = 0; i < TRIES && n_accepted < BATCH; i++) {
		size_t size = make_message(kind->message, kind->n_messages, frames[n_accepted]);
		size_t at = text.n;

		if (size == 0 || kind->put(frames[n_accepted], size) < 0)
			continue;
		sizes[n_accepted] = size;
		lines[n_accepted++] = at;
	}
	file = fopen(temporary("messages"), "w");
	for (size_t i = 0; i < n_accepted; i++)
		fwrite(frames[i], 1, sizes[i], file);
	fclose(file);
	snprintf(command, sizeof(command),
		 "capnp convert binary:json --short --quiet %s %s < %s 2>&1", SCHEMA, kind->type,
		 temporary("messages"));
	file = popen(command, "r");
	while (n_same < n_accepted && next_line(file, line, sizeof(line)) &&
	       same_line(text.bytes + lines[n_same], line)) {
		line[0] = '\0';
		n_same++;
	}
	if (n_same < n_accepted)
		show(frames[n_same], sizes[n_same], text.bytes + lines[n_same], line);
	pclose(file);
	return n_same == n_accepted ? (long)n_same : -1;
}

static size_t count(size_t (*message)(size_t i, uint8_t *to))
{
	uint8_t bytes[MESSAGE_MAX];
	size_t n = 0;

	while (message(n, bytes) > 0)
		n++;
	return n;
}

/* Run batches until `end`, at least two, alternating requests and responses. Returns
 * the number of messages compared, or -1 after printing the first difference. */
static inline long oracle_run(uint64_t seed, time_t end)
{
	struct kind kinds[] = {
		{ "Request", message_request, put_request, count(message_request) },
		{ "Response", message_response, put_response, count(message_response) },
	};
	long n_all = 0;

	if (!mkdtemp(directory)) {
		perror(directory);
		return -1;
	}
	random_state = seed;
	for (size_t i = 0; n_all >= 0 && (i < 2 || time(NULL) < end); i++) {
		long n = run_batch(&kinds[i % 2]);

		n_all = n < 0 ? n : n_all + n;
	}
	unlink(temporary("messages"));
	rmdir(directory);
	free(text.bytes);
	return n_all;
}

#endif
