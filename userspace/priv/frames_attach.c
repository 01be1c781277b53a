/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/frames.h"
#include "userspace/priv/frames_clsact.h"
#include "userspace/priv/frames_device.h"

/* Of Linux 6.6; the headers we build with may be older. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define ATTACH_TCX_EGRESS ((enum bpf_attach_type)47)
#define TCX_FIRST (1u << 3) /* BPF_F_BEFORE, and before nobody in particular */

/* Add to what `calfpen status` tells. */
__attribute__((format(printf, 2, 3))) static void reason_add(struct frames *frames,
							     const char *format, ...)
{
	size_t used = strlen(frames->mode_reason);
	va_list arguments;

	if (used)
		used += (size_t)snprintf(frames->mode_reason + used,
					 sizeof(frames->mode_reason) - used, "; ");
	if (used >= sizeof(frames->mode_reason))
		return;
	va_start(arguments, format);
	vsnprintf(frames->mode_reason + used, sizeof(frames->mode_reason) - used, format,
		  arguments);
	va_end(arguments);
}

static int pin_link(const struct frames *frames, const char *name, int link_fd)
{
	int error = pins_put(frames->pins, "", name, link_fd);

	/* From here on the pin holds the link. */
	close(link_fd);
	return error;
}

/* --- tc --- */

/* First, so that a program which ends the chain keeps no reply from us; ours
 * hands on all that is not for the calf. A descriptor or a negative errno. */
static int attach_tcx(int program_fd, int ifindex, bool ingress)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = TCX_FIRST);

	return bpf_link_create(program_fd, ifindex,
			       ingress ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS, &opts);
}

/* The tap is ours alone: what is on it goes with it. */
static int attach_tap(struct frames *frames, const char *pin, int program_fd, int ifindex,
		      bool ingress)
{
	int fd = attach_tcx(program_fd, ifindex, ingress);

	if (fd >= 0)
		return pin_link(frames, pin, fd);
	return fd == -EINVAL ? frames_clsact_attach(program_fd, ifindex, ingress) : fd;
}

int frames_attach_tap(struct frames *frames, int tap_ifindex)
{
	int error = attach_tap(frames, PIN_LINK_TAP_INGRESS,
			       bpf_program__fd(frames->tc->progs.tap_ingress), tap_ifindex, true);

	if (!error)
		error = attach_tap(frames, PIN_LINK_TAP_EGRESS,
				   bpf_program__fd(frames->tc->progs.tap_egress), tap_ifindex,
				   false);
	if (error)
		log_error("cannot attach to the tap: %s", strerror(-error));
	return error;
}

int frames_close_uplink(struct frames *frames)
{
	int ifindex = (int)frames->config.uplink_ifindex, error = 0;
	int program_fd = bpf_program__fd(frames->tc->progs.uplink_closed);

	if (!frames->config.quarantine)
		return 0;
	frames->closed_fd = attach_tcx(program_fd, ifindex, true);
	if (frames->closed_fd < 0) {
		error = frames_clsact_attach(program_fd, ifindex, true);
		frames->is_closed_by_clsact = !error;
	}
	if (error)
		log_error("quarantine: cannot close the uplink: %s", strerror(-error));
	return error;
}

void frames_let_open(struct frames *frames)
{
	if (frames->closed_fd >= 0)
		close(frames->closed_fd);
	if (frames->is_closed_by_clsact)
		frames_clsact_detach(bpf_program__fd(frames->tc->progs.uplink_closed),
				     (int)frames->config.uplink_ifindex);
	frames->closed_fd = -1;
	frames->is_closed_by_clsact = false;
}

