/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/frames/frames.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "userspace/common/log.h"

static int load_tc(struct frames *frames, const struct frames_setup *setup)
{
	int r;

	frames->tc = frame_tc_bpf__open();
	if (!frames->tc)
		return -errno;
	frames->tc->rodata->config = frames->config;
	frames->tc->rodata->grammar = *setup->grammar;
	bpf_program__set_autoload(frames->tc->progs.uplink_closed, frames->config.quarantine);
	r = bpf_map__reuse_fd(frames->tc->maps.frame_witness, setup->witness_fd);
	if (!r)
		r = bpf_map__reuse_fd(frames->tc->maps.frame_host, setup->host_fd);
	return r ? r : frame_tc_bpf__load(frames->tc);
}

static int fill_rules(const struct frames *frames, const struct frame_rule *rules, uint32_t n_rules)
{
	for (uint32_t i = 0; i < n_rules; i++) {
		int r = bpf_map_update_elem(bpf_map__fd(frames->tc->maps.frame_rules), &i,
					    &rules[i], BPF_ANY);

		if (r)
			return r;
	}
	return 0;
}

static int fill_quarantine(const struct frames *frames, const struct frame_quarantine *quarantine)
{
	int fd = bpf_map__fd(frames->tc->maps.frame_quarantine), r = 0;

	if (quarantine)
		r = bpf_map_update_elem(fd, &(uint32_t){ 0 }, quarantine, BPF_ANY);
	return r ? r : bpf_map_freeze(fd);
}

static int freeze_and_pin(const struct frames *frames)
{
	const struct {
		const char *pin;
		const struct bpf_map *map;
		bool open; /* not frozen: the kernel must be able to empty it, and we to fill it */
	} maps[] = {
		{ PIN_FRAME_RULES, frames->tc->maps.frame_rules, false },
		{ PIN_FRAME_BUCKETS, frames->tc->maps.frame_buckets, false },
		{ PIN_FRAME_IDENTITY, frames->tc->maps.frame_identity, false },
		{ PIN_FRAME_XIDS, frames->tc->maps.frame_xids, false },
		{ PIN_FRAME_PEERS, frames->tc->maps.frame_peers, false },
		{ PIN_FRAME_WATCHED, frames->tc->maps.frame_watched, false },
		{ PIN_FRAME_COUNTERS, frames->tc->maps.frame_counters, false },
		{ PIN_FRAME_SAMPLERS, frames->tc->maps.frame_samplers, false },
		{ PIN_FRAME_SAMPLES, frames->tc->maps.frame_samples, false },
		{ PIN_FRAME_SLOT, frames->tc->maps.frame_slot, true },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		int fd = bpf_map__fd(maps[i].map), r = 0;

		if (!maps[i].open)
			r = bpf_map_freeze(fd);
		if (!r)
			r = pins_put(frames->pins, "", maps[i].pin, fd);
		if (r)
			return r;
	}
	return 0;
}

int frames_init(struct frames *frames, const struct pins *pins, const struct frames_setup *setup)
{
	const struct frame_quarantine *quarantine = setup->quarantine;
	int r;

	*frames = FRAMES_NULL(*frames);
	if (setup->n_rules > FRAME_RULES_MAX)
		return -E2BIG;
	frames->pins = pins;
	frames->config = *setup->config;
	frames->config.quarantine = quarantine && quarantine->deadline_ns && !quarantine->opened_by;
	do {
		/* With 0, unmarked frames of the host would get into the tap. */
		if (getrandom(&frames->config.mark, sizeof(frames->config.mark), 0) < 0)
			return -errno;
	} while (!frames->config.mark);

	r = load_tc(frames, setup);
	if (!r)
		r = fill_rules(frames, setup->rules, setup->n_rules);
	if (!r)
		r = fill_quarantine(frames, quarantine);
	if (!r)
		r = bpf_map_freeze(bpf_map__fd(frames->tc->maps.frame_reply));
	if (!r)
		r = bpf_map_freeze(bpf_map__fd(frames->tc->maps.frame_replies));
	if (!r)
		r = bpf_map_freeze(bpf_map__fd(frames->tc->maps.frame_message));
	if (!r)
		r = freeze_and_pin(frames);
	if (r) {
		log_error("frame programs: cannot load them: %s", strerror(-r));
		frames_deinit(frames);
	}
	return r;
}

int frames_quarantine(const struct frames *frames, struct frame_quarantine *quarantinep)
{
	if (!frames->tc)
		return -ENOENT;
	return bpf_map_lookup_elem(bpf_map__fd(frames->tc->maps.frame_quarantine), &(uint32_t){ 0 },
				   quarantinep);
}

int frames_count(const struct frames *frames, uint32_t reason, uint64_t *np)
{
	int n_cpus = libbpf_num_possible_cpus(), r;
	struct frame_counter *counters;

	if (!frames->tc)
		return -ENOENT;
	if (n_cpus < 0)
		return n_cpus;
	counters = calloc((size_t)n_cpus, sizeof(*counters));
	if (!counters)
		return -ENOMEM;
	r = bpf_map_lookup_elem(bpf_map__fd(frames->tc->maps.frame_counters), &reason, counters);
	for (int i = 0; !r && i < n_cpus; i++)
		*np += counters[i].packets;
	free(counters);
	return r;
}

int frames_open(struct frames *frames, int tap_ifindex)
{
	uint32_t zero = 0, ifindex = (uint32_t)tap_ifindex;
	int r = bpf_map_update_elem(bpf_map__fd(frames->tc->maps.frame_slot), &zero, &ifindex,
				    BPF_ANY);

	if (!r && frames->xdp)
		r = bpf_map_update_elem(bpf_map__fd(frames->xdp->maps.frame_slot), &zero, &ifindex,
					BPF_ANY);
	if (r)
		log_error("tap: cannot enter it in the devmap slot: %s", strerror(-r));
	else
		frames_reopen_uplink(frames);
	return r;
}

const char *frames_mode_name(enum frame_mode mode)
{
	static const char *const names[] = FRAME_MODE_NAMES;

	return names[mode];
}

const char *frames_hook_name(enum frame_hook hook)
{
	static const char *const names[] = {
		[FRAME_HOOK_NONE] = "none",
		[FRAME_HOOK_NATIVE_XDP] = "native XDP",
		[FRAME_HOOK_TCX] = "tcx",
		[FRAME_HOOK_CLSACT] = "clsact",
		[FRAME_HOOK_GENERIC_XDP] = "generic XDP",
	};

	return names[hook];
}

void frames_deinit(struct frames *frames)
{
	frames_reopen_uplink(frames);
	frame_tc_bpf__destroy(frames->tc);
	frame_xdp_bpf__destroy(frames->xdp);
	*frames = FRAMES_NULL(*frames);
}
