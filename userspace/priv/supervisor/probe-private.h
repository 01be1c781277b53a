/* SPDX-License-Identifier: Apache-2.0 */
/* probe_bpf.c: try a BPF feature. Each returns 0 or a positive errno. */
#ifndef CALFPEN_PRIV_SUPERVISOR_PROBE_PRIVATE_H
#define CALFPEN_PRIV_SUPERVISOR_PROBE_PRIVATE_H

#include "userspace/priv/supervisor/probe.h"

int probe_try_syscall_program(void);
int probe_try_map_freeze(void);
int probe_try_ringbuf_dynptr(void);
int probe_try_tcx(void);

#endif
