/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcalf: what every calf has. A calf is started with fixed descriptors, an
 * empty environment and nothing else; it reads frames and store responses,
 * writes frames and store requests, and ends when its control socket does.
 *
 *	static struct calf calf;
 *
 *	log_init("name", STDERR_FILENO, LOG_LEVEL_INFO);
 *	if (calf_init(&calf, &CALF_FDS_STANDARD) < 0)
 *		return 1;
 *	... calf_on_frame(), loop_add_timer(&calf.loop, ...) ...
 *	if (calf_confine() < 0)
 *		return 1;
 *	... calf_store_read() ...
 *	return calf_run(&calf) < 0;
 *
 * No function here allocates; struct calf is large and meant to be static.
 * Unless stated otherwise they return 0 or a negative errno, which they have
 * logged. Prototypes are grouped by the file that defines them.
 */
#ifndef CALFPEN_CALF_SDK_CALF_H
#define CALFPEN_CALF_SDK_CALF_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/commit.h"
#include "userspace/common/loop.h"
#include "userspace/common/wire.h"

#define CALF_FRAME_MAX 1514  /* longest frame read or written, bytes */
#define CALF_METRICS_MAX 512 /* u64 slots of the page */
#define CALF_PENDING_MAX 32  /* store requests without response, watches included */

/*
 * The descriptors; 0 is /dev/null, 1 and 2 are log pipes (common/log.h).
 * They are adopted: nothing closes them.
 */
struct calf_fds {
	int frames;  /* one raw Ethernet frame per read and write, no header */
	int control; /* SOCK_STREAM to the gateway, common/wire.h */
	int metrics; /* memfd of one page of u64; -1: counted, but not shown */
};

#define CALF_FDS_STANDARD ((const struct calf_fds){ .frames = 3, .control = 4, .metrics = 5 })

struct calf;

/* A frame that arrived; valid during the call. */
typedef void (*calf_frame_fn)(struct calf *calf, const uint8_t *frame, size_t size, void *data);

/* What became of a store request: told apart by what one can do about it. The
 * codes of errors, from which it is derived, are in common/control.capnp. */
enum calf_status {
	CALF_OK = 0,
	CALF_NOT_FOUND = -ENOENT,  /* read: the key does not exist */
	CALF_LATER = -EAGAIN,	   /* busy, or a quota (rate, keys, bytes) is used up */
	CALF_CONFLICT = -ESTALE,   /* the condition does not hold: read again, decide again */
	CALF_REFUSED = -EREMOTEIO, /* not allowed, wrong type, too long, too many: as asked it
				      * will never work; the text says why */
	CALF_FAILED = -EIO,	   /* the store or the gateway failed, or the error has no code
				    * or one that is not known here, because the gateway is of
				    * another version; the text may say why */
};

/*
 * The response to a store request. `status` is an enum calf_status; with
 * CALF_OK `text` is the value that was read, else the reason, in words for
 * people that may change: do not parse it. It is NUL-terminated and valid
 * during the call.
 */
typedef void (*calf_response_fn)(struct calf *calf, int status, const char *text, size_t length,
				 void *data);

/* Conditions of a change; any other number is the revision that the key must
 * have, of a commit: that no key of it may exceed. */
#define CALF_ANY KV_REVISION_ANY       /* none */
#define CALF_ABSENT KV_REVISION_ABSENT /* create only */

enum calf_entry_kind {
	CALF_ENTRY_VALUE = WIRE_ENTRY_VALUE,	 /* watch: the key has this value */
	CALF_ENTRY_DELETED = WIRE_ENTRY_DELETED, /* watch: the key is gone */
	CALF_ENTRY_LISTED = WIRE_ENTRY_LISTED,	 /* list: the key is there */
	CALF_ENTRY_SYNCED = WIRE_ENTRY_SYNCED,	 /* watch: what came is the state of `revision` */
	CALF_ENTRY_RESYNC = WIRE_ENTRY_RESYNC,	 /* watch: events were lost; all that is there
						  * comes again, and what does not come before
						  * the next CALF_ENTRY_SYNCED is gone */
};

/* Valid during the call; both texts are NUL-terminated. */
struct calf_entry {
	enum calf_entry_kind kind;
	const char *path; /* "" of synced and resync */
	uint64_t revision;
	const char *text; /* CALF_ENTRY_VALUE, else "" */
	size_t length;
};

typedef void (*calf_entry_fn)(struct calf *calf, const struct calf_entry *entry, void *data);

