/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/dnr.h"

#include <stdio.h>
#include <string.h>

#include "userspace/calf/dhcp4/message/names.h"
#include "userspace/common/address.h"

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

static bool put_mandatory(struct line *line, struct bytes_reader value)
{
	put(line, "mandatory=");
	for (;;) {
		uint16_t key = bytes_be16(&value);

		if (value.failed)
			return false;
		put_key(line, key);
		if (bytes_left(&value) == 0)
			return true;
		put(line, ",");
	}
}

static bool put_alpn(struct line *line, struct bytes_reader value)
{
	struct bytes_reader ids = value;
	bool plain = true;

	do {
		struct bytes_reader id = bytes_sub(&ids, bytes_u8(&ids));

		if (ids.failed || bytes_left(&id) == 0)
			return false;
		plain = plain && is_plain(id);
	} while (bytes_left(&ids) > 0);
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

static bool put_doh_path(struct line *line, struct bytes_reader value)
{
	size_t size = bytes_left(&value);

	if (size == 0)
		return false;
	if (!is_plain(value)) {
		put_raw(line, KEY_DOH_PATH, value);
		return true;
	}
	put(line, "dohpath=");
	put_bytes(line, bytes_view(&value, size), size);
	return true;
}

/* Append " KEY=VALUE". Returns false if the value is not valid for its key. */
static bool put_parameter(struct line *line, uint16_t key, struct bytes_reader value)
{
	if (key == KEY_IPV4_HINT || key == KEY_IPV6_HINT)
		return true;
	put(line, " ");
	switch (key) {
	case KEY_MANDATORY:
		return put_mandatory(line, value);
	case KEY_ALPN:
		return put_alpn(line, value);
	case KEY_NO_DEFAULT_ALPN:
		put(line, key_names[key]);
		return bytes_left(&value) == 0;
	case KEY_PORT:
		return put_port(line, value);
	case KEY_DOH_PATH:
		return put_doh_path(line, value);
	default:
		put_raw(line, key, value);
		return true;
	}
}

/* RFC 9460 2.2: each key once, in ascending order. */
static bool put_parameters(struct line *line, struct bytes_reader *data)
{
	int last = -1;

	while (bytes_left(data) > 0) {
		uint16_t key = bytes_be16(data);
		struct bytes_reader value = bytes_sub(data, bytes_be16(data));

		if (data->failed || key <= last || !put_parameter(line, key, value))
			return false;
		last = key;
	}
	return true;
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

/* Format one instance. Returns false if it must be skipped. */
static bool put_instance(struct line *line, struct bytes_reader data, uint16_t *priorityp)
{
	char name[MESSAGE_NAME_SIZE];
	struct bytes_reader part;

	*priorityp = bytes_be16(&data);
	part = bytes_sub(&data, bytes_u8(&data));
	if (!names_take_plain(&part, name) || bytes_left(&part) > 0)
		return false;
	put_number(line, *priorityp);
	put(line, " ");
	put(line, name);
	part = bytes_sub(&data, bytes_u8(&data));
	return put_addresses(line, part) && put_parameters(line, &data);
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

		if (reader.failed)
			return;
		if (!put_instance(&line, instance, &priority))
			continue;
		if (line.is_full)
			parameters->n_left_out++;
		else
			insert(&sorted, &line, priority);
	}
}
