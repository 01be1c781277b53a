/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quarantine: what would be the host's is dropped until the watcher has said
 * that there is a lease, or until the deadline; then everything is as usual,
 * and stays so.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

#define NS_PER_S 1000000000ull

static struct frames_test test;

static uint64_t boot_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A transaction of the calf is open, so that its reply is for the calf. */
static void begin_for(enum frame_mode mode, uint64_t ns)
{
	test.quarantine.deadline_ns = ns ? boot_now_ns() + ns : 0;
	frames_test_begin_mode(&test, mode, 1000000, 1000000);
	frames_test_open(&test);
}

static void begin(void)
{
	begin_for(FRAME_MODE_NATIVE, 600 * NS_PER_S);
}

static void begin_foreign(void)
{
	test.pass_foreign = true;
	begin();
}

static void begin_tc(void)
{
	begin_for(FRAME_MODE_TC, 600 * NS_PER_S);
}

static void end(void)
{
	frames_test_end(&test);
}

static struct frame_quarantine quarantine(void)
{
	struct frame_quarantine value;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_quarantine),
					 &(uint32_t){ 0 }, &value),
		     0);
	return value;
}

static void open_by_lease(void)
{
	const struct frame_host host = { .is_open = 1 };

	frames_test_tell(&test, &host);
}

struct row {
	const char *what;
	uint32_t at; /* bytes put over a good reply ... */
	const char *bytes;
	uint32_t n_bytes;
	uint32_t size; /* ... cut or padded to this size, 0: as it is */
	uint32_t reason;
	bool is_kept; /* dropped while it is closed */
};

#define PUT(at, bytes) at, bytes, sizeof(bytes) - 1
/* IPv6 to all nodes, hop limit 255, ICMPv6 type 134 */
#define ROUTER_ADVERTISEMENT                                   \
	"\x33\x33\0\0\0\x01\x02\0\0\0\0\x01\x86\xdd\x60\0\0\0" \
	"\0\x38\x3a\xff\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" \
	"\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x86\0\0\0\x40\0"
#define LLDP "\x01\x80\xc2\0\0\x0e\x02\0\0\0\0\x01\x88\xcc\x02\x07\x04"
#define ARP_FOR_US \
	"\x08\x06\0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0\x01\x0a\x07\0\x01\0\0\0\0\0\0\x0a\x07\0\x05"

