/* SPDX-License-Identifier: Apache-2.0 */
/* The stream over a real socket pair, the store in memory. */
#include "tests/unit/gateway-client.h"
#include "tests/unit/wire-vectors.h"

TestSuite(gateway_connection, .init = client_setup);

static uint8_t frame[WIRE_FRAME_MAX + 8];

static size_t request(enum wire_request_tag tag, const char *path, const char *value)
{
	int size =
		wire_encode_request(-7, tag, path, value, strlen(value), 0, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	return (size_t)size;
}

static void put(const void *bytes, size_t size)
{
	cr_assert_eq(write(calf, bytes, size), (ssize_t)size);
}

/* Write all, stepping the gateway whenever the socket is full. */
static void put_stepping(const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(calf, bytes, size);

		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	}
}

/* Whatever the gateway sent, up to 64 KiB. */
static uint8_t sent[65536];

static size_t get(void)
{
	ssize_t n = read(calf, sent, sizeof(sent));

	return n < 0 ? 0 : (size_t)n;
}

/* The next response in `sent`, as "ok TEXT" or "error TEXT". */
static const char *next_response(size_t *at, size_t n_sent)
{
	static char text[KV_VALUE_SIZE + 16];
	struct wire_response response;
	int size = wire_frame_size(sent + *at, n_sent - *at);

	if (size <= 0 || (size_t)size > n_sent - *at)
		return "none";
	cr_assert_eq(wire_decode_response(sent + *at, (size_t)size, &response), 0);
	cr_assert_eq(response.code != WIRE_CODE_NONE, response.tag == WIRE_ERROR);
	*at += (size_t)size;
	snprintf(text, sizeof(text), "%s %.*s", response.tag == WIRE_OK ? "ok" : "error",
		 (int)response.value.size, response.value.bytes);
	return text;
}

static const char *response(void)
{
	size_t at = 0, n_sent = get();
	const char *text = next_response(&at, n_sent);

	cr_assert_eq(at, n_sent, "one response only");
	return text;
}

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

Test(gateway_connection, vectors_get_their_answers)
{
	static const char *const answers[] = {
		"error err-not-found",
		"error  is not an allowed path",
		"error  is not an allowed path",
		"error foo is not an allowed path",
		"ok ",
	};

	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		uint8_t bytes[256];

		put(bytes, from_hex(request_vectors[i].hex, bytes, sizeof(bytes)));
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		cr_assert_str_eq(response(), answers[i], "vector %zu", i);
	}
	cr_assert_eq(connection.n_served, 5);
}

/* But for the code of an error, which is one byte. */
Test(gateway_connection, answers_are_the_reference_bytes)
{
	uint8_t want[256];

	size_t size = request(WIRE_READ, "/a", "");

	memcpy(frame + 16, &(int32_t){ 5 }, 4); /* the id of the vector */
	put(frame, size);
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	size = from_hex(response_vectors[4].hex, want, sizeof(want));
	cr_assert_eq(want[23], 0);
	want[23] = WIRE_CODE_NOT_FOUND;
	cr_assert_eq(get(), size);
	cr_assert_arr_eq(sent, want, size);
}

Test(gateway_connection, pipelined_requests_are_all_served)
{
	uint8_t bytes[1024];
	size_t size = 0, at = 0, n_sent;

	for (size_t i = 0; i < VECTORS_N(request_vectors); i++)
		size += from_hex(request_vectors[i].hex, bytes + size, sizeof(bytes) - size);
	put(bytes, size);
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	n_sent = get();
	cr_assert_str_eq(next_response(&at, n_sent), "error err-not-found");
	cr_assert_str_eq(next_response(&at, n_sent), "error  is not an allowed path");
	cr_assert_str_eq(next_response(&at, n_sent), "error  is not an allowed path");
	cr_assert_str_eq(next_response(&at, n_sent), "error foo is not an allowed path");
	cr_assert_str_eq(next_response(&at, n_sent), "ok ");
	cr_assert_eq(at, n_sent);
}