static int use_tcx(struct frames *frames)
{
	int fd = attach_tcx(bpf_program__fd(frames->tc->progs.uplink_ingress),
			    (int)frames->config.uplink_ifindex, true);

	if (fd < 0) {
		if (fd == -EINVAL)
			reason_add(frames, "this kernel has no tcx");
		else
			reason_add(frames, "tcx: %s",
				   fd == -ERANGE ? "too many programs" : strerror(-fd));
		return fd;
	}
	frames->mode = FRAME_MODE_TC;
	frames->hook = FRAME_HOOK_TCX;
	return pin_link(frames, PIN_LINK_UPLINK, fd);
}

/* No link to pin: the program is, by which a later start knows the filter. */
static int use_clsact(struct frames *frames)
{
	int fd = bpf_program__fd(frames->tc->progs.uplink_ingress);
	int error = pins_put(frames->pins, "", PIN_FILTER_UPLINK, fd);

	if (!error)
		error = frames_clsact_attach(fd, (int)frames->config.uplink_ifindex, true);
	if (error) {
		reason_add(frames, "clsact: %s", strerror(-error));
		pins_remove(frames->pins, PIN_FILTER_UPLINK);
		return error;
	}
	frames->mode = FRAME_MODE_TC;
	frames->hook = FRAME_HOOK_CLSACT;
	return 0;
}

static int use_tc(struct frames *frames)
{
	int error = use_tcx(frames);

	return error ? use_clsact(frames) : 0;
}

/* --- XDP --- */

/* Shares every map with the tc programs but the devmap slot: the kernel lets
 * programs of one type only use a devmap. */
static int load_xdp(struct frames *frames)
{
	const struct frame_tc_bpf *tc = frames->tc;
	struct frame_xdp_bpf *xdp = frame_xdp_bpf__open();
	int error;

	if (!xdp)
		return -ENOMEM;
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
		error = bpf_map__reuse_fd(xdp->maps.frame_quarantine,
					  bpf_map__fd(tc->maps.frame_quarantine));
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

static void unload_xdp(struct frames *frames)
{
	frame_xdp_bpf__destroy(frames->xdp);
	frames->xdp = NULL;
}

/* Why the kernel gives no link, for people. */
static void explain_xdp(struct frames *frames, const char *which, int error)
{
	char owner[48];

	if (frames_device_xdp((int)frames->config.uplink_ifindex, owner, sizeof(owner)) > 0)
		reason_add(frames, "another XDP program is on the uplink (%s)", owner);
	else if (error == -EEXIST)
		reason_add(frames, "a device above the uplink has an XDP program");
	else if (error == -EOPNOTSUPP)
		reason_add(frames, "the driver has no %s XDP", which);
	else
		reason_add(frames, "the driver refuses %s XDP (%s)", which, strerror(-error));
}

/* A link descriptor, not yet pinned; or a negative errno with the reason, and
 * nothing loaded. */
static int attach_xdp(struct frames *frames, bool native)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int error = frames->xdp ? 0 : load_xdp(frames), fd;

	if (error) {
		reason_add(frames, "the XDP program cannot be loaded (%s)", strerror(-error));
		return error;
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
	int error = pin_link(frames, PIN_LINK_UPLINK, link_fd);

	frames->mode = mode;
	frames->hook = hook;
	return error ? error :
		       pins_put(frames->pins, "", PIN_FRAME_SLOT,
				bpf_map__fd(frames->xdp->maps.frame_slot));
}

/* What forbids even to try, in mode_reason. */
static bool may_try_native(struct frames *frames, const char *uplink, struct frames_device *before)
{
	int error = frames_device_get(uplink, before);
	char text[96];

	if (error)
		reason_add(frames, "the offloads of %s cannot be read (%s)", uplink,
			   strerror(-error));
	else if (frames_device_xdp((int)frames->config.uplink_ifindex, text, sizeof(text)) > 0)
		reason_add(frames, "another XDP program is on the uplink (%s)", text);
	else if (frames_device_objection(before, text, sizeof(text)))
		reason_add(frames, "native XDP %s", text);
	else
		return true;
	return false;
}

/* NULL if the device is as it was. */
static const char *what_changed(const struct frames_device *before)
{
	struct frames_device after;
	int error = frames_device_get(before->name, &after);

	return error ? strerror(-error) : frames_device_change(before, &after);
}

/* Native XDP only if the device is as it was; else a negative errno with the
 * reason. */
static int try_native(struct frames *frames, const char *uplink)
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
		reason_add(frames, "offloads, MTU and queues stayed as they were");
		return use_xdp(frames, FRAME_MODE_NATIVE, FRAME_HOOK_NATIVE_XDP, fd);
	}
	reason_add(frames, "native XDP changes %s of %s", change, uplink);
	close(fd);
	unload_xdp(frames);
	change = what_changed(&before);
	if (change)
		log_warning("%s: native XDP was tried and taken off, %s did not come back", uplink,
			    change);
	return -EOPNOTSUPP;
}