static const struct row rows[] = {
	{ "TCP", PUT(AT_IP_PROTOCOL, "\x06"), 0, FRAME_IN_NOT_OURS, true },
	{ "ping", PUT(AT_IP_PROTOCOL, "\x01"), 98, FRAME_IN_NOT_OURS, true },
	{ "DNS reply", PUT(AT_UDP_SOURCE, "\x00\x35\x80\x00"), 0, FRAME_IN_NOT_OURS, true },
	{ "a request to a DHCP server", PUT(AT_UDP_SOURCE, "\x00\x44\x00\x43"), 0,
	  FRAME_IN_NOT_OURS, true },
	{ "later fragment", PUT(AT_IP_FRAGMENT, "\x00\x10"), 0, FRAME_IN_NOT_OURS, true },
	{ "IPv6 router advertisement", PUT(0, ROUTER_ADVERTISEMENT), 110, FRAME_IN_NOT_OURS, true },
	{ "DHCPv6", PUT(AT_ETH_TYPE, "\x86\xdd"), 0, FRAME_IN_NOT_OURS, true },
	{ "LLDP", PUT(0, LLDP), 60, FRAME_IN_NOT_OURS, true },
	{ "802.3 length (STP)", PUT(AT_ETH_TYPE, "\x00\x26"), 60, FRAME_IN_NOT_OURS, true },
	{ "EAPOL", PUT(AT_ETH_TYPE, "\x88\x8e"), 60, FRAME_IN_NOT_OURS, true },
	{ "RARP", PUT(AT_ETH_TYPE, "\x80\x35"), 60, FRAME_IN_NOT_OURS, true },
	{ "802.1Q", PUT(AT_ETH_TYPE, "\x81\x00\x00\x05\x08\x00"), 0, FRAME_IN_VLAN, true },
	{ "802.1ad", PUT(AT_ETH_TYPE, "\x88\xa8\x00\x05\x08\x00"), 0, FRAME_IN_VLAN, true },
	{ "tagged ARP", PUT(AT_ETH_TYPE, "\x81\x00\x00\x05\x08\x06"), 0, FRAME_IN_VLAN, true },
	{ "a reply to another client", PUT(AT_CHADDR, "\x02\x99"), 0, FRAME_IN_OTHER_CHADDR, true },
	{ "nothing behind the Ethernet header", PUT(AT_ETH_TYPE, "\x08\x00"), 14, FRAME_IN_NOT_OURS,
	  true },
	{ "ARP", PUT(AT_ETH_TYPE, ARP_FOR_US), 42, FRAME_IN_NOT_OURS, false },
	{ "malformed ARP", PUT(AT_ETH_TYPE, "\x08\x06\xff"), 60, FRAME_IN_NOT_OURS, false },
	{ "TCP with a priority (U01)",
	  PUT(AT_ETH_TYPE, "\x81\0\xc0\0\x08\0\x45\0\0\x28\0\0\0\0\x40\x06"), 0, FRAME_IN_NOT_OURS,
	  true },
	{ "ARP with a priority (U01)", PUT(AT_ETH_TYPE, "\x81\0\xc0\0" ARP_FOR_US), 46,
	  FRAME_IN_NOT_OURS, false },
	{ "ARP with two priorities (U01)",
	  PUT(AT_ETH_TYPE, "\x88\xa8\xc0\0\x81\0\xc0\0" ARP_FOR_US), 50, FRAME_IN_NOT_OURS, false },
	{ "the reply we wait for", PUT(0, ""), 0, FRAME_IN_ACCEPTED, false },
	{ "an unsolicited reply", PUT(AT_XID, "\x99\0\0\x01"), 0, FRAME_IN_UNKNOWN_XID, false },
	{ "FORCERENEW", PUT(AT_COOKIE + 4, "\x35\x01\x09\xff"), 0, FRAME_IN_FORCERENEW, false },
	{ "a reply with a bad cookie", PUT(AT_COOKIE, "\0"), 0, FRAME_IN_COOKIE, false },
};

/* What BPF_PROG_RUN takes no shorter of, for a tc program. */
#define SKB_MIN AT_UDP_SOURCE

static uint32_t make(const struct row *row, uint8_t frame[FRAME_SIZE])
{
	frames_test_reply(&test, frame);
	memcpy(frame + row->at, row->bytes, row->n_bytes);
	return row->size ? row->size : FRAME_SIZE;
}

static void check(const struct row *row, bool is_closed, bool by_tc)
{
	uint32_t expected = is_closed && row->is_kept ? FRAME_IN_QUARANTINE : row->reason;
	int verdict = expected < FRAME_IN_ACCEPTED ? (by_tc ? TC_ACT_UNSPEC : (int)XDP_PASS) :
		      expected == FRAME_IN_ACCEPTED ?
						     (by_tc ? TC_ACT_REDIRECT : (int)XDP_REDIRECT) :
						     (by_tc ? TC_ACT_SHOT : (int)XDP_DROP);
	uint64_t before[_FRAME_REASON_N];
	uint8_t frame[FRAME_SIZE];
	uint32_t size = make(row, frame);

	if (by_tc && size < SKB_MIN)
		return;
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		before[i] = frames_test_count(&test, i);
	cr_expect_eq(frames_test_run(by_tc ? frames_test_tc(&test) : frames_test_xdp(&test), frame,
				     size, 0, NULL),
		     verdict, "%s, %s, %s", row->what, is_closed ? "closed" : "open",
		     by_tc ? "tc" : "XDP");
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		cr_expect_eq(frames_test_count(&test, i) - before[i], i == expected,
			     "%s: counted as %u", row->what, i);
}

static void check_rows(bool is_closed, bool by_tc)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], is_closed, by_tc);
}

