/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A message is parsed field by field, then option by option; each option
 * is joined first (options.c) and then parsed by its own rule. Nothing here
 * knows the request; client/receive.c compares.
 */
#include "userspace/calf/dhcp4/message/message.h"

#include <string.h>

#include "userspace/calf/dhcp4/message/options.h"
#include "userspace/calf/dhcp4/message/parameters.h"
#include "userspace/common/sanitise.h"

#define OP_BOOTREPLY 2
#define HTYPE_ETHERNET 1
#define HLEN_ETHERNET 6
#define CHADDR_SIZE 16
#define SNAME_SIZE 64
#define FILE_SIZE 128
#define COOKIE 0x63825363

static void get_identity(const struct options *options, struct message *message)
{
	struct bytes_reader reader;
	struct option option;

	if (options_get(options, OPTION_SERVER_ID, &option) &&
	    option.size >= sizeof(message->server)) {
		reader = option_reader(&option);
		bytes_copy(&reader, &message->server, sizeof(message->server));
		message->has_server = true;
	}
	if (options_get(options, OPTION_CLIENT_ID, &option)) {
		size_t kept = sizeof(message->client_id);

		message->has_client_id = true;
		message->client_id_size = option.size;
		memcpy(message->client_id, option.bytes, kept < option.size ? kept : option.size);
	}
	if (options_get(options, OPTION_MESSAGE, &option)) {
		while (option.size > 0 && option.bytes[option.size - 1] == '\0')
			option.size--;
		sanitise(message->text, sizeof(message->text), option.bytes, option.size);
	}
}

static void get_times(const struct options *options, struct message *message)
{
	struct option option;

	message->has_lease_time = options_get(options, OPTION_LEASE_TIME, &option) &&
				  option.size >= sizeof(message->lease_s);
	message->lease_s = options_get_u32(options, OPTION_LEASE_TIME);
	message->t1_s = options_get_u32(options, OPTION_RENEWAL_TIME);
	message->t2_s = options_get_u32(options, OPTION_REBINDING_TIME);
}

/* Parse the fields before the options. `ciaddr` is the address in use. */
static enum reason parse_fixed(struct bytes_reader *data, struct message *message,
			       struct in_addr *ciaddr, struct bytes_reader *sname,
			       struct bytes_reader *file)
{
	uint8_t op = bytes_u8(data), htype = bytes_u8(data), hlen = bytes_u8(data);

	bytes_skip(data, 1); /* hops */
	message->xid = bytes_be32(data);
	bytes_skip(data, 4); /* secs, flags */
	bytes_copy(data, ciaddr, sizeof(*ciaddr));
	bytes_copy(data, &message->yiaddr, sizeof(message->yiaddr));
	bytes_skip(data, 2 * sizeof(struct in_addr)); /* siaddr, giaddr */
	bytes_copy(data, message->chaddr, sizeof(message->chaddr));
	bytes_skip(data, CHADDR_SIZE - sizeof(message->chaddr));
	*sname = bytes_sub(data, SNAME_SIZE);
	*file = bytes_sub(data, FILE_SIZE);
	if (bytes_be32(data) != COOKIE)
		return data->failed ? REASON_TRUNCATED : REASON_COOKIE;
	if (op != OP_BOOTREPLY)
		return REASON_NOT_REPLY;
	if (htype != HTYPE_ETHERNET || hlen != HLEN_ETHERNET)
		return REASON_HARDWARE;
	return REASON_NONE;
}

enum reason message_parse(struct bytes_reader data, const struct message_policy *policy,
			  struct message *message)
{
	struct bytes_reader sname, file;
	struct in_addr own;
	struct options options;
	struct option option;
	enum reason reason;

	memset(message, 0, sizeof(*message));
	reason = parse_fixed(&data, message, &own, &sname, &file);
	if (reason != REASON_NONE)
		return reason;
	options_init(&options, bytes_sub(&data, bytes_left(&data)), file, sname);
	if (!options_get(&options, OPTION_MESSAGE_TYPE, &option) || option.size == 0)
		return REASON_NO_TYPE;
	message->type = option.bytes[0];
	get_identity(&options, message);
	get_times(&options, message);
	message->has_rapid_commit = options_get(&options, OPTION_RAPID_COMMIT, &option);
	message->has_auto_configure = options_get(&options, OPTION_AUTO_CONFIGURE, &option) &&
				      option.size > 0;
	/* The answer to an INFORM has no leased address. */
	if (message->yiaddr.s_addr != INADDR_ANY)
		own = message->yiaddr;
	parameters_parse(&options, policy, own, &message->parameters);
	return REASON_NONE;
}