static int try_generic(struct frames *frames, const char *uplink)
{
	struct frames_device device;
	int error = frames_device_get(uplink, &device), fd;

	if (!error && frames_device_excluded(&device)) {
		reason_add(frames, "generic XDP would turn off %s",
			   frames_device_excluded(&device));
		return -EOPNOTSUPP;
	}
	fd = attach_xdp(frames, false);
	if (fd < 0)
		return fd;
	return use_xdp(frames, FRAME_MODE_GENERIC, FRAME_HOOK_GENERIC_XDP, fd);
}

/* --- modes --- */

/* What costs the host least comes first. */
static int attach_auto(struct frames *frames, const char *uplink)
{
	int error = try_native(frames, uplink);

	if (error)
		error = use_tc(frames);
	if (error)
		error = try_generic(frames, uplink);
	if (error)
		log_error("%s: cannot attach: %s", uplink, frames->mode_reason);
	return error;
}

static int attach_asked(struct frames *frames, const char *uplink, enum frame_mode mode)
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
	reason_add(frames, "as asked for");
	if (is_known && frames_device_hides_tags(&before))
		reason_add(frames, "VLAN tags that the device takes off are not seen");
	if (is_known && what_changed(&before))
		reason_add(frames, "it changed %s", what_changed(&before));
	return use_xdp(frames, mode, native ? FRAME_HOOK_NATIVE_XDP : FRAME_HOOK_GENERIC_XDP, fd);
}

static int attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode)
{
	int error;

	frames->mode_reason[0] = '\0';
	if (mode == FRAME_MODE_AUTO)
		return attach_auto(frames, uplink);
	if (mode != FRAME_MODE_TC)
		return attach_asked(frames, uplink, mode);
	reason_add(frames, "as asked for");
	error = use_tc(frames);
	if (error)
		log_error("%s: cannot attach by tc: %s", uplink, frames->mode_reason);
	return error;
}

int frames_attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode)
{
	int error = attach_uplink(frames, uplink, mode);

	/* It says how the uplink is, so it goes with the programs. */
	return error ? error :
		       pins_put(frames->pins, "", PIN_FRAME_QUARANTINE,
				bpf_map__fd(frames->tc->maps.frame_quarantine));
}

/* At once: a link whose last reference goes is let go of some time later, and
 * what is attached next would meet it. */
static void detach_link(const struct pins *pins, const char *name)
{
	int fd = pins_get(pins, name);

	if (fd < 0)
		return;
	bpf_link_detach(fd);
	close(fd);
	pins_remove(pins, name);
}

void frames_detach(const struct pins *pins, int uplink_ifindex)
{
	int fd = pins_get(pins, PIN_FILTER_UPLINK);

	frames_clsact_detach(fd, uplink_ifindex);
	if (fd >= 0)
		close(fd);
	pins_remove(pins, PIN_FILTER_UPLINK);
	detach_link(pins, PIN_LINK_UPLINK);
	detach_link(pins, PIN_LINK_TAP_INGRESS);
	detach_link(pins, PIN_LINK_TAP_EGRESS);
	pins_remove(pins, PIN_FRAME_QUARANTINE);
}
