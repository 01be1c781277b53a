/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface to the store: gate.h and the subject's ring in the gateway, memory in
 * a test.
 */
#ifndef CALFPEN_PRIV_GATEWAY_STORE_H
#define CALFPEN_PRIV_GATEWAY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/common/gate.h"

/* Process one record of the ring, valid during the call. Returns true to stop after
 * it. */
typedef bool (*gateway_record_fn)(void *data, const void *record, size_t size);

/* Arguments and errors are those of the functions in gate.h. */
struct gateway_store {
	int (*read)(void *data, const char *path, struct kv_value *valuep);
	int (*batch)(void *data, const struct batch *batch, struct batch_results *results);
	int (*commit)(void *data, const struct commit *commit, uint64_t *revisionp,
		      uint32_t *i_refusedp);
	int (*list)(void *data, const char *directory, struct gate_page *page);
	int (*watch)(void *data, enum gate_watch operation, uint64_t *revisionp, uint64_t *n_lostp);
	void (*note_denial)(void *data, enum kv_verb verb, const char *path, int verdict);
	/* Call `take` for the records of the ring in order and consume each. Returns
	 * true when the ring is empty, false if `take` stopped. */
	bool (*consume)(void *data, gateway_record_fn take, void *take_data);
};

#endif
