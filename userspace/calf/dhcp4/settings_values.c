/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One row per key. Rows of numbers and flags contain the position of their
 * field; other keys have a function. Values may be set in any order, so none of
 * the functions uses another value; settings_values_finish() combines them.
 */
#include <errno.h>
#include <string.h>

#include "userspace/calf/dhcp4/message/options.h"
#include "userspace/calf/dhcp4/settings.h"
#include "userspace/common/address.h"

#define START_DELAY_MAX_MS 10000
#define FIRST_RETRANSMISSION_MIN_MS 1000
#define FIRST_RETRANSMISSION_MAX_MS 5000
/* Never below the first interval, whatever that is. */
#define RETRANSMISSION_MAX_MIN_MS FIRST_RETRANSMISSION_MAX_MS
#define MTU_MIN 576
#define CLIENT_ID_MIN 2 /* RFC 2132 9.14 */
#define DUID_MIN 3	/* RFC 8415 11.1: a type of two octets, and more */

/* Option 12 is sent without the domain, because some servers cannot handle a
 * qualified name. A label is never too long. */
static void set_host_name(const char *text, char name[static MESSAGE_LABEL_SIZE])
{
	size_t length = strcspn(text, ".");

	memcpy(name, text, length);
	name[length] = '\0';
}

static int take_host_name(struct settings_values *values, const char *text)
{
	if (!value_is_hostname(text))
		return -EBADMSG;
	values->sends_host_name = strcmp(text, HOST_NAME_WORD) == 0;
	set_host_name(values->sends_host_name ? "" : text, values->config.sender.host_name);
	return 0;
}

/* Option 81 is fully qualified, because some servers cannot handle a partial
 * name. */
static int take_fqdn(struct settings_values *values, const char *text)
{
	size_t length = strlen(text);

	values->sends_host_fqdn = strcmp(text, HOST_NAME_WORD) == 0;
	if (values->sends_host_fqdn) {
		values->config.sender.fqdn[0] = '\0';
		return 0;
	}
	if (!value_is_hostname(text) || !strchr(text, '.') ||
	    length >= sizeof(values->config.sender.fqdn))
		return -EBADMSG;
	memcpy(values->config.sender.fqdn, text, length + 1);
	return 0;
}

static int take_kernels_name(struct settings_values *values, const char *text)
{
	size_t length = strlen(text);

	if (!value_is_hostname(text) || length >= sizeof(values->host_name))
		return -EBADMSG;
	memcpy(values->host_name, text, length + 1);
	return 0;
}

static int take_class(const char *text, char class[static MESSAGE_CLASS_SIZE])
{
	size_t length = strlen(text);

	if (length >= MESSAGE_CLASS_SIZE)
		return -EBADMSG;
	memcpy(class, text, length + 1);
	return 0;
}

static int take_user_class(struct settings_values *values, const char *text)
{
	return take_class(text, values->config.sender.user_class);
}

static int take_vendor_class(struct settings_values *values, const char *text)
{
	return take_class(text, values->config.sender.vendor_class);
}

static int take_octets(const char *text, uint8_t *bytes, size_t min, size_t max, uint8_t *np)
{
	size_t size;

	if (value_parse_hex(text, bytes, max, &size) < 0 || size < min)
		return -EBADMSG;
	*np = (uint8_t)size;
	return 0;
}

static int take_client_id(struct settings_values *values, const char *text)
{
	static const char *const modes[] = {
		[SETTINGS_CLIENT_ID_MAC] = "mac",
		[SETTINGS_CLIENT_ID_DUID] = "duid",
		[SETTINGS_CLIENT_ID_NONE] = "none",
	};

	for (unsigned int i = 0; i < SETTINGS_CLIENT_ID_GIVEN; i++)
		if (strcmp(text, modes[i]) == 0) {
			values->client_id = (enum settings_client_id)i;
			return 0;
		}
	values->client_id = SETTINGS_CLIENT_ID_GIVEN;
	return take_octets(text, values->given, CLIENT_ID_MIN, sizeof(values->given),
			   &values->given_size);
}

static int take_duid(struct settings_values *values, const char *text)
{
	return take_octets(text, values->duid, DUID_MIN, sizeof(values->duid), &values->duid_size);
}

static int take_iaid(struct settings_values *values, const char *text)
{
	values->has_iaid = true;
	return value_parse_uint(text, 0, UINT32_MAX, &values->iaid);
}

static int take_mac(struct settings_values *values, const char *text)
{
	return value_parse_mac(text, values->mac);
}

static int take_address(struct settings_values *values, const char *text)
{
	return value_parse_ipv4_net(text, &values->address);
}

