/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that end no process of an instance. */
#ifndef CALFPEN_COMMON_SIGNALS_H
#define CALFPEN_COMMON_SIGNALS_H

#include <signal.h>

/*
 * Block SIGHUP, SIGUSR1 and SIGUSR2, and no other signal. By default they end a process,
 * but operators of other daemons send them to make one reopen its logs. Supervisor and
 * watcher read them from a signalfd, other processes never do. A program that is executed
 * inherits this, so that they are also harmless before it has begun.
 */
void signals_block_harmless(void);
/* Store the set of these signals, for a program that is spawned. */
void signals_harmless(sigset_t *setp);

#endif
