/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

#define HTYPE_ETHERNET 1
#define CLIENT_ID_DUID 255 /* RFC 4361 6.1 */
#define DUID_LL 3	   /* RFC 8415 11.4 */

_Static_assert(1 + sizeof(uint32_t) + MESSAGE_DUID_MAX <= MESSAGE_CLIENT_ID_MAX, "RFC 4361");

/*
 * The requested parameters, the same in every message (RFC 2131 3.5): 121
 * before 3 and 33 (RFC 3442); never 51, 54, 58, 59, which some servers then
 * send twice.
 */
static const uint8_t parameters[] = {
	OPTION_CLASSLESS_ROUTE,
	OPTION_CLASSLESS_ROUTE_MICROSOFT,
	OPTION_SUBNET_MASK,
	OPTION_ROUTER,
	OPTION_STATIC_ROUTE,
	OPTION_NAME_SERVER,
	OPTION_DOMAIN_NAME,
	OPTION_SEARCH,
	OPTION_MTU,
	OPTION_TIME_SERVER,
	OPTION_CAPTIVE_PORTAL,
	OPTION_ENCRYPTED_DNS,
};

/* RFC 7844 3.6: what is needed for addresses, routes and names. */
static const uint8_t parameters_anonymous[] = {
	OPTION_CLASSLESS_ROUTE, OPTION_SUBNET_MASK, OPTION_ROUTER,
	OPTION_NAME_SERVER,	OPTION_DOMAIN_NAME,
};

_Static_assert(sizeof(parameters) + 2 + MESSAGE_OPTIONS_MAX <= MESSAGE_PARAMETERS_MAX,
	       "12 and 108 are not in the list");

static bool has_parameter(const struct message_sender *sender, uint8_t code)
{
	return memchr(sender->parameters, code, sender->n_parameters);
}

static void add_parameter(struct message_sender *sender, uint8_t code)
{
	if (!has_parameter(sender, code))
		sender->parameters[sender->n_parameters++] = code;
}

static bool is_ignored(const struct message_policy *policy, uint8_t code)
{
	return (policy->ignore_classless && code == OPTION_CLASSLESS_ROUTE) ||
	       ((policy->ignore_classless || policy->ignore_microsoft_classless) &&
		code == OPTION_CLASSLESS_ROUTE_MICROSOFT);
}

static void set_mac_client_id(struct message_sender *sender)
{
	sender->client_id_size = 1 + sizeof(sender->mac);
	sender->client_id[0] = HTYPE_ETHERNET;
	memcpy(sender->client_id + 1, sender->mac, sizeof(sender->mac));
}

void message_sender_init(struct message_sender *sender, const uint8_t mac[6],
			 const struct message_policy *policy)
{
	*sender = (struct message_sender){ 0 };
	memcpy(sender->mac, mac, sizeof(sender->mac));
	set_mac_client_id(sender);
	for (size_t i = 0; i < sizeof(parameters); i++)
		if (!is_ignored(policy, parameters[i]))
			add_parameter(sender, parameters[i]);
	if (policy->use_host_name)
		add_parameter(sender, OPTION_HOST_NAME);
	if (policy->ipv6_mostly)
		add_parameter(sender, OPTION_IPV6_ONLY);
	for (uint8_t i = 0; i < policy->n_options; i++)
		add_parameter(sender, policy->options[i]);
}

void message_sender_set_duid(struct message_sender *sender, uint32_t iaid, const uint8_t *duid,
			     size_t size)
{
	struct bytes_writer writer;

	bytes_writer_init(&writer, sender->client_id, sizeof(sender->client_id));
	bytes_put_u8(&writer, CLIENT_ID_DUID);
	bytes_put_be32(&writer, iaid);
	if (duid) {
		bytes_put(&writer, duid, size);
	} else {
		bytes_put_be16(&writer, DUID_LL);
		bytes_put_be16(&writer, HTYPE_ETHERNET);
		bytes_put(&writer, sender->mac, sizeof(sender->mac));
	}
	sender->client_id_size = (uint8_t)writer.at;
}

/* RFC 7844 3.6 wants an order that reveals nothing; RFC 3442 wants 121 before
 * 3. Fisher and Yates' shuffle, with the digits of `random`. */
static void shuffle(struct message_sender *sender, uint32_t random)
{
	uint8_t *list = sender->parameters, *classless, *router;

	for (uint32_t i = sender->n_parameters; i > 1; i--) {
		uint8_t *other = &list[random % i], code = *other;

		random /= i;
		*other = list[i - 1];
		list[i - 1] = code;
	}
	classless = memchr(list, OPTION_CLASSLESS_ROUTE, sender->n_parameters);
	router = memchr(list, OPTION_ROUTER, sender->n_parameters);
	if (classless && classless > router) {
		*classless = OPTION_ROUTER;
		*router = OPTION_CLASSLESS_ROUTE;
	}
}

void message_sender_set_anonymous(struct message_sender *sender,
				  const struct message_policy *policy, uint32_t random)
{
	sender->anonymous = true;
	set_mac_client_id(sender);
	sender->n_parameters = 0;
	for (size_t i = 0; i < sizeof(parameters_anonymous); i++)
		if (!is_ignored(policy, parameters_anonymous[i]))
			add_parameter(sender, parameters_anonymous[i]);
	if (policy->ipv6_mostly)
		add_parameter(sender, OPTION_IPV6_ONLY);
	shuffle(sender, random);
}
