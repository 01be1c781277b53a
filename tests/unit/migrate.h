/* SPDX-License-Identifier: Apache-2.0 */
/* Lease files of other clients, and what migrate_read() makes of them. */
#ifndef CALFPEN_TESTS_UNIT_MIGRATE_H
#define CALFPEN_TESTS_UNIT_MIGRATE_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/migrate/read.h"

/* The uplink of all tests. */
static inline struct migrate_request migrate_request_of(enum migrate_format format)
{
	return (struct migrate_request){
		.format = format, .uid = 1, .mac = { 2, 0, 0, 0, 0x77, 2 }, .interface = "uplink0"
	};
}

/* "KIND [ID] [ADDRESS/LENGTH]", such as "id ff00 10.77.0.150/24"; good for one call. */
static inline const char *migrate_text_of(const struct migrate_identity *identity)
{
	static const char *const kinds[] = { "no lease", "damaged", "unknown", "none", "id" };
	static char text[64 + 2 * MIGRATE_ID_MAX];
	const struct value_ipv4_net net = { identity->address, identity->prefix_length };
	char *at = text;

	cr_assert(migrate_check(identity));
	at += sprintf(at, "%s", kinds[identity->kind]);
	if (identity->kind == MIGRATE_ID) {
		*at++ = ' ';
		value_format_hex(identity->id, identity->id_size, at);
		at += 2 * identity->id_size;
	}
	if (identity->address.s_addr != INADDR_ANY) {
		*at++ = ' ';
		value_format_ipv4_net(&net, at);
	}
	return text;
}

static inline const char *migrate_read_text(const struct migrate_request *request,
					    const struct migrate_files *files)
{
	struct migrate_identity identity;

	migrate_read(request, files, &identity);
	return migrate_text_of(&identity);
}

#define MIGRATE_TEXT(_text)            \
	((struct migrate_text){        \
		.bytes = (_text),      \
		.size = strlen(_text), \
	})

#define ACK_SIZE_MAX 1500
#define ACK_OPTIONS 240

/* A DHCPACK for 10.77.0.150, with these options (and END) after the message type. */
static inline size_t migrate_ack(uint8_t bytes[ACK_SIZE_MAX], const void *options, size_t size)
{
	static const uint8_t type[] = { 53, 1, 5 };
	static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };

	memset(bytes, 0, ACK_SIZE_MAX);
	memcpy(bytes, "\x02\x01\x06", 3);
	memcpy(bytes + 16, "\x0a\x4d\x00\x96", 4);
	memcpy(bytes + 28, "\x02\x00\x00\x00\x77\x02", 6);
	memcpy(bytes + 236, cookie, sizeof(cookie));
	memcpy(bytes + ACK_OPTIONS, type, sizeof(type));
	memcpy(bytes + ACK_OPTIONS + sizeof(type), options, size);
	bytes[ACK_OPTIONS + sizeof(type) + size] = 255;
	return ACK_OPTIONS + sizeof(type) + size + 1;
}

#endif