Test(frames_quarantine, xdp_rows, .init = begin, .fini = end)
{
	check_rows(true, false);
	open_by_lease();
	check_rows(false, false);
}

Test(frames_quarantine, tc_rows, .init = begin_tc, .fini = end)
{
	check_rows(true, true);
	open_by_lease();
	check_rows(false, true);
}

/* The programs and what is read of them do not need what loaded them. */
static void check_released(void)
{
	struct frame_quarantine state = { 0 };
	uint8_t frame[FRAME_SIZE];
	uint64_t n = 0;

	frames_release(&test.frames);
	frames_test_reply(&test, frame);
	cr_assert_eq(write(test.uplink.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_assert_eq(frames_count(&test.frames, 1, FRAME_IN_ACCEPTED, &n), 0);
	cr_expect_eq(n, 1, "%llu", (unsigned long long)n);
	cr_assert_eq(frames_quarantine(&test.frames, &state), 0);
	cr_expect_neq(state.deadline_ns, 0);
	n = 0;
	cr_expect_eq(frames_count(&test.frames, 1 + FRAME_CALVES_MAX, FRAME_IN_ACCEPTED, &n), 0);
	cr_expect_eq(n, 0, "no such owner");
}

Test(frames_quarantine, xdp_after_release, .init = begin, .fini = end)
{
	check_released();
}

Test(frames_quarantine, tc_after_release, .init = begin_tc, .fini = end)
{
	check_released();
}

/* ARP and replies are not kept from their receivers by a priority. */
Test(frames_quarantine, U01_priority_out_of_the_bytes, .init = begin_tc, .fini = end)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 4];

	frames_test_reply(&test, plain);
	frames_test_tag(frame, plain, "\x81\0\xc0\0", 4);
	cr_assert_eq(write(test.uplink.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_ACCEPTED), 1);
	memcpy(frame + AT_ETH_TYPE + 4, ARP_FOR_US, sizeof(ARP_FOR_US) - 1);
	cr_assert_eq(write(test.uplink.fd, frame, 60), 60);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NOT_OURS), 1);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_QUARANTINE), 0);
}

/* Tags that the kernel has moved out of the bytes before tc runs. */
Test(frames_quarantine, tags_out_of_the_bytes, .init = begin_tc, .fini = end)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 4];

	frames_test_reply(&test, plain);
	frames_test_tag(frame, plain, "\x81\0\0\x05", 4);
	cr_assert_eq(write(test.uplink.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_QUARANTINE), 1);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_VLAN), 0);
	open_by_lease();
	cr_assert_eq(write(test.uplink.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_VLAN), 1);
}

/* A lease that the calf has and the host not yet opens nothing; once opened,
 * it stays so without a lease. Each program sees what the other opened. */
Test(frames_quarantine, lease_opens_for_good, .init = begin, .fini = end)
{
	const uint64_t started_ns = boot_now_ns();

	frames_test_applied(&test, "10.7.0.5/24", NULL);
	check(&rows[0], true, false);
	cr_expect_eq(quarantine().opened_by, FRAME_QUARANTINE_CLOSED);
	open_by_lease();
	check(&rows[0], false, false);
	cr_expect_eq(quarantine().opened_by, FRAME_QUARANTINE_LEASE);
	cr_expect(quarantine().opened_ns >= started_ns && quarantine().opened_ns <= boot_now_ns());
	frames_test_applied(&test, NULL, NULL);
	check(&rows[0], false, false);
	check(&rows[0], false, true);
	cr_expect_eq(quarantine().opened_by, FRAME_QUARANTINE_LEASE);
}

