/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf and its gateway, which are always started and stopped together. The
 * tap and the metrics page outlive them and belong to the supervisor; the pipes
 * and the socket are created for each start.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_PAIR_H
#define CALFPEN_PRIV_SUPERVISOR_PAIR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "userspace/common/await.h"
#include "userspace/priv/container/runtime.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/launcher/launcher.h"
#include "userspace/priv/options.h"

struct pair {
	const struct options *options;
	const struct description *description;
	const struct runtime *runtime;
	uint32_t uid_base;
	uint32_t number; /* of the calf as a subject of the store */
	/* Owned: the sealed memfds launch.fds.keys, and launch.fds.metrics, which is zeroed at
	 * every start of the calf. */
	struct launcher_pair launch;
	struct launcher *launcher; /* that starts the processes once it runs */
	uint32_t entry;		   /* its number of the pair */
	char bundle[PATH_MAX];
	char container[64]; /* OCI id */
	pid_t starter_pid;  /* of runtime_create(), until pair_started() */
	bool is_let_go;	    /* the starter was told to start the calf */
	pid_t calf_pid;	    /* 0: none */
	bool is_asked_to_end;
	pid_t gateway_pid;
};

#define PAIR_NULL(_x)                                                          \
	((struct pair){ .launch = { .fds = { -1, -1, -1, -1, -1, -1, -1, -1 }, \
				    .channels = LAUNCHER_CHANNELS_NULL } })

/* Return the host uid of the gateway and of the calf that is the subject `number` of the
 * instance whose first uid is `uid_base`. It does not depend on the other calves. */
uint32_t pair_gateway_uid(uint32_t uid_base, uint32_t number);
uint32_t pair_calf_uid(uint32_t uid_base, uint32_t number);

/* Prepare a pair: write the bundle below `directory`, create the metrics page
 * and the gateway's key table, which replace those of `fds`, and delete the container of this calf
 * that a killed supervisor left. Returns 0, or a negative errno, logged. */
int pair_init(struct pair *pair, const struct options *options, uint32_t uid_base,
	      const struct description *description, uint32_t number, const char *directory,
	      const struct runtime *runtime, const struct launcher_pair_fds *fds);

/*
 * Before there is a launcher: begin to create the calf's container, which takes longer than
 * the rest of a start. Only fds.frames must be set. `confine` is as for runtime_create().
 * Returns 0, or a negative errno, logged.
 */
int pair_create(struct pair *pair, int (*confine)(void));

/* The launcher has been started, and is from now on the only one that has the channels. */
void pair_hand_over(struct pair *pair, struct launcher *launcher, uint32_t entry);

/*
 * Have the launcher create the container, if pair_create() was not called, start the gateway, and
 * let the container's process start the calf. Does not wait for that: pair_started() must follow when the
 * process pair->starter_pid has exited. Returns 0, or a negative errno, logged; then nothing
 * of the pair is running.
 */
int pair_start(struct pair *pair);

/* Take the wait status of the process pair->starter_pid. Returns 0 with pair->calf_pid set,
 * or a negative errno, logged; then nothing of the pair is running. */
int pair_started(struct pair *pair, int status);

/* Return true if `pid` is the calf of a start that is not complete. */
bool pair_is_starting(const struct pair *pair, pid_t pid);

/* Check whether the calf, too, exited when its gateway did: wait up to 50 ms.
 * Returns true if it did, and stores its wait status in *statusp. */
bool pair_take_calf(struct pair *pair, int *statusp);

/* Kill the gateway, which the supervisor will see exit. */
void pair_kill_gateway(const struct pair *pair);

/* Kill the calf, wait up to half a second for its gateway to read what is left, and
 * kill that, too; all within pair->runtime->limit. A start that is not complete is ended, with
 * the processes of its container. The next start deletes the container, in a process of its
 * own: this never executes the runtime, which may hang.
 * Frames queued in the tap stay there, because priv reads no frames; a new calf
 * recognizes them by their foreign xid. */
void pair_stop(struct pair *pair);

/*
 * Shut down in steps, for several pairs at once. Ask the calf to shut down if it may
 * watch /control/CALF/stop: write that key through the supervisor's gate; ask a start that
 * is not complete to end. Then wait for calf or start until `limit`, kill what did not exit,
 * and do the same with the gateway. pair_deinit() must follow in any case.
 */
void pair_ask_to_end(struct pair *pair, int supervisor_gate_fd);
void pair_end_calf(struct pair *pair, const struct await_limit *limit);
void pair_end_gateway(struct pair *pair, const struct await_limit *limit);

/* Stop the pair and remove its bundle and container: by the runtime, or, without a launcher,
 * by ourselves. Allowed on PAIR_NULL. */
void pair_deinit(struct pair *pair);

#endif
