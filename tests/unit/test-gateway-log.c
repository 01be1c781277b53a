/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/gateway/log.h"

#define S 1000000000ull

static struct gateway_log log_limit;
static struct gateway_log_line line;
static int out[2];

static void setup(void)
{
	cr_assert_eq(pipe2(out, O_NONBLOCK), 0);
	log_init("dhcp4", out[1], LOG_LEVEL_DEBUG);
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