/* It opens in time by itself, however late the first frame comes. */
Test(frames_quarantine, deadline_opens, .init = begin, .fini = end)
{
	check(&rows[0], true, false);
	frames_test_age_quarantine(&test, 300);
	check(&rows[0], true, false);
	check(&rows[0], true, true);
	frames_test_age_quarantine(&test, 300);
	cr_expect_eq(quarantine().opened_by, FRAME_QUARANTINE_CLOSED, "no frame has come yet");
	check(&rows[0], false, true);
	cr_expect_eq(quarantine().opened_by, FRAME_QUARANTINE_DEADLINE);
	cr_expect_geq(quarantine().opened_ns, quarantine().deadline_ns);
	open_by_lease();
	check(&rows[0], false, false);
	cr_expect_eq(quarantine().opened_by, FRAME_QUARANTINE_DEADLINE);
}

/* A reply for another client on the host is the host's, too. */
Test(frames_quarantine, foreign_replies, .init = begin_foreign, .fini = end)
{
	static const struct row row = { "foreign xid", PUT(AT_XID, "\x99\0\0\x01"), 0,
					FRAME_IN_FOREIGN_XID, true };

	check(&row, true, false);
	check(&row, true, true);
	open_by_lease();
	check(&row, false, false);
	check(&row, false, true);
}

/* The tap is gone: its replies would be the host's; its ARP is. */
Test(frames_quarantine, tap_gone, .init = begin, .fini = end)
{
	static const uint8_t theirs[6] = { 2, 0, 0, 0, 0, 0x99 };
	uint8_t reply[FRAME_SIZE], arp[ARP_SIZE];

	frames_test_reply(&test, reply);
	memcpy(reply + AT_YIADDR, "\x0a\x07\0\x05", 4);
	cr_assert_eq(frames_test_run(frames_test_xdp(&test), reply, sizeof(reply), 0, NULL),
		     XDP_REDIRECT);
	frames_test_arp(arp, 1, test.mac, 0, 0x0a070005);
	cr_assert_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), arp,
				     sizeof(arp), test.tap.ifindex, NULL),
		     TC_ACT_REDIRECT);
	frames_test_arp(arp, 2, theirs, 0x0a070005, 0);
	cr_assert_eq(frames_test_run(frames_test_xdp(&test), arp, sizeof(arp), 0, NULL),
		     XDP_REDIRECT);
	tap_deinit(&test.tap);
	cr_expect_eq(frames_test_run(frames_test_xdp(&test), reply, sizeof(reply), 0, NULL),
		     XDP_DROP);
	cr_expect_eq(frames_test_run(frames_test_tc(&test), reply, sizeof(reply), 0, NULL),
		     TC_ACT_SHOT);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_QUARANTINE), 2);
	cr_expect_eq(frames_test_run(frames_test_xdp(&test), arp, sizeof(arp), 0, NULL), XDP_PASS);
	cr_expect_eq(frames_test_run(frames_test_tc(&test), arp, sizeof(arp), 0, NULL),
		     TC_ACT_UNSPEC);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NO_TAP), 2);
	open_by_lease();
	cr_expect_eq(frames_test_run(frames_test_xdp(&test), reply, sizeof(reply), 0, NULL),
		     XDP_PASS);
	cr_expect_eq(frames_test_run(frames_test_tc(&test), reply, sizeof(reply), 0, NULL),
		     TC_ACT_UNSPEC);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NO_TAP), 4);
}

/* One program has it, within a moment: the kernel detaches in the background. */
static void expect_counted_once(const char *what)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint8_t arp[ARP_SIZE];
	uint64_t n = 0;

	frames_test_arp(arp, 1, (const uint8_t *)"\x02\0\0\0\0\x01", 0x0a070001, 0x0a070005);
	for (int i = 0; i < 200 && n != 1; i++) {
		n = frames_test_count(&test, FRAME_IN_NOT_OURS);
		cr_assert_eq(write(test.uplink.fd, arp, sizeof(arp)), (ssize_t)sizeof(arp));
		n = frames_test_count(&test, FRAME_IN_NOT_OURS) - n;
		nanosleep(&pause, NULL);
	}
	cr_expect_eq(n, 1, "%s: %lu", what, n);
}

