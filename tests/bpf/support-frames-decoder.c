/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-frames-decoder.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#define RULE_MAX 1514 /* max_frame of the tests' rule */
#define NS_PER_S 1000000000ull

/* -- what a frame says -- */

struct decoded {
	const uint8_t *bytes;
	int64_t size, type;
	/* -1 where the frame ends before */
	int64_t version, header, total, fragment, protocol, source, destination;
	int64_t udp, source_port, port, udp_length;
	int64_t bootp, op, htype, hlen, xid, yiaddr, chaddr, cookie;
};

static int64_t field(const struct decoded *d, int64_t at, int n)
{
	int64_t value = 0;

	if (at < 0 || at + n > d->size)
		return -1;
	for (int i = 0; i < n; i++)
		value = value << 8 | d->bytes[at + i];
	return value;
}

static int64_t mac_number(const uint8_t mac[6])
{
	int64_t value = 0;

	for (int i = 0; i < 6; i++)
		value = value << 8 | mac[i];
	return value;
}

static struct decoded decode(const struct grammar_frame *frame, int64_t header)
{
	struct decoded d = { .bytes = frame->bytes, .size = frame->size };

	d.type = field(&d, 12, 2);
	d.version = field(&d, 14, 1) >> 4;
	d.header = header ? header : (field(&d, 14, 1) & 15) * 4;
	d.total = field(&d, 16, 2);
	d.fragment = field(&d, 20, 2) & 0x3fff;
	d.protocol = field(&d, 23, 1);
	d.source = field(&d, 26, 4);
	d.destination = field(&d, 30, 4);
	d.udp = 14 + d.header + 8 <= d.size ? 14 + d.header : -1;
	d.source_port = d.udp < 0 ? -1 : field(&d, d.udp, 2);
	d.port = d.udp < 0 ? -1 : field(&d, d.udp + 2, 2);
	d.udp_length = d.udp < 0 ? -1 : field(&d, d.udp + 4, 2);
	d.bootp = d.udp >= 0 && d.udp + 8 + 240 <= d.size ? d.udp + 8 : -1;
	if (d.bootp < 0)
		return d;
	d.op = field(&d, d.bootp, 1);
	d.htype = field(&d, d.bootp + 1, 1);
	d.hlen = field(&d, d.bootp + 2, 1);
	d.xid = field(&d, d.bootp + 4, 4);
	d.yiaddr = field(&d, d.bootp + 16, 4);
	d.chaddr = field(&d, d.bootp + 28, 6);
	d.cookie = field(&d, d.bootp + 236, 4);
	return d;
}

/* -- what the filter remembers -- */

struct frames_decoder decoder;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static bool is_before(uint64_t deadline)
{
	uint64_t t = now();

	if (deadline > t - NS_PER_S && deadline < t + NS_PER_S)
		decoder.is_unsure = true;
	return t < deadline;
}

static void add_peer(int64_t address)
{
	for (int i = 0; i < FRAME_PEERS_MAX; i++)
		if (address == 0 || decoder.peers[i] == address)
			return;
	decoder.peers[decoder.next_peer++ % FRAME_PEERS_MAX] = address;
}

static int find_watched(int64_t address)
{
	for (int i = 0; i < FRAME_WATCHED_MAX; i++)
		if (address > 0 && decoder.watched[i] == address)
			return i;
	return -1;
}

static void add_watched(int64_t address)
{
	uint32_t i;

	if (address == 0 || find_watched(address) >= 0)
		return;
	i = decoder.next_watched++ % FRAME_WATCHED_MAX;
	if (decoder.watched[i] != 0 && decoder.watched[i] == decoder.leased)
		i = decoder.next_watched++ % FRAME_WATCHED_MAX;
	decoder.watched[i] = address;
	decoder.probing_ends[i] = 0;
}

