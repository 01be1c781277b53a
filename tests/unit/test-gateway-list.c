/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-client.h"

TestSuite(gateway_list, .init = client_setup);

/* n keys that are listed, each with as many segments as a path may have. */
static void fill(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		char path[KV_PATH_SIZE];

		snprintf(path, sizeof(path), "/config/k%03u", i);
		test_store_set(&store, path, "v");
	}
}

Test(gateway_list, empty_store)
{
	client_ask(WIRE_LIST, 9, "");
	cr_assert_str_eq(client_all(), "9 end 0\n");
}

Test(gateway_list, what_the_calf_may_read)
{
	test_store_set(&store, "/a", "1");
	test_store_set(&store, "/ip", "10.0.2.15/24");
	test_store_set(&store, "/hidden", "x");
	test_store_set(&store, "/b/c", "2");
	client_ask(WIRE_LIST, 1, "");
	cr_assert_str_eq(client_all(), "1 listed /a 1\n1 listed /b/c 4\n1 end 4\n");
	client_ask(WIRE_LIST, 2, "/b");
	cr_assert_str_eq(client_all(), "2 listed /b/c 4\n2 end 4\n");
	client_ask(WIRE_LIST, 3, "/a");
	cr_assert_str_eq(client_all(), "3 listed /a 1\n3 end 4\n");
	client_ask(WIRE_LIST, 4, "/nothing");
	cr_assert_str_eq(client_all(), "4 error nothing is not an allowed path\n");
}

Test(gateway_list, pages)
{
	const char *text;

	fill(200);
	client_ask(WIRE_LIST, 1, "/config");
	text = client_all();
	cr_assert_eq(client_count("1 listed /config/k"), 200);
	cr_assert_eq(client_count(" end "), 1);
	cr_assert_not_null(strstr(text, "1 end 200\n"));
	for (unsigned int i = 0; i < 200; i++) {
		char line[64];

		snprintf(line, sizeof(line), "1 listed /config/k%03u %u\n", i, i + 1);
		cr_assert_eq(client_count(line), 1, "%s", line);
	}
}

/* A page of the store with the most segments is several responses. */
static int page_of_segments(void *data, const char *directory, struct gate_page *page)
{
	(void)data;
	(void)directory;
	memset(page, 0, sizeof(*page));
	page->revision = 77;
	while (page->length + KV_ENTRY_SIZE(16) <= sizeof(page->bytes)) {
		uint64_t revision = page->length + 1;

		memcpy(page->bytes + page->length, &revision, sizeof(revision));
		strcpy(page->bytes + page->length + sizeof(revision), "/a/a/a/a/a/a/a/a");
		page->length += KV_ENTRY_SIZE(16);
	}
	return 0;
}

Test(gateway_list, page_that_is_longer_on_the_wire)
{
	struct gateway_store calls = test_store_calls;

	calls.list = page_of_segments;
	gateway_responder_init(&responder, &test_table, &calls, &store);
	client_ask(WIRE_LIST, 1, "");
	client_all();
	cr_assert_eq(client_count("1 listed /a/a/a/a/a/a/a/a "), KV_VALUE_SIZE / 32);
	cr_assert_eq(client_count("1 end 77\n"), 1);
}

Test(gateway_list, answers_come_in_order)
{
	fill(100);
	test_store_set(&store, "/a", "x");
	client_ask(WIRE_READ, 1, "/a");
	client_ask(WIRE_LIST, 2, "/config");
	client_ask(WIRE_READ, 3, "/a");
	client_ask(WIRE_LIST, 4, "/a");
	client_ask(WIRE_READ, 5, "/a");
	client_all();
	cr_assert_eq(strncmp(client_text, "1 ok x\n2 listed", 15), 0);
	cr_assert_not_null(
		strstr(client_text, "2 end 101\n3 ok x\n4 listed /a 101\n4 end 101\n5 ok x\n"));
}

Test(gateway_list, verdicts_of_the_store)
{
	store.verdict = -EDQUOT;
	client_ask(WIRE_LIST, 1, "/config");
	cr_assert_str_eq(client_all(), "1 error quota exceeded\n");
	store.verdict = -EBUSY;
	client_ask(WIRE_LIST, 2, "/config");
	cr_assert_str_eq(client_all(), "2 error try again\n");
	store.verdict = -EFAULT;
	client_ask(WIRE_LIST, 3, "/config");
	cr_assert_str_eq(client_all(), "3 error store failed\n");
	store.verdict = 0;
	client_ask(WIRE_LIST, 4, "/config");
	cr_assert_str_eq(client_all(), "4 end 0\n");
}

/* Fails at the second page. */
static void refuse_next(struct test_store *at)
{
	at->meanwhile = NULL;
	at->verdict = -EBUSY;
}

Test(gateway_list, error_in_the_middle_ends_it)
{
	fill(200);
	store.meanwhile = refuse_next;
	client_ask(WIRE_LIST, 1, "/config");
	client_all();
	cr_assert_gt(client_count("1 listed"), 10);
	cr_assert_lt(client_count("1 listed"), 200);
	cr_assert_eq(client_count("1 error try again\n"), 1);
	cr_assert_eq(client_count("end"), 0);
}

/* Many lists at once, and no reader: memory is bounded, and they continue later. */
Test(gateway_list, client_that_reads_late)
{
	int size = 4096, n = 100;

	cr_assert_eq(setsockopt(gateway, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	fill(200);
	for (int i = 0; i < n; i++) {
		client_ask(WIRE_LIST, i, "/config");
		client_step();
	}
	cr_assert_eq(gateway_connection_events(&connection), POLLOUT);
	cr_assert_lt(connection.n_served, 10);
	client_all();
	cr_assert_eq(client_count(" end 200\n"), (unsigned int)n);
	cr_assert_eq(client_count(" listed "), (unsigned int)n * 200);
}
