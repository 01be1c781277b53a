/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame programs on the lab's uplink, with the rules of the DHCPv4 description
 * and their own tap, and frames to run them on.
 */
#ifndef CALFPEN_TOOLS_BENCH_SUPPORT_FRAMES_H
#define CALFPEN_TOOLS_BENCH_SUPPORT_FRAMES_H

#include <linux/filter.h>

#include "tools/bench/support.h"
#include "userspace/priv/frames/frames.h"
#include "userspace/priv/frames/tap.h"
#include "userspace/priv/netlink/netlink.h"

#define BENCH_UPLINK "uplink0" /* the lab's veth, and its other end in the */
#define BENCH_SERVER "server0" /* network namespace of the lab's server */
#define BENCH_FRAME_SIZE 342   /* Ethernet, IPv4, UDP and 300 octets of BOOTP */
#define BENCH_ADDRESS 0x0a4d0002u
#define BENCH_SERVER_ADDRESS 0x0a4d0001u

struct bpf_program;

struct bench_frames {
	struct bench_store store; /* of which only the pins are used */
	struct frames_host host;
	int witness_fd;
	struct netlink *netlink;
	struct tap tap;	   /* up, in the devmap slot */
	struct tap second; /* of a second calf, with the ports 1068 and 1067, if there is one */
	struct frames frames;
	struct netlink_link uplink;
	uint8_t server_mac[6];
};

/* Load the programs for one calf or two, attach them to the taps and set the uplink up; the
 * uplink has no program yet. Rates are unlimited. In the lab only. */
void bench_frames_init(struct bench_frames *frames, unsigned int n_calves);
void bench_frames_deinit(struct bench_frames *frames);

/* Attach and detach the uplink's program, as the supervisor does. */
void bench_frames_attach(struct bench_frames *frames, enum frame_mode mode);
void bench_frames_detach(struct bench_frames *frames);
/* Return the frames counted with a reason, summed over all CPUs. */
uint64_t bench_frames_count(const struct bench_frames *frames, uint32_t reason);

/* Set generic receive offload of the uplink: a veth accepts XDP frames only with
 * it, or with native XDP. */
void bench_frames_set_gro(const struct bench_frames *frames, bool on);

/* Load the programs of frames_peers.bpf.c, with their rule set. */
struct frames_peers_bpf *bench_peers_load(void);

/* Keep an XDP program in the kernel's dispatcher while we run: see live_hold_program(). */
void bench_hold_program(const struct bpf_program *program);
/* The same for all XDP programs, ours (attached once) and the peers'. */
void bench_hold_programs(const struct bench_frames *frames, const struct frames_peers_bpf *peers);

/* dhclient's filter for a packet socket, UDP to port 68. */
struct sock_fprog bench_dhclient_tests(void);

/* Switch to the network namespace of the uplink's peer, and back. */
void bench_enter_server(void);
void bench_leave_server(void);

enum bench_frame {
	BENCH_TCP,     /* to another host, 60 octets */
	BENCH_UDP,     /* the same to a port of no rule */
	BENCH_REPLY,   /* a DHCPOFFER to us; the xid is unknown unless set */
	BENCH_REQUEST, /* a DHCPDISCOVER by us */
	BENCH_RENEWAL, /* a DHCPREQUEST by us, from BENCH_ADDRESS to the server */
	/* replies to us that fail before the check of the xid */
	BENCH_TRUNCATED,
	BENCH_NOT_REPLY,
	BENCH_COOKIE,
	BENCH_FORCERENEW,
};

/* Make a frame. Returns its size. */
size_t bench_frame_make(const struct bench_frames *frames, enum bench_frame kind, uint32_t xid,
			uint8_t frame[BENCH_FRAME_SIZE]);

#endif
