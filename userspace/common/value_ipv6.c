/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The canonical text of an IPv6 address is that of RFC 5952 section 4: lower
 * case, no leading zeros, and "::" for the longest run of two or more zero groups,
 * the first one of several. A parsed address is formatted again and compared: so
 * the parser accepts exactly what the formatter writes. IPv4 in IPv6
 * (::ffff:0:0/96) is refused, because the kernel takes it for IPv4.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value-private.h"

#define GROUPS 8
#define HEX_PER_GROUP 4

static const char *const preferences[] = {
	[VALUE_PREFERENCE_MEDIUM] = "medium",
	[VALUE_PREFERENCE_HIGH] = "high",
	[VALUE_PREFERENCE_LOW] = "low",
};
#define N_PREFERENCES (sizeof(preferences) / sizeof(preferences[0]))

static unsigned int group_of(const struct in6_addr *address, int i)
{
	const uint8_t *octets = &address->s6_addr[2 * (size_t)i];

	return (unsigned int)(octets[0] << 8 | octets[1]);
}

struct run {
	int first, n;
};

static struct run longest_zeros(const struct in6_addr *address)
{
	struct run longest = { GROUPS, 1 }, run = { 0, 0 };

	for (int i = 0; i < GROUPS; i++) {
		if (group_of(address, i)) {
			run.n = 0;
			continue;
		}
		if (!run.n++)
			run.first = i;
		if (run.n > longest.n)
			longest = run;
	}
	return longest;
}

