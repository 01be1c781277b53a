/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: dhcpcd's files
 *
 * The lease file is the last DHCPACK as it was received. If the server echoes the
 * client's identifier (RFC 6842), the identifier is there. Many servers do not; then
 * dhcpcd.conf says what is sent, and the DUID is in a file of its own. Without either
 * statement dhcpcd sends no identifier (9.4.1, observed; if-options.c).
 */
#include <string.h>

#include "userspace/common/bytes.h"
#include "userspace/common/value.h"
#include "userspace/priv/migrate/read.h"

/* RFC 2131, figure 1, and RFC 2132 */
#define BOOTREPLY 2
#define HARDWARE_ETHERNET 1
#define COOKIE 0x63825363u
#define OPTION_PAD 0
#define OPTION_NETMASK 1
#define OPTION_CLIENT_ID 61
#define OPTION_END 255

#define VLAN_IAID 0xff000000u

struct ack {
	struct in_addr address, netmask;
	uint8_t mac[6];
	const uint8_t *id; /* in the file; NULL: none */
	uint8_t id_size;
};

static bool parse_options(struct bytes_reader *reader, struct ack *ack)
{
	while (bytes_left(reader) > 0) {
		uint8_t code = bytes_u8(reader), size;
		struct bytes_reader option;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			break;
		size = bytes_u8(reader);
		option = bytes_sub(reader, size);
		if (code == OPTION_NETMASK && size == sizeof(ack->netmask))
			bytes_copy(&option, &ack->netmask, sizeof(ack->netmask));
		if (code != OPTION_CLIENT_ID)
			continue;
		if (ack->id)
			return false;
		ack->id_size = size;
		ack->id = bytes_view(&option, size);
	}
	return !reader->failed;
}

static bool parse_ack(const struct migrate_text *text, struct ack *ack)
{
	struct bytes_reader reader;
	uint8_t op, hardware, size;

	*ack = (struct ack){ .id = NULL };
	bytes_reader_init(&reader, text->bytes, text->size);
	op = bytes_u8(&reader);
	hardware = bytes_u8(&reader);
	size = bytes_u8(&reader);
	bytes_skip(&reader, 13); /* hops, xid, secs, flags, ciaddr */
	bytes_copy(&reader, &ack->address, sizeof(ack->address));
	bytes_skip(&reader, 8); /* siaddr, giaddr */
	bytes_copy(&reader, ack->mac, sizeof(ack->mac));
	bytes_skip(&reader, 10 + 64 + 128); /* rest of chaddr, sname, file */
	if (bytes_be32(&reader) != COOKIE || op != BOOTREPLY || hardware != HARDWARE_ETHERNET ||
	    size != sizeof(ack->mac))
		return false;
	return parse_options(&reader, ack);
}

