/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/frames/device.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Run an ethtool command, a structure that begins with the command's number. */
static int ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = { .ifr_data = command };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

static int get_mtu(int fd, struct frames_device *device)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device->name);
	if (ioctl(fd, SIOCGIFMTU, &request))
		return -errno;
	device->mtu = request.ifr_mtu;
	return 0;
}

static int get_features(int fd, struct frames_device *device)
{
	union {
		struct ethtool_gfeatures header;
		char room[sizeof(struct ethtool_gfeatures) +
			  FRAMES_FEATURE_WORDS * sizeof(struct ethtool_get_features_block)];
	} query = { .header = { .cmd = ETHTOOL_GFEATURES, .size = FRAMES_FEATURE_WORDS } };
	int r = ethtool(fd, device->name, &query);

	if (r)
		return r;
	for (size_t i = 0; i < FRAMES_FEATURE_WORDS; i++)
		device->features[i] = query.header.features[i].active;
	return 0;
}

static int get_driver(int fd, struct frames_device *device)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int r = ethtool(fd, device->name, &info);

	if (r)
		return r;
	memcpy(device->driver, info.driver, sizeof(device->driver) - 1);
	return 0;
}

static int get_channels(int fd, struct frames_device *device)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	int r = ethtool(fd, device->name, &channels);

	if (r)
		return r == -EOPNOTSUPP ? 0 : r;
	device->channels[0] = channels.rx_count;
	device->channels[1] = channels.tx_count;
	device->channels[2] = channels.other_count;
	device->channels[3] = channels.combined_count;
	return 0;
}

/* Any socket accepts device ioctls; an AF_UNIX one has no access to the network. */
static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int frames_device_get(const char *name, struct frames_device *device)
{
	int fd = open_socket(), r;

	if (fd < 0)
		return fd;
	memset(device, 0, sizeof(*device));
	snprintf(device->name, sizeof(device->name), "%s", name);
	r = get_mtu(fd, device);
	if (!r)
		r = get_features(fd, device);
	if (!r)
		r = get_driver(fd, device);
	if (!r)
		r = get_channels(fd, device);
	close(fd);
	return r;
}

#define NAME_SIZE ((size_t)ETH_GSTRING_LEN)

/* The names of the features, indexed by bit. */
union feature_names {
	struct ethtool_gstrings header;
	char room[sizeof(struct ethtool_gstrings) + NAME_SIZE * FRAMES_FEATURES_MAX];
};

static const char *name_of(const union feature_names *names, uint32_t bit)
{
	return names->room + sizeof(names->header) + bit * NAME_SIZE;
}

/* Returns the number of names, 0 on any error. */
static uint32_t get_names(const char *device, union feature_names *names)
{
	union {
		struct ethtool_sset_info header;
		char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} count = { .header = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1u << ETH_SS_FEATURES } };
	int fd = open_socket();
	uint32_t n = 0;

	if (fd < 0)
		return 0;
	/* The kernel writes all its names, so check first that there is enough room. */
	if (!ethtool(fd, device, &count) && count.header.sset_mask &&
	    count.header.data[0] <= FRAMES_FEATURES_MAX) {
		names->header = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS,
							   .string_set = ETH_SS_FEATURES };
		if (!ethtool(fd, device, names))
			n = names->header.len;
	}
	close(fd);
	return n;
}

static bool is_active(const struct frames_device *device, uint32_t bit)
{
	return device->features[bit / 32] >> (bit % 32) & 1;
}

const char *frames_device_change(const struct frames_device *before,
				 const struct frames_device *after)
{
	static union feature_names names;
	uint32_t n_names;

	if (before->mtu != after->mtu)
		return "the MTU";
	if (memcmp(before->channels, after->channels, sizeof(before->channels)) != 0)
		return "the number of queues";
	if (memcmp(before->features, after->features, sizeof(before->features)) == 0)
		return NULL;
	n_names = get_names(before->name, &names);
	for (uint32_t bit = 0; bit < n_names; bit++)
		if (is_active(before, bit) != is_active(after, bit))
			return name_of(&names, bit);
	return "an offload";
}

bool frames_device_has(const struct frames_device *device, const char *feature)
{
	static union feature_names names;
	uint32_t n_names = get_names(device->name, &names);

	for (uint32_t bit = 0; bit < n_names; bit++)
		if (!strncmp(name_of(&names, bit), feature, NAME_SIZE))
			return is_active(device, bit);
	return false;
}

/* Most drivers strip tags, unless `ethtool -K DEVICE rxvlan off` was run. */
bool frames_device_hides_tags(const struct frames_device *device)
{
	return frames_device_has(device, "rx-vlan-hw-parse") ||
	       frames_device_has(device, "rx-vlan-stag-hw-parse");
}

const char *frames_device_excluded(const struct frames_device *device)
{
	static const char *const names[] = { "rx-lro", "rx-gro-hw" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (frames_device_has(device, names[i]))
			return names[i];
	return NULL;
}

bool frames_device_objection(const struct frames_device *device, char *text, size_t size)
{
	/* These pass changes on to devices where they are not visible on the uplink;
	 * docs/frames.md describes what each of them does. */
	static const struct {
		const char *driver, *what;
	} hidden[] = {
		{ "veth", "on veth changes the offloads of its peer" },
		{ "virtio_net", "on virtio_net turns off offloads of the device behind it" },
		{ "bonding", "on a bond changes its ports" },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (!strcmp(device->driver, hidden[i].driver)) {
			snprintf(text, size, "%s", hidden[i].what);
			return true;
		}
	if (frames_device_excluded(device))
		snprintf(text, size, "is not possible with %s", frames_device_excluded(device));
	else if (frames_device_hides_tags(device))
		snprintf(text, size, "would not see VLAN tags, which %s strips (rx-vlan-hw-parse)",
			 device->driver);
	else
		return false;
	return true;
}

int frames_device_xdp(int ifindex, char *text, size_t size)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);
	int r = bpf_xdp_query(ifindex, 0, &found);

	if (r)
		return r;
	if (found.drv_prog_id)
		snprintf(text, size, "native, id %u", found.drv_prog_id);
	else if (found.skb_prog_id)
		snprintf(text, size, "generic, id %u", found.skb_prog_id);
	else if (found.hw_prog_id)
		snprintf(text, size, "offloaded, id %u", found.hw_prog_id);
	else
		return 0;
	return 1;
}
