/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/support-etcd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/support.h"

static const char PUT[] = "/etcdserverpb.KV/Put";
static const char WATCH[] = "/etcdserverpb.Watch/Watch";

/* HTTP/2: a frame is length (3), type, flags, stream (4), and the payload. */
#define FRAME_HEADER 9
#define FRAME_DATA 0
#define FRAME_HEADERS 1
#define FRAME_RST_STREAM 3
#define FRAME_SETTINGS 4
#define FRAME_PING 6
#define FRAME_GOAWAY 7
#define FRAME_WINDOW_UPDATE 8
#define FLAG_ACK 0x1 /* of SETTINGS and PING */
#define FLAG_END_STREAM 0x1
#define FLAG_END_HEADERS 0x4
#define SETTING_INITIAL_WINDOW_SIZE 4
#define WINDOW_MAX 0x7fffffffu
#define WINDOW_DEFAULT 65535u

/* HPACK: indices of the static table, and of the first entry of the dynamic one. */
#define HPACK_INDEXED 0x80
#define HPACK_STORED 0x40 /* literal, which the server stores in the dynamic table */
#define HPACK_AUTHORITY 1
#define HPACK_POST 3
#define HPACK_PATH 4
#define HPACK_HTTP 6
#define HPACK_CONTENT_TYPE 31
#define HPACK_DYNAMIC 62
#define FIELDS_STORED 5

/* gRPC: a message is prefixed by its compression (1) and its length (4). */
#define MESSAGE_PREFIX 5

/* Protocol buffers: field 1 or 2 with bytes; field 4, a number. */
#define FIELD_1 0x0a
#define FIELD_2 0x12
#define WIRE_TYPE 0x07
#define WIRE_NUMBER 0
#define WIRE_BYTES 2
#define WATCH_CANCELED 4

/* --- requests --- */

struct output {
	uint8_t bytes[ETCD_REQUEST_MAX];
	size_t size;
};

static void put_byte(struct output *out, unsigned int byte)
{
	if (out->size == sizeof(out->bytes))
		bench_fail("etcd: the request is too long");
	out->bytes[out->size++] = (uint8_t)byte;
}

static void put_bytes(struct output *out, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put_byte(out, ((const uint8_t *)bytes)[i]);
}

static void put_u32(struct output *out, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		put_byte(out, (number >> shift) & 0xff);
}

/* A length in one byte, which is enough for HPACK and protocol buffers here. */
static void put_sized(struct output *out, const void *bytes, size_t size)
{
	if (size > 126)
		bench_fail("etcd: a field of %zu bytes is too long", size);
	put_byte(out, (unsigned int)size);
	put_bytes(out, bytes, size);
}

static void put_text(struct output *out, const char *text)
{
	put_sized(out, text, strlen(text));
}

/* Returns where the frame begins, for end_frame(). */
static size_t begin_frame(struct output *out, unsigned int type, unsigned int flags,
			  uint32_t stream)
{
	size_t start = out->size;

	put_bytes(out, "\0\0", 3);
	put_byte(out, type);
	put_byte(out, flags);
	put_u32(out, stream);
	return start;
}

static void end_frame(struct output *out, size_t start)
{
	size_t size = out->size - start - FRAME_HEADER;

	out->bytes[start + 1] = (uint8_t)(size >> 8);
	out->bytes[start + 2] = (uint8_t)size;
}

static void put_headers(struct etcd *etcd, struct output *out, const char *path)
{
	size_t start = begin_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, etcd->stream);

	put_byte(out, HPACK_INDEXED | HPACK_POST);
	put_byte(out, HPACK_INDEXED | HPACK_HTTP);
	if (etcd->path == path) {
		/* the newest entry has the lowest index */
		for (unsigned int i = FIELDS_STORED; i-- > 0;)
			put_byte(out, HPACK_INDEXED | (HPACK_DYNAMIC + i));
	} else {
		put_byte(out, HPACK_STORED | HPACK_PATH);
		put_text(out, path);
		put_byte(out, HPACK_STORED | HPACK_AUTHORITY);
		put_text(out, "localhost");
		put_byte(out, HPACK_STORED | HPACK_CONTENT_TYPE);
		put_text(out, "application/grpc");
		put_byte(out, HPACK_STORED);
		put_text(out, "te");
		put_text(out, "trailers");
		put_byte(out, HPACK_STORED);
		put_text(out, "token");
		put_text(out, etcd->token);
		etcd->path = path;
	}
	end_frame(out, start);
}

static void put_message(struct etcd *etcd, struct output *out, const struct output *message,
			unsigned int flags)
{
	size_t start = begin_frame(out, FRAME_DATA, flags, etcd->stream);

	put_byte(out, 0); /* not compressed */
	put_u32(out, (uint32_t)message->size);
	put_bytes(out, message->bytes, message->size);
	end_frame(out, start);
}

static void send_output(const struct etcd *etcd, const struct output *out)
{
	if (write(etcd->fd, out->bytes, out->size) != (ssize_t)out->size)
		bench_fail("etcd: write: %s", strerror(errno));
}

static void send_request(struct etcd *etcd, const char *path, const struct output *message,
			 unsigned int flags)
{
	struct output out = { .size = 0 };

	etcd->stream += etcd->stream ? 2 : 1;
	etcd->has_message = false;
	put_headers(etcd, &out, path);
	put_message(etcd, &out, message, flags);
	send_output(etcd, &out);
}

