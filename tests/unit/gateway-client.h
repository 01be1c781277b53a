/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calf's end of a connection whose store is in memory: what it receives,
 * written out as lines of text.
 */
#ifndef CALFPEN_TESTS_GATEWAY_CLIENT_H
#define CALFPEN_TESTS_GATEWAY_CLIENT_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/gateway-store.h"
#include "userspace/common/log.h"
#include "userspace/priv/gateway/connection.h"

#define CLIENT_TEXT_MAX (4u << 20)

static struct test_store store;
static struct gateway_responder responder;
static struct gateway_connection connection;
static int calf = -1, gateway = -1;

/* Received and not yet decoded; and what was, as text. */
static uint8_t client_bytes[WIRE_FRAME_MAX];
static size_t client_size;
static char client_text[CLIENT_TEXT_MAX];
static size_t client_length;

static void client_setup(void)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	calf = fds[0];
	gateway = fds[1];
	log_init("test", open("/dev/null", O_WRONLY), LOG_LEVEL_ERROR);
	gateway_responder_init(&responder, &test_table, &test_store_calls, &store);
	gateway_connection_init(&connection, &responder, gateway);
}

static inline void client_ask(enum wire_request_tag tag, int32_t id, const char *path)
{
	uint8_t frame[512];
	int size = wire_encode_request(id, tag, path, NULL, 0, 0, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	cr_assert_eq(write(calf, frame, (size_t)size), size);
}

static inline void client_step(void)
{
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
}

__attribute__((format(printf, 1, 2))) static void client_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	client_length += (size_t)vsnprintf(client_text + client_length,
					   CLIENT_TEXT_MAX - client_length, format, arguments);
	va_end(arguments);
	cr_assert_lt(client_length, CLIENT_TEXT_MAX);
}

static inline void client_decode(const uint8_t *frame, size_t size)
{
	static const char *const kinds[] = { "value", "deleted", "listed", "synced", "resync" };
	struct wire_response response;

	cr_assert_eq(wire_decode_response(frame, size, &response), 0);
	cr_assert_eq(response.code != WIRE_CODE_NONE, response.tag == WIRE_ERROR);
	cr_assert_leq(size, WIRE_RESPONSE_MAX);
	if (response.tag != WIRE_ENTRIES)
		client_note("%d %s %.*s\n", response.id, response.tag == WIRE_OK ? "ok" : "error",
			    (int)response.value.size, response.value.bytes);
	for (uint32_t i = 0; i < response.n_entries; i++) {
		struct wire_entry entry;

		cr_assert_eq(wire_response_entry(frame, size, &response, i, &entry), 0);
		cr_assert_lt(entry.tag, 5);
		client_note("%d %s", response.id, kinds[entry.tag]);
		if (entry.path.path[0] != '\0')
			client_note(" %s", entry.path.path);
		if (entry.tag != WIRE_ENTRY_RESYNC)
			client_note(" %" PRIu64, entry.revision);
		if (entry.tag == WIRE_ENTRY_VALUE)
			client_note(" %.*s", (int)entry.value.size, entry.value.bytes);
		client_note("\n");
	}
	if (response.tag == WIRE_ENTRIES && !response.more)
		client_note("%d end %" PRIu64 "\n", response.id, response.revision);
}

/* Read once; true if there was anything. */
static inline bool client_read(void)
{
	ssize_t n = read(calf, client_bytes + client_size, sizeof(client_bytes) - client_size);
	size_t at = 0;
	int size;

	if (n <= 0)
		return false;
	client_size += (size_t)n;
	while ((size = wire_frame_size(client_bytes + at, client_size - at)) > 0 &&
	       (size_t)size <= client_size - at) {
		client_decode(client_bytes + at, (size_t)size);
		at += (size_t)size;
	}
	cr_assert_geq(size, 0);
	memmove(client_bytes, client_bytes + at, client_size - at);
	client_size -= at;
	return true;
}

/* Let both sides run until nothing moves: all that came since the last call. */
static inline const char *client_all(void)
{
	client_length = 0;
	client_text[0] = '\0';
	do {
		client_step();
	} while (client_read() || connection.is_unfinished);
	cr_assert_eq(client_size, 0);
	return client_text;
}

static inline unsigned int client_count(const char *text)
{
	unsigned int n = 0;

	for (const char *at = client_text; (at = strstr(at, text)); at++)
		n++;
	return n;
}

#endif
