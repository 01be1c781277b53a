/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One parser per type, one accepted form per value. Parsers write their
 * output last, so that it is unchanged on failure. value_check() applies the
 * same parsers to bytes that are not yet NUL-terminated.
 */
#include "userspace/common/value-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	enum kv_class class;
	uint16_t max_length;
} types[_VALUE_TYPE_N] = {
	[VALUE_TEXT] = { "text", KV_CLASS_TEXT, KV_VALUE_MAX },
	[VALUE_HEX] = { "hex", KV_CLASS_HEX, KV_VALUE_MAX - 1 },
	[VALUE_MAC] = { "mac", KV_CLASS_TEXT, VALUE_MAC_SIZE - 1 },
	[VALUE_IPV4] = { "ipv4", KV_CLASS_TEXT, VALUE_IPV4_SIZE - 1 },
	[VALUE_IPV4_NET] = { "ipv4-net", KV_CLASS_TEXT, VALUE_IPV4_NET_SIZE - 1 },
	[VALUE_IPV6] = { "ipv6", KV_CLASS_TEXT, VALUE_IPV6_SIZE - 1 },
	[VALUE_IP] = { "ip", KV_CLASS_TEXT, VALUE_IPV6_SIZE - 1 },
	[VALUE_IPV6_LEASE] = { "ipv6-lease", KV_CLASS_TEXT, VALUE_IPV6_LEASE_SIZE - 1 },
	[VALUE_IPV6_PREFIX] = { "ipv6-prefix", KV_CLASS_TEXT, VALUE_IPV6_LEASE_SIZE - 1 },
	[VALUE_GATEWAY6] = { "gateway6", KV_CLASS_TEXT, VALUE_GATEWAY6_SIZE - 1 },
	[VALUE_ROUTE6] = { "route6", KV_CLASS_TEXT, VALUE_ROUTE6_SIZE - 1 },
	[VALUE_U8] = { "u8", KV_CLASS_UINT, 3 },
	[VALUE_U16] = { "u16", KV_CLASS_UINT, 5 },
	[VALUE_U32] = { "u32", KV_CLASS_UINT, VALUE_UINT_SIZE - 1 },
	/* The class of numbers has at most 10 digits and no sign. */
	[VALUE_U64] = { "u64", KV_CLASS_TEXT, VALUE_64_SIZE - 1 },
	[VALUE_S32] = { "s32", KV_CLASS_TEXT, VALUE_UINT_SIZE },
	[VALUE_S64] = { "s64", KV_CLASS_TEXT, VALUE_64_SIZE - 1 },
	[VALUE_LIFETIME] = { "lifetime", KV_CLASS_TEXT, VALUE_UINT_SIZE - 1 },
	[VALUE_HOSTNAME] = { "hostname", KV_CLASS_TEXT, VALUE_HOSTNAME_MAX },
	[VALUE_HOST] = { "host", KV_CLASS_TEXT, VALUE_HOSTNAME_MAX },
	[VALUE_DOMAIN_LIST] = { "domain-list", KV_CLASS_TEXT, KV_VALUE_MAX },
	[VALUE_ROUTE] = { "route", KV_CLASS_TEXT,
			  VALUE_IPV4_NET_SIZE - 1 + 5 + VALUE_IPV4_SIZE - 1 },
	[VALUE_URI] = { "uri", KV_CLASS_TEXT, KV_VALUE_MAX },
	[VALUE_NUMBERED_HEX] = { "numbered-hex", KV_CLASS_TEXT, KV_VALUE_MAX },
};

/* max is 0 for what is no number. */
static const struct {
	int64_t min;
	uint64_t max;
} bounds[_VALUE_TYPE_N] = {
	[VALUE_U8] = { 0, UINT8_MAX },
	[VALUE_U16] = { 0, UINT16_MAX },
	[VALUE_U32] = { 0, UINT32_MAX },
	[VALUE_U64] = { 0, UINT64_MAX },
	[VALUE_S32] = { INT32_MIN, INT32_MAX },
	[VALUE_S64] = { INT64_MIN, INT64_MAX },
	[VALUE_NUMBERED_HEX] = { 1, UINT32_MAX },
};