/* Add option 54 of one field to the first four octets of it. Returns option 52, or 0. */
static int64_t read_field(const struct decoded *d, int64_t at, int64_t end, uint8_t server[4],
			  int *n_server)
{
	int64_t overload = 0;

	while (at < end && d->bytes[at] != 255) {
		int64_t size = at + 1 < end ? d->bytes[at + 1] : 256, data = at + 2;

		if (d->bytes[at] == 0) {
			at++;
			continue;
		}
		if (data + size > end)
			break;
		if (d->bytes[at] == 52 && size > 0 && overload == 0 && d->bytes[data] <= 3)
			overload = d->bytes[data];
		for (int64_t i = 0; d->bytes[at] == 54 && i < size && *n_server < 4; i++)
			server[(*n_server)++] = d->bytes[data + i];
		at = data + size;
	}
	return overload;
}

/* Option 54, joined from its parts, also in `file` and `sname` if option 52 says so. */
static int64_t find_server(const struct decoded *d)
{
	int64_t sname = d->bootp + 44, file = d->bootp + 108, cookie = d->bootp + 236, overload;
	uint8_t server[4];
	int n = 0;

	overload = read_field(d, cookie + 4, d->udp + d->udp_length, server, &n);
	if (overload & 1)
		(void)read_field(d, file, cookie, server, &n);
	if (overload & 2)
		(void)read_field(d, sname, file, server, &n);
	return n < 4 ? 0 : (int64_t)server[0] << 24 | server[1] << 16 | server[2] << 8 | server[3];
}

/* -- what becomes of it -- */

/* A right checksum makes all words of a header sum up to 0xffff. */
static bool is_right(const struct decoded *d)
{
	int64_t sum = 0;

	for (int64_t at = 14; at < 14 + d->header; at += 2)
		sum += field(d, at, 2);
	return sum % 0xffff == 0;
}

/* Return whether the reply was admitted before, since the last request with its
 * xid. Otherwise it is admitted now, and kept, unless its copies cannot be
 * recognised. */
static bool is_copy(const struct decoded *d)
{
	uint32_t slot = (uint32_t)(d->xid % FRAME_XIDS_MAX);
	uint32_t size = (uint32_t)(8 + d->udp_length);
	struct frames_decoder_reply *replies = decoder.replies[slot % 4], *reply;

	if (d->header != 20 || !is_right(d))
		return false;
	for (int i = 0; i < 8; i++)
		if (replies[i].request == decoder.requests[slot] && replies[i].size == size &&
		    memcmp(replies[i].bytes, d->bytes + 26, size) == 0)
			return true;
	reply = &replies[decoder.n_replies[slot]++ % 8];
	reply->request = decoder.requests[slot];
	reply->size = size;
	memcpy(reply->bytes, d->bytes + 26, size);
	return false;
}

/* The frame without its priority tags, of which there may be two. */
static struct grammar_frame without_priority(const struct grammar_frame *frame)
{
	struct grammar_frame plain = *frame;

	for (int i = 0; i < 2 && plain.size >= 18; i++) {
		int type = plain.bytes[12] << 8 | plain.bytes[13];

		if ((type != 0x8100 && type != 0x88a8) || plain.bytes[14] % 16 != 0 ||
		    plain.bytes[15] != 0)
			break;
		plain.size -= 4;
		memmove(plain.bytes + 12, plain.bytes + 16, plain.size - 12);
	}
	return plain;
}

static uint32_t judge_reply(const struct grammar_frame *frame)
{
	const struct decoded d = decode(frame, 0);
	bool is_ours = d.protocol == 17 && (d.fragment & 0x1fff) == 0 && d.header >= 20 &&
		       d.port == 68;

	if (!is_ours)
		return FRAME_IN_NOT_OURS;
	if (d.fragment)
		return FRAME_IN_FRAGMENT;
	if (d.bootp < 0)
		return FRAME_IN_TRUNCATED;
	if (d.chaddr != mac_number(decoder.mac))
		return FRAME_IN_OTHER_CHADDR;
	if (d.version != 4 || d.total + 14 > d.size || d.total < d.header + 8)
		return FRAME_IN_IP_HEADER;
	if (d.udp_length < 248 || d.udp_length + d.header > d.total)
		return FRAME_IN_UDP_LENGTH;
	if (d.size > RULE_MAX)
		return FRAME_IN_TOO_LONG;
	if (d.op != 2)
		return FRAME_IN_NOT_REPLY;
	if (d.htype != 1 || d.hlen != 6)
		return FRAME_IN_HARDWARE;
	if (d.cookie != 0x63825363)
		return FRAME_IN_COOKIE;
	if (field(&d, d.bootp + 240, 3) == 0x350109)
		return FRAME_IN_FORCERENEW;
	if (decoder.xids[d.xid % FRAME_XIDS_MAX] != d.xid ||
	    !is_before(decoder.xid_ends[d.xid % FRAME_XIDS_MAX]))
		return decoder.pass_foreign ? FRAME_IN_FOREIGN_XID : FRAME_IN_UNKNOWN_XID;
	if (is_copy(&d))
		return FRAME_IN_REPLAYED;
	add_peer(d.source);
	add_watched(d.yiaddr);
	add_peer(find_server(&d));
	return FRAME_IN_ACCEPTED;
}

