/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>

#include "userspace/common/path.h"

#define SEGMENT_31 "/a234567890123456789012345678901"

static const char *const good[] = {
	"/ip",
	"/nameserver/001",
	"/a/b/c/d/e/f/g/h",
	SEGMENT_31,
	"/lease.x/-_.9",
	"/...",
	"/a..",
	SEGMENT_31 "/b23456789012345678901234567890", /* 63 bytes */
};

static const char *const bad[] = {
	"",
	"/",
	"ip",
	"/ip/",
	"//ip",
	"/a//b",
	"/.",
	"/..",
	"/a/.",
	"/a/../b",
	"/A",
	"/a b",
	"/a\n",
	"/\xc3",
	"/a:b",
	SEGMENT_31 "2",
	"/a/b/c/d/e/f/g/h/i",
	SEGMENT_31 "/b234567890123456789012345678901", /* 64 bytes */
};

#define N(_array) (sizeof(_array) / sizeof((_array)[0]))

Test(path, canonical)
{
	for (size_t i = 0; i < N(good); i++) {
		struct kv_key key;

		cr_assert(path_is_canonical(good[i]), "%s", good[i]);
		memset(&key, 0xff, sizeof(key));
		cr_assert_eq(path_to_key(good[i], &key), 0);
		cr_assert_str_eq(key.path, good[i]);
		for (size_t at = strlen(good[i]); at < sizeof(key.path); at++)
			cr_assert_eq(key.path[at], 0);
		cr_assert(path_key_is_canonical(&key));
	}
}

Test(path, not_canonical)
{
	for (size_t i = 0; i < N(bad); i++) {
		struct kv_key key = { "untouched" };

		cr_assert_not(path_is_canonical(bad[i]), "%s", bad[i]);
		cr_assert_eq(path_to_key(bad[i], &key), -EILSEQ);
		cr_assert_str_eq(key.path, "untouched");
	}
}

Test(path, key_with_bytes_behind_its_nul)
{
	struct kv_key key = { "/ip" };

	cr_assert(path_key_is_canonical(&key));
	key.path[63] = 'x';
	cr_assert_not(path_key_is_canonical(&key));
	memset(&key, 'a', sizeof(key));
	key.path[0] = '/';
	cr_assert_not(path_key_is_canonical(&key), "no NUL at all");
	memset(&key, 0, sizeof(key));
	cr_assert_not(path_key_is_canonical(&key), "empty");
}

Test(path, below)
{
	cr_assert(path_is_below("/lease/time", "/lease"));
	cr_assert(path_is_below("/lease", "/lease"));
	cr_assert(path_is_below("/lease", "/"));
	cr_assert(path_is_below("/lease", ""));
	cr_assert_not(path_is_below("/leases", "/lease"));
	cr_assert_not(path_is_below("/leas", "/lease"));
	cr_assert_not(path_is_below("/ip", "/lease"));
}