void etcd_init(struct etcd *etcd, int fd, const char *token)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	struct output out = { .size = 0 };
	size_t start;

	memset(etcd, 0, sizeof(*etcd));
	etcd->fd = fd;
	etcd->token = token;
	put_bytes(&out, preface, sizeof(preface) - 1);
	/* windows that no measurement fills, so that none has to be updated */
	start = begin_frame(&out, FRAME_SETTINGS, 0, 0);
	put_byte(&out, 0);
	put_byte(&out, SETTING_INITIAL_WINDOW_SIZE);
	put_u32(&out, WINDOW_MAX);
	end_frame(&out, start);
	start = begin_frame(&out, FRAME_WINDOW_UPDATE, 0, 0);
	put_u32(&out, WINDOW_MAX - WINDOW_DEFAULT);
	end_frame(&out, start);
	send_output(etcd, &out);
}

void etcd_send_put(struct etcd *etcd, const char *key, const void *value, size_t length)
{
	struct output message = { .size = 0 };

	put_byte(&message, FIELD_1);
	put_text(&message, key);
	put_byte(&message, FIELD_2);
	put_sized(&message, value, length);
	send_request(etcd, PUT, &message, FLAG_END_STREAM);
}

/* --- responses --- */

struct frame {
	unsigned int type, flags;
	uint32_t stream;
	const uint8_t *payload;
	size_t size;
};

static void acknowledge(const struct etcd *etcd, const struct frame *frame)
{
	struct output out = { .size = 0 };
	size_t start = begin_frame(&out, frame->type, FLAG_ACK, 0);

	if (frame->type == FRAME_PING)
		put_bytes(&out, frame->payload, frame->size);
	end_frame(&out, start);
	send_output(etcd, &out);
}

/* Fail if this message says that the watch is cancelled. */
static void check_watch(const uint8_t *message, size_t size)
{
	size_t i = 0;

	while (i + 1 < size) {
		unsigned int field = message[i] >> 3, type = message[i] & WIRE_TYPE;

		if (field == WATCH_CANCELED && message[i + 1])
			bench_fail("etcd: refused the watch");
		i++;
		if (type == WIRE_BYTES)
			i += message[i] + 1u;
		else if (type == WIRE_NUMBER)
			while (i < size && message[i++] & 0x80)
				;
		else
			bench_fail("etcd: message of an unknown type");
	}
}

/* Returns true if it ends the response to the last request. */
static bool handle_frame(struct etcd *etcd, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_SETTINGS:
	case FRAME_PING:
		if (!(frame->flags & FLAG_ACK))
			acknowledge(etcd, frame);
		return false;
	case FRAME_RST_STREAM:
		/* Without an error, it only follows a response that the server has
		 * sent before it saw the end of the request. */
		if (frame->size == 4 && memcmp(frame->payload, "\0\0\0", 4) == 0)
			return false;
		bench_fail("etcd: the server refused the request");
	case FRAME_GOAWAY:
		bench_fail("etcd: the server closed the connection");
	case FRAME_DATA:
		if (frame->stream != etcd->stream || frame->size < MESSAGE_PREFIX)
			bench_fail("etcd: unexpected data");
		if (etcd->path == WATCH)
			check_watch(frame->payload + MESSAGE_PREFIX, frame->size - MESSAGE_PREFIX);
		etcd->has_message = true;
		return frame->flags & FLAG_END_STREAM;
	case FRAME_HEADERS:
		/* a response without a message has only a status, of an error */
		if ((frame->flags & FLAG_END_STREAM) && !etcd->has_message)
			bench_fail("etcd: refused the request");
		return frame->flags & FLAG_END_STREAM;
	default:
		return false;
	}
}

/* Handle the first complete frame. Returns its size, or 0. */
static size_t take_frame(struct etcd *etcd, const uint8_t *bytes, size_t n, bool *endedp)
{
	struct frame frame;

	if (n < FRAME_HEADER)
		return 0;
	frame.size = (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];
	if (FRAME_HEADER + frame.size > sizeof(etcd->received))
		bench_fail("etcd: frame of %zu bytes", frame.size);
	if (n < FRAME_HEADER + frame.size)
		return 0;
	frame.type = bytes[3];
	frame.flags = bytes[4];
	frame.stream = (uint32_t)bytes[5] << 24 | (uint32_t)bytes[6] << 16 |
		       (uint32_t)bytes[7] << 8 | bytes[8];
	frame.payload = bytes + FRAME_HEADER;
	*endedp |= handle_frame(etcd, &frame);
	return FRAME_HEADER + frame.size;
}

bool etcd_read_response(struct etcd *etcd)
{
	size_t used = 0, size;
	bool ended = false;
	ssize_t n = read(etcd->fd, etcd->received + etcd->n_received,
			 sizeof(etcd->received) - etcd->n_received);

	if (n <= 0)
		bench_fail("etcd: response: %s", n < 0 ? strerror(errno) : "closed");
	etcd->n_received += (size_t)n;
	while ((size = take_frame(etcd, etcd->received + used, etcd->n_received - used, &ended)))
		used += size;
	etcd->n_received -= used;
	memmove(etcd->received, etcd->received + used, etcd->n_received);
	return ended;
}

/* --- a watch --- */

void etcd_watch(struct etcd *etcd, const char *key)
{
	struct output create = { .size = 0 }, message = { .size = 0 };

	put_byte(&create, FIELD_1);
	put_text(&create, key);
	put_byte(&message, FIELD_1);
	put_sized(&message, create.bytes, create.size);
	send_request(etcd, WATCH, &message, 0);
	while (!etcd->has_message)
		if (etcd_read_response(etcd))
			bench_fail("etcd: the watch has ended");
}

void etcd_read_events(struct etcd *etcd)
{
	while (!etcd_read_response(etcd))
		;
}
