/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-frames-grammar.h"

#include <string.h>

#include "tests/bpf/support-frames.h"

/* BPF_PROG_RUN of a tc program takes no frame that ends inside its IP header. */
#define SKB_MIN 34
#define SKB_MIN_IPV6 54

/* -- pseudo-random: xorshift64* -- */

static uint64_t random_state;

/* Replies that are sent again, as relays, loops and recorders do. */
#define PAST_N 4
static struct grammar_frame past[PAST_N];

void grammar_seed(uint64_t seed)
{
	random_state = seed;
	memset(past, 0, sizeof(past));
}

uint32_t grammar_draw(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

bool grammar_once_in(uint32_t n)
{
	return grammar_draw(n) == 0;
}

#define PICK(list) (list)[grammar_draw(sizeof(list) / sizeof((list)[0]))]

/* -- the grammar -- */

static void put(struct grammar_frame *frame, uint64_t value, uint32_t n)
{
	while (n--)
		frame->bytes[frame->size++] = (uint8_t)(value >> (8 * n));
}

static void put_bytes(struct grammar_frame *frame, const void *bytes, uint32_t n)
{
	memcpy(frame->bytes + frame->size, bytes, n);
	frame->size += n;
}

static void put_at(struct grammar_frame *frame, uint32_t at, uint32_t value)
{
	frame->bytes[at] = (uint8_t)(value >> 8);
	frame->bytes[at + 1] = (uint8_t)value;
}

/* The value, but once in 24 another. */
static uint32_t mostly(uint32_t value, uint32_t other)
{
	return grammar_once_in(24) ? other : value;
}

/* A length, but once in 12 a wrong one: by a little, or by anything. */
static uint32_t mostly_length(uint32_t length)
{
	if (!grammar_once_in(12))
		return length;
	return grammar_once_in(2) ? length - 2 + grammar_draw(5) : grammar_draw(length + 40);
}

static const uint8_t all_macs[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t no_mac[6] = { 0 };
static const uint8_t group_mac[6] = { 1, 0, 0x5e, 0, 0, 1 };
static uint8_t our_mac[6];
static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 0x99 };

static const uint8_t *mostly_mac(const uint8_t *mac)
{
	const uint8_t *const others[] = { all_macs, no_mac, group_mac, other_mac, our_mac };

	return grammar_once_in(16) ? PICK(others) : mac;
}

static void put_ethernet(struct grammar_frame *frame, const uint8_t *to, const uint8_t *from,
			 uint32_t type)
{
	static const uint32_t types[] = { 0x0800, 0x0806, 0x86dd, 0x8863, 0x9100, 0x0000, 0x8035 };

	put_bytes(frame, mostly_mac(to), 6);
	put_bytes(frame, mostly_mac(from), 6);
	while (grammar_once_in(24))
		put(frame,
		    (uint64_t)(grammar_once_in(2) ? 0x8100 : 0x88a8) << 16 |
			    (grammar_once_in(2) ? grammar_draw(16) << 12 : grammar_draw(0x10000)),
		    4);
	put(frame, mostly(type, PICK(types)), 2);
}

/* The options of a client, and one that is not. */
static void put_request_options(struct grammar_frame *frame)
{
	static const uint8_t types[] = { 1, 1, 1, 3, 3, 3, 4, 7, 8 };
	static const uint8_t codes[] = { 12, 55, 56, 60, 77, 81 };
	static const uint32_t addresses[] = { 0x0a070005, 0x0a070006, 0x0a070007, 0x0a0700ff, 0 };
	uint32_t n = grammar_draw(8);

	if (!grammar_once_in(24)) {
		put(frame, 0x3501, 2);
		put(frame, mostly(PICK(types), grammar_draw(256)), 1);
	}
	if (grammar_once_in(2)) {
		put(frame, mostly(0x3204, 0x3203), 2);
		put(frame, PICK(addresses), 4);
	}
	if (grammar_once_in(2)) {
		put(frame, mostly(0x3604, 0x3605), 2);
		put(frame, PICK(addresses), 4);
	}
	if (grammar_once_in(4))
		put(frame, mostly(0x5000, 0x390205c0), grammar_once_in(12) ? 4 : 2);
	if (grammar_once_in(24))
		put(frame, 0x3d020102, 4);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t length = grammar_once_in(16) ? grammar_draw(200) : grammar_draw(6);

		put(frame, grammar_once_in(64) ? grammar_draw(256) : PICK(codes), 1);
		put(frame, grammar_once_in(64) ? grammar_draw(256) : length, 1);
		while (length--)
			put(frame, grammar_draw(256), 1);
	}
	if (!grammar_once_in(24))
		put(frame, 0xff, 1);
	if (grammar_once_in(2))
		frame->size += grammar_draw(60);
	if (grammar_once_in(24))
		put(frame, grammar_draw(256), 1);
}

