/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsers of lease files: pure functions of bytes, which do no I/O and allocate
 * nothing. Every byte may be hostile. A text may contain NULs and does not end with
 * one.
 */
#ifndef CALFPEN_PRIV_MIGRATE_READ_H
#define CALFPEN_PRIV_MIGRATE_READ_H

#include <stddef.h>

#include "userspace/priv/migrate/migrate.h"

struct migrate_text {
	const char *bytes;
	size_t size;
};

/* The files of one client; a missing one is empty. */
struct migrate_files {
	struct migrate_text lease;
	struct migrate_text duid;	   /* dhcpcd's */
	struct migrate_text configuration; /* of dhcpcd or dhclient */
};

/* Find the identity of the client that wrote the files, as it was last used on the
 * interface of the request. *identity is valid as of migrate_check(). */
void migrate_read(const struct migrate_request *request, const struct migrate_files *files,
		  struct migrate_identity *identity);

/*
 * The formats. Each function gets an empty identity (kind MIGRATE_NO_LEASE) and fills
 * in what it finds.
 */

/* dhcpcd.c: the last DHCPACK as it was received; the DUID in hex; dhcpcd.conf(5). */
void migrate_read_dhcpcd(const struct migrate_request *request, const struct migrate_files *files,
			 struct migrate_identity *identity);
/* dhclient.c: dhclient.leases(5) and dhclient.conf(5). */
void migrate_read_dhclient(const struct migrate_request *request, const struct migrate_files *files,
			   struct migrate_identity *identity);
/* networkd.c: the lines NAME=VALUE of systemd-networkd and of NetworkManager. */
void migrate_read_networkd(const struct migrate_files *files, struct migrate_identity *identity);

/*
 * What the formats share (read.c). An identifier that is too short or too long for a
 * client makes the kind MIGRATE_UNKNOWN.
 */
void migrate_set_id(struct migrate_identity *identity, const void *id, size_t size);
/* The identifier of RFC 4361: 255, IAID, DUID. */
void migrate_set_duid(struct migrate_identity *identity, uint32_t iaid, const void *duid,
		      size_t size);
/* The identifier of RFC 2132: hardware type 1 and the MAC. */
void migrate_set_mac(struct migrate_identity *identity, const uint8_t mac[6]);
/* The last four octets of the MAC as a number, the IAID that most clients use. */
uint32_t migrate_mac_iaid(const uint8_t mac[6]);
/* An address that no host can have is left out; a netmask with gaps counts as none. */
void migrate_set_address(struct migrate_identity *identity, struct in_addr address,
			 struct in_addr netmask);

/* Parse octets in hex with ':' between them, each of `min_digits` to 2 digits. Returns
 * their number, which is at most `max`, or 0 if the text is something else. */
size_t migrate_parse_octets(const char *text, size_t length, size_t min_digits, uint8_t *bytes,
			    size_t max);

#endif
