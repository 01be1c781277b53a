/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The encoder: one segment in the caller's buffer, a bump index, words
 * zeroed as they are allocated, objects in pre-order. Its output is identical
 * to the reference tool's, byte for byte: an empty blob or list is a pointer
 * with count 0, an unused slot is null. A message without a revision is written
 * with the schema of 2017, whose structs have one data word.
 */
#include "userspace/common/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "userspace/common/bytes.h"
#include "userspace/common/path.h"

#define WORD 8u
#define TABLE_SIZE 8u

/* The segment being built. Once it is full, nothing more is written. */
struct builder {
	uint8_t *segment;
	size_t max_words;
	size_t n_words;
	bool full;
};

static void builder_init(struct builder *builder, uint8_t *buffer, size_t size)
{
	if (size > WIRE_FRAME_MAX)
		size = WIRE_FRAME_MAX;
	*builder = (struct builder){ .full = size < TABLE_SIZE };
	if (builder->full)
		return;
	builder->segment = buffer + TABLE_SIZE;
	builder->max_words = (size - TABLE_SIZE) / WORD;
}

/* Return the position of the next `n_words` words, or 0 (that of the root
 * pointer) if there is no room. */
static size_t allocate(struct builder *builder, size_t n_words)
{
	size_t at = builder->n_words;

	if (builder->full || n_words > builder->max_words - builder->n_words) {
		builder->full = true;
		return 0;
	}
	memset(builder->segment + at * WORD, 0, n_words * WORD);
	builder->n_words += n_words;
	return at;
}

static void store_word(struct builder *builder, size_t at, uint64_t word)
{
	struct bytes_writer writer;

	if (builder->full)
		return;
	bytes_writer_init(&writer, builder->segment + at * WORD, WORD);
	bytes_put_le64(&writer, word);
}

/* Return the offset field of a pointer at word `at` to the later word
 * `target`. */
static uint64_t offset(size_t at, size_t target)
{
	return (uint64_t)(target - at - 1) << 2 & UINT32_MAX;
}

/* Append a struct to which word `at` points. Returns where its data begins. */
static size_t put_struct(struct builder *builder, size_t at, size_t n_data, size_t n_pointers)
{
	size_t target = allocate(builder, n_data + n_pointers);

	store_word(builder, at,
		   offset(at, target) | (uint64_t)n_data << 32 | (uint64_t)n_pointers << 48);
	return target;
}

/* Append a list of `n_words` words to which word `at` points. Returns where it
 * begins. */
static size_t put_list(struct builder *builder, size_t at, uint64_t element, size_t count,
		       size_t n_words)
{
	size_t target = allocate(builder, n_words);

	store_word(builder, at, offset(at, target) | 1u | element << 32 | (uint64_t)count << 35);
	return target;
}

/* Append `count` structs as a composite list to which word `at` points. Returns
 * where the first struct begins. */
static size_t put_structs(struct builder *builder, size_t at, size_t count, size_t n_data,
			  size_t n_pointers)
{
	size_t n_words, target;

	if (count > WIRE_FRAME_MAX) {
		builder->full = true;
		return 0;
	}
	n_words = count * (n_data + n_pointers);
	target = put_list(builder, at, 7, n_words, 1 + n_words);
	store_word(builder, target,
		   (uint64_t)count << 2 | (uint64_t)n_data << 32 | (uint64_t)n_pointers << 48);
	return target + 1;
}

/* Append `length` bytes and `n_nuls` NULs as a list of bytes. */
static void put_blob(struct builder *builder, size_t at, const void *bytes, size_t length,
		     size_t n_nuls)
{
	size_t count = length + n_nuls, target;

	if (length > WIRE_FRAME_MAX) {
		builder->full = true;
		return;
	}
	target = put_list(builder, at, 2, count, (count + WORD - 1) / WORD);
	if (!builder->full && length > 0)
		memcpy(builder->segment + target * WORD, bytes, length);
}

/* Append the segments of a canonical path or "" as List(Text). */
static void put_path(struct builder *builder, size_t at, const char *path)
{
	size_t n_segments = 0, list;

	for (const char *byte = path; *byte; byte++)
		n_segments += *byte == '/';
	list = put_list(builder, at, 6, n_segments, n_segments);
	for (size_t i = 0; i < n_segments; i++) {
		size_t length;

		path++; /* the slash */
		length = strcspn(path, "/");
		put_blob(builder, list + i, path, length, 1);
		path += length;
	}
}

/* Write the segment table. Returns the size of the frame in bytes, or
 * -EMSGSIZE. */
static int finish(struct builder *builder, uint8_t *buffer)
{
	struct bytes_writer table;

	if (builder->full)
		return -EMSGSIZE;
	bytes_writer_init(&table, buffer, TABLE_SIZE);
	bytes_put_le32(&table, 0);
	bytes_put_le32(&table, (uint32_t)builder->n_words);
	return (int)(TABLE_SIZE + builder->n_words * WORD);
}

