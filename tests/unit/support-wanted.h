/* SPDX-License-Identifier: Apache-2.0 */
/* A wanted state from a few lines, for tests of handlers and watcher. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_WANTED_H
#define CALFPEN_TESTS_UNIT_SUPPORT_WANTED_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "userspace/priv/handlers/handler.h"

#define S 1000000000ull /* nanoseconds */

static inline struct kv_key test_key(const char *path)
{
	struct kv_key key = { { 0 } };

	(void)snprintf(key.path, sizeof(key.path), "%s", path);
	return key;
}

static inline struct kv_value test_value(const char *text, uint64_t revision, uint64_t boot_ns)
{
	struct kv_value value = { .revision = revision, .boot_ns = boot_ns };

	(void)snprintf(value.text, sizeof(value.text), "%s", text);
	value.length = (uint16_t)strlen(value.text);
	return value;
}

static inline void test_set(struct wanted *wanted, const char *path, const char *text,
			    uint64_t boot_ns)
{
	struct kv_key key = test_key(path);
	struct kv_value value = test_value(text, wanted->revision + 1, boot_ns);

	cr_assert_eq(wanted_set(wanted, &key, &value), 0);
	wanted->revision++;
}

static inline void test_remove(struct wanted *wanted, const char *path)
{
	struct kv_key key = test_key(path);

	wanted_remove(wanted, &key, ++wanted->revision);
}

#endif
