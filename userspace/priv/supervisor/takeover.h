/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address that --takeover adopts: another DHCP client set it on the uplink,
 * and may still be running.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_TAKEOVER_H
#define CALFPEN_PRIV_SUPERVISOR_TAKEOVER_H

#include "userspace/common/value.h"
#include "userspace/priv/netlink/netlink.h"

/*
 * Find the global, primary IPv4 address of the interface. An address with a
 * lifetime is preferred to one without, which a person may have set; of equals
 * the first is chosen. Returns 1 with *netp written, 0 if there is none, or a
 * negative errno.
 */
int takeover_find(struct netlink *netlink, int ifindex, struct value_ipv4_net *netp);

#endif
