/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of complete and truncated frames. */
#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "tests/unit/cli-frames.h"

static uint8_t frame[1600];
static struct frames_summary summary;

static void decode(size_t size)
{
	frames_decode(&summary, frame, size, size);
}

#define UP_TO_DHCP4 (FRAMES_ETHERNET | FRAMES_IPV4 | FRAMES_UDP | FRAMES_DHCP4)

Test(cli_frames_decode, offer)
{
	make_offer(frame);
	decode(OFFER_SIZE);
	cr_expect_eq(summary.headers, UP_TO_DHCP4);
	cr_expect_null(summary.problem, "%s", summary.problem);
	cr_expect(!summary.is_cut);
	cr_expect_eq(summary.size, OFFER_SIZE);
	cr_expect_arr_eq(summary.destination, "\2\0\0\0\x77\2", 6);
	cr_expect_arr_eq(summary.source, "\2\0\0\0\x77\1", 6);
	cr_expect_eq(summary.n_vlans, 0);
	cr_expect_eq(summary.type, 0x0800);
	cr_expect_eq(summary.ipv4.source.s_addr, inet_addr("192.0.2.1"));
	cr_expect_eq(summary.ipv4.destination.s_addr, inet_addr("192.0.2.10"));
	cr_expect_eq(summary.ipv4.protocol, 17);
	cr_expect(!summary.ipv4.is_fragment);
	cr_expect_eq(summary.udp.source, 67);
	cr_expect_eq(summary.udp.destination, 68);
	cr_expect_eq(summary.dhcp4.op, 2);
	cr_expect_eq(summary.dhcp4.type, 2);
	cr_expect_eq(summary.dhcp4.xid, 0x11223344);
	cr_expect_eq(summary.dhcp4.ciaddr.s_addr, 0);
	cr_expect_eq(summary.dhcp4.yiaddr.s_addr, inet_addr("192.0.2.10"));
	cr_expect_eq(summary.dhcp4.giaddr.s_addr, 0);
	cr_expect_eq(summary.dhcp4.requested.s_addr, 0);
	cr_expect_eq(summary.dhcp4.server.s_addr, inet_addr("192.0.2.1"));
	cr_expect_arr_eq(summary.dhcp4.chaddr, "\2\0\0\0\x77\2", 6);
}

/* Every length to which the network or the sample can truncate it. */
Test(cli_frames_decode, every_truncation)
{
	make_offer(frame);
	for (size_t size = 0; size < OFFER_SIZE; size++) {
		unsigned int headers = (size >= AT_IP ? FRAMES_ETHERNET : 0) |
				       (size >= AT_UDP ? FRAMES_IPV4 : 0) |
				       (size >= AT_BOOTP ? FRAMES_UDP : 0) |
				       (size >= AT_OPTIONS ? FRAMES_DHCP4 : 0);

		frames_decode(&summary, frame, size, size);
		cr_expect_eq(summary.headers, headers, "a frame of %zu", size);
		cr_expect_not_null(summary.problem, "a frame of %zu", size);
		cr_expect(!summary.is_cut, "a frame of %zu", size);

		frames_decode(&summary, frame, size, OFFER_SIZE);
		cr_expect_eq(summary.headers, headers, "%zu were kept", size);
		cr_expect_null(summary.problem, "%zu were kept: %s", size, summary.problem);
		/* zeros after END are optional, and so is the start of a new option */
		cr_expect_eq(summary.is_cut,
			     size < AT_OPTIONS + 16 && size != AT_OPTIONS &&
				     size != AT_OPTIONS + 3 && size != AT_OPTIONS + 9 &&
				     size != AT_OPTIONS + 15,
			     "%zu were kept", size);
	}
}

