/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the control socket against a scripted gateway. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/refusal.h"
#include "tests/unit/wire-vectors.h"
#include "userspace/calf/sdk/calf.h"

static struct calf calf;
static struct commit commit;
static int gateway_fd, frames_fd;

/* Responses in order of arrival. */
static struct {
	int status;
	size_t length;
	char text[KV_VALUE_SIZE];
	const void *data;
} responses[64];
static uint32_t n_responses;

static void on_response(struct calf *calf_p, int status, const char *text, size_t length,
			void *data)
{
	cr_assert_eq(calf_p, &calf);
	cr_assert(n_responses < 64);
	cr_assert_eq(text[length], '\0');
	responses[n_responses].status = status;
	responses[n_responses].length = length;
	responses[n_responses].data = data;
	memcpy(responses[n_responses].text, text, length + 1);
	n_responses++;
}

static void setup(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	frames_fd = frames[1];
	gateway_fd = control[1];
	capture_begin();
	cr_assert_eq(calf_init(&calf, &(struct calf_fds){ frames[0], control[0], -1 }), 0);
}

static int run(void)
{
	return loop_run_once(&calf.loop, 0);
}

/* An ok. */
static size_t encode(int32_t id, const void *value, size_t length, uint8_t *frame, size_t size)
{
	int n = wire_encode_response(id, WIRE_OK, WIRE_CODE_NONE, value, length, 0, frame, size);

	cr_assert(n > 0);
	return (size_t)n;
}

static void send_bytes(const void *bytes, size_t size)
{
	cr_assert_eq(write(gateway_fd, bytes, size), (ssize_t)size);
}

static void respond(int32_t id, const char *text)
{
	uint8_t frame[WIRE_FRAME_MAX];

	send_bytes(frame, encode(id, text, strlen(text), frame, sizeof(frame)));
}

static int read_key(const char *path)
{
	return calf_store_read(&calf, path, on_response, NULL);
}

TestSuite(store, .init = setup);

Test(store, read)
{
	uint8_t frame[256];
	struct wire_request request;
	ssize_t n;

	cr_assert_eq(calf_store_read(&calf, "/lease/time", on_response, &commit), 0);
	n = recv(gateway_fd, frame, sizeof(frame), MSG_DONTWAIT);
	cr_assert(n > 0);
	cr_assert_eq(wire_decode_request(frame, (size_t)n, &request), 0);
	cr_assert_eq(request.id, 1);
	cr_assert_eq(request.tag, WIRE_READ);
	cr_assert_str_eq(request.path.path, "/lease/time");
	cr_assert_eq(n_responses, 0);
	respond(1, "3600");
	cr_assert_eq(run(), 0);
	cr_assert_eq(n_responses, 1);
	cr_assert_eq(responses[0].status, 0);
	cr_assert_str_eq(responses[0].text, "3600");
	cr_assert_eq(responses[0].data, &commit);
	cr_assert_eq(calf.store.n_pending, 0);
}

Test(store, commit)
{
	static uint8_t frame[WIRE_FRAME_MAX];
	struct wire_request request;
	struct wire_change change;
	ssize_t n;

	commit_init(&commit);
	cr_assert_eq(calf_store_commit(&calf, &commit, on_response, NULL), -EINVAL);
	cr_assert_eq(commit_write(&commit, "/ip", "192.0.2.10/24", strlen("192.0.2.10/24")), 0);
	cr_assert_eq(commit_delete(&commit, "/nameserver/001"), 0);
	cr_assert_eq(calf_store_commit(&calf, &commit, on_response, NULL), 0);
	n = recv(gateway_fd, frame, sizeof(frame), MSG_DONTWAIT);
	cr_assert(n > 0);
	cr_assert_eq(wire_decode_request(frame, (size_t)n, &request), 0);
	cr_assert_eq(request.tag, WIRE_COMMIT);
	cr_assert_eq(request.path.path[0], '\0');
	cr_assert_eq(request.n_changes, 2);
	cr_assert_eq(wire_request_change(frame, (size_t)n, &request, 0, &change), 0);
	cr_assert_eq(change.tag, WIRE_CHANGE_WRITE);
	cr_assert_str_eq(change.path.path, "/ip");
	cr_assert_eq(change.value.size, 13);
	cr_assert_eq(memcmp(change.value.bytes, "192.0.2.10/24", 13), 0);
	cr_assert_eq(wire_request_change(frame, (size_t)n, &request, 1, &change), 0);
	cr_assert_eq(change.tag, WIRE_CHANGE_DELETE);
	cr_assert_str_eq(change.path.path, "/nameserver/001");
}

