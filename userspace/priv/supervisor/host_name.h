/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key /host/name (common/host_name.h): written when an instance starts, and
 * again when the kernel's host name changes.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_HOST_NAME_H
#define CALFPEN_PRIV_SUPERVISOR_HOST_NAME_H

#include "userspace/common/host_name.h"
#include "userspace/common/loop.h"

struct host_name {
	int fd;	  /* the kernel's file, which poll(2) reports as changed; -1: not followed */
	int gate; /* the supervisor's, the caller's */
	struct loop *loop;
	struct loop_timer timer; /* to follow changes again, or to retry */
	bool must_retry;
	char logged[HOST_NAME_SIZE]; /* the last name that was not told; logged once */
};

#define HOST_NAME_NULL(_x) ((struct host_name){ .fd = -1, .gate = -1 })

/*
 * Write the key and follow the kernel's name if `is_told`; otherwise delete a key
 * that a previous run has left. Opens a descriptor, so call it before
 * confine_enter(). `host_name` and `gate` must outlive the loop. Returns 0, or a
 * negative errno, logged.
 */
int host_name_init(struct host_name *host_name, int gate, bool is_told, struct loop *loop);
/* Close everything. Allowed on HOST_NAME_NULL. */
void host_name_deinit(struct host_name *host_name);

#endif