static int take_inform(struct settings_values *values, const char *text)
{
	values->inform_address = strcmp(text, "1") == 0;
	if (values->inform_address || strcmp(text, "0") == 0)
		return 0;
	if (value_parse_ipv4(text, &values->config.inform) < 0 ||
	    !address_is_host(values->config.inform))
		return -EBADMSG;
	return 0;
}

static int take_conflict(struct settings_values *values, const char *text)
{
	static const char *const modes[] = {
		[CLIENT_CONFLICT_PARALLEL] = "parallel",
		[CLIENT_CONFLICT_WAIT] = "wait",
		[CLIENT_CONFLICT_OFF] = "off",
	};

	for (unsigned int i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(text, modes[i]) == 0) {
			values->config.conflict = (enum client_conflict)i;
			return 0;
		}
	return -EBADMSG;
}

static int take_mtu_min(struct settings_values *values, const char *text)
{
	uint32_t number;
	int r = value_parse_uint(text, MTU_MIN, UINT16_MAX, &number);

	if (!r)
		values->policy.mtu_min = (uint16_t)number;
	return r;
}

/* Copy the next item of a list separated by single blanks. Returns false if
 * there is none or it is too long. */
static bool next_item(const char **textp, char *item, size_t size)
{
	size_t length = strcspn(*textp, " ");

	if (length == 0 || length >= size)
		return false;
	memcpy(item, *textp, length);
	item[length] = '\0';
	*textp += length + ((*textp)[length] == ' ');
	return true;
}

static int take_servers(const char *text, struct in_addr servers[static CLIENT_SERVERS_MAX],
			uint8_t *np)
{
	char item[VALUE_IPV4_SIZE];

	for (*np = 0; *text != '\0'; (*np)++)
		if (*np == CLIENT_SERVERS_MAX || !next_item(&text, item, sizeof(item)) ||
		    value_parse_ipv4(item, &servers[*np]) < 0)
			return -EBADMSG;
	return 0;
}

static int take_allowed(struct settings_values *values, const char *text)
{
	return take_servers(text, values->config.allowed, &values->config.n_allowed);
}

static int take_denied(struct settings_values *values, const char *text)
{
	return take_servers(text, values->config.denied, &values->config.n_denied);
}

/* Options of the protocol itself are not parameters: some servers send them
 * twice if they are requested. 108 has its own setting, because requesting it
 * allows the network to disable IPv4. */
static bool is_parameter(uint32_t code)
{
	return !(code >= OPTION_REQUESTED_ADDRESS && code <= OPTION_REBINDING_TIME) &&
	       code != OPTION_CLIENT_ID && code != OPTION_RAPID_COMMIT && code != OPTION_IPV6_ONLY;
}

static int take_parameters(struct settings_values *values, const char *text)
{
	struct message_policy *policy = &values->policy;
	char item[VALUE_UINT_SIZE];
	uint32_t code;

	policy->n_options = 0;
	while (*text != '\0') {
		if (!next_item(&text, item, sizeof(item)) ||
		    value_parse_uint(item, 1, OPTION_END - 1, &code) < 0 || !is_parameter(code))
			return -EBADMSG;
		if (memchr(policy->options, (int)code, policy->n_options))
			continue;
		if (policy->n_options == MESSAGE_OPTIONS_MAX)
			return -EBADMSG;
		policy->options[policy->n_options++] = (uint8_t)code;
	}
	return 0;
}

static int take_send(struct settings_values *values, const char *text)
{
	struct message_sender *sender = &values->config.sender;
	uint8_t bytes[MESSAGE_EXTRA_MAX];
	uint32_t code = 0;
	size_t size;

	sender->extra_size = 0;
	while (*text != '\0')
		if (value_next_numbered_hex(&text, OPTION_END - 1, &code, bytes, sizeof(bytes),
					    &size) < 0 ||
		    message_sender_add(sender, (uint8_t)code, bytes, size) < 0)
			return -EBADMSG;
	return 0;
}

static int take_withheld(struct settings_values *values, const char *text)
{
	if (strlen(text) >= sizeof(values->withheld))
		return -EBADMSG;
	memcpy(values->withheld, text, strlen(text) + 1);
	return 0;
}

struct key {
	const char *path;
	const char *wanted;
	int (*take)(struct settings_values *values, const char *text);
	/* without take(): a flag, an inverted flag, or a number */
	size_t flag_at, not_flag_at, number_at;
	uint32_t min, max;
};

#define AT(_field) offsetof(struct settings_values, _field)
#define FLAG(_name, _field)                                                               \
	{                                                                                 \
		.path = "/config/dhcp4/" _name, .wanted = "0 or 1", .flag_at = AT(_field) \
	}
