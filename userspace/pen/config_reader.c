/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/pen/config-private.h"

int pen_refuse(struct pen_reader *reader, const char *format, ...)
{
	char reason[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(reader->error, PEN_ERROR_SIZE, "%s: %s",
		 reader->where[0] ? reader->where : "config.json", reason);
	return -EINVAL;
}

size_t pen_field_enter(struct pen_reader *reader, const char *name)
{
	size_t length = strlen(reader->where);

	snprintf(reader->where + length, sizeof(reader->where) - length, "%s%s", length ? "." : "",
		 name);
	return length;
}

static size_t enter_element(struct pen_reader *reader, size_t i)
{
	size_t length = strlen(reader->where);

	snprintf(reader->where + length, sizeof(reader->where) - length, "[%zu]", i);
	return length;
}

void pen_field_leave(struct pen_reader *reader, size_t length)
{
	reader->where[length] = '\0';
}

int pen_take_object(struct pen_reader *reader, json_t *object, const struct pen_field *fields,
		    size_t n)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return pen_refuse(reader, "must be an object");
	json_object_foreach(object, name, value)
	{
		size_t i = 0, length = pen_field_enter(reader, name);
		int r;

		while (i < n && strcmp(fields[i].name, name) != 0)
			i++;
		r = i < n ? fields[i].take(reader, value) : pen_refuse(reader, "not supported");
		if (r)
			return r;
		pen_field_leave(reader, length);
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].is_required && !json_object_get(object, fields[i].name)) {
			pen_field_enter(reader, fields[i].name);
			return pen_refuse(reader, "missing");
		}
	return 0;
}

int pen_take_array(struct pen_reader *reader, json_t *array, pen_take_fn take)
{
	json_t *value;
	size_t i;

	if (!json_is_array(array))
		return pen_refuse(reader, "must be an array");
	json_array_foreach(array, i, value)
	{
		size_t length = enter_element(reader, i);
		int r = take(reader, value);

		if (r)
			return r;
		pen_field_leave(reader, length);
	}
	return 0;
}

int pen_take_empty_array(struct pen_reader *reader, json_t *value)
{
	return json_is_array(value) && json_array_size(value) == 0 ?
		       0 :
		       pen_refuse(reader, "must be an empty array");
}

int pen_take_true(struct pen_reader *reader, json_t *value)
{
	return json_is_true(value) ? 0 : pen_refuse(reader, "must be true");
}

int pen_take_false(struct pen_reader *reader, json_t *value)
{
	return json_is_false(value) ? 0 : pen_refuse(reader, "must be false");
}

int pen_take_text(struct pen_reader *reader, json_t *value, const char *wanted)
{
	const char *text = json_string_value(value);

	return text && !strcmp(text, wanted) ? 0 : pen_refuse(reader, "must be \"%s\"", wanted);
}

int pen_take_number(struct pen_reader *reader, json_t *value, json_int_t min, json_int_t max,
		    json_int_t *numberp)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < min || number > max)
		return pen_refuse(reader, "must be an integer from %lld to %lld", (long long)min,
				  (long long)max);
	*numberp = number;
	return 0;
}

int pen_take_zero(struct pen_reader *reader, json_t *value)
{
	json_int_t number;

	return pen_take_number(reader, value, 0, 0, &number);
}

int pen_take_one(struct pen_reader *reader, json_t *value)
{
	json_int_t number;

	return pen_take_number(reader, value, 1, 1, &number);
}

int pen_take_positive(struct pen_reader *reader, json_t *value, uint64_t *numberp)
{
	json_int_t number = 0;
	int r = pen_take_number(reader, value, 1, INT64_MAX, &number);

	if (!r)
		*numberp = (uint64_t)number;
	return r;
}
