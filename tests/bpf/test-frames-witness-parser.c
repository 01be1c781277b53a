/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's witness and the calf's parser find the same in a message. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <string.h>

#include "maps/frame.h"
#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-frames.h"
#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"
#include "userspace/common/address.h"

#define MESSAGES 20000
#define SEED 0x57175e5500000001ull
#define BIT(name) (1u << FRAME_OPTION_##name)

static struct frames_test test;

static void draw_octets(uint8_t *at, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		at[i] = (uint8_t)grammar_draw(256);
}

static void draw_router(uint8_t at[4])
{
	draw_octets(at, 4);
	at[0] = (uint8_t)(11 + grammar_draw(100));
}

/* Draw one option, or an octet of padding, an END, or junk. Returns its octets, 0 if it
 * does not fit. */
static uint32_t draw_option(uint8_t *at, uint32_t room)
{
	static const uint8_t codes[] = { 1, 3, 51, 52, 53, 54, 121, 249, 12, 6 };
	static const uint8_t sizes[] = { 4, 4, 4, 4, 4, 0, 1, 2, 3, 5, 8 };
	uint8_t code = codes[grammar_draw(sizeof(codes))];
	uint32_t size = sizes[grammar_draw(sizeof(sizes))];

	if (grammar_once_in(6)) {
		*at = grammar_once_in(8) ? (uint8_t)grammar_draw(256) : 0;
		return 1;
	}
	if (code == 52 || code == 53)
		size = grammar_once_in(8) ? grammar_draw(3) : 1;
	if (size + 2 > room)
		return 0;
	at[0] = code;
	at[1] = (uint8_t)(grammar_once_in(50) ? 200 : size);
	draw_octets(at + 2, size);
	if (code == 3 && size >= 4)
		draw_router(at + 2);
	if (code == 1 && size >= 4 && !grammar_once_in(4)) {
		uint32_t mask = htonl(address_netmask((uint8_t)(8 + grammar_draw(25))));

		memcpy(at + 2, &mask, sizeof(mask));
	}
	if (code == 51 && grammar_once_in(4))
		memset(at + 2, 0, size);
	if (size == 1)
		at[2] = (uint8_t)(code == 52 ? grammar_draw(5) : 5u - grammar_once_in(6));
	return size + 2;
}

static void draw_field(uint8_t *at, uint32_t size)
{
	uint32_t used = 0, n;

	memset(at, 0, size);
	do {
		n = draw_option(at + used, size - used);
		used += n;
	} while (n && used < size && !grammar_once_in(12));
	if (used < size && !grammar_once_in(3))
		at[used] = OPTION_END;
}

static void parse(const uint8_t *frame, struct message *message)
{
	const struct message_policy policy = { .n_options = 0 };
	struct bytes_reader reader;

	bytes_reader_init(&reader, frame + AT_OP, FRAME_SIZE - AT_OP);
	cr_assert(message_parse(reader, &policy, message) == REASON_NONE || !message->type);
}

static bool find(uint32_t address, struct frame_witnessed *ack)
{
	struct frame_witness seen;

	cr_assert_eq(bpf_map_lookup_elem(test.witness_fd, &(uint32_t){ 0 }, &seen), 0);
	for (int i = 0; i < FRAME_WITNESSED_MAX; i++)
		if (seen.slot[i].ack_ns && seen.slot[i].address == address) {
			*ack = seen.slot[i];
			return true;
		}
	return false;
}

static bool has_router(const struct frame_witnessed *ack, struct in_addr router)
{
	for (int i = 0; i < FRAME_WITNESSED_ROUTERS_MAX; i++)
		if (ack->routers[i] == router.s_addr)
			return true;
	return false;
}

static void compare(const struct message *message, const struct frame_witnessed *ack, uint32_t n)
{
	const struct message_parameters *parameters = &message->parameters;
	uint8_t prefix_length = ack->said & BIT(MASK) ? address_mask_prefix(ntohl(ack->mask)) : 0;

	cr_expect_eq(ack->kept, 0);
	cr_expect_eq(prefix_length, parameters->prefix_length, "%u: /%u", n, prefix_length);
	cr_expect_eq(ack->said & BIT(TIME) ? ack->time_s : 0, message->lease_s, "%u", n);
	cr_expect_eq(!!(ack->said & BIT(SERVER)), message->has_server, "%u", n);
	cr_expect(!message->has_server || ack->server == message->server.s_addr, "%u", n);
	if (parameters->classless_code)
		cr_expect(ack->said &
				  (parameters->classless_code == 121 ? BIT(CLASSLESS) :
								       BIT(CLASSLESS_MICROSOFT)),
			  "%u", n);
	/* of an option in parts only the first router is recorded */
	else if (parameters->gateway.s_addr && address_is_host((struct in_addr){ ack->routers[0] }))
		cr_expect((ack->said & BIT(ROUTER)) && has_router(ack, parameters->gateway),
			  "%u: router", n);
}

/* Each with an address of its own, so that nothing is kept. */
Test(frames_witness_parser, F6_reads_as_the_calf_does)
{
	static struct message message;
	unsigned int n_acks = 0;

	frames_test_begin(&test, 1000000, 1000000);
	grammar_seed(SEED);
	for (uint32_t i = 0; i < MESSAGES; i++) {
		const int program = i & 1 ? frames_test_xdp(&test) : frames_test_tc(&test);
		struct frame_witnessed ack = { 0 };
		uint8_t frame[FRAME_SIZE];
		uint32_t address = htonl(0x0a000001u + i);

		frames_test_reply(&test, frame);
		memcpy(frame + AT_YIADDR, &address, sizeof(address));
		draw_field(frame + AT_OPTIONS, FRAME_SIZE - AT_OPTIONS);
		draw_field(frame + AT_FILE, AT_COOKIE - AT_FILE);
		draw_field(frame + AT_SNAME, AT_FILE - AT_SNAME);
		frames_test_open(&test);
		(void)frames_test_run(program, frame, FRAME_SIZE, 0, NULL);
		parse(frame, &message);
		cr_assert_eq(find(address, &ack), message.type == MESSAGE_ACK, "%u: type %u", i,
			     message.type);
		if (message.type != MESSAGE_ACK)
			continue;
		compare(&message, &ack, i);
		n_acks++;
	}
	cr_expect_gt(n_acks, MESSAGES / 10);
	frames_test_end(&test);
}
