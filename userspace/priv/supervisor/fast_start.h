/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faster grace periods of RCU while an instance starts (`fast_start: yes`): the kernel
 * interrupts all CPUs instead of waiting until each has passed a quiescent state. The switch
 * is for the whole machine, so it is set only as long as the start takes.
 *
 * Whoever holds the lock file sets the switch and restores it; another instance that starts
 * meanwhile leaves it alone. The former value is in the lock file as long as the switch is
 * set, so that a start after one that was killed restores what that one has found.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_FAST_START_H
#define CALFPEN_PRIV_SUPERVISOR_FAST_START_H

#include <stddef.h>

#define FAST_START_SWITCH "/sys/kernel/rcu_expedited"
#define FAST_START_VALUE_SIZE 16

struct fast_start {
	int lock_fd, switch_fd; /* -1: there is nothing to restore */
	char former[FAST_START_VALUE_SIZE];
};

#define FAST_START_NULL(_x) ((struct fast_start){ .lock_fd = -1, .switch_fd = -1 })

/* Set the switch, a file that is `path`. If that is not possible the start is merely slower,
 * so the reason is logged as information. */
void fast_start_begin(struct fast_start *fast, const char *path, const char *lock);

/* Restore the switch. Allowed on FAST_START_NULL, and again. */
void fast_start_end(struct fast_start *fast);

#endif
