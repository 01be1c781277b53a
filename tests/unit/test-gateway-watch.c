/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-client.h"

TestSuite(gateway_watch, .init = client_setup);

static void fill(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		char path[KV_PATH_SIZE];

		snprintf(path, sizeof(path), "/config/k%03u", i);
		test_store_set(&store, path, "first");
	}
}

/* More changes of one key than the ring can hold. */
static void flood(unsigned int n)
{
	static char text[KV_VALUE_SIZE];

	memset(text, 'f', KV_VALUE_MAX);
	for (unsigned int i = 0; i < n; i++)
		test_store_set(&store, "/config/flood", text);
	test_store_set(&store, "/config/flood", "last");
}

/* The keys below /config that a conforming client has at the end. */
static struct {
	char path[KV_PATH_SIZE];
	char text[KV_VALUE_SIZE];
	unsigned long revision;
	bool is_current;
} held[TEST_KEYS_MAX];
static size_t n_held;

static size_t hold(const char *path)
{
	size_t i = 0;

	while (i < n_held && strcmp(held[i].path, path) != 0)
		i++;
	if (i == n_held)
		strcpy(held[n_held++].path, path);
	return i;
}

/* Apply the text of client_all() for one id. */
static void apply(int32_t wanted_id)
{
	char *state, *copy = strdup(client_text);

	for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		char kind[16], path[KV_PATH_SIZE] = "", text[KV_VALUE_SIZE] = "";
		unsigned long revision = 0;
		int id;

		cr_assert_geq(sscanf(line, "%d %15s", &id, kind), 2);
		if (id != wanted_id)
			continue;
		if (strcmp(kind, "resync") == 0) {
			/* everything comes again, so revisions may too */
			for (size_t i = 0; i < n_held; i++) {
				held[i].is_current = false;
				held[i].revision = 0;
			}
		} else if (strcmp(kind, "synced") == 0) {
			for (size_t i = 0; i < n_held; i++)
				if (!held[i].is_current)
					held[i].text[0] = '\0';
		} else {
			size_t i;

			cr_assert_geq(
				sscanf(line, "%*d %*s %63s %lu %1023s", path, &revision, text), 2);
			i = hold(path);
			cr_assert_lt(held[i].revision, revision, "%s: backwards or twice", line);
			held[i].revision = revision;
			held[i].is_current = true;
			strcpy(held[i].text, text);
		}
	}
	free(copy);
}

static void assert_holds_store(void)
{
	size_t n = 0, m = 0;

	for (size_t i = 0; i < store.n_keys; i++) {
		if (!path_is_below(store.keys[i].path, "/config") ||
		    !(test_access(store.keys[i].path) & KV_ACCESS_WATCH))
			continue;
		cr_assert_str_eq(held[hold(store.keys[i].path)].text, store.keys[i].text, "%s",
				 store.keys[i].path);
		n++;
	}
	for (size_t i = 0; i < n_held; i++)
		m += held[i].text[0] != '\0';
	cr_assert_eq(m, n);
}

Test(gateway_watch, present_keys_then_events)
{
	test_store_set(&store, "/config/name", "x");
	test_store_set(&store, "/link", "up");
	test_store_set(&store, "/a", "not watched");
	client_ask(WIRE_WATCH, 5, "");
	cr_assert_str_eq(client_all(),
			 "5 value /config/name 1 x\n5 value /link 2 up\n5 synced 3\n");
	cr_assert_eq(gateway_connection_ring_events(&connection), POLLIN);
	test_store_set(&store, "/link", "down");
	test_store_delete(&store, "/config/name");
	test_store_set(&store, "/a", "not watched");
	cr_assert_str_eq(client_all(), "5 value /link 4 down\n5 deleted /config/name 5\n");
	cr_assert_str_eq(client_all(), "");
}

