/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of the keys that calves write, from state.json. The kernel checks classes of
 * values only, so that a gateway that was taken over can store what is not of its key's
 * type; a user must not take that for a value.
 */
#ifndef CALFPEN_CLI_TYPES_H
#define CALFPEN_CLI_TYPES_H

#include <jansson.h>

#include "userspace/common/key_rule.h"

struct cli_types {
	struct key_rule *keys; /* of all calves */
	uint32_t n_keys;
};

#define CLI_FLAW_SIZE 48

/* Load the types of `state`, which may be NULL: then, or without memory, there are none. To
 * be freed by cli_types_deinit(). */
void cli_types_init(struct cli_types *types, const json_t *state);
void cli_types_deinit(struct cli_types *types);
/* Returns "not a valid TYPE" in `text`, or NULL if the value is valid or its type is not
 * known. */
const char *cli_types_flaw(const struct cli_types *types, const char *path, const char *value,
			   size_t length, char text[static CLI_FLAW_SIZE]);

#endif
