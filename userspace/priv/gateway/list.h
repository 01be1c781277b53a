/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A `list` that is being answered: any number of responses of one id, made
 * one at a time as the connection has room for them.
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
	bool is_last;		    /* the page is */
	uint32_t at;		    /* of the page: sent before it */
	struct gate_page page;
};

/* Begin to answer this request, whose path is canonical or empty. */
void gateway_list_begin(struct gateway_list *list, const struct wire_request *request);
/* The next response, at most WIRE_RESPONSE_MAX bytes: its size. The list is
 * not active any more after its last page or an error of the store. */
int gateway_list_next(struct gateway_list *list, const struct gateway_store *store,
		      void *store_data, uint8_t *buffer, size_t size);

#endif
