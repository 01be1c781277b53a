/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, 64 bits: short names for texts that calfpen itself chooses. Do not
 * use it where an attacker can choose the text. */
#ifndef CALFPEN_COMMON_HASH_H
#define CALFPEN_COMMON_HASH_H

#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

/* Return `hash` continued over the bytes of `text`, its NUL excluded. */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

#endif
