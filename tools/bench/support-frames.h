/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame programs over the lab's uplink, with the rules of the DHCPv4
 * description and a tap of their own, and frames to run them over.
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

struct bench_frames {
	struct bench_store store;
	int gate_fd; /* may write /ip */
	struct netlink *netlink;
	struct tap tap; /* up, in the devmap slot */
	struct frames frames;
	struct netlink_link uplink;
	uint8_t server_mac[6];
};

/* In the lab only: load, attach to the tap, set the uplink up; the uplink has
 * no program yet. Rates are without limit. */
void bench_frames_init(struct bench_frames *frames);
void bench_frames_deinit(struct bench_frames *frames);

/* The uplink's program on and off, as the supervisor would. */
void bench_frames_attach(struct bench_frames *frames, enum frame_mode mode);
void bench_frames_detach(struct bench_frames *frames);
/* Frames counted for a reason, over all CPUs. */
uint64_t bench_frames_count(const struct bench_frames *frames, uint32_t reason);

/* Generic receive offload of the uplink: a veth takes XDP frames with it, or
 * with native XDP. */
void bench_frames_set_gro(const struct bench_frames *frames, bool on);

/* The programs of frames_peers.bpf.c, with their rule in place. */
struct frames_peers_bpf *bench_peers_load(void);

/* Keep all XDP programs, ours (attached once) and theirs, in the kernel's
 * dispatcher for as long as we run: see live_hold_program(). */
void bench_hold_programs(const struct bench_frames *frames, const struct frames_peers_bpf *peers);

/* dhclient's tests of a frame, UDP to port 68, for a packet socket. */
struct sock_fprog bench_dhclient_tests(void);

/* Work in the network namespace behind the uplink, and back. */
void bench_enter_server(void);
void bench_leave_server(void);

enum bench_frame {
	BENCH_TCP,     /* to another host, 60 octets */
	BENCH_REPLY,   /* a DHCPOFFER to us; the xid is nobody's unless set */
	BENCH_REQUEST, /* a DHCPDISCOVER by us */
	BENCH_RENEWAL, /* a DHCPREQUEST by us, from BENCH_ADDRESS to the server */
	/* replies to us, bad before anybody looks at the xid */
	BENCH_TRUNCATED,
	BENCH_NOT_REPLY,
	BENCH_COOKIE,
	BENCH_FORCERENEW,
};

/* Make a frame; its size. */
size_t bench_frame_make(const struct bench_frames *frames, enum bench_frame kind, uint32_t xid,
			uint8_t frame[BENCH_FRAME_SIZE]);

#endif
