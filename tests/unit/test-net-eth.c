/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"

#define MACS "\2\0\0\0\0\1\2\0\0\0\0\2"
#define MACS_SIZE 12

/* Parse a copy of exact size, so that a sanitizer sees an over-read. */
static int parse(const char *bytes, size_t size, struct eth_header *header, size_t *leftp)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct bytes_reader reader;
	int r;

	memcpy(copy, bytes, size);
	bytes_reader_init(&reader, copy, size);
	r = eth_parse(&reader, header);
	*leftp = bytes_left(&reader);
	free(copy);
	return r;
}

/* Behind the MAC addresses: how it is read. Payload: "data". */
static const struct row {
	const char *what, *bytes;
	size_t size;
	uint16_t type;
	size_t left;
} rows[] = {
#define ROW(what, bytes) what, MACS bytes "data", MACS_SIZE + sizeof(bytes) - 1 + 4
	{ ROW("no tag", "\x08\0"), 0x0800, 4 },
	{ ROW("U01: a priority", "\x81\0\xc0\0\x08\0"), 0x0800, 4 },
	{ ROW("U01: priority 0, may be dropped", "\x81\0\x10\0\x08\x06"), 0x0806, 4 },
	{ ROW("U01: of a service provider's", "\x88\xa8\xe0\0\x08\0"), 0x0800, 4 },
	{ ROW("U01: two", "\x88\xa8\xe0\0\x81\0\xe0\0\x08\0"), 0x0800, 4 },
	{ ROW("three", "\x81\0\0\0\x81\0\0\0\x81\0\0\0\x08\0"), 0x8100, 8 },
	{ ROW("a VLAN", "\x81\0\xc0\5\x08\0"), 0x8100, 8 },
	{ ROW("the first VLAN", "\x81\0\0\1\x08\0"), 0x8100, 8 },
	{ ROW("VLAN 256", "\x81\0\1\0\x08\0"), 0x8100, 8 },
	{ ROW("a VLAN in a priority", "\x81\0\xc0\0\x88\xa8\0\5\x08\0"), 0x88a8, 8 },
	{ ROW("a priority in a VLAN", "\x81\0\0\5\x81\0\xc0\0\x08\0"), 0x8100, 12 },
	{ ROW("a type that looks like a tag", "\x91\0\xc0\0\x08\0"), 0x9100, 8 },
};

Test(eth, U01_priority_tags)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct eth_header header;
		size_t left;

		cr_assert_eq(parse(rows[i].bytes, rows[i].size, &header, &left), NET_OK, "%s",
			     rows[i].what);
		cr_expect_eq(header.type, rows[i].type, "%s: type %x", rows[i].what, header.type);
		cr_expect_eq(left, rows[i].left, "%s: %zu left", rows[i].what, left);
		cr_expect_arr_eq(header.destination, MACS, 6);
		cr_expect_arr_eq(header.source, MACS + 6, 6);
	}
}

/* A frame that ends inside of a header or a priority tag. */
Test(eth, U01_every_truncation)
{
	static const char bytes[] = MACS "\x88\xa8\xe0\0\x81\0\xe0\0\x08\0";
	struct eth_header header;
	size_t left;

	for (size_t size = 0; size < sizeof(bytes) - 1; size++)
		cr_assert_eq(parse(bytes, size, &header, &left), NET_TRUNCATED, "%zu", size);
	cr_assert_eq(parse(bytes, sizeof(bytes) - 1, &header, &left), NET_OK);
	cr_assert_eq(left, 0);
}
