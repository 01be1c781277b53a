/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tc filter on a clsact qdisc: on taps, and on the uplink where there is no tcx, which is
 * before Linux 6.6.
 *
 * No link holds the filter: it stays until the device disappears or a process
 * deletes it. Therefore all filters of calfpen have the same handle, and a filter
 * is deleted only if it belongs to this instance or to one whose tap is gone. The
 * qdisc is not removed, because it does nothing while it is empty and other
 * programs may use it.
 */
#ifndef CALFPEN_PRIV_FRAMES_CLSACT_H
#define CALFPEN_PRIV_FRAMES_CLSACT_H

#include <stdbool.h>

/* In `tc filter show`: handle 0xca1f. */
#define FRAMES_CLSACT_HANDLE 0xca1f

/* Attach a filter, before other filters if possible, without replacing any.
 * Returns 0 or a negative errno. */
int frames_clsact_attach(int program_fd, int ifindex, bool ingress);

/* Return true if the device has an ingress filter of calfpen with this program. */
bool frames_clsact_has(int program_fd, int ifindex);

/* Delete the ingress filter with this program (-1: none) and the filters of dead
 * instances. It is not an error if there are none. */
void frames_clsact_detach(int program_fd, int ifindex);

#endif
