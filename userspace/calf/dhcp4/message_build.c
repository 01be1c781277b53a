/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message.h"

#include <string.h>

#include "userspace/calf/dhcp4/options.h"

#define OP_BOOTREQUEST 1
#define HTYPE_ETHERNET 1
#define HLEN_ETHERNET 6
#define FLAG_BROADCAST 0x8000
#define COOKIE 0x63825363
#define CHADDR_SIZE 16
#define SNAME_AND_FILE_SIZE (64 + 128)

/*
 * What we ask for, the same in every message (RFC 2131 3.5): 121 ahead of 3
 * and 33 (RFC 3442); never 51, 54, 58, 59, which some servers then send twice.
 */
static const uint8_t parameter_list[] = {
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

void message_client_id(const uint8_t mac[6], uint8_t id[static MESSAGE_CLIENT_ID_SIZE])
{
	id[0] = HTYPE_ETHERNET;
	memcpy(id + 1, mac, HLEN_ETHERNET);
}

static void put_option(struct bytes_writer *writer, uint8_t code, const void *bytes, size_t size)
{
	bytes_put_u8(writer, code);
	bytes_put_u8(writer, (uint8_t)size);
	bytes_put(writer, bytes, size);
}

static void put_address(struct bytes_writer *writer, uint8_t code, struct in_addr address)
{
	put_option(writer, code, &address, sizeof(address));
}

static void put_fixed(struct bytes_writer *writer, const struct message_request *request)
{
	bytes_put_u8(writer, OP_BOOTREQUEST);
	bytes_put_u8(writer, HTYPE_ETHERNET);
	bytes_put_u8(writer, HLEN_ETHERNET);
	bytes_put_u8(writer, 0); /* hops */
	bytes_put_be32(writer, request->xid);
	bytes_put_be16(writer, request->secs);
	bytes_put_be16(writer, request->broadcast ? FLAG_BROADCAST : 0);
	bytes_put(writer, &request->ciaddr, sizeof(request->ciaddr));
	bytes_put_zeros(writer, 3 * sizeof(struct in_addr)); /* yiaddr, siaddr, giaddr */
	bytes_put(writer, request->mac, HLEN_ETHERNET);
	bytes_put_zeros(writer, CHADDR_SIZE - HLEN_ETHERNET + SNAME_AND_FILE_SIZE);
	bytes_put_be32(writer, COOKIE);
}

size_t message_build(const struct message_request *request, uint8_t *buffer, size_t size)
{
	uint8_t client_id[MESSAGE_CLIENT_ID_SIZE];
	uint8_t type = (uint8_t)request->type;
	struct bytes_writer writer;

	bytes_writer_init(&writer, buffer, size < MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX);
	put_fixed(&writer, request);
	put_option(&writer, OPTION_MESSAGE_TYPE, &type, sizeof(type));
	message_client_id(request->mac, client_id);
	put_option(&writer, OPTION_CLIENT_ID, client_id, sizeof(client_id));
	if (request->has_server)
		put_address(&writer, OPTION_SERVER_ID, request->server);
	if (request->requested.s_addr != INADDR_ANY)
		put_address(&writer, OPTION_REQUESTED_ADDRESS, request->requested);
	bytes_put_u8(&writer, OPTION_MESSAGE_SIZE);
	bytes_put_u8(&writer, sizeof(uint16_t));
	bytes_put_be16(&writer, MESSAGE_SIZE_ANNOUNCED);
	put_option(&writer, OPTION_PARAMETER_LIST, parameter_list, sizeof(parameter_list));
	if (request->host_name[0] != '\0')
		put_option(&writer, OPTION_HOST_NAME, request->host_name,
			   strlen(request->host_name));
	bytes_put_u8(&writer, OPTION_END);
	if (writer.at < MESSAGE_SIZE_MIN)
		bytes_put_zeros(&writer, MESSAGE_SIZE_MIN - writer.at);
	return writer.failed ? 0 : writer.at;
}