Test(gateway_watch, empty_value_and_empty_store)
{
	client_ask(WIRE_WATCH, 5, "/config");
	cr_assert_str_eq(client_all(), "5 synced 0\n");
	test_store_set(&store, "/config/x", "");
	cr_assert_str_eq(client_all(), "5 value /config/x 1 \n");
}

Test(gateway_watch, paths)
{
	static const struct {
		const char *path, *answer;
	} rows[] = {
		{ "/config", "1 value /config/x 1 1\n1 synced 3\n" },
		{ "/config/x", "1 value /config/x 1 1\n1 synced 3\n" },
		{ "/config/absent", "1 synced 3\n" },
		{ "/config/x/y", "1 error config/x/y is not an allowed path\n" },
		{ "/config/unseen", "1 error config/unseen is not an allowed path\n" },
		{ "/mac", "1 error mac is not an allowed path\n" },
		{ "/nameserver", "1 error nameserver is not an allowed path\n" },
		{ "/hidden", "1 error hidden is not an allowed path\n" },
		{ "/confi", "1 error confi is not an allowed path\n" },
		{ "/link", "1 value /link 2 up\n1 synced 3\n" },
	};

	test_store_set(&store, "/config/x", "1");
	test_store_set(&store, "/link", "up");
	test_store_set(&store, "/config/unseen", "read only");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gateway_responder_init(&responder, &test_table, &test_store_calls, &store);
		client_ask(WIRE_WATCH, 1, rows[i].path);
		cr_assert_str_eq(client_all(), rows[i].answer, "%s: %s", rows[i].path, client_text);
	}
}

Test(gateway_watch, several_each_with_its_own)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_ask(WIRE_WATCH, 2, "/link");
	client_ask(WIRE_WATCH, 3, "");
	client_all();
	test_store_set(&store, "/config/x", "1");
	test_store_set(&store, "/link", "up");
	cr_assert_str_eq(client_all(), "1 value /config/x 1 1\n3 value /config/x 1 1\n"
				       "2 value /link 2 up\n3 value /link 2 up\n");
}

Test(gateway_watch, too_many)
{
	for (int i = 1; i <= GATEWAY_WATCHES_MAX + 1; i++)
		client_ask(WIRE_WATCH, i, "/link");
	client_all();
	cr_assert_eq(client_count(" synced 0\n"), GATEWAY_WATCHES_MAX);
	cr_assert_eq(client_count("9 error too many watches\n"), 1);
	test_store_set(&store, "/link", "up");
	client_all();
	cr_assert_eq(client_count(" value /link 1 up\n"), GATEWAY_WATCHES_MAX);
}

Test(gateway_watch, verdicts_of_the_store)
{
	store.verdict = -EDQUOT;
	client_ask(WIRE_WATCH, 1, "/link");
	cr_assert_str_eq(client_all(), "1 error quota exceeded\n");
	store.verdict = -EACCES;
	client_ask(WIRE_WATCH, 2, "/link");
	cr_assert_str_eq(client_all(), "2 error link is not an allowed path\n");
	cr_assert_eq(responder.watches.n, 0);
}

Test(gateway_watch, requests_go_on_beside_it)
{
	client_ask(WIRE_WATCH, 1, "");
	client_all();
	test_store_set(&store, "/a", "x");
	test_store_set(&store, "/link", "up");
	client_ask(WIRE_READ, 2, "/a");
	client_ask(WIRE_LIST, 3, "/link");
	client_all();
	cr_assert_not_null(strstr(client_text, "2 ok x\n3 listed /link 2\n3 end 2\n"));
	cr_assert_eq(client_count("1 value /link 2 up\n"), 1);
}

static void change_once(struct test_store *at)
{
	at->meanwhile = NULL;
	test_store_set(at, "/config/x", "1");
}

/* A change that is in the ring when a watch begins is a part of its listing. */
Test(gateway_watch, change_at_the_beginning_comes_once)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	store.meanwhile = change_once;
	client_ask(WIRE_READ, 2, "/a");
	client_ask(WIRE_WATCH, 3, "/config");
	client_all();
	cr_assert_eq(client_count("1 value /config/x 1 1\n"), 1);
	cr_assert_eq(client_count("3 value /config/x 1 1\n3 synced 1\n"), 1);
	cr_assert_eq(client_count("3 value "), 1);
}

