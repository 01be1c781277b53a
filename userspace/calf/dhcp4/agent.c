/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Everything that the state machine leaves out: frames, the clock,
 * randomness, the store, counters and log messages. No decision about the
 * protocol is made here.
 */
#include "userspace/calf/dhcp4/agent.h"

#include <inttypes.h>
#include <string.h>

#include "userspace/calf/dhcp4/frame.h"
#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"
#include "userspace/calf/net/udp.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define STOP_POLL_NS NS_PER_MS
#define STOP_MAX_NS NS_PER_S
/* Unanswered messages until a missing server is logged: about 12 s. */
#define NO_ANSWER_TRIES 3

/* enum reason continues enum net_reason. */
_Static_assert((int)REASON_FRAME_TRUNCATED == (int)NET_TRUNCATED &&
		       (int)REASON_ARP_HEADER == (int)NET_ARP_HEADER &&
		       (int)NET_ARP_HEADER == (int)_NET_REASON_N - 1,
	       "reasons of frames");

static void log_lease(const struct client_lease *lease)
{
	struct value_ipv4_net net = { .address = lease->address,
				      .prefix_length = lease->prefix_length };
	char text[VALUE_IPV4_NET_SIZE], server[VALUE_IPV4_SIZE], seconds[VALUE_UINT_SIZE];

	value_format_ipv4(lease->server, server);
	if (lease->address.s_addr == INADDR_ANY) {
		log_info("received parameters from %s", server);
		return;
	}
	value_format_ipv4_net(&net, text);
	value_format_lifetime(lease->time_s, seconds);
	log_info("lease of %s from %s, seconds: %s", text, server, seconds);
}

static void log_lease_change(struct agent *agent, enum client_event_type type,
			     enum client_lease_action action)
{
	const struct client *client = &agent->client;
	uint16_t n_left_out = client->lease.parameters.n_left_out;

	if (action == CLIENT_LEASE_SET) {
		calf_metric_add(agent->calf, METRIC_LEASE_GRANTED, 1);
		log_lease(&client->lease);
		calf_metric_add(agent->calf, METRIC_LEFT_OUT, n_left_out);
		if (n_left_out > 0)
			log_warning(
				"the server sent more values than the limits allow; ignored: %" PRIu16,
				n_left_out);
		discard_log_flaws(&agent->discard_log, &client->lease.parameters.flaws,
				  client->lease.server);
	} else if (action == CLIENT_LEASE_LOST) {
		calf_metric_add(agent->calf, METRIC_LEASE_LOST, 1);
		if (type == CLIENT_RELEASE || type == CLIENT_STOP)
			log_info("lease released");
		else
			log_warning("lease lost");
	}
}

/* Every defence is logged; there is at most one per 10 s. Conflicts in between
 * are only counted. */
static void log_conflict(struct agent *agent, const struct client_event *event,
			 const struct client_actions *actions)
{
	char address[VALUE_IPV4_SIZE], mac[VALUE_MAC_SIZE];

	if (actions->conflict != CONFLICT_LOST &&
	    !(actions->conflict == CONFLICT_DEFENDED && actions->send_arp))
		return;
	value_format_mac(event->arp->arp.sender_mac, mac);
	if (actions->conflict == CONFLICT_LOST) {
		calf_metric_add(agent->calf, METRIC_CONFLICT, 1);
		value_format_ipv4(agent->client.declined, address);
		log_warning("giving up %s: in use by %s%s", address, mac,
			    actions->send ? "" :
					    "; not declining it, because too many were declined");
		if (actions->is_insisted)
			log_error("the server leases %s again and again, but %s uses it: change "
				  "one of them, or set conflict: off if that is no host's address",
				  address, mac);
	} else {
		value_format_ipv4(agent->client.lease.address, address);
		log_warning("defending %s: also used by %s", address, mac);
	}
}

/* Log once that no server answers, because the operator waits for the first
 * lease. */
static void log_no_answer(struct agent *agent, const struct client_event *event,
			  const struct client_actions *actions)
{
	const struct client *client = &agent->client;

	if (client->is_in_use)
		agent->no_answer_logged = false;
	if (client->is_in_use || agent->no_answer_logged || event->type != CLIENT_TIMEOUT ||
	    !actions->send || client->n_sent < NO_ANSWER_TRIES)
		return;
	agent->no_answer_logged = true;
	log_warning("no server has answered (%s) for %" PRIu64 " s; retrying",
		    client_state_name(client->state),
		    (event->now_ns - client->began_ns) / NS_PER_S);
}

