/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DHCP server's messages, written octet by octet, and parsing of the calf's.
 */
#ifndef CALFPEN_TESTS_DHCP4_SUPPORT_H
#define CALFPEN_TESTS_DHCP4_SUPPORT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

#define SUPPORT_SIZE 65536
#define AT_XID 4
#define AT_SECS 8
#define AT_FLAGS 10
#define AT_CIADDR 12
#define AT_YIADDR 16
#define AT_SIADDR 20
#define AT_GIADDR 24
#define AT_CHADDR 28
#define AT_SNAME 44
#define AT_FILE 108
#define AT_COOKIE 236
#define AT_OPTIONS 240

__attribute__((unused)) static const uint8_t support_mac[6] = { 2, 0, 0, 0, 0x77, 2 };

struct reply {
	size_t size;
	uint8_t bytes[SUPPORT_SIZE];
};

static inline struct in_addr address(const char *text)
{
	return (struct in_addr){ inet_addr(text) };
}

static inline void reply_put(struct reply *reply, const void *bytes, size_t size)
{
	cr_assert(size <= sizeof(reply->bytes) - reply->size);
	if (size > 0)
		memcpy(reply->bytes + reply->size, bytes, size);
	reply->size += size;
}

static inline void reply_option(struct reply *reply, uint8_t code, const void *bytes, size_t size)
{
	uint8_t head[2] = { code, (uint8_t)size };

	cr_assert(size <= 255);
	reply_put(reply, head, 2);
	reply_put(reply, bytes, size);
}

static inline void reply_address(struct reply *reply, uint8_t code, const char *text)
{
	struct in_addr value = address(text);

	reply_option(reply, code, &value, 4);
}

static inline void reply_u32(struct reply *reply, uint8_t code, uint32_t value)
{
	value = htonl(value);
	reply_option(reply, code, &value, 4);
}

/* Up to the cookie, without options. */
static inline void reply_fixed(struct reply *reply, uint32_t xid, const char *yiaddr)
{
	static const uint8_t head[] = { 2, 1, 6, 0 }, cookie[] = { 99, 130, 83, 99 };
	struct in_addr yours = address(yiaddr);

	memset(reply, 0, AT_OPTIONS + sizeof(reply->size));
	memcpy(reply->bytes, head, sizeof(head));
	xid = htonl(xid);
	memcpy(reply->bytes + AT_XID, &xid, 4);
	memcpy(reply->bytes + AT_YIADDR, &yours, 4);
	memcpy(reply->bytes + AT_CHADDR, support_mac, 6);
	memcpy(reply->bytes + AT_COOKIE, cookie, 4);
	reply->size = AT_OPTIONS;
}

static inline void reply_begin(struct reply *reply, uint8_t type, uint32_t xid, const char *yiaddr)
{
	reply_fixed(reply, xid, yiaddr);
	reply_option(reply, OPTION_MESSAGE_TYPE, &type, 1);
}

static inline void reply_end(struct reply *reply)
{
	static const uint8_t end = OPTION_END;

	reply_put(reply, &end, 1);
}

/* Of all tests' messages; a test may change it. */
__attribute__((unused)) static struct message_policy support_policy;

/* A host with the MAC above and the defaults of that policy. */
static inline struct message_sender support_sender(void)
{
	struct message_sender sender;

	message_sender_init(&sender, support_mac, &support_policy);
	return sender;
}

/* Parse a copy of exact size, so that a sanitizer sees any over-read. */
static inline enum reason parse_bytes(const void *bytes, size_t size, struct message *message)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct bytes_reader reader;
	enum reason reason;

	if (size > 0)
		memcpy(copy, bytes, size);
	bytes_reader_init(&reader, copy, size);
	reason = message_parse(reader, &support_policy, message);
	free(copy);
	return reason;
}

static inline enum reason reply_parse(const struct reply *reply, struct message *message)
{
	return parse_bytes(reply->bytes, reply->size, message);
}

/* Find an option in a message of the calf: the value's octets with their count,
 * or NULL. */
static inline const uint8_t *request_option(const uint8_t *bytes, size_t size, uint8_t code,
					    size_t *sizep)
{
	size_t at = AT_OPTIONS;

	while (at < size && bytes[at] != OPTION_END) {
		if (bytes[at] == OPTION_PAD) {
			at++;
			continue;
		}
		cr_assert(at + 2 + bytes[at + 1] <= size);
		if (bytes[at] == code) {
			*sizep = bytes[at + 1];
			return bytes + at + 2;
		}
		at += 2u + bytes[at + 1];
	}
	return NULL;
}

static inline bool request_has(const uint8_t *bytes, size_t size, uint8_t code)
{
	size_t ignored;

	return request_option(bytes, size, code, &ignored) != NULL;
}

static inline uint32_t request_be32(const uint8_t *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, 4);
	return ntohl(value);
}

/* True if the option is this address. */
static inline bool request_has_address(const uint8_t *bytes, size_t size, uint8_t code,
				       const char *text)
{
	struct in_addr wanted = address(text);
	size_t n = 0;
	const uint8_t *value = request_option(bytes, size, code, &n);

	return value && n == 4 && memcmp(value, &wanted, 4) == 0;
}

#endif
