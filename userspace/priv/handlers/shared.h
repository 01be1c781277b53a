/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources shared by the instances of one host: resolv.conf and the kernel's
 * names. Each instance writes what it wants to its own file below
 * RUN_ROOT/INSTANCE/; an instance that changes the shared resource takes the lock,
 * reads the files of all instances and merges them. So the result does not depend
 * on which instance does it, and if it is killed half-way, the next one completes
 * the change.
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

/* Publish what this instance wants: replace RUN_ROOT/INSTANCE/NAME if the text
 * differs; NULL removes it. Returns 0, or a negative errno as handler_fail(). */
int shared_say(struct handler_context *context, const char *name, const char *text, size_t length);

/* Call `call` with the file NAME of each instance that has one, in no particular
 * order; files that are too long are ignored. Returns 0, or a negative errno as
 * handler_fail(). */
typedef void (*shared_fn)(const char *instance, const char *text, void *data);
int shared_each(struct handler_context *context, const char *name, shared_fn call, void *data);

#endif