/* Private to store.c. */
struct calf_store {
	uint8_t tx[2 * WIRE_FRAME_MAX];
	size_t tx_size; /* encoded */
	size_t tx_at;	/* of these written */
	uint8_t rx[WIRE_FRAME_MAX];
	size_t rx_size;
	int32_t last_id;
	uint64_t revision; /* of the response that is told */
	bool unknown_code_logged;
	uint32_t n_pending;
	struct calf_pending {
		int32_t id;
		uint16_t tag; /* enum wire_request_tag */
		calf_response_fn call;
		calf_entry_fn entry_call; /* WIRE_LIST, WIRE_WATCH */
		void *data;
	} pending[CALF_PENDING_MAX];
};

struct calf {
	struct loop loop; /* its clock, loop.now_ns, may be replaced by a test's */
	struct calf_fds fds;
	/* Fill with random bytes; getrandom(2) unless a test replaces it. */
	void (*random)(void *bytes, size_t size);
	/* Seconds since 1970; for people, never for timers. */
	int64_t (*wall_clock)(void);
	uint64_t *metrics;
	int status; /* what calf_run() returns */
	calf_frame_fn frame_call;
	void *frame_data;
	struct calf_store store;
};

/* calf.c */

/*
 * Adopt the descriptors: non-blocking, watched by calf->loop; map the metrics
 * page; ignore SIGPIPE, so that a peer that is gone is an error of write(2).
 * `calf` outlives everything registered with it.
 */
int calf_init(struct calf *calf, const struct calf_fds *fds);

/* Serve until the control socket ends (0), something fails, or calf_stop(). */
int calf_run(struct calf *calf);

/* Let calf_run() return `status`: 0 or a negative errno. */
void calf_stop(struct calf *calf, int status);

/* Call for every frame. One function per calf. */
void calf_on_frame(struct calf *calf, calf_frame_fn call, void *data);

/* Write one frame. 0, or a negative errno, not logged: the frame is lost, as
 * frames may be. */
int calf_send_frame(struct calf *calf, const uint8_t *frame, size_t size);

/* The slot's index is its place in the description's list of metrics. */
void calf_metric_add(struct calf *calf, size_t i_metric, uint64_t count);
void calf_metric_set(struct calf *calf, size_t i_metric, uint64_t value);

/* confine.c */

/*
 * From here on: read, write, ppoll, clock_gettime, getrandom, exit,
 * exit_group, rt_sigreturn. Any other system call ends the process. Cannot be
 * taken back; further calls narrow nothing.
 */
int calf_confine(void);

/* store.c */

/*
 * Ask for a key; change one; or commit at least one change (copied, `commit`
 * may be used again at once). `call` gets the response; it is never called
 * from within these functions. -ENOBUFS: too much is unanswered, nothing was
 * sent; -EILSEQ, -EMSGSIZE, -EINVAL: a path is not canonical, the text is longer
 * than KV_VALUE_MAX, no change. Not logged.
 */
int calf_store_read(struct calf *calf, const char *path, calf_response_fn call, void *data);
/* The same, and calf_store_revision() is the value's. */
int calf_store_read_revision(struct calf *calf, const char *path, calf_response_fn call,
			     void *data);
int calf_store_write(struct calf *calf, const char *path, const char *text, uint64_t condition,
		     calf_response_fn call, void *data);
int calf_store_delete(struct calf *calf, const char *path, uint64_t condition,
		      calf_response_fn call, void *data);
int calf_store_commit(struct calf *calf, const struct commit *commit, calf_response_fn call,
		      void *data);

/*
 * Every key at and below `directory` ("" for all) that the calf has a right on,
 * also if it may not read it: `entry` for each, in no order, then `call`, with
 * the store's revision as calf_store_revision(). Errors as above; with one
 * `call` ends the list, too: a directory that the calf knows nothing of is one.
 */
int calf_store_list(struct calf *calf, const char *directory, calf_entry_fn entry,
		    calf_response_fn call, void *data);

/*
 * Watch a key or a directory ("" for all that the calf may watch): `entry` for
 * every key that is there, then CALF_ENTRY_SYNCED, then every change as long as
 * the calf lives. Each key's revisions come in order. `call` is called only if
 * the watch is refused. The gateway takes eight of them.
 */
int calf_store_watch(struct calf *calf, const char *directory, calf_entry_fn entry,
		     calf_response_fn call, void *data);

/* Within `call`: the revision that came with the response: the new one of a
 * change that had a condition, or as said above; else 0. */
uint64_t calf_store_revision(const struct calf *calf);

/* Called by the loop. */
int calf_store_dispatch(struct loop *loop, int fd, short revents, void *data);

#endif
