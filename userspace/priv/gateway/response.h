/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response to a request, ok or error. response.c has the codes and texts of all
 * errors that a calf can get.
 */
#ifndef CALFPEN_PRIV_GATEWAY_RESPONSE_H
#define CALFPEN_PRIV_GATEWAY_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/common/wire.h"

/* Zeroed it is `ok ""`. */
struct gateway_response {
	enum wire_response_tag tag;
	enum wire_code code; /* WIRE_ERROR: why; else WIRE_CODE_NONE */
	size_t length;
	uint64_t revision; /* 0: none in the response */
	char text[KV_VALUE_SIZE];
};

/* Make it an error with this code and this text, which is for humans. */
__attribute__((format(printf, 3, 4))) void
gateway_response_refuse(struct gateway_response *response, enum wire_code code, const char *format,
			...);
/* Make it the error for the store's verdict (0 or a negative errno) on the key shown
 * as `display`; 0 changes nothing. An errno that no request should cause is logged
 * and becomes WIRE_CODE_FAILED. */
void gateway_response_verdict(struct gateway_response *response, int verdict, const char *display);
/* Encode the response. Returns as wire_encode_response(). */
int gateway_response_encode(const struct gateway_response *response, int32_t id, uint8_t *buffer,
			    size_t size);

#endif
