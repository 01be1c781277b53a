/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources shared by the instances of one host: resolv.conf and the kernel's
 * names. Each instance writes what it wants to its own file below
 * RUN_ROOT/INSTANCE/; an instance that changes the shared resource takes the lock,
 * reads the files of all instances and merges them. So the result does not depend
 * on which instance does it, and if it is killed half-way, the next one completes
 * the change.
 *
 * RUN_ROOT/INSTANCE/until says when the lease ends that the instance's files come
 * from, and on which uplink it is. Files of an instance whose lease is over, or
 * whose uplink now belongs to this instance (it was renamed), are left out and removed
 * by whoever reads them, because that instance may never run again. The time is
 * CLOCK_BOOTTIME: like these files it does not outlast a reboot, and unlike the
 * wall clock it is never set.
 */
#ifndef CALFPEN_PRIV_HANDLERS_SHARED_H
#define CALFPEN_PRIV_HANDLERS_SHARED_H

#include "userspace/priv/handlers/handler.h"

#define SHARED_INSTANCES_MAX 32 /* of a host; further ones are left out */
#define SHARED_TEXT_SIZE 8192	/* of one instance's file, NUL included */

/* Take the lock of all instances; wait for at most one second. Returns 0 with a
 * descriptor for shared_unlock(), or a negative errno as handler_fail(). */
int shared_lock(struct handler_context *context, int *fdp);
void shared_unlock(int fd);

/* Returns what a handler of shared resources shall apply: `wanted`, or an empty
 * state if the lease is over. Call it first in each apply; it also notes the end of
 * the lease for shared_say(). */
const struct wanted *shared_begin(struct handler_context *context, const struct wanted *wanted);

/* Before each pass: record a changed end of the lease, so that a renewal need not
 * compose anything. Returns true if the handlers of shared resources must run: the
 * lease is over, or it was, or its end cannot be recorded. */
bool shared_renew(struct handler_context *context, const struct wanted *wanted);

/* Publish what this instance wants: replace RUN_ROOT/INSTANCE/NAME if the text
 * differs; NULL removes it. With the lock held. Returns 0, or a negative errno as
 * handler_fail(). */
int shared_say(struct handler_context *context, const char *name, const char *text, size_t length);

/* Call `call` with the file NAME of each instance that has one, in no particular
 * order; files that are too long are ignored. `call` must not use a text that is
 * over; it returns true if the file shall be removed. With the lock held. Returns 0,
 * or a negative errno as handler_fail(). */
typedef bool (*shared_fn)(const char *instance, const char *text, bool is_over, void *data);
int shared_each(struct handler_context *context, const char *name, shared_fn call, void *data);

/* Forget what a stopped instance, context->instance, has said of its lease's end and
 * uplink. Returns 0, or a negative errno as handler_fail(). */
int shared_forget(struct handler_context *context);
/* Returns true if the lease of that instance is over. */
bool shared_is_over(struct handler_context *context, const char *instance);

#endif
