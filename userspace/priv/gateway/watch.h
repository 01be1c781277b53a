/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watches of one connection: what is there, `synced`, then every change,
 * from the one ring of the calf's subject. No loss is silent: who lost
 * anything is told `resync` and gets everything again.
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
	GATEWAY_WATCH_RESYNC,	   /* lost something; to begin again */
	GATEWAY_WATCH_LISTING,	   /* what is there is being sent */
	GATEWAY_WATCH_CATCHING_UP, /* what changed meanwhile is still in the ring */
	GATEWAY_WATCH_LIVE,	   /* synced */
};

struct gateway_watch {
	enum gateway_watch_state state;
	int32_t id;
	char directory[KV_PATH_SIZE]; /* or a key, or "/" */
	uint64_t began;		      /* revision: older ones are listed, newer ones in the ring */
	uint64_t listed;	      /* revision when the last page was made */
	bool is_last;		      /* the page is */
	uint32_t at;		      /* of the page: sent before it */
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
	uint64_t n_missing;	/* sequence numbers that did not come */
	uint64_t n_lost_before; /* as the store counts, before the first watch */
	uint64_t n_lost;	/* since then, and known to every watch */
	size_t n_consumed;	/* bytes since the ring was last empty */
	bool is_unsettled;	/* records came since the store was asked for losses */
	bool is_suspect;	/* the ring may have been full: ask */
	bool wants_retry;	/* the store was busy or the rate used up; who runs the
				 * watches clears it a little later */
};

/* All three outlive the watches. */
void gateway_watches_init(struct gateway_watches *watches, const struct key_table *table,
			  const struct gateway_store *store, void *store_data);
/* Begin to watch the request's path, canonical or empty. 0, -EACCES (nothing
 * to watch there), -EUSERS (too many), or what the store says. */
int gateway_watches_add(struct gateway_watches *watches, const struct wire_request *request);
/* Write into `output` what has become known, as long as there is room; true if
 * anything was written. While there is none the ring is left alone: it is the
 * kernel that then loses events, and counts them. */
bool gateway_watches_run(struct gateway_watches *watches, struct gateway_output *output);
/* Now and then after records came: ask the store whether any was lost behind
 * them. */
void gateway_watches_tick(struct gateway_watches *watches);

#endif
