/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole calf over its own descriptors, with a scripted DHCP server at the
 * frame channel and a scripted gateway at the control socket; only the clock
 * is virtual. No network is touched.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/dhcp4-support.h"
#include "userspace/calf/dhcp4/agent.h"
#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"
#include "userspace/common/path.h"

#define S 1000000000ull
#define STORE_KEYS 128

static struct calf calf;
static struct agent agent;
static int frames_fd, control_fd;
static uint64_t clock_ns;
static uint64_t random_state;

/* The gateway's store. */
static struct {
	char path[KV_PATH_SIZE];
	char text[KV_VALUE_SIZE];
} store[STORE_KEYS];
static uint32_t n_commits, n_changes; /* of the last commit: changes */
static const char *refuse_with;	      /* NULL: commits are taken */

static uint64_t test_clock(void)
{
	return clock_ns;
}

static int64_t test_wall_clock(void)
{
	return 1700000000;
}

static void test_random(void *bytes, size_t size)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++) {
		random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
		at[i] = (uint8_t)(random_state >> 33);
	}
}

static const char *stored(const char *path)
{
	for (size_t i = 0; i < STORE_KEYS; i++)
		if (strcmp(store[i].path, path) == 0)
			return store[i].text;
	return NULL;
}

static void put(const char *path, const char *text, size_t length)
{
	size_t i_free = STORE_KEYS, i;

	for (i = 0; i < STORE_KEYS; i++) {
		if (strcmp(store[i].path, path) == 0)
			break;
		if (store[i].path[0] == '\0' && i_free == STORE_KEYS)
			i_free = i;
	}
	if (i == STORE_KEYS)
		i = i_free;
	cr_assert(i < STORE_KEYS);
	snprintf(store[i].path, sizeof(store[i].path), "%s", path);
	snprintf(store[i].text, sizeof(store[i].text), "%.*s", (int)length, text);
}

static void forget(const char *path)
{
	for (size_t i = 0; i < STORE_KEYS; i++)
		if (strcmp(store[i].path, path) == 0)
			store[i].path[0] = '\0';
}

static void respond(int32_t id, enum wire_response_tag tag, const char *text)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	int n = wire_encode_response(id, tag, text, strlen(text), 0, frame, sizeof(frame));

	cr_assert(n > 0);
	cr_assert_eq(write(control_fd, frame, (size_t)n), n);
}

static void serve_commit(const uint8_t *frame, size_t size, const struct wire_request *request)
{
	n_commits++;
	if (refuse_with) {
		respond(request->id, WIRE_ERROR, refuse_with);
		return;
	}
	n_changes = request->n_changes;
	for (uint32_t i = 0; i < request->n_changes; i++) {
		struct wire_change change;

		cr_assert_eq(wire_request_change(frame, size, request, i, &change), 0);
		if (change.tag == WIRE_CHANGE_WRITE)
			put(change.path.path, (const char *)change.value.bytes, change.value.size);
		else
			forget(change.path.path);
	}
	respond(request->id, WIRE_OK, "");
}

