/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the state machine. The input is a configuration, possibly a
 * saved lease, and then events with their times: messages that match or do not, ARP
 * packets, link changes, requests of the operator, and timers that fire on time,
 * late, or after a suspend.
 *
 * Besides crashes, it checks that discarded messages change nothing; that nothing
 * is sent while the link is down; that every message sent can be built and has only
 * the contents that its state permits; that an address is used only from the time
 * when it was granted until it was lost, never beyond its lease, which only an ACK
 * extends; and that every deadline is handled in a bounded number of steps.
 */
#include "tests/fuzz/dhcp4.h"
#include "userspace/calf/dhcp4/client/client.h"

#define S 1000000000ull
#define TIMEOUTS_MAX 4 /* at one point in time: the expiry, and what starts then */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0x77, 2 };

static struct client client, before;
static struct client_actions actions;
static struct message message;
static uint64_t now_ns;
static uint64_t random_state;
static bool is_link_down;

/* The address that the host uses, and until when. */
static bool is_used;
static struct in_addr used_address;
static uint64_t used_until_ns;

/* When messages with this xid were sent. */
static uint32_t sent_xid;
static uint64_t sent_first_ns, sent_last_ns;

/* Few addresses, so that they collide: ours, those of others, and invalid ones. */
static struct in_addr take_address(struct bytes_reader *data)
{
	static const uint32_t addresses[] = { 0,	  0xc000020a, 0xc000020b, 0xc0000201,
					      0xc0000202, 0xa9fe0101, 0xffffffff, 0x7f000001 };

	return (struct in_addr){ htonl(addresses[bytes_u8(data) % 8]) };
}

static void take_config(struct bytes_reader *data, struct client_config *config)
{
	const struct message_policy policy = { 0 };
	uint8_t bits = bytes_u8(data), more = bytes_u8(data);

	*config = (struct client_config){
		.broadcast = bits & 1,
		.no_rapid_commit = bits & 2,
		.accept_link_local = bits & 4,
		.no_reboot = bits & 8,
		.release_at_stop = bits & 16,
		.defend_always = bits & 32,
		.conflict = (enum client_conflict)((bits >> 6) % 3),
		.start_delay_ms = more & 1 ? 10000 : CLIENT_START_DELAY_MS,
		.first_retransmission_ms = more & 2 ? 1000 : CLIENT_FIRST_RETRANSMISSION_MS,
		.fallback_lease_s = more & 4 ? 60 : LEASE_TIME_FALLBACK_S,
	};
	message_sender_init(&config->sender, our_mac, &policy);
	if (more & 8)
		config->requested = take_address(data);
	if (more & 16)
		config->inform = (struct in_addr){ htonl(0xc000020a) };
	if (more & 32)
		config->allowed[config->n_allowed++] = take_address(data);
	if (more & 64)
		config->denied[config->n_denied++] = take_address(data);
}

static void check_message_sent(void)
{
	const struct message_request *request = &actions.request;
	bool has_source = actions.source.s_addr != 0;
	uint8_t buffer[MESSAGE_SIZE_MAX];

	CHECK(message_build(&client.config.sender, request, buffer, sizeof(buffer)) >=
	      MESSAGE_SIZE_MIN);
	CHECK(actions.destination.s_addr != 0);
	switch (request->type) {
	case MESSAGE_DISCOVER:
		CHECK(!has_source && !request->has_server && request->ciaddr.s_addr == 0);
		CHECK(actions.destination.s_addr == INADDR_BROADCAST);
		break;
	case MESSAGE_REQUEST:
		/* either with our address or requesting one, never both */
		CHECK((request->ciaddr.s_addr != 0) != (request->requested.s_addr != 0));
		CHECK(request->ciaddr.s_addr == 0 || !request->has_server);
		CHECK(request->ciaddr.s_addr == actions.source.s_addr);
		break;
	case MESSAGE_DECLINE:
		CHECK(!has_source && request->has_server && request->requested.s_addr != 0);
		CHECK(actions.destination.s_addr == INADDR_BROADCAST);
		break;
	case MESSAGE_RELEASE:
		CHECK(request->ciaddr.s_addr != 0 && request->requested.s_addr == 0);
		break;
	case MESSAGE_INFORM:
		CHECK(request->ciaddr.s_addr == client.config.inform.s_addr);
		CHECK(request->requested.s_addr == 0 && !request->has_server);
		break;
	default:
		CHECK(false);
	}
	/* Only an address that was ours when the event arrived. */
	CHECK(!has_source || (is_used && actions.source.s_addr == used_address.s_addr));
	if (request->xid != sent_xid)
		sent_first_ns = now_ns;
	sent_xid = request->xid;
	sent_last_ns = now_ns;
}

