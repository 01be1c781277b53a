/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap between the frame programs and a calf. It has no address, no ARP and
 * no IPv6, and stays down until its programs are attached.
 */
#ifndef CALFPEN_PRIV_FRAMES_TAP_H
#define CALFPEN_PRIV_FRAMES_TAP_H

#include <net/if.h>

struct netlink;

struct tap {
	int fd; /* to read and write frames; the calf gets a copy */
	int ifindex;
	char name[IFNAMSIZ];
	/* IPv6 could not be disabled, for example because /proc/sys is read-only: a
	 * negative errno. Only for good measure: the tap has no IPv6 address in any case,
	 * and its program drops what the host sends. */
	int ipv6_error;
};

#define TAP_NULL(_x) ((struct tap){ .fd = -1 })

/* Create a tap, down. Its name is the next free one, so the alias says whose it is. Returns
 * 0, or a negative errno, logged. */
int tap_init(struct tap *tap, struct netlink *netlink, const char *alias);

/* Set the tap up; its programs must be attached. Returns 0, or a negative errno,
 * logged. */
int tap_up(struct tap *tap, struct netlink *netlink);

/*
 * Delete the taps whose alias begins with this text, whatever process holds a descriptor of
 * them: it can no longer write. Logs each. Returns 0, or a negative errno, logged.
 */
int taps_delete(struct netlink *netlink, const char *alias);

/* Close the tap. The device disappears with its last descriptor. */
void tap_deinit(struct tap *tap);

#endif
