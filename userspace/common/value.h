/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of stored values. The gateway checks a value against its key's type
 * before it runs the gate, and every consumer checks it again by parsing it
 * with the functions here: no byte of server-supplied text reaches a file, a
 * log or netlink without passing one of them.
 *
 * All values are printable ASCII (0x20..0x7e). Formatters write the one
 * canonical form that the parsers accept; parsers accept nothing else (no
 * leading zeros, no blanks, no sign).
 */
#ifndef CALFPEN_COMMON_VALUE_H
#define CALFPEN_COMMON_VALUE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

enum value_type {
	VALUE_TEXT = 0,	   /* printable */
	VALUE_HEX,	   /* lower-case hex digits, even count */
	VALUE_MAC,	   /* 02:00:00:00:77:02, lower case */
	VALUE_IPV4,	   /* dotted quad */
	VALUE_IPV4_NET,	   /* address/prefix length 1..32; a bare address is wrong */
	VALUE_IPV6,	   /* as in RFC 5952 section 4; never IPv4 in IPv6, never with a zone */
	VALUE_IP,	   /* either of the two */
	VALUE_IPV6_LEASE,  /* "ADDRESS/LEN PREFERRED VALID", unicast, LEN 1..128; lifetimes as
			     * below, the first is not longer */
	VALUE_IPV6_PREFIX, /* "PREFIX/LEN PREFERRED VALID", the same without host bits */
	VALUE_GATEWAY6,	   /* "ADDRESS high|medium|low LIFETIME", unicast */
	VALUE_ROUTE6,	   /* "PREFIX/LEN via ADDRESS high|medium|low LIFETIME", no host bits */
	VALUE_U8,	   /* decimal, within min..max, as all numbers */
	VALUE_U16,
	VALUE_U32,
	VALUE_U64,
	VALUE_S32, /* "-5": a sign only if it is below 0 */
	VALUE_S64,
	VALUE_LIFETIME,	    /* seconds as u32, or "infinite" */
	VALUE_HOSTNAME,	    /* LDH labels of 1..63, 253 in all, no final dot */
	VALUE_HOST,	    /* an address of either family, or a host name whose last label is not
			     * only digits */
	VALUE_DOMAIN_LIST,  /* domains to search, separated by single blanks: as hostnames, and
			     * underscores */
	VALUE_ROUTE,	    /* "DEST/LEN via GATEWAY" or "DEST/LEN onlink", no host bits */
	VALUE_URI,	    /* RFC 3986 characters, with a scheme */
	VALUE_NUMBERED_HEX, /* "43:0104 118:c0000200": numbers within min..max, not 0, ascending,
			     * each with its octets, which may be none */
	_VALUE_TYPE_N,
};

#define VALUE_CHOICES_SIZE 64

/* A key's type with its bounds, as given in a description. */
struct value_rule {
	enum value_type type;
	int64_t min;	     /* numbers and VALUE_NUMBERED_HEX: see value_type_bounds() */
	uint64_t max;	     /* the same; of signed types, an int64_t converted to this */
	uint16_t max_length; /* bytes, at most KV_VALUE_MAX */
	/* 0: one value. Otherwise a list of 1 to this many values, separated by
	 * single blanks. */
	uint8_t max_items;
	/* Words, separated by single blanks, that are allowed besides the
	 * values of the type; for VALUE_TEXT they are the only values. "":
	 * none. */
	char choices[VALUE_CHOICES_SIZE];
};

struct value_ipv4_net {
	struct in_addr address;
	uint8_t prefix_length;
};

struct value_route {
	struct in_addr destination; /* host bits are 0 */
	uint8_t prefix_length;
	bool onlink;		/* no gateway */
	struct in_addr gateway; /* unless onlink */
};

#define VALUE_LIFETIME_INFINITE UINT32_MAX

struct value_ip {
	sa_family_t family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr ipv4;
		struct in6_addr ipv6;
	};
};

struct value_ipv6_net {
	struct in6_addr address;
	uint8_t prefix_length;
};

/* An address or a prefix, with its lifetimes in seconds. */
struct value_ipv6_lease {
	struct value_ipv6_net net;
	uint32_t preferred_s, valid_s;
};

/* RFC 4191 section 2.1 */
enum value_preference {
	VALUE_PREFERENCE_MEDIUM,
	VALUE_PREFERENCE_HIGH,
	VALUE_PREFERENCE_LOW,
};

struct value_gateway6 {
	struct in6_addr address;
	enum value_preference preference;
	uint32_t lifetime_s;
};

struct value_route6 {
	struct value_ipv6_net destination; /* host bits are 0; the length may be 0 */
	struct value_gateway6 gateway;
};

/* Return the name of a type as used in descriptions ("ipv4-net"), or NULL. */
const char *value_type_name(enum value_type type);
/* Return the class (KV_CLASS_*), checked by the kernel, of a rule's values. */
enum kv_class value_rule_class(const struct value_rule *rule);
/* Return the size in bytes of the longest value of the type. */
uint16_t value_type_max_length(enum value_type type);
/* Get the least `min` and the greatest `max` that a rule of this type may have. Returns
 * false, with both unchanged, if its values are no numbers. */