/* Before each call of the listing one key more changes: it may be listed, or
 * not yet, or come and go. */
static unsigned int n_meanwhile;

static void change_some(struct test_store *at)
{
	char path[KV_PATH_SIZE], text[16];

	n_meanwhile++;
	snprintf(path, sizeof(path), "/config/k%03u", n_meanwhile * 37 % 250);
	snprintf(text, sizeof(text), "v%u", n_meanwhile);
	if (n_meanwhile % 5 == 0)
		test_store_delete(at, path);
	else
		test_store_set(at, path, text);
	if (n_meanwhile % 3 == 0)
		test_store_set(at, path, text);
}

Test(gateway_watch, store_that_changes_while_it_is_listed)
{
	unsigned long synced = 0;

	fill(200);
	store.meanwhile = change_some;
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	store.meanwhile = NULL;
	cr_assert_gt(n_meanwhile, 100);
	cr_assert_eq(client_count("1 synced "), 1);
	cr_assert_eq(client_count("resync"), 0);
	sscanf(strstr(client_text, "1 synced "), "1 synced %lu", &synced);
	cr_assert_gt(synced, 200);
	apply(1);
	client_all();
	apply(1);
	assert_holds_store();
}

/* Nothing newer than R comes before `synced R`, nothing older after it. */
Test(gateway_watch, synced_is_exact)
{
	unsigned long synced = 0, revision;
	bool is_behind = false;

	fill(100);
	store.meanwhile = change_some;
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	sscanf(strstr(client_text, "1 synced "), "1 synced %lu", &synced);
	for (char *line = client_text; *line; line = strchr(line, '\n') + 1) {
		is_behind |= strncmp(line, "1 synced", 8) == 0;
		if (sscanf(line, "1 %*s /%*s %lu", &revision) == 1) {
			if (is_behind)
				cr_assert_gt(revision, synced);
			else
				cr_assert_leq(revision, synced);
		}
	}
}

Test(gateway_watch, overflow_is_told_and_all_comes_again)
{
	fill(20);
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	apply(1);
	test_store_delete(&store, "/config/k003");
	flood(200);
	test_store_delete(&store, "/config/k004"); /* lost */
	cr_assert_gt(store.n_lost, 0);
	client_all();
	cr_assert_eq(client_count("1 resync\n"), 1);
	cr_assert_eq(client_count("1 synced "), 1);
	cr_assert_eq(client_count("1 deleted /config/k004"), 0);
	apply(1);
	assert_holds_store();
	cr_assert_eq(strlen(held[hold("/config/k003")].text), 0);
	cr_assert_eq(strlen(held[hold("/config/k004")].text), 0);
	/* and only once: a reported loss is not reported again */
	test_store_set(&store, "/config/k005", "after");
	client_all();
	cr_assert_eq(client_count("resync"), 0);
	cr_assert_eq(client_count("1 value /config/k005 "), 1);
}

/* A hole in the numbers, although nothing was near full. */
Test(gateway_watch, gap)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_ask(WIRE_WATCH, 2, "/link");
	client_all();
	test_store_set(&store, "/link", "up");
	cr_assert_str_eq(client_all(), "2 value /link 1 up\n");
	store.sequence++;
	store.n_lost++;
	test_store_set(&store, "/config/x", "1");
	cr_assert_str_eq(client_all(), "1 resync\n2 resync\n1 value /config/x 2 1\n"
				       "2 value /link 1 up\n1 synced 2\n2 synced 2\n");
	test_store_set(&store, "/config/x", "2");
	cr_assert_str_eq(client_all(), "1 value /config/x 3 2\n");
}

