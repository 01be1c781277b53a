/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf and its gateway: they live and die together. The supervisor keeps
 * what outlives them, the tap and the metrics page; pipes and socket are made
 * anew for every life.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_PAIR_H
#define CALFPEN_PRIV_SUPERVISOR_PAIR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "userspace/priv/container/runtime.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/options.h"

/* What a pair uses and others own. */
struct pair_fds {
	int gate;	     /* the store's */
	int ring;	     /* the store's; -1: the calf may watch nothing */
	int frames;	     /* the tap's */
	int gateway_program; /* child_open_program() */
};

/* The ends of the channels: [0] priv's, [1] the calf's. -1: closed */
struct pair_channels {
	int control[2], log_stdout[2], log_stderr[2];
};

#define PAIR_CHANNELS_NULL              \
	{                               \
		{ -1, -1 }, { -1, -1 }, \
		{                       \
			-1, -1          \
		}                       \
	}

struct pair {
	const struct options *options;
	const struct description *description;
	const struct runtime *runtime;
	uint32_t i_calf;
	struct pair_fds fds;
	int keys_fd;	/* sealed memfd, owned: the gateway's struct key_table */
	int metrics_fd; /* sealed memfd, owned; zeroed at every start of the calf */
	char bundle[PATH_MAX];
	char container[64];	       /* OCI id */
	struct pair_channels channels; /* between pair_create() and pair_start() */
	pid_t creating_pid;	       /* runtime_create()'s, until pair_start() */
	pid_t calf_pid;		       /* 0: none */
	pid_t gateway_pid;
	uint32_t n_restarts;
	uint64_t started_ns; /* CLOCK_BOOTTIME */
	uint32_t n_failures; /* in a row: the backoff */
};

#define PAIR_NULL(_x) \
	((struct pair){ .metrics_fd = -1, .keys_fd = -1, .channels = PAIR_CHANNELS_NULL })

/* Host ids of a calf and of its gateway. */
uint32_t pair_gateway_uid(const struct options *options, uint32_t i_calf);
uint32_t pair_calf_uid(const struct options *options, uint32_t i_calf);

/* Prepare: bundle below `directory`, metrics page, the gateway's keys. Ends what a killed
 * supervisor left of this calf. 0 or a negative errno, logged. */
int pair_init(struct pair *pair, const struct options *options,
	      const struct description *description, uint32_t i_calf, const char *directory,
	      const struct runtime *runtime, const struct pair_fds *fds);

/*
 * Begin to make the calf's container, which takes longer than all the rest of
 * a start: needs fds.frames only. `confine` as for runtime_create(). 0 or a
 * negative errno, logged.
 */
int pair_create(struct pair *pair, int (*confine)(void));

/* Start gateway and calf, in the container of pair_create(), which it calls if
 * nobody has. 0, or a negative errno, logged, with neither left. */
int pair_start(struct pair *pair, uint64_t now_ns);

/* Its gateway has ended: true, with a wait status, if so has the calf, or does
 * within 50 ms. */
bool pair_take_calf(struct pair *pair, int *statusp);

/* End both and wait for them, for a gateway that still has something to read
 * half a second at most. Frames that wait in the tap stay there: priv
 * reads no frame, and a new calf knows them by their foreign xid. */
void pair_stop(struct pair *pair);

/*
 * Let the calf end in order, if it watches SUBJECTS_STOP_KEY: write that by the
 * supervisor's gate and wait for it, a second and a half at most. Both are
 * still to be stopped.
 */
void pair_let_end(struct pair *pair, int supervisor_gate_fd);

/* When to start again after an end at `now_ns`: 0.1 s, doubling up to 30 s,
 * from the start again after a minute of life. */
uint64_t pair_restart_at(struct pair *pair, uint64_t now_ns);

/* Stop, and remove bundle and container. Legal on PAIR_NULL. */
void pair_deinit(struct pair *pair);

#endif
