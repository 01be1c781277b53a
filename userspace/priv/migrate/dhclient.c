/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: dhclient's files
 *
 * The lease file has a block for each lease of each interface; the last one counts. It
 * contains the options that the server sent, so the identifier only if the server
 * echoes it (RFC 6842). Otherwise dhclient sends what dhclient.conf says; else, started
 * with -i as by Debian's ifupdown, IAID and DUID, which is in the lease file as
 * default-duid; else no identifier (4.4.3, observed). A `supersede` or `default` of the
 * option changes what is in the lease file, but not what is sent.
 */
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/migrate/token.h"

#define CLIENT_ID "dhcp-client-identifier"

struct id {
	enum { ID_NONE, ID_OCTETS, ID_HARDWARE, ID_UNKNOWN } kind;
	uint8_t bytes[MIGRATE_ID_MAX];
	size_t size;
};

struct lease {
	bool is_ours;
	struct id id;
	struct in_addr address, netmask;
};

struct configuration {
	struct id everywhere, here; /* `send` outside and inside of `interface` */
	bool is_lease_altered;
};

static void set_octets(struct id *id, const struct token *token)
{
	id->kind = ID_UNKNOWN;
	id->size = token->size;
	if (token->type == TOKEN_WORD)
		id->size = migrate_parse_octets(token->bytes, token->size, 1, id->bytes,
						sizeof(id->bytes));
	else if (token->size <= sizeof(id->bytes))
		memcpy(id->bytes, token->bytes, token->size);
	if (id->size >= MIGRATE_ID_MIN && id->size <= sizeof(id->bytes))
		id->kind = ID_OCTETS;
}

/* Read a value up to its ';': octets, a string, or "= hardware"; other expressions are
 * not evaluated. */
static void read_id(struct tokens *tokens, struct token *token, struct id *id)
{
	bool is_expression;

	token_next(tokens, token);
	is_expression = token_is_mark(token, '=');
	if (is_expression)
		token_next(tokens, token);
	if (is_expression && token_is_word(token, "hardware"))
		id->kind = ID_HARDWARE;
	else if (token->type == TOKEN_STRING || (token->type == TOKEN_WORD && !is_expression))
		set_octets(id, token);
	else
		id->kind = ID_UNKNOWN;
	if (token->type == TOKEN_WORD || token->type == TOKEN_STRING)
		token_next(tokens, token);
	if (!token_is_mark(token, ';'))
		id->kind = ID_UNKNOWN;
}

static void read_address(struct tokens *tokens, struct token *token, struct in_addr *address)
{
	token_next(tokens, token);
	if (token->type == TOKEN_WORD)
		(void)value_parse_ipv4(token->bytes, address);
}

/* Read a lease from behind its '{'. Returns false if the text ends before the lease. */
static bool read_lease(struct tokens *tokens, struct token *token, const char *interface,
		       struct lease *lease)
{
	*lease = (struct lease){ .is_ours = false };
	for (;;) {
		token_next(tokens, token);
		if (token_is_mark(token, '}'))
			return true;
		if (token_is_word(token, "interface")) {
			token_next(tokens, token);
			lease->is_ours = token_is_name(token, interface);
		} else if (token_is_word(token, "fixed-address")) {
			read_address(tokens, token, &lease->address);
		} else if (token_is_word(token, "option")) {
			token_next(tokens, token);
			if (token_is_word(token, CLIENT_ID))
				read_id(tokens, token, &lease->id);
			else if (token_is_word(token, "subnet-mask"))
				read_address(tokens, token, &lease->netmask);
		}
		if (!token_skip_statement(tokens, token))
			return false;
	}
}

/* Read `default-duid STRING`. */
static void read_duid(struct tokens *tokens, struct token *token, struct id *duid)
{
	token_next(tokens, token);
	duid->kind = ID_NONE;
	if (token->type == TOKEN_STRING)
		set_octets(duid, token);
}

