/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the parsers of other clients' lease files. The input is the
 * format, the sizes of the lease file and of the DUID file (two octets each), and the
 * three files.
 *
 * Besides crashes, it checks that what is found is accepted by the supervisor's check,
 * does not depend on anything but the files, and is found again if it is written to a
 * file as systemd-networkd does.
 */
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/common/bytes.h"
#include "userspace/common/value.h"
#include "userspace/priv/migrate/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* In memory of its own, so that the sanitizer sees where it ends. */
static struct migrate_text copy_text(struct bytes_reader *reader, size_t size)
{
	size_t n = size < bytes_left(reader) ? size : bytes_left(reader);
	char *copy = malloc(n + !n);

	CHECK(copy);
	bytes_copy(reader, copy, n);
	return (struct migrate_text){ copy, n };
}

static void free_text(struct migrate_text *text)
{
	free((char *)(uintptr_t)text->bytes);
}

static void check_again(const struct migrate_identity *identity)
{
	char hex[2 * MIGRATE_ID_MAX + 1], address[VALUE_IPV4_SIZE], text[512];
	const struct migrate_request request = { .format = MIGRATE_NETWORKD };
	struct migrate_files files = { .lease.bytes = text };
	struct migrate_identity again;

	value_format_hex(identity->id, identity->id_size, hex);
	value_format_ipv4(identity->address, address);
	files.lease.size =
		(size_t)snprintf(text, sizeof(text), "ADDRESS=%s\nCLIENTID=%s\n", address, hex);
	migrate_read(&request, &files, &again);
	CHECK(again.kind == MIGRATE_ID && again.id_size == identity->id_size);
	CHECK(memcmp(again.id, identity->id, identity->id_size) == 0);
	CHECK(again.address.s_addr == identity->address.s_addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct migrate_request request = { .mac = { 2, 0, 0, 0, 0x77, 2 }, .interface = "uplink0" };
	struct migrate_identity identity, other;
	struct migrate_files files;
	struct bytes_reader reader;
	uint16_t lease_size, duid_size;

	bytes_reader_init(&reader, bytes, size);
	request.format = bytes_u8(&reader) % (_MIGRATE_FORMAT_N + 1);
	lease_size = bytes_be16(&reader);
	duid_size = bytes_be16(&reader);
	files.lease = copy_text(&reader, lease_size);
	files.duid = copy_text(&reader, duid_size);
	files.configuration = copy_text(&reader, SIZE_MAX);

	memset(&identity, 0x00, sizeof(identity));
	memset(&other, 0xff, sizeof(other));
	migrate_read(&request, &files, &identity);
	migrate_read(&request, &files, &other);
	CHECK(migrate_check(&identity));
	CHECK(memcmp(&identity, &other, sizeof(identity)) == 0);
	if (identity.kind == MIGRATE_ID)
		check_again(&identity);

	free_text(&files.lease);
	free_text(&files.duid);
	free_text(&files.configuration);
	return 0;
}
