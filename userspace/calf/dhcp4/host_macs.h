/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MACs of this host's interfaces, as the watcher tells them below /link/macs
 * (common/link_macs.h): the kernel answers ARP for an address of one interface on
 * all others, so an answer from one of them is no conflict (RFC 5227 section
 * 2.1.1). Frames never change this list.
 */
#ifndef CALFPEN_CALF_DHCP4_HOST_MACS_H
#define CALFPEN_CALF_DHCP4_HOST_MACS_H

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/link_macs.h"

struct host_macs {
	uint8_t n_macs[LINK_MACS_KEYS];
	uint8_t macs[LINK_MACS_KEYS][LINK_MACS_PER_KEY][6];
	uint32_t missing; /* a bit per key: not sent again since events were lost */
};

/* Update the list from any entry of a watch of /link; those of other keys have no
 * effect. A value that is wrong is logged, and read up to its error. */
void host_macs_take(struct host_macs *macs, const struct calf_entry *entry);

/* Return whether an interface of this host has the MAC. */
bool host_macs_have(const struct host_macs *macs, const uint8_t mac[6]);

#endif
