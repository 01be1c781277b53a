/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcalf: the library of every calf. A calf starts with fixed descriptors and
 * an empty environment. It reads frames and store responses, writes frames and
 * store requests, and exits when its control socket is closed.
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
 * Unless stated otherwise, functions return 0 or a negative errno and log the
 * error. Prototypes are grouped by the file that defines them.
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
#include "userspace/common/report_page.h"
#include "userspace/common/wire.h"

#define CALF_FRAME_MAX 1514 /* longest frame read or written, bytes ... */
#define CALF_TAGS_MAX 8	    /* ... besides priority tags of a frame that is read */
#define CALF_METRICS_MAX REPORT_PAGE_COUNTERS
#define CALF_PENDING_MAX 32 /* unanswered store requests, watches included */

/*
 * The descriptors of a calf. 0 is /dev/null, 1 and 2 are log pipes
 * (common/log.h). They are adopted: nothing closes them.
 */
struct calf_fds {
	int frames;  /* one raw Ethernet frame per read and write, no header; /dev/null or -1:
		      * none, because the description has no frame rules */
	int control; /* SOCK_STREAM to the gateway, common/wire.h */
	int metrics; /* memfd, struct report_page; -1: metrics are counted, but not exported */
};

#define CALF_FDS_STANDARD ((const struct calf_fds){ .frames = 3, .control = 4, .metrics = 5 })

struct calf;

/* Handle a received frame, which is valid during the call. */
typedef void (*calf_frame_fn)(struct calf *calf, const uint8_t *frame, size_t size, void *data);

/* Results of a store request, one for each way in which a caller can react.
 * They are derived from the error codes in common/control.capnp. */
enum calf_status {
	CALF_OK = 0,
	CALF_NOT_FOUND = -ENOENT,  /* read: the key does not exist */
	CALF_LATER = -EAGAIN,	   /* the store is busy, or a quota (rate, keys, bytes) is used up:
				    * retry */
	CALF_CONFLICT = -ESTALE,   /* the condition does not hold: read again, decide again */
	CALF_REFUSED = -EREMOTEIO, /* not allowed, wrong type, too long, too many: a retry fails,
				    * too; the text says why */
	CALF_FAILED = -EIO,	   /* the store or the gateway failed, or the error has no code or
				    * an unknown one, because the gateway has another version; the
				    * text may say why */
};

/*
 * Handle the response to a store request. `status` is an enum calf_status. With
 * CALF_OK, `text` is the value that was read. Otherwise it is the reason in
 * words for people: the wording may change, do not parse it. `text` is
 * NUL-terminated and valid during the call.
 */
typedef void (*calf_response_fn)(struct calf *calf, int status, const char *text, size_t length,
				 void *data);

/* Conditions of a change. Any other number is a revision: the key must have
 * exactly this one; of a commit, none of its keys may have a newer one. */
#define CALF_ANY KV_REVISION_ANY       /* none */
#define CALF_ABSENT KV_REVISION_ABSENT /* create only */

enum calf_entry_kind {
	CALF_ENTRY_VALUE = WIRE_ENTRY_VALUE,	 /* watch: the key has this value */
	CALF_ENTRY_DELETED = WIRE_ENTRY_DELETED, /* watch: the key was deleted */
	CALF_ENTRY_LISTED = WIRE_ENTRY_LISTED,	 /* list: the key exists */
	CALF_ENTRY_SYNCED = WIRE_ENTRY_SYNCED,	 /* watch: the entries so far are the state of
						  * `revision` */
	CALF_ENTRY_RESYNC = WIRE_ENTRY_RESYNC,	 /* watch: events were lost. All existing keys are
						  * sent again; a key that is not sent before the
						  * next CALF_ENTRY_SYNCED was deleted */
};

/* An entry of a list or watch, valid during the call; both texts are
 * NUL-terminated. */
struct calf_entry {
	enum calf_entry_kind kind;
	const char *path; /* "" for synced and resync */
	uint64_t revision;
	const char *text; /* the value for CALF_ENTRY_VALUE, else "" */
	size_t length;
};

typedef void (*calf_entry_fn)(struct calf *calf, const struct calf_entry *entry, void *data);

