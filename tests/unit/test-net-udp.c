/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"

#define AT_IP 14
#define AT_UDP 34
#define AT_DATA 42
#define DATA_SIZE 11

struct frame {
	uint8_t bytes[2048];
	size_t size;
};

static struct frame good(void)
{
	static const uint8_t data[DATA_SIZE] = "hello world";
	struct udp_frame headers = {
		.destination_mac = { 2, 0, 0, 0, 0, 1 },
		.source_mac = { 2, 0, 0, 0, 0, 2 },
		.ip = { .source = { inet_addr("192.0.2.1") },
			.destination = { inet_addr("192.0.2.2") },
			.protocol = 17,
			.ttl = 64 },
		.udp = { .source_port = 67, .destination_port = 68 },
	};
	struct frame frame = { .size = 0 };
	struct bytes_writer writer;

	bytes_writer_init(&writer, frame.bytes, sizeof(frame.bytes));
	udp_frame_put(&writer, &headers, data, sizeof(data));
	cr_assert(!writer.failed);
	frame.size = writer.at;
	return frame;
}

static void fix_ip_checksum(struct frame *frame)
{
	struct bytes_reader reader;
	uint16_t checksum;

	memset(frame->bytes + AT_IP + 10, 0, 2);
	bytes_reader_init(&reader, frame->bytes + AT_IP, 20);
	checksum = htons(ipv4_checksum_fold(ipv4_checksum_add(0, reader)));
	memcpy(frame->bytes + AT_IP + 10, &checksum, 2);
}

static int parse(const struct frame *frame, size_t *leftp)
{
	uint8_t *copy = malloc(frame->size ? frame->size : 1);
	struct bytes_reader reader;
	struct udp_frame headers;
	int r;

	memcpy(copy, frame->bytes, frame->size);
	bytes_reader_init(&reader, copy, frame->size);
	r = udp_frame_parse(&reader, &headers);
	*leftp = bytes_left(&reader);
	free(copy);
	return r;
}

Test(udp, frame_is_parsed_again)
{
	struct frame frame = good();
	struct bytes_reader reader;
	struct udp_frame headers;

	cr_assert_eq(frame.size, AT_DATA + DATA_SIZE);
	bytes_reader_init(&reader, frame.bytes, frame.size);
	cr_assert_eq(udp_frame_parse(&reader, &headers), NET_OK);
	cr_assert_eq(headers.udp.source_port, 67);
	cr_assert_eq(headers.udp.destination_port, 68);
	cr_assert_eq(headers.source_mac[5], 2);
	cr_assert_eq(headers.destination_mac[5], 1);
	cr_assert_eq(bytes_left(&reader), DATA_SIZE);
	cr_assert_eq(memcmp(bytes_view(&reader, DATA_SIZE), "hello world", DATA_SIZE), 0);
}

Test(udp, C4_02_frame_truncated_at_every_byte)
{
	for (size_t size = 0; size < AT_DATA + DATA_SIZE; size++) {
		struct frame frame = good();
		size_t left;
		int r;

		frame.size = size;
		r = parse(&frame, &left);
		cr_assert_eq(r, size < AT_UDP ? NET_TRUNCATED : NET_IP_HEADER, "%zu", size);
	}
}

Test(udp, C4_02_C4_03_every_udp_length)
{
	for (unsigned int size = 0; size < 65536; size++) {
		struct frame frame = good();
		size_t left;
		int r;

		frame.bytes[AT_UDP + 4] = (uint8_t)(size >> 8);
		frame.bytes[AT_UDP + 5] = (uint8_t)size;
		memset(frame.bytes + AT_UDP + 6, 0, 2);
		r = parse(&frame, &left);
		if (size < 8 || size > 8 + DATA_SIZE)
			cr_assert_eq(r, NET_UDP_LENGTH, "%u", size);
		else
			cr_assert(r == NET_OK && left == size - 8, "Q48: %u", size);
	}
}

Test(udp, C4_03_checksum_over_a_lying_length)
{
	for (unsigned int size = 0; size < 8; size++) {
		struct frame frame = good();
		size_t left;

		/* as above with a checksum that would have to be computed */
		frame.bytes[AT_UDP + 4] = 0;
		frame.bytes[AT_UDP + 5] = (uint8_t)size;
		cr_assert_eq(parse(&frame, &left), NET_UDP_LENGTH);
	}
}

