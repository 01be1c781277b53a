/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Frames around messages and ARP packets.
 *
 * A unicast frame has destination MAC 00:00:00:00:00:00: the egress program
 * knows the next hop and lets the kernel fill in its address, so the calf needs
 * neither routes nor ARP of its own.
 */
#include "userspace/calf/dhcp4/frame.h"

#include <string.h>

#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"
#include "userspace/common/log.h"

#define TTL 64

static void send_frame(struct calf *calf, const struct bytes_writer *frame, enum metric metric)
{
	int r = calf_send_frame(calf, frame->data, frame->at);

	if (r < 0) {
		calf_metric_add(calf, METRIC_SEND_FAILED, 1);
		log_warning("cannot send a frame: %s", strerrordesc_np(-r));
		return;
	}
	calf_metric_add(calf, metric, 1);
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

void frame_send_message(struct calf *calf, const struct message_sender *sender,
			const struct client_actions *actions)
{
	struct udp_frame headers = {
		.ip = {
			.source = actions->source,
			.destination = actions->destination,
			.protocol = IPV4_PROTOCOL_UDP,
			.ttl = TTL,
		},
		.udp = { .source_port = DHCP4_CLIENT_PORT, .destination_port = DHCP4_SERVER_PORT },
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
	send_frame(calf, &frame, metric_of(actions->request.type));
}

void frame_send_arp(struct calf *calf, const struct arp_frame *arp)
{
	bool is_probe = arp->arp.sender.s_addr == INADDR_ANY;
	uint8_t bytes[ARP_FRAME_SIZE];
	struct bytes_writer frame;

	bytes_writer_init(&frame, bytes, sizeof(bytes));
	arp_frame_put(&frame, arp);
	send_frame(calf, &frame, is_probe ? METRIC_ARP_PROBE_SENT : METRIC_ARP_ANNOUNCEMENT_SENT);
}
