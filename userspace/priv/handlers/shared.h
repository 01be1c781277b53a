/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources shared by the instances of one host: resolv.conf and the kernel's
 * names. Each instance writes what it wants to its own file below
 * RUN_ROOT/INSTANCE/; an instance that changes the shared resource takes the lock,
 * reads the files of all instances and merges them. So the result does not depend
 * on which instance does it, and if it is killed half-way, the next one completes
 * the change.
 *
 * RUN_ROOT/INSTANCE/NAME.until says when a file ends, and on which uplink its instance
 * is. What comes with a lease, the keys without the name of a calf, ends with it; keys of
 * FAMILY/CALF stay until their calf removes them (provider.h). A file of both ends with the
 * lease, and is then composed again without its part, if its watcher is alive. Files that
 * are over, or whose uplink now belongs to this instance (it was renamed), are left out and
 * removed by whoever reads them, because their instance may never run again. The time is
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

/* The files of an instance: "resolv.conf", "hostname", "domainname", "ntp-servers",
 * "captive-portal". */
enum shared_file {
	SHARED_RESOLV_CONF,
	SHARED_HOST_NAME,
	SHARED_DOMAIN_NAME,
	SHARED_TIME_SERVERS,
	SHARED_PORTAL,
	_SHARED_FILE_N,
};

/* Returns true if the lease is not over, so that the keys without the name of a calf count.
 * Call it first in each apply of a handler of shared resources; it also notes the end of the
 * lease for shared_say(). */
bool shared_begin(struct handler_context *context, const struct wanted *wanted);

/* Before each pass: record a changed end of the lease, so that a renewal need not
 * compose anything. Returns true if the handlers of shared resources must run: the
 * lease is over, or it was, or its end cannot be recorded. */
bool shared_renew(struct handler_context *context, const struct wanted *wanted);

/* What an instance wants in a file. */
struct shared_text {
	const char *text; /* NULL: no file */
	size_t length;
	bool ends; /* with the lease */
};

/* Publish what this instance wants: replace its file if the text differs. With the lock
 * held. Returns 0, or a negative errno as handler_fail(). */
int shared_say(struct handler_context *context, enum shared_file file,
	       const struct shared_text *text);

/* Call `call` with this file of each instance that has one, in no particular
 * order; files that are too long are ignored. `call` must not use a text that is
 * over; it returns true if the file shall be removed. With the lock held. Returns 0,
 * or a negative errno as handler_fail(). */
typedef bool (*shared_fn)(const char *instance, const char *text, bool is_over, void *data);
int shared_each(struct handler_context *context, enum shared_file file, shared_fn call, void *data);

/* Returns true if a file of that instance is over. */
bool shared_is_over(struct handler_context *context, const char *instance);

#endif
