/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "userspace/priv/audit/audit.h"

int audit_syslog_open(struct audit_syslog *log, const char *path, const char *instance)
{
	struct audit_syslog opened = { .path = path };

	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return -ENAMETOOLONG;
	(void)snprintf(opened.source, sizeof(opened.source), "calfpen-%s[%d]", instance,
		       (int)getpid());
	opened.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (opened.fd < 0)
		return -errno;
	*log = opened;
	return 0;
}

void audit_syslog_close(struct audit_syslog *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	*log = AUDIT_SYSLOG_NULL(*log);
}

int audit_syslog_send(const struct audit_syslog *log, bool is_warning, const char *text,
		      size_t length)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char header[sizeof(log->source) + 16], body[AUDIT_LINE_SIZE];
	struct iovec parts[2] = { { .iov_base = header }, { .iov_base = body } };
	const struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = parts,
		.msg_iovlen = 2,
	};

	if (length > sizeof(body))
		return -EMSGSIZE;
	memcpy(to.sun_path, log->path, strlen(log->path) + 1);
	memcpy(body, text, length);
	parts[0].iov_len = (size_t)snprintf(
		header, sizeof(header),
		"<%d>%s: ", LOG_AUTHPRIV | (is_warning ? LOG_WARNING : LOG_INFO), log->source);
	parts[1].iov_len = length;
	return sendmsg(log->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
