/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a calf, checked against its keys and answered. No
 * descriptor is touched here: the store is a table of functions.
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

/* What answers the requests of one calf. */
struct gateway_responder {
	const struct key_table *table;
	const struct gateway_store *store;
	void *store_data;
	struct gateway_list list; /* in progress: nothing else is answered meanwhile */
	struct gateway_watches watches;
	struct gateway_batch batch; /* scratch, as the commit: not for a stack */
	struct commit commit;
};

/* Both outlive the responder, and so does `store_data`. */
void gateway_responder_init(struct gateway_responder *responder, const struct key_table *table,
			    const struct gateway_store *store, void *store_data);

/*
 * Answer the first request of the bytes received and, if it is a read, write
 * or delete, those behind it that are, too, and may go with it to the store:
 * how many were answered, 0 if the first is not there whole, or a negative
 * errno: it is malformed and the connection must be closed. *usedp: bytes of
 * the requests answered. `output` has room for WIRE_RESPONSE_MAX at least. A
 * list or watch that began has no answer yet: it comes from gateway_list_next(),
 * before which nothing else may be answered, or gateway_watches_run().
 */
int gateway_answer(struct gateway_responder *responder, const uint8_t *bytes, size_t size,
		   size_t *usedp, struct gateway_output *output);

#endif