static void carry_out(struct agent *agent, enum client_state before,
		      const struct client_event *event, const struct client_actions *actions)
{
	const struct client *client = &agent->client;
	bool is_shown = client->is_in_use || client->state == CLIENT_RELEASED ||
			before == CLIENT_RELEASED;

	loop_timer_set(&agent->timer, client->deadline_ns);
	/* Send frames first, because after the commit the address may no
	 * longer be a valid source. Log last, because the host waits for the
	 * commit. */
	if (actions->send)
		frame_send_message(agent->calf, &client->config.sender, actions);
	if (actions->send_arp)
		frame_send_arp(agent->calf, &actions->arp);
	if (actions->lease != CLIENT_LEASE_KEEP || (client->state != before && is_shown))
		publish_update(&agent->publisher, actions->lease == CLIENT_LEASE_SET);
	if (client->state != before) {
		log_info("%s -> %s", client_state_name(before), client_state_name(client->state));
		calf_metric_set(agent->calf, METRIC_STATE, client->state);
	}
	log_no_answer(agent, event, actions);
	log_conflict(agent, event, actions);
	log_lease_change(agent, event->type, actions->lease);
}

/* Pass an event to the client and carry out the actions. The caller sets only
 * the event's type and what belongs to that. Returns why the message was
 * discarded. */
static enum reason step(struct agent *agent, struct client_event *event)
{
	enum client_state before = agent->client.state;
	struct client_actions actions;

	event->now_ns = agent->calf->loop.now_ns();
	agent->calf->random(event->random, sizeof(event->random));
	client_step(&agent->client, event, &actions);
	carry_out(agent, before, event, &actions);
	return actions.discarded;
}

/* Count used messages by type; discarded ones are counted by their reason. */
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
		log_warning("the server refused the request: \"%s\"", message->text);
		break;
	default:
		break;
	}
}

/* Handle a message. Returns why it is discarded, and stores its server in
 * *server as far as it is known. */
static enum reason receive_message(struct agent *agent, struct bytes_reader frame,
				   struct in_addr *server)
{
	struct udp_frame headers = { 0 };
	struct message message;
	enum reason reason;
	int r = udp_frame_parse(&frame, &headers);

	*server = headers.ip.source;
	if (r != NET_OK)
		return (enum reason)r;
	/* from any port: a relay or a NAT may use its own (RFC 8357) */
	if (headers.udp.destination_port != DHCP4_CLIENT_PORT)
		return REASON_PORT;
	reason = message_parse(frame, &agent->settings.policy, &message);
	if (reason != REASON_NONE)
		return reason;
	if (message.has_server)
		*server = message.server;
	reason = step(agent, &(struct client_event){ .type = CLIENT_MESSAGE,
						     .message = &message,
						     .from_mac = headers.source_mac });
	if (reason == REASON_NONE)
		count_received(agent, &message);
	return reason;
}

/* Log, once per address, that ARP which looks like a conflict is none. */
static void log_ignored_claim(struct agent *agent, enum reason reason, const uint8_t mac[6])
{
	struct in_addr ours = agent->client.lease.address;
	char address[VALUE_IPV4_SIZE], text[VALUE_MAC_SIZE];
	bool is_server = !memcmp(agent->client.server_mac, mac, sizeof(agent->client.server_mac));

	if (!discard_log_count(&agent->discard_log, reason, ours))
		return;
	value_format_ipv4(ours, address);
	value_format_mac(mac, text);
	if (reason == REASON_ARP_HOST)
		log_info("keeping %s: %s, which also claims it, is another interface of this host",
			 address, text);
	else
		log_warning("keeping %s: %s, which also claims it, %s (proxy ARP)", address, text,
			    is_server ? "sent the lease" : "claimed other addresses before");
}

/* Return whether the frame or the packet is from another interface of this
 * host. */
static bool is_hosts_arp(const struct agent *agent, const struct arp_frame *arp)
{
	return host_macs_have(&agent->control.host_macs, arp->arp.sender_mac) ||
	       host_macs_have(&agent->control.host_macs, arp->source_mac);
}

/* Handle an ARP packet. Returns why it is discarded; if that is a claim that was
 * ignored, it is already counted and logged. */
static enum reason receive_arp(struct agent *agent, struct bytes_reader frame,
			       struct in_addr *sender)
{
	struct arp_frame arp;
	enum reason reason;
	int r = arp_frame_parse(&frame, &arp);

	*sender = arp.arp.sender;
	if (r != NET_OK)
		return (enum reason)r;
	reason = step(agent, &(struct client_event){ .type = CLIENT_ARP,
						     .arp = &arp,
						     .is_hosts_arp = is_hosts_arp(agent, &arp) });
	if (reason == REASON_NONE)
		calf_metric_add(agent->calf, METRIC_ARP_RECEIVED, 1);
	if (reason != REASON_ARP_HOST && reason != REASON_ARP_PROXY)
		return reason;
	log_ignored_claim(agent, reason, arp.arp.sender_mac);
	return REASON_NONE;
}

