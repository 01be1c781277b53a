/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/dhcp4-support.h"
#include "tests/unit/ignore-response.h"
#include "tests/unit/refusal.h"
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

/* What the store holds; a key that is not here is not found. */
static struct stored {
	const char *path;
	const char *text;
} stored[SETTINGS_KEYS + 1];
static const char *busy_path; /* answered with an error once */
static const struct refusal *busy_with;
static unsigned int n_requests;

static const char *find(const char *path)
{
	for (size_t i = 0; stored[i].path; i++)
		if (strcmp(stored[i].path, path) == 0)
			return stored[i].text;
	return NULL;
}

static void set(const char *path, const char *text)
{
	size_t i = 0;

	while (stored[i].path && strcmp(stored[i].path, path) != 0)
		i++;
	cr_assert(i < SETTINGS_KEYS);
	stored[i] = (struct stored){ path, text };
}

static void respond(const struct wire_request *request)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	const char *text = find(request->path.path);
	int size;

	cr_assert_eq(request->tag, WIRE_READ);
	n_requests++;
	if (busy_path && strcmp(request->path.path, busy_path) == 0) {
		busy_path = NULL;
		refusal_write(control_fd, request->id, busy_with);
		return;
	}
	if (!text) {
		refusal_write(control_fd, request->id, &refusal_not_found);
		return;
	}
	size = wire_encode_response(request->id, WIRE_OK, WIRE_CODE_NONE, text, strlen(text), 0,
				    frame, sizeof(frame));
	cr_assert_eq(write(control_fd, frame, (size_t)size), size);
}

/* Answer everything that was asked. */
static void serve(void)
{
	static uint8_t bytes[65536];
	ssize_t n = recv(control_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t at = 0;

	while (n > 0 && at < (size_t)n) {
		struct wire_request request;
		int size = wire_frame_size(bytes + at, (size_t)n - at);

		cr_assert(size > 0 && at + (size_t)size <= (size_t)n);
		cr_assert_eq(wire_decode_request(bytes + at, (size_t)size, &request), 0);
		respond(&request);
		at += (size_t)size;
	}
	while (loop_run_once(&calf.loop, 0) == 0 && calf.store.n_pending > 0)
		;
}

TestSuite(settings, .init = setup);

Test(settings, all_given)
{
	set("/mac", "02:00:00:00:77:02\n");
	stored[0].text = "02:00:00:00:77:02";
	set("/config/dhcp4/hostname", "calf.example.org");
	set("/config/dhcp4/broadcast", "1");
	set("/config/dhcp4/start_delay", "0");
	set("/config/dhcp4/first_retransmission", "1000");
	set("/config/dhcp4/retransmission_max", "8000");
	set("/config/dhcp4/rapid_commit", "0");
	set("/config/dhcp4/conflict", "wait");
	set("/config/dhcp4/parameters", "245 252");
	serve();
	cr_assert(is_done);
	cr_assert_eq(n_requests, SETTINGS_KEYS);
	cr_assert_eq(memcmp(settings.config.sender.mac, support_mac, 6), 0);
	cr_assert_str_eq(settings.config.sender.host_name, "calf", "Q11: without its domain");
	cr_assert(settings.config.broadcast);
	cr_assert(settings.config.no_rapid_commit);
	cr_assert_eq(settings.config.conflict, CLIENT_CONFLICT_WAIT);
	cr_assert_eq(settings.config.start_delay_ms, 0);
	cr_assert_eq(settings.config.first_retransmission_ms, 1000);
	cr_assert_eq(settings.config.retransmission_max_ms, 8000);
	cr_assert_eq(settings.policy.n_options, 2);
	cr_assert_eq(settings.policy.options[1], 252);
}

Test(settings, defaults)
{
	set("/mac", "02:00:00:00:77:02");
	cr_assert_not(is_done);
	serve();
	cr_assert(is_done);
	cr_assert_str_eq(settings.config.sender.host_name, "");
	cr_assert_eq(settings.config.start_delay_ms, CLIENT_START_DELAY_MS);
	cr_assert_eq(settings.config.first_retransmission_ms, CLIENT_FIRST_RETRANSMISSION_MS);
	cr_assert_str_eq(capture_text(), "");
}

Test(settings, no_mac)
{
	serve();
	cr_assert_eq(calf_run(&calf), -ENOENT);
	cr_assert_not(is_done);
	cr_assert_str_eq(capture_text(), "cannot read /mac: not there\n");
}

Test(settings, refused)
{
	set("/mac", "02:00:00:00:77:02");
	busy_path = "/config/dhcp4/hostname";
	busy_with = &refusal_denied;
	serve();
	cr_assert_eq(calf_run(&calf), -EREMOTEIO);
	cr_assert_not(is_done);
}

/* One line, of the first that is wrong; nothing is done. */
Test(settings, wrong_values)
{
	set("/mac", "02:00:00:00:77");
	set("/config/dhcp4/broadcast", "2");
	serve();
	cr_assert_eq(calf_run(&calf), -EINVAL);
	cr_assert_not(is_done);
	cr_assert_str_eq(capture_text(),
			 "/mac: invalid value \"02:00:00:00:77\": expected a MAC\n");
}

Test(settings, values_that_do_not_go_together)
{
	set("/mac", "02:00:00:00:77:02");
	set("/config/dhcp4/inform", "1");
	serve();
	cr_assert_eq(calf_run(&calf), -EINVAL);
	cr_assert_not(is_done);
	cr_assert_str_eq(capture_text(),
			 "/config/dhcp4: inform is 1, but the uplink has no address (/address)\n");
}

Test(settings, busy_store_is_asked_again)
{
	set("/mac", "02:00:00:00:77:02");
	busy_path = "/mac";
	busy_with = &refusal_busy;
	serve();
	cr_assert_not(calf.loop.stop || is_done);
	busy_path = "/mac";
	busy_with = &refusal_quota;
	for (int i = 0; i < 2; i++) {
		clock_ns += S;
		cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
		serve();
		cr_assert_eq(is_done, i == 1);
	}
	cr_assert_eq(n_requests, SETTINGS_KEYS + 2, "the others are not asked again");
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	(void)data;
	return 0;
}

/* Said and passed on: the calf cannot start like that. */
Test(settings, no_room)
{
	static struct loop_timer timers[LOOP_TIMERS_MAX];
	static struct settings others;

	while (calf_store_read(&calf, "/mac", ignore_response, NULL) == 0)
		;
	cr_assert_eq(settings_read(&others, &calf, done, NULL), -ENOBUFS);
	cr_assert(strstr(capture_text(), "cannot read /mac: "));
	for (size_t i = 0; i < LOOP_TIMERS_MAX; i++)
		(void)loop_add_timer(&calf.loop, &timers[i], on_timer, NULL);
	cr_assert_eq(settings_read(&others, &calf, done, NULL), -ENOSPC);
	cr_assert(strstr(capture_text(), "event loop: cannot add a timer: "));
}