#define NOT_FLAG(_name, _field)                                                               \
	{                                                                                     \
		.path = "/config/dhcp4/" _name, .wanted = "0 or 1", .not_flag_at = AT(_field) \
	}
#define NUMBER(_name, _field, _min, _max)                                               \
	{                                                                               \
		.path = "/config/dhcp4/" _name, .wanted = "a number within its bounds", \
		.number_at = AT(_field), .min = (_min), .max = (_max)                   \
	}
#define KEY(_path, _take, _wanted)                                    \
	{                                                             \
		.path = (_path), .wanted = (_wanted), .take = (_take) \
	}

static const struct key keys[] = {
	KEY("/mac", take_mac, "a MAC"),
	KEY("/address", take_address, "an address with its prefix length"),
	KEY(HOST_NAME_KEY, take_kernels_name, "a host name"),
	KEY("/config/dhcp4/hostname", take_host_name, "a host name"),
	KEY("/config/dhcp4/fqdn", take_fqdn, "a host name with its domain"),
	KEY("/config/dhcp4/client_id", take_client_id,
	    "mac, duid, none, or 2 to 255 octets in hex"),
	KEY("/config/dhcp4/duid", take_duid, "a DUID of 3 to 130 octets in hex"),
	KEY("/config/dhcp4/iaid", take_iaid, "a 32-bit number"),
	KEY("/config/dhcp4/user_class", take_user_class, "a text of up to 255 octets"),
	KEY("/config/dhcp4/vendor_class", take_vendor_class, "a text of up to 255 octets"),
	KEY("/config/dhcp4/parameters", take_parameters,
	    "up to 16 option codes (not 50 to 59, 61, 80, 108)"),
	KEY("/config/dhcp4/send", take_send,
	    "CODE:HEX of options that the calf does not set itself, which fit into a message; "
	    "only 43, 124 and 125 may have more than 255 octets"),
	KEY("/config/dhcp4/mtu_min", take_mtu_min, "an MTU of at least 576"),
	KEY("/config/dhcp4/servers_allow", take_allowed, "up to 8 addresses"),
	KEY("/config/dhcp4/servers_deny", take_denied, "up to 8 addresses"),
	KEY("/config/dhcp4/conflict", take_conflict, "parallel, wait or off"),
	KEY("/config/dhcp4/withheld", take_withheld, "paths of up to 255 bytes"),
	KEY("/config/dhcp4/inform", take_inform, "0, 1 or the address of a host"),
	FLAG("anonymous", anonymous),
	FLAG("use_hostname", policy.use_host_name),
	FLAG("ipv6_mostly", policy.ipv6_mostly),
	FLAG("link_local", config.accept_link_local),
	FLAG("broadcast", config.broadcast),
	FLAG("defend", config.defend_always),
	FLAG("release_at_stop", config.release_at_stop),
	NOT_FLAG("rapid_commit", config.no_rapid_commit),
	NOT_FLAG("classless", policy.ignore_classless),
	NOT_FLAG("microsoft_classless", policy.ignore_microsoft_classless),
	NUMBER("start_delay", config.start_delay_ms, 0, START_DELAY_MAX_MS),
	NUMBER("first_retransmission", config.first_retransmission_ms, FIRST_RETRANSMISSION_MIN_MS,
	       FIRST_RETRANSMISSION_MAX_MS),
	NUMBER("retransmission_max", config.retransmission_max_ms, RETRANSMISSION_MAX_MIN_MS,
	       CLIENT_RETRANSMISSION_MAX_MS),
	NUMBER("fallback_lease", config.fallback_lease_s, LEASE_TIME_MIN_S, CLIENT_INFINITE - 1),
};

_Static_assert(sizeof(keys) / sizeof(keys[0]) == SETTINGS_KEYS, "settings.h");

const char *settings_path(unsigned int i)
{
	return keys[i].path;
}

void settings_values_init(struct settings_values *values)
{
	*values = (struct settings_values){
		.config = {
			.start_delay_ms = CLIENT_START_DELAY_MS,
			.first_retransmission_ms = CLIENT_FIRST_RETRANSMISSION_MS,
			.retransmission_max_ms = CLIENT_RETRANSMISSION_MAX_MS,
			.fallback_lease_s = LEASE_TIME_FALLBACK_S,
		},
	};
}

