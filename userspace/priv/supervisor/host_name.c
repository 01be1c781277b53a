/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/host_name.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/common/sanitise.h"
#include "userspace/common/value.h"

#define FILE_NAME "/proc/sys/kernel/hostname"
/* The kernel reports a change in any UTS namespace, so also those that a container
 * makes, as often as it likes. After one, changes are not followed for so long. */
#define INTERVAL_NS NS_PER_S

/* Names of every host say nothing about this one. */
static bool is_told(const char *name)
{
	return value_is_hostname(name) && strcmp(name, "localhost") != 0 &&
	       strncmp(name, "localhost.", sizeof("localhost.") - 1) != 0;
}

/* Write or delete the key unless it is right already. `name` "": there is none. */
static int write_key(int gate, const char *name)
{
	struct kv_value value = { .length = 0 };
	int r = gate_read(gate, HOST_NAME_KEY, &value);

	if (r && r != -ENOENT)
		return r;
	if (name[0] == '\0')
		return r ? 0 : gate_delete(gate, HOST_NAME_KEY, NULL);
	if (!r && strcmp(value.text, name) == 0)
		return 0;
	return gate_write(gate, HOST_NAME_KEY, name, strlen(name), NULL);
}

static int update(struct host_name *host_name)
{
	char name[HOST_NAME_SIZE] = "";
	struct utsname names;

	if (uname(&names))
		return -errno;
	if (is_told(names.nodename)) {
		host_name->logged[0] = '\0';
		return write_key(host_name->gate, names.nodename);
	}
	sanitise(name, sizeof(name), names.nodename, strlen(names.nodename));
	if (strcmp(name, host_name->logged) != 0)
		log_warning("the kernel's host name \"%s\" says nothing to a server; sending none",
			    name);
	memcpy(host_name->logged, name, sizeof(name));
	return write_key(host_name->gate, "");
}

static void update_or_retry(struct host_name *host_name)
{
	int r = update(host_name);

	if (r && !host_name->must_retry)
		log_warning("cannot write " HOST_NAME_KEY ": %s; retrying", strerror(-r));
	host_name->must_retry = r;
	loop_timer_set(&host_name->timer, host_name->loop->now_ns() + INTERVAL_NS);
}

static int on_changed(struct loop *loop, int fd, short revents, void *data)
{
	(void)revents;
	loop_remove_fd(loop, fd);
	update_or_retry(data);
	return 0;
}

static int follow(struct host_name *host_name)
{
	return loop_add_fd(host_name->loop, host_name->fd, POLLPRI, on_changed, host_name);
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct host_name *host_name = data;

	(void)loop;
	(void)now_ns;
	if (host_name->must_retry)
		update_or_retry(host_name);
	return host_name->must_retry ? 0 : follow(host_name);
}

int host_name_init(struct host_name *host_name, int gate, bool is_told, struct loop *loop)
{
	int r = 0;

	*host_name = HOST_NAME_NULL(*host_name);
	host_name->gate = gate;
	host_name->loop = loop;
	if (is_told) {
		/* before the name is read, so that no change is missed */
		host_name->fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
		if (host_name->fd < 0)
			r = -errno;
		if (!r)
			r = loop_add_timer(loop, &host_name->timer, on_timer, host_name);
		if (!r)
			r = follow(host_name);
	}
	if (!r)
		r = is_told ? update(host_name) : write_key(gate, "");
	if (r)
		log_error(HOST_NAME_KEY ": cannot write the kernel's host name: %s", strerror(-r));
	return r;
}

void host_name_deinit(struct host_name *host_name)
{
	if (host_name->fd >= 0)
		close(host_name->fd);
	*host_name = HOST_NAME_NULL(*host_name);
}
