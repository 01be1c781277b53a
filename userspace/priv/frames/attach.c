/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/frames/clsact.h"
#include "userspace/priv/frames/frames-private.h"
#include "userspace/priv/netlink/netlink.h"

/* Since Linux 6.6; the headers we build with may be older. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define ATTACH_TCX_EGRESS ((enum bpf_attach_type)47)
#define TCX_FIRST (1u << 3) /* BPF_F_BEFORE; without another program: first of all */

/* Attach first, so that a program that ends the chain cannot keep replies from us;
 * our program passes on everything that is not for the calf. Returns a descriptor
 * or a negative errno. */
static int attach_tcx(int program_fd, int ifindex, bool ingress)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = TCX_FIRST);

	return bpf_link_create(program_fd, ifindex,
			       ingress ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS, &opts);
}

/* The pin of the link of a calf's tap. */
struct tap_pin {
	char name[sizeof(PIN_LINK_TAP_INGRESS_PREFIX) + 1];
};

static struct tap_pin tap_pin(uint32_t calf, bool ingress)
{
	struct tap_pin pin;

	_Static_assert(FRAME_CALVES_MAX <= 10, "one digit");
	(void)snprintf(pin.name, sizeof(pin.name), "%s%u",
		       ingress ? PIN_LINK_TAP_INGRESS_PREFIX : PIN_LINK_TAP_EGRESS_PREFIX, calf);
	return pin;
}

/*
 * A filter of clsact is there as long as the tap is, and nobody else uses the tap, so that
 * there is no order to keep. For a link of tcx the kernel waits until no CPU uses the list
 * of programs, some 10 ms each time: only for a kernel without clsact.
 */
static int attach_tap(struct frames *frames, uint32_t calf, bool ingress)
{
	const struct bpf_program *program = ingress ? frames->tc->progs.tap_ingress :
						      frames->tc->progs.tap_egress;
	int program_fd = bpf_program__fd(program), ifindex = (int)frames->config.taps[calf];
	int r = frames_clsact_attach(program_fd, ifindex, ingress), fd;

	if (!r)
		return 0;
	fd = attach_tcx(program_fd, ifindex, ingress);
	return fd < 0 ? r : frames_pin_link(frames, tap_pin(calf, ingress).name, fd);
}

int frames_attach_taps(struct frames *frames)
{
	/* All taps have the same program; a later start recognizes the filters by it. */
	int r = pins_put(frames->pins, "", PIN_FILTER_TAP,
			 bpf_program__fd(frames->tc->progs.tap_ingress));

	for (uint32_t calf = 0; !r && calf < FRAME_CALVES_MAX; calf++) {
		if (!frames->config.taps[calf])
			continue;
		r = attach_tap(frames, calf, true);
		if (!r)
			r = attach_tap(frames, calf, false);
	}
	if (r)
		log_error("tap: cannot attach the programs: %s", strerror(-r));
	return r;
}

/* Detach the filter that a run left which was killed during its start. */
static void detach_closed(const struct frames *frames)
{
	int fd = pins_get(frames->pins, PIN_FILTER_CLOSED);

	if (fd < 0)
		return;
	frames_clsact_detach(fd, (int)frames->config.uplink_ifindex);
	close(fd);
	pins_remove(frames->pins, PIN_FILTER_CLOSED);
}

int frames_close_uplink(struct frames *frames)
{
	int ifindex = (int)frames->config.uplink_ifindex, r = 0;
	int program_fd = bpf_program__fd(frames->tc->progs.uplink_closed);

	if (!frames->config.quarantine) {
		detach_closed(frames);
		return 0;
	}
	frames->closed_fd = attach_tcx(program_fd, ifindex, true);
	if (frames->closed_fd < 0) {
		r = frames_clsact_attach(program_fd, ifindex, true);
		frames->is_closed_by_clsact = !r;
	}
	/* Not earlier, because there must be no gap. */
	detach_closed(frames);
	if (frames->is_closed_by_clsact)
		r = pins_put(frames->pins, "", PIN_FILTER_CLOSED, program_fd);
	if (r)
		log_error("quarantine: cannot close the uplink: %s", strerror(-r));
	return r;
}

void frames_reopen_uplink(struct frames *frames)
{
	if (frames->closed_fd >= 0)
		close(frames->closed_fd);
	if (frames->is_closed_by_clsact)
		detach_closed(frames);
	frames->closed_fd = -1;
	frames->is_closed_by_clsact = false;
}

static int use_tcx(struct frames *frames)
{
	int fd = attach_tcx(bpf_program__fd(frames->tc->progs.uplink_ingress),
			    (int)frames->config.uplink_ifindex, true);

	if (fd < 0) {
		if (fd == -EINVAL)
			frames_reason_add(frames, "this kernel has no tcx");
		else
			frames_reason_add(frames, "tcx: %s",
					  fd == -ERANGE ? "too many programs" : strerror(-fd));
		return fd;
	}
	frames->mode = FRAME_MODE_TC;
	frames->hook = FRAME_HOOK_TCX;
	return frames_pin_link(frames, PIN_LINK_UPLINK, fd);
}

