/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: RFC 5227 leaves open how a host that uses an address reacts to a
 * conflict (section 2.4). This one defends the address once per DEFEND_INTERVAL
 * and gives it up at the second conflict within that time. If so configured it
 * never gives up, but still announces at most once per interval, so that two
 * such hosts do not flood the network.
 *
 * These are not conflicts: our own packets that a bridge sent back; packets
 * without a sender MAC; probes that a switch sends in another host's name to
 * discover hosts (the MAC in the packet differs from the frame's).
 */
#include "userspace/calf/dhcp4/client/acd.h"

#include <string.h>

#include "userspace/calf/dhcp4/client/jitter.h"
#include "userspace/common/clock.h"

static const uint8_t no_mac[6];

/* A probe has sender 0.0.0.0, an announcement its own address; the target MAC
 * is not known and stays zero. */
static void send_arp(const struct conflict *conflict, struct in_addr sender,
		     struct conflict_actions *actions)
{
	const uint8_t *mac = conflict->config.mac;
	struct arp_frame *frame = &actions->frame;

	actions->send = true;
	*frame = (struct arp_frame){
		.arp = { .operation = ARP_REQUEST, .sender = sender, .target = conflict->address },
	};
	memcpy(frame->source_mac, mac, sizeof(frame->source_mac));
	memset(frame->destination_mac, 0xff, sizeof(frame->destination_mac));
	memcpy(frame->arp.sender_mac, mac, sizeof(frame->arp.sender_mac));
}

void conflict_start(struct conflict *conflict, const struct conflict_config *config,
		    struct in_addr address, uint64_t now_ns, uint32_t random)
{
	*conflict = (struct conflict){
		.config = *config,
		.phase = CONFLICT_PROBING,
		.address = address,
		.deadline_ns = now_ns + jitter(0, CONFLICT_PROBE_WAIT_MS * NS_PER_MS, random),
	};
}

void conflict_stop(struct conflict *conflict)
{
	*conflict = CONFLICT_NULL;
}

static void probe(struct conflict *conflict, uint64_t now_ns, uint32_t random,
		  struct conflict_actions *actions)
{
	if (conflict->n_sent == CONFLICT_PROBE_NUM) {
		actions->result = CONFLICT_FREE;
		conflict->phase = CONFLICT_ANNOUNCING;
		conflict->n_sent = 0;
		return;
	}
	conflict->n_sent++;
	send_arp(conflict, (struct in_addr){ INADDR_ANY }, actions);
	if (conflict->n_sent == CONFLICT_PROBE_NUM)
		conflict->deadline_ns = now_ns + CONFLICT_ANNOUNCE_WAIT_MS * NS_PER_MS;
	else
		conflict->deadline_ns = now_ns + jitter(CONFLICT_PROBE_MIN_MS * NS_PER_MS,
							CONFLICT_PROBE_MAX_MS * NS_PER_MS, random);
}

static void announce(struct conflict *conflict, uint64_t now_ns, struct conflict_actions *actions)
{
	conflict->n_sent++;
	send_arp(conflict, conflict->address, actions);
	conflict->deadline_ns = now_ns + CONFLICT_ANNOUNCE_INTERVAL_MS * NS_PER_MS;
	if (conflict->n_sent == CONFLICT_ANNOUNCE_NUM) {
		conflict->phase = CONFLICT_DEFENDING;
		conflict->deadline_ns = CONFLICT_NEVER;
	}
}

void conflict_timeout(struct conflict *conflict, uint64_t now_ns, uint32_t random,
		      struct conflict_actions *actions)
{
	*actions = (struct conflict_actions){ 0 };
	if (now_ns < conflict->deadline_ns)
		return;
	if (conflict->phase == CONFLICT_PROBING)
		probe(conflict, now_ns, random, actions);
	/* the first announcement is sent as soon as probing is over */
	if (conflict->phase == CONFLICT_ANNOUNCING)
		announce(conflict, now_ns, actions);
}

bool conflict_is_claimed(const struct conflict *conflict, const struct arp_frame *frame)
{
	const struct arp_packet *arp = &frame->arp;

	if (conflict->phase == CONFLICT_IDLE ||
	    memcmp(arp->sender_mac, no_mac, sizeof(no_mac)) == 0 ||
	    memcmp(arp->sender_mac, conflict->config.mac, sizeof(arp->sender_mac)) == 0 ||
	    memcmp(frame->source_mac, conflict->config.mac, sizeof(frame->source_mac)) == 0)
		return false;
	if (arp->sender.s_addr == conflict->address.s_addr)
		return true;
	return conflict->phase == CONFLICT_PROBING && conflict->config.watch_probes &&
	       arp->operation == ARP_REQUEST && arp->sender.s_addr == INADDR_ANY &&
	       arp->target.s_addr == conflict->address.s_addr &&
	       memcmp(arp->sender_mac, frame->source_mac, sizeof(arp->sender_mac)) == 0;
}

static void defend(struct conflict *conflict, uint64_t now_ns, struct conflict_actions *actions)
{
	bool is_recent = conflict->has_defended &&
			 now_ns - conflict->defended_ns < CONFLICT_DEFEND_INTERVAL_MS * NS_PER_MS;

	if (is_recent && !conflict->config.defend_always) {
		actions->result = CONFLICT_LOST;
		conflict_stop(conflict);
		return;
	}
	actions->result = CONFLICT_DEFENDED;
	if (is_recent)
		return;
	conflict->has_defended = true;
	conflict->defended_ns = now_ns;
	send_arp(conflict, conflict->address, actions);
}

void conflict_receive(struct conflict *conflict, const struct arp_frame *frame, uint64_t now_ns,
		      struct conflict_actions *actions)
{
	*actions = (struct conflict_actions){ 0 };
	if (!conflict_is_claimed(conflict, frame))
		return;
	if (conflict->phase == CONFLICT_PROBING) {
		actions->result = CONFLICT_LOST;
		conflict_stop(conflict);
	} else {
		defend(conflict, now_ns, actions);
	}
}
