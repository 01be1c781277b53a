/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/settings.h"

#define S 1000000000ull

static struct calf calf;
static struct settings settings;
static int frames_fd, control_fd;
static uint64_t clock_ns = 5 * S;
static bool is_done;

static uint64_t test_clock(void)
{
	return clock_ns;
}

static void done(void *data)
{
	is_done = data == &is_done;
}

static void setup(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	frames_fd = frames[1];
	control_fd = control[1];
	capture_begin();
	cr_assert_eq(calf_init(&calf, &(struct calf_fds){ frames[0], control[0], -1 }), 0);
	calf.loop.now_ns = test_clock;
	cr_assert_eq(settings_read(&settings, &calf, done, &is_done), 0);
}

/* The one request that is there: its path, and the answer to it. */
static void answer(const char *path, enum wire_response_tag tag, const char *text)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	struct wire_request request;
	ssize_t n = recv(control_fd, frame, sizeof(frame), MSG_DONTWAIT);
	int size;

	cr_assert(n > 0, "no request for %s", path);
	cr_assert_eq(wire_decode_request(frame, (size_t)n, &request), 0);
	cr_assert_eq(request.tag, WIRE_READ);
	cr_assert_str_eq(request.path.path, path);
	size = wire_encode_response(request.id, tag, text, strlen(text), 0, frame, sizeof(frame));
	cr_assert_eq(write(control_fd, frame, (size_t)size), size);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
}

#define NOT_FOUND WIRE_ERROR, "err-not-found"

TestSuite(settings, .init = setup);

Test(settings, all_given)
{
	answer("/mac", WIRE_OK, "02:00:00:00:77:02\n");
	answer("/config/hostname", WIRE_OK, "calf.example.org");
	answer("/config/broadcast", WIRE_OK, "1");
	answer("/config/start_delay", WIRE_OK, "0");
	answer("/config/first_retransmission", WIRE_OK, "1000");
	cr_assert(is_done);
	cr_assert_eq(memcmp(settings.config.sender.mac, support_mac, 6), 0);
	cr_assert_str_eq(settings.config.sender.host_name, "calf", "Q11: sent without its domain");
	cr_assert(settings.config.broadcast);
	cr_assert_eq(settings.config.start_delay_ms, 0);
	cr_assert_eq(settings.config.first_retransmission_ms, 1000);
}

Test(settings, defaults)
{
	answer("/mac", WIRE_OK, "02:00:00:00:77:02");
	answer("/config/hostname", NOT_FOUND);
	answer("/config/broadcast", NOT_FOUND);
	answer("/config/start_delay", NOT_FOUND);
	cr_assert_not(is_done);
	answer("/config/first_retransmission", NOT_FOUND);
	cr_assert(is_done);
	cr_assert_str_eq(settings.config.sender.host_name, "");
	cr_assert_not(settings.config.broadcast);
	cr_assert_eq(settings.config.start_delay_ms, CLIENT_START_DELAY_MS);
	cr_assert_eq(settings.config.first_retransmission_ms, CLIENT_FIRST_RETRANSMISSION_MS);
}

Test(settings, no_mac)
{
	answer("/mac", NOT_FOUND);
	cr_assert_eq(calf_run(&calf), -ENOENT);
	cr_assert_not(is_done);
	cr_assert_str_eq(capture_text(), "/mac: err-not-found\n");
}

Test(settings, refused)
{
	answer("/mac", WIRE_OK, "02:00:00:00:77:02");
	answer("/config/hostname", WIRE_ERROR, "config/hostname is not an allowed path");
	cr_assert_eq(calf_run(&calf), -EREMOTEIO);
}

Test(settings, wrong_values)
{
	answer("/mac", WIRE_OK, "02:00:00:00:77");
	cr_assert_eq(calf_run(&calf), -EINVAL);
	cr_assert_str_eq(capture_text(), "/mac is \"02:00:00:00:77\"\n");
}

Test(settings, C4_19_host_names_that_are_none)
{
	answer("/mac", WIRE_OK, "02:00:00:00:77:02");
	answer("/config/hostname", WIRE_OK, "a b");
	cr_assert_eq(calf_run(&calf), -EINVAL);
}

Test(settings, numbers_out_of_range)
{
	answer("/mac", WIRE_OK, "02:00:00:00:77:02");
	answer("/config/hostname", NOT_FOUND);
	answer("/config/broadcast", WIRE_OK, "2");
	cr_assert_eq(calf_run(&calf), -EINVAL);
}

Test(settings, busy_store_is_asked_again)
{
	answer("/mac", WIRE_ERROR, "try again");
	cr_assert_eq(calf.loop.stop, false);
	clock_ns += S;
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	answer("/mac", WIRE_ERROR, "quota exceeded");
	clock_ns += S;
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	answer("/mac", WIRE_OK, "02:00:00:00:77:02");
	answer("/config/hostname", NOT_FOUND);
}
