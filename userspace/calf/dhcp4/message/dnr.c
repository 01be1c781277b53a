/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/dnr.h"

#include <stdio.h>
#include <string.h>

#include "userspace/calf/dhcp4/message/names.h"
#include "userspace/common/address.h"

#define ALIAS_PRIORITY 0 /* RFC 9460 2.4.1: AliasMode, all others are ServiceMode */

/* Keys of service parameters (RFC 9460 14.3.2, RFC 9461). */
enum key {
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_PORT = 3,
	KEY_IPV4_HINT = 4,
	KEY_IPV6_HINT = 6,
	KEY_DOH_PATH = 7,
	_KEY_N,
	KEY_INVALID = 65535, /* reserved */
};

static const char *const key_names[_KEY_N] = {
	[KEY_MANDATORY] = "mandatory",
	[KEY_ALPN] = "alpn",
	[KEY_NO_DEFAULT_ALPN] = "no-default-alpn",
	[KEY_PORT] = "port",
	[KEY_DOH_PATH] = "dohpath",
};

/* A text being built; `is_full` is set if something did not fit. */
struct line {
	char text[MESSAGE_RESOLVER_SIZE];
	size_t used;
	bool is_full;
};

static void put_bytes(struct line *line, const void *bytes, size_t size)
{
	if (size >= sizeof(line->text) - line->used) {
		line->is_full = true;
		return;
	}
	memcpy(line->text + line->used, bytes, size);
	line->used += size;
	line->text[line->used] = '\0';
}

static void put(struct line *line, const char *text)
{
	put_bytes(line, text, strlen(text));
}

static void put_number(struct line *line, unsigned int number)
{
	char text[VALUE_UINT_SIZE];

	snprintf(text, sizeof(text), "%u", number);
	put(line, text);
}

static void put_key(struct line *line, uint16_t key)
{
	if (key < _KEY_N && key_names[key]) {
		put(line, key_names[key]);
		return;
	}
	put(line, "key");
	put_number(line, key);
}

/* Append a parameter as hex, the fallback for every key. */
static void put_raw(struct line *line, uint16_t key, struct bytes_reader value)
{
	put(line, "key");
	put_number(line, key);
	if (bytes_left(&value) > 0)
		put(line, "=");
	while (bytes_left(&value) > 0) {
		uint8_t octet = bytes_u8(&value);
		char hex[3];

		value_format_hex(&octet, 1, hex);
		put(line, hex);
	}
}

/* Return whether the octets need no escape in a line of blank-separated fields,
 * whose lists have commas. */
static bool is_plain(struct bytes_reader value)
{
	while (bytes_left(&value) > 0) {
		uint8_t octet = bytes_u8(&value);
		bool is_alphanumeric = (octet >= 'a' && octet <= 'z') ||
				       (octet >= 'A' && octet <= 'Z') ||
				       (octet >= '0' && octet <= '9');

		if (!is_alphanumeric && (octet == 0 || !strchr("-._~:/?#[]@!$&'()*+;={}%", octet)))
			return false;
	}
	return true;
}

/* What the parameters of an instance must have in common. */
struct instance {
	struct bytes_reader mandatory; /* keys in ascending order that were not there yet */
	bool has_alpn;
	bool has_http; /* an ALPN identifier of HTTP */
	bool has_doh_path;
};

/* The list is in ascending order without repetitions, and does not have its own
 * key (RFC 9460 8). */
static bool put_mandatory(struct line *line, struct instance *instance, struct bytes_reader value)
{
	int last = KEY_MANDATORY;

	instance->mandatory = value;
	put(line, "mandatory=");
	for (;;) {
		uint16_t key = bytes_be16(&value);

		if (value.failed || key <= last)
			return false;
		last = key;
		put_key(line, key);
		if (bytes_left(&value) == 0)
			return true;
		put(line, ",");
	}
}

/* Return whether a parameter with this key may follow: those that are mandatory
 * and have smaller keys were there. */
static bool take_mandatory(struct instance *instance, uint16_t key)
{
	struct bytes_reader rest = instance->mandatory;
	uint16_t next = bytes_be16(&rest);

	if (rest.failed || next > key)
		return true;
	instance->mandatory = rest;
	/* Hints are not passed on, so nobody can use them. */
	return next == key && key != KEY_IPV4_HINT && key != KEY_IPV6_HINT;
}

static bool is_text(struct bytes_reader value, const char *text)
{
	size_t size = bytes_left(&value);

	return size == strlen(text) && memcmp(bytes_view(&value, size), text, size) == 0;
}