/* Private to store.c. */
struct calf_store {
	uint8_t tx[2 * WIRE_FRAME_MAX];
	size_t tx_size; /* encoded */
	size_t tx_at;	/* of which this many are written */
	uint8_t rx[WIRE_FRAME_MAX];
	size_t rx_size;
	int32_t last_id;
	uint64_t revision; /* of the response being dispatched */
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
	struct loop loop; /* tests may replace its clock, loop.now_ns */
	struct calf_fds fds;
	/* Fill `bytes` with random bytes: getrandom(2) unless a test replaces
	 * it. */
	void (*random)(void *bytes, size_t size);
	/* Return seconds since 1970. For people, never for timers. */
	int64_t (*wall_clock)(void);
	uint64_t *metrics;
	int status; /* what calf_run() returns */
	calf_frame_fn frame_call;
	void *frame_data;
	struct calf_store store;
};

/* calf.c */

/*
 * Adopt the descriptors: make them non-blocking, watch them with calf->loop,
 * map the metrics page. A calf without frames runs, too. Ignore SIGPIPE, so that a
 * closed peer is an error of write(2). `calf` must outlive everything registered with it.
 */
int calf_init(struct calf *calf, const struct calf_fds *fds);

/* Run the event loop. Returns 0 when the control socket is closed, the status
 * that calf_stop() was given, or a negative errno. */
int calf_run(struct calf *calf);

/* Make calf_run() return `status`: 0 or a negative errno. */
void calf_stop(struct calf *calf, int status);

/* Set the function to call for every frame. There is one per calf. */
void calf_on_frame(struct calf *calf, calf_frame_fn call, void *data);

/* Write one frame. Returns 0; -ENODEV if the calf has no frames; or another negative
 * errno, not logged: the frame is lost, as frames may be. */
int calf_send_frame(struct calf *calf, const uint8_t *frame, size_t size);

/* Add to or set a metric. `i_metric` is its index in the description's list of
 * metrics. */
void calf_metric_add(struct calf *calf, size_t i_metric, uint64_t count);
void calf_metric_set(struct calf *calf, size_t i_metric, uint64_t value);

/* confine.c */

/*
 * Restrict the process to the system calls read, write, ppoll, clock_gettime,
 * getrandom, exit, exit_group and rt_sigreturn. Any other call kills the
 * process. This cannot be undone; further calls have no effect.
 */
int calf_confine(void);

/* store.c */

/*
 * Request to read a key, change a key, or commit at least one change (`commit`
 * is copied and may be reused at once). `call` gets the response; it is never
 * called from within these functions. Returns 0; -ENOBUFS if too many requests
 * are unanswered (nothing was sent); -EILSEQ if a path is not canonical,
 * -EMSGSIZE if the text is longer than KV_VALUE_MAX, -EINVAL if there is no
 * change. Not logged.
 */
int calf_store_read(struct calf *calf, const char *path, calf_response_fn call, void *data);
/* As calf_store_read(), and calf_store_revision() returns the value's
 * revision. */
int calf_store_read_revision(struct calf *calf, const char *path, calf_response_fn call,
			     void *data);
int calf_store_write(struct calf *calf, const char *path, const char *text, uint64_t condition,
		     calf_response_fn call, void *data);
int calf_store_delete(struct calf *calf, const char *path, uint64_t condition,
		      calf_response_fn call, void *data);
int calf_store_commit(struct calf *calf, const struct commit *commit, calf_response_fn call,
		      void *data);

/*
 * List every key at and below `directory` ("" for all) on which the calf has a
 * right, even if it may not read it. `entry` is called for each key, in no
 * particular order, then `call`, with the store's revision in
 * calf_store_revision(). If `call` gets an error, the list has ended, too; a
 * directory that is unknown to the calf is such an error. Returns as
 * calf_store_read().
 */
int calf_store_list(struct calf *calf, const char *directory, calf_entry_fn entry,
		    calf_response_fn call, void *data);

/*
 * Watch a key or a directory ("" for all that the calf may watch). `entry` is
 * called for every existing key, then with CALF_ENTRY_SYNCED, then for every
 * change as long as the calf runs. The revisions of each key are in order.
 * `call` is called only if the watch is refused. The gateway accepts eight
 * watches. Returns as calf_store_read().
 */
int calf_store_watch(struct calf *calf, const char *directory, calf_entry_fn entry,
		     calf_response_fn call, void *data);

/* Return, within `call`, the revision of the response: the new revision after a
 * conditional change, or as described above; otherwise 0. */
uint64_t calf_store_revision(const struct calf *calf);

/* Handle the control socket; called by the loop. */
int calf_store_dispatch(struct loop *loop, int fd, short revents, void *data);

#endif
