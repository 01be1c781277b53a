/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of a calf, checked against its description and answered. No
 * descriptor is touched here: the store is a table of functions, gate.h's in
 * the gateway and a test's in a test.
 */
#ifndef CALFPEN_PRIV_GATEWAY_REQUEST_H
#define CALFPEN_PRIV_GATEWAY_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/common/gate.h"
#include "userspace/priv/description.h"

/* The store, by the same rules and errors as the functions of gate.h. */
struct gateway_store {
	int (*read)(void *data, const char *path, struct kv_value *valuep);
	int (*write)(void *data, const char *path, const char *text, size_t length);
	int (*remove)(void *data, const char *path);
	int (*commit)(void *data, const struct gate_commit *commit, uint32_t *i_refusedp);
};

/* What answers the requests of one calf. */
struct gateway_responder {
	const struct description *description;
	const struct gateway_store *store;
	void *store_data;
	struct gate_commit commit; /* scratch: 32 KiB do not belong on a stack */
};

/* Both outlive the responder, and so does `store_data`. */
void gateway_responder_init(struct gateway_responder *responder,
			    const struct description *description,
			    const struct gateway_store *store, void *store_data);

/*
 * Answer the request in one whole frame: bytes of the response written into
 * `response` (WIRE_RESPONSE_MAX is enough for any), or a negative errno: the
 * message is malformed and the connection must be closed.
 */
int gateway_answer(struct gateway_responder *responder, const uint8_t *frame, size_t size,
		   uint8_t *response, size_t response_size);

#endif
