/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/options.h"

#include <string.h>

#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

/* Get the next option of a field. Returns false at its end, or if it is
 * broken. */
static bool next_option(struct bytes_reader *field, uint8_t *code, struct bytes_reader *data)
{
	while (bytes_left(field) > 0) {
		*code = bytes_u8(field);
		if (*code == OPTION_PAD)
			continue;
		if (*code == OPTION_END)
			return false;
		*data = bytes_sub(field, bytes_u8(field));
		return !field->failed;
	}
	return false;
}

static uint8_t find_overload(struct bytes_reader field)
{
	struct bytes_reader data;
	uint8_t code, value;

	while (next_option(&field, &code, &data)) {
		if (code != OPTION_OVERLOAD)
			continue;
		value = bytes_u8(&data);
		if (value >= 1 && value <= (OVERLOAD_FILE | OVERLOAD_SNAME))
			return value;
	}
	return 0;
}

void options_init(struct options *options, struct bytes_reader field, struct bytes_reader file,
		  struct bytes_reader sname)
{
	uint8_t overload = find_overload(field);

	options->n_fields = 0;
	options->fields[options->n_fields++] = field;
	if (overload & OVERLOAD_FILE)
		options->fields[options->n_fields++] = file;
	if (overload & OVERLOAD_SNAME)
		options->fields[options->n_fields++] = sname;
}

bool options_get(const struct options *options, uint8_t code, struct option *option)
{
	struct bytes_writer writer;
	bool found = false;

	bytes_writer_init(&writer, option->bytes, sizeof(option->bytes));
	for (unsigned int i = 0; i < options->n_fields; i++) {
		struct bytes_reader field = options->fields[i], data;
		uint8_t at;

		while (next_option(&field, &at, &data)) {
			size_t size = bytes_left(&data);

			if (at != code)
				continue;
			found = true;
			if (size > 0)
				bytes_put(&writer, bytes_view(&data, size), size);
		}
	}
	option->size = writer.at;
	return found && !writer.failed;
}

struct bytes_reader option_reader(const struct option *option)
{
	struct bytes_reader reader;

	bytes_reader_init(&reader, option->bytes, option->size);
	return reader;
}

void options_put(struct bytes_writer *writer, uint8_t code, const uint8_t *bytes, size_t size)
{
	do {
		uint8_t part = (uint8_t)(size < OPTION_PART_MAX ? size : OPTION_PART_MAX);

		bytes_put_u8(writer, code);
		bytes_put_u8(writer, part);
		bytes_put(writer, bytes, part);
		bytes += part;
		size -= part;
	} while (size > 0);
}

uint32_t options_get_u32(const struct options *options, uint8_t code)
{
	struct option option;
	struct bytes_reader reader;

	if (!options_get(options, code, &option))
		return 0;
	reader = option_reader(&option);
	return bytes_be32(&reader);
}

uint16_t options_get_u16(const struct options *options, uint8_t code)
{
	struct option option;
	struct bytes_reader reader;

	if (!options_get(options, code, &option))
		return 0;
	reader = option_reader(&option);
	return bytes_be16(&reader);
}

bool option_text(const struct option *option, char text[static KV_VALUE_SIZE])
{
	size_t size = option->size;

	while (size > 0 && option->bytes[size - 1] == '\0')
		size--;
	text[0] = '\0';
	if (size == 0 || size > KV_VALUE_MAX || memchr(option->bytes, '\0', size))
		return false;
	memcpy(text, option->bytes, size);
	text[size] = '\0';
	return true;
}
