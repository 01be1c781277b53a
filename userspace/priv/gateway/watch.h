/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watches of one connection: each sends the present keys, `synced`, then every
 * change, from the one ring of the calf's subject. No loss is silent: a watch that
 * lost anything sends `resync` and then everything again.
 */
#ifndef CALFPEN_PRIV_GATEWAY_WATCH_H
#define CALFPEN_PRIV_GATEWAY_WATCH_H

#include <stdbool.h>

#include "userspace/common/wire.h"
#include "userspace/priv/gateway/output.h"
#include "userspace/priv/gateway/store.h"
#include "userspace/priv/key_table.h"

#define GATEWAY_WATCHES_MAX 8

enum gateway_watch_state {
	GATEWAY_WATCH_RESYNC,	   /* lost something; to be restarted */
	GATEWAY_WATCH_LISTING,	   /* sending the present keys */
	GATEWAY_WATCH_CATCHING_UP, /* changes during the listing are still in the ring */
	GATEWAY_WATCH_LIVE,	   /* synced */
};

struct gateway_watch {
	enum gateway_watch_state state;
	int32_t id;
	char directory[KV_PATH_SIZE]; /* or a key, or "/" */
	uint64_t began;	 /* revision: older changes are listed, newer are in the ring */
	uint64_t listed; /* revision when the last page was made */
	bool is_last;	 /* this is the last page */
	uint32_t at;	 /* entries of the page before this offset are sent */
	struct gate_page page;
};

struct gateway_watches {
	const struct key_table *table;
	const struct gateway_store *store;
	void *store_data;
	struct gateway_output *output; /* during gateway_watches_run() */
	struct gateway_watch watches[GATEWAY_WATCHES_MAX];
	uint32_t n;
	uint64_t next_sequence; /* of the ring; 0: no record seen yet */
	uint64_t n_missing;	/* sequence numbers that did not arrive */
	uint64_t n_lost_before; /* the store's count before the first watch */
	uint64_t n_lost;	/* since then, and handled by every watch */
	size_t n_consumed;	/* bytes since the ring was last empty */
	bool is_unsettled;	/* records arrived since the store was asked for losses */
	bool is_suspect;	/* the ring may have been full: ask the store */
	bool wants_retry;	/* the store was busy or the rate used up; the caller
				 * clears it a little later */
};

/* Initialize. All arguments must outlive the watches. */
void gateway_watches_init(struct gateway_watches *watches, const struct key_table *table,
			  const struct gateway_store *store, void *store_data);
/* Start watching the request's path, which must be canonical or empty. Returns 0,
 * -EACCES (the calf may not watch anything there), -EUSERS (too many watches), or the
 * store's error. */
int gateway_watches_add(struct gateway_watches *watches, const struct wire_request *request);
/* Write pending entries to `output` while there is room. Without room the ring is not
 * read: then the kernel drops events and counts them. Returns true if anything was
 * written. */
bool gateway_watches_run(struct gateway_watches *watches, struct gateway_output *output);
/* Call once a second while records arrive, so that the next run asks the store
 * whether any was lost after the last one. */
void gateway_watches_tick(struct gateway_watches *watches);

#endif
