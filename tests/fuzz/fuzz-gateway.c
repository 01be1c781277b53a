/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the complete gateway: connection, request and a store in
 * memory, over a real socket. The first byte selects how the rest is split into
 * writes; the rest is sent by the calf.
 *
 * Besides crashes, it checks that every complete request before the first malformed
 * one is answered, in order and with its id, with a response that can be decoded;
 * that only keys that the calf may write are stored, with values of their type; and
 * that the number of steps is bounded by the number of bytes sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/check.h"
#include "tests/unit/gateway-store.h"
#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/common/wire.h"
#include "userspace/priv/gateway/connection.h"

#define REQUESTS_MAX 8192
#define OUTSIDE "/config/outside" /* a key that other subjects change */
#define CUTS_MAX 64		  /* writes; the rest follows in a single one */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct test_store store;
static struct gateway_responder responder;
static struct gateway_connection connection;

/* The requests in the input, as the decoder reads them. */
static struct {
	int32_t id;
	uint16_t tag;
} requests[REQUESTS_MAX];
static size_t n_requests;
static bool is_ambiguous;

/* The responses to them. */
static size_t n_answered;
static uint8_t answers[2 * WIRE_FRAME_MAX];
static size_t n_answers;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
	return 0;
}

/* The gateway does not read bytes that it has not received. */
static void find_requests(const uint8_t *bytes, size_t size)
{
	n_requests = 0;
	while (n_requests < REQUESTS_MAX) {
		int n = wire_frame_size(bytes, size);
		struct wire_request request;

		if (n <= 0 || (size_t)n > size ||
		    wire_decode_request(bytes, (size_t)n, &request) < 0)
			return;
		requests[n_requests].id = request.id;
		requests[n_requests++].tag = request.tag;
		bytes += n;
		size -= (size_t)n;
	}
}

static bool is_watched(int32_t id)
{
	for (size_t i = 0; i < n_answered; i++)
		if (requests[i].tag == WIRE_WATCH && requests[i].id == id)
			return true;
	return false;
}

/* A watch has the same id as another request, so responses cannot be attributed,
 * and their order is not checked. */
static bool are_ambiguous(void)
{
	size_t n_watches = 0;

	for (size_t i = 0; i < n_requests; i++) {
		if (requests[i].tag != WIRE_WATCH)
			continue;
		if (++n_watches > 64)
			return true;
		for (size_t j = 0; j < n_requests; j++)
			if (j != i && requests[j].id == requests[i].id)
				return true;
	}
	return false;
}

/* A page of a list, which arrives in order; otherwise it belongs to a watch. */
static bool is_listing(const uint8_t *frame, size_t size, const struct wire_response *response)
{
	struct wire_entry entry;

	if (response->n_entries == 0)
		return true;
	CHECK(wire_response_entry(frame, size, response, 0, &entry) == 0);
	return entry.tag == WIRE_ENTRY_LISTED;
}

/*
 * Events of a watch may arrive at any time. Every other response belongs to the
 * first unanswered request; a list continues until its last page. A watch may be
 * answered with an error, otherwise it has no response.
 */
static void check_response(const uint8_t *frame, size_t size)
{
	struct wire_response response;

	CHECK(wire_decode_response(frame, size, &response) == 0);
	CHECK(response.tag <= WIRE_ENTRIES);
	CHECK(response.code < _WIRE_CODE_N);
	CHECK((response.code != WIRE_CODE_NONE) == (response.tag == WIRE_ERROR));
	if (is_ambiguous)
		return;
	while (n_answered < n_requests && requests[n_answered].tag == WIRE_WATCH &&
	       (response.tag != WIRE_ERROR || requests[n_answered].id != response.id))
		n_answered++;
	if (response.tag == WIRE_ENTRIES && !is_listing(frame, size, &response)) {
		CHECK(is_watched(response.id));
		return;
	}
	CHECK(n_answered < n_requests && requests[n_answered].id == response.id);
	CHECK(response.tag != WIRE_ENTRIES || requests[n_answered].tag == WIRE_LIST);
	if (!response.more)
		n_answered++;
}

