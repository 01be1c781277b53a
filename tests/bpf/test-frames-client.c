/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The honest client with random options of the operator's: the filter lets out each of
 * its messages in each state. Options that change the grammar are drawn once for many
 * messages, because the programs must be loaded again for them.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

#include "maps/frame.h"
#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-frames.h"
#include "userspace/calf/dhcp4/settings.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define N_GRAMMARS 25
#define N_SETTINGS 4000 /* of each grammar */

static struct frames_test test;
static struct supervisor supervisor;
static struct description description;
static struct frame_grammar grammar;

static void draw_hex(char *text, uint32_t min, uint32_t max)
{
	uint32_t n = min + grammar_draw(max - min + 1);

	for (uint32_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", grammar_draw(256));
}

static void draw_text(char *text, uint32_t max)
{
	uint32_t n = 1 + grammar_draw(max);

	for (uint32_t i = 0; i < n; i++)
		text[i] = (char)('a' + grammar_draw(26));
	text[n] = '\0';
}

static void set(struct settings_values *values, const char *name, const char *text)
{
	char path[64];
	const char *wanted;

	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "/config/", name);
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++)
		if (!strcmp(settings_path(i), path))
			/* what is refused stops the calf: it is as if it was not set */
			(void)settings_values_take(values, i, text, &wanted);
}

/* An option of both halves, or one that is the same in all messages. */
static void choose(struct settings_values *values, const char *name, const char *text)
{
	cr_assert_eq(configuration_set_option(&supervisor.configuration, name, text, true), 0);
	set(values, name, text);
}

static void draw_identity(struct settings_values *values)
{
	static const char *const kinds[] = { "mac", "duid", "none" };
	char text[600];

	memset(&supervisor.configuration, 0, sizeof(supervisor.configuration));
	supervisor.configuration.transactions_per_hour = 3600000;
	supervisor.configuration.request_max_size = 576;
	if (grammar_once_in(4))
		draw_hex(text, 2, grammar_once_in(2) ? 255 : 20);
	else
		snprintf(text, sizeof(text), "%s", kinds[grammar_draw(3)]);
	choose(values, "client_id", text);
	if (grammar_once_in(2)) {
		draw_hex(text, 3, 130);
		choose(values, "duid", text);
	}
	if (grammar_once_in(2)) {
		snprintf(text, sizeof(text), "%u", grammar_draw(0xffffffff));
		choose(values, "iaid", text);
	}
	if (grammar_once_in(3))
		choose(values, "send", "43:0102030405 93:0007 124:00 224:ab");
	choose(values, "anonymous", grammar_once_in(5) ? "1" : "0");
}

