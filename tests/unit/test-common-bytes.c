/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "userspace/common/bytes.h"

static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

Test(bytes, reads_integers_of_both_orders)
{
	struct bytes_reader reader;

	bytes_reader_init(&reader, data, sizeof(data));
	cr_assert_eq(bytes_u8(&reader), 1);
	cr_assert_eq(bytes_be16(&reader), 0x0203);
	cr_assert_eq(bytes_be32(&reader), 0x04050607);
	cr_assert_eq(bytes_left(&reader), 1);
	bytes_reader_init(&reader, data, sizeof(data));
	cr_assert_eq(bytes_le16(&reader), 0x0201);
	cr_assert_eq(bytes_le32(&reader), 0x06050403);
	bytes_reader_init(&reader, data, sizeof(data));
	cr_assert_eq(bytes_le64(&reader), 0x0807060504030201);
	cr_assert_eq(bytes_left(&reader), 0);
	cr_assert_not(reader.failed);
}

Test(bytes, reader_is_sticky_and_moves_nothing)
{
	struct bytes_reader reader;
	uint8_t copy[4] = { 9, 9, 9, 9 };

	bytes_reader_init(&reader, data, 3);
	cr_assert_eq(bytes_be32(&reader), 0);
	cr_assert(reader.failed);
	cr_assert_eq(reader.at, 0);
	cr_assert_eq(bytes_left(&reader), 0);
	cr_assert_eq(bytes_u8(&reader), 0, "later access in bounds fails as well");
	bytes_copy(&reader, copy, sizeof(copy));
	cr_assert_arr_eq(copy, ((uint8_t[]){ 0, 0, 0, 0 }), 4);
	cr_assert_null(bytes_view(&reader, 1));
	cr_assert(bytes_sub(&reader, 1).failed);
}

Test(bytes, lengths_do_not_wrap)
{
	struct bytes_reader reader;

	bytes_reader_init(&reader, data, sizeof(data));
	bytes_skip(&reader, 2);
	bytes_skip(&reader, SIZE_MAX);
	cr_assert(reader.failed);
	cr_assert_eq(reader.at, 2);
}

Test(bytes, sub_and_view_step_over)
{
	struct bytes_reader reader, sub;

	bytes_reader_init(&reader, data, sizeof(data));
	sub = bytes_sub(&reader, 3);
	cr_assert_eq(bytes_left(&sub), 3);
	cr_assert_eq(bytes_be16(&sub), 0x0102);
	cr_assert_eq(bytes_be16(&sub), 0, "a sub-reader ends where it ends");
	cr_assert(sub.failed);
	cr_assert_eq(*bytes_view(&reader, 2), 4);
	cr_assert_eq(bytes_left(&reader), 3);
	sub = bytes_sub(&reader, 4);
	cr_assert(sub.failed && reader.failed);
	cr_assert_eq(bytes_left(&sub), 0);
}

Test(bytes, empty_memory)
{
	struct bytes_reader reader;
	struct bytes_writer writer;

	bytes_reader_init(&reader, NULL, 0);
	bytes_skip(&reader, 0);
	bytes_copy(&reader, NULL, 0);
	cr_assert_not(reader.failed);
	cr_assert_eq(bytes_u8(&reader), 0);
	cr_assert(reader.failed);
	bytes_writer_init(&writer, NULL, 0);
	bytes_put(&writer, NULL, 0);
	cr_assert_not(writer.failed);
	bytes_put_u8(&writer, 1);
	cr_assert(writer.failed);
}

Test(bytes, writes)
{
	uint8_t out[24];
	struct bytes_writer writer;
	static const uint8_t want[24] = { 1, 2, 3, 4, 5, 6, 7, 3, 2, 7,	  6, 5,
					  4, 8, 7, 6, 5, 4, 3, 2, 1, 'x', 0, 0 };

	memset(out, 0xff, sizeof(out));
	bytes_writer_init(&writer, out, sizeof(out));
	bytes_put_u8(&writer, 1);
	bytes_put_be16(&writer, 0x0203);
	bytes_put_be32(&writer, 0x04050607);
	bytes_put_le16(&writer, 0x0203);
	bytes_put_le32(&writer, 0x04050607);
	bytes_put_le64(&writer, 0x0102030405060708);
	bytes_put(&writer, "x", 1);
	bytes_put_zeros(&writer, 2);
	cr_assert_not(writer.failed);
	cr_assert_eq(writer.at, sizeof(out));
	cr_assert_arr_eq(out, want, sizeof(out));
}

Test(bytes, writer_is_sticky)
{
	uint8_t out[3];
	struct bytes_writer writer;

	bytes_writer_init(&writer, out, sizeof(out));
	bytes_put_u8(&writer, 1);
	bytes_put_be32(&writer, UINT32_MAX);
	bytes_put_u8(&writer, 2);
	cr_assert(writer.failed);
	cr_assert_eq(writer.at, 1);
	cr_assert_arr_eq(out, ((uint8_t[]){ 1, 0, 0 }), 3);
}
