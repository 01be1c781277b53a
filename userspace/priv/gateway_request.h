/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of a calf, checked against its keys and answered. No
 * descriptor is touched here: the store is a table of functions.
 */
#ifndef CALFPEN_PRIV_GATEWAY_REQUEST_H
#define CALFPEN_PRIV_GATEWAY_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/priv/key_table.h"
#include "userspace/priv/gateway_list.h"
#include "userspace/priv/gateway_store.h"
#include "userspace/priv/gateway_watch.h"

/* What answers the requests of one calf. */
struct gateway_responder {
	const struct key_table *table;
	const struct gateway_store *store;
	void *store_data;
	struct gateway_list list; /* in progress: nothing else is answered meanwhile */
	struct gateway_watches watches;
	struct commit commit; /* scratch: 32 KiB do not belong on a stack */
};

/* Both outlive the responder, and so does `store_data`. */
void gateway_responder_init(struct gateway_responder *responder, const struct key_table *table,
			    const struct gateway_store *store, void *store_data);

/*
 * Answer the request in one whole frame: bytes of the response written into
 * `response` (WIRE_RESPONSE_MAX is enough for any), or a negative errno: the
 * message is malformed and the connection must be closed. 0: the answer comes
 * from gateway_list_next() while the list is active, or has become a watch.
 */
int gateway_answer(struct gateway_responder *responder, const uint8_t *frame, size_t size,
		   uint8_t *response, size_t response_size);

#endif