/* There is no link to pin: pin the program, so that a later start can recognize
 * the filter by it. */
static int use_clsact(struct frames *frames)
{
	int fd = bpf_program__fd(frames->tc->progs.uplink_ingress);
	int r = pins_put(frames->pins, "", PIN_FILTER_UPLINK, fd);

	if (!r)
		r = frames_clsact_attach(fd, (int)frames->config.uplink_ifindex, true);
	if (r) {
		frames_reason_add(frames, "clsact: %s", strerror(-r));
		pins_remove(frames->pins, PIN_FILTER_UPLINK);
		return r;
	}
	frames->mode = FRAME_MODE_TC;
	frames->hook = FRAME_HOOK_CLSACT;
	return 0;
}

static int use_tc(struct frames *frames)
{
	int r = use_tcx(frames);

	return r ? use_clsact(frames) : 0;
}

/* --- modes --- */

/* Try first what costs the host least. */
static int attach_auto(struct frames *frames, const char *uplink)
{
	int r = frames_try_native(frames, uplink);

	if (r)
		r = use_tc(frames);
	if (r)
		r = frames_try_generic(frames, uplink);
	if (r)
		log_error("%s: cannot attach: %s", uplink, frames->mode_reason);
	return r;
}

static int attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode)
{
	int r;

	frames->mode_reason[0] = '\0';
	if (mode == FRAME_MODE_AUTO)
		return attach_auto(frames, uplink);
	if (mode != FRAME_MODE_TC)
		return frames_attach_xdp(frames, uplink, mode);
	frames_reason_add(frames, "as requested");
	r = use_tc(frames);
	if (r)
		log_error("%s: cannot attach by tc: %s", uplink, frames->mode_reason);
	return r;
}

int frames_attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode)
{
	int r = attach_uplink(frames, uplink, mode);

	/* Pin the quarantine's state only while the programs are attached. */
	return r ? r :
		   pins_put(frames->pins, "", PIN_FRAME_QUARANTINE,
			    bpf_map__fd(frames->tc->maps.frame_quarantine));
}

void frames_detach(const struct pins *pins, int uplink_ifindex)
{
	int fd = pins_get(pins, PIN_FILTER_UPLINK);

	frames_clsact_detach(fd, uplink_ifindex);
	if (fd >= 0)
		close(fd);
	pins_remove(pins, PIN_FILTER_UPLINK);
	frames_detach_link(pins, PIN_LINK_UPLINK);
	pins_remove(pins, PIN_FRAME_QUARANTINE);
}

static int refuse_held(const struct pins *pins, const char *pin, uint32_t ifindex)
{
	log_error("%s/%s: a process of a run before still holds the tap with index %u; "
		  "end that process, or delete the tap",
		  pins->directory, pin, ifindex);
	return -EBUSY;
}

static int detach_tap(const struct pins *pins, const char *name)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = pins_get(pins, name), r;

	r = fd < 0 ? fd : bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r)
		log_error("%s/%s: %s", pins->directory, name, strerror(-r));
	/* That of tcx is in the same place; the kernel sets it to 0 when the device ends. */
	if (!r && info.xdp.ifindex)
		r = refuse_held(pins, name, info.xdp.ifindex);
	if (fd >= 0)
		close(fd);
	if (!r)
		pins_remove(pins, name);
	return r;
}

struct filtered {
	int program_fd;
	int ifindex; /* of a tap with a filter of this program, 0: none */
};

static void find_filtered(const struct netlink_link *link, void *data)
{
	struct filtered *filtered = data;

	if (link->is_tun && frames_clsact_has(filtered->program_fd, link->ifindex))
		filtered->ifindex = link->ifindex;
}

/* A filter cannot get lost: look only for the taps. */
static int forget_filters(const struct pins *pins, struct netlink *netlink)
{
	struct filtered filtered = { .program_fd = pins_get(pins, PIN_FILTER_TAP) };
	int r;

	if (filtered.program_fd == -ENOENT)
		return 0;
	r = filtered.program_fd < 0 ? filtered.program_fd :
				      netlink_link_each(netlink, find_filtered, &filtered);
	if (r)
		log_error("%s/" PIN_FILTER_TAP ": %s", pins->directory, strerror(-r));
	else if (filtered.ifindex)
		r = refuse_held(pins, PIN_FILTER_TAP, (uint32_t)filtered.ifindex);
	if (filtered.program_fd >= 0)
		close(filtered.program_fd);
	if (!r)
		pins_remove(pins, PIN_FILTER_TAP);
	return r;
}

int frames_detach_taps(const struct pins *pins, struct netlink *netlink)
{
	int r = pins_each(pins, PIN_LINK_TAP_PREFIX, detach_tap);

	return r ? r : forget_filters(pins, netlink);
}

bool frames_have_taps(const struct pins *pins)
{
	return pins_has_other(pins, PIN_LINK_TAP_PREFIX, NULL, 0) ||
	       pins_has_other(pins, PIN_FILTER_TAP, NULL, 0);
}