/* Answer all requests that are there. */
static void serve_store(void)
{
	static uint8_t bytes[2 * WIRE_FRAME_MAX];
	ssize_t n = recv(control_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	for (size_t at = 0; n > 0 && at < (size_t)n;) {
		int size = wire_frame_size(bytes + at, (size_t)n - at);
		struct wire_request request;
		const char *text;

		cr_assert(size > 0 && at + (size_t)size <= (size_t)n);
		cr_assert_eq(wire_decode_request(bytes + at, (size_t)size, &request), 0);
		if (request.tag == WIRE_COMMIT) {
			serve_commit(bytes + at, (size_t)size, &request);
		} else {
			cr_assert_eq(request.tag, WIRE_READ);
			text = stored(request.path.path);
			respond(request.id, text ? WIRE_OK : WIRE_ERROR,
				text ? text : "err-not-found");
		}
		at += (size_t)size;
	}
}

/* Let the calf do all it can at this time. */
static void settle(void)
{
	for (int i = 0; i < 16; i++) {
		cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
		serve_store();
	}
}

/* The frame that the calf sent: size of its message, 0 if there is none. */
static size_t sent(struct udp_frame *headers, uint8_t message[static MESSAGE_SIZE_MAX])
{
	static uint8_t frame[2048];
	struct bytes_reader reader;
	ssize_t n = recv(frames_fd, frame, sizeof(frame), MSG_DONTWAIT);
	size_t size;

	if (n < 0)
		return 0;
	bytes_reader_init(&reader, frame, (size_t)n);
	cr_assert_eq(udp_frame_parse(&reader, headers), NET_OK);
	size = bytes_left(&reader);
	cr_assert(size >= MESSAGE_SIZE_MIN && size <= MESSAGE_SIZE_MAX);
	cr_assert_eq(headers->udp.source_port, 68);
	cr_assert_eq(headers->udp.destination_port, 67);
	bytes_copy(&reader, message, size);
	return size;
}

static void send_reply(const struct reply *reply, uint16_t source_port)
{
	struct udp_frame headers = {
		.ip = { .source = address("192.0.2.1"),
			.destination = address("192.0.2.10"),
			.protocol = 17,
			.ttl = 64 },
		.udp = { .source_port = source_port, .destination_port = 68 },
	};
	struct bytes_writer writer;
	uint8_t frame[2048];

	memcpy(headers.destination_mac, support_mac, 6);
	bytes_writer_init(&writer, frame, sizeof(frame));
	udp_frame_put(&writer, &headers, reply->bytes, reply->size);
	cr_assert(!writer.failed);
	cr_assert_eq(write(frames_fd, frame, writer.at), (ssize_t)writer.at);
}

static void reply_to(const uint8_t *request, uint8_t type, struct reply *reply)
{
	reply_begin(reply, type, request_be32(request, AT_XID), "192.0.2.10");
	reply_address(reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_u32(reply, OPTION_LEASE_TIME, 3600);
	reply_address(reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_address(reply, OPTION_ROUTER, "192.0.2.1");
	reply_address(reply, OPTION_NAME_SERVER, "192.0.2.53");
	reply_option(reply, OPTION_DOMAIN_NAME, "example.org", 11);
}

static void open_calf(void)
{
	int frames[2], control[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	frames_fd = frames[1];
	control_fd = control[1];
	clock_ns = 1000 * S;
	capture_begin();
	put("/mac", "02:00:00:00:77:02", 17);
	cr_assert_eq(calf_init(&calf, &(struct calf_fds){ frames[0], control[0], -1 }), 0);
	calf.loop.now_ns = test_clock;
	calf.wall_clock = test_wall_clock;
	calf.random = test_random;
	cr_assert_eq(agent_start(&agent, &calf), 0);
}

static void setup(void)
{
	open_calf();
	settle();
}

/* From the first DISCOVER to BOUND. */
static void get_lease(void)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;

	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert(sent(&headers, message) > 0);
	reply_to(message, MESSAGE_OFFER, &reply);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert(sent(&headers, message) > 0);
	reply_to(message, MESSAGE_ACK, &reply);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert_eq(agent.client.state, CLIENT_BOUND);
}

TestSuite(agent, .init = setup);

Test(agent, lease_is_stored_in_one_commit)
{
	get_lease();
	cr_assert_eq(n_commits, 1);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(stored("/gateway"), "192.0.2.1");
	cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.53");
	cr_assert_str_eq(stored("/domain"), "example.org");
	cr_assert_str_eq(stored("/lease/time"), "3600");
	cr_assert_str_eq(stored("/lease/state"), "bound");
	cr_assert_str_eq(stored("/lease/server"), "192.0.2.1");
	cr_assert_str_eq(stored("/lease/address"), "192.0.2.10");
	cr_assert_str_eq(stored("/lease/t1"), "1800");
	cr_assert_str_eq(stored("/lease/t2"), "3150");
	cr_assert_str_eq(stored("/lease/expires"), "2023-11-14T23:13:20Z");
	cr_assert_null(stored("/mtu"));
	cr_assert_eq(calf.metrics[METRIC_STATE], CLIENT_BOUND);
	cr_assert_eq(calf.metrics[METRIC_DISCOVER_SENT], 1);
	cr_assert_eq(calf.metrics[METRIC_REQUEST_SENT], 1);
	cr_assert_eq(calf.metrics[METRIC_LEASE_GRANTED], 1);
}

Test(agent, renewal_writes_time_and_what_changed)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;

	get_lease();
	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert_str_eq(stored("/lease/state"), "renewing");
	cr_assert_eq(n_changes, 1);
	cr_assert(sent(&headers, message) > 0);
	reply_to(message, MESSAGE_ACK, &reply);
	reply_end(&reply);
	clock_ns += 10 * S;
	send_reply(&reply, 67);
	settle();
	cr_assert_eq(n_commits, 3);
	cr_assert_eq(n_changes, 3, "state, time, expires");
	cr_assert_str_eq(stored("/lease/state"), "bound");
	cr_assert_str_eq(stored("/lease/time"), "3590");
	cr_assert_eq(calf.metrics[METRIC_LEASE_GRANTED], 2);
}

Test(agent, V4_15_renewal_frame)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;

	get_lease();
	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(headers.ip.source.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(headers.ip.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(headers.ip.ttl, 64);
	cr_assert_eq(memcmp(headers.source_mac, support_mac, 6), 0);
	cr_assert_eq(memcmp(headers.destination_mac, "\0\0\0\0\0\0", 6), 0);
	cr_assert_eq(request_be32(message, AT_CIADDR), 0xc000020a);
}

Test(agent, V4_05_discover_frame)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;

	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert_eq(sent(&headers, message), 300);
	cr_assert_eq(headers.ip.source.s_addr, INADDR_ANY);
	cr_assert_eq(headers.ip.destination.s_addr, INADDR_BROADCAST);
	cr_assert_eq(memcmp(headers.destination_mac, "\xff\xff\xff\xff\xff\xff", 6), 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DISCOVER);
	cr_assert_eq(sent(&headers, message), 0);
}

Test(agent, V4_20_expiry_deletes_all)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	uint32_t n_frames = 0;

	get_lease();
	while (agent.client.state >= CLIENT_BOUND) {
		clock_ns = agent.client.deadline_ns;
		settle();
		while (sent(&headers, message) > 0)
			n_frames++;
	}
	cr_assert(n_frames > 5);
	for (size_t i = 0; i < STORE_KEYS; i++)
		cr_assert(store[i].path[0] == '\0' || strcmp(store[i].path, "/mac") == 0, "%s",
			  store[i].path);
	cr_assert_eq(calf.metrics[METRIC_LEASE_LOST], 1);
	cr_assert_eq(calf.metrics[METRIC_STATE], CLIENT_INIT);
}

/* The store holds keys of a former life, which this calf may not read. */
Test(agent, first_commit_deletes_what_is_not_leased)
{
	put("/mtu", "1400", 4);
	put("/nameserver/002", "192.0.2.99", 10);
	put("/route/007", "10.0.0.0/8 onlink", 17);
	put("/ip", "192.0.2.77/24", 13);
	get_lease();
	cr_assert_null(stored("/mtu"));
	cr_assert_null(stored("/nameserver/002"));
	cr_assert_null(stored("/route/007"));
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_eq(n_commits, 1);
}

/* Until it knows better it leaves them: the address may still be good. */
Test(agent, nothing_is_deleted_before_there_is_a_lease)
{
	put("/ip", "192.0.2.77/24", 13);
	for (int i = 0; i < 20; i++) {
		clock_ns = agent.client.deadline_ns;
		settle();
	}
	cr_assert_eq(n_commits, 0);
	cr_assert_str_eq(stored("/ip"), "192.0.2.77/24");
}

Test(agent, commit_is_tried_again)
{
	static const char *const refusals[] = { "try again", "quota exceeded", "wrong type" };

	for (size_t i = 0; i < 3; i++) {
		n_commits = 0;
		refuse_with = refusals[i];
		if (i == 0) {
			get_lease();
		} else {
			/* lose it, so that there is something to commit */
			publish_update(&agent.publisher, true);
			settle();
		}
		cr_assert_eq(n_commits, 1);
		for (uint32_t try = 2; try < 12; try++) {
			uint64_t wait_ns = 100000000ull << (try - 2);

			if (wait_ns > 10 * S)
				wait_ns = 10 * S;
			cr_assert_eq(agent.publisher.retry.deadline_ns, clock_ns + wait_ns);
			clock_ns += wait_ns - 1;
			settle();
			cr_assert_eq(n_commits, try - 1);
			clock_ns++;
			settle();
			cr_assert_eq(n_commits, try);
		}
		refuse_with = NULL;
		clock_ns += 10 * S;
		settle();
		cr_assert_eq(n_commits, 12);
		cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	}
	cr_assert_eq(calf.metrics[METRIC_COMMIT_FAILED], 33);
	cr_assert_eq(calf.metrics[METRIC_COMMIT], 3);
}

/* A commit that went unanswered while the lease was renewed: what is sent
 * next says what is true then. */
Test(agent, commit_that_comes_late_is_not_out_of_date)
{
	refuse_with = "try again";
	get_lease();
	clock_ns += 100 * S;
	refuse_with = NULL;
	settle();
	cr_assert_str_eq(stored("/lease/time"), "3500");
}

Test(agent, Q52_text_of_a_nak_is_logged_sanitised)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;

	get_lease();
	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert(sent(&headers, message) > 0);
	reply_begin(&reply, MESSAGE_NAK, request_be32(message, AT_XID), "0.0.0.0");
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_option(&reply, OPTION_MESSAGE, "wrong\n\x1b[2J", 10);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert_not_null(strstr(capture_text(), "refused by the server: \"wrong??[2J\"\n"));
	cr_assert_eq(calf.metrics[METRIC_NAK_RECEIVED], 1);
	cr_assert_null(stored("/ip"), "V4-23: the old address is removed");
}