/* By the code alone. */
Test(store, errors_and_what_they_mean)
{
	static const struct {
		enum wire_code code;
		int status;
	} rows[] = {
		{ WIRE_CODE_FAILED, -EIO },
		{ WIRE_CODE_NOT_FOUND, -ENOENT },
		{ WIRE_CODE_NOT_ALLOWED, -EREMOTEIO },
		{ WIRE_CODE_VALUE_TOO_LARGE, -EREMOTEIO },
		{ WIRE_CODE_WRONG_TYPE, -EREMOTEIO },
		{ WIRE_CODE_QUOTA_EXCEEDED, -EAGAIN },
		{ WIRE_CODE_CONFLICT, -ESTALE },
		{ WIRE_CODE_TRY_AGAIN, -EAGAIN },
		{ WIRE_CODE_TOO_MANY_CHANGES, -EREMOTEIO },
		{ WIRE_CODE_TOO_MANY_WATCHES, -EREMOTEIO },
		{ WIRE_CODE_UNKNOWN_OPERATION, -EREMOTEIO },
	};
	static const char *const texts[] = { "", "conflict", "something new" };

	cr_assert_eq(VECTORS_N(rows), _WIRE_CODE_N - 1, "all but none");
	for (size_t i = 0; i < VECTORS_N(rows) * VECTORS_N(texts); i++) {
		size_t i_row = i / VECTORS_N(texts);
		const char *text = texts[i % VECTORS_N(texts)];

		cr_assert_eq(rows[i_row].code, i_row + 1);
		cr_assert_eq(read_key("/mac"), 0);
		refusal_write(gateway_fd, (int32_t)i + 1,
			      &(struct refusal){ rows[i_row].code, text });
		cr_assert_eq(run(), 0);
		cr_assert_eq(n_responses, i + 1);
		cr_assert_eq(responses[i].status, rows[i_row].status, "code %zu", i_row + 1);
		cr_assert_str_eq(responses[i].text, text);
	}
	cr_assert_str_eq(capture_text(), "");
}

/* Of a gateway that is newer: each request fails, one line says why. */
Test(store, codes_that_are_not_known)
{
	static const unsigned int codes[] = { _WIRE_CODE_N, _WIRE_CODE_N + 1, 128, UINT8_MAX };

	for (size_t i = 0; i < VECTORS_N(codes); i++) {
		cr_assert_eq(read_key("/mac"), 0);
		refusal_write(gateway_fd, (int32_t)i + 1,
			      &(struct refusal){ (enum wire_code)codes[i], "conflict" });
		cr_assert_eq(run(), 0);
		cr_assert_eq(responses[i].status, CALF_FAILED);
		cr_assert_str_eq(responses[i].text, "conflict");
	}
	cr_assert_eq(n_responses, VECTORS_N(codes));
	cr_assert_str_eq(capture_text(), "control socket: unknown error code 12: conflict; "
					 "treating it as a failure\n");
}

/* A gateway that is older than the codes: its error is the vector's. */
Test(store, error_without_a_code)
{
	uint8_t frame[256];
	size_t size = from_hex(response_vectors[4].hex, frame, sizeof(frame));

	calf.store.last_id = response_vectors[4].id - 1;
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(read_key("/mac"), 0);
		send_bytes(frame, size);
		cr_assert_eq(run(), 0);
		cr_assert_eq(responses[i].status, CALF_FAILED);
		cr_assert_str_eq(responses[i].text, "err-not-found");
		calf.store.last_id = response_vectors[4].id - 1;
	}
	cr_assert_eq(n_responses, 2);
	cr_assert_str_eq(capture_text(), "control socket: unknown error code 0: err-not-found; "
					 "treating it as a failure\n");
}

/* The code is an error's only: an ok is one whatever else it has. */
Test(store, ok_with_a_code)
{
	uint8_t frame[256];
	int size = wire_encode_response(1, WIRE_OK, WIRE_CODE_CONFLICT, "x", 1, 0, frame,
					sizeof(frame));

	cr_assert_eq(read_key("/mac"), 0);
	send_bytes(frame, (size_t)size);
	cr_assert_eq(run(), 0);
	cr_assert_eq(responses[0].status, CALF_OK);
	cr_assert_str_eq(responses[0].text, "x");
}

Test(store, newline_of_the_original)
{
	static const char *const texts[][2] = {
		{ "x\n", "x" }, { "x\n\n", "x\n" }, { "\n", "" }, { "", "" }
	};

	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(read_key("/mac"), 0);
		respond((int32_t)i + 1, texts[i][0]);
		cr_assert_eq(run(), 0);
		cr_assert_str_eq(responses[i].text, texts[i][1]);
		cr_assert_eq(responses[i].length, strlen(texts[i][1]));
	}
}

