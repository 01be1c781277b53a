/* SPDX-License-Identifier: Apache-2.0 */
/* XDP on the uplink, in the driver or in the network stack, and what it changes on
 * the device. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/frames/device.h"
#include "userspace/priv/frames/frames-private.h"

static int share_maps(const struct frames *frames, struct frame_xdp_bpf *xdp)
{
	const struct frame_tc_bpf *tc = frames->tc;
	const struct {
		struct bpf_map *to;
		const struct bpf_map *from;
	} maps[] = {
		{ xdp->maps.frame_rules, tc->maps.frame_rules },
		{ xdp->maps.frame_buckets, tc->maps.frame_buckets },
		{ xdp->maps.frame_xids, tc->maps.frame_xids },
		{ xdp->maps.frame_peers, tc->maps.frame_peers },
		{ xdp->maps.frame_watched, tc->maps.frame_watched },
		{ xdp->maps.frame_reply, tc->maps.frame_reply },
		{ xdp->maps.frame_replies, tc->maps.frame_replies },
		{ xdp->maps.frame_witness, tc->maps.frame_witness },
		{ xdp->maps.frame_host, tc->maps.frame_host },
		{ xdp->maps.frame_message, tc->maps.frame_message },
		{ xdp->maps.frame_quarantine, tc->maps.frame_quarantine },
		{ xdp->maps.frame_counters, tc->maps.frame_counters },
		{ xdp->maps.frame_samplers, tc->maps.frame_samplers },
		{ xdp->maps.frame_samples, tc->maps.frame_samples },
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(maps) / sizeof(maps[0]); i++)
		r = bpf_map__reuse_fd(maps[i].to, bpf_map__fd(maps[i].from));
	return r;
}

/* Load the program with all maps of the tc programs but the devmap slot, because
 * the kernel lets only programs of one type use a devmap. */
static int load_xdp(struct frames *frames)
{
	struct frame_xdp_bpf *xdp = frame_xdp_bpf__open();
	int r;

	if (!xdp)
		return -ENOMEM;
	xdp->rodata->config = frames->config;
	r = share_maps(frames, xdp);
	if (!r)
		r = frame_xdp_bpf__load(xdp);
	if (r) {
		frame_xdp_bpf__destroy(xdp);
		return r;
	}
	frames->xdp = xdp;
	return 0;
}

static void unload_xdp(struct frames *frames)
{
	frame_xdp_bpf__destroy(frames->xdp);
	frames->xdp = NULL;
}

/* Append to the reason why the kernel refused the link. */
static void explain_xdp(struct frames *frames, const char *which, int error)
{
	char owner[48];

	if (frames_device_xdp((int)frames->config.uplink_ifindex, owner, sizeof(owner)) > 0)
		frames_reason_add(frames, "another XDP program is on the uplink (%s)", owner);
	else if (error == -EEXIST)
		frames_reason_add(frames, "a device above the uplink has an XDP program");
	else if (error == -EOPNOTSUPP)
		frames_reason_add(frames, "the driver does not support %s XDP", which);
	else
		frames_reason_add(frames, "the driver refuses %s XDP (%s)", which,
				  strerror(-error));
}

/* Returns a link descriptor, not yet pinned; or a negative errno with the reason
 * appended and nothing loaded. */
static int attach_xdp(struct frames *frames, bool native)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int r = frames->xdp ? 0 : load_xdp(frames), fd;

	if (r) {
		frames_reason_add(frames, "cannot load the XDP program (%s)", strerror(-r));
		return r;
	}
	fd = bpf_link_create(bpf_program__fd(frames->xdp->progs.frame_xdp),
			     (int)frames->config.uplink_ifindex, BPF_XDP, &opts);
	if (fd < 0) {
		explain_xdp(frames, native ? "native" : "generic", fd);
		unload_xdp(frames);
	}
	return fd;
}

static int use_xdp(struct frames *frames, enum frame_mode mode, enum frame_hook hook, int link_fd)
{
	int r = frames_pin_link(frames, PIN_LINK_UPLINK, link_fd);

	frames->mode = mode;
	frames->hook = hook;
	return r ? r :
		   pins_put(frames->pins, "", PIN_FRAME_SLOT,
			    bpf_map__fd(frames->xdp->maps.frame_slot));
}

/* Returns false if native XDP must not even be tried, with the reason appended. */
static bool may_try_native(struct frames *frames, const char *uplink, struct frames_device *before)
{
	int r = frames_device_get(uplink, before);
	char text[96];

	if (r)
		frames_reason_add(frames, "cannot read the offloads of %s (%s)", uplink,
				  strerror(-r));
	else if (frames_device_xdp((int)frames->config.uplink_ifindex, text, sizeof(text)) > 0)
		frames_reason_add(frames, "another XDP program is on the uplink (%s)", text);
	else if (frames_device_objection(before, text, sizeof(text)))
		frames_reason_add(frames, "native XDP %s", text);
	else
		return true;
	return false;
}

/* Returns NULL if the device has not changed. */
static const char *what_changed(const struct frames_device *before)
{
	struct frames_device after;
	int r = frames_device_get(before->name, &after);

	return r ? strerror(-r) : frames_device_change(before, &after);
}

int frames_try_native(struct frames *frames, const char *uplink)
{
	struct frames_device before;
	const char *change;
	int fd;

	if (!may_try_native(frames, uplink, &before))
		return -EOPNOTSUPP;
	fd = attach_xdp(frames, true);
	if (fd < 0)
		return fd;
	change = what_changed(&before);
	if (!change) {
		frames_reason_add(frames, "it does not change offloads, MTU or queues");
		return use_xdp(frames, FRAME_MODE_NATIVE, FRAME_HOOK_NATIVE_XDP, fd);
	}
	frames_reason_add(frames, "native XDP changes %s of %s", change, uplink);
	close(fd);
	unload_xdp(frames);
	change = what_changed(&before);
	if (change)
		log_warning("%s: detached native XDP after a trial, but %s was not restored",
			    uplink, change);
	return -EOPNOTSUPP;
}

int frames_try_generic(struct frames *frames, const char *uplink)
{
	struct frames_device device;
	int r = frames_device_get(uplink, &device), fd;

	if (!r && frames_device_excluded(&device)) {
		frames_reason_add(frames, "generic XDP would turn off %s",
				  frames_device_excluded(&device));
		return -EOPNOTSUPP;
	}
	fd = attach_xdp(frames, false);
	if (fd < 0)
		return fd;
	return use_xdp(frames, FRAME_MODE_GENERIC, FRAME_HOOK_GENERIC_XDP, fd);
}

int frames_attach_xdp(struct frames *frames, const char *uplink, enum frame_mode mode)
{
	bool native = mode == FRAME_MODE_NATIVE;
	struct frames_device before;
	bool is_known = !frames_device_get(uplink, &before);
	int fd = attach_xdp(frames, native);

	if (fd < 0) {
		log_error("%s: cannot attach %s XDP: %s; try --mode auto", uplink,
			  native ? "native" : "generic", frames->mode_reason);
		return fd;
	}
	frames_reason_add(frames, "as requested");
	if (is_known && frames_device_hides_tags(&before))
		frames_reason_add(frames, "VLAN tags that the device strips are not seen");
	if (is_known && what_changed(&before))
		frames_reason_add(frames, "it changed %s", what_changed(&before));
	return use_xdp(frames, mode, native ? FRAME_HOOK_NATIVE_XDP : FRAME_HOOK_GENERIC_XDP, fd);
}