static int take_plain(struct settings_values *values, const struct key *key, const char *text)
{
	bool is_flag = key->number_at == 0;
	uint32_t number;
	bool flag;
	int r = value_parse_uint(text, is_flag ? 0 : key->min, is_flag ? 1 : key->max, &number);

	if (r < 0)
		return r;
	if (!is_flag) {
		memcpy((char *)values + key->number_at, &number, sizeof(number));
		return 0;
	}
	flag = (number == 1) == (key->flag_at != 0);
	memcpy((char *)values + key->flag_at + key->not_flag_at, &flag, sizeof(flag));
	return 0;
}

int settings_values_take(struct settings_values *values, unsigned int i, const char *text,
			 const char **wantedp)
{
	const struct key *key = &keys[i];
	int r = key->take ? key->take(values, text) : take_plain(values, key, text);

	if (!r)
		return 0;
	*wantedp = key->wanted;
	return -EINVAL;
}

void settings_values_set_host_name(const struct settings_values *values, const char *name,
				   struct message_sender *sender)
{
	bool is_name = value_is_hostname(name) && strlen(name) < HOST_NAME_SIZE;

	if (values->sends_host_name)
		set_host_name(is_name ? name : "", sender->host_name);
	if (values->sends_host_fqdn && is_name && strchr(name, '.'))
		memcpy(sender->fqdn, name, strlen(name) + 1);
	else if (values->sends_host_fqdn)
		sender->fqdn[0] = '\0';
}

static void set_sender(const struct settings_values *values, uint32_t random,
		       struct message_sender *sender)
{
	const struct message_sender *names = &values->config.sender;
	struct bytes_reader mac;
	uint32_t iaid;

	message_sender_init(sender, values->mac, &values->policy);
	memcpy(sender->host_name, names->host_name, sizeof(sender->host_name));
	memcpy(sender->fqdn, names->fqdn, sizeof(sender->fqdn));
	memcpy(sender->vendor_class, names->vendor_class, sizeof(sender->vendor_class));
	memcpy(sender->user_class, names->user_class, sizeof(sender->user_class));
	memcpy(sender->extra, names->extra, sizeof(sender->extra));
	sender->extra_size = names->extra_size;
	settings_values_set_host_name(values, values->host_name, sender);
	switch (values->client_id) {
	case SETTINGS_CLIENT_ID_MAC:
		break;
	case SETTINGS_CLIENT_ID_DUID:
		bytes_reader_init(&mac, values->mac, sizeof(values->mac));
		bytes_skip(&mac, sizeof(values->mac) - sizeof(iaid));
		iaid = values->has_iaid ? values->iaid : bytes_be32(&mac);
		message_sender_set_duid(sender, iaid, values->duid_size > 0 ? values->duid : NULL,
					values->duid_size);
		break;
	case SETTINGS_CLIENT_ID_NONE:
		sender->client_id_size = 0;
		break;
	case SETTINGS_CLIENT_ID_GIVEN:
		sender->client_id_size = values->given_size;
		memcpy(sender->client_id, values->given, values->given_size);
		break;
	}
	if (values->anonymous)
		message_sender_set_anonymous(sender, &values->policy, random);
}

/* Check that the longest possible message fits, also with the longest name that the
 * kernel can have. */
static bool is_short_enough(const struct settings_values *values, struct message_sender sender)
{
	/* 64 octets: a label of 61, and one of 2 to have a domain */
	static const char longest[] =
		"0123456789012345678901234567890123456789012345678901234567890.xy";
	const struct in_addr any = { htonl(1) };
	const struct message_request request = {
		.type = MESSAGE_REQUEST, .has_server = true, .server = any, .requested = any
	};
	uint8_t bytes[MESSAGE_SIZE_MAX];

	_Static_assert(sizeof(longest) == HOST_NAME_SIZE, "the longest name");
	settings_values_set_host_name(values, longest, &sender);
	if (values->sends_host_name)
		memset(sender.host_name, 'x', sizeof(sender.host_name) - 1);
	return message_build(&sender, &request, bytes, sizeof(bytes)) > 0;
}

int settings_values_finish(const struct settings_values *values, uint32_t random,
			   struct client_config *config, const char **wrongp)
{
	*config = values->config;
	set_sender(values, random, &config->sender);
	if (!is_short_enough(values, config->sender)) {
		*wrongp = "client_id, names, classes, parameters and send together do not fit into "
			  "a message of 576 octets";
		return -EINVAL;
	}
	if (values->inform_address) {
		if (values->address.address.s_addr == INADDR_ANY) {
			*wrongp = "inform is 1, but the uplink has no address (/address)";
			return -EINVAL;
		}
		config->inform = values->address.address;
	}
	if (values->anonymous)
		config->no_reboot = true;
	else if (!address_is_subnet(values->address.address, values->address.prefix_length))
		config->requested = values->address.address;
	return 0;
}
