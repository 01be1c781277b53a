/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

/* Options that the calf sends itself, with the operator's option for it if there is
 * one, or whose effect it does not implement: 82 is for relays, 116 offers to use a
 * link-local address, 145 to obey FORCERENEW. */
static bool may_add(uint8_t code)
{
	switch (code) {
	case OPTION_PAD:
	case OPTION_HOST_NAME:
	case OPTION_VENDOR_CLASS:
	case OPTION_CLIENT_ID:
	case OPTION_USER_CLASS:
	case OPTION_RAPID_COMMIT:
	case OPTION_FQDN:
	case OPTION_RELAY_AGENT:
	case OPTION_AUTO_CONFIGURE:
	case OPTION_FORCERENEW_NONCE:
	case OPTION_END:
		return false;
	default:
		return code < OPTION_REQUESTED_ADDRESS || code > OPTION_REBINDING_TIME;
	}
}

/* A server may take the instances of an option for one only if its definition says
 * so (RFC 3396 section 4): RFC 3925, and vendors' options, which grow. */
static bool may_split(uint8_t code)
{
	return code == OPTION_VENDOR_SPECIFIC || code == OPTION_VENDOR_CLASSES ||
	       code == OPTION_VENDOR_SPECIFICS;
}

int message_sender_add(struct message_sender *sender, uint8_t code, const uint8_t *bytes,
		       size_t size)
{
	struct bytes_writer writer;

	if (!may_add(code))
		return -EPERM;
	if (size > OPTION_PART_MAX && !may_split(code))
		return -EMSGSIZE;
	bytes_writer_init(&writer, sender->extra + sender->extra_size,
			  sizeof(sender->extra) - sender->extra_size);
	options_put(&writer, code, bytes, size);
	if (writer.failed)
		return -ENOSPC;
	sender->extra_size += (uint16_t)writer.at;
	return 0;
}
