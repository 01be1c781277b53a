/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A `list` request in progress: any number of responses with one id, produced one at
 * a time when the connection has room.
 */
#ifndef CALFPEN_PRIV_GATEWAY_LIST_H
#define CALFPEN_PRIV_GATEWAY_LIST_H

#include <stdbool.h>

#include "userspace/common/wire.h"
#include "userspace/priv/gateway/store.h"

struct gateway_list {
	bool is_active;
	int32_t id;
	char directory[KV_PATH_SIZE];
	char display[KV_PATH_SIZE]; /* for an error */
	bool is_last;		    /* this is the last page */
	uint32_t at;		    /* entries of the page before this offset are sent */
	struct gate_page page;
};

/* Begin a list for this request, whose path must be canonical or empty. */
void gateway_list_begin(struct gateway_list *list, const struct wire_request *request);
/* Write the next response, at most WIRE_RESPONSE_MAX bytes. After the last page or an
 * error of the store the list is no longer active. Returns the size. */
int gateway_list_next(struct gateway_list *list, const struct gateway_store *store,
		      void *store_data, uint8_t *buffer, size_t size);

#endif