bool value_type_bounds(enum value_type type, int64_t *min, uint64_t *max);
/* Return whether the type is one of numbers that may be below 0. */
bool value_type_is_signed(enum value_type type);

/* Check `length` bytes (no NUL needed) against the rule. Returns 0, -EMSGSIZE
 * if they are longer than the rule allows, or -EBADMSG if they are not of its
 * type. */
int value_check(const struct value_rule *rule, const char *text, size_t length);

/* Parse NUL-terminated text. Returns 0, or -EBADMSG with the output
 * unchanged. */
int value_parse_mac(const char *text, uint8_t mac[6]);
int value_parse_ipv4(const char *text, struct in_addr *address);
int value_parse_ipv4_net(const char *text, struct value_ipv4_net *net);
int value_parse_ipv6(const char *text, struct in6_addr *address);
int value_parse_ip(const char *text, struct value_ip *address);
int value_parse_ipv6_lease(const char *text, struct value_ipv6_lease *lease);
int value_parse_ipv6_prefix(const char *text, struct value_ipv6_lease *prefix);
int value_parse_gateway6(const char *text, struct value_gateway6 *gateway);
int value_parse_route6(const char *text, struct value_route6 *route);
int value_parse_uint(const char *text, uint32_t min, uint32_t max, uint32_t *number);
int value_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *number);
int value_parse_s64(const char *text, int64_t min, int64_t max, int64_t *number);
int value_parse_lifetime(const char *text, uint32_t *seconds);
int value_parse_route(const char *text, struct value_route *route);
/* Parse hex digits into at most `size` octets and store their number in *np.
 * Returns 0, or -EBADMSG; `bytes` may be changed on failure. */
int value_parse_hex(const char *text, uint8_t *bytes, size_t size, size_t *np);
/*
 * Parse the first item of a VALUE_NUMBERED_HEX at *textp: its number, which is above
 * *number, and at most `max`, and at most `size` octets. Step over it and the blank
 * after it. Returns 0, or -EBADMSG; *number and `bytes` may be changed on failure.
 */
int value_next_numbered_hex(const char **textp, uint32_t max, uint32_t *number, uint8_t *bytes,
			    size_t size, size_t *np);
/* Return whether the text is an LDH host or domain name. */
bool value_is_hostname(const char *text);
/* Return whether the text names a host: an address, or a host name that cannot be taken for
 * one (RFC 1123 section 2.1). */
bool value_is_host(const char *text);
/* Return whether the text is a domain that can be searched: as a host name, but
 * underscores are allowed, which names of Active Directory have. */
bool value_is_domain(const char *text);

#define VALUE_HOSTNAME_MAX 253 /* bytes of the longest name */

/* Format a value into a buffer of the given size. */
#define VALUE_MAC_SIZE 18
#define VALUE_IPV4_SIZE 16
#define VALUE_IPV4_NET_SIZE 19
#define VALUE_UINT_SIZE 11
#define VALUE_64_SIZE 21   /* with a sign or 20 digits */
#define VALUE_IPV6_SIZE 40 /* 8 groups of 4 digits */
#define VALUE_IPV6_NET_SIZE (VALUE_IPV6_SIZE + 4)
#define VALUE_IPV6_LEASE_SIZE (VALUE_IPV6_NET_SIZE + 2 * VALUE_UINT_SIZE)
#define VALUE_GATEWAY6_SIZE (VALUE_IPV6_SIZE + 7 + VALUE_UINT_SIZE)
#define VALUE_ROUTE6_SIZE (VALUE_IPV6_NET_SIZE + 4 + VALUE_GATEWAY6_SIZE)
void value_format_mac(const uint8_t mac[6], char text[static VALUE_MAC_SIZE]);
void value_format_ipv4(struct in_addr address, char text[static VALUE_IPV4_SIZE]);
void value_format_ipv4_net(const struct value_ipv4_net *net, char text[static VALUE_IPV4_NET_SIZE]);
void value_format_ipv6(const struct in6_addr *address, char text[static VALUE_IPV6_SIZE]);
void value_format_ip(const struct value_ip *address, char text[static VALUE_IPV6_SIZE]);
void value_format_ipv6_lease(const struct value_ipv6_lease *lease,
			     char text[static VALUE_IPV6_LEASE_SIZE]);
void value_format_gateway6(const struct value_gateway6 *gateway,
			   char text[static VALUE_GATEWAY6_SIZE]);
void value_format_route6(const struct value_route6 *route, char text[static VALUE_ROUTE6_SIZE]);
void value_format_lifetime(uint32_t seconds, char text[static VALUE_UINT_SIZE]);
/* Format `size` bytes as lower-case hex; `text` has room for 2 * size + 1
 * bytes. */
void value_format_hex(const uint8_t *bytes, size_t size, char *text);

#endif