/* Many requests at once, and their responses, in order. */
static const struct {
	enum wire_request_tag tag;
	const char *path, *value, *answer;
} mixture[] = {
	{ WIRE_WRITE, "/a", "1", "ok " },
	{ WIRE_READ, "/a", "", "ok 1" },
	{ WIRE_WRITE, "/a", "22", "ok " },
	{ WIRE_READ, "/a", "", "ok 22" },
	{ WIRE_READ, "/b/c", "", "error err-not-found" },
	{ WIRE_WRITE, "/ip", "no address", "error wrong type" },
	{ WIRE_DELETE, "/b/c", "", "ok " },
	{ WIRE_READ, "/xxxxxx", "", "error xxxxxx is not an allowed path" },
	{ WIRE_DELETE, "/a", "", "ok " },
	{ WIRE_READ, "/a", "", "error err-not-found" },
	{ WIRE_COMMIT, "", "", "ok " },
	{ WIRE_WRITE, "/foo/bar", "last", "ok " },
	{ WIRE_READ, "/foo/bar", "", "ok last" },
};

static void put_mixture(void)
{
	uint8_t bytes[4096];
	size_t size = 0;

	for (size_t i = 0; i < VECTORS_N(mixture); i++) {
		size_t n = request(mixture[i].tag, mixture[i].path, mixture[i].value);

		cr_assert_leq(size + n, sizeof(bytes));
		memcpy(bytes + size, frame, n);
		size += n;
	}
	put(bytes, size);
}

static void await_mixture(void)
{
	size_t at = 0, n_sent = get();

	for (size_t i = 0; i < VECTORS_N(mixture); i++)
		cr_assert_str_eq(next_response(&at, n_sent), mixture[i].answer, "request %zu", i);
	cr_assert_eq(at, n_sent);
}

Test(gateway_connection, requests_go_together_and_are_answered_in_order)
{
	put_mixture();
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	await_mixture();
	cr_assert_eq(connection.n_served, VECTORS_N(mixture));
	cr_assert_eq(store.n_denials, 2);
	/* what is refused here, and a commit, go alone */
	cr_assert_eq(store.n_calls, 4);
	cr_assert_eq(store.revision, 5);
}

/* The store may serve only a part of a batch. */
Test(gateway_connection, batches_that_are_served_in_part)
{
	for (store.batch_max = 1; store.batch_max < 8; store.batch_max++) {
		put_mixture();
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		await_mixture();
	}
	cr_assert_eq(connection.n_served, 7 * VECTORS_N(mixture));
}

/* A batch that is refused as a whole answers its first request only. */
Test(gateway_connection, every_request_has_its_own_verdict)
{
	store.verdict = -EDQUOT;
	for (int i = 0; i < 5; i++)
		put(frame, request(WIRE_WRITE, "/a", "1"));
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	{
		size_t at = 0, n_sent = get();

		for (int i = 0; i < 5; i++)
			cr_assert_str_eq(next_response(&at, n_sent), "error quota exceeded");
		cr_assert_eq(at, n_sent);
	}
	cr_assert_eq(store.n_calls, 5);
}

Test(gateway_connection, many_at_once_are_one_call)
{
	size_t at = 0, n_sent, size = request(WIRE_WRITE, "/a", "1");

	for (int i = 0; i < 2 * KV_BATCH_MAX; i++)
		put(frame, size);
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	n_sent = get();
	for (int i = 0; i < 2 * KV_BATCH_MAX; i++)
		cr_assert_str_eq(next_response(&at, n_sent), "ok ");
	cr_assert_eq(at, n_sent);
	cr_assert_eq(store.n_calls, 2);
	cr_assert_eq(store.revision, 2 * KV_BATCH_MAX);
}

