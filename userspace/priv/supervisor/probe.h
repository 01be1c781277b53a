/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes of the host: kernel features, detected by trying them rather than by
 * version, and other DHCP clients on the uplink. Nothing is attached, pinned or
 * changed.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_PROBE_H
#define CALFPEN_PRIV_SUPERVISOR_PROBE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum probe_feature {
	PROBE_SYSCALL_PROGRAM = 0, /* to load and run the gate */
	PROBE_MAP_FREEZE,	   /* so that the gate cannot be bypassed */
	PROBE_RINGBUF_DYNPTR,	   /* one record of any size for a commit */
	PROBE_TCX,		   /* tc programs attached by a link */
	PROBE_CLSACT,		   /* tc programs attached to a qdisc; tried without tcx only */
	PROBE_TUN,		   /* taps */
	PROBE_USER_NAMESPACES,	   /* pens */
	PROBE_MEMORY_CGROUP,
	PROBE_PIDS_CGROUP,
	_PROBE_FEATURE_N,
};

struct probe_kernel {
	/* 0: available; ENODATA: not tried; else the errno of the attempt */
	int error[_PROBE_FEATURE_N];
};

/* Return the feature's name for `calfpen status`, such as "syscall_program". */
const char *probe_feature_name(enum probe_feature feature);

/*
 * Try all features; call this before confine_enter(). Returns 0, or -EOPNOTSUPP
 * after one line on stderr for the first required feature that is missing (one
 * of tcx and clsact is required). *kernelp is written in both cases.
 */
int probe_kernel(struct probe_kernel *kernelp);

struct probe_client {
	char how[64];	  /* "UDP port 68", "packet socket on eth0" */
	pid_t pid;	  /* of its owner, 0: not found (another pid namespace) */
	char program[32]; /* the owner's name, "" if not found; untrusted text */
};

/*
 * Look for another DHCP client on the uplink: a UDP socket bound to port 68 on
 * any address, or a packet socket for IP or all protocols on the interface.
 * Returns 0 if there is none; 1 if there is, with *clientp written; or a
 * negative errno if that cannot be determined.
 */
int probe_other_client(const char *uplink, struct probe_client *clientp);

/* Find a socket in the table of /proc/net/udp or /proc/net/packet. Return 1 with
 * the inode of the first matching socket in *inodep, or 0. Malformed lines are
 * skipped. */
int probe_find_udp(FILE *table, uint16_t port, uint64_t *inodep);
int probe_find_packet(FILE *table, unsigned int ifindex, uint64_t *inodep);

#endif