static bool put_alpn(struct line *line, struct instance *instance, struct bytes_reader value)
{
	struct bytes_reader ids = value;
	bool plain = true;

	do {
		struct bytes_reader id = bytes_sub(&ids, bytes_u8(&ids));

		if (ids.failed || bytes_left(&id) == 0)
			return false;
		plain = plain && is_plain(id);
		instance->has_http = instance->has_http || is_text(id, "h2") || is_text(id, "h3") ||
				     is_text(id, "http/1.1");
	} while (bytes_left(&ids) > 0);
	instance->has_alpn = true;
	if (!plain) {
		put_raw(line, KEY_ALPN, value);
		return true;
	}
	for (const char *separator = "alpn="; bytes_left(&value) > 0; separator = ",") {
		size_t size = bytes_u8(&value);

		put(line, separator);
		put_bytes(line, bytes_view(&value, size), size);
	}
	return true;
}

static bool put_port(struct line *line, struct bytes_reader value)
{
	uint16_t port = bytes_be16(&value);

	if (value.failed || bytes_left(&value) > 0)
		return false;
	put(line, "port=");
	put_number(line, port);
	return true;
}

/* Parse an expression of a template up to its closing brace: operator, and
 * variables with modifiers (RFC 6570 2.2). Returns false if it does not end;
 * sets *is_dnsp if one of the variables is "dns". */
static bool take_expression(struct bytes_reader *value, bool *is_dnsp)
{
	static const char wanted[] = "dns";
	bool is_first = true, is_wanted = true;
	size_t length = 0; /* of the variable's name; SIZE_MAX: after it */

	for (; bytes_left(value) > 0; is_first = false) {
		char octet = (char)bytes_u8(value);

		if (octet == '{')
			return false;
		if (octet == '}' || octet == ',') {
			*is_dnsp = *is_dnsp || (is_wanted && length >= strlen(wanted));
			if (octet == '}')
				return true;
			is_wanted = true;
			length = 0;
		} else if (octet == ':' || octet == '*') {
			is_wanted = is_wanted && length >= strlen(wanted);
			length = SIZE_MAX;
		} else if (length != SIZE_MAX && !(is_first && octet && strchr("+#./;?&", octet))) {
			is_wanted = is_wanted && length < strlen(wanted) && wanted[length] == octet;
			length++;
		}
	}
	return false;
}

/* Return whether this is the template of a path with the variable "dns" (RFC
 * 9461 5). */
static bool is_template(struct bytes_reader value)
{
	bool is_dns = false;

	if (bytes_u8(&value) != '/')
		return false;
	while (bytes_left(&value) > 0) {
		uint8_t octet = bytes_u8(&value);

		if (octet == '}' || (octet == '{' && !take_expression(&value, &is_dns)))
			return false;
	}
	return is_dns;
}

static bool put_doh_path(struct line *line, struct instance *instance, struct bytes_reader value)
{
	size_t size = bytes_left(&value);

	if (!is_template(value))
		return false;
	instance->has_doh_path = true;
	if (!is_plain(value)) {
		put_raw(line, KEY_DOH_PATH, value);
		return true;
	}
	put(line, "dohpath=");
	put_bytes(line, bytes_view(&value, size), size);
	return true;
}

static bool is_hint(struct bytes_reader value, size_t address_size)
{
	return bytes_left(&value) > 0 && bytes_left(&value) % address_size == 0;
}

/* Append " KEY=VALUE". Returns false if the value is not valid for its key. */
static bool put_parameter(struct line *line, struct instance *instance, uint16_t key,
			  struct bytes_reader value)
{
	if (key == KEY_IPV4_HINT)
		return is_hint(value, sizeof(struct in_addr));
	if (key == KEY_IPV6_HINT)
		return is_hint(value, sizeof(struct in6_addr));
	put(line, " ");
	switch (key) {
	case KEY_MANDATORY:
		return put_mandatory(line, instance, value);
	case KEY_ALPN:
		return put_alpn(line, instance, value);
	case KEY_NO_DEFAULT_ALPN:
		put(line, key_names[key]);
		return bytes_left(&value) == 0;
	case KEY_PORT:
		return put_port(line, value);
	case KEY_DOH_PATH:
		return put_doh_path(line, instance, value);
	case KEY_INVALID:
		return false;
	default:
		put_raw(line, key, value);
		return true;
	}
}

