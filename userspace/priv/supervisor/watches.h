/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the operator's watch. Every `calfpen watch` begins it in the gate and
 * locks a file of the instance, shared; when the last one has ended, in whatever
 * way, nobody reads the operator's ring any more, and the gate need not fill it.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_WATCHES_H
#define CALFPEN_PRIV_SUPERVISOR_WATCHES_H

#include "userspace/common/loop.h"

struct watches {
	int lock;   /* of the file; -1: not open */
	int events; /* readable when a process has closed the file, or may have (file_events.h) */
	int gate;   /* the operator's, the caller's */
	struct loop_timer timer;
	bool is_second_try;
};

#define WATCHES_NULL(_x) ((struct watches){ .lock = -1, .events = -1, .gate = -1 })

/* Create the file in `directory` and follow it; end a watch that the previous run
 * has left. `watches` and `gate` must outlive the loop. Returns 0, or a negative
 * errno, logged. */
int watches_init(struct watches *watches, const char *directory, int gate, struct loop *loop);
/* Close everything; the file stays. Allowed on WATCHES_NULL. */
void watches_deinit(struct watches *watches);

#endif