static void on_frame(struct calf *calf, const uint8_t *bytes, size_t size, void *data)
{
	struct agent *agent = data;
	struct in_addr from = { INADDR_ANY };
	struct bytes_reader frame, inside;
	struct eth_header header;
	enum reason reason;

	(void)calf;
	if (!agent->is_started)
		return; /* stale: sent to a previous run */
	bytes_reader_init(&frame, bytes, size);
	inside = frame;
	if (eth_parse(&inside, &header) == NET_OK && header.type == ETH_TYPE_ARP)
		reason = receive_arp(agent, frame, &from);
	else
		reason = receive_message(agent, frame, &from);
	discard_log_add(&agent->discard_log, reason, from);
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	step(data, &(struct client_event){ .type = CLIENT_TIMEOUT });
	return 0;
}

/* Exit when the store has all changes, but do not wait forever. */
static int on_stop(struct loop *loop, uint64_t now_ns, void *data)
{
	struct agent *agent = data;

	(void)loop;
	if (now_ns >= agent->stop_ns ||
	    (publish_is_idle(&agent->publisher) && control_is_idle(&agent->control)))
		calf_stop(agent->calf, 0);
	else
		loop_timer_set(&agent->stop, now_ns + STOP_POLL_NS);
	return 0;
}

static void on_control(enum client_event_type type, void *data)
{
	struct agent *agent = data;

	step(agent, &(struct client_event){ .type = type });
	if (type != CLIENT_STOP)
		return;
	agent->stop_ns = agent->calf->loop.now_ns() + STOP_MAX_NS;
	loop_timer_set(&agent->stop, agent->stop_ns - STOP_MAX_NS + STOP_POLL_NS);
}

/* Return the lease of a previous run, or NULL. A damaged one is logged. */
static const struct client_saved *read_saved(const struct agent *agent, struct client_saved *saved)
{
	const struct restore_values *values = &agent->restore.values;
	enum restore_key wrong;
	int r = restore_lease(values, &agent->settings.config, agent->calf->wall_clock(), saved,
			      &wrong);

	if (r == -EBADMSG)
		log_warning("saved lease: %s: invalid value \"%s\"; ignoring the lease",
			    restore_path(wrong), values->text[wrong]);
	return r ? NULL : saved;
}

static void on_restored(void *data)
{
	struct agent *agent = data;
	struct client_event event = { .type = CLIENT_START };
	struct client_saved saved;

	client_init(&agent->client, &agent->settings.config);
	event.saved = read_saved(agent, &saved);
	event.is_released = restore_is_released(&agent->restore.values);
	if (event.is_released)
		log_info("lease released by the operator; requesting none until "
			 "/control/dhcp4/renew is written or the instance is restarted");
	agent->is_started = true;
	step(agent, &event);
	if (control_start(&agent->control, agent->calf, on_control, agent) < 0 ||
	    host_name_follow(&agent->host_name, agent->calf, &agent->settings.values,
			     &agent->client.config.sender) < 0)
		calf_stop(agent->calf, -EIO);
}

static void on_stale_keys(void *data)
{
	struct agent *agent = data;
	int r;

	publish_begin(&agent->publisher, &agent->stale_keys.keys);
	r = restore_read(&agent->restore, agent->calf, on_restored, agent);
	if (r < 0)
		calf_stop(agent->calf, r);
}

static void on_settings(void *data)
{
	struct agent *agent = data;
	int r = stale_keys_read(&agent->stale_keys, agent->calf, &agent->settings.policy,
				on_stale_keys, agent);

	if (r < 0)
		calf_stop(agent->calf, r);
}

int agent_start(struct agent *agent, struct calf *calf)
{
	int r;

	memset(agent, 0, sizeof(*agent));
	agent->calf = calf;
	discard_log_init(&agent->discard_log, calf);
	calf_on_frame(calf, on_frame, agent);
	r = publish_init(&agent->publisher, calf, &agent->client, &agent->settings.policy,
			 agent->settings.values.withheld);
	if (!r)
		r = loop_add_timer(&calf->loop, &agent->timer, on_timer, agent);
	if (!r)
		r = loop_add_timer(&calf->loop, &agent->stop, on_stop, agent);
	if (r < 0) {
		log_error("event loop: cannot add a timer: %s", strerrordesc_np(-r));
		return r;
	}
	return settings_read(&agent->settings, calf, on_settings, agent);
}
