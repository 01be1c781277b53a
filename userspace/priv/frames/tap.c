/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/frames/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/netlink/netlink.h"

/* Write to a file of /proc/sys. It is not an error if the kernel lacks it. */
static int write_setting(const char *path, const char *value)
{
	int r = 0, fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static bool has_setting(const char *path, const char *value)
{
	char present[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, present, sizeof(present) - 1);
	close(fd);
	return n > 0 && !strncmp(present, value, strlen(value));
}

/* There is no other way than /proc/sys. */
static int disable_ipv6(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	return has_setting(path, "1") ? 0 : write_setting(path, "1");
}

static int configure(struct tap *tap, struct netlink *netlink, const char *alias)
{
	int r = netlink_link_set_quiet(netlink, tap->ifindex);

	if (!r)
		r = netlink_link_set_alias(netlink, tap->ifindex, alias);
	if (!r)
		r = netlink_link_set_noqueue(netlink, tap->ifindex);
	if (r)
		log_error("%s: cannot configure the tap: %s", tap->name, strerror(-r));
	else
		tap->ipv6_error = disable_ipv6(tap->name);
	return r;
}

int tap_init(struct tap *tap, struct netlink *netlink, const char *alias)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "calf%d" };
	int r = 0;

	*tap = TAP_NULL(*tap);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0) {
		r = -errno;
		log_error("/dev/net/tun: %s; load the module tun", strerror(-r));
		return r;
	}
	if (ioctl(tap->fd, TUNSETIFF, &request)) {
		r = -errno;
		goto failed;
	}
	memcpy(tap->name, request.ifr_name, sizeof(tap->name));
	tap->ifindex = (int)if_nametoindex(tap->name);
	if (!tap->ifindex) {
		r = -errno;
		goto failed;
	}
	r = configure(tap, netlink, alias);
	if (r)
		tap_deinit(tap); /* logged */
	return r;
failed:
	log_error("/dev/net/tun: cannot create a tap: %s", strerror(-r));
	tap_deinit(tap);
	return r;
}

int tap_up(struct tap *tap, struct netlink *netlink)
{
	int r = netlink_link_set_up(netlink, tap->ifindex, true);

	if (r)
		log_error("%s: cannot set up: %s", tap->name, strerror(-r));
	return r;
}

struct wanted {
	const char *alias;
	struct netlink_link found; /* ifindex 0: none */
};

static void find(const struct netlink_link *link, void *data)
{
	struct wanted *wanted = data;

	if (link->is_tun && !strncmp(link->alias, wanted->alias, strlen(wanted->alias)))
		wanted->found = *link;
}

int taps_delete(struct netlink *netlink, const char *alias)
{
	struct wanted wanted;
	int r;

	do {
		wanted = (struct wanted){ .alias = alias };
		r = netlink_link_each(netlink, find, &wanted);
		if (r || !wanted.found.ifindex)
			break;
		log_warning("%s: deleting this tap (%s), which a process still holds",
			    wanted.found.name, wanted.found.alias);
		r = netlink_link_delete(netlink, wanted.found.ifindex);
	} while (!r || r == -ENODEV);
	if (r)
		log_error("cannot delete the taps of \"%s\": %s", alias, strerror(-r));
	return r;
}

void tap_deinit(struct tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	*tap = TAP_NULL(*tap);
}
