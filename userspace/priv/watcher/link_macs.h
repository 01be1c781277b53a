/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys below /link/macs (common/link_macs.h): which MACs are this host's, so
 * that a calf does not take another interface of its host for another host. They
 * come from the kernel alone, by a dump and then by events, never from frames.
 *
 * Links of other network namespaces are not listed: a container with a macvlan
 * or a veth of its own is another host on the network. Links that answer no ARP
 * are left out: those without ARP (IFF_NOARP, as a calf's tap), and ports of a
 * bridge, for which the bridge answers; so a host with a thousand containers on
 * a bridge has a short list.
 */
#ifndef CALFPEN_PRIV_WATCHER_LINK_MACS_H
#define CALFPEN_PRIV_WATCHER_LINK_MACS_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/commit.h"
#include "userspace/common/link_macs.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/store/wanted.h"

#define LINK_MACS_LINKS_MAX 4096

struct link_macs {
	struct {
		int ifindex;
		uint16_t i_mac; /* in `macs` */
		bool is_seen;	/* by the present dump */
	} links[LINK_MACS_LINKS_MAX];
	uint32_t n_links;
	struct {
		uint8_t mac[6];
		uint16_t n_links; /* that have it; 0: free */
	} macs[LINK_MACS_MAX];	  /* a MAC keeps its place while a link has it */
	uint32_t changed;	  /* a bit for each key that may have to be written */
	bool must_load;
	bool is_full; /* links were left out */
	bool is_full_logged;
	unsigned int n_failures; /* of loads and writes in a row */
	uint64_t due_ns;	 /* CLOCK_BOOTTIME; 0: nothing to do */
	uint64_t earliest_ns;	 /* of the next write */
};

/* Start without a link; the first link_macs_write() lists them. */
void link_macs_init(struct link_macs *macs);
/* List the links again in the next link_macs_write(), because events were lost. */
void link_macs_reload(struct link_macs *macs);
/* Note a link as an event shows it; `link` NULL: it is gone. */
void link_macs_set(struct link_macs *macs, int ifindex, const struct netlink_link *link);
/*
 * Write the keys that changed, in one commit. Changes are collected for a tenth of
 * a second, because a container runtime creates links that become a bridge's
 * ports at once, and there is at most one commit a second. `wanted` is the store,
 * `commit` is overwritten. Errors are logged and retried. Returns when to call
 * again (CLOCK_BOOTTIME), or UINT64_MAX: after the next change.
 */
uint64_t link_macs_write(struct link_macs *macs, struct netlink *netlink,
			 const struct wanted *wanted, struct commit *commit, uint64_t now_ns);

#endif
