/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP messages (RFC 2131 section 2): what a server sent, parsed into a plain
 * struct, and what we send. Pure functions on the caller's memory; the server's
 * bytes may be anything.
 */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_H
#define CALFPEN_CALF_DHCP4_MESSAGE_H

#include <netinet/in.h>

#include "userspace/calf/dhcp4/reason.h"
#include "userspace/common/bytes.h"
#include "userspace/common/value.h"

#define MESSAGE_NAME_SERVERS_MAX 8
#define MESSAGE_ROUTES_MAX 64
#define MESSAGE_CLIENT_ID_MAX 32 /* longer ones cannot be ours */
#define MESSAGE_TEXT_SIZE 256
#define MESSAGE_LABEL_SIZE 64 /* a host name without domain, NUL included */

/* What we accept and announce (option 57): a datagram that fits into one
 * frame whether or not the server counts the IP and UDP headers. */
#define MESSAGE_SIZE_ANNOUNCED 1472
#define MESSAGE_SIZE_MIN 300 /* shorter ones are padded: old servers drop them */
#define MESSAGE_SIZE_MAX 548 /* of ours: 576 with IP and UDP headers */

enum message_type {
	MESSAGE_DISCOVER = 1,
	MESSAGE_OFFER = 2,
	MESSAGE_REQUEST = 3,
	MESSAGE_DECLINE = 4,
	MESSAGE_ACK = 5,
	MESSAGE_NAK = 6,
	MESSAGE_RELEASE = 7,
	MESSAGE_INFORM = 8,
	MESSAGE_FORCERENEW = 9, /* RFC 3203 */
};

/*
 * What a server says about the network; every value is checked, wrong ones
 * are left out. Addresses of 0 and texts of length 0: not given.
 */
struct message_parameters {
	uint8_t prefix_length;	/* option 1; 0: missing or not a mask */
	struct in_addr gateway; /* 121, else 249, else 3 */
	uint8_t n_name_servers;
	struct in_addr name_servers[MESSAGE_NAME_SERVERS_MAX];
	uint8_t n_routes; /* 121, else 249, else 33; without default by gateway */
	struct value_route routes[MESSAGE_ROUTES_MAX];
	uint16_t mtu;		    /* option 26, at least 68 */
	char domain[KV_VALUE_SIZE]; /* option 15, a host name */
	char search[KV_VALUE_SIZE]; /* option 119, a domain list */
};

struct message {
	uint8_t type; /* enum message_type, any */
	uint32_t xid;
	struct in_addr yiaddr;
	uint8_t chaddr[6];
	bool has_server;
	struct in_addr server; /* option 54; 0.0.0.0 if missing */
	uint32_t lease_s;      /* option 51; 0: missing, UINT32_MAX: infinite */
	uint32_t t1_s;	       /* options 58, 59; 0: missing */
	uint32_t t2_s;
	bool has_client_id;
	size_t client_id_size; /* as sent; only the first bytes are kept */
	uint8_t client_id[MESSAGE_CLIENT_ID_MAX];
	char text[MESSAGE_TEXT_SIZE]; /* option 56, printable, cut */
	struct message_parameters parameters;
};

/*
 * Parse the data of a UDP datagram. REASON_NONE, or why it is discarded, with
 * *message undefined. Rules for options: one that is shorter than its fixed
 * length, or no multiple of its element, counts as missing; of a longer one
 * the first value counts; texts may end in NULs.
 */
enum reason message_parse(struct bytes_reader data, struct message *message);

/* A message of ours. Addresses of 0: field or option is left out. */
struct message_request {
	enum message_type type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast; /* flag BROADCAST: the reply must not be unicast */
	uint8_t mac[6];
	struct in_addr ciaddr;
	struct in_addr requested; /* option 50 */
	bool has_server;
	struct in_addr server;		    /* option 54 */
	char host_name[MESSAGE_LABEL_SIZE]; /* option 12, "": left out */
};

/*
 * Build it into `buffer`: 53 first, END, padded to MESSAGE_SIZE_MIN. Returns
 * its size, at most MESSAGE_SIZE_MAX, or 0 if it does not fit.
 */
size_t message_build(const struct message_request *request, uint8_t *buffer, size_t size);

/* Our client identifier, option 61: hardware type and MAC (RFC 2132 9.14). */
#define MESSAGE_CLIENT_ID_SIZE 7
void message_client_id(const uint8_t mac[6], uint8_t id[static MESSAGE_CLIENT_ID_SIZE]);

/* An address a host may have, or a unicast service: not 0/8, 127/8, 224/3. */
bool message_is_host_address(struct in_addr address);

#endif
