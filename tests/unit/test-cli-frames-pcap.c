/* SPDX-License-Identifier: Apache-2.0 */
/* Captures: the blocks octet by octet, and how tcpdump reads them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/cli-frames.h"

#define WALL_NS 1795558983123456789ull /* 0x18eb102f 0x56b4ef15 */

static uint8_t block[FRAMES_PCAP_SIZE];

static void expect_bytes(const uint8_t *bytes, size_t size, const char *hex, const char *what)
{
	uint8_t want[FRAMES_PCAP_SIZE];

	cr_assert_eq(from_hex(hex, want, sizeof(want)), size, "%s: %zu", what, size);
	cr_expect_arr_eq(bytes, want, size, "%s", what);
}

Test(cli_frames_pcap, begin)
{
	expect_bytes(block, frames_pcap_begin(block, "uplink0"),
		     "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"
		     "01000000 2c000000 0100 0000 04020000"
		     "0200 0700 75706c696e6b30 00 0900 0100 09 000000 0000 0000 2c000000",
		     "section and interface");
}

/* The longest instance name. */
Test(cli_frames_pcap, long_name)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz01234";
	size_t size = frames_pcap_begin(block, name);

	cr_expect_eq(size, 28 + 16 + 4 + 32 + 8 + 4 + 4);
	cr_expect_eq(block[28 + 4], size - 28);
}

Test(cli_frames_pcap, frame)
{
	struct frame_sample sample = { .reason = FRAME_IN_COOKIE, .size = 1500, .captured = 5 };
	char hex[512];

	memcpy(sample.bytes, "abcde", 5);
	snprintf(hex, sizeof(hex),
		 "06000000 4c000000 00000000 %08x %08x 05000000 dc050000 6162636465 000000"
		 "0200 0400 01000000 0100 1200 64726f707065643a20696e5f636f6f6b6965 0000"
		 "0000 0000 4c000000",
		 __builtin_bswap32((uint32_t)(WALL_NS >> 32)),
		 __builtin_bswap32((uint32_t)WALL_NS));
	expect_bytes(block, frames_pcap_frame(block, &sample, WALL_NS), hex, "dropped: in_cookie");
	sample.reason = FRAME_OUT_ACCEPTED;
	frames_pcap_frame(block, &sample, WALL_NS);
	cr_expect_eq(block[40], 2, "outbound");
	sample.reason = FRAME_HOST_NOISE;
	frames_pcap_frame(block, &sample, WALL_NS);
	cr_expect_eq(block[40], 2, "outbound");
}

/* The tag that the kernel stores separately is in its place. */
Test(cli_frames_pcap, tag)
{
	struct frame_sample sample = make_sample();

	memcpy(&sample.vlan_type, "\x88\xa8", 2);
	sample.vlan_tci = 0x6005;
	frames_pcap_frame(block, &sample, WALL_NS);
	cr_expect_arr_eq(block + 20, "\x5a\1\0\0\x5a\1\0\0", 8, "346 octets");
	cr_expect_arr_eq(block + 28, sample.bytes, 12);
	cr_expect_arr_eq(block + 28 + 12, "\x88\xa8\x60\x05\x08\0", 6);
	cr_expect_arr_eq(block + 28 + 16, sample.bytes + 12, OFFER_SIZE - 12);
}

/* Whatever a sample contains, the block is valid and within its bounds. */
Test(cli_frames_pcap, any_length)
{
	static const uint32_t sizes[] = { 0, 1, 12, 13, 511, 512, 513, 1500, UINT32_MAX };

	for (size_t i = 0; i < 9; i++)
		for (size_t j = 0; j < 9; j++) {
			struct frame_sample sample = {
				.reason = FRAME_OUT_DESTINATION_MAC,
				.size = sizes[i],
				.captured = sizes[j],
				.vlan_type = 1,
			};
			size_t size = frames_pcap_frame(block, &sample, WALL_NS);
			uint32_t front, back;

			cr_assert(size > 0 && size <= FRAMES_PCAP_SIZE);
			memcpy(&front, block + 4, 4);
			memcpy(&back, block + size - 4, 4);
			cr_expect_eq(front, size);
			cr_expect_eq(back, size);
		}
}

/* How the reference tool reads it, from a pipe, as with -f. */
Test(cli_frames_pcap, tcpdump)
{
	struct frame_sample sample = make_sample();
	char path[] = "/tmp/calfpen-test-XXXXXX", command[256], text[4096];
	int fd = mkstemp(path);
	FILE *from;
	size_t size;

	if (access("/usr/bin/tcpdump", X_OK) != 0 && access("/usr/sbin/tcpdump", X_OK) != 0)
		cr_skip_test("tcpdump is not installed");
	cr_assert_geq(fd, 0);
	size = frames_pcap_begin(block, "uplink0");
	cr_assert_eq(write(fd, block, size), (ssize_t)size);
	for (int i = 0; i < 2; i++) {
		size = frames_pcap_frame(block, &sample, WALL_NS);
		cr_assert_eq(write(fd, block, size), (ssize_t)size);
		sample.size = 1500;
		sample.captured = FRAME_SAMPLE_BYTES;
	}
	snprintf(command, sizeof(command),
		 "cat %s | TZ=UTC PATH=$PATH:/usr/sbin tcpdump -n -e -tttt -r - 2>&1", path);
	from = popen(command, "r");
	size = fread(text, 1, sizeof(text) - 1, from);
	text[size] = '\0';
	cr_expect_eq(pclose(from), 0, "%s", text);
	cr_expect_not_null(strstr(text,
				  "2026-11-24 22:23:03.123456 02:00:00:00:77:01 > "
				  "02:00:00:00:77:02, ethertype IPv4 (0x0800), length 342: "
				  "192.0.2.1.67 > 192.0.2.10.68: BOOTP/DHCP, Reply, length 300"),
			   "%s", text);
	cr_expect_not_null(strstr(text, "length 1500: "), "%s", text);
	close(fd);
	unlink(path);
}
