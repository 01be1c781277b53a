/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole calf over its own descriptors, with a scripted DHCP server at the
 * frame channel and a scripted gateway at the control socket; only the clock
 * is virtual. No network is touched.
 */
#ifndef CALFPEN_TESTS_AGENT_SUPPORT_H
#define CALFPEN_TESTS_AGENT_SUPPORT_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/dhcp4-support.h"
#include "tests/unit/refusal.h"
#include "userspace/calf/dhcp4/agent.h"
#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/calf/net/arp.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"
#include "userspace/common/path.h"

#define S 1000000000ull
#define STORE_KEYS 160

/* A test uses what it needs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

static struct calf calf;
static struct agent agent;
static int frames_fd, control_fd;
static uint64_t clock_ns;
static uint64_t random_state;

/* The gateway's store. */
static struct {
	char path[KV_PATH_SIZE];
	char text[KV_VALUE_SIZE];
	uint64_t revision;
} store[STORE_KEYS];
static uint32_t n_commits, n_changes; /* of the last commit: changes */
static uint32_t n_deletes;
static uint64_t revision;
static int32_t watch_link, watch_control, watch_host; /* ids; 0: not watched */
static const char *refuse_read;			      /* a path, or NULL */
static const char *read_with_nul;		      /* its value ends in a NUL and an x */
static const struct refusal *refuse_read_with;
static const struct refusal *refuse_watch; /* NULL: watches are taken */
static const struct refusal *refuse_with;  /* NULL: commits are taken */

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
	store[i].revision = ++revision;
}

