/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as lines of text. */
#include <criterion/criterion.h>

#include "tests/unit/cli-frames.h"

#define MACS "020000007702 020000007701 "
#define SHOWN "02:00:00:00:77:01 > 02:00:00:00:77:02, "
#define SHOWN_IPV4 SHOWN "192.0.2.1:67 > 192.0.2.10:68, "
#define SHOWN_DHCP4 "xid 0x11223344 chaddr 02:00:00:00:77:02 yiaddr 192.0.2.10"

static char text[FRAMES_TEXT_SIZE];

static const char *shown(const uint8_t *frame, size_t captured, size_t size)
{
	struct frames_summary summary;

	frames_decode(&summary, frame, captured, size);
	frames_text(&summary, text);
	return text;
}

/* Whole frames. */
static const struct {
	const char *hex, *want;
} frames[] = {
	{ "", "0 bytes, malformed: ends inside the Ethernet header" },
	{ MACS "88", "13 bytes, malformed: ends inside the Ethernet header" },
	{ MACS "88cc", SHOWN "LLDP, 14 bytes" },
	{ MACS "1234", SHOWN "EtherType 0x1234, 14 bytes" },
	{ MACS "05ff", SHOWN "802.3, 14 bytes" },
	{ MACS "0600", SHOWN "EtherType 0x0600, 14 bytes" },
	{ MACS "0800", SHOWN "IPv4, 14 bytes, malformed: ends inside the IPv4 header" },
	{ MACS "0806 0001", SHOWN "ARP, 16 bytes, malformed: ends inside the ARP packet" },
	{ MACS "8100 0005 88a8 0006 8100", SHOWN "vlan 5, vlan 6, 802.1Q, 22 bytes" },
	{ MACS "8100 c000 88cc", SHOWN "priority 6, LLDP, 18 bytes" },
	{ MACS "8100 c005 88a8 1000 88cc", SHOWN "vlan 5, priority 0, LLDP, 22 bytes" },
	{ MACS "8100 0005", SHOWN "802.1Q, 16 bytes, malformed: ends inside a VLAN tag" },
	{ MACS "0806 0001 0800 0604 0001 020000007701 00000000 000000000000 c000020a",
	  SHOWN "ARP probe 192.0.2.10, 42 bytes" },
	{ MACS "0806 0001 0800 0604 0001 020000007701 c000020a 000000000000 c000020a",
	  SHOWN "ARP announcement 192.0.2.10, 42 bytes" },
	{ MACS "0806 0001 0800 0604 0001 020000007701 c0000201 000000000000 c000020a",
	  SHOWN "ARP who-has 192.0.2.10 tell 192.0.2.1, 42 bytes" },
	{ MACS "0806 0001 0800 0604 0002 020000007701 c0000201 020000007702 c000020a",
	  SHOWN "ARP 192.0.2.1 is-at 02:00:00:00:77:01, 42 bytes" },
	{ MACS "0806 0001 0800 0604 0009 020000007701 c0000201 020000007702 c000020a",
	  SHOWN "ARP operation 9, 42 bytes" },
	{ MACS "0800 4500 0014 0000 0000 40 01 0000 c0000201 c000020a",
	  SHOWN "192.0.2.1 > 192.0.2.10, ICMP, 34 bytes" },
	{ MACS "0800 4500 0014 0000 2005 40 11 0000 c0000201 c000020a",
	  SHOWN "192.0.2.1 > 192.0.2.10, fragment at 40, UDP, 34 bytes" },
	{ MACS "0800 4500 0014 0000 0000 40 fd 0000 c0000201 c000020a",
	  SHOWN "192.0.2.1 > 192.0.2.10, protocol 253, 34 bytes" },
	{ MACS "0800 4500 001c 0000 0000 40 11 0000 c0000201 c000020a 0035 d431 0008 0000",
	  SHOWN "192.0.2.1:53 > 192.0.2.10:54321, UDP, 42 bytes" },
	{ MACS "86dd 60000000 0000 3a ff fe800000000000000000000000000001"
	       "ff020000000000000000000000000001",
	  SHOWN "IPv6 fe80::1 > ff02::1, ICMPv6, 54 bytes" },
};

