/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf that misuses the store's channel, in a different way in each run; the key
 * /life counts the runs. Reports "store: WHAT: ANSWER" in log lines.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/wire.h"

#define CONTROL 4
#define MILLION 1000000
#define AHEAD 64 /* requests in flight at a time */

static uint8_t received[WIRE_FRAME_MAX];
static size_t n_received;

static void say(const char *what, const char *answer)
{
	char line[256];
	int size = snprintf(line, sizeof(line), "store: %s: %s\n", what, answer);

	if (size < 0 || write(2, line, (size_t)size) < 0)
		_exit(3);
}

/* Send all bytes; exit if the connection is closed. */
static void send_bytes(const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(CONTROL, bytes, size);

		if (n <= 0)
			_exit(4);
		bytes += n;
		size -= (size_t)n;
	}
}

/* Read the next response and its text. Returns false if the gateway has closed the
 * connection. */
static bool receive(struct wire_response *response, char text[static 128])
{
	int size;

	while ((size = wire_frame_size(received, n_received)) == 0 || (size_t)size > n_received) {
		ssize_t n = read(CONTROL, received + n_received, sizeof(received) - n_received);

		if (size < 0 || n <= 0)
			return false;
		n_received += (size_t)n;
	}
	if (wire_decode_response(received, (size_t)size, response) < 0)
		return false;
	snprintf(text, 128, "%.*s", (int)response->value.size, (const char *)response->value.bytes);
	n_received -= (size_t)size;
	memmove(received, received + size, n_received);
	return true;
}

static void ask(const char *what, const uint8_t *frame, int size)
{
	struct wire_response response;
	char text[128];

	if (size <= 0)
		_exit(5);
	send_bytes(frame, (size_t)size);
	if (!receive(&response, text))
		say(what, "closed");
	else if (response.tag != WIRE_ERROR)
		say(what, "TAKEN");
	else
		say(what, text);
}

/* The gateway answers each of these. */
static void request_forbidden_keys(void)
{
	static uint8_t frame[WIRE_FRAME_MAX];
	static char value[60000];
	uint8_t *at;
	int size;

	memset(value, 'x', sizeof(value));
	size = wire_encode_request(1, WIRE_WRITE, "/unknown", "1", 1, 0, frame, sizeof(frame));
	ask("unknown key", frame, size);
	size = wire_encode_request(2, WIRE_WRITE, "/mac", "1", 1, 0, frame, sizeof(frame));
	ask("key without a right", frame, size);
	size = wire_encode_request(3, WIRE_WRITE, "/text", value, 17, 0, frame, sizeof(frame));
	ask("value over its limit", frame, size);
	size = wire_encode_request(4, WIRE_WRITE, "/text", value, KV_VALUE_MAX + 1, 0, frame,
				   sizeof(frame));
	ask("value over all limits", frame, size);
	size = wire_encode_request(5, WIRE_WRITE, "/text", value, sizeof(value), 0, frame,
				   sizeof(frame));
	ask("value of a frame", frame, size);
	size = wire_encode_request(6, WIRE_WRITE, "/text", "\xc3\x28\xff", 3, 0, frame,
				   sizeof(frame));
	ask("invalid UTF-8", frame, size);
	size = wire_encode_request(7, WIRE_WRITE, "/text", "a\0b", 3, 0, frame, sizeof(frame));
	ask("NUL in a value", frame, size);
	size = wire_encode_request(8, WIRE_WRITE, "/zz/text", "1", 1, 0, frame, sizeof(frame));
	at = size > 0 ? memmem(frame, (size_t)size, "zz", 2) : NULL;
	if (!at)
		_exit(6);
	memcpy(at, "..", 2);
	ask("path that climbs", frame, size);
}

/* Send a million requests, as fast as they are answered. */
static void send_a_million_requests(void)
{
	uint32_t n_sent = 0, n_answered = 0;
	struct wire_response response;
	char text[128];

	while (n_answered < MILLION) {
		uint8_t frames[AHEAD * 128];
		size_t used = 0;

		while (n_sent < MILLION && n_sent - n_answered < AHEAD) {
			int size = wire_encode_request((int32_t)n_sent, WIRE_READ, "/mac", NULL, 0,
						       0, frames + used, sizeof(frames) - used);

			if (size <= 0)
				_exit(7);
			used += (size_t)size;
			n_sent++;
		}
		send_bytes(frames, used);
		for (uint32_t n = n_sent - n_answered; n > 0; n--) {
			if (!receive(&response, text) || response.id != (int32_t)n_answered) {
				say("a million requests", "OUT OF ORDER");
				return;
			}
			n_answered++;
		}
	}
	say("a million requests", "answered");
}

/* Count the runs. Returns the number of this one. */
static int count_life(void)
{
	struct wire_response response;
	uint8_t frame[256];
	char text[128];
	int size, life;

	size = wire_encode_request(0, WIRE_READ, "/life", NULL, 0, 0, frame, sizeof(frame));
	send_bytes(frame, (size_t)size);
	if (!receive(&response, text))
		_exit(8);
	life = response.tag == WIRE_OK ? atoi(text) : 0;
	snprintf(text, sizeof(text), "%d", life + 1);
	size = wire_encode_request(0, WIRE_WRITE, "/life", text, strlen(text), 0, frame,
				   sizeof(frame));
	send_bytes(frame, (size_t)size);
	if (!receive(&response, text) || response.tag != WIRE_OK)
		_exit(9);
	return life;
}

/* The pen's list of calls has ppoll(2), not poll. */
static void pause_ms(int milliseconds)
{
	const struct timespec pause = { .tv_nsec = milliseconds * 1000000l };

	ppoll(NULL, 0, &pause, NULL);
}

int main(void)
{
	static const uint8_t malformed[] = { 0,	   0,	 0,    0,    1, 0, 0, 0,
					     0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0 };
	struct wire_response response;
	uint8_t frame[256];
	char text[128];
	int size;

	size = wire_encode_request(1, WIRE_READ, "/mac", NULL, 0, 0, frame, sizeof(frame));
	switch (count_life()) {
	case 0:
		request_forbidden_keys();
		send_a_million_requests();
		pause_ms(500); /* the gateway must read the last log lines before it ends */
		return 0;
	case 1: /* only half a message */
		send_bytes(frame, (size_t)size / 2);
		pause_ms(500);
		say("half a message", "given up");
		return 0;
	case 2: /* the rest follows later */
		send_bytes(frame, (size_t)size / 2);
		pause_ms(500);
		send_bytes(frame + size / 2, (size_t)size - (size_t)size / 2);
		say("the other half", receive(&response, text) ? "answered" : "closed");
		send_bytes(malformed, sizeof(malformed));
		if (receive(&response, text))
			say("malformed message", "ANSWERED");
		return 0;
	case 3: /* requests without waiting for the responses */
		for (int i = 0; i < AHEAD; i++)
			send_bytes(frame, (size_t)size);
		if (close(CONTROL) < 0)
			return 0; /* the pen does not allow it */
		say("closed descriptor", "by the calf");
		ppoll(NULL, 0, NULL, NULL);
		return 0;
	default:
		say("last life", "well-behaved");
		ppoll(NULL, 0, NULL, NULL);
		return 0;
	}
}