/* Counted every time, logged once per reason and server. */
Test(agent, discarded_messages_are_counted_and_logged_once)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;
	const char *text, *line;

	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert(sent(&headers, message) > 0);
	for (int i = 0; i < 5; i++) {
		reply_to(message, MESSAGE_ACK, &reply);
		reply_end(&reply);
		send_reply(&reply, 67);
		reply.bytes[AT_XID] ^= 1;
		send_reply(&reply, 67);
		send_reply(&reply, 6767);
		reply.bytes[AT_COOKIE] ^= 1;
		send_reply(&reply, 67);
		settle();
	}
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_STATE - 1], 5);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_XID - 1], 5);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_PORT - 1], 5);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_COOKIE - 1], 5);
	text = capture_text();
	line = strstr(text, "discarded a message from 192.0.2.1: not expected in this state\n");
	cr_assert_not_null(line);
	cr_assert_null(strstr(strstr(line, "not expected") + 1, "not expected"));
	cr_assert_not_null(strstr(text, "192.0.2.1: another transaction (xid)\n"));
	cr_assert_not_null(strstr(text, "192.0.2.1: not from port 67 to port 68\n"));
	cr_assert_not_null(strstr(text, "192.0.2.1: no DHCP magic cookie\n"));
}

Test(agent, frames_of_all_kinds_of_junk)
{
	uint64_t state = 17, total = 0;

	clock_ns = agent.client.deadline_ns;
	settle();
	for (int i = 0; i < 2000; i++) {
		uint8_t frame[CALF_FRAME_MAX];
		size_t size;

		for (size_t j = 0; j < sizeof(frame); j++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			frame[j] = (uint8_t)(state >> 33);
		}
		if (i % 2) {
			frame[12] = 8;
			frame[13] = 0;
			frame[14] = 0x45;
		}
		size = 1 + (state >> 40) % sizeof(frame);
		cr_assert_eq(write(frames_fd, frame, size), (ssize_t)size);
		cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	}
	for (int reason = 1; reason < _REASON_N; reason++)
		total += calf.metrics[METRIC_DISCARDED + reason - 1];
	cr_assert_eq(total, 2000);
	cr_assert_eq(agent.client.state, CLIENT_SELECTING);
}

