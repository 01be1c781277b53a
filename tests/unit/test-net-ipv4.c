/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/calf/net/ipv4.h"
#include "userspace/calf/net/net.h"

/* A header known from elsewhere: RFC 1071's arithmetic, done by hand. */
static const uint8_t known[] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
				 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };

#define TOTAL 0x73

struct packet {
	uint8_t bytes[256];
	size_t size;
};

static void fix_checksum(struct packet *packet, size_t header_size)
{
	struct bytes_reader reader;
	uint16_t checksum;

	memset(packet->bytes + 10, 0, 2);
	bytes_reader_init(&reader, packet->bytes, header_size);
	checksum = htons(ipv4_checksum_fold(ipv4_checksum_add(0, reader)));
	memcpy(packet->bytes + 10, &checksum, 2);
}

static struct packet good(void)
{
	struct packet packet = { .size = TOTAL };

	memcpy(packet.bytes, known, sizeof(known));
	for (size_t i = sizeof(known); i < TOTAL; i++)
		packet.bytes[i] = (uint8_t)i;
	return packet;
}

/* Parse a copy of exact size; payload size in *leftp. */
static int parse(const struct packet *packet, size_t *leftp)
{
	uint8_t *copy = malloc(packet->size ? packet->size : 1);
	struct ipv4_header header;
	struct bytes_reader reader;
	int r;

	memcpy(copy, packet->bytes, packet->size);
	bytes_reader_init(&reader, copy, packet->size);
	r = ipv4_parse(&reader, &header);
	*leftp = bytes_left(&reader);
	free(copy);
	return r;
}

Test(ipv4, known_header)
{
	struct packet packet = good();
	struct ipv4_header header;
	struct bytes_reader reader;

	bytes_reader_init(&reader, packet.bytes, packet.size);
	cr_assert_eq(ipv4_parse(&reader, &header), NET_OK);
	cr_assert_eq(header.source.s_addr, inet_addr("192.168.0.1"));
	cr_assert_eq(header.destination.s_addr, inet_addr("192.168.0.199"));
	cr_assert_eq(header.protocol, 17);
	cr_assert_eq(header.ttl, 64);
	cr_assert_eq(bytes_left(&reader), TOTAL - 20);
	cr_assert_eq(bytes_u8(&reader), 20);
}

Test(ipv4, put_is_parsed_again)
{
	struct ipv4_header header = { .source = { inet_addr("10.0.0.1") },
				      .destination = { INADDR_BROADCAST },
				      .protocol = 17,
				      .ttl = 64 };
	struct bytes_writer writer;
	struct packet packet = { .size = 20 + 5 };
	struct bytes_reader reader;
	struct ipv4_header parsed;

	bytes_writer_init(&writer, packet.bytes, sizeof(packet.bytes));
	ipv4_put(&writer, &header, 5);
	cr_assert_eq(writer.at, 20);
	cr_assert_eq(packet.bytes[6] | packet.bytes[7], 0, "DF is set");
	bytes_reader_init(&reader, packet.bytes, packet.size);
	cr_assert_eq(ipv4_parse(&reader, &parsed), NET_OK);
	cr_assert_eq(parsed.source.s_addr, header.source.s_addr);
	cr_assert_eq(parsed.destination.s_addr, header.destination.s_addr);
	cr_assert_eq(bytes_left(&reader), 5);
}

Test(ipv4, put_refuses_what_no_total_length_can_say)
{
	static uint8_t bytes[64];
	struct ipv4_header header = { .protocol = 17 };
	struct bytes_writer writer;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	ipv4_put(&writer, &header, UINT16_MAX - 19);
	cr_assert(writer.failed);
}

Test(ipv4, C4_02_truncated_at_every_byte)
{
	for (size_t size = 0; size < TOTAL; size++) {
		struct packet packet = good();
		size_t left;

		packet.size = size;
		cr_assert_eq(parse(&packet, &left), size < 20 ? NET_TRUNCATED : NET_IP_HEADER,
			     "%zu", size);
	}
}

Test(ipv4, C4_02_header_length)
{
	for (unsigned int words = 0; words < 16; words++) {
		struct packet packet = good();
		size_t left;
		int r;

		packet.bytes[0] = (uint8_t)(0x40 | words);
		if (words >= 5)
			fix_checksum(&packet, words * 4);
		r = parse(&packet, &left);
		cr_assert_eq(r, words < 5 ? NET_IP_HEADER : NET_OK, "%u", words);
		if (r == NET_OK)
			cr_assert_eq(left, TOTAL - words * 4);
	}
}

Test(ipv4, C4_02_header_length_beyond_the_packet)
{
	struct packet packet = good();
	size_t left;

	packet.bytes[0] = 0x4f;
	packet.size = 59;
	cr_assert_eq(parse(&packet, &left), NET_TRUNCATED);
}

Test(ipv4, C4_02_total_length)
{
	for (unsigned int total = 0; total < 256; total++) {
		struct packet packet = good();
		size_t left;
		int r;

		packet.bytes[2] = 0;
		packet.bytes[3] = (uint8_t)total;
		fix_checksum(&packet, 20);
		r = parse(&packet, &left);
		cr_assert_eq(r, total < 20 || total > TOTAL ? NET_IP_HEADER : NET_OK, "%u", total);
		if (r == NET_OK)
			cr_assert_eq(left, total - 20, "Q48: not cut to the total length");
	}
}

Test(ipv4, version)
{
	struct packet packet = good();
	size_t left;

	packet.bytes[0] = 0x65;
	cr_assert_eq(parse(&packet, &left), NET_IP_HEADER);
}

Test(ipv4, checksum)
{
	for (size_t i = 0; i < 20; i++) {
		struct packet packet = good();
		size_t left;

		packet.bytes[i] ^= 1;
		cr_assert_neq(parse(&packet, &left), NET_OK, "octet %zu", i);
	}
}

Test(ipv4, Q49_fragments)
{
	static const struct {
		uint8_t high, low;
		int r;
	} rows[] = {
		{ 0x00, 0, NET_OK },	   /* DF clear */
		{ 0x40, 0, NET_OK },	   /* DF */
		{ 0x80, 0, NET_OK },	   /* reserved bit */
		{ 0x20, 0, NET_FRAGMENT }, /* first of several */
		{ 0x00, 1, NET_FRAGMENT }, /* last */
		{ 0x1f, 0xff, NET_FRAGMENT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet packet = good();
		size_t left;

		packet.bytes[6] = rows[i].high;
		packet.bytes[7] = rows[i].low;
		fix_checksum(&packet, 20);
		cr_assert_eq(parse(&packet, &left), rows[i].r, "row %zu", i);
	}
}

Test(ipv4, checksum_of_odd_size)
{
	static const uint8_t odd[] = { 0x12, 0x34, 0x56 };
	struct bytes_reader reader;

	bytes_reader_init(&reader, odd, sizeof(odd));
	cr_assert_eq(ipv4_checksum_add(0, reader), 0x1234u + 0x5600u);
}

Test(ipv4, checksum_of_most_bytes_there_can_be)
{
	static uint8_t bytes[65535];
	struct bytes_reader reader;

	memset(bytes, 0xff, sizeof(bytes));
	bytes_reader_init(&reader, bytes, sizeof(bytes));
	/* 32,767 words of ones and 0xff00: ones' complement sum 0xff00 */
	cr_assert_eq(ipv4_checksum_fold(ipv4_checksum_add(0, reader)), 0x00ff);
}