/* When the last ACK for the address came, 0: never. */
static uint64_t witnessed_at(int64_t address)
{
	uint64_t newest = 0;

	for (int i = 0; i < FRAME_WITNESSED_MAX; i++) {
		const struct frame_witnessed *ack = &decoder.witness.slot[i];

		if (address > 0 && ntohl(ack->address) == address && ack->ack_ns > newest)
			newest = ack->ack_ns;
	}
	return newest;
}

static uint32_t judge_arp_in(const struct grammar_frame *frame)
{
	const struct decoded d = { .bytes = frame->bytes, .size = frame->size };
	int64_t operation = field(&d, 20, 2), sender = field(&d, 28, 4), target = field(&d, 38, 4);
	int64_t address = sender == 0 && operation == 1 ? target : sender;
	bool is_probe = sender == 0, is_probing;
	int i = find_watched(address);

	/* types and sizes in one number */
	if (d.size < 42 || field(&d, 14, 6) != 0x000108000604 || operation < 1 || operation > 2 ||
	    i < 0 || field(&d, 22, 6) == mac_number(decoder.mac))
		return FRAME_IN_NOT_OURS;
	is_probing = is_before(decoder.probing_ends[i]);
	if (address == decoder.leased)
		return is_probe ? FRAME_IN_NOT_OURS : FRAME_IN_ARP;
	if (!is_probing && !is_probe && !decoder.leased && witnessed_at(address))
		is_probing = is_before(witnessed_at(address) + FRAME_FRESH_NS);
	return is_probing ? FRAME_IN_ARP : FRAME_IN_NOT_OURS;
}

static uint32_t judge_in(const struct grammar_frame *frame)
{
	switch (frame->bytes[12] << 8 | frame->bytes[13]) {
	case 0x8100:
	case 0x88a8:
		return FRAME_IN_VLAN;
	case 0x0800:
		return judge_reply(frame);
	case 0x0806:
		return judge_arp_in(frame);
	default:
		return FRAME_IN_NOT_OURS;
	}
}

uint32_t frames_decoder_in(const struct grammar_frame *frame)
{
	static struct grammar_frame plain;
	bool is_arp;
	uint32_t reason;

	plain = without_priority(frame);
	is_arp = plain.bytes[12] == 0x08 && plain.bytes[13] == 0x06;
	reason = judge_in(&plain);

	return decoder.is_closed && !is_arp && reason < FRAME_IN_ACCEPTED ? FRAME_IN_QUARANTINE :
									    reason;
}

static bool is_peer(int64_t address)
{
	for (int i = 0; i < FRAME_PEERS_MAX; i++)
		if (address != 0 && decoder.peers[i] == address)
			return true;
	return false;
}

static bool is_clients_option(int64_t code)
{
	return (code >= 53 && code <= 57) || code == 12 || code == 50 || code == 60 || code == 61 ||
	       code == 77 || code == 80 || code == 81;
}

/* What a client says. `requested` is option 50, 0 if there is none. */
struct said {
	int64_t type, requested;
	int64_t client_id, client_id_size; /* with its length octet; 0: none */
};