/* Read what the gateway has sent and check every complete response. */
static void read_answers(int fd)
{
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, answers + n_answers, sizeof(answers) - n_answers)) > 0) {
		n_answers += (size_t)n;
		for (at = 0; at < n_answers;) {
			int size = wire_frame_size(answers + at, n_answers - at);

			CHECK(size >= 0);
			if (size == 0 || (size_t)size > n_answers - at)
				break;
			check_response(answers + at, (size_t)size);
			at += (size_t)size;
		}
		memmove(answers, answers + at, n_answers - at);
		n_answers -= at;
	}
}

static void check_store(void)
{
	for (size_t i = 0; i < store.n_keys; i++) {
		const struct key_rule *key =
			key_rule_find(test_table.keys, test_table.n_keys, store.keys[i].path);

		if (store.keys[i].path[0] == '\0' || strcmp(store.keys[i].path, OUTSIDE) == 0)
			continue;
		CHECK(key && (key->access & KV_ACCESS_WRITE));
		CHECK(value_check(&key->rule, store.keys[i].text, store.keys[i].length) == 0);
	}
}

/* The size of the next write: all, a few bytes, or sometimes many. */
static size_t next_cut(uint8_t how, size_t left, uint32_t *random)
{
	size_t cut = how;

	*random = *random * 1664525u + 1013904223u;
	if (how == 0)
		return left;
	if (how > 127)
		cut = *random >> 24 & 1 ? 1 + (*random >> 16 & 15) : 1 + (*random >> 8 & 0xffff);
	return cut < left ? cut : left;
}

/* Clear the store except for its memory, which is large. It may process batches
 * completely or partly. */
static void reset_store(uint8_t how)
{
	store.batch_max = how >> 4;
	store.n_keys = 0;
	store.revision = store.sequence = store.n_lost = 0;
	store.verdict = 0;
	store.is_watched = false;
	store.ring_at = store.ring_end = store.ring_bytes = 0;
}

/* Let another subject change a key that the calf may watch, and let time pass: step
 * the gateway, as its loop would. */
static int meddle(size_t i)
{
	static const char text[] = "some text";

	if (i % 5 == 0)
		test_store_delete(&store, OUTSIDE);
	else
		test_store_set(&store, OUTSIDE, text + i % 9);
	if (i % 3 == 0 && gateway_connection_needs_tick(&connection))
		return gateway_connection_tick(&connection);
	if (gateway_connection_needs_retry(&connection))
		return gateway_connection_retry(&connection);
	return gateway_connection_push(&connection);
}

/* Write everything, and step the gateway whenever it may be ready. Returns the
 * result of the last step. */
static int feed(int fd, uint8_t how, const uint8_t *bytes, size_t size)
{
	uint32_t random = (uint32_t)size * 2654435761u + how;
	size_t at = 0, n_steps = 0, n_writes = 0;
	int status = GATEWAY_GOES_ON;

	while (at < size && status == GATEWAY_GOES_ON) {
		size_t cut = n_writes < CUTS_MAX ? next_cut(how, size - at, &random) : size - at;
		ssize_t n = write(fd, bytes + at, cut);

		at += n > 0 ? (size_t)n : 0;
		n_writes++;
		status = gateway_connection_step(&connection);
		if (status == GATEWAY_GOES_ON && (how & 3) == 3)
			status = meddle(n_writes);
		read_answers(fd);
		CHECK(n > 0 || n_writes < 2 * size + 1024); /* or it is stuck */
	}
	/* Read the rest of the socket, up to the end of the stream. */
	shutdown(fd, SHUT_WR);
	while (status == GATEWAY_GOES_ON) {
		status = gateway_connection_step(&connection);
		read_answers(fd);
		CHECK(++n_steps < size / 8 + 1024);
	}
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fds[2], status;

	if (size == 0)
		return 0;
	reset_store(bytes[0]);
	n_answered = n_answers = 0;
	find_requests(bytes + 1, size - 1);
	is_ambiguous = are_ambiguous();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	gateway_responder_init(&responder, &test_table, &test_store_calls, &store);
	gateway_connection_init(&connection, &responder, fds[1]);
	status = feed(fds[0], bytes[0], bytes + 1, size - 1);
	CHECK(status == GATEWAY_CLOSED || (status < 0 && status >= -4095));
	read_answers(fds[0]);
	CHECK(n_answers == 0);
	while (n_answered < n_requests && requests[n_answered].tag == WIRE_WATCH)
		n_answered++;
	CHECK(is_ambiguous || n_answered == n_requests || n_requests == REQUESTS_MAX);
	check_store();
	close(fds[0]);
	close(fds[1]);
	return 0;
}
