/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/frames.h"

/* enum bpf_attach_type of Linux 6.6; the headers we build with may be older. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define ATTACH_TCX_EGRESS ((enum bpf_attach_type)47)

/* clsact names a filter by priority and handle: fixed, so that a later start
 * finds and replaces it. */
#define CLSACT_PRIORITY 0xca1f
#define CLSACT_HANDLE 1

#define FEATURE_WORDS 8

/* What attaching native XDP must not change. */
struct device_facts {
	uint32_t features[FEATURE_WORDS]; /* active offloads, as ethtool -k */
	int mtu;
	char driver[32];
};

static int device_facts_get(const char *name, struct device_facts *facts)
{
	union {
		struct ethtool_gfeatures header;
		char room[sizeof(struct ethtool_gfeatures) +
			  FEATURE_WORDS * sizeof(struct ethtool_get_features_block)];
	} query = { .header = { .cmd = ETHTOOL_GFEATURES, .size = FEATURE_WORDS } };
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { 0 };
	/* Any socket takes device ioctls; AF_UNIX carries no network. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	memset(facts, 0, sizeof(*facts));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFMTU, &request))
		error = -errno;
	facts->mtu = request.ifr_mtu;
	request.ifr_data = (char *)&query;
	if (!error && ioctl(fd, SIOCETHTOOL, &request))
		error = -errno;
	for (size_t i = 0; i < FEATURE_WORDS; i++)
		facts->features[i] = query.header.features[i].active;
	request.ifr_data = (char *)&driver;
	if (!error && ioctl(fd, SIOCETHTOOL, &request))
		error = -errno;
	memcpy(facts->driver, driver.driver, sizeof(facts->driver));
	close(fd);
	return error;
}

static int pin_link(const struct frames *frames, const char *name, int link_fd)
{
	int error = pins_put(frames->pins, "", name, link_fd);

	/* From here on the pin holds the link. */
	close(link_fd);
	return error;
}

/* libbpf prints what is there already, or is not: both are usual here. */
static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static int attach_clsact(int program_fd, int ifindex, bool ingress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY, .flags = BPF_TC_F_REPLACE);
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int error = bpf_tc_hook_create(&hook);

	libbpf_set_print(before);
	if (error && error != -EEXIST)
		return error;
	return bpf_tc_attach(&hook, &opts);
}

/* tcx where the kernel has it, else clsact, which lives as long as the device. */
static int attach_tc(struct frames *frames, const char *pin, int program_fd, int ifindex,
		     bool ingress)
{
	int fd = bpf_link_create(program_fd, ifindex,
				 ingress ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS, NULL);

	if (fd >= 0)
		return pin_link(frames, pin, fd);
	if (fd != -EINVAL)
		return fd;
	return attach_clsact(program_fd, ifindex, ingress);
}

int frames_attach_tap(struct frames *frames, int tap_ifindex)
{
	int error = attach_tc(frames, PIN_LINK_TAP_INGRESS,
			      bpf_program__fd(frames->tc->progs.tap_ingress), tap_ifindex, true);

	if (!error)
		error = attach_tc(frames, PIN_LINK_TAP_EGRESS,
				  bpf_program__fd(frames->tc->progs.tap_egress), tap_ifindex,
				  false);
	if (error)
		log_error("cannot attach to the tap: %s", strerror(-error));
	return error;
}

/* Shares every map with the tc programs but the devmap slot: the kernel lets
 * programs of one type only use a devmap. */
static int load_xdp(struct frames *frames)
{
	const struct frame_tc_bpf *tc = frames->tc;
	struct frame_xdp_bpf *xdp = frame_xdp_bpf__open();
	int error;

	if (!xdp)
		return -errno;
	xdp->rodata->config = frames->config;
	error = bpf_map__reuse_fd(xdp->maps.frame_rules, bpf_map__fd(tc->maps.frame_rules));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_buckets,
					  bpf_map__fd(tc->maps.frame_buckets));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_xids, bpf_map__fd(tc->maps.frame_xids));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_peers, bpf_map__fd(tc->maps.frame_peers));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_watched,
					  bpf_map__fd(tc->maps.frame_watched));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.kv, frames->kv_fd);
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_counters,
					  bpf_map__fd(tc->maps.frame_counters));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_samplers,
					  bpf_map__fd(tc->maps.frame_samplers));
	if (!error)
		error = bpf_map__reuse_fd(xdp->maps.frame_samples,
					  bpf_map__fd(tc->maps.frame_samples));
	if (!error)
		error = frame_xdp_bpf__load(xdp);
	if (error) {
		frame_xdp_bpf__destroy(xdp);
		return error;
	}
	frames->xdp = xdp;
	return 0;
}

