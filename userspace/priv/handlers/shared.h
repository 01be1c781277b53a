/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the instances of one host share: resolv.conf and the kernel's names.
 * Each instance says what it wants in a file of its own below
 * RUN_ROOT/INSTANCE/; whoever changes the shared thing takes the one lock,
 * reads all of these files and composes. So the outcome is the same whoever
 * does it, and a process that is killed half-way leaves it to the next one.
 */
#ifndef CALFPEN_PRIV_HANDLERS_SHARED_H
#define CALFPEN_PRIV_HANDLERS_SHARED_H

#include "userspace/priv/handlers/handler.h"

#define SHARED_INSTANCES_MAX 32 /* of a host; further ones are left out */
#define SHARED_TEXT_SIZE 8192	/* of one instance's file, NUL included */

/* The lock of all instances, waited for at most a second. 0 and a descriptor
 * for shared_unlock(), or a negative errno as handler_fail(). */
int shared_lock(struct handler_context *context, int *fdp);
void shared_unlock(int fd);

/* Say what this instance wants: replace RUN_ROOT/INSTANCE/NAME where it is
 * another text; NULL removes it. 0, or a negative errno as handler_fail(). */
int shared_say(struct handler_context *context, const char *name, const char *text, size_t length);

/* Call `call` with the file NAME of each instance that has one, in no order;
 * one that is too long is left out. 0, or a negative errno as
 * handler_fail(). */
typedef void (*shared_fn)(const char *instance, const char *text, void *data);
int shared_each(struct handler_context *context, const char *name, shared_fn call, void *data);

#endif