/* The longest values: their answers never exceed the buffer. */
Test(gateway_connection, long_values_read_at_once)
{
	static char value[KV_VALUE_MAX + 1];
	size_t size, n_read = 0;

	memset(value, 'v', KV_VALUE_MAX);
	put(frame, request(WIRE_WRITE, "/b/c", value));
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	cr_assert_str_eq(response(), "ok ");
	size = request(WIRE_READ, "/b/c", "");
	for (int i = 0; i < 100; i++)
		put(frame, size);
	while (connection.n_served < 101 || connection.output.size > 0) {
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		n_read += get();
	}
	n_read += get();
	cr_assert_eq(n_read, 100 * (32 + 1024));
}

Test(gateway_connection, good_requests_before_a_malformed_one_are_answered)
{
	size_t at = 0, n_sent;

	for (int i = 0; i < 3; i++)
		put(frame, request(WIRE_WRITE, "/a", "1"));
	put((const uint8_t[]){ 0xff, 0xff, 0xff, 0xff }, 4);
	cr_assert_eq(gateway_connection_step(&connection), -EMSGSIZE);
	n_sent = get();
	for (int i = 0; i < 3; i++)
		cr_assert_str_eq(next_response(&at, n_sent), "ok ");
	cr_assert_eq(at, n_sent);
	cr_assert_eq(connection.n_served, 3);
}

Test(gateway_connection, split_at_every_byte)
{
	uint8_t bytes[1024];
	size_t size = 0;

	for (size_t i = 0; i < VECTORS_N(request_vectors); i++)
		size += from_hex(request_vectors[i].hex, bytes + size, sizeof(bytes) - size);
	for (size_t cut = 1; cut < size; cut++) {
		size_t at = 0, n_sent;

		put(bytes, cut);
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		put(bytes + cut, size - cut);
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		n_sent = get();
		for (int i = 0; i < 5; i++)
			cr_assert_str_neq(next_response(&at, n_sent), "none", "cut %zu", cut);
		cr_assert_eq(at, n_sent);
	}
	for (size_t i = 0; i < size; i++) {
		put(bytes + i, 1);
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	}
	cr_assert_eq(connection.n_served, 5 * size);
}

Test(gateway_connection, half_a_frame_is_waited_for)
{
	size_t size = request(WIRE_READ, "/a", "");

	put(frame, size - 1);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	cr_assert_eq(gateway_connection_events(&connection), POLLIN);
	cr_assert_eq(connection.n_served, 0);
	close(calf);
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_CLOSED);
}

Test(gateway_connection, over_large_value_is_answered_and_the_stream_goes_on)
{
	static char value[60 * 1024 + 1];
	static const size_t lengths[] = { 2048, 60 * 1024 };

	for (size_t i = 0; i < VECTORS_N(lengths); i++) {
		memset(value, 'v', lengths[i]);
		put_stepping(frame, request(WIRE_WRITE, "/b/c", value));
		cr_assert_str_eq(response(), "error value too large");
		put(frame, request(WIRE_READ, "/b/c", ""));
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		cr_assert_str_eq(response(), "error err-not-found");
	}
}

Test(gateway_connection, largest_frame)
{
	static char value[WIRE_FRAME_MAX];

	memset(value, 'v', WIRE_FRAME_MAX - 8 - 6 * 8);
	cr_assert_eq(request(WIRE_WRITE, "/a", value), WIRE_FRAME_MAX);
	put_stepping(frame, WIRE_FRAME_MAX);
	cr_assert_str_eq(response(), "error value too large");
}

Test(gateway_connection, frame_over_64_KiB_closes_on_its_table)
{
	put(frame, request(WIRE_WRITE, "/a", "1"));
	put((const uint8_t[]){ 0, 0, 0, 0, 0, 0x20, 0, 0 }, 8);
	cr_assert_eq(gateway_connection_step(&connection), -EMSGSIZE);
	cr_assert_str_eq(response(), "ok ", "what came before it is answered");
}

Test(gateway_connection, segment_count_is_refused_on_4_bytes)
{
	put((const uint8_t[]){ 0xff, 0xff, 0xff, 0xff }, 4);
	cr_assert_eq(gateway_connection_step(&connection), -EMSGSIZE);
	cr_assert_eq(get(), 0);
}

