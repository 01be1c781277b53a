/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for the tests of `calfpen frames`. */
#ifndef CALFPEN_TESTS_CLI_FRAMES_H
#define CALFPEN_TESTS_CLI_FRAMES_H

#include <stdio.h>
#include <string.h>

#include "userspace/cli/frames/frames.h"
#include "userspace/common/bytes.h"

#define OFFER_SIZE 342
#define AT_TYPE 12
#define AT_IP 14
#define AT_UDP 34
#define AT_BOOTP 42
#define AT_COOKIE 278
#define AT_OPTIONS 282

/* Convert hex octets, ignoring blanks between them. Returns their number. */
static inline size_t from_hex(const char *hex, uint8_t *to, size_t most)
{
	size_t size = 0;
	unsigned int octet;
	int n;

	for (; size < most && sscanf(hex, " %2x%n", &octet, &n) == 1; hex += n)
		to[size++] = (uint8_t)octet;
	return size;
}

/* An OFFER of 192.0.2.10 from 192.0.2.1, padded with zeros. */
static inline void make_offer(uint8_t frame[OFFER_SIZE])
{
	memset(frame, 0, OFFER_SIZE);
	from_hex("020000007702 020000007701 0800"
		 "4500 0148 0000 0000 40 11 0000 c0000201 c000020a"
		 "0043 0044 0134 0000"
		 "02010600 11223344 0000 0000 00000000 c000020a 00000000 00000000 020000007702",
		 frame, OFFER_SIZE);
	from_hex("63825363 350102 3604c0000201 33040000003c ff", frame + AT_COOKIE,
		 OFFER_SIZE - AT_COOKIE);
}

/* The same as a sample of a dropped frame, number 3. */
static inline struct frame_sample make_sample(void)
{
	struct frame_sample sample = {
		.version = 2,
		.number = 3,
		.boot_ns = 1000000000,
		.reason = FRAME_IN_UNKNOWN_XID,
		.size = OFFER_SIZE,
		.captured = OFFER_SIZE,
	};

	make_offer(sample.bytes);
	return sample;
}

#endif
