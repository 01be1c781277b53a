/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel can do, found out by trying and not by its version, and who
 * else configures the uplink. Nothing is attached, pinned or changed.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_PROBE_H
#define CALFPEN_PRIV_SUPERVISOR_PROBE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum probe_feature {
	PROBE_SYSCALL_PROGRAM = 0, /* the gate: load and run */
	PROBE_MAP_FREEZE,	   /* nobody writes past the gate */
	PROBE_RINGBUF_DYNPTR,	   /* one record of any size for a commit */
	PROBE_TCX,		   /* tc programs by link */
	PROBE_CLSACT,		   /* tc programs by qdisc, tried where tcx is missing */
	PROBE_TUN,		   /* taps */
	PROBE_USER_NAMESPACES,	   /* pens */
	PROBE_MEMORY_CGROUP,
	PROBE_PIDS_CGROUP,
	_PROBE_FEATURE_N,
};

struct probe_kernel {
	/* 0: there; else the errno of the attempt; ENODATA: not tried */
	int error[_PROBE_FEATURE_N];
};

/* "syscall_program" and so on, for `calfpen status`. */
const char *probe_feature_name(enum probe_feature feature);

/*
 * Try all features. Before confine_enter(). 0, or -EOPNOTSUPP after one line
 * on stderr for the first one that is needed and not there (of tcx and clsact
 * one is needed). *kernelp is written in both cases.
 */
int probe_kernel(struct probe_kernel *kernelp);

struct probe_client {
	char how[64];	  /* "UDP port 68", "packet socket on eth0" */
	pid_t pid;	  /* of its owner, 0: not found (another pid namespace) */
	char program[32]; /* its name, "" if not found; foreign text */
};

/*
 * Look for another DHCP client on the uplink: a UDP socket bound to port 68 on
 * any address, or a packet socket for IP or all protocols on the interface.
 * 0 if there is none, 1 with *clientp written if there is, or a negative
 * errno: it cannot be told.
 */
int probe_other_client(const char *uplink, struct probe_client *clientp);

/* The tables of /proc/net/udp and /proc/net/packet: 1 with the inode of the
 * first socket that matches, or 0. Lines that are not understood are skipped. */
int probe_find_udp(FILE *table, uint16_t port, uint64_t *inodep);
int probe_find_packet(FILE *table, unsigned int ifindex, uint64_t *inodep);

#endif
