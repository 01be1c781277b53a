/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounds-checked reader and writer. All parsing of untrusted bytes goes
 * through these two types; nothing else does arithmetic on packet pointers.
 *
 * Both are sticky: the first access out of bounds sets `failed`, moves nothing,
 * and makes every later access fail, so the caller may check once at the end.
 * Neither owns memory nor allocates.
 */
#ifndef CALFPEN_COMMON_BYTES_H
#define CALFPEN_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes_reader {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

struct bytes_writer {
	uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

/* Start reading `size` bytes, which must outlive the reader. */
void bytes_reader_init(struct bytes_reader *reader, const void *data, size_t size);
/* Return the number of bytes left to read; 0 once failed. */
size_t bytes_left(const struct bytes_reader *reader);
/* Read an integer in network order. Returns 0 when out of bounds. */
uint8_t bytes_u8(struct bytes_reader *reader);
uint16_t bytes_be16(struct bytes_reader *reader);
uint32_t bytes_be32(struct bytes_reader *reader);
/* Read a little-endian integer (Cap'n Proto). Returns 0 when out of bounds. */
uint16_t bytes_le16(struct bytes_reader *reader);
uint32_t bytes_le32(struct bytes_reader *reader);
uint64_t bytes_le64(struct bytes_reader *reader);
/* Copy `size` bytes to `to`, which is zeroed when out of bounds. */
void bytes_copy(struct bytes_reader *reader, void *to, size_t size);
/* Skip `size` bytes. */
void bytes_skip(struct bytes_reader *reader, size_t size);
/* Return a reader over the next `size` bytes and skip them, or a failed, empty
 * reader when out of bounds. */
struct bytes_reader bytes_sub(struct bytes_reader *reader, size_t size);
/* Return a pointer to the next `size` bytes and skip them, or NULL when out of
 * bounds. The pointer lives as long as the underlying memory. */
const uint8_t *bytes_view(struct bytes_reader *reader, size_t size);

/* Start writing to `size` bytes, which must outlive the writer and are zeroed
 * first. */
void bytes_writer_init(struct bytes_writer *writer, void *data, size_t size);
/* Append an integer or bytes. Sets `failed` when out of bounds. */
void bytes_put_u8(struct bytes_writer *writer, uint8_t value);
void bytes_put_be16(struct bytes_writer *writer, uint16_t value);
void bytes_put_be32(struct bytes_writer *writer, uint32_t value);
void bytes_put_le16(struct bytes_writer *writer, uint16_t value);
void bytes_put_le32(struct bytes_writer *writer, uint32_t value);
void bytes_put_le64(struct bytes_writer *writer, uint64_t value);
void bytes_put(struct bytes_writer *writer, const void *from, size_t size);
/* Skip `size` bytes, leaving them zero. */
void bytes_put_zeros(struct bytes_writer *writer, size_t size);

#endif
