/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/migrate/read.h"

#include <string.h>

#include "userspace/common/address.h"
#include "userspace/common/bytes.h"

#define HARDWARE_ETHERNET 1
#define ID_TYPE_DUID 255 /* RFC 4361 6.1 */

void migrate_set_id(struct migrate_identity *identity, const void *id, size_t size)
{
	identity->kind = MIGRATE_UNKNOWN;
	identity->id_size = 0;
	if (size < MIGRATE_ID_MIN || size > MIGRATE_ID_MAX)
		return;
	identity->kind = MIGRATE_ID;
	identity->id_size = (uint8_t)size;
	memcpy(identity->id, id, size);
}

void migrate_set_duid(struct migrate_identity *identity, uint32_t iaid, const void *duid,
		      size_t size)
{
	uint8_t id[MIGRATE_ID_MAX];
	struct bytes_writer writer;

	bytes_writer_init(&writer, id, sizeof(id));
	bytes_put_u8(&writer, ID_TYPE_DUID);
	bytes_put_be32(&writer, iaid);
	bytes_put(&writer, duid, size);
	/* A DUID has a type of two octets, and more (RFC 8415 11.1). */
	migrate_set_id(identity, id, size > 2 && !writer.failed ? writer.at : 0);
}

void migrate_set_mac(struct migrate_identity *identity, const uint8_t mac[6])
{
	uint8_t id[7] = { HARDWARE_ETHERNET };

	memcpy(id + 1, mac, sizeof(id) - 1);
	migrate_set_id(identity, id, sizeof(id));
}

uint32_t migrate_mac_iaid(const uint8_t mac[6])
{
	struct bytes_reader reader;

	bytes_reader_init(&reader, mac + 2, sizeof(uint32_t));
	return bytes_be32(&reader);
}

void migrate_set_address(struct migrate_identity *identity, struct in_addr address,
			 struct in_addr netmask)
{
	identity->address.s_addr = INADDR_ANY;
	identity->prefix_length = 0;
	if (!address_is_host(address))
		return;
	identity->address = address;
	identity->prefix_length = 32;
	for (uint8_t length = 1; length < 32; length++)
		if (address_netmask(length) == ntohl(netmask.s_addr))
			identity->prefix_length = length;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t migrate_parse_octets(const char *text, size_t length, size_t min_digits, uint8_t *bytes,
			    size_t max)
{
	size_t n = 0, n_digits = 0;
	unsigned int octet = 0;

	for (size_t i = 0; i <= length; i++) {
		if (i == length || text[i] == ':') {
			if (n_digits < min_digits || n == max)
				return 0;
			bytes[n++] = (uint8_t)octet;
			octet = 0;
			n_digits = 0;
			continue;
		}
		if (digit(text[i]) < 0 || ++n_digits > 2)
			return 0;
		octet = octet << 4 | (unsigned int)digit(text[i]);
	}
	return n;
}

void migrate_read(const struct migrate_request *request, const struct migrate_files *files,
		  struct migrate_identity *identity)
{
	*identity = (struct migrate_identity){ .kind = MIGRATE_NO_LEASE };
	switch (request->format) {
	case MIGRATE_DHCPCD:
		migrate_read_dhcpcd(request, files, identity);
		break;
	case MIGRATE_DHCLIENT:
		migrate_read_dhclient(request, files, identity);
		break;
	case MIGRATE_NETWORKD:
	case MIGRATE_NETWORK_MANAGER:
		migrate_read_networkd(files, identity);
		break;
	default:
		break;
	}
}
