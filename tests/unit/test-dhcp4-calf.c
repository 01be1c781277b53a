/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shipped calf.yaml and the code that relies on it: keys, types, options,
 * metrics. Run from the top directory.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/dhcp4-support.h"
#include "tests/unit/scratch.h"
#include "userspace/calf/dhcp4/lease_keys.h"
#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/calf/dhcp4/settings.h"
#include "userspace/priv/description/description.h"

#define SHIPPED "userspace/calf/dhcp4/calf.yaml"

static struct description description;

/* The description beside an executable, as it is installed. */
static void setup(void)
{
	char *shipped = realpath(SHIPPED, NULL);

	scratch_make();
	scratch_write("calf-dhcp4", "", 0, 0755);
	cr_assert_not_null(shipped);
	cr_assert_eq(symlink(shipped, scratch_path("calf.yaml")), 0);
	free(shipped);
	cr_assert_eq(description_load(scratch, &description), 0);
	scratch_remove();
}

TestSuite(description, .init = setup);

Test(description, frames)
{
	cr_assert_eq(description.n_frames, 2);
	cr_assert_eq(description.frames[0].check, FRAME_CHECK_DHCP4);
	cr_assert_eq(description.frames[0].local_port, 68);
	cr_assert_eq(description.frames[0].remote_port, 67);
	cr_assert_eq(description.frames[0].max_frame, CALF_FRAME_MAX);
	cr_assert_eq(description.frames[1].check, FRAME_CHECK_ARP);
}

Test(description, every_key_may_be_written_and_deleted)
{
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++) {
		const struct key_rule *key;
		char path[KV_PATH_SIZE];

		if (!lease_path(&LEASE_KEYS_NULL(keys), (enum lease_slot)slot, path))
			continue;
		key = description_find_key(&description, path);
		cr_assert_not_null(key, "%s", path);
		cr_assert(key->access & KV_ACCESS_WRITE, "%s", path);
		cr_assert(key->access & KV_ACCESS_DELETE, "%s", path);
	}
}

Test(description, keys_that_are_read)
{
	for (unsigned int i = 0; i < SETTINGS_KEYS; i++) {
		const char *path = settings_path(i);
		const struct key_rule *key = description_find_key(&description, path);

		cr_assert_not_null(key, "%s", path);
		cr_assert(key->access & KV_ACCESS_READ, "%s", path);
	}
}

static bool is_option(const char *path, const char *name)
{
	char option[KV_PATH_SIZE];

	description_option_path(&description, name, option);
	return strcmp(path, option) == 0;
}

/* Every option is read, and its default is what the calf does without it. */
Test(description, defaults_are_those_of_the_calf)
{
	struct settings_values defaults, taken;

	settings_values_init(&defaults);
	defaults.policy.mtu_min = 576; /* 0 means the same */
	settings_values_init(&taken);
	for (uint32_t i = 0; i < description.n_options; i++) {
		const struct description_option *option = &description.options[i];
		const char *wanted;
		unsigned int key = 0;

		while (key < SETTINGS_KEYS && !is_option(settings_path(key), option->name))
			key++;
		cr_assert(key < SETTINGS_KEYS, "option %s is not read", option->name);
		if (option->has_default)
			cr_assert_eq(settings_values_take(&taken, key, option->value, &wanted), 0,
				     "%s", option->name);
	}
	cr_assert_eq(memcmp(&defaults, &taken, sizeof(taken)), 0);
}

/* What may be sent by its code is the same at load and in the calf. */
Test(description, U49_codes_that_may_be_sent)
{
	const struct description_option *send = NULL;

	for (uint32_t i = 0; i < description.n_options; i++)
		if (strcmp(description.options[i].name, "send") == 0)
			send = &description.options[i];
	cr_assert_not_null(send);
	for (unsigned int code = 0; code < 256; code++) {
		bool is_reserved = code < send->rule.min || code > send->rule.max;
		struct message_sender sender = { .extra_size = 0 };

		for (uint32_t i = 0; i < send->n_reserved; i++)
			is_reserved |= code >= send->reserved[i].min &&
				       code <= send->reserved[i].max;
		cr_assert_eq(message_sender_add(&sender, (uint8_t)code, (const uint8_t *)"", 1),
			     is_reserved ? -EPERM : 0, "%u", code);
	}
}

