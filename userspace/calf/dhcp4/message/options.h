/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a message (RFC 2132), in the order of RFC 2131 section 4.1:
 * options field, then `file`, then `sname` if option 52 says so. The instances
 * of an option are joined over all three (RFC 3396).
 */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_OPTIONS_H
#define CALFPEN_CALF_DHCP4_MESSAGE_OPTIONS_H

#include "maps/kv.h"
#include "userspace/common/bytes.h"

enum option_code {
	OPTION_PAD = 0,
	OPTION_SUBNET_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_NAME_SERVER = 6,
	OPTION_HOST_NAME = 12,
	OPTION_DOMAIN_NAME = 15,
	OPTION_MTU = 26,
	OPTION_STATIC_ROUTE = 33,
	OPTION_TIME_SERVER = 42,
	OPTION_VENDOR_SPECIFIC = 43,
	OPTION_REQUESTED_ADDRESS = 50,
	OPTION_LEASE_TIME = 51,
	OPTION_OVERLOAD = 52,
	OPTION_MESSAGE_TYPE = 53,
	OPTION_SERVER_ID = 54,
	OPTION_PARAMETER_LIST = 55,
	OPTION_MESSAGE = 56,
	OPTION_MESSAGE_SIZE = 57,
	OPTION_RENEWAL_TIME = 58,
	OPTION_REBINDING_TIME = 59,
	OPTION_VENDOR_CLASS = 60,
	OPTION_CLIENT_ID = 61,
	OPTION_USER_CLASS = 77,
	OPTION_RAPID_COMMIT = 80,
	OPTION_FQDN = 81,
	OPTION_RELAY_AGENT = 82,
	OPTION_IPV6_ONLY = 108,
	OPTION_CAPTIVE_PORTAL = 114,
	OPTION_AUTO_CONFIGURE = 116,
	OPTION_SEARCH = 119,
	OPTION_CLASSLESS_ROUTE = 121,
	OPTION_VENDOR_CLASSES = 124,   /* of enterprises, RFC 3925 */
	OPTION_VENDOR_SPECIFICS = 125, /* the same */
	OPTION_FORCERENEW_NONCE = 145,
	OPTION_ENCRYPTED_DNS = 162,
	OPTION_CLASSLESS_ROUTE_MICROSOFT = 249,
	OPTION_END = 255,
};

#define OPTION_PART_MAX 255  /* octets of an instance of an option */
#define OPTION_SIZE_MAX 1536 /* size of a joined option: more than a frame holds */

/* The fields that hold options; they are read, never written. */
struct options {
	struct bytes_reader fields[3];
	unsigned int n_fields;
};

/* One joined option. */
struct option {
	uint8_t bytes[OPTION_SIZE_MAX];
	size_t size;
};

/*
 * Find the fields that hold options. Only the first valid option 52 (1, 2 or 3)
 * of the options field counts; inside `file` and `sname` it is ignored, so that
 * each field is read once. The readers' memory must outlive `options`.
 */
void options_init(struct options *options, struct bytes_reader field, struct bytes_reader file,
		  struct bytes_reader sname);

/*
 * Join all instances of `code` into *option. Returns true if there is one, of 0
 * bytes or more; false if there is none, or if together they exceed
 * OPTION_SIZE_MAX. An option that extends beyond its field ends that field.
 */
bool options_get(const struct options *options, uint8_t code, struct option *option);

/* Append an option, in as many parts as it needs (RFC 3396), at least one. */
void options_put(struct bytes_writer *writer, uint8_t code, const uint8_t *bytes, size_t size);

/* Return the first value of an option of fixed length, or 0 if it is missing or
 * too short. */
uint32_t options_get_u32(const struct options *options, uint8_t code);
uint16_t options_get_u16(const struct options *options, uint8_t code);

/* Return a reader over a joined option. */
struct bytes_reader option_reader(const struct option *option);

/* Copy the text of an option, without NULs at its end. Returns false, with
 * *text "", if it is empty, has another NUL, or is too long. All other octets
 * are possible. */
bool option_text(const struct option *option, char text[static KV_VALUE_SIZE]);

#endif
