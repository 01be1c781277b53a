/* SPDX-License-Identifier: Apache-2.0 */
/* list, watch and conditions through the socket, the gate and the ring. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/support-gateway.h"
#include "userspace/common/loop.h"
#include "userspace/common/wire.h"
#include "userspace/priv/roles.h"

#define N_KEYS 200
#define MARKER 999 /* the number of a key that is set last */
#define PATIENCE_MS 60000
#define SUPERVISOR test.gate.fds[KV_SUBJECT_SUPERVISOR]

static const char keys[] = "  - {path: /lease/state, type: text, access: [read, write, delete]}\n"
			   "  - {path: /lease/id, type: text, access: [read, write, delete]}\n"
			   "  - {path: /seen/, type: text, access: [read, watch], count: 251}\n";

static const struct test_rule rules[] = { { "/lease/state", ALL_ACCESS, KV_CLASS_TEXT, 100 },
					  { "/lease/id", ALL_ACCESS, KV_CLASS_TEXT, 100 },
					  { "/seen/", KV_ACCESS_READ | KV_ACCESS_WATCH,
					    KV_CLASS_TEXT, KV_VALUE_MAX },
					  { NULL } };

static struct gateway_test test;

static void setup(void)
{
	gateway_test_begin(&test, keys, rules, FAST, FAST);
}

static void setup_slow(void)
{
	gateway_test_begin(&test, keys, rules, 200, 50);
}

static void teardown(void)
{
	gateway_test_end(&test);
}

TestSuite(gateway_watch, .init = setup, .fini = teardown);
TestSuite(gateway_watch_slow, .init = setup_slow, .fini = teardown);

/* --- the calf's end --- */

static void ask_if(enum wire_request_tag tag, int32_t id, const char *path, const char *value,
		   uint64_t revision)
{
	uint8_t frame[2048];
	int size = wire_encode_request(id, tag, path, value, strlen(value), revision, frame,
				       sizeof(frame));

	cr_assert_gt(size, 0);
	cr_assert_eq(write(test.control, frame, (size_t)size), size);
}

static void ask(enum wire_request_tag tag, int32_t id, const char *path)
{
	ask_if(tag, id, path, "", 0);
}

/* The next frame: its size, or 0 if none comes in time. */
static int patience_ms = PATIENCE_MS;
static uint8_t received[WIRE_FRAME_MAX];
static size_t n_received, n_used;

static size_t next_frame(const uint8_t **framep)
{
	for (;;) {
		struct pollfd readable = { .fd = test.control, .events = POLLIN };
		int size = wire_frame_size(received + n_used, n_received - n_used);
		ssize_t n;

		cr_assert_geq(size, 0);
		if (size > 0 && (size_t)size <= n_received - n_used) {
			*framep = received + n_used;
			n_used += (size_t)size;
			return (size_t)size;
		}
		memmove(received, received + n_used, n_received - n_used);
		n_received -= n_used;
		n_used = 0;
		if (poll(&readable, 1, patience_ms) != 1)
			return 0;
		n = read(test.control, received + n_received, sizeof(received) - n_received);
		if (n <= 0)
			return 0;
		n_received += (size_t)n;
	}
}

/* One line for each answer or entry; the next one, or "nothing". */
static const char *next_line(void)
{
	static const char *const kinds[] = { "value", "deleted", "listed", "synced", "resync" };
	static struct wire_response response;
	static const uint8_t *frame;
	static uint32_t i_entry;
	static size_t size;
	static char line[2 * KV_VALUE_SIZE];
	struct wire_entry entry;

	if (i_entry < response.n_entries) {
		cr_assert_eq(wire_response_entry(frame, size, &response, i_entry++, &entry), 0);
		snprintf(line, sizeof(line), "%s%s%s @%" PRIu64 "%s%.*s", kinds[entry.tag],
			 entry.path.path[0] ? " " : "", entry.path.path, entry.revision,
			 entry.tag == WIRE_ENTRY_VALUE ? " " : "",
			 entry.tag == WIRE_ENTRY_VALUE ? (int)entry.value.size : 0,
			 (const char *)entry.value.bytes);
		return line;
	}
	if (response.tag == WIRE_ENTRIES && size > 0 && !response.more) {
		snprintf(line, sizeof(line), "end @%" PRIu64, response.revision);
		size = 0;
		return line;
	}
	size = next_frame(&frame);
	if (size == 0)
		return "nothing";
	cr_assert_eq(wire_decode_response(frame, size, &response), 0);
	cr_assert_eq(response.code != WIRE_CODE_NONE, response.tag == WIRE_ERROR);
	i_entry = 0;
	if (response.tag == WIRE_ENTRIES)
		return next_line();
	snprintf(line, sizeof(line), "%s %.*s%s", response.tag == WIRE_OK ? "ok" : "error",
		 (int)response.value.size, (const char *)response.value.bytes,
		 response.revision ? " @" : "");
	if (response.revision)
		snprintf(line + strlen(line), 24, "%" PRIu64, response.revision);
	return line;
}

