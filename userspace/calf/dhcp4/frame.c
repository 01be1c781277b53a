/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Frames around messages and ARP packets.
 *
 * A unicast frame leaves with destination MAC 00:00:00:00:00:00: the egress
 * program looks up route and neighbour in the host and fills in the address,
 * so the calf needs neither routes nor ARP of its own.
 */
#include "userspace/calf/dhcp4/agent-private.h"

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
		       (int)REASON_ARP_HEADER == (int)NET_ARP_HEADER &&
		       (int)NET_ARP_HEADER == (int)_NET_REASON_N - 1,
	       "reasons of frames");

static void send_frame(struct agent *agent, const struct bytes_writer *frame, enum metric metric)
{
	int r = calf_send_frame(agent->calf, frame->data, frame->at);

	if (r < 0) {
		calf_metric_add(agent->calf, METRIC_SEND_FAILED, 1);
		log_warning("frame not sent: %s", strerrordesc_np(-r));
		return;
	}
	calf_metric_add(agent->calf, metric, 1);
}

static enum metric metric_of(enum message_type type)
{
	switch (type) {
	case MESSAGE_DISCOVER:
		return METRIC_DISCOVER_SENT;
	case MESSAGE_DECLINE:
		return METRIC_DECLINE_SENT;
	case MESSAGE_RELEASE:
		return METRIC_RELEASE_SENT;
	case MESSAGE_INFORM:
		return METRIC_INFORM_SENT;
	default:
		return METRIC_REQUEST_SENT;
	}
}

static void send_message(struct agent *agent, const struct client_actions *actions)
{
	const struct message_sender *sender = &agent->client.config.sender;
	struct udp_frame headers = {
		.ip = {
			.source = actions->source,
			.destination = actions->destination,
			.protocol = IPV4_PROTOCOL_UDP,
			.ttl = TTL,
		},
		.udp = { .source_port = CLIENT_PORT, .destination_port = SERVER_PORT },
	};
	uint8_t message[MESSAGE_SIZE_MAX], bytes[UDP_FRAME_HEADERS + MESSAGE_SIZE_MAX];
	struct bytes_writer frame;
	size_t size;

	memcpy(headers.source_mac, sender->mac, sizeof(headers.source_mac));
	if (actions->destination.s_addr == INADDR_BROADCAST)
		memset(headers.destination_mac, 0xff, sizeof(headers.destination_mac));
	size = message_build(sender, &actions->request, message, sizeof(message));
	bytes_writer_init(&frame, bytes, sizeof(bytes));
	udp_frame_put(&frame, &headers, message, size);
	send_frame(agent, &frame, metric_of(actions->request.type));
}

static void send_arp(struct agent *agent, const struct arp_frame *arp)
{
	bool is_probe = arp->arp.sender.s_addr == INADDR_ANY;
	uint8_t bytes[ARP_FRAME_SIZE];
	struct bytes_writer frame;

	bytes_writer_init(&frame, bytes, sizeof(bytes));
	arp_frame_put(&frame, arp);
	send_frame(agent, &frame, is_probe ? METRIC_ARP_PROBE_SENT : METRIC_ARP_ANNOUNCEMENT_SENT);
}

void agent_send(struct agent *agent, const struct client_actions *actions)
{
	if (actions->send)
		send_message(agent, actions);
	if (actions->send_arp)
		send_arp(agent, &actions->arp);
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

/* Use a message; why not, and who sent it, as far as that can be told. */
static enum reason receive_message(struct agent *agent, struct bytes_reader frame,
				   struct in_addr *server)
{
	struct udp_frame headers = { 0 };
	struct message message;
	enum reason reason;
	int r;

	r = udp_frame_parse(&frame, &headers);
	*server = headers.ip.source;
	if (r != NET_OK)
		return (enum reason)r;
	if (headers.udp.source_port != SERVER_PORT || headers.udp.destination_port != CLIENT_PORT)
		return REASON_PORT;
	reason = message_parse(frame, &agent->settings.policy, &message);
	if (reason != REASON_NONE)
		return reason;
	if (message.has_server)
		*server = message.server;
	reason = agent_step(agent,
			    &(struct client_event){ .type = CLIENT_MESSAGE, .message = &message });
	if (reason == REASON_NONE)
		count_received(agent, &message);
	return reason;
}

static enum reason receive_arp(struct agent *agent, struct bytes_reader frame,
			       struct in_addr *sender)
{
	struct arp_frame arp;
	enum reason reason;
	int r;

	r = arp_frame_parse(&frame, &arp);
	*sender = arp.arp.sender;
	if (r != NET_OK)
		return (enum reason)r;
	reason = agent_step(agent, &(struct client_event){ .type = CLIENT_ARP, .arp = &arp });
	if (reason == REASON_NONE)
		calf_metric_add(agent->calf, METRIC_ARP_RECEIVED, 1);
	return reason;
}

void agent_receive(struct calf *calf, const uint8_t *bytes, size_t size, void *data)
{
	struct agent *agent = data;
	struct in_addr from = { INADDR_ANY };
	struct bytes_reader frame, inside;
	struct eth_header header;
	enum reason reason;

	(void)calf;
	if (!agent->is_started)
		return; /* of a former life */
	bytes_reader_init(&frame, bytes, size);
	inside = frame;
	if (eth_parse(&inside, &header) == NET_OK && header.type == ETH_TYPE_ARP)
		reason = receive_arp(agent, frame, &from);
	else
		reason = receive_message(agent, frame, &from);
	report_discard(&agent->report, reason, from);
}
