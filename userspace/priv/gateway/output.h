/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded buffer of a connection's unsent responses. A writer checks for room
 * first, and continues later if there is none.
 */
#ifndef CALFPEN_PRIV_GATEWAY_OUTPUT_H
#define CALFPEN_PRIV_GATEWAY_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#define GATEWAY_UNSENT_MAX 32768

struct gateway_output {
	size_t at;   /* bytes before this offset are sent */
	size_t size; /* bytes written */
	uint8_t bytes[GATEWAY_UNSENT_MAX];
};

static inline size_t gateway_output_room(const struct gateway_output *output)
{
	return sizeof(output->bytes) - output->size;
}

/* Returns where to write next. */
static inline uint8_t *gateway_output_end(struct gateway_output *output)
{
	return output->bytes + output->size;
}

#endif
