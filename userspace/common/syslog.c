/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/syslog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "userspace/common/log.h"

/* "<86>calfpen-eth0[4711]: " */
#define HEAD_SIZE (sizeof(((struct syslog *)NULL)->source) + 16)

static int send_text(struct syslog *syslog, enum outlet_kind kind, int priority, const char *text,
		     size_t length)
{
	char message[HEAD_SIZE + SYSLOG_TEXT_MAX];
	size_t head = (size_t)snprintf(message, HEAD_SIZE, "<%d>%s: ", priority, syslog->source);

	if (length > SYSLOG_TEXT_MAX)
		return -EMSGSIZE;
	memcpy(message + head, text, length);
	return outlet_send(&syslog->outlet, kind, message, head + length);
}

/* Returns true if no line is lost, or how many were is sent or waits. */
static bool report_lost_lines(struct syslog *syslog)
{
	uint64_t *n_lostp = &syslog->outlet.n_lost[OUTLET_LINE];
	char text[96];
	int length;

	if (!*n_lostp)
		return true;
	if (!outlet_has_room(&syslog->outlet))
		return false;
	length = snprintf(text, sizeof(text),
			  "log: lost %" PRIu64 " lines: the syslog daemon did not keep up",
			  *n_lostp);
	if (send_text(syslog, OUTLET_LINE, LOG_DAEMON | LOG_WARNING, text, (size_t)length))
		return false;
	*n_lostp = 0;
	return true;
}

static void send_line(void *data, enum log_level level, const char *text, size_t length)
{
	struct syslog *syslog = data;

	if (!report_lost_lines(syslog) ||
	    send_text(syslog, OUTLET_LINE, LOG_DAEMON | log_priority(level), text, length))
		syslog->outlet.n_lost[OUTLET_LINE]++;
}

static void on_empty(void *data)
{
	struct syslog *syslog = data;

	(void)report_lost_lines(syslog);
	if (syslog->on_empty)
		syslog->on_empty(syslog->data);
}

int syslog_connect(struct syslog *syslog)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, syslog->path, strlen(syslog->path) + 1);
	if (!connect(syslog->outlet.fd, (struct sockaddr *)&to, sizeof(to))) {
		if (syslog->is_missing)
			log_info("syslog: %s takes messages", syslog->path);
		syslog->is_missing = false;
		return 0;
	}
	if (!syslog->is_missing) {
		int r = -errno;

		syslog->is_missing = true;
		log_warning("syslog: %s: %s; messages wait until a daemon takes them", syslog->path,
			    strerror(-r));
		return r;
	}
	return -errno;
}

static int repair(void *data)
{
	struct syslog *syslog = data;

	if (syslog->path)
		return syslog_connect(syslog);
	if (syslog->ask_fd >= 0)
		(void)eventfd_write(syslog->ask_fd, 1);
	return -ENOTCONN;
}

static int init(struct syslog *syslog, int fd, const char *instance)
{
	int r = outlet_init(&syslog->outlet);

	if (r)
		return r;
	outlet_open(&syslog->outlet, fd);
	syslog->outlet.repair = repair;
	syslog->outlet.on_empty = on_empty;
	syslog->outlet.data = syslog;
	(void)snprintf(syslog->source, sizeof(syslog->source), "calfpen-%s[%d]", instance,
		       (int)getpid());
	log_also(send_line, syslog);
	return 0;
}

static void close_fds(struct syslog *syslog, int fd)
{
	if (fd >= 0)
		(void)close(fd);
	if (syslog->ask_fd >= 0)
		(void)close(syslog->ask_fd);
	*syslog = SYSLOG_NULL(*syslog);
}

static int fail(int r)
{
	log_error("syslog: cannot open a socket: %s", strerror(-r));
	return r;
}

int syslog_open(struct syslog *syslog, const char *path, const char *instance)
{
	int fd, r;

	*syslog = SYSLOG_NULL(*syslog);
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return fail(-ENAMETOOLONG);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-errno);
	syslog->path = path;
	syslog->ask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = syslog->ask_fd < 0 ? -errno : init(syslog, fd, instance);
	if (r) {
		close_fds(syslog, fd);
		return fail(r);
	}
	(void)syslog_connect(syslog);
	return 0;
}

int syslog_inherit(struct syslog *syslog, int fd, int ask_fd, const char *instance)
{
	struct stat status;
	int r;

	*syslog = SYSLOG_NULL(*syslog);
	if (fstat(fd, &status) || !S_ISSOCK(status.st_mode))
		return 0;
	syslog->ask_fd = ask_fd;
	r = init(syslog, fd, instance);
	return r ? fail(r) : 0;
}

bool syslog_is_open(const struct syslog *syslog)
{
	return syslog->outlet.fd >= 0;
}

int syslog_watch(struct syslog *syslog, struct loop *loop)
{
	return syslog_is_open(syslog) ? outlet_watch(&syslog->outlet, loop) : 0;
}

int syslog_send_record(struct syslog *syslog, bool is_warning, const char *text, size_t length)
{
	return send_text(syslog, OUTLET_RECORD,
			 LOG_AUTHPRIV | (is_warning ? LOG_WARNING : LOG_INFO), text, length);
}

void syslog_close(struct syslog *syslog, uint64_t wait_ns)
{
	const uint64_t *n_lost = syslog->outlet.n_lost;
	int fd;

	if (!syslog_is_open(syslog))
		return;
	log_also(NULL, NULL);
	if (n_lost[OUTLET_LINE] || n_lost[OUTLET_RECORD])
		on_empty(syslog);
	fd = outlet_close(&syslog->outlet, wait_ns);
	if (n_lost[OUTLET_LINE] || n_lost[OUTLET_RECORD])
		log_error("syslog: lost %" PRIu64 " audit records and %" PRIu64
			  " lines: the daemon did not take them",
			  n_lost[OUTLET_RECORD], n_lost[OUTLET_LINE]);
	outlet_deinit(&syslog->outlet);
	close_fds(syslog, fd);
}