/* No record follows the lost ones: the store is asked once a second. */
Test(gateway_watch, loss_at_the_end)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	cr_assert_not(gateway_connection_needs_tick(&connection));
	test_store_set(&store, "/config/x", "1");
	cr_assert_str_eq(client_all(), "1 value /config/x 1 1\n");
	cr_assert(gateway_connection_needs_tick(&connection));
	store.sequence++;
	store.n_lost++;
	cr_assert_str_eq(client_all(), "");
	cr_assert_eq(gateway_connection_tick(&connection), GATEWAY_GOES_ON);
	cr_assert_str_eq(client_all(), "1 resync\n1 value /config/x 1 1\n1 synced 1\n");
	cr_assert_not(gateway_connection_needs_tick(&connection));
	cr_assert_eq(store.n_asked, 1);
}

Test(gateway_watch, quiet_store_is_not_asked)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	for (int i = 0; i < 1000; i++) {
		test_store_set(&store, "/config/x", "1");
		client_all();
	}
	cr_assert_eq(store.n_asked, 0);
	cr_assert_eq(store.n_lost, 0);
}

Test(gateway_watch, record_that_is_none)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	test_store_set(&store, "/config/x", "1");
	store.ring[0].event.type = 77;
	cr_assert_str_eq(client_all(), "1 resync\n1 value /config/x 1 1\n1 synced 1\n");
	test_store_set(&store, "/config/x", "2");
	store.ring[1].change.path[1] = '\n';
	client_all();
	cr_assert_eq(client_count("1 resync\n"), 1);
	cr_assert_eq(client_count("1 value /config/x 2 2\n"), 1);
}

/* Records in the ring left by an earlier gateway of this subject. */
Test(gateway_watch, old_records_are_not_events)
{
	store.is_watched = true;
	flood(200);
	cr_assert_gt(store.n_lost, 0);
	client_ask(WIRE_WATCH, 1, "/config");
	cr_assert_str_eq(client_all(), "1 value /config/flood 201 last\n1 synced 201\n");
	test_store_set(&store, "/config/x", "1");
	cr_assert_str_eq(client_all(), "1 value /config/x 202 1\n");
}