/* True if the manual page has this item; keys may share a line. */
static bool is_in_manual(const char *manual, const char *kind, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = manual; (at = strstr(at, name)) != NULL; at += length) {
		const char *line = at;

		if (at[length] != ' ' && at[length] != '\n')
			continue;
		while (line > manual && line[-1] != '\n')
			line--;
		if (strncmp(line, kind, strlen(kind)) == 0)
			return true;
	}
	return false;
}

/* Options with their defaults, and keys: what is there is in the manual. */
Test(description, manual_page)
{
	static char manual[32768];
	FILE *file = fopen("docs/man/calfpen.yaml.5", "re");
	size_t size;

	cr_assert_not_null(file);
	size = fread(manual, 1, sizeof(manual) - 1, file);
	fclose(file);
	cr_assert(size > 0 && size < sizeof(manual) - 1);
	for (uint32_t i = 0; i < description.n_options; i++) {
		const struct description_option *option = &description.options[i];
		char item[64], value[KV_VALUE_SIZE + 16];
		const char *at, *end;

		snprintf(item, sizeof(item), ".It Cm %s ", option->name);
		at = strstr(manual, item);
		cr_assert_not_null(at, "%s", option->name);
		end = strstr(at + 1, ".It ");
		if (!option->has_default)
			continue;
		at = strstr(at, "Default");
		cr_assert(at && (!end || at < end), "default of %s", option->name);
		snprintf(value, sizeof(value), "Default %s", option->value);
		if (strncmp(at, value, strlen(value)) != 0)
			snprintf(value, sizeof(value), "Default\n.Cm %s .", option->value);
		cr_assert_eq(strncmp(at, value, strlen(value)), 0, "default of %s", option->name);
	}
	for (uint32_t i = 0; i < description.n_keys; i++) {
		char path[KV_PATH_SIZE + 8];

		if (strncmp(description.keys[i].path, "/config/", 8) == 0)
			continue;
		snprintf(path, sizeof(path), "%s%s", description.keys[i].path,
			 strcmp(description.keys[i].path, "/option/") == 0 ? "043" :
			 description.keys[i].count > 1			   ? "001" :
									     "");
		cr_assert(is_in_manual(manual, ".It Pa ", path), "%s", path);
	}
}

/* ST-1 on our side: what a server makes us write is of its key's type, or the
 * gateway would refuse the whole commit. */
static void check_types(const struct message *message)
{
	static const struct client_config config;
	static const uint32_t random[2];
	struct client_lease lease;
	struct lease_keys keys;

	client_lease_init(&lease, &config, message, NULL, 0, random);
	lease_project(&lease, CLIENT_BOUND, &support_policy, 5, 1700000000, &keys);
	for (int slot = 0; slot < _LEASE_SLOT_N; slot++) {
		const char *text = keys.text + keys.at[slot];
		char path[KV_PATH_SIZE];

		if (keys.at[slot] == 0)
			continue;
		cr_assert(lease_path(&keys, (enum lease_slot)slot, path));
		cr_assert_eq(value_check(&description_find_key(&description, path)->rule, text,
					 strlen(text)),
			     0, "%s: %s", path, text);
	}
}

static uint64_t random_state = 11;

static uint8_t random_octet(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint8_t)(random_state >> 33);
}

/* Names and URIs of letters that are good and bad, now and then. */
static size_t random_text(const char *start, uint8_t *bytes)
{
	static const char letters[] = "abcdefgh01.-_ ;$\n\0/'\xc0\xff";
	size_t length = strlen(start), size = length + random_octet() % 24;
	uint8_t n_letters = random_octet() % 4 ? 10 : sizeof(letters) - 1;

	memcpy(bytes, start, length);
	for (size_t i = length; i < size; i++)
		bytes[i] = (uint8_t)letters[random_octet() % n_letters];
	return size;
}

static size_t random_octets(uint8_t *bytes, size_t element)
{
	size_t size = random_octet() % 60;

	if (element > 0 && random_octet() % 4)
		size -= size % element;
	for (size_t i = 0; i < size; i++)
		bytes[i] = random_octet();
	return size;
}

/* Labels of three letters; 162: an instance of such a name, one address and
 * one parameter; 121: routes of a width that is possible. */
