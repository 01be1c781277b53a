/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/names.h"

#include <string.h>

#define LABEL_MAX 63
#define NAME_WIRE_MAX 255 /* RFC 1035 3.1: length octets and the root included */
#define POINTER_BITS 0xc0
#define FQDN_FLAGS_SIZE 3 /* and two result codes: RFC 4702 2 */

/* Limit of the octets to which the names of one option may expand. A list that
 * is as long as a value takes less than a thousand; pointers could expand to a
 * hundred times what was sent. */
#define UNFOLDED_MAX 4096

/* A dot at the end means that the name is fully qualified. The root has only
 * that. */
static void strip_dot(char *name)
{
	size_t length = strlen(name);

	if (length > 1 && name[length - 1] == '.')
		name[length - 1] = '\0';
}

/* Get the text of an option. If it has none, but octets other than NULs, that
 * is a flaw. */
static bool get_text(const struct option *option, char text[static KV_VALUE_SIZE], enum flaw flaw,
		     uint8_t code, struct flaws *flaws)
{
	if (option_text(option, text))
		return true;
	for (size_t i = 0; i < option->size; i++)
		if (option->bytes[i] != '\0') {
			flaw_add(flaws, flaw, code, "");
			break;
		}
	return false;
}

/* Append a name to a list. Returns false if it does not fit. */
static bool list_append(char list[static KV_VALUE_SIZE], const char *name)
{
	size_t used = strlen(list), length = strlen(name);
	size_t blank = used > 0 ? 1 : 0;

	if (used + blank + length > KV_VALUE_MAX)
		return false;
	if (blank)
		list[used] = ' ';
	memcpy(list + used + blank, name, length + 1);
	return true;
}

void names_parse_domain(const struct option *option, char domain[static KV_VALUE_SIZE],
			char search[static KV_VALUE_SIZE], struct flaws *flaws)
{
	char text[KV_VALUE_SIZE];

	if (!get_text(option, text, FLAW_DOMAIN, OPTION_DOMAIN_NAME, flaws))
		return;
	for (char *name = text, *next; name; name = next) {
		size_t length = strcspn(name, " ");

		next = name[length] == ' ' ? name + length + 1 : NULL;
		name[length] = '\0';
		if (length == 0)
			continue;
		strip_dot(name);
		/* as in a cookie or a zone's name: "all below" */
		if (name[0] == '.' && name[1] != '\0')
			name++;
		if (!value_is_domain(name) || !list_append(search, name)) {
			flaw_add(flaws, FLAW_DOMAIN, OPTION_DOMAIN_NAME, name);
			continue;
		}
		if (domain[0] == '\0' && value_is_hostname(name))
			memcpy(domain, name, strlen(name) + 1);
	}
	if (strcmp(search, domain) == 0)
		memset(search, 0, strlen(search));
}

static bool take_host_name(const char *text, char name[static MESSAGE_NAME_SIZE])
{
	if (!value_is_hostname(text))
		return false;
	memcpy(name, text, strlen(text) + 1);
	return true;
}

void names_parse_host_name(const struct option *option, char name[static MESSAGE_NAME_SIZE],
			   struct flaws *flaws)
{
	char text[KV_VALUE_SIZE];

	if (!get_text(option, text, FLAW_HOST_NAME, OPTION_HOST_NAME, flaws))
		return;
	strip_dot(text);
	if (!take_host_name(text, name))
		flaw_add(flaws, FLAW_HOST_NAME, OPTION_HOST_NAME, text);
}

/* A name being expanded. */
struct unfolding {
	char text[NAME_WIRE_MAX + 1];
	size_t length;
	bool is_text; /* without octets that a host name cannot have */
};

static void append_label(struct unfolding *name, const uint8_t *label, size_t size)
{
	if (name->length > 0)
		name->text[name->length++] = '.';
	for (size_t i = 0; i < size; i++) {
		/* A dot inside a label must not look like its end. */
		if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.')
			name->is_text = false;
		name->text[name->length++] = (char)label[i];
	}
}

/*
 * Expand the name at *readerp and step over it. The text is "" for the root.
 * Returns false if the name is malformed. Pointers are into `option`, unless it
 * is NULL. Each one must point before the start of the labels that end with it,
 * so that every step moves closer to the start.
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

			if (reader.failed || !option || target >= begin)
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

unsigned int names_parse_search(const struct option *option, char search[static KV_VALUE_SIZE],
				struct flaws *flaws)
{
	struct bytes_reader reader = option_reader(option);
	size_t budget = UNFOLDED_MAX;
	unsigned int n_left_out = 0;
	struct unfolding name;

	search[0] = '\0';
	while (bytes_left(&reader) > 0) {
		if (!take_name(option, &reader, &name, &budget)) {
			flaw_add(flaws, FLAW_SEARCH, OPTION_SEARCH, "");
			search[0] = '\0';
			return 0;
		}
		if (name.is_text && value_is_domain(name.text))
			n_left_out += !list_append(search, name.text);
		else
			flaw_add(flaws, FLAW_SEARCH, OPTION_SEARCH,
				 name.length > 0 ? name.text : ".");
	}
	return n_left_out;
}

static bool is_zero(struct bytes_reader reader)
{
	while (bytes_left(&reader) > 0)
		if (bytes_u8(&reader) != 0)
			return false;
	return true;
}

bool names_take_plain(struct bytes_reader *reader, char name[static MESSAGE_NAME_SIZE])
{
	size_t budget = UNFOLDED_MAX;
	struct unfolding unfolded;

	if (!take_name(NULL, reader, &unfolded, &budget) || !unfolded.is_text ||
	    !value_is_hostname(unfolded.text))
		return false;
	memcpy(name, unfolded.text, unfolded.length + 1);
	return true;
}

void names_parse_fqdn(const struct option *option, char name[static MESSAGE_NAME_SIZE],
		      struct flaws *flaws)
{
	struct option rest = { .size = 0 };
	struct bytes_reader reader = option_reader(option);
	size_t budget = UNFOLDED_MAX;
	struct unfolding unfolded;
	char text[KV_VALUE_SIZE];
	bool is_wire;

	bytes_skip(&reader, FQDN_FLAGS_SIZE);
	if (bytes_left(&reader) == 0)
		return;
	rest.size = bytes_left(&reader);
	bytes_copy(&reader, rest.bytes, rest.size);
	/* It is followed by zeros: a name that is not qualified has no root. */
	bytes_reader_init(&reader, rest.bytes, rest.size + 1);
	is_wire = take_name(NULL, &reader, &unfolded, &budget) && is_zero(reader);
	if (is_wire && unfolded.is_text && take_host_name(unfolded.text, name))
		return;
	if (is_zero(option_reader(&rest)))
		return;
	if (option_text(&rest, text)) {
		strip_dot(text);
		if (take_host_name(text, name))
			return;
	}
	flaw_add(flaws, FLAW_HOST_NAME, OPTION_FQDN, is_wire ? unfolded.text : text);
}
