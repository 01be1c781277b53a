/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The encoder: one segment in the caller's buffer, a bump index, words
 * zeroed as they are allocated, objects in pre-order. Its output is what the reference tool writes,
 * byte for byte: an empty blob or list is a pointer with count 0, an unused
 * slot is null.
 */
#include "userspace/common/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "userspace/common/bytes.h"
#include "userspace/common/path.h"

#define WORD 8u
#define TABLE_SIZE 8u

/* The segment that is built. Once it is full nothing more is written. */
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

/* The next `n_words` words; 0 (the root pointer's) when there is no room. */
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

/* Offset field of a pointer at word `at` to word `target` behind it. */
static uint64_t offset(size_t at, size_t target)
{
	return (uint64_t)(target - at - 1) << 2 & UINT32_MAX;
}

/* A struct, referred to by word `at`: where its data begins. */
static size_t put_struct(struct builder *builder, size_t at, size_t n_data, size_t n_pointers)
{
	size_t target = allocate(builder, n_data + n_pointers);

	store_word(builder, at,
		   offset(at, target) | (uint64_t)n_data << 32 | (uint64_t)n_pointers << 48);
	return target;
}

/* A list of `n_words` words, referred to by word `at`: where it begins. */
static size_t put_list(struct builder *builder, size_t at, uint64_t element, size_t count,
		       size_t n_words)
{
	size_t target = allocate(builder, n_words);

	store_word(builder, at, offset(at, target) | 1u | element << 32 | (uint64_t)count << 35);
	return target;
}

/* `length` bytes and `n_nuls` NULs as a list of bytes. */
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

/* The segments of a canonical path or "" as List(Text). */
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

/* Write the segment table: bytes of the frame, or -EMSGSIZE. */
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

/* First data word of a request or response. */
static uint64_t head(int32_t id, unsigned int tag)
{
	return (uint32_t)id | (uint64_t)tag << 32;
}

int wire_encode_request(int32_t id, enum wire_request_tag tag, const char *path, const void *value,
			size_t length, uint8_t *buffer, size_t size)
{
	struct builder builder;
	size_t root;

	if (path[0] != '\0' && !path_is_canonical(path))
		return -EILSEQ;
	builder_init(&builder, buffer, size);
	root = put_struct(&builder, allocate(&builder, 1), 1, 2);
	store_word(&builder, root, head(id, tag));
	put_path(&builder, root + 1, path);
	if (tag == WIRE_WRITE)
		put_blob(&builder, root + 2, value, length, 0);
	return finish(&builder, buffer);
}

/* The change at `at` of the packed ones, checked: its header and text. */
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
		       uint8_t *buffer, size_t size)
{
	struct bytes_reader packed;
	struct builder builder;
	size_t root, at;

	if (n_changes > KV_CHANGES_MAX)
		return -E2BIG;
	bytes_reader_init(&packed, changes, changes_size);
	builder_init(&builder, buffer, size);
	/* With the member `revision` the struct has two data words. */
	root = put_struct(&builder, allocate(&builder, 1), 2, 2);
	store_word(&builder, root, head(id, WIRE_COMMIT));
	at = put_list(&builder, root + 3, 7, 3 * (size_t)n_changes, 1 + 3 * (size_t)n_changes);
	store_word(&builder, at, (uint64_t)n_changes << 2 | 1ull << 32 | 2ull << 48);
	at++;
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

int wire_encode_response(int32_t id, enum wire_response_tag tag, const void *value, size_t length,
			 uint8_t *buffer, size_t size)
{
	struct builder builder;
	size_t root;

	builder_init(&builder, buffer, size);
	root = put_struct(&builder, allocate(&builder, 1), 1, 1);
	store_word(&builder, root, head(id, tag));
	put_blob(&builder, root + 1, value, length, 0);
	return finish(&builder, buffer);
}
