/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of uids, RUN_ROOT/uids (state/uids.h): each instance has INSTANCE_UIDS
 * consecutive uids that no other one has, because processes of one uid may send signals
 * to each other. It is locked while it is changed, and replaced as a whole, so that a
 * supervisor that is killed leaves no part of a line.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_UIDS_H
#define CALFPEN_PRIV_SUPERVISOR_UIDS_H

#include <stdint.h>

/*
 * What the table hands out: the ids from 0x70000000 up to 2^31 are used by nothing that
 * is known. systemd-nspawn takes containers' uids from 524288 to 1879048191 (0x6fffffff),
 * useradd(8) takes subordinate ids up to 600100000, and container engines use these;
 * some programs take larger ids for negative numbers.
 */
#define UIDS_FIRST 1879048192u
#define UIDS_LAST 2147483647u

struct uids_roots {
	const char *run;  /* RUN_ROOT */
	const char *pins; /* PINS_ROOT */
};

/*
 * Reserve the uids of `instance`: those from `wanted` on, or, if that is 0, those that
 * it had before, else the first free ones from UIDS_FIRST on. An instance keeps its uids
 * until its run directory and its pins are gone. The instance's own lock must be held.
 * Waits up to a second for the lock of the table, but not once `stop_fd` (-1: none) is
 * readable. Returns 0 and the first uid in *firstp; -EADDRINUSE after one line that
 * names the instance which has some of the wanted uids; or another negative errno,
 * logged.
 */
int uids_take(const struct uids_roots *roots, const char *instance, uint32_t wanted, int stop_fd,
	      uint32_t *firstp);

#endif