/* The OFFER with octets replaced at one offset; the first problem is reported. */
static const struct row {
	const char *what;
	size_t at;
	const char *hex;
	unsigned int headers;
	const char *problem;
} rows[] = {
	{ "IP version", AT_IP, "65", UP_TO_DHCP4, "the IP version is not 4" },
	{ "header length", AT_IP, "44", FRAMES_ETHERNET | FRAMES_IPV4,
	  "the IPv4 header length is below 20" },
	{ "header length over the total length", AT_IP, "46 00 0017",
	  FRAMES_ETHERNET | FRAMES_IPV4 | FRAMES_UDP, "the IPv4 total length does not fit" },
	{ "total length too large", AT_IP + 2, "0149", UP_TO_DHCP4,
	  "the IPv4 total length does not fit" },
	{ "total length below the header", AT_IP + 2, "0013", UP_TO_DHCP4,
	  "the IPv4 total length does not fit" },
	{ "total length inside UDP", AT_IP + 2, "001b", FRAMES_ETHERNET | FRAMES_IPV4,
	  "ends inside the UDP header" },
	{ "total length of no UDP", AT_IP + 2, "0014", FRAMES_ETHERNET | FRAMES_IPV4,
	  "ends inside the UDP header" },
	{ "UDP length too large", AT_UDP + 4, "0135", UP_TO_DHCP4, "the UDP length does not fit" },
	{ "UDP length below its header", AT_UDP + 4, "0007", UP_TO_DHCP4,
	  "the UDP length does not fit" },
	{ "UDP length inside BOOTP", AT_UDP + 4, "00f7", FRAMES_ETHERNET | FRAMES_IPV4 | FRAMES_UDP,
	  "ends inside the BOOTP header" },
	{ "UDP without octets", AT_UDP + 4, "0008", FRAMES_ETHERNET | FRAMES_IPV4 | FRAMES_UDP,
	  "ends inside the BOOTP header" },
	{ "htype", AT_BOOTP + 1, "06", UP_TO_DHCP4, "htype and hlen are not those of Ethernet" },
	{ "hlen", AT_BOOTP + 2, "10", UP_TO_DHCP4, "htype and hlen are not those of Ethernet" },
	{ "cookie", AT_COOKIE, "00", UP_TO_DHCP4, "no DHCP cookie" },
	{ "an option that is longer than the rest", AT_OPTIONS + 10, "3a", UP_TO_DHCP4,
	  "an option is longer than the message" },
	{ "the longest option that fits", AT_OPTIONS + 9, "33 31", UP_TO_DHCP4, NULL },
	{ "a code without length", OFFER_SIZE - 1, "35", UP_TO_DHCP4, NULL },
	{ "two problems", AT_IP, "65 00 0149", UP_TO_DHCP4, "the IP version is not 4" },
	{ "first fragment", AT_IP + 6, "2000", UP_TO_DHCP4, NULL },
	{ "later fragment", AT_IP + 6, "0001", FRAMES_ETHERNET | FRAMES_IPV4, NULL },
	{ "another protocol", AT_IP + 9, "06", FRAMES_ETHERNET | FRAMES_IPV4, NULL },
	{ "other ports", AT_UDP, "0035 0400", FRAMES_ETHERNET | FRAMES_IPV4 | FRAMES_UDP, NULL },
	{ "another type", AT_TYPE, "88cc", FRAMES_ETHERNET, NULL },
	{ "IPv6 that is not", AT_TYPE, "86dd", FRAMES_ETHERNET | FRAMES_IPV6,
	  "the IP version is not 6" },
	{ "ARP that is not", AT_TYPE, "0806", FRAMES_ETHERNET,
	  "the addresses are not IPv4 and Ethernet" },
};

Test(cli_frames_decode, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		make_offer(frame);
		from_hex(row->hex, frame + row->at, OFFER_SIZE - row->at);
		decode(OFFER_SIZE);
		cr_expect_eq(summary.headers, row->headers, "%s: headers %x", row->what,
			     summary.headers);
		if (row->problem)
			cr_expect_str_eq(summary.problem ? summary.problem : "", row->problem, "%s",
					 row->what);
		else
			cr_expect_null(summary.problem, "%s: %s", row->what, summary.problem);
		cr_expect(!summary.is_cut, "%s", row->what);
	}
}

/* After one or two tags everything is the same; a third tag is a type. */
Test(cli_frames_decode, vlans)
{
	uint8_t offer[OFFER_SIZE];

	make_offer(offer);
	for (uint8_t n = 1; n <= 3; n++) {
		memcpy(frame, offer, AT_TYPE);
		for (uint8_t i = 0; i < n; i++)
			from_hex(i == 0 && n > 1 ? "88a8 e001" : "8100 0fff",
				 frame + AT_TYPE + 4 * i, 4);
		memcpy(frame + AT_TYPE + 4 * n, offer + AT_TYPE, OFFER_SIZE - AT_TYPE);
		decode(OFFER_SIZE + 4u * n);
		cr_expect_null(summary.problem);
		cr_expect_eq(summary.n_vlans, n > 2 ? 2 : n);
		cr_expect_eq(summary.vlans[0], n == 1 ? 0xfff : 1);
		cr_expect_eq(summary.vlans[1], n == 1 ? 0 : 0xfff);
		cr_expect_eq(summary.headers, n > 2 ? FRAMES_ETHERNET : UP_TO_DHCP4);
		cr_expect_eq(summary.type, n > 2 ? 0x8100 : 0x0800);
		decode(AT_TYPE + 4u * (n > 2 ? 2 : n));
		cr_expect_str_eq(summary.problem, "ends inside a VLAN tag");
	}
}

