/* SPDX-License-Identifier: Apache-2.0 */
/* What compromised calves share: DHCP by the tap, and requests to the store. */
#ifndef CALFPEN_TESTS_TOOLS_CALF_H
#define CALFPEN_TESTS_TOOLS_CALF_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/wire.h"

#define FRAMES 3
#define CONTROL 4
#define SIZE 342 /* Ethernet, IPv4, UDP, 300 octets of BOOTP */
#define ARP_SIZE 42
#define SIZE_MAX_SENT 2000
#define XID "HOST"

enum {
	AT_TO = 0,
	AT_FROM = 6,
	AT_TYPE = 12,
	AT_IP = 14,
	AT_TOTAL = 16,
	AT_FRAGMENT = 20,
	AT_PROTOCOL = 23,
	AT_CHECKSUM = 24,
	AT_SOURCE = 26,
	AT_DESTINATION = 30,
	AT_PORTS = 34,
	AT_UDP_LENGTH = 38,
	AT_OP = 42,
	AT_BOOTP_XID = 46,
	AT_YIADDR = 58,
	AT_CHADDR = 70,
	AT_SNAME = 86,
	AT_COOKIE = 278,
	AT_OPERATION = 21,
	AT_SENDER_MAC = 22,
	AT_SENDER = 28,
	AT_TARGET = 38,
};

static uint8_t mac[6], leased[4], server[4];

/* Uses ppoll(2), because the sandbox allows neither nanosleep nor poll. */
static inline int wait_for(int fd, int milliseconds)
{
	const struct timespec timeout = { .tv_sec = milliseconds / 1000,
					  .tv_nsec = milliseconds % 1000 * 1000000l };
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	int n = ppoll(&readable, 1, &timeout, NULL);

	if (n < 0)
		_exit(9);
	return n;
}

static inline void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void set_lengths(uint8_t *frame, size_t size)
{
	uint32_t sum = 0;

	put16(frame + AT_TOTAL, size - AT_IP);
	put16(frame + AT_UDP_LENGTH, size - AT_PORTS);
	put16(frame + AT_CHECKSUM, 0);
	for (int i = AT_IP; i < AT_PORTS; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(frame + AT_CHECKSUM, ((sum & 0xffff) + (sum >> 16)) ^ 0xffff);
}

/* Put the options of a request: its type, and the mark as the host name ("": none).
 * Returns where further ones go; END follows. */
static inline uint8_t *put_options(uint8_t *frame, uint8_t type, const char *mark)
{
	uint8_t *at = frame + AT_COOKIE + 4;
	size_t length = strlen(mark);

	memcpy(at, "\x35\1", 2);
	at[2] = type;
	at += 3;
	if (length > 0) {
		at[0] = 12;
		at[1] = (uint8_t)length;
		memcpy(at + 2, mark, length);
		at += 2 + length;
	}
	*at = 0xff;
	return at;
}

/* Build a frame that the filter lets out: a broadcast DISCOVER, or one by unicast
 * to the server. */
static inline void request(uint8_t *frame, int is_unicast, const char *mark)
{
	memset(frame, 0, SIZE_MAX_SENT);
	memset(frame + AT_TO, is_unicast ? 0 : 0xff, 6);
	memcpy(frame + AT_FROM, mac, 6);
	put16(frame + AT_TYPE, 0x0800);
	memcpy(frame + AT_IP, "\x45\0\0\0\0\0\0\0\x40\x11", 10);
	memset(frame + AT_DESTINATION, 0xff, 4);
	if (is_unicast) {
		memcpy(frame + AT_SOURCE, leased, 4);
		memcpy(frame + AT_DESTINATION, server, 4);
	}
	memcpy(frame + AT_PORTS, "\0\x44\0\x43", 4);
	memcpy(frame + AT_OP, "\1\1\6\0" XID, 8);
	memcpy(frame + AT_CHADDR, mac, 6);
	memcpy(frame + AT_COOKIE, "\x63\x82\x53\x63", 4);
	put_options(frame, 1, mark);
	set_lengths(frame, SIZE);
}

static inline void send_frame(const uint8_t *frame, size_t size)
{
	if (write(FRAMES, frame, size) != (ssize_t)size)
		_exit(4);
}

/* Report what was written to the tap, and the counter that must count it. */
static inline void say_frame(const char *what, const char *reason)
{
	char line[160];
	int size = snprintf(line, sizeof(line), "frame: %s: %s\n", what, reason);

	if (size < 0 || write(2, line, (size_t)size) < 0)
		_exit(3);
}

/* Send one request to the store and read the text of the response. Returns false if it is
 * an error. */
static inline bool try_to_ask(enum wire_request_tag tag, const char *path, const char *value,
			      char text[128])
{
	static uint8_t received[WIRE_FRAME_MAX];
	struct wire_response response;
	size_t n_received = 0;
	uint8_t buffer[512];
	int size =
		wire_encode_request(1, tag, path, value, strlen(value), 0, buffer, sizeof(buffer));

	if (size <= 0 || write(CONTROL, buffer, (size_t)size) != size)
		_exit(5);
	while ((size = wire_frame_size(received, n_received)) == 0 || (size_t)size > n_received) {
		ssize_t n;

		(void)wait_for(CONTROL, 5000);
		n = read(CONTROL, received + n_received, sizeof(received) - n_received);
		if (size < 0 || n <= 0)
			_exit(6);
		n_received += (size_t)n;
	}
	if (wire_decode_response(received, (size_t)size, &response) < 0)
		_exit(7);
	snprintf(text, 128, "%.*s", (int)response.value.size, (const char *)response.value.bytes);
	return response.tag != WIRE_ERROR;
}

static inline void ask(enum wire_request_tag tag, const char *path, const char *value,
		       char text[128])
{
	if (!try_to_ask(tag, path, value, text))
		_exit(7);
}

static inline void learn_mac(void)
{
	unsigned int octets[6];
	char text[128];

	ask(WIRE_READ, "/mac", "", text);
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &octets[0], &octets[1], &octets[2], &octets[3],
		   &octets[4], &octets[5]) != 6)
		_exit(8);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)octets[i];
}

/* Wait for a reply with this message type, as the first option. Returns true if it
 * came within two seconds. */
static inline int get_reply(uint8_t type)
{
	static uint8_t frame[SIZE_MAX_SENT];

	while (wait_for(FRAMES, 2000)) {
		ssize_t size = read(FRAMES, frame, sizeof(frame));

		if (size < AT_COOKIE + 7 || memcmp(frame + AT_BOOTP_XID, XID, 4) != 0 ||
		    frame[AT_COOKIE + 6] != type)
			continue;
		memcpy(server, frame + AT_SOURCE, 4);
		memcpy(leased, frame + AT_YIADDR, 4);
		return 1;
	}
	return 0;
}

/* Get a lease from the server, as a client does; `on_sent` is called for each request. */
static inline void get_lease(const char *mark, void (*on_sent)(void))
{
	static uint8_t frame[SIZE_MAX_SENT];
	uint8_t *at;

	for (;;) {
		request(frame, 0, mark);
		send_frame(frame, SIZE);
		on_sent();
		if (!get_reply(2))
			continue;
		request(frame, 0, mark);
		at = put_options(frame, 3, mark);
		memcpy(at, "\x36\4", 2);
		memcpy(at + 2, server, 4);
		memcpy(at + 6, "\x32\4", 2);
		memcpy(at + 8, leased, 4);
		at[12] = 0xff;
		send_frame(frame, SIZE);
		on_sent();
		if (get_reply(5))
			return;
	}
}

#endif