/* What dhcpcd.conf says about the identifier. */
struct rules {
	enum { RULE_NONE, RULE_MAC, RULE_DUID } mode;
	bool has_given, has_iaid, is_iaid_unknown, is_anonymous;
	uint8_t given[MIGRATE_ID_MAX + 1];
	size_t given_size;	      /* below MIGRATE_ID_MIN: not understood */
	uint8_t duid[MIGRATE_ID_MAX]; /* size 0: in its file */
	size_t duid_size;
	uint32_t iaid;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* Parse a string as dhcpcd does: in quotes, octets such as 01:02, or text as it is.
 * Returns the number of octets in *bytes, or 0 for what dhcpcd interprets further
 * (escapes) or refuses. *is_textp: not octets. */
static size_t parse_string(const char *text, size_t length, uint8_t *bytes, size_t max,
			   bool *is_textp)
{
	size_t size;

	*is_textp = false;
	size = migrate_parse_octets(text, length, 2, bytes, max);
	if (size > 1)
		return size;
	*is_textp = true;
	if (length > 0 && text[0] == '"') {
		text++;
		length--;
		length -= length > 0 && text[length - 1] == '"';
	}
	if (length > max || memchr(text, '\\', length) || memchr(text, '\0', length))
		return 0;
	memcpy(bytes, text, length);
	return length;
}

static void take_client_id(struct rules *rules, const char *text, size_t length)
{
	bool is_text;

	rules->mode = RULE_MAC;
	rules->has_given = length > 0 && !is_word(text, length, "\"\"");
	if (!rules->has_given)
		return;
	/* Text is sent with type 0: not a hardware address. */
	rules->given[0] = 0;
	rules->given_size =
		parse_string(text, length, rules->given + 1, sizeof(rules->given) - 1, &is_text);
	if (is_text)
		rules->given_size++;
	else
		memmove(rules->given, rules->given + 1, rules->given_size);
}

/* `duid`, a hint such as `duid llt` for making a new one, or `duid 00:01:...`. */
static void take_duid(struct rules *rules, const char *text, size_t length)
{
	rules->mode = RULE_DUID;
	rules->duid_size = migrate_parse_octets(text, length, 2, rules->duid, sizeof(rules->duid));
}

static bool parse_number(const char *text, size_t length, uint32_t *numberp)
{
	char number[VALUE_UINT_SIZE];

	if (length >= sizeof(number))
		return false;
	memcpy(number, text, length);
	number[length] = '\0';
	return value_parse_uint(number, 0, UINT32_MAX, numberp) == 0;
}

static void take_iaid(struct rules *rules, const char *text, size_t length)
{
	uint8_t bytes[sizeof(rules->iaid)] = { 0 };
	struct bytes_reader reader;
	bool is_text;

	rules->has_iaid = true;
	rules->is_iaid_unknown = false;
	if (parse_number(text, length, &rules->iaid))
		return;
	/* Other forms of numbers (0x...) are not read as text. */
	if (length == 0 || (text[0] >= '0' && text[0] <= '9' && !memchr(text, ':', length)) ||
	    parse_string(text, length, bytes, sizeof(bytes), &is_text) == 0)
		rules->is_iaid_unknown = true;
	bytes_reader_init(&reader, bytes, sizeof(bytes));
	rules->iaid = bytes_be32(&reader);
}

/* Take one line; *is_oursp: the following lines are for this interface. */
static void take_line(struct rules *rules, const char *line, size_t length, const char *interface,
		      bool *is_oursp)
{
	size_t name = 0, value;

	while (length > 0 && is_blank(line[length - 1]))
		length--;
	while (name < length && !is_blank(line[name]))
		name++;
	for (value = name; value < length && is_blank(line[value]);)
		value++;
	if (is_word(line, name, "interface"))
		*is_oursp = is_word(line + value, length - value, interface);
	else if (is_word(line, name, "ssid") || is_word(line, name, "profile"))
		*is_oursp = false;
	else if (!*is_oursp)
		return;
	else if (is_word(line, name, "clientid"))
		take_client_id(rules, line + value, length - value);
	else if (is_word(line, name, "duid"))
		take_duid(rules, line + value, length - value);
	else if (is_word(line, name, "iaid"))
		take_iaid(rules, line + value, length - value);
	else if (is_word(line, name, "anonymous"))
		rules->is_anonymous = true;
}

static void parse_configuration(const struct migrate_text *text, const char *interface,
				struct rules *rules)
{
	const char *at = text->bytes, *end = at + text->size;
	bool is_ours = true;

	*rules = (struct rules){ .mode = RULE_NONE };
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		while (at < next && is_blank(*at))
			at++;
		if (at < next && *at != '#' && *at != ';')
			take_line(rules, at, (size_t)((newline ? newline : end) - at), interface,
				  &is_ours);
		at = next;
	}
}

static void set_duid(const struct migrate_request *request, const struct rules *rules,
		     const struct migrate_text *file, struct migrate_identity *identity)
{
	uint32_t iaid = rules->has_iaid ? rules->iaid :
			request->vlan	? VLAN_IAID | request->vlan :
					  migrate_mac_iaid(request->mac);
	uint8_t duid[MIGRATE_ID_MAX];
	size_t length = file->size, size;

	identity->kind = MIGRATE_UNKNOWN;
	if (rules->is_iaid_unknown)
		return;
	if (rules->duid_size > 0) {
		migrate_set_duid(identity, iaid, rules->duid, rules->duid_size);
		return;
	}
	while (length > 0 && (is_blank(file->bytes[length - 1]) || file->bytes[length - 1] == '\n'))
		length--;
	size = migrate_parse_octets(file->bytes, length, 2, duid, sizeof(duid));
	migrate_set_duid(identity, iaid, duid, size);
}

static void apply_rules(const struct migrate_request *request, const struct rules *rules,
			const struct migrate_text *duid, struct migrate_identity *identity)
{
	/* RFC 7844: an anonymous client sends its MAC. */
	if (rules->has_given && !rules->is_anonymous) /* also if a `duid` follows */
		migrate_set_id(identity, rules->given, rules->given_size);
	else if (rules->mode == RULE_DUID && !rules->is_anonymous)
		set_duid(request, rules, duid, identity);
	else if (rules->mode == RULE_NONE && !rules->is_anonymous)
		identity->kind = MIGRATE_NO_ID;
	else
		migrate_set_mac(identity, request->mac);
}

void migrate_read_dhcpcd(const struct migrate_request *request, const struct migrate_files *files,
			 struct migrate_identity *identity)
{
	struct rules rules;
	struct ack ack;

	if (!parse_ack(&files->lease, &ack)) {
		identity->kind = MIGRATE_DAMAGED;
		return;
	}
	/* A copied file, or the card was replaced: the lease is another client's. */
	if (memcmp(ack.mac, request->mac, sizeof(ack.mac)) != 0)
		return;
	parse_configuration(&files->configuration, request->interface, &rules);
	if (ack.id)
		migrate_set_id(identity, ack.id, ack.id_size);
	else
		apply_rules(request, &rules, &files->duid, identity);
	migrate_set_address(identity, ack.address, ack.netmask);
}