const char *value_type_name(enum value_type type)
{
	return (unsigned int)type < _VALUE_TYPE_N ? types[type].name : NULL;
}

enum kv_class value_rule_class(const struct value_rule *rule)
{
	bool is_mixed = rule->max_items > 0 || rule->choices[0] != '\0';

	if (is_mixed || (unsigned int)rule->type >= _VALUE_TYPE_N)
		return KV_CLASS_TEXT;
	return types[rule->type].class;
}

uint16_t value_type_max_length(enum value_type type)
{
	return (unsigned int)type < _VALUE_TYPE_N ? types[type].max_length : 0;
}

bool value_type_bounds(enum value_type type, int64_t *min, uint64_t *max)
{
	if ((unsigned int)type >= _VALUE_TYPE_N || bounds[type].max == 0)
		return false;
	*min = bounds[type].min;
	*max = bounds[type].max;
	return true;
}

bool value_type_is_signed(enum value_type type)
{
	return (unsigned int)type < _VALUE_TYPE_N && bounds[type].min < 0;
}

/* Parse a dotted quad at *textp and step over it. Returns 0 or -EBADMSG. */
static int take_ipv4(const char **textp, struct in_addr *address)
{
	const char *text = *textp;
	uint32_t bits = 0, octet;

	for (int i = 0; i < 4; i++) {
		if (i > 0 && *text++ != '.')
			return -EBADMSG;
		if (value_take_u32(&text, UINT8_MAX, &octet) < 0)
			return -EBADMSG;
		bits = bits << 8 | octet;
	}
	*textp = text;
	address->s_addr = htonl(bits);
	return 0;
}

/* Parse ADDRESS/LENGTH at *textp and step over it. Returns 0 or -EBADMSG. */
static int take_ipv4_net(const char **textp, struct value_ipv4_net *net)
{
	const char *text = *textp;
	struct in_addr address;
	uint32_t prefix_length;

	if (take_ipv4(&text, &address) < 0 || *text++ != '/' ||
	    value_take_u32(&text, 32, &prefix_length) < 0)
		return -EBADMSG;
	*textp = text;
	net->address = address;
	net->prefix_length = (uint8_t)prefix_length;
	return 0;
}

int value_parse_mac(const char *text, uint8_t mac[6])
{
	uint8_t bytes[6];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		int high = value_hex_digit(text[0]);
		int low = high < 0 ? -1 : value_hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -EBADMSG;
		bytes[i] = (uint8_t)(high << 4 | low);
		text += 3;
	}
	memcpy(mac, bytes, sizeof(bytes));
	return 0;
}

int value_parse_ipv4(const char *text, struct in_addr *address)
{
	struct in_addr parsed;

	if (take_ipv4(&text, &parsed) < 0 || *text != '\0')
		return -EBADMSG;
	*address = parsed;
	return 0;
}

int value_parse_ipv4_net(const char *text, struct value_ipv4_net *net)
{
	struct value_ipv4_net parsed;

	if (take_ipv4_net(&text, &parsed) < 0 || *text != '\0' || parsed.prefix_length == 0)
		return -EBADMSG;
	*net = parsed;
	return 0;
}

/* Parse pairs of hex digits at *textp and step over them. Returns 0 or -EBADMSG. */
static int take_hex(const char **textp, uint8_t *bytes, size_t size, size_t *np)
{
	const char *text = *textp;
	size_t n;

	for (n = 0; value_hex_digit(*text) >= 0; n++) {
		int high = value_hex_digit(*text++), low = value_hex_digit(*text++);

		if (low < 0 || n == size)
			return -EBADMSG;
		bytes[n] = (uint8_t)(high << 4 | low);
	}
	*textp = text;
	*np = n;
	return 0;
}

int value_parse_hex(const char *text, uint8_t *bytes, size_t size, size_t *np)
{
	size_t n;

	if (take_hex(&text, bytes, size, &n) < 0 || *text != '\0')
		return -EBADMSG;
	*np = n;
	return 0;
}

