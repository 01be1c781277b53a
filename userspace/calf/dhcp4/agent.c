/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Everything that the state machine leaves out: frames around messages,
 * the clock, randomness, the store, counters and log lines. No decision about
 * the protocol is made here.
 *
 * A unicast frame leaves with destination MAC 00:00:00:00:00:00: the egress
 * program looks up route and neighbour in the host and fills in the address,
 * so the calf needs neither routes nor ARP.
 */
#include "userspace/calf/dhcp4/agent.h"

#include <inttypes.h>
#include <string.h>

#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"
#include "userspace/common/log.h"

#define SERVER_PORT 67
#define CLIENT_PORT 68
#define TTL 64

/* enum reason continues enum net_reason. */
_Static_assert((int)REASON_FRAME_TRUNCATED == (int)NET_TRUNCATED &&
		       (int)REASON_ARP_HEADER == (int)NET_ARP_HEADER,
	       "reasons of frames");

static void step(struct agent *agent, enum client_event_type type, const struct message *message,
		 struct client_actions *actions)
{
	struct client_event event = {
		.type = type,
		.now_ns = agent->calf->loop.now_ns(),
		.message = message,
	};

	agent->calf->random(event.random, sizeof(event.random));
	client_step(&agent->client, &event, actions);
}

static void send_request(struct agent *agent, const struct client_actions *actions)
{
	struct udp_frame headers = {
		.ip = {
			.source = actions->source,
			.destination = actions->destination,
			.protocol = IPV4_PROTOCOL_UDP,
			.ttl = TTL,
		},
		.udp = { .source_port = CLIENT_PORT, .destination_port = SERVER_PORT },
	};
	uint8_t message[MESSAGE_SIZE_MAX], frame[UDP_FRAME_HEADERS + MESSAGE_SIZE_MAX];
	struct bytes_writer writer;
	size_t size;
	int r;

	memcpy(headers.source_mac, agent->client.config.sender.mac, sizeof(headers.source_mac));
	if (actions->destination.s_addr == INADDR_BROADCAST)
		memset(headers.destination_mac, 0xff, sizeof(headers.destination_mac));
	size = message_build(&agent->client.config.sender, &actions->request, message,
			     sizeof(message));
	bytes_writer_init(&writer, frame, sizeof(frame));
	udp_frame_put(&writer, &headers, message, size);
	r = calf_send_frame(agent->calf, frame, writer.at);
	if (r < 0) {
		calf_metric_add(agent->calf, METRIC_SEND_FAILED, 1);
		log_warning("frame not sent: %s", strerrordesc_np(-r));
		return;
	}
	calf_metric_add(agent->calf,
			actions->request.type == MESSAGE_DISCOVER ? METRIC_DISCOVER_SENT :
								    METRIC_REQUEST_SENT,
			1);
}

static void log_lease(const struct client_lease *lease)
{
	struct value_ipv4_net net = { .address = lease->address,
				      .prefix_length = lease->prefix_length };
	char text[VALUE_IPV4_NET_SIZE], server[VALUE_IPV4_SIZE], seconds[VALUE_UINT_SIZE];

	value_format_ipv4_net(&net, text);
	value_format_ipv4(lease->server, server);
	value_format_lifetime(lease->time_s, seconds);
	log_info("lease of %s from %s, seconds: %s", text, server, seconds);
}