static void set(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static uint64_t revision_of(const char *path)
{
	for (size_t i = 0; i < STORE_KEYS; i++)
		if (strcmp(store[i].path, path) == 0)
			return store[i].revision;
	return 0;
}

static void forget(const char *path)
{
	for (size_t i = 0; i < STORE_KEYS; i++)
		if (strcmp(store[i].path, path) == 0)
			store[i].path[0] = '\0';
}

static void respond_bytes(int32_t id, const char *bytes, size_t size)
{
	uint8_t frame[WIRE_RESPONSE_MAX];
	int n = wire_encode_response(id, WIRE_OK, WIRE_CODE_NONE, bytes, size, 0, frame,
				     sizeof(frame));

	cr_assert(n > 0);
	cr_assert_eq(write(control_fd, frame, (size_t)n), n);
}

static void respond(int32_t id, const char *text)
{
	respond_bytes(id, text, strlen(text));
}

static void respond_entry(int32_t id, enum wire_entry_tag tag, const char *path, const char *text)
{
	struct wire_entry entry = { .tag = (uint16_t)tag, .revision = revision_of(path) };
	uint8_t frame[WIRE_RESPONSE_MAX];
	int size;

	snprintf(entry.path.path, sizeof(entry.path.path), "%s", path);
	entry.value = (struct wire_data){ (const uint8_t *)text, (uint32_t)strlen(text) };
	size = wire_encode_entries(id, &entry, 1, 0, true, frame, sizeof(frame));
	cr_assert(size > 0);
	cr_assert_eq(write(control_fd, frame, (size_t)size), size);
}

static void serve_watch(const struct wire_request *request)
{
	static const char *const keys[] = { "/link", "/link/macs/001", "/control/dhcp4/renew",
					    "/control/dhcp4/release" };
	bool is_link = strcmp(request->path.path, "/link") == 0;

	if (refuse_watch) {
		refusal_write(control_fd, request->id, refuse_watch);
		return;
	}
	if (strcmp(request->path.path, "/host/name") == 0) {
		watch_host = request->id;
		if (stored("/host/name"))
			respond_entry(request->id, WIRE_ENTRY_VALUE, "/host/name",
				      stored("/host/name"));
		respond_entry(request->id, WIRE_ENTRY_SYNCED, "", "");
		return;
	}
	cr_assert(is_link || strcmp(request->path.path, "/control/dhcp4") == 0);
	if (is_link)
		watch_link = request->id;
	else
		watch_control = request->id;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if ((i < 2) == is_link && stored(keys[i]))
			respond_entry(request->id, WIRE_ENTRY_VALUE, keys[i], stored(keys[i]));
	respond_entry(request->id, WIRE_ENTRY_SYNCED, "", "");
}

/* A change by others that the calf watches. */
static void change(const char *path, const char *text)
{
	int32_t id = path_is_below(path, "/link") ? watch_link :
		     path_is_below(path, "/host") ? watch_host :
						    watch_control;

	set(path, text);
	respond_entry(id, WIRE_ENTRY_VALUE, path, text);
}

static void serve_delete(const struct wire_request *request)
{
	n_deletes++;
	if (refuse_with) {
		refusal_write(control_fd, request->id, refuse_with);
	} else if (request->revision != revision_of(request->path.path)) {
		refusal_write(control_fd, request->id, &refusal_conflict);
	} else {
		forget(request->path.path);
		respond(request->id, "");
	}
}

/* Below a directory, a response each; the last ends the list. */
static void serve_list(const struct wire_request *request)
{
	struct wire_entry entry = { .tag = WIRE_ENTRY_LISTED };
	size_t length = strlen(request->path.path);
	uint8_t frame[WIRE_RESPONSE_MAX];
	bool is_last = false;
	int size;

	for (size_t i = 0; !is_last; i++) {
		is_last = i == STORE_KEYS;
		if (!is_last && (strncmp(store[i].path, request->path.path, length) != 0 ||
				 store[i].path[length] != '/'))
			continue;
		if (!is_last)
			memcpy(entry.path.path, store[i].path, sizeof(entry.path.path));
		size = wire_encode_entries(request->id, &entry, !is_last, revision, !is_last, frame,
					   sizeof(frame));
		cr_assert(size > 0);
		cr_assert_eq(write(control_fd, frame, (size_t)size), size);
	}
}

static void serve_commit(const uint8_t *frame, size_t size, const struct wire_request *request)
{
	n_commits++;
	if (refuse_with) {
		refusal_write(control_fd, request->id, refuse_with);
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
	respond(request->id, "");
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
		} else if (request.tag == WIRE_WATCH) {
			serve_watch(&request);
		} else if (request.tag == WIRE_DELETE) {
			serve_delete(&request);
		} else if (request.tag == WIRE_LIST) {
			serve_list(&request);
		} else {
			cr_assert_eq(request.tag, WIRE_READ);
			text = stored(request.path.path);
			if (refuse_read && strcmp(request.path.path, refuse_read) == 0)
				refusal_write(control_fd, request.id, refuse_read_with);
			else if (read_with_nul && strcmp(request.path.path, read_with_nul) == 0)
				respond_bytes(request.id, "192.0.2.10\0x", 12);
			else if (text)
				respond(request.id, text);
			else
				refusal_write(control_fd, request.id, &refusal_not_found);
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

/* The next frame that the calf wrote; 0 if there is none. */
static size_t take_frame(uint8_t frame[static 2048])
{
	ssize_t n = recv(frames_fd, frame, 2048, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

/* The next DHCP message that the calf sent: its size, 0 if there is none. ARP
 * on the way is counted and kept. */
static struct arp_frame sent_arp;
static uint32_t n_sent_arp;

static size_t sent(struct udp_frame *headers, uint8_t message[static MESSAGE_SIZE_MAX])
{
	static uint8_t frame[2048];
	struct bytes_reader reader;
	size_t n, size;

	while ((n = take_frame(frame)) > 0) {
		bytes_reader_init(&reader, frame, n);
		if (frame[12] == 8 && frame[13] == 6) {
			cr_assert_eq(n, ARP_FRAME_SIZE);
			cr_assert_eq(arp_frame_parse(&reader, &sent_arp), NET_OK);
			n_sent_arp++;
			continue;
		}
		cr_assert_eq(udp_frame_parse(&reader, headers), NET_OK);
		size = bytes_left(&reader);
		cr_assert(size >= MESSAGE_SIZE_MIN && size <= MESSAGE_SIZE_MAX);
		cr_assert_eq(headers->udp.source_port, 68);
		cr_assert_eq(headers->udp.destination_port, 67);
		bytes_copy(&reader, message, size);
		return size;
	}
	return 0;
}

/* Let time pass until the calf sends a message. */
static void until_sent(struct udp_frame *headers, uint8_t message[static MESSAGE_SIZE_MAX])
{
	for (int i = 0; i < 100; i++) {
		clock_ns = agent.client.deadline_ns;
		settle();
		if (sent(headers, message) > 0)
			return;
	}
	cr_assert(false, "nothing is sent");
}

static void send_arp(const struct arp_frame *arp)
{
	uint8_t bytes[ARP_FRAME_SIZE];
	struct bytes_writer writer;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	arp_frame_put(&writer, arp);
	cr_assert_eq(write(frames_fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
}

static uint8_t reply_mac[6]; /* of who sends replies */

static void send_reply_to(const struct reply *reply, uint16_t source_port, uint16_t port)
{
	struct udp_frame headers = {
		.ip = { .source = address("192.0.2.1"),
			.destination = address("192.0.2.10"),
			.protocol = 17,
			.ttl = 64 },
		.udp = { .source_port = source_port, .destination_port = port },
	};
	struct bytes_writer writer;
	uint8_t frame[2048];

	memcpy(headers.destination_mac, support_mac, 6);
	memcpy(headers.source_mac, reply_mac, 6);
	bytes_writer_init(&writer, frame, sizeof(frame));
	udp_frame_put(&writer, &headers, reply->bytes, reply->size);
	cr_assert(!writer.failed);
	cr_assert_eq(write(frames_fd, frame, writer.at), (ssize_t)writer.at);
}

static void send_reply(const struct reply *reply, uint16_t source_port)
{
	send_reply_to(reply, source_port, 68);
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
	set("/mac", "02:00:00:00:77:02");
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

	until_sent(&headers, message);
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

#pragma GCC diagnostic pop

#endif