/* Returns true with the last lease of the interface. */
static bool read_leases(const struct migrate_text *text, const char *interface,
			struct lease *leasep, struct id *duid)
{
	struct tokens tokens = { .text = *text };
	struct token token;
	struct lease lease;
	bool is_found = false;

	*duid = (struct id){ .kind = ID_NONE };
	for (;;) {
		token_next(&tokens, &token);
		if (token_is_mark(&token, '}')) /* one too many */
			continue;
		if (token_is_word(&token, "default-duid")) {
			read_duid(&tokens, &token, duid);
		} else if (token_is_word(&token, "lease")) {
			token_next(&tokens, &token);
			if (token_is_mark(&token, '{')) {
				if (!read_lease(&tokens, &token, interface, &lease))
					return is_found;
				is_found |= lease.is_ours;
				if (lease.is_ours)
					*leasep = lease;
				continue;
			}
		}
		if (!token_skip_statement(&tokens, &token))
			return is_found;
	}
}

static bool alters_leases(const struct token *token)
{
	return token_is_word(token, "supersede") || token_is_word(token, "default") ||
	       token_is_word(token, "prepend") || token_is_word(token, "append");
}

/* Read dhclient.conf. Blocks of other interfaces, and all others, are skipped. */
static void read_configuration(const struct migrate_text *text, const char *interface,
			       struct configuration *configuration)
{
	struct tokens tokens = { .text = *text };
	struct token token;
	bool is_inside = false;

	*configuration = (struct configuration){ .is_lease_altered = false };
	for (;;) {
		token_next(&tokens, &token);
		if (token_is_mark(&token, '}')) {
			is_inside = false;
			continue;
		}
		if (token_is_word(&token, "interface") && !is_inside) {
			token_next(&tokens, &token);
			is_inside = token_is_name(&token, interface);
			if (is_inside)
				token_next(&tokens, &token);
			if (is_inside && token_is_mark(&token, '{'))
				continue;
			is_inside = false;
		} else if (token_is_word(&token, "send")) {
			token_next(&tokens, &token);
			if (token_is_word(&token, CLIENT_ID))
				read_id(&tokens, &token,
					is_inside ? &configuration->here :
						    &configuration->everywhere);
		} else if (alters_leases(&token)) {
			token_next(&tokens, &token);
			configuration->is_lease_altered |= token_is_word(&token, CLIENT_ID);
		}
		if (!token_skip_statement(&tokens, &token))
			return;
	}
}

static void set_id(const struct migrate_request *request, const struct id *id,
		   struct migrate_identity *identity)
{
	if (id->kind == ID_OCTETS)
		migrate_set_id(identity, id->bytes, id->size);
	else if (id->kind == ID_HARDWARE)
		migrate_set_mac(identity, request->mac);
	else
		identity->kind = MIGRATE_UNKNOWN;
}

static void set_duid(const struct migrate_request *request, const struct id *duid,
		     struct migrate_identity *identity)
{
	identity->kind = MIGRATE_UNKNOWN;
	if (duid->kind == ID_OCTETS)
		migrate_set_duid(identity, migrate_mac_iaid(request->mac), duid->bytes, duid->size);
}

void migrate_read_dhclient(const struct migrate_request *request, const struct migrate_files *files,
			   struct migrate_identity *identity)
{
	struct configuration configuration;
	struct lease lease;
	struct id duid;

	if (!read_leases(&files->lease, request->interface, &lease, &duid))
		return;
	read_configuration(&files->configuration, request->interface, &configuration);
	if (lease.id.kind != ID_NONE && !configuration.is_lease_altered)
		set_id(request, &lease.id, identity);
	else if (configuration.here.kind != ID_NONE)
		set_id(request, &configuration.here, identity);
	else if (configuration.everywhere.kind != ID_NONE)
		set_id(request, &configuration.everywhere, identity);
	else if (duid.kind != ID_NONE)
		set_duid(request, &duid, identity);
	else
		identity->kind = MIGRATE_NO_ID;
	migrate_set_address(identity, lease.address, lease.netmask);
}
