/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/chain.h"

#include <sha2.h>
#include <string.h>

#define DIGITS ((size_t)CHAIN_SIZE - 1)
#define MEMBER_LENGTH (sizeof(CHAIN_MEMBER) - 1)
#define END_LENGTH (DIGITS + 2)

void chain_hash(const char *line, size_t length, char hash[static CHAIN_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const unsigned char *)line, length);
	SHA256Final(bytes, &context);
	for (size_t i = 0; i < DIGITS / 2; i++) {
		hash[2 * i] = digits[bytes[i] >> 4];
		hash[2 * i + 1] = digits[bytes[i] & 15];
	}
	hash[DIGITS] = '\0';
}

bool chain_is_hash(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGITS && text[DIGITS] == '\0';
}

const char *chain_previous(const char *line, size_t length)
{
	const char *member = line + length - END_LENGTH - MEMBER_LENGTH;
	char hash[CHAIN_SIZE] = "";

	if (length <= END_LENGTH + MEMBER_LENGTH ||
	    memcmp(member, CHAIN_MEMBER, MEMBER_LENGTH) != 0 ||
	    memcmp(line + length - 2, "\"}", 2) != 0)
		return NULL;
	memcpy(hash, member + MEMBER_LENGTH, DIGITS);
	return chain_is_hash(hash) ? member + MEMBER_LENGTH : NULL;
}