int value_next_numbered_hex(const char **textp, uint32_t max, uint32_t *number, uint8_t *bytes,
			    size_t size, size_t *np)
{
	const char *text = *textp;
	uint32_t before = *number;

	if (value_take_u32(&text, max, number) < 0 || *number <= before || *text++ != ':' ||
	    take_hex(&text, bytes, size, np) < 0)
		return -EBADMSG;
	if (*text == ' ' && text[1] != '\0')
		text++;
	else if (*text != '\0')
		return -EBADMSG;
	*textp = text;
	return 0;
}

static bool has_host_bits(const struct value_ipv4_net *net)
{
	uint32_t address = ntohl(net->address.s_addr);

	if (net->prefix_length == 0)
		return address != 0;
	return net->prefix_length < 32 && (address & (UINT32_MAX >> net->prefix_length)) != 0;
}

int value_parse_route(const char *text, struct value_route *route)
{
	struct value_route parsed = { 0 };
	struct value_ipv4_net net;

	if (take_ipv4_net(&text, &net) < 0 || has_host_bits(&net))
		return -EBADMSG;
	parsed.destination = net.address;
	parsed.prefix_length = net.prefix_length;
	if (strcmp(text, " onlink") == 0) {
		parsed.onlink = true;
	} else {
		if (strncmp(text, " via ", 5) != 0 ||
		    value_parse_ipv4(text + 5, &parsed.gateway) < 0 ||
		    parsed.gateway.s_addr == INADDR_ANY)
			return -EBADMSG;
	}
	*route = parsed;
	return 0;
}

static bool is_hex(const char *text)
{
	size_t length = 0;

	while (value_hex_digit(text[length]) >= 0)
		length++;
	return text[length] == '\0' && length % 2 == 0;
}

static bool is_hex_any_case(char byte)
{
	return value_hex_digit(byte) >= 0 || (byte >= 'A' && byte <= 'F');
}

static bool is_uri(const char *text)
{
	if (!value_is_letter(*text))
		return false;
	while (value_is_letter(*text) || value_is_digit(*text) || (*text && strchr("+-.", *text)))
		text++;
	if (*text++ != ':' || *text == '\0')
		return false;
	for (; *text; text++) {
		if (*text == '%') {
			if (!is_hex_any_case(text[1]) || !is_hex_any_case(text[2]))
				return false;
			text += 2;
		} else if (!value_is_letter(*text) && !value_is_digit(*text) &&
			   !strchr("-._~:/?#[]@!$&'()*+,;=", *text)) {
			return false;
		}
	}
	return true;
}

static bool is_numbered_hex(const struct value_rule *rule, const char *text)
{
	/* the least is above */
	uint32_t number = rule->min > 0 ? (uint32_t)rule->min - 1 : 0;
	uint8_t bytes[KV_VALUE_SIZE / 2];
	size_t n;

	do {
		if (value_next_numbered_hex(&text, (uint32_t)rule->max, &number, bytes,
					    sizeof(bytes), &n) < 0)
			return false;
	} while (*text != '\0');
	return true;
}

static bool is_number(const struct value_rule *rule, const char *text)
{
	int64_t min = bounds[rule->type].min, signed_max = (int64_t)bounds[rule->type].max, ignored;
	uint64_t max = bounds[rule->type].max, unsigned_ignored;

	if (rule->min > min)
		min = rule->min;
	if (value_type_is_signed(rule->type)) {
		if ((int64_t)rule->max < signed_max)
			signed_max = (int64_t)rule->max;
		return !value_parse_s64(text, min, signed_max, &ignored);
	}
	if (rule->max < max)
		max = rule->max;
	return !value_parse_u64(text, (uint64_t)min, max, &unsigned_ignored);
}

