/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

#define OP_BOOTREQUEST 1
#define HTYPE_ETHERNET 1
#define HLEN_ETHERNET 6
#define FLAG_BROADCAST 0x8000
#define COOKIE 0x63825363
#define CHADDR_SIZE 16
#define SNAME_AND_FILE_SIZE (64 + 128)

/* RFC 4702 2.1: the server shall update the A record; the name is in wire form. */
#define FQDN_FLAG_S 0x01
#define FQDN_FLAG_E 0x04

/* Fields and options by message type (RFC 2131, table 5). */
struct contents {
	bool time;	/* secs and flags */
	bool ciaddr;	/* the address in use */
	bool requested; /* 50 */
	bool server;	/* 54 */
	bool wishes;	/* 55, 57, names and classes of the client, the operator's options */
	bool text;	/* 56 */
};

static const struct contents contents[] = {
	[MESSAGE_DISCOVER] = { .time = true, .requested = true, .wishes = true },
	[MESSAGE_REQUEST] = { .time = true,
			      .ciaddr = true,
			      .requested = true,
			      .server = true,
			      .wishes = true },
	[MESSAGE_DECLINE] = { .requested = true, .server = true, .text = true },
	[MESSAGE_RELEASE] = { .ciaddr = true, .server = true, .text = true },
	[MESSAGE_INFORM] = { .time = true, .ciaddr = true, .wishes = true },
};

static void put_option(struct bytes_writer *writer, uint8_t code, const void *bytes, size_t size)
{
	bytes_put_u8(writer, code);
	bytes_put_u8(writer, (uint8_t)size);
	bytes_put(writer, bytes, size);
}

static void put_text(struct bytes_writer *writer, uint8_t code, const char *text)
{
	if (text[0] != '\0')
		put_option(writer, code, text, strlen(text));
}

static void put_address(struct bytes_writer *writer, uint8_t code, struct in_addr address)
{
	put_option(writer, code, &address, sizeof(address));
}

/* RFC 3004 4: classes, each after its length; we have one. */
static void put_user_class(struct bytes_writer *writer, const char *text)
{
	uint8_t bytes[1 + MESSAGE_CLASS_SIZE];
	size_t size = strlen(text);
	struct bytes_writer value;

	if (size == 0)
		return;
	bytes_writer_init(&value, bytes, sizeof(bytes));
	bytes_put_u8(&value, (uint8_t)size);
	bytes_put(&value, text, size);
	options_put(writer, OPTION_USER_CLASS, bytes, value.at);
}

/* RFC 4702 2: flags, two result codes of servers (0), the name as RFC 1035 3.1
 * writes it, its root included: it is fully qualified. */
static void put_fqdn(struct bytes_writer *writer, const char *name)
{
	uint8_t bytes[3 + 1 + MESSAGE_NAME_SIZE];
	struct bytes_writer value;

	bytes_writer_init(&value, bytes, sizeof(bytes));
	bytes_put_u8(&value, FQDN_FLAG_S | FQDN_FLAG_E);
	bytes_put_zeros(&value, 2);
	while (*name != '\0') {
		size_t length = strcspn(name, ".");

		bytes_put_u8(&value, (uint8_t)length);
		bytes_put(&value, name, length);
		name += length + (name[length] == '.');
	}
	bytes_put_u8(&value, 0);
	options_put(writer, OPTION_FQDN, bytes, value.at);
}

static void put_fixed(struct bytes_writer *writer, const struct message_sender *sender,
		      const struct message_request *request, const struct contents *what)
{
	bytes_put_u8(writer, OP_BOOTREQUEST);
	bytes_put_u8(writer, HTYPE_ETHERNET);
	bytes_put_u8(writer, HLEN_ETHERNET);
	bytes_put_u8(writer, 0); /* hops */
	bytes_put_be32(writer, request->xid);
	bytes_put_be16(writer, what->time ? request->secs : 0);
	bytes_put_be16(writer, what->time && request->broadcast ? FLAG_BROADCAST : 0);
	if (what->ciaddr)
		bytes_put(writer, &request->ciaddr, sizeof(request->ciaddr));
	else
		bytes_put_zeros(writer, sizeof(request->ciaddr));
	bytes_put_zeros(writer, 3 * sizeof(struct in_addr)); /* yiaddr, siaddr, giaddr */
	bytes_put(writer, sender->mac, HLEN_ETHERNET);
	bytes_put_zeros(writer, CHADDR_SIZE - HLEN_ETHERNET + SNAME_AND_FILE_SIZE);
	bytes_put_be32(writer, COOKIE);
}

static void put_wishes(struct bytes_writer *writer, const struct message_sender *sender)
{
	bytes_put_u8(writer, OPTION_MESSAGE_SIZE);
	bytes_put_u8(writer, sizeof(uint16_t));
	bytes_put_be16(writer, MESSAGE_SIZE_ANNOUNCED);
	put_option(writer, OPTION_PARAMETER_LIST, sender->parameters, sender->n_parameters);
	if (sender->anonymous)
		return;
	if (sender->fqdn[0] != '\0')
		put_fqdn(writer, sender->fqdn);
	else
		put_text(writer, OPTION_HOST_NAME, sender->host_name);
	put_text(writer, OPTION_VENDOR_CLASS, sender->vendor_class);
	put_user_class(writer, sender->user_class);
	bytes_put(writer, sender->extra, sender->extra_size);
}

/* If it does not fit, send the message without an explanation. */
static void put_explanation(struct bytes_writer *writer, const char *text)
{
	if (2 + strlen(text) + 1 <= writer->size - writer->at)
		put_text(writer, OPTION_MESSAGE, text);
}

size_t message_build(const struct message_sender *sender, const struct message_request *request,
		     uint8_t *buffer, size_t size)
{
	const struct contents *what = &contents[request->type];
	uint8_t type = (uint8_t)request->type;
	struct bytes_writer writer;

	bytes_writer_init(&writer, buffer, size < MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX);
	put_fixed(&writer, sender, request, what);
	put_option(&writer, OPTION_MESSAGE_TYPE, &type, sizeof(type));
	if (sender->client_id_size > 0)
		put_option(&writer, OPTION_CLIENT_ID, sender->client_id, sender->client_id_size);
	if (what->server && request->has_server)
		put_address(&writer, OPTION_SERVER_ID, request->server);
	if (what->requested && request->requested.s_addr != INADDR_ANY)
		put_address(&writer, OPTION_REQUESTED_ADDRESS, request->requested);
	if (request->type == MESSAGE_DISCOVER && request->rapid_commit)
		put_option(&writer, OPTION_RAPID_COMMIT, NULL, 0);
	if (what->wishes)
		put_wishes(&writer, sender);
	if (what->text)
		put_explanation(&writer, request->text);
	bytes_put_u8(&writer, OPTION_END);
	if (writer.at < MESSAGE_SIZE_MIN)
		bytes_put_zeros(&writer, MESSAGE_SIZE_MIN - writer.at);
	return writer.failed ? 0 : writer.at;
}