/* --- the store's other writer --- */

static uint64_t set(const char *path, const char *text)
{
	uint64_t revision = 0;

	cr_assert_eq(gate_write(SUPERVISOR, path, text, strlen(text), &revision), 0);
	gate_test_drain(&test.gate);
	return revision;
}

static void set_number(unsigned int i, const char *text)
{
	char path[KV_PATH_SIZE];

	snprintf(path, sizeof(path), "/seen/k%03u", i % 1000);
	set(path, text);
}

/* The keys that a conforming client has. */
static struct {
	char text[KV_VALUE_SIZE];
	unsigned long revision;
	bool is_current;
} held[1000];

/* How often each came. */
static unsigned int n_resync, n_synced;
static bool is_told_all; /* true: the state was told, events follow */

static void apply(const char *line)
{
	char kind[16], path[KV_PATH_SIZE], text[KV_VALUE_SIZE] = "";
	unsigned long revision;
	unsigned int i;

	if (strncmp(line, "resync", 6) == 0) {
		n_resync++;
		is_told_all = false;
		for (i = 0; i < 1000; i++)
			held[i].is_current = false, held[i].revision = 0;
	} else if (strncmp(line, "synced", 6) == 0) {
		n_synced++;
		is_told_all = true;
		for (i = 0; i < 1000; i++)
			if (!held[i].is_current)
				held[i].text[0] = '\0';
	} else if (sscanf(line, "%15s %63s @%lu %1023s", kind, path, &revision, text) >= 3) {
		cr_assert_eq(sscanf(path, "/seen/k%u", &i), 1, "%s", line);
		cr_assert_gt(revision, held[i].revision, "backwards or twice: %s", line);
		held[i].revision = revision;
		held[i].is_current = true;
		strcpy(held[i].text, text);
	} else {
		cr_assert_fail("%s", line);
	}
}

/* Take lines up to the event of a change that is made now: it comes after all
 * events before it, if it does not come with the state. */
static void assert_converges(void)
{
	static unsigned int n_markers;
	bool is_event;

	do {
		char marker[16];

		snprintf(marker, sizeof(marker), "m%u", ++n_markers);
		set_number(MARKER, marker);
		do {
			is_event = is_told_all;
			apply(next_line());
		} while (strcmp(held[MARKER].text, marker) != 0);
		while (!is_told_all)
			apply(next_line());
	} while (!is_event);
	for (unsigned int i = 0; i < 1000; i++) {
		static struct kv_value value;
		char path[KV_PATH_SIZE];

		snprintf(path, sizeof(path), "/seen/k%03u", i);
		if (gate_read(SUPERVISOR, path, &value) < 0)
			value.text[0] = '\0';
		cr_assert_str_eq(held[i].text, value.text, "%s", path);
	}
}

/* --- tests --- */

