/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: saving the store. This runs in the confined watcher, and for secrets in the
 * supervisor: it opens, writes, syncs and renames within one directory, and allocates
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "userspace/common/directory.h"
#include "userspace/priv/persist/persist.h"

#define BUFFER_SIZE 16384

const struct key_rule *persist_find_key(const struct description *descriptions,
					uint32_t n_descriptions, const char *path)
{
	for (uint32_t i = 0; i < n_descriptions; i++) {
		const struct key_rule *key = description_find_key(&descriptions[i], path);

		if (key && key->persistent)
			return key;
	}
	return NULL;
}

/* A file being written. Errors are sticky: after the first one nothing is written. */
struct output {
	int fd;
	int error;
	uLong crc;
	size_t used;
	uint8_t buffer[BUFFER_SIZE];
};

static void flush(struct output *output)
{
	size_t at = 0;

	while (!output->error && at < output->used) {
		ssize_t n = write(output->fd, output->buffer + at, output->used - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			output->error = n == 0 ? -EIO : -errno;
	}
	output->used = 0;
}

static void put(struct output *output, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	output->crc = crc32(output->crc, from, (uInt)size);
	while (size > 0) {
		size_t part = BUFFER_SIZE - output->used;

		if (part > size)
			part = size;
		memcpy(output->buffer + output->used, from, part);
		output->used += part;
		from += part;
		size -= part;
		if (output->used == BUFFER_SIZE)
			flush(output);
	}
}

static void put_header(struct output *output, uint32_t n_entries, uint64_t revision, uint64_t size)
{
	uint8_t bytes[PERSIST_HEADER_SIZE];
	struct bytes_writer writer;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	bytes_put(&writer, PERSIST_MAGIC, 8);
	bytes_put_le32(&writer, PERSIST_VERSION);
	bytes_put_le32(&writer, n_entries);
	bytes_put_le64(&writer, revision);
	bytes_put_le64(&writer, size);
	put(output, bytes, sizeof(bytes));
}

static void put_entry(struct output *output, const struct wanted_key *key, uint64_t wall_offset_ns)
{
	uint8_t bytes[PERSIST_ENTRY_HEADER_SIZE];
	struct bytes_writer writer;
	size_t path_length = strnlen(key->key.path, KV_PATH_MAX);

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	bytes_put_le64(&writer, key->value.revision);
	bytes_put_le64(&writer, key->value.boot_ns + wall_offset_ns);
	bytes_put_le16(&writer, (uint16_t)path_length);
	bytes_put_le16(&writer, (uint16_t)key->value.length);
	put(output, bytes, sizeof(bytes));
	put(output, key->key.path, path_length);
	put(output, key->value.text, key->value.length);
}

static void put_trailer(struct output *output)
{
	uint8_t bytes[PERSIST_TRAILER_SIZE];
	struct bytes_writer writer;

	bytes_writer_init(&writer, bytes, sizeof(bytes));
	bytes_put_le32(&writer, (uint32_t)output->crc);
	put(output, bytes, sizeof(bytes));
}

/* What is to be saved. */
struct store_image {
	const struct wanted *wanted;
	const struct description *descriptions;
	uint32_t n_descriptions;
	uint64_t wall_offset_ns;
	bool has_secrets; /* they are what is saved */
};

/* A value that was written as a secret is one, also if the description now says otherwise:
 * the watcher does not have it. */
static bool is_kept(const struct store_image *image, const struct wanted_key *key)
{
	const struct key_rule *rule =
		persist_find_key(image->descriptions, image->n_descriptions, key->key.path);

	return rule && (rule->secret || key->value.flags) == image->has_secrets;
}

static int fill(int fd, const void *data)
{
	const struct store_image *image = data;
	const struct wanted *wanted = image->wanted;
	struct output output = { .fd = fd, .crc = crc32(0, NULL, 0) };
	uint64_t revision = wanted->revision, size = PERSIST_SIZE_MIN;
	uint32_t i, n_entries = 0;

	for (i = 0; i < wanted->n_keys; i++) {
		const struct wanted_key *key = wanted->keys[i];

		if (!is_kept(image, key))
			continue;
		n_entries++;
		size += PERSIST_ENTRY_HEADER_SIZE + strnlen(key->key.path, KV_PATH_MAX) +
			key->value.length;
		/* A key may be newer than the list that found it. */
		if (key->value.revision > revision)
			revision = key->value.revision;
	}
	put_header(&output, n_entries, revision, size);
	for (i = 0; i < wanted->n_keys; i++)
		if (is_kept(image, wanted->keys[i]))
			put_entry(&output, wanted->keys[i], image->wall_offset_ns);
	put_trailer(&output);
	flush(&output);
	return output.error;
}

int persist_save(const char *directory, const struct wanted *wanted,
		 const struct description *descriptions, uint32_t n_descriptions,
		 uint64_t wall_offset_ns)
{
	const struct store_image image = { wanted, descriptions, n_descriptions, wall_offset_ns,
					   false };

	return directory_replace_file(directory, PERSIST_FILE, 0600, fill, &image);
}

static bool is_there(const char *directory, const char *name)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path) ||
	       !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

bool persist_has_secrets(const char *directory, const struct description *descriptions,
			 uint32_t n_descriptions)
{
	for (uint32_t i = 0; i < n_descriptions; i++)
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++)
			if (descriptions[i].keys[j].persistent && descriptions[i].keys[j].secret)
				return true;
	return is_there(directory, PERSIST_SECRETS_FILE);
}

int persist_save_secrets(const char *directory, const struct wanted *wanted,
			 const struct description *descriptions, uint32_t n_descriptions,
			 uint64_t wall_offset_ns)
{
	const struct store_image image = { wanted, descriptions, n_descriptions, wall_offset_ns,
					   true };
	uint32_t n = 0;

	for (uint32_t i = 0; i < wanted->n_keys; i++)
		n += is_kept(&image, wanted->keys[i]);
	if (!n && !is_there(directory, PERSIST_SECRETS_FILE))
		return 0;
	return directory_replace_file(directory, PERSIST_SECRETS_FILE, 0600, fill, &image);
}