static char *put_group(char *text, unsigned int group)
{
	int shift = 4 * (HEX_PER_GROUP - 1);

	while (shift > 0 && !(group >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*text++ = "0123456789abcdef"[group >> shift & 0xf];
	return text;
}

/* Returns the end of the text. */
static char *put_ipv6(const struct in6_addr *address, char text[static VALUE_IPV6_SIZE])
{
	struct run zeros = longest_zeros(address);

	for (int i = 0; i < GROUPS;) {
		if (i == zeros.first) {
			*text++ = ':';
			i += zeros.n;
			if (i == GROUPS)
				*text++ = ':';
			continue;
		}
		if (i > 0)
			*text++ = ':';
		text = put_group(text, group_of(address, i++));
	}
	*text = '\0';
	return text;
}

void value_format_ipv6(const struct in6_addr *address, char text[static VALUE_IPV6_SIZE])
{
	(void)put_ipv6(address, text);
}

void value_format_ip(const struct value_ip *address, char text[static VALUE_IPV6_SIZE])
{
	if (address->family == AF_INET)
		value_format_ipv4(address->ipv4, text);
	else
		value_format_ipv6(&address->ipv6, text);
}

static void format_net(const struct value_ipv6_net *net, char text[static VALUE_IPV6_NET_SIZE])
{
	char *end = put_ipv6(&net->address, text);

	snprintf(end, VALUE_IPV6_NET_SIZE - VALUE_IPV6_SIZE + 1, "/%u", net->prefix_length % 1000u);
}

void value_format_ipv6_lease(const struct value_ipv6_lease *lease,
			     char text[static VALUE_IPV6_LEASE_SIZE])
{
	char net[VALUE_IPV6_NET_SIZE], preferred[VALUE_UINT_SIZE], valid[VALUE_UINT_SIZE];

	format_net(&lease->net, net);
	value_format_lifetime(lease->preferred_s, preferred);
	value_format_lifetime(lease->valid_s, valid);
	snprintf(text, VALUE_IPV6_LEASE_SIZE, "%s %s %s", net, preferred, valid);
}

void value_format_gateway6(const struct value_gateway6 *gateway,
			   char text[static VALUE_GATEWAY6_SIZE])
{
	char address[VALUE_IPV6_SIZE], lifetime[VALUE_UINT_SIZE];

	value_format_ipv6(&gateway->address, address);
	value_format_lifetime(gateway->lifetime_s, lifetime);
	snprintf(text, VALUE_GATEWAY6_SIZE, "%s %s %s", address, preferences[gateway->preference],
		 lifetime);
}

void value_format_route6(const struct value_route6 *route, char text[static VALUE_ROUTE6_SIZE])
{
	char net[VALUE_IPV6_NET_SIZE], gateway[VALUE_GATEWAY6_SIZE];

	format_net(&route->destination, net);
	value_format_gateway6(&route->gateway, gateway);
	snprintf(text, VALUE_ROUTE6_SIZE, "%s via %s", net, gateway);
}

/* Parse 1 to 4 hex digits at *textp and step over them. Returns false if there are none. */
static bool take_group(const char **textp, unsigned int *groupp)
{
	unsigned int group = 0;
	int n = 0, digit;

	while (n < HEX_PER_GROUP && (digit = value_hex_digit(**textp)) >= 0) {
		group = group << 4 | (unsigned int)digit;
		(*textp)++;
		n++;
	}
	*groupp = group;
	return n > 0;
}

/* Parse an address at *textp, canonical or not, and step over it. */
static int take_any_ipv6(const char **textp, struct in6_addr *address)
{
	unsigned int groups[GROUPS] = { 0 };
	int n = 0, i_gap = -1; /* the group before which there is "::" */
	const char *text = *textp;

	if (text[0] == ':' && text[1] == ':') {
		i_gap = 0;
		text += 2;
	}
	while (n < GROUPS && take_group(&text, &groups[n])) {
		n++;
		if (*text != ':')
			break;
		if (text[1] == ':') {
			if (i_gap >= 0)
				return -EBADMSG;
			i_gap = n;
			text++;
		} else if (value_hex_digit(text[1]) < 0) {
			break;
		}
		text++;
	}
	if (i_gap < 0 ? n < GROUPS : n == GROUPS)
		return -EBADMSG;
	*address = (struct in6_addr){ 0 };
	for (int i = 0; i < n; i++) {
		int at = i_gap >= 0 && i >= i_gap ? GROUPS - n + i : i;
		uint8_t *octets = &address->s6_addr[2 * (size_t)at];

		octets[0] = (uint8_t)(groups[i] >> 8);
		octets[1] = (uint8_t)groups[i];
	}
	*textp = text;
	return 0;
}

static int take_ipv6(const char **textp, struct in6_addr *address)
{
	const char *text = *textp;
	char canonical[VALUE_IPV6_SIZE];
	struct in6_addr parsed;
	size_t length;

	if (take_any_ipv6(&text, &parsed) || IN6_IS_ADDR_V4MAPPED(&parsed))
		return -EBADMSG;
	length = (size_t)(put_ipv6(&parsed, canonical) - canonical);
	if (length != (size_t)(text - *textp) || memcmp(canonical, *textp, length) != 0)
		return -EBADMSG;
	*textp = text;
	*address = parsed;
	return 0;
}

static int take_ipv6_net(const char **textp, struct value_ipv6_net *net)
{
	uint32_t prefix_length;

	if (take_ipv6(textp, &net->address) || *(*textp)++ != '/' ||
	    value_take_u32(textp, 128, &prefix_length))
		return -EBADMSG;
	net->prefix_length = (uint8_t)prefix_length;
	return 0;
}

static bool has_host_bits(const struct value_ipv6_net *net)
{
	for (int i = 0; i < 16; i++) {
		int n_bits = net->prefix_length - 8 * i;
		unsigned int host = n_bits >= 8 ? 0 : n_bits <= 0 ? 0xff : 0xffu >> n_bits;

		if (net->address.s6_addr[i] & host)
			return true;
	}
	return false;
}

static bool is_unicast(const struct in6_addr *address)
{
	return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_MULTICAST(address) &&
	       !IN6_IS_ADDR_LOOPBACK(address);
}

/* Parse " PREFERRED VALID", up to the end of the text. */
static int parse_lifetimes(const char *text, uint32_t *preferred_s, uint32_t *valid_s)
{
	if (*text++ != ' ' || value_take_lifetime(&text, preferred_s) || *text++ != ' ' ||
	    value_parse_lifetime(text, valid_s) || *preferred_s > *valid_s)
		return -EBADMSG;
	return 0;
}

/* Parse " PREFERENCE LIFETIME", up to the end of the text. */
static int parse_preference(const char *text, enum value_preference *preferencep,
			    uint32_t *lifetime_s)
{
	for (size_t i = 0; *text == ' ' && i < N_PREFERENCES; i++) {
		size_t length = strlen(preferences[i]);

		if (strncmp(text + 1, preferences[i], length) != 0 || text[1 + length] != ' ')
			continue;
		*preferencep = (enum value_preference)i;
		return value_parse_lifetime(text + 1 + length + 1, lifetime_s);
	}
	return -EBADMSG;
}

int value_parse_ipv6(const char *text, struct in6_addr *address)
{
	struct in6_addr parsed;

	if (take_ipv6(&text, &parsed) || *text != '\0')
		return -EBADMSG;
	*address = parsed;
	return 0;
}

int value_parse_ip(const char *text, struct value_ip *address)
{
	struct value_ip parsed = { .family = AF_INET };

	if (value_parse_ipv4(text, &parsed.ipv4)) {
		parsed = (struct value_ip){ .family = AF_INET6 };
		if (value_parse_ipv6(text, &parsed.ipv6))
			return -EBADMSG;
	}
	*address = parsed;
	return 0;
}

int value_parse_ipv6_lease(const char *text, struct value_ipv6_lease *lease)
{
	struct value_ipv6_lease parsed;

	if (take_ipv6_net(&text, &parsed.net) || !parsed.net.prefix_length ||
	    !is_unicast(&parsed.net.address) ||
	    parse_lifetimes(text, &parsed.preferred_s, &parsed.valid_s))
		return -EBADMSG;
	*lease = parsed;
	return 0;
}

int value_parse_ipv6_prefix(const char *text, struct value_ipv6_lease *prefix)
{
	struct value_ipv6_lease parsed;

	if (value_parse_ipv6_lease(text, &parsed) || has_host_bits(&parsed.net))
		return -EBADMSG;
	*prefix = parsed;
	return 0;
}

int value_parse_gateway6(const char *text, struct value_gateway6 *gateway)
{
	struct value_gateway6 parsed;

	if (take_ipv6(&text, &parsed.address) || !is_unicast(&parsed.address) ||
	    parse_preference(text, &parsed.preference, &parsed.lifetime_s))
		return -EBADMSG;
	*gateway = parsed;
	return 0;
}

int value_parse_route6(const char *text, struct value_route6 *route)
{
	struct value_route6 parsed;

	if (take_ipv6_net(&text, &parsed.destination) || has_host_bits(&parsed.destination) ||
	    strncmp(text, " via ", 5) != 0 || value_parse_gateway6(text + 5, &parsed.gateway))
		return -EBADMSG;
	*route = parsed;
	return 0;
}