static void check_arp_sent(void)
{
	const struct arp_packet *arp = &actions.arp.arp;

	CHECK(client.config.conflict != CLIENT_CONFLICT_OFF);
	CHECK(memcmp(arp->sender_mac, our_mac, sizeof(our_mac)) == 0);
	CHECK(memcmp(actions.arp.source_mac, our_mac, sizeof(our_mac)) == 0);
	CHECK(arp->operation == ARP_REQUEST);
	CHECK(arp->sender.s_addr == 0 || arp->sender.s_addr == arp->target.s_addr);
	CHECK(before.has_lease || client.has_lease);
	CHECK(arp->target.s_addr == client.lease.address.s_addr);
}

/* Only an ACK in response to our message starts a lease or changes its end. */
static void check_lease_begins(const struct client_event *event)
{
	const struct client_lease *lease = &client.lease;
	uint32_t time_s = message.lease_s;
	bool is_extended = before.has_lease &&
			   before.lease.address.s_addr == message.yiaddr.s_addr &&
			   (before.state == CLIENT_RENEWING || before.state == CLIENT_REBINDING ||
			    before.state == CLIENT_REBOOTING);

	if (time_s == 0 && is_extended)
		time_s = before.lease.time_s;
	if (time_s == 0)
		time_s = client.config.fallback_lease_s;
	if (lease->address.s_addr == 0 ||
	    (before.has_lease && before.is_in_use && before.lease.start_ns == lease->start_ns &&
	     before.lease.expires_ns == lease->expires_ns))
		return;
	CHECK(event->type == CLIENT_MESSAGE && message.type == MESSAGE_ACK);
	CHECK(lease->address.s_addr == message.yiaddr.s_addr);
	CHECK(message.xid == sent_xid);
	CHECK(lease->start_ns >= sent_first_ns && lease->start_ns <= sent_last_ns);
	if (time_s < LEASE_TIME_MIN_S)
		time_s = LEASE_TIME_MIN_S;
	CHECK(lease->expires_ns ==
	      (time_s == CLIENT_INFINITE ? CLIENT_NEVER : lease->start_ns + time_s * S));
	CHECK(lease->t1_ns <= lease->t2_ns && lease->t2_ns <= lease->expires_ns);
}

static void follow_lease(const struct client_event *event)
{
	bool is_ours = client.has_lease && client.is_in_use && client.lease.address.s_addr != 0;

	if (client.has_lease && memcmp(&before.lease, &client.lease, sizeof(client.lease)) != 0 &&
	    event->type != CLIENT_START)
		check_lease_begins(event);
	if (actions.lease == CLIENT_LEASE_LOST)
		is_used = false;
	if (actions.lease == CLIENT_LEASE_SET && client.lease.address.s_addr != 0) {
		is_used = true;
		used_address = client.lease.address;
		used_until_ns = client.lease.expires_ns;
	}
	CHECK(is_used == is_ours);
	if (!is_used)
		return;
	CHECK(client.lease.address.s_addr == used_address.s_addr);
	CHECK(client.lease.expires_ns == used_until_ns);
	/* a saved lease may be over; the next timeout notices that */
	CHECK(used_until_ns > now_ns || event->type == CLIENT_START);
}

/* Nothing has changed, except that a lease may have expired. */
static void check_discarded(const struct client_event *event)
{
	bool is_over = before.has_lease && before.lease.expires_ns <= now_ns;

	CHECK(event->type == CLIENT_MESSAGE || event->type == CLIENT_ARP);
	CHECK(!actions.send && !actions.send_arp);
	CHECK(actions.lease == (is_over ? CLIENT_LEASE_LOST : CLIENT_LEASE_KEEP));
	CHECK(is_over || memcmp(&before, &client, sizeof(client)) == 0);
}

static void step(struct client_event *event)
{
	event->now_ns = now_ns;
	for (size_t i = 0; i < CLIENT_RANDOM_N; i++) {
		random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
		event->random[i] = (uint32_t)(random_state >> 32);
	}
	before = client;
	client_step(&client, event, &actions);
	CHECK(client.state < _CLIENT_STATE_N);
	CHECK(actions.discarded < _REASON_N);
	if (actions.discarded != REASON_NONE)
		check_discarded(event);
	if (event->type == CLIENT_LINK_DOWN)
		is_link_down = true;
	else if (event->type == CLIENT_LINK_UP)
		is_link_down = false;
	CHECK(!is_link_down || (!actions.send && !actions.send_arp));
	if (event->type == CLIENT_START && client.has_lease && client.is_in_use) {
		is_used = true; /* by the host, from a previous run */
		used_address = client.lease.address;
		used_until_ns = client.lease.expires_ns;
	}
	if (actions.send)
		check_message_sent();
	if (actions.send_arp)
		check_arp_sent();
	follow_lease(event);
}

static void simple(enum client_event_type type)
{
	struct client_event event = { .type = type };

	step(&event);
}

