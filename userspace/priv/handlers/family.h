/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key families: what a handler wants. A family is a key such as /mtu, or a directory whose
 * keys are the elements of a list, /nameserver/001. Where several calves may say something,
 * each has a place of its own: /search/CALF, or /nameserver/CALF/001. The names without that
 * of a calf came first; they belong to the calf that writes them.
 *
 * So the tables of all handlers are what calves can change on the host, and description/
 * compares what a calf may write with them.
 */
#ifndef CALFPEN_PRIV_HANDLERS_FAMILY_H
#define CALFPEN_PRIV_HANDLERS_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/value.h"

#define FAMILY_LIST 1u	    /* FAMILY/NNN, else FAMILY itself */
#define FAMILY_PROVIDERS 2u /* also FAMILY/CALF/NNN, else FAMILY/CALF */
/* The family is another handler's, but this one has to run when it changes. */
#define FAMILY_DEPENDS 4u

#define FAMILY_TYPE(_type) (1ull << (_type))

struct handler_family {
	const char *path; /* "/nameserver" */
	uint64_t types;	  /* FAMILY_TYPE() of each type that the values may have */
	uint32_t flags;	  /* FAMILY_* */
};

struct handler;

/* Return whether a change of `path` concerns the handler: the key, or a key below it, of one
 * of its families. */
bool family_concerns(const struct handler *handler, const char *path);

#endif