Test(udp, header_that_does_not_fit)
{
	for (unsigned int payload = 0; payload < 8; payload++) {
		struct frame frame = good();
		size_t left;

		frame.bytes[AT_IP + 3] = (uint8_t)(20 + payload);
		fix_ip_checksum(&frame);
		cr_assert_eq(parse(&frame, &left), NET_TRUNCATED, "%u", payload);
	}
}

/* What a sender with an offload leaves: the sum of the pseudo header alone. */
static struct frame left_to_a_device(uint16_t udp_length)
{
	struct frame frame = good();
	struct bytes_reader reader;
	uint16_t sum;

	bytes_reader_init(&reader, frame.bytes + AT_IP + 12, 8);
	sum = htons((uint16_t)~ipv4_checksum_fold(ipv4_checksum_add(17u + udp_length, reader)));
	memcpy(frame.bytes + AT_UDP + 6, &sum, sizeof(sum));
	return frame;
}

Test(udp, Q47_checksum_is_0_or_correct_or_left_to_a_device)
{
	struct frame frame = good();
	size_t left;

	for (unsigned int bit = 0; bit < 16; bit++) {
		frame = good();
		frame.bytes[AT_UDP + 6 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_eq(parse(&frame, &left), NET_UDP_CHECKSUM, "bit %u", bit);
	}
	for (size_t i = AT_DATA; i < frame.size; i++) {
		frame = good();
		frame.bytes[i] ^= 0x80;
		cr_assert_eq(parse(&frame, &left), NET_UDP_CHECKSUM, "octet %zu", i);
	}
	memset(frame.bytes + AT_UDP + 6, 0, 2);
	cr_assert_eq(parse(&frame, &left), NET_OK);

	frame = left_to_a_device(8 + DATA_SIZE);
	cr_assert_eq(parse(&frame, &left), NET_OK);
	cr_assert_eq(left, DATA_SIZE);
}

/* Whatever brings the octets here: in each mode of the filter they are the same. */
Test(udp, U46_sum_of_the_pseudo_header_is_a_checksum_left_to_a_device)
{
	struct frame frame = left_to_a_device(8 + DATA_SIZE);
	size_t left;

	cr_assert_eq(parse(&frame, &left), NET_OK);
	for (unsigned int bit = 0; bit < 16; bit++) {
		frame = left_to_a_device(8 + DATA_SIZE);
		frame.bytes[AT_UDP + 6 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_eq(parse(&frame, &left), NET_UDP_CHECKSUM, "bit %u", bit);
	}
}

/* Of the pseudo header of this datagram: an address or a length that changed on
 * the way does not fit. */
Test(udp, U46_sum_of_another_pseudo_header)
{
	struct frame frame = left_to_a_device(8 + DATA_SIZE);
	size_t left;

	frame.bytes[AT_IP + 15] ^= 4;
	fix_ip_checksum(&frame);
	cr_assert_eq(parse(&frame, &left), NET_UDP_CHECKSUM, "source");
	frame = left_to_a_device(8 + DATA_SIZE);
	frame.bytes[AT_UDP + 5]--;
	cr_assert_eq(parse(&frame, &left), NET_UDP_CHECKSUM, "length");
	frame = left_to_a_device(8 + DATA_SIZE + 1);
	cr_assert_eq(parse(&frame, &left), NET_UDP_CHECKSUM, "sum of another length");
}

/* Octets behind the datagram (Q48) belong to neither sum. */
Test(udp, U46_octets_behind_the_datagram)
{
	struct frame frame = left_to_a_device(8 + DATA_SIZE);
	size_t left;

	memset(frame.bytes + frame.size, 0x5a, 5);
	frame.size += 5;
	frame.bytes[AT_IP + 3] += 3;
	fix_ip_checksum(&frame);
	cr_assert_eq(parse(&frame, &left), NET_OK);
	cr_assert_eq(left, DATA_SIZE);
}

/* A sum that comes out as 0 is sent as 0xffff: 0 would say that there is none. */
Test(udp, checksum_of_0_is_sent_as_ones)
{
	struct ipv4_header ip = { .protocol = 17 };
	struct udp_header header = { 0 };
	bool seen = false;

	for (uint32_t word = 0; word <= UINT16_MAX; word++) {
		uint8_t data[2] = { (uint8_t)(word >> 8), (uint8_t)word }, bytes[10];
		struct bytes_writer writer;
		struct bytes_reader reader;

		bytes_writer_init(&writer, bytes, sizeof(bytes));
		udp_put(&writer, &ip, &header, data, sizeof(data));
		cr_assert(bytes[6] != 0 || bytes[7] != 0);
		seen |= bytes[6] == 0xff && bytes[7] == 0xff;
		bytes_reader_init(&reader, bytes, sizeof(bytes));
		cr_assert_eq(udp_parse(&reader, &ip, &header), NET_OK);
	}
	cr_assert(seen);
}

Test(udp, Q48_ethernet_padding_is_cut)
{
	struct frame frame = good();
	size_t left;

	memset(frame.bytes + frame.size, 0xee, 60 - frame.size + 40);
	frame.size = 100;
	cr_assert_eq(parse(&frame, &left), NET_OK);
	cr_assert_eq(left, DATA_SIZE);
}

Test(udp, octets_behind_the_udp_length_are_cut)
{
	struct frame frame = good();
	size_t left;

	frame.bytes[AT_IP + 3] = 28 + DATA_SIZE + 7;
	fix_ip_checksum(&frame);
	frame.size += 7;
	cr_assert_eq(parse(&frame, &left), NET_OK);
	cr_assert_eq(left, DATA_SIZE);
}

Test(udp, other_protocols)
{
	struct frame frame = good();
	size_t left;

	frame.bytes[12] = 0x86;
	frame.bytes[13] = 0xdd;
	cr_assert_eq(parse(&frame, &left), NET_TYPE);
	frame = good();
	frame.bytes[12] = 0x81; /* VLAN tag */
	frame.bytes[13] = 0x00;
	cr_assert_eq(parse(&frame, &left), NET_TYPE);
	frame = good();
	frame.bytes[AT_IP + 9] = 6;
	fix_ip_checksum(&frame);
	cr_assert_eq(parse(&frame, &left), NET_TYPE);
}

Test(udp, put_refuses_what_does_not_fit)
{
	static uint8_t data[65536], bytes[65536 + 64];
	struct ipv4_header ip = { .protocol = 17 };
	struct udp_header header = { 0 };
	struct bytes_writer writer;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	udp_put(&writer, &ip, &header, data, 65535 - 27);
	cr_assert(writer.failed);
	bytes_writer_init(&writer, bytes, 12);
	udp_put(&writer, &ip, &header, data, 5);
	cr_assert(writer.failed);
}

/* C4-12: a frame may claim anything up to what a reader could hold. */
Test(udp, C4_12_largest_datagram)
{
	static uint8_t bytes[UDP_FRAME_HEADERS + 65507], data[65507];
	struct udp_frame headers = { .ip = { .protocol = 17, .ttl = 1 } };
	struct bytes_writer writer;
	struct bytes_reader reader;

	memset(data, 0xff, sizeof(data));
	bytes_writer_init(&writer, bytes, sizeof(bytes));
	udp_frame_put(&writer, &headers, data, sizeof(data));
	cr_assert(!writer.failed);
	bytes_reader_init(&reader, bytes, sizeof(bytes));
	cr_assert_eq(udp_frame_parse(&reader, &headers), NET_OK);
	cr_assert_eq(bytes_left(&reader), sizeof(data));
}

Test(udp, random_frames)
{
	uint64_t state = 1;

	for (int round = 0; round < 200000; round++) {
		struct frame frame = good();
		size_t left;

		for (int i = 0; i < 3; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			frame.bytes[(state >> 40) % frame.size] = (uint8_t)(state >> 32);
		}
		frame.size = (state >> 20) % (frame.size + 1);
		(void)parse(&frame, &left);
		cr_assert(left <= frame.size);
	}
}
