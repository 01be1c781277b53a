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

/* Write a setting of one interface. It is not an error if the kernel lacks it. */
static int sysctl_set(const char *family, const char *name, const char *setting, const char *value)
{
	char path[128];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	written = write(fd, value, strlen(value));
	close(fd);
	return written < 0 ? -errno : 0;
}

int tap_init(struct tap *tap, struct netlink *netlink)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "calf%d" };
	int error = 0;

	*tap = TAP_NULL(*tap);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0) {
		error = -errno;
		log_error("/dev/net/tun: %s; load the module tun", strerror(-error));
		return error;
	}
	if (ioctl(tap->fd, TUNSETIFF, &request)) {
		error = -errno;
		goto failed;
	}
	memcpy(tap->name, request.ifr_name, sizeof(tap->name));
	tap->ifindex = (int)if_nametoindex(tap->name);
	if (!tap->ifindex)
		error = -errno;
	if (!error)
		error = netlink_link_set_quiet(netlink, tap->ifindex);
	if (!error)
		error = netlink_link_set_noqueue(netlink, tap->ifindex);
	if (!error)
		error = sysctl_set("ipv6", tap->name, "disable_ipv6", "1");
	/* The write filter looks up the route of a unicast frame as if it were
	 * received on the tap; the kernel answers only if forwarding is enabled
	 * there. Nothing is ever forwarded, because no frame of the tap passes its
	 * program. */
	if (!error)
		error = sysctl_set("ipv4", tap->name, "forwarding", "1");
	if (!error)
		return 0;
failed:
	log_error("/dev/net/tun: cannot create a tap: %s", strerror(-error));
	tap_deinit(tap);
	return error;
}

int tap_up(struct tap *tap, struct netlink *netlink)
{
	int error = netlink_link_set_up(netlink, tap->ifindex, true);

	if (error)
		log_error("%s: cannot set up: %s", tap->name, strerror(-error));
	return error;
}

void tap_deinit(struct tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	*tap = TAP_NULL(*tap);
}
