/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap between the frame programs and a calf. It carries no address, no
 * ARP and no IPv6, and stays down until its programs are attached.
 */
#ifndef CALFPEN_PRIV_FRAMES_TAP_H
#define CALFPEN_PRIV_FRAMES_TAP_H

#include <net/if.h>

struct netlink;

struct tap {
	int fd; /* frames; the calf gets a copy */
	int ifindex;
	char name[IFNAMSIZ];
};

#define TAP_NULL(_x) ((struct tap){ .fd = -1 })

/* Make a tap, down. 0 or a negative errno, logged. */
int tap_init(struct tap *tap, struct netlink *netlink);

/* Set it up; its programs must be attached. */
int tap_up(struct tap *tap, struct netlink *netlink);

/* Close; the device goes with its last descriptor. */
void tap_deinit(struct tap *tap);

#endif