Test(store, responses_are_matched_by_id)
{
	static int marks[3];

	for (int i = 0; i < 3; i++)
		cr_assert_eq(calf_store_read(&calf, "/mac", on_response, &marks[i]), 0);
	respond(3, "c");
	respond(1, "a");
	respond(2, "b");
	cr_assert_eq(run(), 0);
	cr_assert_eq(n_responses, 3);
	cr_assert_eq(responses[0].data, &marks[2]);
	cr_assert_eq(responses[1].data, &marks[0]);
	cr_assert_eq(responses[2].data, &marks[1]);
	cr_assert_str_eq(responses[2].text, "b");
}

Test(store, ids_wrap)
{
	calf.store.last_id = INT32_MAX - 1;
	cr_assert_eq(read_key("/mac"), 0);
	cr_assert_eq(read_key("/mac"), 0);
	respond(INT32_MAX, "a");
	respond(1, "b");
	cr_assert_eq(run(), 0);
	cr_assert_eq(n_responses, 2);
}

static size_t encode_not_found(int32_t id, uint8_t *frame, size_t size)
{
	int n = wire_encode_response(id, WIRE_ERROR, WIRE_CODE_NOT_FOUND, "not there", 9, 0, frame,
				     size);

	cr_assert_gt(n, 0);
	return (size_t)n;
}

/* Two responses, cut into three pieces at every pair of positions. */
Test(store, partial_reads)
{
	uint8_t frames[512];
	int32_t id = 1;
	size_t size;

	size = encode(1, "02:00:00:00:77:02", 17, frames, sizeof(frames));
	size += encode_not_found(2, frames + size, sizeof(frames) - size);
	for (size_t first = 1; first < size; first++) {
		for (size_t second = first + 1; second < size; second += 3) {
			size_t n;

			cr_assert_eq(read_key("/mac"), 0);
			cr_assert_eq(read_key("/mac"), 0);
			n = encode(id++, "02:00:00:00:77:02", 17, frames, sizeof(frames));
			encode_not_found(id++, frames + n, sizeof(frames) - n);
			n_responses = 0;
			send_bytes(frames, first);
			cr_assert_eq(run(), 0);
			send_bytes(frames + first, second - first);
			cr_assert_eq(run(), 0);
			send_bytes(frames + second, size - second);
			cr_assert_eq(run(), 0);
			cr_assert_eq(n_responses, 2);
			cr_assert_str_eq(responses[0].text, "02:00:00:00:77:02");
			cr_assert_eq(responses[1].status, -ENOENT);
			/* keep the socket's buffer empty */
			while (recv(gateway_fd, (uint8_t[4096]){ 0 }, 4096, MSG_DONTWAIT) > 0)
				;
		}
	}
}