static size_t random_option(uint8_t code, uint8_t *bytes)
{
	size_t size;

	switch (code) {
	case OPTION_HOST_NAME:
	case OPTION_DOMAIN_NAME:
		return random_text("", bytes);
	case OPTION_CAPTIVE_PORTAL:
		return random_text(random_octet() % 4 ? "https://" : "", bytes);
	case OPTION_FQDN:
		return random_text("\4xx\3", bytes);
	case OPTION_SEARCH:
		size = random_text("", bytes);
		for (size_t i = 0; i < size; i += 4)
			bytes[i] = random_octet() % 3 ? 3 : 0;
		return size;
	case OPTION_ENCRYPTED_DNS:
		memcpy(bytes, "\0\0\0\1\3\1d\0\4\xc0\0\2\x35\0\1\0\4\3dot\0\7\0\0", 25);
		size = random_text("/{?dns}", bytes + 25);
		bytes[1] = (uint8_t)(23 + size);
		bytes[24] = (uint8_t)size;
		return 25 + size;
	case OPTION_CLASSLESS_ROUTE:
	case OPTION_CLASSLESS_ROUTE_MICROSOFT:
		size = random_octets(bytes, 9);
		for (size_t i = 0; i < size; i += 9)
			bytes[i] = (uint8_t)(25 + bytes[i] % 9);
		return size;
	default:
		return random_octets(bytes, 4);
	}
}

/* Everything is switched on. Each kind of value must come often enough for
 * the check to mean something. */
Test(description, ST_1_C4_04_C4_08_values_of_random_messages)
{
	static const uint8_t codes[] = { 1,  3,	 6,  12, 15,  26,  33,	42,  43,  51,
					 54, 58, 59, 81, 108, 114, 119, 121, 162, 249 };
	static struct reply reply;
	static struct message message;
	const struct message_parameters *parameters = &message.parameters;
	enum {
		ROUTES,
		NAME_SERVERS,
		TIME_SERVERS,
		DOMAINS,
		SEARCHES,
		HOSTS,
		PORTALS,
		RESOLVERS,
		IPV6_ONLY,
		OPTIONS,
		_N
	};
	uint32_t n[_N] = { 0 };

	support_policy = (struct message_policy){
		.ipv6_mostly = true, .use_host_name = true, .n_options = 1, .options = { 43 }
	};
	for (int round = 0; round < 30000; round++) {
		reply_begin(&reply, MESSAGE_ACK, 1, "192.0.2.10");
		for (size_t i = 0; i < sizeof(codes); i++) {
			uint8_t bytes[128] = { 0 };

			if (random_octet() % 4)
				reply_option(&reply, codes[i], bytes,
					     random_option(codes[i], bytes));
		}
		reply_end(&reply);
		cr_assert_eq(reply_parse(&reply, &message), REASON_NONE);
		check_types(&message);
		n[ROUTES] += parameters->n_routes;
		n[NAME_SERVERS] += parameters->n_name_servers;
		n[TIME_SERVERS] += parameters->n_time_servers;
		n[DOMAINS] += parameters->domain[0] != '\0';
		n[SEARCHES] += parameters->search[0] != '\0';
		n[HOSTS] += parameters->host_name[0] != '\0';
		n[PORTALS] += parameters->captive_portal[0] != '\0';
		n[RESOLVERS] += parameters->n_resolvers;
		n[IPV6_ONLY] += parameters->has_ipv6_only;
		n[OPTIONS] += parameters->n_options;
	}
	for (int i = 0; i < _N; i++)
		cr_assert(n[i] > 300, "the messages say too little of kind %d: %u", i, n[i]);
}

