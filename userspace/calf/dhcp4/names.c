/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/names.h"

#include <string.h>

#define LABEL_MAX 63
#define NAME_WIRE_MAX 255 /* RFC 1035 3.1: length octets and the root included */
#define POINTER_BITS 0xc0

/* Octets of names that one option may unfold to. A list that is as long as a
 * value takes less than a thousand; pointers could ask for a hundred times
 * what was sent. */
#define UNFOLDED_MAX 4096

static size_t strip_nuls(const uint8_t *bytes, size_t size)
{
	while (size > 0 && bytes[size - 1] == '\0')
		size--;
	return size;
}

/* Append a name to a list; left out if it is no host name or does not fit. */
static bool list_append(char list[static KV_VALUE_SIZE], const char *name)
{
	size_t used = strlen(list), length = strlen(name);
	size_t blank = used > 0 ? 1 : 0;

	if (!value_is_hostname(name) || used + blank + length > KV_VALUE_MAX)
		return false;
	if (blank)
		list[used] = ' ';
	memcpy(list + used + blank, name, length + 1);
	return true;
}

void names_parse_domain(const struct option *option, char domain[static KV_VALUE_SIZE],
			char search[static KV_VALUE_SIZE])
{
	size_t size = strip_nuls(option->bytes, option->size), at = 0;
	unsigned int n = 0;

	if (size > KV_VALUE_MAX || memchr(option->bytes, '\0', size))
		return;
	while (at < size) {
		char name[KV_VALUE_SIZE] = "";
		size_t length = 0;

		while (at < size && option->bytes[at] != ' ')
			name[length++] = (char)option->bytes[at++];
		at++;
		if (length > 0 && name[length - 1] == '.')
			name[length - 1] = '\0';
		if (!list_append(search, name))
			continue;
		if (n++ == 0)
			memcpy(domain, name, sizeof(name));
	}
	if (n < 2)
		search[0] = '\0';
}

/* A name while it is unfolded. */
struct unfolding {
	char text[NAME_WIRE_MAX + 1];
	size_t length;
	bool is_text; /* no octet that a host name cannot have anyway */
};

static void append_label(struct unfolding *name, const uint8_t *label, size_t size)
{
	if (name->length > 0)
		name->text[name->length++] = '.';
	for (size_t i = 0; i < size; i++) {
		/* A dot inside a label must not look like a border of one. */
		if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.')
			name->is_text = false;
		name->text[name->length++] = (char)label[i];
	}
}

/*
 * Unfold the name at *readerp, which is stepped over it. The text is "" for
 * the root. False: malformed. Every pointer must go to before the place where
 * the labels that end in it began, so each step leaves less behind it.
 */
static bool take_name(const struct option *option, struct bytes_reader *readerp,
		      struct unfolding *name, size_t *budget)
{
	struct bytes_reader reader = *readerp;
	size_t begin = reader.at, wire_size = 1;
	bool jumped = false;

	*name = (struct unfolding){ .is_text = true };
	for (;;) {
		uint8_t octet = bytes_u8(&reader);
		const uint8_t *label;

		if (reader.failed)
			return false;
		if ((octet & POINTER_BITS) == POINTER_BITS) {
			size_t target = (size_t)(octet & ~POINTER_BITS) << 8 | bytes_u8(&reader);

			if (reader.failed || target >= begin)
				return false;
			if (!jumped)
				*readerp = reader;
			jumped = true;
			begin = target;
			reader = option_reader(option);
			bytes_skip(&reader, target);
			continue;
		}
		if (octet > LABEL_MAX)
			return false;
		if (octet == 0)
			break;
		wire_size += 1u + octet;
		if (wire_size > NAME_WIRE_MAX || 1u + octet > *budget)
			return false;
		*budget -= 1u + octet;
		label = bytes_view(&reader, octet);
		if (!label)
			return false;
		append_label(name, label, octet);
	}
	if (!jumped)
		*readerp = reader;
	name->text[name->length] = '\0';
	return true;
}

void names_parse_search(const struct option *option, char search[static KV_VALUE_SIZE])
{
	struct bytes_reader reader = option_reader(option);
	size_t budget = UNFOLDED_MAX;
	struct unfolding name;

	search[0] = '\0';
	while (bytes_left(&reader) > 0) {
		if (!take_name(option, &reader, &name, &budget)) {
			search[0] = '\0';
			return;
		}
		if (name.is_text)
			(void)list_append(search, name.text);
	}
}