/* A link descriptor, not yet pinned, or a negative errno. */
static int attach_native(struct frames *frames)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int error = frames->xdp ? 0 : load_xdp(frames);

	if (error)
		return error;
	return bpf_link_create(bpf_program__fd(frames->xdp->progs.frame_xdp),
			       (int)frames->config.uplink_ifindex, BPF_XDP, &opts);
}

static int use_native(struct frames *frames, int link_fd)
{
	int error = pin_link(frames, PIN_LINK_UPLINK, link_fd);

	frames->mode = FRAME_MODE_NATIVE;
	return error ? error :
		       pins_put(frames->pins, "", PIN_FRAME_SLOT,
				bpf_map__fd(frames->xdp->maps.frame_slot));
}

static int use_tc(struct frames *frames)
{
	int error = attach_tc(frames, PIN_LINK_UPLINK,
			      bpf_program__fd(frames->tc->progs.uplink_ingress),
			      (int)frames->config.uplink_ifindex, true);

	frames->mode = FRAME_MODE_TC;
	if (error)
		log_error("cannot attach to the uplink by tc: %s", strerror(-error));
	return error;
}

/* Try native XDP, keep it only if the device is as it was; else tc. */
static int attach_auto(struct frames *frames, const char *uplink)
{
	struct device_facts before, after;
	int fd, error;

	error = device_facts_get(uplink, &before);
	if (error) {
		snprintf(frames->mode_reason, sizeof(frames->mode_reason),
			 "the offloads of %s cannot be read (%s)", uplink, strerror(-error));
		return use_tc(frames);
	}
	/* veth takes segmentation offload from its peer, where we cannot look. */
	if (!strcmp(before.driver, "veth")) {
		snprintf(frames->mode_reason, sizeof(frames->mode_reason),
			 "native XDP on veth changes the offloads of its peer");
		return use_tc(frames);
	}
	fd = attach_native(frames);
	if (fd < 0) {
		snprintf(frames->mode_reason, sizeof(frames->mode_reason), "%s",
			 fd == -EBUSY ? "another XDP program is on the uplink" :
					"the driver has no native XDP");
		return use_tc(frames);
	}
	error = device_facts_get(uplink, &after);
	if (!error && !memcmp(&before, &after, sizeof(before))) {
		snprintf(frames->mode_reason, sizeof(frames->mode_reason),
			 "offloads and MTU stayed as they were");
		return use_native(frames, fd);
	}
	close(fd);
	frame_xdp_bpf__destroy(frames->xdp);
	frames->xdp = NULL;
	snprintf(frames->mode_reason, sizeof(frames->mode_reason),
		 "native XDP changes the offloads of %s", uplink);
	return use_tc(frames);
}

int frames_attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode)
{
	int fd;

	if (mode == FRAME_MODE_AUTO)
		return attach_auto(frames, uplink);
	snprintf(frames->mode_reason, sizeof(frames->mode_reason), "as asked for");
	if (mode == FRAME_MODE_TC)
		return use_tc(frames);
	fd = attach_native(frames);
	if (fd < 0) {
		log_error("%s: cannot attach native XDP: %s; try --mode auto", uplink,
			  fd == -EBUSY ? "another XDP program is there" : strerror(-fd));
		return fd;
	}
	return use_native(frames, fd);
}

static void detach_clsact(int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);

	bpf_tc_detach(&hook, &opts);
}

void frames_detach(const struct pins *pins, int uplink_ifindex)
{
	libbpf_print_fn_t before = libbpf_set_print(quiet);
	int fd = pins_get(pins, PIN_LINK_UPLINK);

	if (fd >= 0)
		close(fd);
	else
		detach_clsact(uplink_ifindex);
	libbpf_set_print(before);
	pins_remove(pins, PIN_LINK_UPLINK);
	pins_remove(pins, PIN_LINK_TAP_INGRESS);
	pins_remove(pins, PIN_LINK_TAP_EGRESS);
}
