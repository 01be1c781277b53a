/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The honest client with random options of the operator's: the filter lets out each of
 * its messages in each state, 10^5 of them. Options that change the grammar are drawn once for many
 * messages, because the programs must be loaded again for them.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "maps/frame.h"
#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-frames.h"
#include "userspace/calf/dhcp4/client/client-private.h"
#include "userspace/calf/dhcp4/frame.h"
#include "userspace/calf/dhcp4/settings.h"
#include "userspace/common/clock.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define N_MESSAGES 100000
#define N_SETTINGS 4000 /* of each grammar */

static struct frames_test test;
static struct supervisor supervisor;
static struct description description;
static struct frame_grammar grammar;
static struct calf calf;
static int wire; /* where what the calf sends comes out */

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

	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "/config/dhcp4/", name);
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++)
		if (!strcmp(settings_path(i), path))
			/* what is refused stops the calf: it is as if it was not set */
			(void)settings_values_take(values, i, text, &wanted);
}

/* An option of both halves, or one that is the same in all messages. */
static void choose(struct settings_values *values, const char *name, const char *text)
{
	cr_assert_eq(configuration_set_option(&supervisor.configuration, description.name, name,
					      text, true),
		     0);
	set(values, name, text);
}

static void draw_identity(struct settings_values *values)
{
	static const char *const kinds[] = { "mac", "duid", "none" };
	char text[600];
	int n;

	memset(&supervisor.configuration, 0, sizeof(supervisor.configuration));
	supervisor.configuration.transactions_per_hour = 3600000;
	supervisor.configuration.request_max_size = 576 + grammar_draw(449);
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
	else if (grammar_once_in(3)) {
		n = snprintf(text, sizeof(text), "%u:", 224 + grammar_draw(31));
		draw_hex(text + n, 1, 40);
		choose(values, "send", text);
	}
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

/* The states in which the client sends, and what it says in each. */
enum said { DISCOVER, SELECT, REBOOT, RENEW, REBIND, RENEW_TO_ALL, DECLINE, RELEASE, INFORM, N };

/* A client in this state, as client.c has it there. */
static void set_state(struct client *client, enum said said)
{
	const struct in_addr leased = { inet_addr("10.7.0.5") }, server = { inet_addr("10.7.0.1") };

	client->state = said == REBIND ? CLIENT_REBINDING : CLIENT_RENEWING;
	client->xid = TEST_XID + grammar_draw(4);
	client->offered = leased;
	client->offered_server = server;
	if (said == REBOOT || grammar_once_in(2))
		client->wanted = leased;
	client->lease.address = leased;
	client->lease.server = server;
	client->lease.t2_ns = client->lease.expires_ns = CLIENT_NEVER;
	client->config.inform.s_addr = inet_addr("10.7.0.9");
}

static void say(const struct client_config *config, enum said said, struct client_actions *actions)
{
	static void (*const send[N])(struct client * client, const struct client_event *event,
				     struct client_actions *actions) = {
		[DISCOVER] = client_send_discover, [SELECT] = client_send_request,
		[REBOOT] = client_send_reboot,	   [RENEW] = client_send_renewal,
		[REBIND] = client_send_renewal,	   [RENEW_TO_ALL] = client_send_broadcast_renewal,
		[DECLINE] = client_send_decline,   [RELEASE] = client_send_release,
		[INFORM] = client_send_inform,
	};
	struct client_event event = { .type = CLIENT_TIMEOUT, .now_ns = 1000 * NS_PER_S };
	struct client client;

	client_init(&client, config);
	set_state(&client, said);
	for (size_t i = 0; i < CLIENT_RANDOM_N; i++)
		event.random[i] = grammar_draw(0xffffffff);
	*actions = (struct client_actions){ .send = false };
	send[said](&client, &event, actions);
	cr_assert(actions->send);
}

static void check_message(const struct client_config *config, enum said said, uint32_t seed)
{
	struct client_actions actions;
	uint8_t frame[2048];
	ssize_t n;

	say(config, said, &actions);
	frame_send_message(&calf, &config->sender, &actions);
	n = recv(wire, frame, sizeof(frame), MSG_DONTWAIT);
	cr_assert_gt(n, 0, "state %d, setting %u", said, seed);
	cr_assert_eq(frames_test_run(frames_test_tap(&test), frame, (uint32_t)n, test.tap.ifindex,
				     NULL),
		     TC_ACT_REDIRECT, "state %d, setting %u", said, seed);
}

/* A server gives us the address. */
static void take_lease(const struct client_config *config)
{
	uint8_t ack[FRAME_SIZE];

	check_message(config, SELECT, 0);
	for (uint32_t i = 0; i < 4; i++) {
		frames_test_reply(&test, ack);
		memcpy(ack + AT_YIADDR, "\x0a\7\0\5", 4);
		memcpy(ack + AT_OPTIONS, "\x35\1\5\xff", 4);
		ack[AT_XID + 3] = (uint8_t)(ack[AT_XID + 3] + i);
		(void)frames_test_run(frames_test_tc(&test), ack, FRAME_SIZE, 0, NULL);
	}
	cr_assert_eq(frames_test_count(&test, FRAME_IN_ACCEPTED), 1);
}

/* Returns 1 if a message was sent. */
static uint32_t check_settings(const struct settings_values *identity, uint32_t seed)
{
	struct settings_values values = *identity;
	struct client_config config;
	const char *wrong;

	draw_settings(&values);
	if (settings_values_finish(&values, grammar_draw(0xffffffff), &config, &wrong))
		return 0; /* then the calf does not start */
	check_message(&config, (enum said)grammar_draw(N), seed);
	return 1;
}

static void begin_calf(void)
{
	static uint64_t metrics[CALF_METRICS_MAX];
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	calf.fds.frames = fds[0];
	calf.metrics = metrics;
	wire = fds[1];
}

Test(frames_client, F5_all_that_an_honest_client_says)
{
	const struct frame_host host = { .address = inet_addr("10.7.0.5"),
					 .mask = inet_addr("255.255.255.0"),
					 .other = inet_addr("10.7.0.9") };
	struct settings_values identity;
	struct client_config config;
	const char *wrong;
	char mac[VALUE_MAC_SIZE];
	uint32_t n_sent = 0;

	begin_calf();
	strcpy(description.options[description.n_options++].name, "send");
	grammar_seed(0x5eed);
	for (uint32_t i = 0; n_sent < N_MESSAGES; i++) {
		cr_assert_lt(i, 2 * N_MESSAGES / N_SETTINGS);
		settings_values_init(&identity);
		draw_identity(&identity);
		supervisor_make_grammar(&supervisor, &description, &grammar);
		grammar.transaction_interval_ns = 1;
		grammar.transaction_burst_ns = 1000000000;
		test.grammar = &grammar;
		frames_test_begin_mode(&test, FRAME_MODE_TC, 1000000, 1000000);
		frames_test_tell(&test, &host);
		value_format_mac(test.mac, mac);
		set(&identity, "/mac", mac);
		cr_assert_eq(settings_values_finish(&identity, 0, &config, &wrong), 0);
		take_lease(&config);
		for (uint32_t j = 0; j < N_SETTINGS && n_sent < N_MESSAGES; j++)
			n_sent += check_settings(&identity, i * N_SETTINGS + j);
		frames_test_end(&test);
	}
}
