/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system handler turns the wanted state of one family of keys into kernel
 * or file state. It gets the whole wanted state, finds the present state,
 * computes the difference and applies it: calling it twice changes nothing,
 * and a key that is absent is unconfigured. It never removes what it did not
 * set.
 */
#ifndef CALFPEN_PRIV_HANDLERS_HANDLER_H
#define CALFPEN_PRIV_HANDLERS_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/priv/configuration.h"

struct netlink;

/* One wanted key. */
struct wanted_key {
	struct kv_key key;
	struct kv_value value;
};

/* The wanted state: the store as of `revision`, sorted by path. */
struct wanted {
	struct wanted_key *keys; /* owned by the watcher */
	uint32_t n_keys;
	uint64_t revision;
};

/* The value of `path`, or NULL. */
const struct kv_value *wanted_get(const struct wanted *wanted, const char *path);
/* Index of the first key below directory "/nameserver/", or n_keys; the
 * others follow in order of path. */
uint32_t wanted_first_below(const struct wanted *wanted, const char *directory);
bool wanted_is_below(const struct wanted *wanted, uint32_t i_key, const char *directory);

struct handler_context {
	struct netlink *netlink;
	const struct configuration *configuration;
	const char *instance;
	int uplink_ifindex;
	uint32_t original_mtu; /* of the uplink, before anything was set */
	uint64_t now_ns;       /* CLOCK_BOOTTIME */
};

struct handler {
	const char *name; /* "address": /status/NAME */
	/* True if a change of this path concerns the handler. */
	bool (*concerns)(const char *path);
	/* Make it so: 0, or a negative errno with one line logged. */
	int (*apply)(const struct handler_context *context, const struct wanted *wanted);
};

/* In the order in which they are called. */
extern const struct handler handler_link;
extern const struct handler handler_address;
extern const struct handler handler_route;
extern const struct handler handler_dns;

#endif