/* Its state exceeds every buffer, and it reads in small bites. */
Test(gateway_watch, large_state_goes_on_when_there_is_room)
{
	int size = 4096;
	char text[KV_VALUE_SIZE];

	cr_assert_eq(setsockopt(gateway, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	memset(text, 'x', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	for (unsigned int i = 0; i < 400; i++) {
		char path[KV_PATH_SIZE];

		snprintf(path, sizeof(path), "/config/k%03u", i);
		test_store_set(&store, path, text);
	}
	for (int i = 1; i <= 3; i++)
		client_ask(WIRE_WATCH, i, "/config");
	client_step();
	cr_assert_eq(gateway_connection_events(&connection), POLLOUT);
	cr_assert_eq(gateway_connection_ring_events(&connection), 0);
	cr_assert_lt(store.n_calls, 100);
	client_all();
	cr_assert_eq(client_count(" value /config/k"), 3 * 400);
	cr_assert_eq(client_count(" synced 400\n"), 3);
}

/* It never reads: the gateway fills its buffer, takes nothing more from the ring, and
 * finally disconnects it. */
Test(gateway_watch, client_that_never_reads)
{
	size_t ring_at;

	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	while (gateway_connection_events(&connection) != POLLOUT) {
		flood(10);
		client_step();
	}
	ring_at = store.ring_at;
	for (int i = 0; i < 10; i++) {
		flood(100);
		client_step();
		cr_assert_eq(gateway_connection_push(&connection), GATEWAY_GOES_ON);
	}
	cr_assert_eq(store.ring_at, ring_at);
	cr_assert_gt(store.n_lost, 0);
	for (int i = 1; i < GATEWAY_STALLED_TICKS; i++)
		cr_assert_eq(gateway_connection_tick(&connection), GATEWAY_GOES_ON);
	cr_assert_eq(gateway_connection_tick(&connection), GATEWAY_STALLED);
}

Test(gateway_watch, client_that_reads_again_in_time)
{
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	while (gateway_connection_events(&connection) != POLLOUT) {
		flood(10);
		client_step();
	}
	flood(300);
	for (int i = 1; i < GATEWAY_STALLED_TICKS; i++)
		cr_assert_eq(gateway_connection_tick(&connection), GATEWAY_GOES_ON);
	client_all();
	cr_assert_eq(connection.n_stalled, 0);
	cr_assert_geq(client_count("1 resync\n"), 1);
	apply(1);
	assert_holds_store();
}

/* The rate of the calf is used up in the middle: the listing continues later. */
static void refuse_next(struct test_store *at)
{
	if (++n_meanwhile == 20)
		at->verdict = -EDQUOT;
}

Test(gateway_watch, listing_that_is_held_up)
{
	fill(50);
	store.meanwhile = refuse_next;
	client_ask(WIRE_WATCH, 1, "/config");
	client_all();
	cr_assert(gateway_connection_needs_retry(&connection));
	cr_assert_eq(client_count(" synced "), 0);
	apply(1);
	cr_assert_eq(gateway_connection_retry(&connection), GATEWAY_GOES_ON);
	cr_assert(gateway_connection_needs_retry(&connection));
	store.verdict = 0;
	cr_assert_str_eq(client_all(), "", "not by itself");
	cr_assert_eq(gateway_connection_retry(&connection), GATEWAY_GOES_ON);
	client_all();
	cr_assert_not(gateway_connection_needs_retry(&connection));
	cr_assert_eq(client_count("1 synced 50\n"), 1);
	apply(1);
	assert_holds_store();
}

/* At random: whatever happens, the client converges. */
Test(gateway_watch, converges)
{
	int size = 4096;

	cr_assert_eq(setsockopt(gateway, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	srand(1);
	fill(100);
	client_ask(WIRE_WATCH, 1, "/config");
	for (int round = 0; round < 300; round++) {
		for (int i = rand() % 60; i > 0; i--)
			change_some(&store);
		if (rand() % 8 == 0)
			flood((unsigned int)rand() % 150);
		if (rand() % 4 == 0) {
			client_all();
			apply(1);
		} else {
			client_step();
		}
		if (rand() % 10 == 0)
			cr_assert_eq(gateway_connection_tick(&connection), GATEWAY_GOES_ON);
	}
	client_all();
	apply(1);
	cr_assert_eq(gateway_connection_tick(&connection), GATEWAY_GOES_ON);
	client_all();
	apply(1);
	assert_holds_store();
}

/* A value that is not of the key's type is none: it is not listed, and ends the one before. */
Test(gateway_watch, F1_values_of_another_type)
{
	test_store_set(&store, "/link", "longer than 10");
	test_store_set(&store, "/config/x", "1");
	client_ask(WIRE_WATCH, 5, "");
	cr_assert_str_eq(client_all(), "5 value /config/x 2 1\n5 synced 2\n");
	test_store_set(&store, "/link", "up");
	cr_assert_str_eq(client_all(), "5 value /link 3 up\n");
	test_store_set(&store, "/link", "longer than 10");
	cr_assert_str_eq(client_all(), "5 deleted /link 4\n");
	test_store_set(&store, "/link", "down");
	cr_assert_str_eq(client_all(), "5 value /link 5 down\n");
}

/* The rules of the gate are such that there is none: it would have no text. */
Test(gateway_watch, secret_of_another_subject)
{
	test_store_set(&store, "/config/x", "1");
	client_ask(WIRE_WATCH, 5, "");
	cr_assert_str_eq(client_all(), "5 value /config/x 1 1\n5 synced 1\n");
	store.revision++;
	test_store_event(&store, KV_CHANGE_SECRET, "/config/x", "", 0);
	cr_assert_str_eq(client_all(), "5 deleted /config/x 2\n");
}