/* The peer reads nothing until its buffer is full, then all of it. */
Test(store, partial_writes)
{
	static uint8_t bytes[1 << 20];
	size_t n_bytes = 0, at = 0;
	uint32_t n_sent = 0, n_seen = 0;
	char text[KV_VALUE_SIZE];
	int size = 4096;

	cr_assert_eq(setsockopt(calf.fds.control, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	memset(text, 'x', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	commit_init(&commit);
	for (int i = 0; i < 28; i++)
		cr_assert_eq(commit_write(&commit, "/search", text, strlen(text)), 0);
	while (calf_store_commit(&calf, &commit, on_response, NULL) == 0)
		n_sent++;
	cr_assert(n_sent >= 4 && n_sent < CALF_PENDING_MAX, "%u", n_sent);
	cr_assert(calf.store.tx_at < calf.store.tx_size);
	cr_assert_eq(read_key("/mac"), 0, "a small one still fits");
	for (int i = 0; i < 1000 && calf.store.tx_at < calf.store.tx_size; i++) {
		ssize_t n =
			recv(gateway_fd, bytes + n_bytes, sizeof(bytes) - n_bytes, MSG_DONTWAIT);

		n_bytes += n > 0 ? (size_t)n : 0;
		cr_assert_eq(run(), 0);
	}
	for (;;) {
		ssize_t n =
			recv(gateway_fd, bytes + n_bytes, sizeof(bytes) - n_bytes, MSG_DONTWAIT);

		if (n <= 0)
			break;
		n_bytes += (size_t)n;
	}
	while (at < n_bytes) {
		int frame_size = wire_frame_size(bytes + at, n_bytes - at);
		struct wire_request request;

		cr_assert(frame_size > 0 && (size_t)frame_size <= n_bytes - at);
		cr_assert_eq(wire_decode_request(bytes + at, (size_t)frame_size, &request), 0);
		cr_assert_eq(request.id, (int32_t)++n_seen);
		at += (size_t)frame_size;
	}
	cr_assert_eq(n_seen, n_sent + 1);
}

Test(store, too_many_unanswered)
{
	for (int i = 0; i < CALF_PENDING_MAX; i++)
		cr_assert_eq(read_key("/mac"), 0);
	cr_assert_eq(read_key("/mac"), -ENOBUFS);
	commit_init(&commit);
	cr_assert_eq(commit_delete(&commit, "/ip"), 0);
	cr_assert_eq(calf_store_commit(&calf, &commit, on_response, NULL), -ENOBUFS);
	respond(7, "");
	cr_assert_eq(run(), 0);
	cr_assert_eq(read_key("/mac"), 0);
}

Test(store, paths_that_are_none)
{
	static const char *const paths[] = { "mac", "/", "//", "/a/", "/A", "/..", "/a b" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		cr_assert_eq(read_key(paths[i]), -EILSEQ, "%s", paths[i]);
		commit_init(&commit);
		cr_assert_eq(commit_delete(&commit, paths[i]), -EILSEQ);
		cr_assert_eq(commit_write(&commit, paths[i], "x", strlen("x")), -EILSEQ);
		cr_assert_eq(commit.n_changes, 0);
	}
	cr_assert_eq(calf.store.n_pending, 0);
	cr_assert_eq(calf.store.tx_size, 0);
}

/* A callback may ask the next thing. */
static void ask_again(struct calf *calf_p, int status, const char *text, size_t length, void *data)
{
	on_response(calf_p, status, text, length, data);
	if (n_responses < 4)
		cr_assert_eq(calf_store_read(calf_p, "/mac", ask_again, NULL), 0);
}

Test(store, request_from_within_a_response)
{
	cr_assert_eq(calf_store_read(&calf, "/mac", ask_again, NULL), 0);
	for (int32_t id = 1; id <= 4; id++)
		respond(id, "x");
	cr_assert_eq(run(), 0);
	cr_assert_eq(n_responses, 4);
}

/* The gateway must not send these: the calf stops and is restarted. */
Test(store, response_that_nobody_asked_for)
{
	respond(1, "");
	cr_assert_eq(run(), -EPROTO);
	cr_assert_str_eq(capture_text(), "control socket: Protocol error\n");
}

Test(store, response_twice)
{
	cr_assert_eq(read_key("/mac"), 0);
	respond(1, "");
	respond(1, "");
	cr_assert_eq(run(), -EPROTO);
	cr_assert_eq(n_responses, 1);
}

Test(store, response_with_an_unknown_tag)
{
	uint8_t frame[256];
	size_t size = encode(1, "x", 1, frame, sizeof(frame));

	cr_assert_eq(read_key("/mac"), 0);
	frame[20] = 7;
	send_bytes(frame, size);
	cr_assert_eq(run(), -EPROTO);
}

Test(store, C4_20_value_that_is_too_long)
{
	static uint8_t frame[WIRE_FRAME_MAX];
	static char text[4096];

	memset(text, 'x', sizeof(text));
	cr_assert_eq(read_key("/mac"), 0);
	send_bytes(frame, encode(1, text, KV_VALUE_MAX, frame, sizeof(frame)));
	cr_assert_eq(run(), 0);
	cr_assert_eq(responses[0].length, KV_VALUE_MAX);
	cr_assert_eq(read_key("/mac"), 0);
	send_bytes(frame, encode(2, text, KV_VALUE_MAX + 1, frame, sizeof(frame)));
	cr_assert_eq(run(), -EPROTO);
}

Test(store, malformed_frames)
{
	static const uint8_t endless[] = { 0xff, 0xff, 0xff, 0xff };

	cr_assert_eq(read_key("/mac"), 0);
	send_bytes(endless, sizeof(endless));
	cr_assert_eq(run(), -EMSGSIZE);
}

Test(store, malformed_root)
{
	static const uint8_t frame[16] = { 0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };

	cr_assert_eq(read_key("/mac"), 0);
	send_bytes(frame, sizeof(frame));
	cr_assert(run() < 0);
}

Test(store, end)
{
	cr_assert_eq(read_key("/mac"), 0);
	close(gateway_fd);
	cr_assert_eq(calf_run(&calf), 0);
	cr_assert_str_eq(capture_text(), "");
}

Test(store, end_inside_a_frame)
{
	cr_assert_eq(read_key("/mac"), 0);
	send_bytes("\0\0\0\0\5\0", 6);
	close(gateway_fd);
	cr_assert_eq(calf_run(&calf), 0);
	cr_assert_eq(n_responses, 0);
}

Test(store, end_behind_a_response)
{
	cr_assert_eq(read_key("/mac"), 0);
	respond(1, "x");
	close(gateway_fd);
	cr_assert_eq(calf_run(&calf), 0);
	cr_assert_eq(n_responses, 1);
}

/* Writing to a peer that is gone is no signal, and no error of its own. */
Test(store, end_seen_by_a_write)
{
	close(gateway_fd);
	cr_assert_eq(read_key("/mac"), 0);
	cr_assert_eq(calf_run(&calf), 0);
}