/* Return whether the options are a client's and nothing is behind END. */
static bool take_options(const struct decoded *d, struct said *said)
{
	static const int sizes[256] = {
		[53] = 1 + 1, [50] = 4 + 1, [54] = 4 + 1, [57] = 2 + 1, [80] = 0 + 1
	};
	bool is_there[256] = { false };
	int64_t at = d->bootp + 240;

	*said = (struct said){ .type = field(d, at + 2, 1) };
	if (field(d, at, 2) != 0x3501)
		return false;
	for (;;) {
		int64_t code = field(d, at, 1), size = field(d, at + 1, 1);

		if (code == 255)
			break;
		if (!is_clients_option(code) || size < 0 || at + 2 + size > d->size)
			return false;
		if (sizes[code] && sizes[code] != size + 1)
			return false;
		if (is_there[code] && (sizes[code] || code == 61))
			return false;
		is_there[code] = true;
		if (code == 50)
			said->requested = field(d, at + 2, 4);
		if (code == 61) {
			said->client_id = at + 1;
			said->client_id_size = 1 + size;
		}
		at += 2 + size;
	}
	while (++at < d->size)
		if (d->bytes[at] != 0)
			return false;
	return true;
}

static uint32_t judge_addresses(const struct decoded *d, const struct said *said)
{
	const int64_t ciaddr = field(d, d->bootp + 12, 4), leased = decoder.leased;

	switch (said->type) {
	case 1:
		return ciaddr ? FRAME_OUT_CIADDR : FRAME_OUT_ACCEPTED;
	case 3:
		return ciaddr && ciaddr != leased ? FRAME_OUT_CIADDR : FRAME_OUT_ACCEPTED;
	case 4:
		if (ciaddr)
			return FRAME_OUT_CIADDR;
		return witnessed_at(said->requested) ? FRAME_OUT_ACCEPTED : FRAME_OUT_NOT_WITNESSED;
	case 7:
		if (ciaddr != leased)
			return FRAME_OUT_CIADDR;
		return witnessed_at(ciaddr) ? FRAME_OUT_ACCEPTED : FRAME_OUT_NOT_WITNESSED;
	case 8:
		return ciaddr && ciaddr == leased ? FRAME_OUT_ACCEPTED : FRAME_OUT_CIADDR;
	default:
		return FRAME_OUT_MESSAGE;
	}
}

static uint32_t judge_message(const struct decoded *d)
{
	struct said said;
	uint32_t reason;

	if (d->size - d->bootp > 548)
		return FRAME_OUT_TOO_LONG;
	if (field(d, d->bootp + 3, 1) || (field(d, d->bootp + 10, 2) & 0x7fff) || d->yiaddr ||
	    field(d, d->bootp + 20, 4) || field(d, d->bootp + 24, 4))
		return FRAME_OUT_RELAY;
	for (int64_t at = d->bootp + 34; at < d->bootp + 236; at++)
		if (d->bytes[at] != 0)
			return FRAME_OUT_RELAY;
	if (!take_options(d, &said))
		return FRAME_OUT_MESSAGE;
	reason = judge_addresses(d, &said);
	if (reason != FRAME_OUT_ACCEPTED)
		return reason;
	if (!decoder.has_identity) {
		decoder.has_identity = true;
		decoder.identity_size = said.client_id_size;
		memcpy(decoder.identity, d->bytes + said.client_id, (size_t)said.client_id_size);
	}
	return said.client_id_size == decoder.identity_size &&
			       !memcmp(decoder.identity, d->bytes + said.client_id,
				       (size_t)said.client_id_size) ?
		       FRAME_OUT_ACCEPTED :
		       FRAME_OUT_CLIENT_ID;
}

/* The leased subnet is a /24 (test-frames-property.c). */
static bool is_no_host(int64_t address)
{
	int64_t first = address >> 24;

	return first == 0 || first == 127 || first > 223 || address == (decoder.leased | 0xff);
}

