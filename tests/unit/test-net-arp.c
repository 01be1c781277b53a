/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/calf/net/arp.h"
#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"

/* A probe for 192.0.2.7 by 02:00:00:00:00:02, written out from RFC 826. */
static const uint8_t probe[ARP_FRAME_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,	 0, 0, 0, 0, 2, 8, 6, /* Ethernet */
	0,    1,    8,	  0,	6,    4,    0,	 1,		      /* types, sizes, request */
	2,    0,    0,	  0,	0,    2,    0,	 0, 0, 0,	      /* sender */
	0,    0,    0,	  0,	0,    0,    192, 0, 2, 7,	      /* target */
};

#define AT_ARP 14

/* Parse a copy of exact size, so that a sanitizer sees an over-read. */
static int parse(const uint8_t *bytes, size_t size, struct arp_frame *arp)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct bytes_reader reader;
	int r;

	memcpy(copy, bytes, size);
	bytes_reader_init(&reader, copy, size);
	memset(arp, 0xa5, sizeof(*arp));
	r = arp_frame_parse(&reader, arp);
	free(copy);
	return r;
}

Test(arp, known_probe)
{
	static const uint8_t zero[6], all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
				      mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct arp_frame arp;

	cr_assert_eq(parse(probe, sizeof(probe), &arp), NET_OK);
	cr_assert_eq(arp.arp.operation, ARP_REQUEST);
	cr_assert_arr_eq(arp.destination_mac, all, 6);
	cr_assert_arr_eq(arp.source_mac, mac, 6);
	cr_assert_arr_eq(arp.arp.sender_mac, mac, 6);
	cr_assert_arr_eq(arp.arp.target_mac, zero, 6);
	cr_assert_eq(arp.arp.sender.s_addr, 0);
	cr_assert_eq(arp.arp.target.s_addr, inet_addr("192.0.2.7"));
}

Test(arp, put_gives_the_same_octets)
{
	uint8_t bytes[ARP_FRAME_SIZE + 1];
	struct bytes_writer writer;
	struct arp_frame arp;

	parse(probe, sizeof(probe), &arp);
	bytes_writer_init(&writer, bytes, sizeof(bytes));
	arp_frame_put(&writer, &arp);
	cr_assert(!writer.failed);
	cr_assert_eq(writer.at, ARP_FRAME_SIZE);
	cr_assert_arr_eq(bytes, probe, ARP_FRAME_SIZE);
}

/* Each field has its own place: all of them different, there and back. */
Test(arp, every_field_comes_back)
{
	struct arp_frame out = {
		.source_mac = { 2, 1, 1, 1, 1, 1 },
		.destination_mac = { 2, 2, 2, 2, 2, 2 },
		.arp = { .operation = ARP_REPLY,
			 .sender_mac = { 2, 3, 3, 3, 3, 3 },
			 .sender = { inet_addr("198.51.100.1") },
			 .target_mac = { 2, 4, 4, 4, 4, 4 },
			 .target = { inet_addr("203.0.113.9") } },
	};
	uint8_t bytes[ARP_FRAME_SIZE];
	struct bytes_writer writer;
	struct arp_frame in;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	arp_frame_put(&writer, &out);
	cr_assert_eq(parse(bytes, sizeof(bytes), &in), NET_OK);
	cr_assert_arr_eq(in.source_mac, out.source_mac, 6);
	cr_assert_arr_eq(in.destination_mac, out.destination_mac, 6);
	cr_assert_eq(in.arp.operation, ARP_REPLY);
	cr_assert_arr_eq(in.arp.sender_mac, out.arp.sender_mac, 6);
	cr_assert_eq(in.arp.sender.s_addr, out.arp.sender.s_addr);
	cr_assert_arr_eq(in.arp.target_mac, out.arp.target_mac, 6);
	cr_assert_eq(in.arp.target.s_addr, out.arp.target.s_addr);
}

Test(arp, C4_19_frames_of_0_to_41_octets)
{
	struct arp_frame arp;

	for (size_t size = 0; size < ARP_FRAME_SIZE; size++)
		cr_assert_eq(parse(probe, size, &arp), NET_TRUNCATED, "%zu", size);
}

Test(arp, padding_is_left_alone)
{
	uint8_t bytes[1514];
	struct bytes_reader reader;
	struct arp_frame arp;

	memset(bytes, 0xee, sizeof(bytes));
	memcpy(bytes, probe, sizeof(probe));
	for (size_t size = ARP_FRAME_SIZE; size <= sizeof(bytes); size++) {
		bytes_reader_init(&reader, bytes, size);
		cr_assert_eq(arp_frame_parse(&reader, &arp), NET_OK);
		cr_assert_eq(bytes_left(&reader), size - ARP_FRAME_SIZE);
	}
}

/* Types, sizes and operation: every value of every octet but the right one. */
Test(arp, C4_19_types_sizes_and_operation)
{
	struct arp_frame arp;

	for (size_t at = AT_ARP; at < AT_ARP + 8; at++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t bytes[ARP_FRAME_SIZE];
			bool good = value == probe[at] || (at == AT_ARP + 7 && value == ARP_REPLY);

			memcpy(bytes, probe, sizeof(bytes));
			bytes[at] = (uint8_t)value;
			cr_assert_eq(parse(bytes, sizeof(bytes), &arp),
				     good ? NET_OK : NET_ARP_HEADER, "octet %zu: %u", at, value);
		}
	}
}

Test(arp, other_ethernet_types)
{
	uint8_t bytes[ARP_FRAME_SIZE];
	struct arp_frame arp;

	memcpy(bytes, probe, sizeof(bytes));
	bytes[13] = 0;
	cr_assert_eq(parse(bytes, sizeof(bytes), &arp), NET_TYPE);
	bytes[12] = 0x81; /* VLAN tag */
	cr_assert_eq(parse(bytes, sizeof(bytes), &arp), NET_TYPE);
	/* RARP, and trailers of old */
	bytes[12] = 0x80;
	bytes[13] = 0x35;
	cr_assert_eq(parse(bytes, sizeof(bytes), &arp), NET_TYPE);
}

Test(arp, refused_frames_leave_zeros)
{
	static const struct arp_packet none;
	struct arp_frame arp;

	parse(probe, ARP_FRAME_SIZE - 28, &arp);
	cr_assert_eq(memcmp(&arp.arp, &none, sizeof(none)), 0);
	parse(probe, 3, &arp);
	cr_assert_eq(memcmp(&arp.arp, &none, sizeof(none)), 0);
}

Test(arp, put_into_too_little_room)
{
	struct arp_frame arp = { .arp.operation = ARP_REQUEST };
	uint8_t bytes[ARP_FRAME_SIZE];
	struct bytes_writer writer;

	for (size_t size = 0; size < ARP_FRAME_SIZE; size++) {
		bytes_writer_init(&writer, bytes, size);
		arp_frame_put(&writer, &arp);
		cr_assert(writer.failed && writer.at <= size);
	}
}

Test(arp, random_frames)
{
	uint64_t state = 1;

	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[ARP_FRAME_SIZE + 18] = { 0 };
		struct arp_frame arp;

		memcpy(bytes, probe, sizeof(probe));
		for (int i = 0; i < 3; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			bytes[(state >> 40) % sizeof(bytes)] = (uint8_t)(state >> 32);
		}
		if (parse(bytes, (state >> 20) % (sizeof(bytes) + 1), &arp) == NET_OK)
			cr_assert(arp.arp.operation == ARP_REQUEST ||
				  arp.arp.operation == ARP_REPLY);
	}
}
