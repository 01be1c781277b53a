/* SPDX-License-Identifier: Apache-2.0 */
/* Convert the text of a resolver (dnr.h) back into an instance of option 162. */
#ifndef CALFPEN_TESTS_FUZZ_DHCP4_RESOLVER_H
#define CALFPEN_TESTS_FUZZ_DHCP4_RESOLVER_H

#include <arpa/inet.h>
#include <stdio.h>

#include "tests/fuzz/dhcp4.h"

/* Return the number of an RFC 9460 key by its name. */
static inline uint16_t resolver_key(const char *name)
{
	static const char *const names[] = { "mandatory", "alpn", "no-default-alpn", "port", "",
					     "",	  "",	  "dohpath" };
	unsigned int number;

	for (uint16_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i][0] != '\0' && strcmp(names[i], name) == 0)
			return i;
	CHECK(sscanf(name, "key%u", &number) == 1 && number <= UINT16_MAX);
	return (uint16_t)number;
}

/* Put the value of a parameter whose key has its own format. */
static inline void resolver_put_value(struct bytes_writer *writer, const char *name, char *value)
{
	char *rest = value, *part;
	unsigned int octet;

	if (strcmp(name, "mandatory") == 0) {
		while ((part = strsep(&rest, ",")))
			bytes_put_be16(writer, resolver_key(part));
	} else if (strcmp(name, "alpn") == 0) {
		while ((part = strsep(&rest, ","))) {
			bytes_put_u8(writer, (uint8_t)strlen(part));
			bytes_put(writer, part, strlen(part));
		}
	} else if (strcmp(name, "port") == 0) {
		bytes_put_be16(writer, (uint16_t)strtoul(value, NULL, 10));
	} else if (strcmp(name, "dohpath") == 0) {
		bytes_put(writer, value, strlen(value));
	} else {
		for (; sscanf(value, "%2x", &octet) == 1; value += 2)
			bytes_put_u8(writer, (uint8_t)octet);
	}
}

static inline void resolver_put_parameter(struct bytes_writer *writer, char *text)
{
	uint8_t bytes[MESSAGE_RESOLVER_SIZE];
	struct bytes_writer value;
	char *name = strsep(&text, "=");

	bytes_writer_init(&value, bytes, sizeof(bytes));
	if (text)
		resolver_put_value(&value, name, text);
	CHECK(!value.failed);
	bytes_put_be16(writer, resolver_key(name));
	bytes_put_be16(writer, (uint16_t)value.at);
	if (value.at > 0)
		bytes_put(writer, bytes, value.at);
}

static inline void resolver_put_name(struct bytes_writer *writer, const char *name)
{
	bytes_put_u8(writer, (uint8_t)(strlen(name) + 2));
	while (*name != '\0') {
		size_t length = strcspn(name, ".");

		bytes_put_u8(writer, (uint8_t)length);
		bytes_put(writer, name, length);
		name += length + (name[length] == '.');
	}
	bytes_put_u8(writer, 0);
}

static inline void resolver_put_addresses(struct bytes_writer *writer, char *list)
{
	size_t at = writer->at;
	char *part;

	bytes_put_u8(writer, 0);
	while ((part = strsep(&list, ","))) {
		struct in_addr address;

		CHECK(inet_pton(AF_INET, part, &address) == 1);
		bytes_put(writer, &address, sizeof(address));
	}
	if (!writer->failed)
		writer->data[at] = (uint8_t)(writer->at - at - 1);
}

/* Put an instance, preceded by its length. */
static inline void resolver_put(struct bytes_writer *writer, const char *text)
{
	char copy[MESSAGE_RESOLVER_SIZE], *rest = copy, *part;
	uint8_t bytes[2 * MESSAGE_RESOLVER_SIZE];
	struct bytes_writer instance;

	bytes_writer_init(&instance, bytes, sizeof(bytes));
	memcpy(copy, text, sizeof(copy));
	part = strsep(&rest, " ");
	bytes_put_be16(&instance, (uint16_t)strtoul(part, NULL, 10));
	part = strsep(&rest, " ");
	CHECK(part && rest);
	resolver_put_name(&instance, part);
	resolver_put_addresses(&instance, strsep(&rest, " "));
	while ((part = strsep(&rest, " ")))
		resolver_put_parameter(&instance, part);
	CHECK(!instance.failed);
	bytes_put_be16(writer, (uint16_t)instance.at);
	bytes_put(writer, bytes, instance.at);
}

#endif
