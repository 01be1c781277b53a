/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/frames/frames.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "userspace/common/descriptors.h"
#include "userspace/common/log.h"

/* Enter a rule where ingress looks for it. */
static int configure_rule(struct frame_config *config, const struct frame_rule *rule,
			  uint16_t number)
{
	const struct frame_port port = { .port = htons(rule->local_port), .rule = number };

	if (rule->check == FRAME_CHECK_ARP) {
		if (config->has_arp)
			return -EEXIST;
		config->has_arp = true;
		config->arp_rule = number;
		return 0;
	}
	for (uint32_t i = 0; i < config->n_ports; i++)
		if (config->ports[i].port == port.port)
			return -EEXIST;
	config->ports[config->n_ports++] = port;
	return 0;
}

static int configure(struct frame_config *config, const struct frames_setup *setup)
{
	int r = 0;

	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++) {
		const struct frames_calf *it = &setup->calves[calf];

		if (it->n_rules > FRAME_RULES_MAX)
			return -E2BIG;
		config->taps[calf] = (uint32_t)it->tap_ifindex;
		for (uint32_t i = 0; !r && i < it->n_rules; i++)
			r = configure_rule(config, &it->rules[i], (uint16_t)FRAME_RULE(calf, i));
	}
	return r;
}

/* The number of a calf is not larger than necessary: do not pay for more. */
static int shrink_maps(const struct frames *frames)
{
	const struct frame_tc_bpf *tc = frames->tc;
	uint32_t n_calves = 1;
	int r;

	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		if (frames->config.taps[calf])
			n_calves = calf + 1;
	r = bpf_map__set_max_entries(tc->maps.frame_replies, n_calves * FRAME_REPLIES_KEPT);
	return r ? r :
		   bpf_map__set_max_entries(tc->maps.frame_counters,
					    (1 + n_calves) * _FRAME_REASON_N);
}

static int load_tc(struct frames *frames, const struct frames_setup *setup)
{
	int r;

	frames->tc = frame_tc_bpf__open();
	if (!frames->tc)
		return -errno;
	frames->tc->rodata->config = frames->config;
	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		frames->tc->rodata->grammar[calf] = setup->calves[calf].grammar;
	bpf_program__set_autoload(frames->tc->progs.uplink_closed, frames->config.quarantine);
	r = shrink_maps(frames);
	if (!r)
		r = bpf_map__reuse_fd(frames->tc->maps.frame_witness, setup->witness_fd);
	if (!r)
		r = bpf_map__reuse_fd(frames->tc->maps.frame_host, setup->host_fd);
	return r ? r : frame_tc_bpf__load(frames->tc);
}

static int fill_rules(const struct frames *frames, const struct frames_setup *setup)
{
	int fd = bpf_map__fd(frames->tc->maps.frame_rules), r = 0;

	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		for (uint32_t i = 0; !r && i < setup->calves[calf].n_rules; i++)
			r = bpf_map_update_elem(fd, &(uint32_t){ FRAME_RULE(calf, i) },
						&setup->calves[calf].rules[i], BPF_ANY);
	return r;
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

/* For what is read as long as the programs are there. */
static int keep_maps(struct frames *frames)
{
	const struct frame_tc_bpf *tc = frames->tc;

	frames->quarantine_fd = descriptors_copy(bpf_map__fd(tc->maps.frame_quarantine));
	if (frames->quarantine_fd < 0)
		return frames->quarantine_fd;
	frames->counters_fd = descriptors_copy(bpf_map__fd(tc->maps.frame_counters));
	return frames->counters_fd < 0 ? frames->counters_fd : 0;
}

int frames_init(struct frames *frames, const struct pins *pins, const struct frames_setup *setup)
{
	const struct frame_quarantine *quarantine = setup->quarantine;
	int r;

	*frames = FRAMES_NULL(*frames);
	frames->pins = pins;
	frames->config = *setup->config;
	frames->config.quarantine = quarantine && quarantine->deadline_ns && !quarantine->opened_by;
	do {
		/* With 0, unmarked frames of the host would get into the tap. */
		if (getrandom(&frames->config.mark, sizeof(frames->config.mark), 0) < 0)
			return -errno;
	} while (!frames->config.mark);

	r = configure(&frames->config, setup);
	if (!r)
		r = load_tc(frames, setup);
	if (!r)
		r = fill_rules(frames, setup);
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
	if (!r)
		r = keep_maps(frames);
	if (r) {
		log_error("frame programs: cannot load them: %s", strerror(-r));
		frames_deinit(frames);
	}
	return r;
}

int frames_quarantine(const struct frames *frames, struct frame_quarantine *quarantinep)
{
	if (frames->quarantine_fd < 0)
		return -ENOENT;
	return bpf_map_lookup_elem(frames->quarantine_fd, &(uint32_t){ 0 }, quarantinep);
}

int frames_count(const struct frames *frames, uint32_t owner, uint32_t reason, uint64_t *np)
{
	const uint32_t index = FRAME_COUNTER(owner, reason);
	int n_cpus = libbpf_num_possible_cpus(), r;
	struct frame_counter *counters;

	if (frames->counters_fd < 0)
		return -ENOENT;
	if (n_cpus < 0)
		return n_cpus;
	counters = calloc((size_t)n_cpus, sizeof(*counters));
	if (!counters)
		return -ENOMEM;
	r = bpf_map_lookup_elem(frames->counters_fd, &index, counters);
	for (int i = 0; !r && i < n_cpus; i++)
		*np += counters[i].packets;
	free(counters);
	return r == -ENOENT ? 0 : r; /* no such owner */
}

static int fill_slots(const struct frames *frames, const struct bpf_map *map)
{
	const uint32_t *taps = frames->config.taps;
	int r = 0;

	for (uint32_t calf = 0; !r && calf < FRAME_CALVES_MAX; calf++)
		if (taps[calf])
			r = bpf_map_update_elem(bpf_map__fd(map), &calf, &taps[calf], BPF_ANY);
	return r;
}

int frames_open(struct frames *frames)
{
	int r = fill_slots(frames, frames->tc->maps.frame_slot);

	if (!r && frames->xdp)
		r = fill_slots(frames, frames->xdp->maps.frame_slot);
	if (r)
		log_error("taps: cannot enter them in the devmap: %s", strerror(-r));
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

void frames_release(struct frames *frames)
{
	frame_tc_bpf__destroy(frames->tc);
	frame_xdp_bpf__destroy(frames->xdp);
	frames->tc = NULL;
	frames->xdp = NULL;
}

void frames_deinit(struct frames *frames)
{
	frames_reopen_uplink(frames);
	frames_release(frames);
	if (frames->quarantine_fd >= 0)
		close(frames->quarantine_fd);
	if (frames->counters_fd >= 0)
		close(frames->counters_fd);
	*frames = FRAMES_NULL(*frames);
}