Test(cli_frames_text, frames)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		uint8_t frame[256];
		size_t size = from_hex(frames[i].hex, frame, sizeof(frame));

		cr_expect_str_eq(shown(frame, size, size), frames[i].want, "%s\nnot %s", text,
				 frames[i].want);
	}
}

/* The OFFER with octets replaced at one offset. */
static const struct {
	size_t at;
	const char *hex, *want;
} offers[] = {
	{ 0, "", SHOWN_IPV4 "BOOTREPLY OFFER " SHOWN_DHCP4 " server 192.0.2.1, 342 bytes" },
	{ AT_BOOTP, "01",
	  SHOWN_IPV4 "BOOTREQUEST OFFER " SHOWN_DHCP4 " server 192.0.2.1, 342 bytes" },
	{ AT_BOOTP, "1b",
	  SHOWN_IPV4 "BOOTP op 27 OFFER " SHOWN_DHCP4 " server 192.0.2.1, 342 bytes" },
	{ AT_OPTIONS + 2, "09",
	  SHOWN_IPV4 "BOOTREPLY FORCERENEW " SHOWN_DHCP4 " server 192.0.2.1, 342 bytes" },
	{ AT_OPTIONS + 2, "0a",
	  SHOWN_IPV4 "BOOTREPLY type 10 " SHOWN_DHCP4 " server 192.0.2.1, 342 bytes" },
	{ AT_OPTIONS, "ff", SHOWN_IPV4 "BOOTREPLY " SHOWN_DHCP4 ", 342 bytes" },
	{ AT_OPTIONS, "3204 c0000263 ff",
	  SHOWN_IPV4 "BOOTREPLY " SHOWN_DHCP4 " requested 192.0.2.99, 342 bytes" },
	{ AT_COOKIE, "00",
	  SHOWN_IPV4 "BOOTREPLY " SHOWN_DHCP4 ", 342 bytes, malformed: no DHCP cookie" },
	{ AT_BOOTP + 12, "c000020b c000020a 00000000 c0000202",
	  SHOWN_IPV4 "BOOTREPLY OFFER xid 0x11223344 chaddr 02:00:00:00:77:02 ciaddr 192.0.2.11"
		     " yiaddr 192.0.2.10 giaddr 192.0.2.2 server 192.0.2.1, 342 bytes" },
};

Test(cli_frames_text, messages)
{
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		uint8_t frame[OFFER_SIZE];

		make_offer(frame);
		from_hex(offers[i].hex, frame + offers[i].at, OFFER_SIZE - offers[i].at);
		cr_expect_str_eq(shown(frame, OFFER_SIZE, OFFER_SIZE), offers[i].want, "%s\nnot %s",
				 text, offers[i].want);
	}
}

/* The calf leaves the next hop's MAC to the filter. From the uplink such a
 * destination is an error, and shown as it is. */
Test(cli_frames_text, U45_next_hop_of_a_frame_from_the_calf)
{
	struct frames_summary summary;
	uint8_t frame[OFFER_SIZE];

	make_offer(frame);
	memset(frame, 0, 6);
	frames_decode(&summary, frame, OFFER_SIZE, OFFER_SIZE);
	frames_text(&summary, text);
	cr_expect_eq(strncmp(text, "02:00:00:00:77:01 > 00:00:00:00:00:00, ", 39), 0, "%s", text);
	summary.is_from_calf = true;
	frames_text(&summary, text);
	cr_expect_eq(strncmp(text, "02:00:00:00:77:01 > next hop, 192.0.2.1:67 > ", 45), 0, "%s",
		     text);
	make_offer(frame);
	frames_decode(&summary, frame, OFFER_SIZE, OFFER_SIZE);
	summary.is_from_calf = true;
	frames_text(&summary, text);
	cr_expect_eq(strncmp(text, "02:00:00:00:77:01 > 02:00:00:00:77:02, ", 39), 0, "%s", text);
}

