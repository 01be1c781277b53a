/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drops rights permanently, in one ordered function: bounding set, ids, capabilities,
 * limits, no_new_privs, Landlock, seccomp. The supervisor, the watcher, the gateway,
 * the chrony role and the migrate role use it; the policy of each role is a constant table in policy.c
 * with a reason per system call.
 */
#ifndef CALFPEN_PRIV_CONFINE_CONFINE_H
#define CALFPEN_PRIV_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/priv/roles.h"

/*
 * Confine this process to the rights of `role` (design: processes).
 *
 * supervisor: uid 0; BPF, NET_ADMIN; securebits; allow list, other calls fail with EPERM:
 *   it executes nothing, creates no process, and changes no ids.
 * launcher: uid 0; SETUID, SETGID, SETPCAP; NET_ADMIN permitted for the watcher, which it
 *   starts; allow list of what it and the programs that it starts need, which inherit it;
 *   other calls fail with EPERM. If `is_foreign`, an OCI runtime that is not ours: also
 *   SYS_ADMIN permitted; and a list of calls that are denied instead, those that load modules,
 *   change the clock, trace, or open a socket other than AF_UNIX and AF_NETLINK.
 * starter: SETUID, SETGID and, if `is_foreign`, SYS_ADMIN; the launcher's list.
 * watcher: uid 0; NET_ADMIN; allow list.
 * gateway: `uid`, `gid`; no capability; not dumpable;
 *   allow list: read, write, sendto/recv on the descriptors it has, ppoll,
 *   clock_gettime, sched_yield, bpf(BPF_PROG_RUN) only, exit_group.
 * chrony: `uid`, `gid`, which may be root's; no capability; not dumpable;
 *   Landlock: the directory of descriptor CHRONY_FD_DIRECTORY; allow list: what
 *   one request on one AF_UNIX socket needs.
 * migrate: `uid`, `gid`; no capability; not dumpable; 64 MiB of addresses, 2 s of
 *   processor time; allow list: read and write on the descriptors it has,
 *   exit_group.
 *
 * asked: `uid`, `gid`; no capability; 64 MiB of addresses, 2 s of processor time; allow
 *   list: executing another, static program, and its reads and writes on the
 *   descriptors it has.
 *
 * The other roles are root: `uid` and `gid` are ignored.
 *
 * Sets PR_SET_PDEATHSIG to SIGKILL (not for supervisor and starter) after the change
 * of ids, and kills the process if the parent has already exited.
 * Returns 0, or a negative errno after one line on stderr; then the process must
 * exit.
 */
int confine_enter(enum role role, uint32_t uid, uint32_t gid, bool is_foreign);

/* Reduce the capabilities of a process of the launcher, which has its list of calls already, to
 * those of `role`: starter, or saver, which has none. Returns as confine_enter(). */
int confine_reduce(enum role role, bool is_foreign);

#endif