/* Each key once, in ascending order (RFC 9460 2.2), and all that are mandatory.
 * DNS has no default ALPN, and HTTP needs a path (RFC 9461 4.1, 5). */
static bool put_parameters(struct line *line, struct bytes_reader *data)
{
	struct instance instance = { .has_alpn = false };
	int last = -1;

	while (bytes_left(data) > 0) {
		uint16_t key = bytes_be16(data);
		struct bytes_reader value = bytes_sub(data, bytes_be16(data));

		if (data->failed || key <= last || !take_mandatory(&instance, key) ||
		    !put_parameter(line, &instance, key, value))
			return false;
		last = key;
	}
	return bytes_left(&instance.mandatory) == 0 && instance.has_alpn &&
	       (instance.has_doh_path || !instance.has_http);
}

/* Append the usable addresses. Returns false if there is none, or if the length
 * is wrong. */
static bool put_addresses(struct line *line, struct bytes_reader data)
{
	const char *separator = " ";

	if (bytes_left(&data) % sizeof(struct in_addr) != 0)
		return false;
	while (bytes_left(&data) > 0) {
		char text[VALUE_IPV4_SIZE];
		struct in_addr address;

		bytes_copy(&data, &address, sizeof(address));
		if (!address_is_host(address))
			continue;
		value_format_ipv4(address, text);
		put(line, separator);
		put(line, text);
		separator = ",";
	}
	return separator[0] == ',';
}

/* Format one instance. Returns false if it must be skipped, which is a flaw. */
static bool put_instance(struct line *line, struct bytes_reader data, uint16_t *priorityp,
			 struct flaws *flaws)
{
	enum flaw flaw = FLAW_RESOLVER;
	char name[MESSAGE_NAME_SIZE];
	struct bytes_reader part;
	size_t named;

	*priorityp = bytes_be16(&data);
	part = bytes_sub(&data, bytes_u8(&data));
	if (!names_take_plain(&part, name) || bytes_left(&part) > 0) {
		flaw_add(flaws, flaw, OPTION_ENCRYPTED_DNS, "");
		return false;
	}
	put_number(line, *priorityp);
	put(line, " ");
	put(line, name);
	named = line->used;
	if (*priorityp == ALIAS_PRIORITY) {
		flaw = FLAW_ALIAS;
	} else {
		part = bytes_sub(&data, bytes_u8(&data));
		if (put_addresses(line, part) && put_parameters(line, &data))
			return true;
	}
	line->text[named] = '\0';
	flaw_add(flaws, flaw, OPTION_ENCRYPTED_DNS, line->text);
	return false;
}

/* The resolvers, sorted. */
struct sorted {
	struct message_parameters *parameters;
	uint16_t priorities[MESSAGE_RESOLVERS_MAX];
};

/* Insert a resolver behind those of the same priority, replacing the last one
 * if the list is full. */
static void insert(struct sorted *sorted, const struct line *line, uint16_t priority)
{
	struct message_parameters *parameters = sorted->parameters;
	size_t n = parameters->n_resolvers, i;

	if (n == MESSAGE_RESOLVERS_MAX) {
		parameters->n_left_out++;
		if (priority >= sorted->priorities[n - 1])
			return;
		n--;
	}
	for (i = n; i > 0 && sorted->priorities[i - 1] > priority; i--) {
		sorted->priorities[i] = sorted->priorities[i - 1];
		memcpy(parameters->resolvers[i], parameters->resolvers[i - 1],
		       sizeof(parameters->resolvers[i]));
	}
	sorted->priorities[i] = priority;
	memcpy(parameters->resolvers[i], line->text, sizeof(line->text));
	parameters->n_resolvers = (uint8_t)(n + 1);
}

void dnr_parse(const struct option *option, struct message_parameters *parameters)
{
	struct bytes_reader reader = option_reader(option);
	struct sorted sorted = { .parameters = parameters };

	while (bytes_left(&reader) > 0) {
		struct bytes_reader instance = bytes_sub(&reader, bytes_be16(&reader));
		struct line line = { .used = 0 };
		uint16_t priority;

		if (reader.failed) {
			flaw_add(&parameters->flaws, FLAW_RESOLVER, OPTION_ENCRYPTED_DNS, "");
			return;
		}
		if (!put_instance(&line, instance, &priority, &parameters->flaws))
			continue;
		if (line.is_full)
			parameters->n_left_out++;
		else
			insert(&sorted, &line, priority);
	}
}
