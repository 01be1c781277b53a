/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway process: it serves the requests of one calf. Nothing outside of this
 * directory includes its headers; main.c starts it by gateway_main() (roles.h).
 *
 * This header: checks requests against the keys of the calf and responds to them. It
 * uses no descriptor: the store is a table of functions.
 */
#ifndef CALFPEN_PRIV_GATEWAY_REQUEST_H
#define CALFPEN_PRIV_GATEWAY_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/priv/gateway/batch.h"
#include "userspace/priv/gateway/list.h"
#include "userspace/priv/gateway/store.h"
#include "userspace/priv/gateway/watch.h"
#include "userspace/priv/key_table.h"

/* State for serving the requests of one calf. */
struct gateway_responder {
	const struct key_table *table;
	const struct gateway_store *store;
	void *store_data;
	struct gateway_list list; /* while it is in progress, nothing else is served */
	struct gateway_watches watches;
	struct gateway_batch batch; /* scratch like the commit, too large for a stack */
	struct commit commit;
};

/* Initialize. All arguments must outlive the responder. */
void gateway_responder_init(struct gateway_responder *responder, const struct key_table *table,
			    const struct gateway_store *store, void *store_data);

/*
 * Serve the first request of the bytes received and, if it is a read, write or
 * delete, also the following ones of these kinds that can be passed to the store with
 * it. `output` must have room for at least WIRE_RESPONSE_MAX. *usedp is set to the
 * bytes of the requests served. A list or watch that begins has no response yet: it
 * comes from gateway_list_next(), before which nothing else may be served, or from
 * gateway_watches_run(). Returns the number of requests served, 0 if the first one is
 * incomplete, or a negative errno if it is malformed and the connection must be
 * closed.
 */
int gateway_answer(struct gateway_responder *responder, const uint8_t *bytes, size_t size,
		   size_t *usedp, struct gateway_output *output);

#endif