Test(gateway_watch, list_of_200_keys)
{
	static bool seen[N_KEYS];
	const char *line;
	unsigned int i, n = 0;

	for (i = 0; i < N_KEYS; i++)
		set_number(i, "v");
	set("/elsewhere", "not the calf's");
	ask(WIRE_LIST, 1, "/seen");
	while (strncmp(line = next_line(), "listed", 6) == 0) {
		unsigned long revision;

		cr_assert_eq(sscanf(line, "listed /seen/k%u @%lu", &i, &revision), 2);
		cr_assert_lt(i, N_KEYS);
		cr_assert_not(seen[i]);
		cr_assert_eq(revision, i + 1);
		seen[i] = true;
		n++;
	}
	cr_assert_str_eq(line, "end @201");
	cr_assert_eq(n, N_KEYS);
	ask(WIRE_LIST, 2, "/elsewhere");
	cr_assert_str_eq(next_line(), "error elsewhere is not an allowed path");
	ask(WIRE_LIST, 3, "/seen/k007");
	cr_assert_str_eq(next_line(), "listed /seen/k007 @8");
	cr_assert_str_eq(next_line(), "end @201");
}

Test(gateway_watch, conditions)
{
	ask_if(WIRE_WRITE, 1, "/lease/state", "1", KV_REVISION_ABSENT);
	cr_assert_str_eq(next_line(), "ok  @1");
	ask_if(WIRE_WRITE, 2, "/lease/state", "2", KV_REVISION_ABSENT);
	cr_assert_str_eq(next_line(), "error conflict");
	ask_if(WIRE_WRITE, 3, "/lease/state", "2", 1);
	cr_assert_str_eq(next_line(), "ok  @2");
	ask_if(WIRE_WRITE, 4, "/lease/state", "3", 1);
	cr_assert_str_eq(next_line(), "error conflict");
	ask_if(WIRE_READ, 5, "/lease/state", "", 1);
	cr_assert_str_eq(next_line(), "ok 2 @2");
	ask(WIRE_READ, 6, "/lease/state");
	cr_assert_str_eq(next_line(), "ok 2");
	ask_if(WIRE_DELETE, 7, "/lease/state", "", 1);
	cr_assert_str_eq(next_line(), "error conflict");
	ask_if(WIRE_DELETE, 8, "/lease/state", "", 2);
	cr_assert_str_eq(next_line(), "ok  @3");
	ask_if(WIRE_DELETE, 9, "/lease/state", "", 2);
	cr_assert_str_eq(next_line(), "error conflict");
}

Test(gateway_watch, conditions_of_a_commit)
{
	static struct commit commit;
	static uint8_t frame[WIRE_FRAME_MAX];
	static const struct {
		uint64_t condition;
		const char *answer;
	} rows[] = {
		{ KV_REVISION_ABSENT, "ok  @1" },
		{ KV_REVISION_ABSENT, "error conflict" },
		{ 1, "ok  @2" },
		{ 1, "error conflict" },
		{ 2, "ok  @3" },
	};

	commit_init(&commit);
	commit_write(&commit, "/lease/state", "1", 1);
	commit_write(&commit, "/lease/id", "1", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int size = wire_encode_commit(1, commit.bytes, commit.size, commit.n_changes,
					      rows[i].condition, frame, sizeof(frame));

		cr_assert_eq(write(test.control, frame, (size_t)size), size);
		cr_assert_str_eq(next_line(), rows[i].answer, "row %zu", i);
	}
}

Test(gateway_watch, from_the_first_key_to_the_last_event)
{
	set("/seen/name", "x");
	ask(WIRE_WATCH, 1, "");
	cr_assert_str_eq(next_line(), "value /seen/name @1 x");
	cr_assert_str_eq(next_line(), "synced @1");
	set("/seen/name", "y");
	cr_assert_str_eq(next_line(), "value /seen/name @2 y");
	set("/elsewhere", "z");
	set("/seen/empty", "");
	cr_assert_str_eq(next_line(), "value /seen/empty @4 ");
	ask(WIRE_WATCH, 2, "/lease");
	cr_assert_str_eq(next_line(), "error lease is not an allowed path");
	ask(WIRE_WRITE, 3, "/lease/state");
	cr_assert_str_eq(next_line(), "ok ");
	close(test.control);
	cr_assert_eq(gateway_test_wait(&test), ROLE_EXIT_EOF);
	cr_assert_str_eq(gateway_test_log(&test), "");
}

/* A compromised gateway can write any position into its ring; the watches of the next
 * gateway on the same ring work nevertheless. */