static void put_options(struct grammar_frame *frame, bool is_reply)
{
	static const uint32_t servers[] = { 0x0a070001, 0x0a070002, 0x0a090001, 0x0a0700ff, 0,
					    1,		2,	    3,		4,	    5 };
	uint32_t n = grammar_draw(20), n_server = grammar_draw(20);

	if (!grammar_once_in(8)) {
		put(frame, 0x3501, 2);
		put(frame, is_reply ? mostly(5, 9) : mostly(3, grammar_draw(256)), 1);
	}
	for (uint32_t i = 0; i < n && frame->size < 900; i++) {
		if (i == n_server) {
			put(frame, 0x36, 1);
			put(frame, mostly(4, grammar_draw(9)), 1);
			put(frame, PICK(servers), 4);
		} else if (grammar_once_in(4)) {
			put(frame, 0, 1);
		} else {
			uint32_t length = grammar_once_in(32) ? grammar_draw(200) : grammar_draw(6);

			put(frame, 1 + grammar_draw(253), 1);
			put(frame, mostly(length, grammar_draw(256)), 1);
			while (length--)
				put(frame, grammar_draw(256), 1);
		}
	}
	if (!grammar_once_in(6))
		put(frame, 0xff, 1);
}

uint32_t grammar_pseudo_sum(const uint8_t *ip, uint32_t udp_length)
{
	uint32_t sum = 17 + udp_length;

	for (int i = 12; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The right checksum of an IP header of `size` octets. */
static void put_ip_checksum(struct grammar_frame *frame, uint32_t ip, uint32_t size)
{
	uint32_t sum = 0;

	put_at(frame, ip + 10, 0);
	for (uint32_t i = 0; i < size; i += 2)
		sum += (uint32_t)(frame->bytes[ip + i] << 8 | frame->bytes[ip + i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_at(frame, ip + 10, ~sum);
}

static void put_dhcp(struct grammar_frame *frame, bool is_reply)
{
	static const uint32_t xids[] = { TEST_XID, TEST_XID + 1, TEST_XID ^ 0x80000000, 0, 7 };
	static const uint32_t ours[] = { 0, 0, 0x0a070005, 0x0a070006, 0x0a090077 };
	static const uint32_t theirs[] = { 0x0a070001, 0x0a070002, 0x0a090001, 0x0a070005 };
	static const uint32_t fragments[] = { 0x2000, 0x4000, 0x0010, 0x2010, 0x8000 };
	bool is_broadcast = grammar_once_in(2);
	bool is_own = !is_reply && grammar_once_in(6); /* to ourselves */
	uint32_t ip, udp,
		options = grammar_once_in(is_reply ? 8 : 24) ? 4 * (1 + grammar_draw(10)) : 0;

	put_ethernet(frame,
		     is_broadcast ? all_macs :
		     is_reply	  ? our_mac :
				    other_mac,
		     is_reply ? other_mac : our_mac, 0x0800);
	ip = frame->size;
	put(frame, mostly(0x45 + options / 4, grammar_draw(256)), 1);
	put(frame, 0, 5); /* total length below */
	put(frame, mostly(0, PICK(fragments)), 2);
	put(frame, 64, 1);
	put(frame, mostly(17, grammar_draw(256)), 1);
	put(frame, grammar_draw(0x10000), 2);
	put(frame, is_own ? 0x0a070005 : is_reply ? PICK(theirs) : PICK(ours), 4);
	put(frame,
	    is_broadcast       ? 0xffffffff :
	    is_own	       ? 0x0a070005 :
	    is_reply	       ? PICK(ours) :
	    grammar_once_in(6) ? 0x0a070063 :
				 PICK(theirs),
	    4);
	for (uint32_t i = 0; i < options; i++)
		put(frame, 1, 1);
	udp = frame->size;
	put(frame, mostly(is_reply ? 67 : 68, grammar_draw(0x10000)), 2);
	put(frame, mostly(is_reply ? 68 : 67, grammar_draw(0x10000)), 2);
	put(frame, 0, 4);
	put(frame, mostly(is_reply ? 2 : 1, grammar_draw(4)), 1);
	put(frame, mostly(1, grammar_draw(256)), 1);
	put(frame, mostly(6, grammar_draw(256)), 1);
	put(frame, is_reply ? 0 : mostly(0, 1), 1);
	put(frame, PICK(xids), 4);
	put(frame, is_reply ? 0 : grammar_draw(256), 2);
	put(frame, is_reply ? 0 : mostly(0x8000, grammar_draw(0x10000)), 2);
	put(frame, is_reply ? 0 : PICK(ours), 4); /* ciaddr */
	if (is_reply)
		put(frame,
		    grammar_once_in(2) ? 0x0a070005 + grammar_draw(grammar_once_in(8) ? 7 : 3) :
					 grammar_draw(2),
		    4); /* yiaddr */
	else
		put(frame, mostly(0, grammar_draw(256)), 4);
	put(frame, is_reply ? 0 : mostly(0, grammar_draw(256)), 4);
	put(frame, is_reply ? 0 : mostly(0, grammar_draw(256)), 4);
	put_bytes(frame, mostly_mac(our_mac), 6);
	for (int i = 0; i < 10 + 64 + 128; i++)
		put(frame, grammar_once_in(is_reply ? 50 : 3000) ? grammar_draw(256) : 0, 1);
	put(frame, mostly(0x63825363, grammar_draw(0x10000)), 4);
	if (is_reply)
		put_options(frame, is_reply);
	else
		put_request_options(frame);
	put_at(frame, ip + 2, mostly_length(frame->size - ip));
	put_at(frame, udp + 4, mostly_length(frame->size - udp));
	if (!grammar_once_in(4))
		put_ip_checksum(frame, ip, udp - ip);
	if (grammar_once_in(3))
		put_at(frame, udp + 6, grammar_pseudo_sum(frame->bytes + ip, frame->size - udp));
	else if (grammar_once_in(2))
		put_at(frame, udp + 6, grammar_draw(0x10000));
}

static void put_arp(struct grammar_frame *frame, bool is_in)
{
	static const uint32_t addresses[] = { 0, 0x0a070005, 0x0a070005, 0x0a070006, 0x0a070007 };
	const uint8_t *sender = is_in ? other_mac : our_mac;
	uint32_t address = PICK(addresses);

	put_ethernet(frame, all_macs, sender, 0x0806);
	put(frame, mostly(1, grammar_draw(0x10000)), 2);
	put(frame, mostly(0x0800, 0x86dd), 2);
	put(frame, mostly(6, grammar_draw(256)), 1);
	put(frame, mostly(4, grammar_draw(256)), 1);
	put(frame, is_in ? 1 + grammar_draw(2) : mostly(1, grammar_draw(10)), 2);
	put_bytes(frame, mostly_mac(sender), 6);
	put(frame, grammar_once_in(3) ? 0 : address, 4);
	put_bytes(frame, mostly_mac(no_mac), 6);
	put(frame, mostly(address, PICK(addresses)), 4);
}

/* One of the last replies, with other headers around it or another octet; false
 * if there is none yet. */
static bool put_past(struct grammar_frame *frame)
{
	*frame = past[grammar_draw(PAST_N)];
	if (!frame->size)
		return false;
	if (grammar_once_in(3)) {
		frame->bytes[22]--; /* TTL, if it has no tag */
		put_ip_checksum(frame, 14, 20);
	}
	if (grammar_once_in(3))
		memcpy(frame->bytes, all_macs, 6);
	if (grammar_once_in(4))
		frame->size += grammar_draw(16);
	if (grammar_once_in(4))
		frame->bytes[grammar_draw(frame->size)] ^= (uint8_t)(1 << grammar_draw(8));
	return true;
}

void grammar_draw_frame(struct grammar_frame *frame, const uint8_t mac[6], bool is_in)
{
	memcpy(our_mac, mac, sizeof(our_mac));
	memset(frame, 0, sizeof(*frame));
	if (is_in && grammar_once_in(4) && put_past(frame))
		return;
	if (grammar_once_in(4))
		put_arp(frame, is_in);
	else
		put_dhcp(frame, is_in != grammar_once_in(32));
	if (grammar_once_in(12)) /* padding, or a frame that is too long */
		frame->size += grammar_once_in(4) ? GRAMMAR_FRAME_MAX - frame->size :
						    grammar_draw(40);
	if (grammar_once_in(8))
		frame->size = 14 + grammar_draw(frame->size - 14);
	if (grammar_once_in(8))
		for (uint32_t i = 1 + grammar_draw(3); i; i--)
			frame->bytes[grammar_draw(frame->size)] ^= (uint8_t)(1 << grammar_draw(8));
	if (frame->size < SKB_MIN)
		frame->size = SKB_MIN;
	if (frame->bytes[12] == 0x86 && frame->bytes[13] == 0xdd && frame->size < SKB_MIN_IPV6)
		frame->size = SKB_MIN_IPV6;
	if (is_in)
		past[grammar_draw(PAST_N)] = *frame;
}
