/* SPDX-License-Identifier: Apache-2.0 */
/* The processes and channels of one start of a calf and its gateway. */
#ifndef CALFPEN_PRIV_LAUNCHER_PAIR_H
#define CALFPEN_PRIV_LAUNCHER_PAIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "userspace/priv/container/runtime.h"

/* Descriptors that a pair uses but does not own. */
struct launcher_pair_fds {
	int gate;		/* the store's */
	int ring;		/* the store's; -1: the calf has no right to watch */
	int frames;		/* the tap's; -1: the calf has no frame rules */
	int gateway_program;	/* child_open_program() */
	int syslog, syslog_ask; /* of syslog_open(); -1: no syslog */
	int keys;		/* sealed memfd: the gateway's struct key_table */
	int metrics;		/* sealed memfd: the calf's counters */
};

/* The two ends of each channel: [0] priv's, [1] the calf's; of `go`: [0] of the process that
 * starts the calf, [1] ours; -1: closed */
struct launcher_channels {
	int control[2], log_stdout[2], log_stderr[2], go[2];
};

struct launcher_pair {
	const struct runtime *runtime;
	const char *name;      /* of the calf */
	const char *container; /* OCI id */
	const char *bundle;
	struct launcher_pair_fds fds;
	struct launcher_channels channels; /* open from launcher_pair_create() to _start() */
};

#define LAUNCHER_CHANNELS_NULL                      \
	{                                           \
		{ -1, -1 }, { -1, -1 }, { -1, -1 }, \
		{                                   \
			-1, -1                      \
		}                                   \
	}

/*
 * Create the channels, and begin to create the container (runtime_create()). Only fds.frames,
 * fds.metrics and fds.syslog* must be set. `confine` is as for runtime_create(). If
 * `is_sibling`, the new process is a child of this one's parent. Returns its pid, or a negative
 * errno, logged; then there are no channels.
 */
pid_t launcher_pair_create(struct launcher_pair *pair, bool is_sibling, int (*confine)(void));

/* Start the gateway, let the process of launcher_pair_create() start the calf, and close the
 * channels, which are theirs now. Stores the gateway's pidfd in *pidfdp. Returns its pid, or a
 * negative errno, logged. -ENOTCONN: there are no channels. */
pid_t launcher_pair_start(struct launcher_pair *pair, bool is_sibling, int *pidfdp);

/* Close the channels, if they are open: a process that waits for its start exits. */
void launcher_pair_close(struct launcher_pair *pair);

#endif
