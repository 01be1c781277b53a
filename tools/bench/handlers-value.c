/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the duration of parsing the value of an IPv6 address with its lifetimes, compared with
 * inet_pton() and strtoul() on its parts, which accept more than one text for each value.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/support.h"
#include "userspace/common/value.h"

#define PARSES 100000

static const char *const texts[] = {
	"2001:db8:1234:5678:a1b2:c3d4:e5f6:789/64 604800 2592000",
	"2001:db8::1/128 1800 3600",
	"fd00:1:2:3:4:5:6:7/64 4294967294 4294967294",
	"2001:db8:0:1::/64 0 7200",
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

static uint64_t parse_ours(uint64_t *sum)
{
	uint64_t begin_ns = bench_now_ns();

	for (uint32_t i = 0; i < PARSES; i++) {
		struct value_ipv6_lease lease;

		bench_check(value_parse_ipv6_lease(texts[i % N_TEXTS], &lease), "parse");
		*sum += lease.valid_s + lease.net.address.s6_addr[15];
	}
	return bench_now_ns() - begin_ns;
}

static uint64_t parse_libc(uint64_t *sum)
{
	uint64_t begin_ns = bench_now_ns();

	for (uint32_t i = 0; i < PARSES; i++) {
		const char *text = texts[i % N_TEXTS];
		size_t length = strcspn(text, "/");
		char address[INET6_ADDRSTRLEN], *end;
		struct in6_addr parsed;
		unsigned long valid;

		memcpy(address, text, length);
		address[length] = '\0';
		bench_check(inet_pton(AF_INET6, address, &parsed) - 1, "inet_pton");
		(void)strtoul(text + length + 1, &end, 10);
		(void)strtoul(end, &end, 10);
		valid = strtoul(end, &end, 10);
		*sum += valid + parsed.s6_addr[15];
	}
	return bench_now_ns() - begin_ns;
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;
	int rounds;

	if (argc != 3)
		bench_fail("usage: handlers-value CPU ROUNDS");
	bench_pin(argv[1]);
	rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	for (int round = 0; round < rounds; round++) {
		bench_say("parse", (double)parse_ours(&sum) / PARSES);
		bench_say("parse_libc", (double)parse_libc(&sum) / PARSES);
	}
	/* so that no parse can be left out */
	return sum == 0;
}
