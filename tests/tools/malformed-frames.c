/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malformed-frames INTERFACE MAC XID COUNT PER_SECOND
 *
 * Send COUNT frames to the client MAC, all different and each malformed in some
 * way: about eight of ten are a reply to XID with correct headers, so that they pass
 * the filter, and with garbage as options; the others are FORCERENEW, or malformed
 * before the options. None of them offers an address. Prints "sent N".
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 1400 /* the lab's server sets an MTU of 1400 */
#define AT_IP 14
#define AT_UDP 34
#define AT_BOOTP 42
#define AT_OPTIONS (AT_BOOTP + 240)
#define COUNT_MAX 10000000
#define BATCH 64 /* frames between two readings of the clock */

static uint64_t state = 1;

static uint32_t random_below(uint32_t limit)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((state >> 33) % limit);
}

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Option codes that some program reads or used to read. */
static const uint8_t codes[] = { 1,   3,   6,	12,  15,  26,  33,  42, 51,  52,  53,
				 54,  56,  58,	59,  61,  80,  81,  90, 101, 108, 114,
				 116, 119, 121, 162, 212, 249, 252, 0,	255 };

/* Put one option. Its length may be wrong, and its octets are typical causes of
 * errors in parsers of names, addresses and texts. */
static size_t put_option(uint8_t *at, size_t left)
{
	static const uint8_t octets[] = { 0, 1, 4, 63, 64, 127, 192, 193, 224, 255, '/', '\n' };
	size_t size = random_below(8) ? random_below(20) : random_below(256);

	if (left < 2)
		return 0;
	at[0] = random_below(8) ? codes[random_below(sizeof(codes))] : (uint8_t)random_below(256);
	at[1] = (uint8_t)(random_below(8) ? size : random_below(256));
	if (size > left - 2)
		size = left - 2;
	for (size_t i = 0; i < size; i++)
		at[2 + i] = random_below(2) ? octets[random_below(sizeof(octets))] :
					      (uint8_t)random_below(256);
	return 2 + size;
}

static void put_options(uint8_t *at, size_t size)
{
	static const uint8_t types[] = { 2, 5, 6, 2, 5, 6, 5, 9 };
	size_t used = 0;

	if (size >= 3 && random_below(8)) {
		at[0] = 53;
		at[1] = 1;
		at[2] = types[random_below(sizeof(types))];
		used = 3;
	}
	while (used < size) {
		size_t n = put_option(at + used, size - used);

		if (n == 0)
			break;
		used += n;
	}
}

/* Correct the checksum of the IP header, which every receiver checks. */
static void seal(uint8_t *ip)
{
	uint32_t sum = 0;

	put16(ip + 10, 0);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~sum & 0xffff);
}

/* Break something before the options. */
static void break_headers(uint8_t *frame, size_t size)
{
	switch (random_below(6)) {
	case 0: /* any length in IP or UDP, most of them beyond the frame */
		put16(frame + (random_below(2) ? AT_IP + 2 : AT_UDP + 4), random_below(65536));
		seal(frame + AT_IP);
		break;
	case 1:
		frame[AT_IP] = (uint8_t)random_below(256);
		seal(frame + AT_IP);
		break;
	case 2: /* a fragment */
		put16(frame + AT_IP + 6, random_below(65536));
		seal(frame + AT_IP);
		break;
	case 3: /* a checksum that is wrong */
		put16(frame + (random_below(2) ? AT_IP + 10 : AT_UDP + 6), 1 + random_below(65535));
		break;
	default: /* op, htype, hlen, hops, xid ... cookie */
		for (uint32_t n = 1 + random_below(4); n > 0; n--)
			frame[AT_BOOTP + random_below((uint32_t)(size - AT_BOOTP))] =
				(uint8_t)random_below(256);
	}
}

static size_t make_frame(uint8_t *frame, const uint8_t mac[6], uint32_t xid)
{
	size_t size = AT_OPTIONS + random_below(random_below(4) ? 300 : FRAME_MAX - AT_OPTIONS);

	memset(frame, 0, FRAME_MAX);
	memcpy(frame, mac, 6);
	memcpy(frame + 6, "\x02\0\0\0\x77\x01\x08\0", 8);
	frame[AT_IP] = 0x45;
	put16(frame + AT_IP + 2, (unsigned int)size - AT_IP);
	frame[AT_IP + 8] = 64;
	frame[AT_IP + 9] = 17;
	memcpy(frame + AT_IP + 12, "\x0a\x4d\0\x01\x0a\x4d\0\x96", 8);
	put16(frame + AT_UDP, 67);
	put16(frame + AT_UDP + 2, 68);
	put16(frame + AT_UDP + 4, (unsigned int)size - AT_UDP);
	memcpy(frame + AT_BOOTP, "\x02\x01\x06", 3);
	xid = htonl(xid);
	memcpy(frame + AT_BOOTP + 4, &xid, 4);
	memcpy(frame + AT_BOOTP + 28, mac, 6);
	/* `sname` and `file`, for those that option 52 opens */
	put_options(frame + AT_BOOTP + 44, 64);
	put_options(frame + AT_BOOTP + 108, 128);
	memcpy(frame + AT_OPTIONS - 4, "\x63\x82\x53\x63", 4);
	put_options(frame + AT_OPTIONS, size - AT_OPTIONS);
	seal(frame + AT_IP);
	if (random_below(10) == 0)
		break_headers(frame, size);
	return size;
}

static void wait_until(struct timespec at, uint64_t ns)
{
	ns += (uint64_t)at.tv_nsec;
	at.tv_sec += (time_t)(ns / 1000000000);
	at.tv_nsec = (long)(ns % 1000000000);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	uint64_t count, per_second, sent = 0;
	struct timespec begin;
	uint8_t mac[6];
	int fd;

	if (argc != 6 || sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
				&mac[3], &mac[4], &mac[5]) != 6) {
		fprintf(stderr, "Usage: malformed-frames INTERFACE MAC XID COUNT PER_SECOND\n");
		return 2;
	}
	count = strtoull(argv[4], NULL, 10);
	per_second = strtoull(argv[5], NULL, 10);
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || to.sll_ifindex == 0 || count > COUNT_MAX || per_second == 0) {
		perror("malformed-frames");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (uint64_t i = 0; i < count; i++) {
		uint8_t frame[FRAME_MAX];
		size_t size = make_frame(frame, mac, (uint32_t)strtoul(argv[3], NULL, 16));

		if (i % BATCH == 0)
			wait_until(begin, i * 1000000000 / per_second);
		if (sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)) > 0)
			sent++;
	}
	printf("sent %llu\n", (unsigned long long)sent);
	return 0;
}