Test(cli_frames_text, what_was_not_kept)
{
	uint8_t frame[OFFER_SIZE];

	make_offer(frame);
	cr_expect_str_eq(shown(frame, 280, OFFER_SIZE),
			 SHOWN_IPV4 "UDP, 342 bytes, the rest was not kept", "%s", text);
	cr_expect_str_eq(shown(frame, 310, OFFER_SIZE),
			 SHOWN_IPV4 "BOOTREPLY OFFER " SHOWN_DHCP4 " server 192.0.2.1, 342 bytes",
			 "%s", text);
}

/* Text from the sender is never shown, and the longest line does not overflow. */
Test(cli_frames_text, longest)
{
	static const char tags[] = "8100 0fff 88a8 0fff";
	uint8_t frame[OFFER_SIZE + 8], offer[OFFER_SIZE];
	struct frames_summary summary;

	make_offer(offer);
	memset(offer + AT_IP + 12, 0xff, 8);
	memset(offer + AT_UDP, 0xff, 2);
	memset(offer + AT_BOOTP, 0xff, 1);
	memset(offer + AT_BOOTP + 4, 0xff, 4 + 4 + 16 + 16 + 64 + 128);
	from_hex("3501ff 3204ffffffff 3604ffffffff 37ff", offer + AT_OPTIONS, 18);
	memcpy(frame, offer, AT_TYPE);
	from_hex(tags, frame + AT_TYPE, 8);
	memcpy(frame + AT_TYPE + 8, offer + AT_TYPE, OFFER_SIZE - AT_TYPE);
	frames_decode(&summary, frame, sizeof(frame), sizeof(frame));
	summary.is_cut = true; /* both, which is impossible */
	summary.ipv4.is_fragment = true;
	summary.ipv4.offset = 65528;
	summary.size = UINT32_MAX;
	frames_text(&summary, text);
	cr_expect_lt(strlen(text), FRAMES_TEXT_SIZE - 1, "%s", text);
	cr_expect_not_null(strstr(text, ", malformed: an option"), "%s", text);
	cr_expect_not_null(strstr(text, "the rest was not kept"), "%s", text);
	for (const char *at = text; *at; at++)
		cr_expect(*at >= 0x20 && *at <= 0x7e);
}

/* Verdict and direction of each reason match its name. */
Test(cli_frames_text, reasons)
{
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++) {
		const char *name = frames_text_reason(i), *direction = frames_text_direction(i);

		cr_expect_eq(strncmp(name, direction, strlen(direction)), 0, "%s: %s", name,
			     direction);
		cr_expect_eq(name[strlen(direction)], '_');
	}
	cr_expect_str_eq(frames_text_verdict(FRAME_IN_NOT_OURS), "passed");
	cr_expect_str_eq(frames_text_verdict(FRAME_IN_ARP_RATE), "passed");
	cr_expect_str_eq(frames_text_verdict(FRAME_IN_ACCEPTED), "delivered");
	cr_expect_str_eq(frames_text_verdict(FRAME_IN_ARP), "delivered");
	cr_expect_str_eq(frames_text_verdict(FRAME_IN_TRUNCATED), "dropped");
	cr_expect_str_eq(frames_text_verdict(FRAME_IN_RATE), "dropped");
	cr_expect_str_eq(frames_text_verdict(FRAME_OUT_ACCEPTED), "sent");
	cr_expect_str_eq(frames_text_verdict(FRAME_OUT_ARP), "sent");
	cr_expect_str_eq(frames_text_verdict(FRAME_OUT_VLAN), "dropped");
	cr_expect_str_eq(frames_text_verdict(FRAME_HOST_NOISE), "dropped");
	cr_expect_str_eq(frames_text_reason(_FRAME_REASON_N), "unknown", "a newer one");
}
