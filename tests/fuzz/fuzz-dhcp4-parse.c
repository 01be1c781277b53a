/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for all functions that read a frame. The first byte is the
 * policy; the rest is read as a frame that contains a message, as an ARP frame, and
 * as a message alone.
 *
 * Besides crashes, it checks that the values read from a message are bounded and of
 * their type, and that the number of steps is bounded by the size.
 */
#include "tests/fuzz/dhcp4.h"
#include "userspace/calf/net/arp.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void parse_message(struct bytes_reader data, const struct message_policy *policy)
{
	static struct message message;
	enum reason reason;

	steps_begin(dhcp4_budget(bytes_left(&data)));
	reason = message_parse(data, policy, &message);
	CHECK(reason < _REASON_N);
	if (reason == REASON_NONE)
		dhcp4_check_message(&message, policy);
	steps_begin(UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct message_policy policy;
	struct bytes_reader whole, frame;
	struct udp_frame headers;
	struct arp_frame arp;
	int r;

	if (size == 0)
		return 0;
	policy = dhcp4_policy(bytes[0]);
	bytes_reader_init(&whole, bytes + 1, size - 1);
	parse_message(whole, &policy);

	frame = whole;
	steps_begin(256 + 2 * size); /* the checksums */
	r = udp_frame_parse(&frame, &headers);
	CHECK(r >= NET_OK && r < _NET_REASON_N);
	CHECK(bytes_left(&frame) <= bytes_left(&whole));
	if (r == NET_OK)
		parse_message(frame, &policy);

	frame = whole;
	steps_begin(64);
	r = arp_frame_parse(&frame, &arp);
	CHECK(r >= NET_OK && r < _NET_REASON_N);
	CHECK(r != NET_OK || size - 1 >= ARP_FRAME_SIZE);
	steps_begin(UINT64_MAX);
	return 0;
}