static bool is_of_type(const struct value_rule *rule, const char *text)
{
	union {
		uint8_t mac[6];
		struct in_addr address;
		struct value_ipv4_net net;
		struct in6_addr ipv6;
		struct value_ip ip;
		struct value_ipv6_lease lease;
		struct value_gateway6 gateway6;
		struct value_route6 route6;
		struct value_route route;
		uint32_t seconds;
	} ignored;

	switch (rule->type) {
	case VALUE_TEXT:
		return true;
	case VALUE_HEX:
		return is_hex(text);
	case VALUE_MAC:
		return value_parse_mac(text, ignored.mac) == 0;
	case VALUE_IPV4:
		return value_parse_ipv4(text, &ignored.address) == 0;
	case VALUE_IPV4_NET:
		return value_parse_ipv4_net(text, &ignored.net) == 0;
	case VALUE_IPV6:
		return value_parse_ipv6(text, &ignored.ipv6) == 0;
	case VALUE_IP:
		return value_parse_ip(text, &ignored.ip) == 0;
	case VALUE_IPV6_LEASE:
		return value_parse_ipv6_lease(text, &ignored.lease) == 0;
	case VALUE_IPV6_PREFIX:
		return value_parse_ipv6_prefix(text, &ignored.lease) == 0;
	case VALUE_GATEWAY6:
		return value_parse_gateway6(text, &ignored.gateway6) == 0;
	case VALUE_ROUTE6:
		return value_parse_route6(text, &ignored.route6) == 0;
	case VALUE_U8:
	case VALUE_U16:
	case VALUE_U32:
	case VALUE_U64:
	case VALUE_S32:
	case VALUE_S64:
		return is_number(rule, text);
	case VALUE_LIFETIME:
		return value_parse_lifetime(text, &ignored.seconds) == 0;
	case VALUE_HOSTNAME:
		return value_is_hostname(text);
	case VALUE_HOST:
		return value_is_host(text);
	case VALUE_DOMAIN_LIST:
		return value_is_domain_list(text);
	case VALUE_ROUTE:
		return value_parse_route(text, &ignored.route) == 0;
	case VALUE_URI:
		return is_uri(text);
	case VALUE_NUMBERED_HEX:
		return is_numbered_hex(rule, text);
	case _VALUE_TYPE_N:
		break;
	}
	return false;
}

/* Return whether `text` is one of the words. */
static bool is_choice(const char *words, const char *text)
{
	size_t length = strlen(text);

	while (*words != '\0') {
		size_t word = strcspn(words, " ");

		if (word == length && memcmp(words, text, length) == 0)
			return true;
		words += word + (words[word] == ' ');
	}
	return false;
}

static bool is_item(const struct value_rule *rule, const char *text)
{
	if (rule->choices[0] != '\0' && is_choice(rule->choices, text))
		return true;
	if (rule->choices[0] != '\0' && rule->type == VALUE_TEXT)
		return false;
	return is_of_type(rule, text);
}

static bool is_list(const struct value_rule *rule, char *text)
{
	for (unsigned int n = 0; n < rule->max_items; n++) {
		size_t length = strcspn(text, " ");
		bool is_last = text[length] == '\0';

		text[length] = '\0';
		if (length == 0 || !is_item(rule, text))
			return false;
		if (is_last)
			return true;
		text += length + 1;
	}
	return false;
}

static int check_typed(const struct value_rule *rule, const char *text, size_t length)
{
	char copy[KV_VALUE_SIZE] = "";

	if (length > 0)
		memcpy(copy, text, length);
	if (rule->max_items > 0)
		return is_list(rule, copy) ? 0 : -EBADMSG;
	return is_item(rule, copy) ? 0 : -EBADMSG;
}

int value_check(const struct value_rule *rule, const char *text, size_t length)
{
	unsigned int bad = 0;

	if (length > rule->max_length || length > KV_VALUE_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < length; i++)
		bad |= (unsigned int)(uint8_t)(text[i] - 0x20) > 0x7e - 0x20;
	if (bad)
		return -EBADMSG;
	/* any printable text is valid: nothing to parse, no copy needed */
	if (rule->type == VALUE_TEXT && rule->max_items == 0 && rule->choices[0] == '\0')
		return 0;
	return check_typed(rule, text, length);
}