/* The packet ends where its header says, not where the sample ends. */
Test(cli_frames_decode, lies_in_a_long_frame)
{
	make_offer(frame);
	from_hex("00f7", frame + AT_UDP + 4, 2);
	frames_decode(&summary, frame, 300, 1500);
	cr_expect_str_eq(summary.problem, "ends inside the BOOTP header");
	cr_expect(!summary.is_cut);
	make_offer(frame);
	from_hex("05ce", frame + AT_IP + 2, 2); /* 1486 octets */
	from_hex("05ba", frame + AT_UDP + 4, 2);
	from_hex("3f", frame + AT_OPTIONS + 15, 1);
	frames_decode(&summary, frame, 300, 1500);
	cr_expect_null(summary.problem, "%s", summary.problem);
	cr_expect(!summary.is_cut, "nothing but padding is behind it");
	from_hex("2bff", frame + 298, 2);
	frames_decode(&summary, frame, 300, 1500);
	cr_expect_null(summary.problem);
	cr_expect(summary.is_cut);
	frames_decode(&summary, frame, 300, 1499);
	cr_expect_str_eq(summary.problem, "the IPv4 total length does not fit");
}

Test(cli_frames_decode, options)
{
	make_offer(frame);
	from_hex(
		"0000 350200 02 3503 010101 350105 350107 3203 c00002 3204 c0000263 3605 c000020100"
		"3604 c0000202 ff 3604 c0000203",
		frame + AT_OPTIONS, OFFER_SIZE - AT_OPTIONS);
	decode(OFFER_SIZE);
	cr_expect_null(summary.problem);
	cr_expect_eq(summary.dhcp4.type, 5, "the first of the right length");
	cr_expect_eq(summary.dhcp4.requested.s_addr, inet_addr("192.0.2.99"));
	cr_expect_eq(summary.dhcp4.server.s_addr, inet_addr("192.0.2.2"), "what is before END");
}

Test(cli_frames_decode, arp)
{
	size_t size = from_hex("ffffffffffff 020000000001 0806 0001 0800 06 04 0002"
			       "020000000001 c0000201 020000000002 c0000202",
			       frame, sizeof(frame));

	decode(size);
	cr_expect_eq(summary.headers, FRAMES_ETHERNET | FRAMES_ARP);
	cr_expect_eq(summary.arp.operation, 2);
	cr_expect_arr_eq(summary.arp.sender_mac, "\2\0\0\0\0\1", 6);
	cr_expect_eq(summary.arp.sender.s_addr, inet_addr("192.0.2.1"));
	cr_expect_arr_eq(summary.arp.target_mac, "\2\0\0\0\0\2", 6);
	cr_expect_eq(summary.arp.target.s_addr, inet_addr("192.0.2.2"));
	for (size_t i = AT_IP; i < size; i++) {
		decode(i);
		cr_expect_eq(summary.headers, FRAMES_ETHERNET);
		cr_expect_str_eq(summary.problem, "ends inside the ARP packet");
	}
}

Test(cli_frames_decode, ipv6)
{
	size_t size = from_hex("333300000001 020000000001 86dd 60000000 0000 3a ff"
			       "fe800000000000000000000000000001 ff020000000000000000000000000001",
			       frame, sizeof(frame));

	decode(size);
	cr_expect_eq(summary.headers, FRAMES_ETHERNET | FRAMES_IPV6);
	cr_expect_null(summary.problem);
	cr_expect_eq(summary.ipv6.next_header, 58);
	cr_expect_eq(summary.ipv6.source.s6_addr[15], 1);
	cr_expect_eq(summary.ipv6.destination.s6_addr[0], 0xff);
	decode(size - 1);
	cr_expect_str_eq(summary.problem, "ends inside the IPv6 header");
}
