/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/chain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* printf abc | sha256sum; NIST's examples */
Test(chain, F2_hash)
{
	char hash[CHAIN_SIZE], bytes[256];

	chain_hash("abc", 3, hash);
	cr_expect_str_eq(hash, "ba7816bf8f01cfea414140de5dae2223");
	chain_hash("", 0, hash);
	cr_expect_str_eq(hash, "e3b0c44298fc1c149afbf4c8996fb924");
	chain_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hash);
	cr_expect_str_eq(hash, "248d6a61d20638b8e5c026930c3e6039");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	chain_hash(bytes, sizeof(bytes), hash);
	cr_expect_str_eq(hash, "40aff2e9d2d8922e47afd4648e696749");
	cr_expect(chain_is_hash(hash) && chain_is_hash(CHAIN_START));
}

Test(chain, F2_member)
{
	static const char hash[] = "0123456789abcdef0123456789abcdef";
	static const char *const others[] = {
		"",
		"{}",
		"{\"prev\":\"0123456789abcdef0123456789abcdef\"}",
		"{,\"prev\":\"0123456789abcdef0123456789abcdeF\"}",
		"{,\"prev\":\"0123456789abcdef0123456789abcde\"}",
		"{,\"prev\":\"0123456789abcdef0123456789abcdef\"",
		"{,\"prev\":\"0123456789abcdef0123456789abcdef\"} ",
		"{,\"next\":\"0123456789abcdef0123456789abcdef\"}",
	};
	static const char line[] = "{\"a\":\"\",\"prev\":\"0123456789abcdef0123456789abcdef\"}";
	const char *found = chain_previous(line, strlen(line));

	cr_assert_not_null(found);
	cr_expect_eq(strncmp(found, hash, sizeof(hash) - 1), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_null(chain_previous(others[i], strlen(others[i])), "%s", others[i]);
	/* what a cut leaves */
	for (size_t n = 0; n < strlen(line); n++)
		cr_expect_null(chain_previous(line, n), "%zu", n);
	cr_expect(!chain_is_hash(""));
	cr_expect(!chain_is_hash("0123456789abcdef0123456789abcdef0"));
}