static uint32_t judge_request(const struct grammar_frame *frame)
{
	const struct decoded d = decode(frame, 20);
	bool is_broadcast = d.destination == 0xffffffff, is_from_leased;
	uint32_t reason;

	if (d.size < 42)
		return FRAME_OUT_TRUNCATED;
	if (d.protocol != 17)
		return FRAME_OUT_NO_RULE;
	if (d.fragment)
		return FRAME_OUT_FRAGMENT;
	if (frame->bytes[14] != 0x45 || d.total + 14 != d.size)
		return FRAME_OUT_IP_HEADER;
	if (d.source_port != 68 || d.port != 67)
		return FRAME_OUT_PORT;
	if (d.udp_length + 20 != d.total)
		return FRAME_OUT_UDP_LENGTH;
	if (d.bootp < 0)
		return FRAME_OUT_TRUNCATED;
	if (d.size > RULE_MAX)
		return FRAME_OUT_TOO_LONG;
	if (d.op != 1)
		return FRAME_OUT_NOT_REQUEST;
	if (d.htype != 1 || d.hlen != 6 || d.chaddr != mac_number(decoder.mac))
		return FRAME_OUT_HARDWARE;
	if (d.cookie != 0x63825363)
		return FRAME_OUT_COOKIE;
	if (is_broadcast ? field(&d, 0, 6) != 0xffffffffffff : d.bytes[0] % 2 == 1)
		return FRAME_OUT_DESTINATION_MAC;
	is_from_leased = decoder.leased != 0 && d.source == decoder.leased;
	if (is_broadcast && !is_from_leased && d.source != 0)
		return FRAME_OUT_SOURCE_ADDRESS;
	reason = judge_message(&d);
	if (reason != FRAME_OUT_ACCEPTED)
		return reason;
	if (!is_broadcast && !is_from_leased)
		return FRAME_OUT_SOURCE_ADDRESS;
	if (!is_broadcast && (!is_peer(d.destination) || is_no_host(d.destination)))
		return FRAME_OUT_UNKNOWN_PEER;
	if (!is_broadcast && d.destination == decoder.leased)
		return FRAME_OUT_OWN_ADDRESS;
	decoder.xids[d.xid % FRAME_XIDS_MAX] = d.xid;
	decoder.xid_ends[d.xid % FRAME_XIDS_MAX] = now() + 120 * NS_PER_S;
	decoder.requests[d.xid % FRAME_XIDS_MAX] = ++decoder.n_requests;
	decoder.n_replies[d.xid % FRAME_XIDS_MAX] = 0;
	return is_broadcast ? FRAME_OUT_ACCEPTED : FRAME_OUT_UNICAST;
}

static uint32_t judge_arp_out(const struct grammar_frame *frame)
{
	const struct decoded d = { .bytes = frame->bytes, .size = frame->size };
	int64_t sender = field(&d, 28, 4), target = field(&d, 38, 4);
	int i = find_watched(target);

	if (d.size < 42)
		return FRAME_OUT_TRUNCATED;
	if (d.size > 42)
		return FRAME_OUT_TOO_LONG;
	if (field(&d, 0, 6) != 0xffffffffffff)
		return FRAME_OUT_DESTINATION_MAC;
	if (field(&d, 14, 6) != 0x000108000604 || field(&d, 20, 2) != 1 ||
	    field(&d, 22, 6) != mac_number(decoder.mac) || field(&d, 32, 6) != 0)
		return FRAME_OUT_ARP_HEADER;
	if (i < 0 || (sender != 0 && sender != target))
		return FRAME_OUT_ARP_ADDRESS;
	decoder.probing_ends[i] = sender == 0 ? now() + 5 * NS_PER_S : 0;
	return FRAME_OUT_ARP;
}

uint32_t frames_decoder_out(const struct grammar_frame *frame)
{
	int type = frame->bytes[12] << 8 | frame->bytes[13];

	if (type == 0x8100 || type == 0x88a8)
		return FRAME_OUT_VLAN;
	if (memcmp(frame->bytes + 6, decoder.mac, 6) != 0)
		return FRAME_OUT_SOURCE_MAC;
	if (type == 0x0800)
		return judge_request(frame);
	return type == 0x0806 ? judge_arp_out(frame) : FRAME_OUT_NO_RULE;
}