static void expect_dropped(const char *what)
{
	uint64_t before = frames_test_count(&test, FRAME_IN_QUARANTINE);
	uint8_t ping[FRAME_SIZE];

	make(&rows[1], ping);
	cr_assert_eq(write(test.uplink.fd, ping, sizeof(ping)), (ssize_t)sizeof(ping));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_QUARANTINE), before + 1, "%s", what);
}

/*
 * It is closed before a mode is chosen, while a killed life's program is there
 * or not, and in the end one program decides, in whatever mode.
 */
Test(frames_quarantine, closed_from_the_first_moment)
{
	static const enum frame_mode modes[] = { FRAME_MODE_NATIVE,  FRAME_MODE_TC,
						 FRAME_MODE_NATIVE,  FRAME_MODE_NATIVE,
						 FRAME_MODE_GENERIC, FRAME_MODE_TC,
						 FRAME_MODE_TC };

	begin();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const char *mode = frames_mode_name(modes[i]);

		frames_test_kill(&test);
		frames_test_restart(&test, 1000000, 1000000);
		expect_dropped(mode);
		cr_assert_eq(frames_test_attach(&test, modes[i]), 0);
		cr_expect_eq(test.frames.mode, modes[i]);
		expect_counted_once(mode);
		expect_dropped(mode);
	}
	open_by_lease();
	check(&rows[1], false, true);
	end();
}

/* Opened by its deadline even if the start ends before a program is chosen. */
Test(frames_quarantine, closed_no_longer_than_the_deadline, .init = begin, .fini = end)
{
	const struct row arp = rows[16];
	uint64_t before;
	uint8_t frame[FRAME_SIZE];
	int closed;

	frames_test_kill(&test);
	frames_test_restart(&test, 1000000, 1000000);
	closed = bpf_program__fd(test.frames.tc->progs.uplink_closed);
	(void)make(&rows[0], frame);
	cr_expect_eq(frames_test_run(closed, frame, FRAME_SIZE, 0, NULL), TC_ACT_SHOT);
	cr_expect_eq(frames_test_run(closed, frame, make(&arp, frame), 0, NULL), TC_ACT_UNSPEC);
	frames_test_age_quarantine(&test, 600);
	before = frames_test_count(&test, FRAME_IN_QUARANTINE);
	(void)make(&rows[0], frame);
	cr_expect_eq(frames_test_run(closed, frame, FRAME_SIZE, 0, NULL), TC_ACT_UNSPEC);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_QUARANTINE), before);
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_NATIVE), 0);
}

static uint32_t n_instructions(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	cr_assert_eq(bpf_obj_get_info_by_fd(program_fd, &info, &size), 0);
	return info.xlated_prog_len;
}

/* Without quarantine its code is absent, too, as it is if the lease of a
 * previous run has already ended the quarantine. */
Test(frames_quarantine, absent_costs_nothing)
{
	uint32_t with[2], without[2];

	begin();
	with[0] = n_instructions(frames_test_xdp(&test));
	with[1] = n_instructions(frames_test_tc(&test));
	end();
	begin_for(FRAME_MODE_NATIVE, 0);
	without[0] = n_instructions(frames_test_xdp(&test));
	without[1] = n_instructions(frames_test_tc(&test));
	check_rows(false, false);
	check_rows(false, true);
	end();
	cr_expect_lt(without[0], with[0]);
	cr_expect_lt(without[1], with[1]);
	test.quarantine.opened_by = FRAME_QUARANTINE_LEASE;
	begin();
	cr_expect_eq(n_instructions(frames_test_xdp(&test)), without[0]);
	cr_expect_eq(n_instructions(frames_test_tc(&test)), without[1]);
	check_rows(false, false);
	end();
}

/* Nobody but the programs opens or closes it. */
Test(frames_quarantine, root_cannot_write, .init = begin, .fini = end)
{
	struct frame_quarantine value = quarantine();

	value.opened_by = FRAME_QUARANTINE_LEASE;
	cr_expect_eq(bpf_map_update_elem(bpf_map__fd(test.frames.tc->maps.frame_quarantine),
					 &(uint32_t){ 0 }, &value, BPF_ANY),
		     -EPERM);
	check(&rows[0], true, false);
}
