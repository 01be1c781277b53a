/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/priv/key_table.h"

static struct key_table table = {
	.uid = 1878000001,
	.verbose = true,
	.log_bytes_per_second = 512,
	.log_burst = 65536,
	.name = "dhcp4",
	.n_keys = 2,
	.keys = { { .path = "/ip",
		    .access = KV_ACCESS_WRITE,
		    .rule = { .type = VALUE_IPV4_NET, .max_length = 18 } },
		  { .path = "/nameserver/",
		    .access = KV_ACCESS_WRITE | KV_ACCESS_DELETE,
		    .rule = { .type = VALUE_IPV4, .max_length = 15 } } },
};

/* What the gateway says of a table with these bytes. */
static int map_bytes(const void *bytes, size_t size, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING), r;
	const struct key_table *got = NULL;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	r = key_table_map(fd, &got);
	cr_assert_eq(r == 0, got != NULL);
	close(fd);
	return r;
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

Test(key_table, arrives_whole)
{
	const struct key_table *got = NULL;
	int fd = key_table_seal(&table);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(key_table_map(fd, &got), 0);
	cr_assert_eq(got->version, KEY_TABLE_VERSION);
	cr_assert_eq(got->size, sizeof(table));
	cr_assert_arr_eq((const char *)got + offsetof(struct key_table, uid),
			 (const char *)&table + offsetof(struct key_table, uid),
			 sizeof(table) - offsetof(struct key_table, uid));
	/* Nobody can change it any more. */
	cr_assert_lt(pwrite(fd, "x", 1, 0), 0);
	cr_assert_lt(ftruncate(fd, 0), 0);
	cr_assert_eq(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
}

Test(key_table, seals_are_needed)
{
	struct key_table good = table;

	good.version = KEY_TABLE_VERSION;
	good.size = sizeof(good);
	cr_assert_eq(map_bytes(&good, sizeof(good), ALL_SEALS), 0);
	cr_assert_eq(map_bytes(&good, sizeof(good), 0), -EPERM);
	cr_assert_eq(map_bytes(&good, sizeof(good), ALL_SEALS & ~F_SEAL_WRITE), -EPERM);
	cr_assert_eq(map_bytes(&good, sizeof(good), ALL_SEALS & ~F_SEAL_SHRINK), -EPERM);
	cr_assert_eq(key_table_map(-1, &(const struct key_table *){ NULL }), -EPERM);
}

Test(key_table, other_version_or_size)
{
	struct key_table bad = table;

	bad.size = sizeof(bad);
	cr_assert_eq(map_bytes(&bad, sizeof(bad), ALL_SEALS), -EPROTO, "version 0");
	bad.version = KEY_TABLE_VERSION + 1;
	cr_assert_eq(map_bytes(&bad, sizeof(bad), ALL_SEALS), -EPROTO);
	bad.version = KEY_TABLE_VERSION;
	cr_assert_eq(map_bytes(&bad, sizeof(bad) - 1, ALL_SEALS), -EPROTO);
	cr_assert_eq(map_bytes(&bad, 0, ALL_SEALS), -EPROTO);
	bad.size--;
	cr_assert_eq(map_bytes(&bad, sizeof(bad), ALL_SEALS), -EPROTO);
}

Test(key_table, entries_that_no_description_has)
{
	enum { PATH, UNENDED, ROOT, EMPTY, ACCESS, TYPE, LENGTH, N_KEYS, LOG, NAME, N };

	for (int i = 0; i < N; i++) {
		struct key_table bad = table;

		bad.version = KEY_TABLE_VERSION;
		bad.size = sizeof(bad);
		if (i == PATH)
			strcpy(bad.keys[1].path, "/a//b");
		else if (i == UNENDED)
			memset(bad.keys[1].path, 'a', sizeof(bad.keys[1].path));
		else if (i == ROOT)
			strcpy(bad.keys[1].path, "/");
		else if (i == EMPTY)
			bad.keys[1].path[0] = '\0';
		else if (i == ACCESS)
			bad.keys[1].access = 1u << 20;
		else if (i == TYPE)
			bad.keys[1].rule.type = _VALUE_TYPE_N;
		else if (i == LENGTH)
			bad.keys[1].rule.max_length = KV_VALUE_MAX + 1;
		else if (i == N_KEYS)
			bad.n_keys = KEY_TABLE_KEYS_MAX + 1;
		else if (i == LOG)
			bad.log_bytes_per_second = 0;
		else
			memset(bad.name, 'a', sizeof(bad.name));
		cr_assert_eq(map_bytes(&bad, sizeof(bad), ALL_SEALS), -EBADMSG, "%d", i);
	}
}
