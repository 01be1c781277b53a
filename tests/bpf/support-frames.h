/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frame programs loaded over two taps in a network namespace of the test's
 * own: one plays the uplink, one is the calf's.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_FRAMES_H
#define CALFPEN_TESTS_BPF_SUPPORT_FRAMES_H

#include "tests/bpf/support-gate.h"
#include "userspace/priv/frames/frames.h"
#include "userspace/priv/frames/tap.h"
#include "userspace/priv/netlink/netlink.h"

#define FRAME_SIZE 342 /* Ethernet, IPv4, UDP and 300 bytes of BOOTP */
#define ARP_SIZE 42
#define WIRE "wire0"
#define TEST_XID 0x11223344u

/* Offsets of fields in the frames that frames_test_build() makes. */
enum {
	AT_ETH_DESTINATION = 0,
	AT_ETH_SOURCE = 6,
	AT_ETH_TYPE = 12,
	AT_IP = 14,
	AT_IP_TOTAL = 16,
	AT_IP_FRAGMENT = 20,
	AT_IP_PROTOCOL = 23,
	AT_IP_CHECKSUM = 24,
	AT_IP_SOURCE = 26,
	AT_IP_DESTINATION = 30,
	AT_UDP_SOURCE = 34,
	AT_UDP_DESTINATION = 36,
	AT_UDP_LENGTH = 38,
	AT_UDP_CHECKSUM = 40,
	AT_OP = 42,
	AT_HTYPE = 43,
	AT_HLEN = 44,
	AT_XID = 46,
	AT_CHADDR = 70,
	AT_YIADDR = 58,
	AT_SNAME = 86,
	AT_FILE = 150,
	AT_COOKIE = 278,
	AT_OPTIONS = 282,
	AT_ARP = 14,
	AT_ARP_OPERATION = 21,
	AT_ARP_SENDER_MAC = 22,
	AT_ARP_SENDER = 28,
	AT_ARP_TARGET_MAC = 32,
	AT_ARP_TARGET = 38,
};

struct frames_test {
	struct gate_test gate;
	struct netlink *netlink;
	struct tap uplink, tap; /* uplink: name and index only, if it is the test's own */
	uint8_t mac[6];
	/* set before it begins */
	bool pass_foreign;
	struct frame_quarantine quarantine;
	bool is_wired;			/* the uplink is a veth, its other end WIRE, not a tap */
	const struct frame_rule *rules; /* NULL: DHCPv4 and ARP at the rate asked for */
	uint32_t n_rules;
	const struct frame_grammar *grammar; /* NULL: no client identifier, all transactions */
	/* of another calf, number 1, with the tap `second`; 0 rules: there is none */
	const struct frame_rule *second_rules;
	uint32_t n_second_rules;
	const struct frame_grammar *second_grammar; /* as `grammar` */
	struct tap second;
	struct frames frames;
	struct frames_host host;
	int witness_fd;
	int network_fd; /* its network namespace, if that is not the test's; otherwise 0 */
};

/* `rate` is the frames per second of each rule (DHCPv4, ARP), both ways; with 0
 * no more pass within a test than were saved up. */
void frames_test_begin(struct frames_test *test, uint32_t rate, uint32_t burst);
/* The same with the uplink's program in this mode, not XDP. */
void frames_test_begin_mode(struct frames_test *test, enum frame_mode mode, uint32_t rate,
			    uint32_t burst);
/* The same over a device of the test's own, in the test's own namespace;
 * frames_test_attach() follows. */
void frames_test_begin_on(struct frames_test *test, const char *uplink, uint32_t rate,
			  uint32_t burst);
/* The same beside a store of the test's own, with uplink and tap in a network namespace
 * of their own and no program on the uplink: for frames_test_ack(). */
void frames_test_begin_beside(struct frames_test *test, const struct gate_test *gate);
void frames_test_end_beside(struct frames_test *test);
/* The uplink's program in this mode, then replies are let in; what
 * frames_attach_uplink() returns. */
int frames_test_attach(struct frames_test *test, enum frame_mode mode);
/* kill -9: programs stay where they are, the tap goes. Then the start after it,
 * up to before frames_test_attach(). */
void frames_test_kill(struct frames_test *test);
void frames_test_restart(struct frames_test *test, uint32_t rate, uint32_t burst);
void frames_test_end(struct frames_test *test);

/* Descriptors of the uplink's programs and of the write filter. */
int frames_test_xdp(const struct frames_test *test);
int frames_test_tc(const struct frames_test *test);
int frames_test_tap(const struct frames_test *test);

/* The watcher tells that this address ("10.7.0.5/24", NULL: none) is applied, and its
 * router (NULL: none). */
void frames_test_applied(const struct frames_test *test, const char *net, const char *router);
/* The same, completely. */
void frames_test_tell(const struct frames_test *test, const struct frame_host *host);

/* A grammar with no client identifier and as many transactions as one likes. */
struct frame_grammar frames_test_grammar(void);

/* A DISCOVER by us (broadcast), or an OFFER to us from 10.7.0.1. */
void frames_test_request(const struct frames_test *test, uint8_t frame[FRAME_SIZE]);
void frames_test_reply(const struct frames_test *test, uint8_t frame[FRAME_SIZE]);

/* ARP to all from `mac`, which is the sender's too; addresses in host order. */
void frames_test_arp(uint8_t frame[ARP_SIZE], uint8_t operation, const uint8_t mac[6],
		     uint32_t sender, uint32_t target);

/* Put `n` octets of No Operation, a multiple of 4, behind the IP header of a
 * FRAME_SIZE frame in a buffer with room for them. */
void frames_test_ip_options(uint8_t *frame, uint32_t n);

/* VLAN tags as in a frame. */
struct frames_test_tags {
	const char *what, *tags;
	uint32_t size;
	bool is_priority; /* only a priority (VLAN id 0), no VLAN */
};
#define FRAMES_TEST_TAGS_N 9
extern const struct frames_test_tags frames_test_tags[FRAMES_TEST_TAGS_N];

/* A copy of a FRAME_SIZE frame with `size` octets of VLAN tags. */
void frames_test_tag(uint8_t *frame, const uint8_t plain[FRAME_SIZE], const char *tags,
		     uint32_t size);

/* Run a program over a frame as if it had come in on `ifindex` (tc only; 0:
 * any); the verdict. `out` may be NULL or as large as the frame. */
int frames_test_run(int program_fd, const uint8_t *frame, uint32_t size, int ifindex, uint8_t *out);

/* The calf sends that request: a transaction is open. */
void frames_test_open(const struct frames_test *test);

/*
 * A server gives us an address: the program for tc runs on the request and on the
 * DHCPACK, so that the witness has it. `net` is address and prefix, `router` NULL: none;
 * `time` is as in /lease/time, NULL: none.
 */
void frames_test_ack(const struct frames_test *test, const char *net, const char *router,
		     const char *time);

/* Run it `n` times, as frames_test_run() does once for the tap or the uplink. */
void frames_test_flood(const struct frames_test *test, int program_fd, const uint8_t *frame,
		       uint32_t size, int n);

/* Let `seconds` pass for the xids, for which the maps have no other way. */
void frames_test_age_xids(const struct frames_test *test, uint32_t seconds);
/* The same for the deadline of the quarantine. */
void frames_test_age_quarantine(const struct frames_test *test, uint32_t seconds);

/* Packets of all owners counted for a reason, over all CPUs. */
uint64_t frames_test_count(const struct frames_test *test, uint32_t reason);

#endif