Test(gateway_connection, malformed_message_closes)
{
	uint8_t bytes[256];

	put(bytes, from_hex("00000000 01000000 00000000 00000000", bytes, sizeof(bytes)));
	cr_assert_eq(gateway_connection_step(&connection), -EPROTO);
	cr_assert_eq(get(), 0);
}

Test(gateway_connection, passed_descriptors_are_refused)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = frame, .iov_len = request(WIRE_READ, "/a", "") };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int pipe_fds[2], highest;

	cr_assert_eq(pipe(pipe_fds), 0);
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &pipe_fds[1], sizeof(int));
	cr_assert_eq(sendmsg(calf, &message, 0), (ssize_t)part.iov_len);
	close(pipe_fds[1]);
	highest = dup(0);
	close(highest);
	cr_assert_eq(gateway_connection_step(&connection), -EPROTO);
	cr_assert_eq(dup(0), highest, "no descriptor came in");
	cr_assert(is_readable(pipe_fds[0]), "the passed descriptor is closed: end of file");
	cr_assert_eq(connection.n_served, 0);
}

Test(gateway_connection, calf_that_never_reads_waits)
{
	size_t size = request(WIRE_READ, "/xxxxxx", ""), n_written = 0, n_read = 0, n_served;
	uint64_t n_complete;
	bool stuck = false;

	/* Until neither side moves: the socket and our buffer are full. */
	while (!stuck) {
		ssize_t n = write(calf, frame + n_written % size, size - n_written % size);

		n_served = connection.n_served;
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		if (n > 0)
			n_written += (size_t)n;
		stuck = n < 0 && connection.n_served == n_served;
		cr_assert_lt(n_written, 64u << 20, "bounded");
	}
	cr_assert_eq(gateway_connection_events(&connection), POLLOUT);
	n_complete = n_written / size;
	cr_assert_lt(connection.n_served, n_complete);

	/* Once it reads, every request is answered, without another one. */
	while (connection.n_served < n_complete || connection.output.size > 0) {
		n_read += get();
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
	}
	n_read += get();
	cr_assert_eq(connection.n_served, n_complete);
	cr_assert_eq(n_read, n_complete * (8 + 8 + 16 + 32), "%zu", n_read / n_complete);
	cr_assert_eq(gateway_connection_events(&connection), POLLIN);
}

Test(gateway_connection, small_requests_in_one_flood)
{
	size_t size = request(WIRE_READ, "/a", "");
	static uint8_t flood[1000 * 64];
	size_t n_flood = 0, n_read = 0;

	while (n_flood + size <= sizeof(flood)) {
		memcpy(flood + n_flood, frame, size);
		n_flood += size;
	}
	for (int i = 0; i < 20; i++) {
		size_t at = 0;

		while (at < n_flood) {
			ssize_t n = write(calf, flood + at, n_flood - at);

			at += n > 0 ? (size_t)n : 0;
			cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
			n_read += get();
		}
	}
	while (connection.n_served < 20 * n_flood / size || connection.output.size > 0) {
		cr_assert_eq(gateway_connection_step(&connection), GATEWAY_GOES_ON);
		n_read += get();
	}
	n_read += get();
	cr_assert_eq(n_read, connection.n_served * 48);
}

Test(gateway_connection, half_closed_socket_is_served_then_ended)
{
	put(frame, request(WIRE_WRITE, "/a", "x"));
	cr_assert_eq(shutdown(calf, SHUT_WR), 0);
	while (true) {
		int r = gateway_connection_step(&connection);

		if (r == GATEWAY_CLOSED)
			break;
		cr_assert_eq(r, GATEWAY_GOES_ON);
	}
	cr_assert_str_eq(response(), "ok ");
}

Test(gateway_connection, closed_while_responses_are_unsent)
{
	put(frame, request(WIRE_WRITE, "/a", "x"));
	close(calf);
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_CLOSED);
}

Test(gateway_connection, closed_descriptor)
{
	close(gateway);
	cr_assert_eq(gateway_connection_step(&connection), GATEWAY_FAILED);
	cr_assert_eq(errno, EBADF);
}