Test(description, metrics)
{
	static const char *const names[_METRIC_N] = {
		[METRIC_STATE] = "state",
		[METRIC_DISCOVER_SENT] = "discover_sent_total",
		[METRIC_REQUEST_SENT] = "request_sent_total",
		[METRIC_DECLINE_SENT] = "decline_sent_total",
		[METRIC_RELEASE_SENT] = "release_sent_total",
		[METRIC_INFORM_SENT] = "inform_sent_total",
		[METRIC_ARP_PROBE_SENT] = "arp_probe_sent_total",
		[METRIC_ARP_ANNOUNCEMENT_SENT] = "arp_announcement_sent_total",
		[METRIC_SEND_FAILED] = "send_failed_total",
		[METRIC_OFFER_RECEIVED] = "offer_received_total",
		[METRIC_ACK_RECEIVED] = "ack_received_total",
		[METRIC_NAK_RECEIVED] = "nak_received_total",
		[METRIC_ARP_RECEIVED] = "arp_received_total",
		[METRIC_CONFLICT] = "conflict_total",
		[METRIC_LEASE_GRANTED] = "lease_granted_total",
		[METRIC_LEASE_LOST] = "lease_lost_total",
		[METRIC_LEFT_OUT] = "left_out_total",
		[METRIC_COMMIT] = "commit_total",
		[METRIC_COMMIT_FAILED] = "commit_failed_total",
#define DISCARDED(_reason, _name) [METRIC_DISCARDED + (_reason)-1] = "discarded_" _name "_total"
		DISCARDED(REASON_FRAME_TRUNCATED, "frame_truncated"),
		DISCARDED(REASON_FRAME_TYPE, "frame_type"),
		DISCARDED(REASON_IP_HEADER, "ip_header"),
		DISCARDED(REASON_IP_CHECKSUM, "ip_checksum"),
		DISCARDED(REASON_FRAGMENT, "fragment"),
		DISCARDED(REASON_UDP_LENGTH, "udp_length"),
		DISCARDED(REASON_UDP_CHECKSUM, "udp_checksum"),
		DISCARDED(REASON_ARP_HEADER, "arp_header"),
		DISCARDED(REASON_PORT, "port"),
		DISCARDED(REASON_TRUNCATED, "truncated"),
		DISCARDED(REASON_NOT_REPLY, "not_reply"),
		DISCARDED(REASON_HARDWARE, "hardware"),
		DISCARDED(REASON_COOKIE, "cookie"),
		DISCARDED(REASON_NO_TYPE, "no_type"),
		DISCARDED(REASON_TYPE, "type"),
		DISCARDED(REASON_XID, "xid"),
		DISCARDED(REASON_CHADDR, "chaddr"),
		DISCARDED(REASON_CLIENT_ID, "client_id"),
		DISCARDED(REASON_FORCERENEW, "forcerenew"),
		DISCARDED(REASON_STATE, "state"),
		DISCARDED(REASON_SERVER, "server"),
		DISCARDED(REASON_DENIED, "denied"),
		DISCARDED(REASON_ADDRESS, "address"),
		DISCARDED(REASON_SUBNET, "subnet"),
		DISCARDED(REASON_LINK_LOCAL, "link_local"),
		DISCARDED(REASON_CONFLICT, "conflict"),
		DISCARDED(REASON_LATE, "late"),
		DISCARDED(REASON_ARP, "arp"),
		DISCARDED(REASON_ARP_HOST, "arp_host"),
		DISCARDED(REASON_ARP_PROXY, "arp_proxy"),
#define IGNORED(_flaw, _name) [METRIC_IGNORED + (_flaw)] = "ignored_" _name "_total"
		IGNORED(FLAW_MASK, "mask"),
		IGNORED(FLAW_ROUTER, "router"),
		IGNORED(FLAW_NAME_SERVER, "name_server"),
		IGNORED(FLAW_HOST_NAME, "host_name"),
		IGNORED(FLAW_DOMAIN, "domain"),
		IGNORED(FLAW_MTU, "mtu"),
		IGNORED(FLAW_ROUTE, "route"),
		IGNORED(FLAW_TIME_SERVER, "time_server"),
		IGNORED(FLAW_PORTAL, "portal"),
		IGNORED(FLAW_SEARCH, "search"),
		IGNORED(FLAW_RESOLVER, "resolver"),
		IGNORED(FLAW_ALIAS, "alias"),
	};

	cr_assert_eq(description.n_metrics, _METRIC_N);
	for (size_t i = 0; i < _METRIC_N; i++) {
		char name[96];

		cr_assert_not_null(names[i], "metric %zu has no name here", i);
		snprintf(name, sizeof(name), "calf_dhcp4_%s", names[i]);
		cr_assert_str_eq(description.metrics[i].name, name);
		cr_assert_eq(description.metrics[i].is_gauge, i == METRIC_STATE);
	}
}

/* Each reason's words are those of its counter. */
Test(description, reasons)
{
	for (int reason = 1; reason < _REASON_N; reason++) {
		char help[160];

		snprintf(help, sizeof(help), "Discarded: %s", reason_text((enum reason)reason));
		cr_assert_str_eq(description.metrics[METRIC_DISCARDED + reason - 1].help, help);
	}
	cr_assert_str_eq(reason_text(_REASON_N), reason_text(REASON_NONE));
	for (int flaw = 0; flaw < _FLAW_N; flaw++) {
		char help[160];

		snprintf(help, sizeof(help), "Values of leases ignored: %s (option",
			 flaw_text((enum flaw)flaw));
		cr_assert_eq(strncmp(description.metrics[METRIC_IGNORED + flaw].help, help,
				     strlen(help)),
			     0, "%s", help);
	}
}
