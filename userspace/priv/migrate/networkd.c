/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: systemd-networkd's and NetworkManager's files
 *
 * /run/systemd/netif/leases/INDEX (sd-dhcp-lease.c) is a list of lines NAME=VALUE. The
 * identifier that the client sent is in hex in CLIENTID. NetworkManager's internal
 * client writes the same format; newer versions of it (nm-dhcp-nettools.c) write only
 * ADDRESS.
 */
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/migrate/read.h"

struct values {
	bool has_address, has_netmask, has_id, is_damaged;
	struct in_addr address, netmask;
	uint8_t id[UINT8_MAX]; /* the longest option */
	size_t id_size;
};

/* Copy the value of a line `NAME=VALUE`. Returns 1, 0 if it has another name, or -1 if
 * the value is longer than any that is valid. */
static int take_value(const char *line, size_t length, const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);

	if (length <= name_length || memcmp(line, name, name_length) != 0 ||
	    line[name_length] != '=')
		return 0;
	line += name_length + 1;
	length -= name_length + 1;
	if (length >= size || memchr(line, '\0', length))
		return -1;
	memcpy(value, line, length);
	value[length] = '\0';
	return 1;
}

static void take_address(struct values *values, const char *line, size_t length, const char *name,
			 bool *hasp, struct in_addr *address)
{
	char text[VALUE_IPV4_SIZE];
	int r = take_value(line, length, name, text, sizeof(text));

	if (!r)
		return;
	if (r < 0 || *hasp || value_parse_ipv4(text, address) < 0)
		values->is_damaged = true;
	*hasp = true;
}

static void take_id(struct values *values, const char *line, size_t length)
{
	char text[2 * sizeof(values->id) + 1];
	int r = take_value(line, length, "CLIENTID", text, sizeof(text));

	if (!r)
		return;
	if (r < 0 || values->has_id ||
	    value_parse_hex(text, values->id, sizeof(values->id), &values->id_size) < 0)
		values->is_damaged = true;
	values->has_id = true;
}

void migrate_read_networkd(const struct migrate_files *files, struct migrate_identity *identity)
{
	const char *at = files->lease.bytes, *end = at + files->lease.size;
	struct values values = { .has_id = false };

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);

		take_address(&values, at, length, "ADDRESS", &values.has_address, &values.address);
		take_address(&values, at, length, "NETMASK", &values.has_netmask, &values.netmask);
		take_id(&values, at, length);
		at += length + (newline ? 1 : 0);
	}
	if (values.is_damaged || !values.has_address) {
		identity->kind = MIGRATE_DAMAGED;
		return;
	}
	identity->kind = MIGRATE_UNKNOWN;
	if (values.has_id)
		migrate_set_id(identity, values.id, values.id_size);
	migrate_set_address(identity, values.address, values.netmask);
}
