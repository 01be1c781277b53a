/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/gateway/log.h"

#define S 1000000000ull
#define BURST 65536

static struct gateway_log log_limit;
static struct gateway_log_line line;
static int out[2];

static void setup(void)
{
	cr_assert_eq(pipe2(out, O_NONBLOCK), 0);
	log_init("dhcp4", out[1], LOG_LEVEL_DEBUG);
	gateway_log_init(&log_limit, NULL, 512, BURST);
}

TestSuite(gateway_log, .init = setup);

static const char *printed(void)
{
	static char text[65536];
	ssize_t n = read(out[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void feed(const char *text, uint64_t now_ns)
{
	gateway_log_feed(&log_limit, &line, text, strlen(text), now_ns);
}

Test(gateway_log, lines_are_put_together_and_tagged)
{
	feed("hel", 10 * S);
	cr_assert_str_eq(printed(), "");
	feed("lo\nwor", 10 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: hello\n");
	feed("ld\n\n\nx", 10 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: world\n", "empty lines are left out");
	gateway_log_end(&log_limit, &line, 10 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: x\n");
	gateway_log_end(&log_limit, &line, 10 * S);
	cr_assert_str_eq(printed(), "");
}

Test(gateway_log, level_of_the_calf_is_kept)
{
	feed("<warning> no answer\n<debug> x\n<fatal> y\n", 10 * S);
	cr_assert_str_eq(printed(), "<warning> dhcp4: calf: no answer\n<debug> dhcp4: calf: x\n"
				    "<info> dhcp4: calf: <fatal> y\n");
}

Test(gateway_log, name_of_the_calf_is_said_once)
{
	log_limit.name = "dhcp4";
	feed("<info> dhcp4: INIT -> SELECTING\n<info> dhcp45: x\ndhcp4: y\n<info> dhcp4:\n",
	     10 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: INIT -> SELECTING\n"
				    "<info> dhcp4: calf: dhcp45: x\n"
				    "<info> dhcp4: calf: dhcp4: y\n"
				    "<info> dhcp4: calf: dhcp4:\n");
	gateway_log_tick(&log_limit, 12 * S);
	feed("<info> dhcp4: z\n", 12 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: z\n");
}

Test(gateway_log, control_bytes)
{
	feed("a\x1b[2J\r\tb\xff\n", 10 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: a?[2J??b?\n");
	gateway_log_feed(&log_limit, &line, "a\0b\n", 4, 10 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: a?b\n");
}

Test(gateway_log, long_lines_are_cut_and_counted)
{
	static char text[100000];
	const char *got;

	memset(text, 'x', sizeof(text) - 1);
	feed(text, 10 * S);
	feed("\nnext\n", 10 * S);
	got = printed();
	cr_assert_not_null(strstr(got, "x [99487 bytes cut]\n<info> dhcp4: calf: next\n"));
	cr_assert_lt(strlen(got), 700);
}

Test(gateway_log, flood_is_suppressed_and_counted)
{
	size_t n_lines = 0;

	for (int i = 0; i < 5000; i++)
		feed("x\n", 10 * S + (unsigned int)i);
	for (const char *at = printed(); *at; at++)
		n_lines += *at == '\n';
	cr_assert_eq(n_lines, GATEWAY_LOG_LINES_MAX);
	cr_assert_eq(gateway_log_deadline(&log_limit), 11 * S);
	gateway_log_tick(&log_limit, 11 * S - 1);
	cr_assert_str_eq(printed(), "");
	gateway_log_tick(&log_limit, 11 * S);
	cr_assert_str_eq(printed(),
			 "<warning> dhcp4: gateway: suppressed 4800 log lines from the calf\n");
	cr_assert_eq(gateway_log_deadline(&log_limit), LOOP_NEVER);
	feed("y\n", 11 * S);
	cr_assert_str_eq(printed(), "<info> dhcp4: calf: y\n");
}

Test(gateway_log, both_pipes_share_the_limit)
{
	struct gateway_log_line other = { 0 };
	size_t n_lines = 0;

	for (int i = 0; i < 150; i++) {
		feed("x\n", 10 * S);
		gateway_log_feed(&log_limit, &other, "y\n", 2, 10 * S);
	}
	for (const char *at = printed(); *at; at++)
		n_lines += *at == '\n';
	cr_assert_eq(n_lines, GATEWAY_LOG_LINES_MAX);
	feed("z\n", 12 * S);
	cr_assert_str_eq(printed(),
			 "<warning> dhcp4: gateway: suppressed 100 log lines from the calf\n"
			 "<info> dhcp4: calf: z\n");
}

static const char full_line[GATEWAY_LOG_LINE_MAX + 2] = {
	[0 ... GATEWAY_LOG_LINE_MAX - 1] = 'x', [GATEWAY_LOG_LINE_MAX] = '\n'
};

/* Feed lines at this interval for as long. Returns how many bytes were logged. */
static size_t flood(const char *text, uint64_t interval_ns, uint64_t seconds)
{
	size_t n_bytes = 0;

	for (uint64_t now_ns = 10 * S; now_ns < (10 + seconds) * S; now_ns += interval_ns) {
		feed(text, now_ns);
		n_bytes += strlen(printed());
	}
	return n_bytes;
}

Test(gateway_log, F2_bytes_of_long_lines)
{
	size_t n_bytes = flood(full_line, S / 200, 600);

	cr_expect_leq(n_bytes, BURST + 600 * 512, "%zu", n_bytes);
	cr_expect_geq(n_bytes, (BURST + 600 * 512) / 2, "%zu", n_bytes);
}

/* Short lines, whose prefix is most of them; and the report has room, too. */
Test(gateway_log, F2_bytes_of_short_lines)
{
	size_t n_bytes = flood("x\n", S / 1000, 600);

	cr_expect_leq(n_bytes, BURST + 600 * 512, "%zu", n_bytes);
	gateway_log_tick(&log_limit, 700 * S);
	cr_expect_not_null(strstr(printed(), "gateway: suppressed "));
	cr_expect_eq(log_limit.n_suppressed, 0);
}

/* Each line is logged or counted. */
Test(gateway_log, F2_suppressed_lines_are_counted)
{
	static char text[1 << 20];
	size_t n_lines = 0, used = 0;
	unsigned long n_suppressed = 0;

	for (int i = 0; i < 3000; i++) {
		feed("a line of a calf\n", 10 * S + (unsigned int)i * (S / 100));
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", printed());
	}
	gateway_log_finish(&log_limit);
	(void)snprintf(text + used, sizeof(text) - used, "%s", printed());
	for (const char *at = text; (at = strstr(at, "calf: a line")); at++)
		n_lines++;
	for (const char *at = text; (at = strstr(at, "suppressed ")); at++)
		n_suppressed += strtoul(at + strlen("suppressed "), NULL, 10);
	cr_expect_gt(n_suppressed, 0);
	cr_expect_eq(n_lines + n_suppressed, 3000, "%zu %lu", n_lines, n_suppressed);
}

/* What a quiet calf saved up is there again. */
Test(gateway_log, F2_bucket_fills_again)
{
	size_t first = flood(full_line, S / 200, 2);

	cr_expect_geq(first, BURST / 2);
	gateway_log_tick(&log_limit, 500 * S);
	(void)printed();
	for (int i = 0; i < 100; i++)
		feed(full_line, 500 * S);
	cr_expect_geq(strlen(printed()), 100u * GATEWAY_LOG_LINE_MAX);
}
