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
	if (!tap->ifindex)
		r = -errno;
	if (!r)
		r = netlink_link_set_quiet(netlink, tap->ifindex);
	if (!r)
		r = netlink_link_set_noqueue(netlink, tap->ifindex);
	if (!r)
		r = sysctl_set("ipv6", tap->name, "disable_ipv6", "1");
	/* The write filter looks up the route of a unicast frame as if it were
	 * received on the tap; the kernel answers only if forwarding is enabled
	 * there. Nothing is ever forwarded, because no frame of the tap passes its
	 * program. */
	if (!r)
		r = sysctl_set("ipv4", tap->name, "forwarding", "1");
	if (!r)
		return 0;
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

void tap_deinit(struct tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	*tap = TAP_NULL(*tap);
}