TestSuite(agent_early, .init = open_calf);

/* Frames that waited in the channel from before a restart. */
Test(agent_early, frames_before_the_settings_are_dropped)
{
	struct reply reply;

	reply_begin(&reply, MESSAGE_OFFER, 0, "192.0.2.10");
	reply_end(&reply);
	send_reply(&reply, 67);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert_not(agent.is_started);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_STATE - 1], 0);
	settle();
	cr_assert(agent.is_started);
	cr_assert_eq(agent.client.state, CLIENT_INIT);
}

/* The channel fails: counted, said, and tried again by the backoff. */
Test(agent, frame_that_cannot_be_sent)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	calf.fds.frames = fd;
	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert_eq(calf.metrics[METRIC_SEND_FAILED], 1);
	cr_assert_eq(calf.metrics[METRIC_DISCOVER_SENT], 0);
	cr_assert_not_null(strstr(capture_text(), "frame not sent: Bad file descriptor\n"));
	cr_assert_eq(agent.client.state, CLIENT_SELECTING);
}

Test(agent, end_of_the_control_socket_ends_the_calf)
{
	get_lease();
	close(control_fd);
	cr_assert_eq(calf_run(&calf), 0);
}

/* More forged servers than are kept apart: the log stays small. */
Test(agent, log_of_discards_is_bounded)
{
	struct report report;
	const char *text;
	uint32_t n_lines = 0;

	report_init(&report, &calf);
	capture_begin();
	for (uint32_t i = 0; i < 10000; i++)
		for (int reason = 1; reason < 4; reason++)
			report_discard(&report, (enum reason)reason,
				       (struct in_addr){ htonl(0x0a000000 + i) });
	for (text = capture_text(); *text; text++)
		n_lines += *text == '\n';
	cr_assert_eq(n_lines, (REPORT_SERVERS_MAX + 1) * 3);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED], 10000);
	report_discard(&report, REASON_NONE, (struct in_addr){ 0 });
}