static void carry_out(struct agent *agent, enum client_state before,
		      const struct client_actions *actions)
{
	const struct client *client = &agent->client;

	loop_timer_set(&agent->timer, client->deadline_ns);
	if (client->state != before) {
		log_info("%s -> %s", client_state_name(before), client_state_name(client->state));
		calf_metric_set(agent->calf, METRIC_STATE, client->state);
	}
	if (actions->send)
		send_request(agent, actions);
	if (actions->lease == CLIENT_LEASE_SET) {
		calf_metric_add(agent->calf, METRIC_LEASE_GRANTED, 1);
		log_lease(&client->lease);
	} else if (actions->lease == CLIENT_LEASE_LOST) {
		calf_metric_add(agent->calf, METRIC_LEASE_LOST, 1);
		log_warning("lease lost");
	}
	/* Below BOUND there is nothing to show but that a lease was lost. */
	if (actions->lease != CLIENT_LEASE_KEEP ||
	    (client->state != before && client->state >= CLIENT_BOUND))
		publish_update(&agent->publisher, actions->lease == CLIENT_LEASE_SET);
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct agent *agent = data;
	enum client_state before = agent->client.state;
	struct client_actions actions;

	(void)loop;
	(void)now_ns;
	step(agent, CLIENT_TIMEOUT, NULL, &actions);
	carry_out(agent, before, &actions);
	return 0;
}

/* What was used, by type; what was not is counted by its reason. */
static void count_received(struct agent *agent, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_OFFER:
		calf_metric_add(agent->calf, METRIC_OFFER_RECEIVED, 1);
		break;
	case MESSAGE_ACK:
		calf_metric_add(agent->calf, METRIC_ACK_RECEIVED, 1);
		break;
	case MESSAGE_NAK:
		calf_metric_add(agent->calf, METRIC_NAK_RECEIVED, 1);
		log_warning("refused by the server: \"%s\"", message->text);
		break;
	default:
		break;
	}
}

/* REASON_NONE with *message, or why there is none; *server is who sent it, as
 * far as that can be told. */
static enum reason parse_frame(const struct agent *agent, struct bytes_reader frame,
			       struct message *message, struct in_addr *server)
{
	struct udp_frame headers = { 0 };
	enum reason reason;
	int r;

	r = udp_frame_parse(&frame, &headers);
	*server = headers.ip.source;
	if (r != NET_OK)
		return (enum reason)r;
	if (headers.udp.source_port != SERVER_PORT || headers.udp.destination_port != CLIENT_PORT)
		return REASON_PORT;
	reason = message_parse(frame, &agent->settings.policy, message);
	if (reason == REASON_NONE && message->has_server)
		*server = message->server;
	return reason;
}

static void on_frame(struct calf *calf, const uint8_t *bytes, size_t size, void *data)
{
	struct agent *agent = data;
	enum client_state before = agent->client.state;
	struct client_actions actions;
	struct bytes_reader frame;
	struct message message;
	struct in_addr server;
	enum reason reason;

	(void)calf;
	if (!agent->is_started)
		return; /* of a former life */
	bytes_reader_init(&frame, bytes, size);
	reason = parse_frame(agent, frame, &message, &server);
	if (reason == REASON_NONE) {
		step(agent, CLIENT_MESSAGE, &message, &actions);
		reason = actions.discarded;
	}
	if (reason != REASON_NONE) {
		report_discard(&agent->report, reason, server);
		return;
	}
	count_received(agent, &message);
	carry_out(agent, before, &actions);
}

static void on_settings(void *data)
{
	struct agent *agent = data;
	struct client_actions actions;

	client_init(&agent->client, &agent->settings.config);
	agent->is_started = true;
	step(agent, CLIENT_START, NULL, &actions);
	carry_out(agent, CLIENT_INIT, &actions);
}

int agent_start(struct agent *agent, struct calf *calf)
{
	int r;

	memset(agent, 0, sizeof(*agent));
	agent->calf = calf;
	report_init(&agent->report, calf);
	calf_on_frame(calf, on_frame, agent);
	r = publish_init(&agent->publisher, calf, &agent->client, &agent->settings.policy);
	if (r == 0)
		r = loop_add_timer(&calf->loop, &agent->timer, on_timer, agent);
	if (r < 0) {
		log_error("event loop: %s", strerrordesc_np(-r));
		return r;
	}
	return settings_read(&agent->settings, calf, on_settings, agent);
}
