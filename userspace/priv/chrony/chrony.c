/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/chrony/chrony.h"

#include <errno.h>

#include "userspace/common/bytes.h"

/* Names as in chrony's candm.h, without their prefixes. */
#define PROTO_VERSION_NUMBER 6
#define PROTO_VERSION_MISMATCH_COMPAT_CLIENT 4
#define PKT_TYPE_CMD_REQUEST 1
#define PKT_TYPE_CMD_REPLY 2
#define REQ_RELOAD_SOURCES 70
#define RPY_NULL 1
#define STT_SUCCESS 0
#define STT_BADPKTVERSION 18

void chrony_request(uint8_t request[static CHRONY_SIZE], uint32_t sequence, uint16_t attempt)
{
	struct bytes_writer writer;

	bytes_writer_init(&writer, request, CHRONY_SIZE);
	bytes_put_u8(&writer, PROTO_VERSION_NUMBER);
	bytes_put_u8(&writer, PKT_TYPE_CMD_REQUEST);
	bytes_put_zeros(&writer, 2); /* res1, res2 */
	bytes_put_be16(&writer, REQ_RELOAD_SOURCES);
	bytes_put_be16(&writer, attempt);
	bytes_put_be32(&writer, sequence);
	/* pad1, pad2, no data, padding: zeros, because the writer clears the buffer */
}

int chrony_reply(const void *bytes, size_t size, uint32_t sequence, uint16_t *statusp)
{
	struct bytes_reader reader;
	uint8_t version, type;
	uint16_t reserved, command, reply, status;

	bytes_reader_init(&reader, bytes, size);
	version = bytes_u8(&reader);
	type = bytes_u8(&reader);
	reserved = bytes_be16(&reader);
	command = bytes_be16(&reader);
	reply = bytes_be16(&reader);
	status = bytes_be16(&reader);
	bytes_skip(&reader, 6); /* pad1 to pad3 */
	if (bytes_be32(&reader) != sequence)
		return -EBADMSG;
	bytes_skip(&reader, 8); /* pad4, pad5 */
	if (reader.failed || type != PKT_TYPE_CMD_REPLY || reserved ||
	    command != REQ_RELOAD_SOURCES)
		return -EBADMSG;
	/* A chronyd of another version reports that in its own version. */
	if (version != PROTO_VERSION_NUMBER &&
	    (version < PROTO_VERSION_MISMATCH_COMPAT_CLIENT || status != STT_BADPKTVERSION))
		return -EBADMSG;
	if (status == STT_SUCCESS && reply != RPY_NULL)
		return -EBADMSG;
	*statusp = status;
	return 0;
}

const char *chrony_status_name(uint16_t status)
{
	static const char *const names[] = {
		[1] = "failed",		 [2] = "not authorised",
		[3] = "unknown command", [STT_BADPKTVERSION] = "protocol version mismatch",
		[19] = "wrong length",
	};
	const size_t n = sizeof(names) / sizeof(names[0]);

	return status < n && names[status] ? names[status] : "unknown status";
}

int chrony_refused(uint16_t status)
{
	return CHRONY_REFUSED + (status < CHRONY_STATUS_MAX ? status : CHRONY_STATUS_MAX);
}

int chrony_error(int error)
{
	return CHRONY_ERROR + (error > 0 && error < 128 ? error : EIO);
}