static void draw_settings(struct settings_values *values)
{
	char text[300];

	if (grammar_once_in(2)) {
		draw_text(text, 60);
		set(values, "hostname", text);
	}
	if (grammar_once_in(3)) {
		draw_text(text, 60);
		strcat(text, ".example.org");
		set(values, "fqdn", text);
	}
	if (grammar_once_in(3)) {
		draw_text(text, grammar_once_in(8) ? 255 : 40);
		set(values, "vendor_class", text);
	}
	if (grammar_once_in(3)) {
		draw_text(text, grammar_once_in(8) ? 255 : 40);
		set(values, "user_class", text);
	}
	if (grammar_once_in(3))
		set(values, "parameters", "43 66 67 150 252");
	set(values, "rapid_commit", grammar_once_in(2) ? "1" : "0");
	set(values, "broadcast", grammar_once_in(2) ? "1" : "0");
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The states in which the client sends, and what it says in each. */
enum said { DISCOVER, SELECT, REBOOT, RENEW, REBIND, RENEW_TO_ALL, DECLINE, RELEASE, INFORM, N };

static void check_message(const struct message_sender *sender, enum said said, uint32_t seed)
{
	static const enum message_type types[N] = {
		[DISCOVER] = MESSAGE_DISCOVER, [SELECT] = MESSAGE_REQUEST,
		[REBOOT] = MESSAGE_REQUEST,    [RENEW] = MESSAGE_REQUEST,
		[REBIND] = MESSAGE_REQUEST,    [RENEW_TO_ALL] = MESSAGE_REQUEST,
		[DECLINE] = MESSAGE_DECLINE,   [RELEASE] = MESSAGE_RELEASE,
		[INFORM] = MESSAGE_INFORM,
	};
	const struct in_addr leased = { inet_addr("10.7.0.5") }, server = { inet_addr("10.7.0.1") };
	bool is_unicast = said == RENEW || said == RELEASE;
	bool is_bound = is_unicast || said == REBIND;
	struct message_request request = { .type = types[said],
					   .xid = TEST_XID + grammar_draw(4),
					   .secs = (uint16_t)grammar_draw(0x10000),
					   .broadcast = grammar_once_in(2),
					   .rapid_commit = grammar_once_in(2) };
	uint8_t frame[FRAME_SIZE + 400];
	size_t size;

	if (is_bound)
		request.ciaddr = leased;
	if (said == SELECT || said == REBOOT || said == RENEW_TO_ALL || said == DECLINE ||
	    (said == DISCOVER && grammar_once_in(2)))
		request.requested = leased;
	if (said == INFORM)
		request.ciaddr.s_addr = inet_addr("10.7.0.9");
	request.has_server = said == SELECT || said == DECLINE || said == RELEASE;
	request.server = server;
	if (said == DECLINE || said == RELEASE)
		snprintf(request.text, sizeof(request.text), "address is in use");
	memset(frame, 0, sizeof(frame));
	frames_test_request(&test, frame);
	size = message_build(sender, &request, frame + AT_OP, sizeof(frame) - AT_OP);
	cr_assert_gt(size, 0);
	memcpy(frame + AT_CHADDR, test.mac, sizeof(test.mac));
	put16(frame + AT_IP_TOTAL, AT_OP - AT_IP + size);
	put16(frame + AT_UDP_LENGTH, AT_OP - AT_UDP_SOURCE + size);
	if (is_bound)
		memcpy(frame + AT_IP_SOURCE, &leased, sizeof(leased));
	if (is_unicast) {
		memset(frame + AT_ETH_DESTINATION, 0, 6);
		memcpy(frame + AT_IP_DESTINATION, &server, sizeof(server));
	}
	cr_assert_eq(frames_test_run(frames_test_tap(&test), frame, (uint32_t)(AT_OP + size),
				     test.tap.ifindex, NULL),
		     TC_ACT_REDIRECT, "state %d, setting %u", said, seed);
}

/* A server gives us the address. */
static void take_lease(const struct message_sender *sender)
{
	uint8_t ack[FRAME_SIZE];

	check_message(sender, SELECT, 0);
	for (uint32_t i = 0; i < 4; i++) {
		frames_test_reply(&test, ack);
		memcpy(ack + AT_YIADDR, "\x0a\7\0\5", 4);
		memcpy(ack + AT_OPTIONS, "\x35\1\5\xff", 4);
		ack[AT_XID + 3] = (uint8_t)(ack[AT_XID + 3] + i);
		(void)frames_test_run(frames_test_tc(&test), ack, FRAME_SIZE, 0, NULL);
	}
	cr_assert_eq(frames_test_count(&test, FRAME_IN_ACCEPTED), 1);
}

static void check_settings(const struct settings_values *identity, uint32_t seed)
{
	struct settings_values values = *identity;
	struct client_config config;
	const char *wrong;

	draw_settings(&values);
	if (settings_values_finish(&values, grammar_draw(0xffffffff), &config, &wrong))
		return; /* then the calf does not start */
	check_message(&config.sender, (enum said)grammar_draw(N), seed);
}

Test(frames_client, F5_all_that_an_honest_client_says)
{
	const struct frame_host host = { .address = inet_addr("10.7.0.5"),
					 .mask = inet_addr("255.255.255.0"),
					 .other = inet_addr("10.7.0.9") };
	struct settings_values identity;
	struct client_config config;
	const char *wrong;

	strcpy(description.options[description.n_options++].name, "send");
	grammar_seed(0x5eed);
	for (uint32_t i = 0; i < N_GRAMMARS; i++) {
		settings_values_init(&identity);
		draw_identity(&identity);
		set(&identity, "/mac", "02:00:00:00:77:02");
		supervisor_make_grammar(&supervisor, &description, &grammar);
		grammar.transaction_interval_ns = 1;
		grammar.transaction_burst_ns = 1000000000;
		test.grammar = &grammar;
		frames_test_begin_mode(&test, FRAME_MODE_TC, 1000000, 1000000);
		frames_test_tell(&test, &host);
		cr_assert_eq(settings_values_finish(&identity, 0, &config, &wrong), 0);
		take_lease(&config.sender);
		for (uint32_t j = 0; j < N_SETTINGS; j++)
			check_settings(&identity, i * N_SETTINGS + j);
		frames_test_end(&test);
	}
}