/* Return the first data word of a request or response. */
static uint64_t head(int32_t id, unsigned int tag)
{
	return (uint32_t)id | (uint64_t)tag << 32;
}

/* Append the root struct: its head, and a second data word if there is a
 * revision. Returns the word of its first pointer. */
static size_t put_root(struct builder *builder, uint64_t first, uint64_t revision, size_t n_data,
		       size_t n_pointers)
{
	size_t root = put_struct(builder, allocate(builder, 1), n_data, n_pointers);

	store_word(builder, root, first);
	if (n_data > 1)
		store_word(builder, root + 1, revision);
	return root + n_data;
}

int wire_encode_request(int32_t id, enum wire_request_tag tag, const char *path, const void *value,
			size_t length, uint64_t revision, uint8_t *buffer, size_t size)
{
	struct builder builder;
	size_t at;

	if (path[0] != '\0' && !path_is_canonical(path))
		return -EILSEQ;
	builder_init(&builder, buffer, size);
	at = put_root(&builder, head(id, tag), revision, revision ? 2 : 1, 2);
	put_path(&builder, at, path);
	if (tag == WIRE_WRITE)
		put_blob(&builder, at + 1, value, length, 0);
	return finish(&builder, buffer);
}

/* Read the next packed change and check it: its header and text. Returns 0,
 * -EINVAL or -EILSEQ. */
static int next_change(struct bytes_reader *packed, struct kv_change *changep,
		       const uint8_t **textp)
{
	struct kv_key key;

	bytes_copy(packed, changep, KV_CHANGE_HEADER);
	*textp = bytes_view(packed, KV_CHANGE_SIZE(changep->length) - KV_CHANGE_HEADER);
	if (packed->failed ||
	    (changep->operation != KV_CHANGE_WRITE && changep->operation != KV_CHANGE_DELETE))
		return -EINVAL;
	memcpy(key.path, changep->path, sizeof(key.path));
	return path_key_is_canonical(&key) ? 0 : -EILSEQ;
}

int wire_encode_commit(int32_t id, const void *changes, size_t changes_size, uint32_t n_changes,
		       uint64_t revision, uint8_t *buffer, size_t size)
{
	struct bytes_reader packed;
	struct builder builder;
	size_t at;

	if (n_changes > KV_CHANGES_MAX)
		return -E2BIG;
	bytes_reader_init(&packed, changes, changes_size);
	builder_init(&builder, buffer, size);
	at = put_root(&builder, head(id, WIRE_COMMIT), revision, 2, 2);
	at = put_structs(&builder, at + 1, n_changes, 1, 2);
	for (uint32_t i = 0; i < n_changes; i++, at += 3) {
		struct kv_change change;
		const uint8_t *text;
		int r = next_change(&packed, &change, &text);

		if (r < 0)
			return r;
		put_path(&builder, at + 1, change.path);
		if (change.operation == KV_CHANGE_WRITE)
			put_blob(&builder, at + 2, text, change.length, 0);
		else
			store_word(&builder, at, WIRE_CHANGE_DELETE);
	}
	if (bytes_left(&packed) > 0)
		return -EINVAL;
	return finish(&builder, buffer);
}

int wire_encode_response(int32_t id, enum wire_response_tag tag, enum wire_code code,
			 const void *value, size_t length, uint64_t revision, uint8_t *buffer,
			 size_t size)
{
	struct builder builder;
	size_t at;

	builder_init(&builder, buffer, size);
	at = put_root(&builder, head(id, tag) | (uint64_t)code << 56, revision, revision ? 2 : 1,
		      1);
	put_blob(&builder, at, value, length, 0);
	return finish(&builder, buffer);
}

/* Store an entry in the struct whose two data words are at `at`, and append its
 * path and value. */
static int put_entry(struct builder *builder, size_t at, const struct wire_entry *entry)
{
	store_word(builder, at, entry->revision);
	store_word(builder, at + 1, entry->tag);
	if (entry->path.path[0] != '\0') {
		if (!path_key_is_canonical(&entry->path))
			return -EILSEQ;
		put_path(builder, at + 2, entry->path.path);
	}
	if (entry->tag == WIRE_ENTRY_VALUE)
		put_blob(builder, at + 3, entry->value.bytes, entry->value.size, 0);
	return 0;
}

int wire_encode_entries(int32_t id, const struct wire_entry *entries, uint32_t n_entries,
			uint64_t revision, bool more, uint8_t *buffer, size_t size)
{
	struct builder builder;
	size_t at;

	builder_init(&builder, buffer, size);
	at = put_root(&builder, head(id, WIRE_ENTRIES) | (uint64_t)more << 48, revision, 2, 1);
	at = put_structs(&builder, at, n_entries, 2, 2);
	for (uint32_t i = 0; i < n_entries; i++, at += 4) {
		int r = put_entry(&builder, at, &entries[i]);

		if (r < 0)
			return r;
	}
	return finish(&builder, buffer);
}
