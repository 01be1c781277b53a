/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a set of keys, against a scripted gateway in virtual time. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/refusal.h"
#include "userspace/calf/sdk/keys.h"
#include "userspace/common/clock.h"

#define N_KEYS 3

static struct calf calf;
static struct keys keys;
static int gateway_fd;
static uint64_t now_ns;
static char values[N_KEYS][KV_VALUE_SIZE];
static int statuses[N_KEYS];
static unsigned int n_values, n_done;
static int verdict; /* what on_value() answers */

static const char *path(unsigned int i)
{
	static const char *const paths[N_KEYS] = { "/a", "/b", "/c" };

	return paths[i];
}

static uint64_t virtual_now(void)
{
	return now_ns;
}

static int on_value(void *data, unsigned int i, int status, const char *text, size_t length)
{
	cr_assert_eq(data, values);
	cr_assert_lt(i, N_KEYS);
	cr_assert_eq(strlen(text), length);
	statuses[i] = status;
	memcpy(values[i], text, length + 1);
	n_values++;
	return verdict;
}

static void on_done(void *data)
{
	cr_assert_eq(data, values);
	n_done++;
}

static void setup(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	gateway_fd = control[1];
	capture_begin();
	cr_assert_eq(calf_init(&calf, &(struct calf_fds){ frames[0], control[0], -1 }), 0);
	now_ns = NS_PER_S;
	calf.loop.now_ns = virtual_now;
}

TestSuite(sdk_keys, .init = setup);

/* The path of the next request, "" if there is none. */
static const char *asked(int32_t *idp)
{
	static char text[KV_PATH_SIZE];
	static uint8_t buffer[4096];
	static size_t n_buffered;
	struct wire_request request;
	uint8_t frame[WIRE_FRAME_MAX];
	ssize_t n =
		recv(gateway_fd, buffer + n_buffered, sizeof(buffer) - n_buffered, MSG_DONTWAIT);
	size_t size;

	if (n > 0)
		n_buffered += (size_t)n;
	if (n_buffered == 0)
		return "";
	size = (size_t)wire_frame_size(buffer, n_buffered);
	cr_assert(size > 0 && size <= n_buffered);
	memcpy(frame, buffer, size);
	cr_assert_eq(wire_decode_request(frame, size, &request), 0);
	n_buffered -= size;
	memmove(buffer, buffer + size, n_buffered);
	*idp = request.id;
	snprintf(text, sizeof(text), "%s", request.path.path);
	return text;
}

static void respond(int32_t id, const char *text)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	int size = wire_encode_response(id, WIRE_OK, WIRE_CODE_NONE, text, strlen(text), 0, frame,
					sizeof(frame));

	cr_assert_eq(write(gateway_fd, frame, (size_t)size), size);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

static void refuse(int32_t id, const struct refusal *refusal)
{
	refusal_write(gateway_fd, id, refusal);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

static void begin(int32_t ids[static N_KEYS])
{
	cr_assert_eq(keys_read(&keys, &calf, path, N_KEYS, on_value, on_done, values), 0);
	for (unsigned int i = 0; i < N_KEYS; i++)
		cr_assert_str_eq(asked(&ids[i]), path(i), "all at once");
	cr_assert_str_eq(asked(&(int32_t){ 0 }), "");
}

Test(sdk_keys, all_values_then_done)
{
	int32_t ids[N_KEYS];

	begin(ids);
	respond(ids[0], "one");
	refuse(ids[1], &refusal_not_found);
	cr_expect_eq(n_done, 0);
	respond(ids[2], "three");
	cr_expect_eq(n_done, 1);
	cr_expect_eq(n_values, N_KEYS);
	cr_expect_str_eq(values[0], "one");
	cr_expect_eq(statuses[1], CALF_NOT_FOUND);
	cr_expect_str_eq(values[2], "three");
}

Test(sdk_keys, busy_store_is_asked_again)
{
	int32_t ids[N_KEYS], id;

	begin(ids);
	refuse(ids[0], &refusal_busy);
	respond(ids[1], "two");
	respond(ids[2], "three");
	cr_expect_eq(n_done, 0);
	now_ns += 99 * NS_PER_MS;
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_expect_str_eq(asked(&id), "", "not yet");
	now_ns += NS_PER_MS;
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert_str_eq(asked(&id), "/a");
	cr_expect_str_eq(asked(&(int32_t){ 0 }), "", "only the one that was not answered");
	respond(id, "one");
	cr_expect_eq(n_done, 1);
	cr_expect_eq(n_values, N_KEYS);
}

Test(sdk_keys, wrong_value_stops_the_calf)
{
	int32_t ids[N_KEYS];

	begin(ids);
	verdict = -EINVAL;
	respond(ids[0], "one");
	cr_expect_eq(calf.status, -EINVAL);
	cr_expect(calf.loop.stop);
	cr_expect_eq(n_done, 0);
}

Test(sdk_keys, number_of_keys)
{
	cr_expect_eq(keys_read(&keys, &calf, path, 0, on_value, on_done, values), -EINVAL);
	cr_expect_eq(keys_read(&keys, &calf, path, CALF_PENDING_MAX + 1, on_value, on_done, values),
		     -EINVAL);
	cr_expect_str_eq(asked(&(int32_t){ 0 }), "");
}
