/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of the DHCP client that ran on the uplink before: what a server knows
 * it by. It is read from the lease file that this client left, most of which a server
 * wrote. Therefore only the migrate role (role.c), a process without rights, parses
 * such a file; the supervisor gives it open descriptors and gets one struct
 * migrate_identity back, which it checks. This header is for both.
 */
#ifndef CALFPEN_PRIV_MIGRATE_MIGRATE_H
#define CALFPEN_PRIV_MIGRATE_MIGRATE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* An RFC 4361 identifier with the longest DUID: type, IAID, DUID (RFC 8415 11.1). */
#define MIGRATE_ID_MAX 135
#define MIGRATE_ID_MIN 2 /* RFC 2132 9.14 */

/* Larger files are not read. dhclient begins its file anew after 20 leases. */
#define MIGRATE_LEASE_MAX (1u << 20)
#define MIGRATE_DUID_FILE_MAX 4096u
#define MIGRATE_CONFIGURATION_MAX (1u << 16)

/* Formats of lease files, by the program that writes them. */
enum migrate_format {
	MIGRATE_DHCPCD = 0,
	MIGRATE_DHCLIENT,
	MIGRATE_NETWORKD,
	MIGRATE_NETWORK_MANAGER,
	_MIGRATE_FORMAT_N,
};

/* What the role needs besides the files. */
struct migrate_request {
	uint32_t format; /* enum migrate_format */
	uint32_t uid;	 /* that the role takes */
	uint32_t vlan;	 /* VLAN id of the uplink, 0: none */
	uint8_t mac[6];
	char interface[IFNAMSIZ];
};

enum migrate_kind {
	MIGRATE_NO_LEASE = 0, /* none for this interface in the file */
	MIGRATE_DAMAGED,      /* not a file of this format */
	MIGRATE_UNKNOWN,      /* a lease, but the files do not tell the identifier */
	MIGRATE_NO_ID,	      /* the client sent no identifier (option 61) */
	MIGRATE_ID,	      /* id[0..id_size - 1] */
	_MIGRATE_KIND_N,
};

struct migrate_identity {
	uint8_t kind; /* enum migrate_kind */
	uint8_t id_size;
	uint8_t prefix_length; /* of the address; 32 if the lease has no netmask */
	uint8_t id[MIGRATE_ID_MAX];
	struct in_addr address; /* of the lease; 0.0.0.0: unknown */
};

/* Return true if the identity, which came from the role, is one that it can return:
 * kind and sizes in range, the address a host's. */
bool migrate_check(const struct migrate_identity *identity);

#endif