/* Act as a caller that sleeps until the deadline and may wake up late. */
static void let_pass(uint64_t until_ns, bool punctual)
{
	unsigned int n = 0;

	if (punctual && client.deadline_ns != CLIENT_NEVER && client.deadline_ns < until_ns)
		until_ns = client.deadline_ns;
	if (until_ns > now_ns)
		now_ns = until_ns;
	while (client.deadline_ns <= now_ns) {
		simple(CLIENT_TIMEOUT);
		CHECK(++n <= TIMEOUTS_MAX);
	}
}

static void take_message(struct bytes_reader *data)
{
	static const uint8_t types[] = { MESSAGE_OFFER, MESSAGE_ACK, MESSAGE_NAK,
					 MESSAGE_FORCERENEW };
	uint8_t bits = bytes_u8(data), more = bytes_u8(data);
	struct client_event event = { .type = CLIENT_MESSAGE, .message = &message };

	memset(&message, 0, sizeof(message));
	message.type = types[bits & 3];
	message.xid = client.xid + !(bits & 4);
	memcpy(message.chaddr, our_mac, sizeof(message.chaddr));
	message.chaddr[5] ^= !(bits & 8);
	message.yiaddr = take_address(data);
	message.has_server = bits & 16;
	if (message.has_server)
		message.server = take_address(data);
	message.has_lease_time = bits & 32;
	if (message.has_lease_time)
		message.lease_s = bits & 64 ? bytes_be32(data) : bytes_u8(data);
	if (bits & 128) {
		message.t1_s = bytes_be16(data);
		message.t2_s = bytes_be16(data);
	}
	message.has_rapid_commit = more & 1;
	message.has_auto_configure = more & 2;
	message.has_client_id = more & 4;
	if (message.has_client_id) {
		message.client_id_size = client.config.sender.client_id_size;
		memcpy(message.client_id, client.config.sender.client_id,
		       sizeof(message.client_id));
		message.client_id[0] ^= more & 8;
	}
	message.parameters.has_ipv6_only = more & 16;
	if (more & 16)
		message.parameters.ipv6_only_s = bytes_be16(data);
	step(&event);
}

static void take_arp(struct bytes_reader *data)
{
	uint8_t bits = bytes_u8(data);
	struct arp_frame frame = {
		.arp = { .operation = bits & 1 ? ARP_REPLY : ARP_REQUEST,
			 .sender = take_address(data),
			 .target = take_address(data) },
	};
	struct client_event event = { .type = CLIENT_ARP, .arp = &frame };

	if (bits & 2)
		memcpy(frame.arp.sender_mac, our_mac, sizeof(our_mac));
	else if (bits & 4)
		frame.arp.sender_mac[5] = 1;
	memcpy(frame.source_mac, frame.arp.sender_mac, sizeof(frame.source_mac));
	if (bits & 8)
		frame.source_mac[5] ^= 1;
	step(&event);
}

static void start(struct bytes_reader *data)
{
	struct client_config config;
	struct client_saved saved = { 0 };
	struct client_event event = { .type = CLIENT_START };
	uint8_t bits;

	take_config(data, &config);
	client_init(&client, &config);
	bits = bytes_u8(data);
	if (bits & 1) {
		saved.address = (struct in_addr){ htonl(0xc000020a + (bits >> 7)) };
		saved.server = take_address(data);
		saved.left_s = bits & 2 ? bytes_be32(data) : CLIENT_INFINITE;
		saved.is_over = bits & 4;
		saved.is_configured = bits & 8;
		event.saved = &saved;
	}
	event.is_released = (bits & 17) == 16;
	step(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bytes_reader data;

	bytes_reader_init(&data, bytes, size);
	now_ns = 1000 * S;
	random_state = bytes_be32(&data);
	is_link_down = is_used = false;
	sent_xid = 0;
	sent_first_ns = sent_last_ns = 0;
	start(&data);
	while (bytes_left(&data) > 0) {
		uint8_t event = bytes_u8(&data);

		switch (event & 15) {
		case 0: /* until the next deadline, or a while if there is none */
		case 1:
		case 2:
		case 3:
			let_pass(now_ns + 3600 * S, true);
			break;
		case 4: /* less than a second */
			let_pass(now_ns + (uint64_t)(event >> 4) * S / 16, true);
			break;
		case 5: /* a suspend: minutes or years */
			let_pass(now_ns + (60 * S << (event >> 4)), false);
			break;
		case 6: /* time passes, and another event comes before the timer */
			now_ns += S << (event >> 4);
			break;
		case 7:
		case 8:
			take_arp(&data);
			break;
		case 9:
			simple(event & 16 ? CLIENT_LINK_DOWN : CLIENT_LINK_UP);
			break;
		case 10:
			simple(event & 16 ? CLIENT_RENEW : CLIENT_RELEASE);
			break;
		case 11:
			if (!(event & 16))
				break;
			simple(CLIENT_STOP);
			return 0;
		default:
			take_message(&data);
		}
	}
	return 0;
}
