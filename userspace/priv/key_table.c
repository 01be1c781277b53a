/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/key_table.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "userspace/common/path.h"
#include "userspace/priv/sealed.h"

#define ACCESS_ALL (KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE | KV_ACCESS_WATCH)

int key_table_seal(const struct key_table *table)
{
	uint32_t head[] = { KEY_TABLE_VERSION, sizeof(*table) };
	const struct sealed_part parts[] = {
		{ .data = head, .size = sizeof(head) },
		{ .data = (const char *)table + sizeof(head),
		  .size = sizeof(*table) - sizeof(head) },
	};

	return sealed_create("calfpen-keys", parts, 2);
}

/* A directory "/dir/", or a key. */
static bool is_path(const char path[KV_PATH_SIZE])
{
	size_t length = strnlen(path, KV_PATH_SIZE);
	char text[KV_PATH_SIZE];

	if (length < 2 || length == KV_PATH_SIZE)
		return false;
	memcpy(text, path, length + 1);
	if (text[length - 1] == '/')
		text[length - 1] = '\0';
	return path_is_canonical(text);
}

static bool is_key(const struct key_rule *key)
{
	return is_path(key->path) && (key->access & ~ACCESS_ALL) == 0 &&
	       (unsigned int)key->rule.type < _VALUE_TYPE_N && key->rule.max_length <= KV_VALUE_MAX;
}

static int check(const struct key_table *table)
{
	if (table->version != KEY_TABLE_VERSION || table->size != sizeof(*table))
		return -EPROTO;
	if (table->n_keys > KEY_TABLE_KEYS_MAX || !memchr(table->name, '\0', sizeof(table->name)) ||
	    !memchr(table->instance, '\0', sizeof(table->instance)) || !table->log_bytes_per_second)
		return -EBADMSG;
	for (uint32_t i = 0; i < table->n_keys; i++)
		if (!is_key(&table->keys[i]))
			return -EBADMSG;
	return 0;
}

int key_table_map(int fd, const struct key_table **tablep)
{
	void *memory = NULL;
	size_t size = 0;
	int r = sealed_map(fd, &memory, &size);

	if (r)
		return r;
	r = size == sizeof(**tablep) ? check(memory) : -EPROTO;
	if (!r)
		*tablep = memory;
	else
		(void)munmap(memory, size);
	return r;
}
