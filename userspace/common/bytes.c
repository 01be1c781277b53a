/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The only place where a position in untrusted bytes is computed. Every
 * access goes through take() or room(), which compare distances, never sums, so
 * that no length in the input can wrap a position around.
 */
#include "userspace/common/bytes.h"

#include <endian.h>
#include <string.h>

/* Step over `size` bytes: where they begin, or NULL and failed. */
static const uint8_t *take(struct bytes_reader *reader, size_t size)
{
	const uint8_t *at;

	if (reader->failed || size > reader->size - reader->at) {
		reader->failed = true;
		return NULL;
	}
	at = size > 0 ? reader->data + reader->at : reader->data;
	reader->at += size;
	return at;
}

/* `size` is a constant at every call, so this is one load. */
static inline __attribute__((always_inline)) uint64_t take_le(struct bytes_reader *reader,
							      size_t size)
{
	const uint8_t *at = take(reader, size);
	uint64_t value = 0;

	if (!at)
		return 0;
	memcpy(&value, at, size);
	return le64toh(value);
}

static uint32_t take_be(struct bytes_reader *reader, size_t size)
{
	const uint8_t *at = take(reader, size);
	uint32_t value = 0;

	if (!at)
		return 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

void bytes_reader_init(struct bytes_reader *reader, const void *data, size_t size)
{
	*reader = (struct bytes_reader){ .data = data, .size = size };
}

size_t bytes_left(const struct bytes_reader *reader)
{
	return reader->failed ? 0 : reader->size - reader->at;
}

uint8_t bytes_u8(struct bytes_reader *reader)
{
	return (uint8_t)take_be(reader, 1);
}

uint16_t bytes_be16(struct bytes_reader *reader)
{
	return (uint16_t)take_be(reader, 2);
}

uint32_t bytes_be32(struct bytes_reader *reader)
{
	return take_be(reader, 4);
}

uint16_t bytes_le16(struct bytes_reader *reader)
{
	return (uint16_t)take_le(reader, 2);
}

uint32_t bytes_le32(struct bytes_reader *reader)
{
	return (uint32_t)take_le(reader, 4);
}

uint64_t bytes_le64(struct bytes_reader *reader)
{
	return take_le(reader, 8);
}

void bytes_copy(struct bytes_reader *reader, void *to, size_t size)
{
	const uint8_t *at = take(reader, size);

	if (size == 0)
		return;
	if (at)
		memcpy(to, at, size);
	else
		memset(to, 0, size);
}

void bytes_skip(struct bytes_reader *reader, size_t size)
{
	take(reader, size);
}

struct bytes_reader bytes_sub(struct bytes_reader *reader, size_t size)
{
	const uint8_t *at = take(reader, size);

	if (reader->failed)
		return (struct bytes_reader){ .failed = true };
	return (struct bytes_reader){ .data = at, .size = size };
}

const uint8_t *bytes_view(struct bytes_reader *reader, size_t size)
{
	return take(reader, size);
}

/* Step over `size` bytes: where they begin, or NULL and failed. */
static uint8_t *room(struct bytes_writer *writer, size_t size)
{
	uint8_t *at;

	if (writer->failed || size > writer->size - writer->at) {
		writer->failed = true;
		return NULL;
	}
	at = size > 0 ? writer->data + writer->at : writer->data;
	writer->at += size;
	return at;
}

static inline __attribute__((always_inline)) void put_le(struct bytes_writer *writer,
							 uint64_t value, size_t size)
{
	uint8_t *at = room(writer, size);

	value = htole64(value);
	if (at)
		memcpy(at, &value, size);
}

static void put_be(struct bytes_writer *writer, uint32_t value, size_t size)
{
	uint8_t *at = room(writer, size);

	for (size_t i = 0; at && i < size; i++)
		at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void bytes_writer_init(struct bytes_writer *writer, void *data, size_t size)
{
	*writer = (struct bytes_writer){ .data = data, .size = size };
	if (size > 0)
		memset(data, 0, size);
}

void bytes_put_u8(struct bytes_writer *writer, uint8_t value)
{
	put_be(writer, value, 1);
}

void bytes_put_be16(struct bytes_writer *writer, uint16_t value)
{
	put_be(writer, value, 2);
}

void bytes_put_be32(struct bytes_writer *writer, uint32_t value)
{
	put_be(writer, value, 4);
}

void bytes_put_le16(struct bytes_writer *writer, uint16_t value)
{
	put_le(writer, value, 2);
}

void bytes_put_le32(struct bytes_writer *writer, uint32_t value)
{
	put_le(writer, value, 4);
}

void bytes_put_le64(struct bytes_writer *writer, uint64_t value)
{
	put_le(writer, value, 8);
}

void bytes_put(struct bytes_writer *writer, const void *from, size_t size)
{
	uint8_t *at = room(writer, size);

	if (at && size > 0)
		memcpy(at, from, size);
}

void bytes_put_zeros(struct bytes_writer *writer, size_t size)
{
	room(writer, size);
}