Test(gateway_watch, ring_that_an_earlier_gateway_damaged)
{
	unsigned long *consumer = test.gate.store.ring_pages[KV_SUBJECT_CALF];

	set("/seen/name", "x");
	*consumer = (1ul << 40) + 4;
	ask(WIRE_WATCH, 1, "");
	cr_assert_str_eq(next_line(), "value /seen/name @1 x");
	cr_assert_str_eq(next_line(), "synced @1");
	set("/seen/name", "y");
	cr_assert_str_eq(next_line(), "value /seen/name @2 y");
	cr_assert_eq(*consumer % 8, 0);
}

/* The gateway is stopped, and the kernel's ring overflows. */
Test(gateway_watch, overflow_brings_everything_again)
{
	char text[KV_VALUE_SIZE];

	memset(text, 'x', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	for (unsigned int i = 0; i < 50; i++)
		set_number(i, "first");
	ask(WIRE_WATCH, 1, "/seen");
	assert_converges();
	cr_assert_eq(n_synced, 1);
	cr_assert_eq(kill(test.pid, SIGSTOP), 0);
	for (unsigned int i = 0; i < 300; i++)
		set_number(i % 100, text);
	set_number(3, "last");
	cr_assert_eq(kill(test.pid, SIGCONT), 0);
	assert_converges();
	cr_assert_eq(n_resync, 1);
	cr_assert_eq(n_synced, 2);
	cr_assert_str_eq(held[3].text, "last");
	set_number(3, "after");
	assert_converges();
	cr_assert_eq(n_resync, 1, "a reported loss is not reported again");
}

/* Another writer changes the store all the time, during and after the listing. */
Test(gateway_watch, store_that_changes_meanwhile)
{
	pid_t writer;
	const char *line;

	for (unsigned int i = 0; i < N_KEYS; i++)
		set_number(i, "first");
	writer = fork();
	if (writer == 0) {
		uint64_t until_ns = loop_now_ns() + 1000000000ull;

		for (unsigned int i = 0; loop_now_ns() < until_ns; i++) {
			char path[KV_PATH_SIZE], text[16];

			snprintf(path, sizeof(path), "/seen/k%03u", i * 37 % 250);
			snprintf(text, sizeof(text), "v%u", i);
			if (i % 7 == 0)
				gate_delete(SUPERVISOR, path, NULL);
			else
				gate_write(SUPERVISOR, path, text, strlen(text), NULL);
			if (i % 64 == 0)
				gate_test_drain(&test.gate);
		}
		_exit(0);
	}
	ask(WIRE_WATCH, 1, "/seen");
	patience_ms = 10;
	while (waitpid(writer, NULL, WNOHANG) == 0)
		if (strcmp(line = next_line(), "nothing") != 0)
			apply(line);
	patience_ms = PATIENCE_MS;
	assert_converges();
	cr_assert_geq(n_synced, 1);
}

Test(gateway_watch, client_that_never_reads)
{
	char text[KV_VALUE_SIZE];
	uint64_t began_ns = loop_now_ns();

	memset(text, 'x', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	ask(WIRE_WATCH, 1, "/seen");
	cr_assert_str_eq(next_line(), "synced @0");
	for (unsigned int i = 0; i < 1000; i++)
		set_number(i % 100, text);
	cr_assert_eq(gateway_test_wait(&test), ROLE_EXIT_MALFORMED);
	cr_assert_geq(loop_now_ns() - began_ns, 9500000000ull);
	cr_assert_str_eq(gateway_test_log(&test), "<error> dhcp4: gateway: the calf has not read "
						  "its responses for 10 s; disconnecting "
						  "it\n");
}

/* A listing costs the calf one request per key: it takes a while, but it completes. */
Test(gateway_watch_slow, rate_is_kept_while_listing)
{
	const char *line;

	for (unsigned int i = 0; i < N_KEYS; i++)
		set_number(i, "first");
	ask(WIRE_WATCH, 1, "/seen");
	do {
		line = next_line();
		apply(line);
	} while (n_synced == 0);
	assert_converges();
	cr_assert_eq(n_resync, 0);
}
