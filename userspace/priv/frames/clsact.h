/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tc filter on a clsact qdisc: what Linux before 6.6 has in place of tcx.
 *
 * No link holds it, it stays until the device goes or somebody deletes it. So
 * every filter of ours has the same handle, and is deleted only if it is this
 * instance's, or that of an instance whose tap is gone. The qdisc stays: empty,
 * it does nothing, and others may use it.
 */
#ifndef CALFPEN_PRIV_FRAMES_CLSACT_H
#define CALFPEN_PRIV_FRAMES_CLSACT_H

#include <stdbool.h>

/* As `tc filter show` prints it. */
#define FRAMES_CLSACT_HANDLE 0xca1f

/* Attach, before other filters if there is room; nobody's is replaced. 0 or a
 * negative errno. */
int frames_clsact_attach(int program_fd, int ifindex, bool ingress);

/* Delete the ingress filter with this program (-1: none), and those of dead
 * instances. None is no error. */
void frames_clsact_detach(int program_fd, int ifindex);

#endif
