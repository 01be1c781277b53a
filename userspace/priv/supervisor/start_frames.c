/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: start of the frame programs
 *
 * Uplink, taps, and the programs on all of them, in two steps. The first one needs no gate, so
 * that it is done while the gates are loaded: when it ends, all programs are attached, but the
 * taps are down and in no devmap, so that no frame comes from a calf or gets to one. The second
 * one ends that. In quarantine the uplink is set up only when a program that drops incoming
 * frames is attached.
 */
#include <bpf/bpf.h>
#include <string.h>

#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

bool supervisor_in_quarantine(const struct supervisor *s)
{
	return s->quarantine.deadline_ns && !s->quarantine.opened_by;
}

static int set_uplink_up(struct supervisor *s)
{
	int r = netlink_link_set_up(s->netlink, s->uplink.ifindex, true);

	if (r)
		log_error("%s: cannot set up: %s", s->uplink.name, strerror(-r));
	return r;
}

/* Set the uplink up before attaching, because changes that attaching makes to a
 * device are visible only while it is up. */
int supervisor_start_uplink(struct supervisor *s)
{
	return supervisor_in_quarantine(s) ? 0 : set_uplink_up(s);
}

struct inform {
	struct in_addr address;
	bool is_there;
};

static void on_address(const struct netlink_address *address, void *data)
{
	struct inform *inform = data;

	inform->is_there |= address->protocol != NETLINK_OWNER &&
			    address->address.s_addr == inform->address.s_addr;
}

/* Returns the address of the uplink for which the calf asks (DHCPINFORM), 0.0.0.0: none. */
static struct in_addr find_inform(const struct supervisor *s)
{
	struct inform inform = { .is_there = false };
	struct kv_value present;
	int r = gate_read(s->store.gate_fds[KV_SUBJECT_SUPERVISOR], "/address", &present);

	if (configuration_inform(&s->configuration, r ? NULL : present.text, &inform.address))
		(void)netlink_address_each(s->netlink, s->uplink.ifindex, on_address, &inform);
	return inform.is_there ? inform.address : (struct in_addr){ INADDR_ANY };
}

/* Tell what holds before the watcher's next pass, because the calf may be faster: no lease, also
 * for another device, and the address for which it asks. That the quarantine has ended stays. */
static int tell_host(struct supervisor *s, struct in_addr inform)
{
	struct frame_host told = { 0 }, host = { .other = inform.s_addr };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &host, .ctx_size_in = sizeof(host));
	int r;

	r = bpf_map_lookup_elem(frames_host_map(&s->frames_host), &(uint32_t){ 0 }, &told);
	host.is_open = told.is_open;
	if (!r)
		r = bpf_prog_test_run_opts(frames_host_program(&s->frames_host), &opts);
	if (r)
		log_error("frame programs: cannot run host_set: %s", strerror(-r));
	return r;
}

/* What the programs must know of each calf with frames. */
static void describe_calves(const struct supervisor *s, struct frames_setup *setup)
{
	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++) {
		const struct description *description = s->framed[calf];
		struct frames_calf *it = &setup->calves[calf];

		if (!description)
			continue;
		it->tap_ifindex = s->taps[calf].ifindex;
		it->rules = description->frames;
		it->n_rules = description->n_frames;
		supervisor_make_grammar(s, description, &it->grammar);
	}
}

/* The taps exist before the programs, which know them by their indexes. */
int supervisor_load_frames(struct supervisor *s)
{
	struct frame_config config = {
		.uplink_ifindex = (uint32_t)s->uplink.ifindex,
		.pass_foreign = s->configuration.pass_foreign,
	};
	struct frames_setup setup = { .config = &config, .quarantine = &s->quarantine };
	int r;

	if (!supervisor_has_frames(s))
		return 0;
	memcpy(config.mac, s->uplink.mac, sizeof(config.mac));
	r = supervisor_make_taps(s);
	describe_calves(s, &setup);
	if (!r)
		r = supervisor_open_witness(s);
	if (!r && !s->frames_host.bpf)
		r = frames_host_init(&s->frames_host, &s->pins);
	if (!r)
		r = tell_host(s, (struct in_addr){ INADDR_ANY });
	setup.witness_fd = s->witness_fd;
	setup.host_fd = frames_host_map(&s->frames_host);
	if (!r)
		r = frames_init(&s->frames, &s->pins, &setup);
	/* Detach what a killed run left only after the uplink has been closed. */
	if (!r)
		r = frames_close_uplink(&s->frames);
	frames_detach(&s->pins, s->uplink.ifindex);
	if (!r && supervisor_in_quarantine(s))
		r = set_uplink_up(s);
	if (!r)
		r = frames_attach_taps(&s->frames);
	if (!r)
		r = frames_attach_uplink(&s->frames, s->uplink.name, s->configuration.mode);
	return r;
}

/* A tap goes up only after its programs are attached. */
int supervisor_start_frames(struct supervisor *s)
{
	int r;

	if (!supervisor_has_frames(s))
		return 0;
	r = tell_host(s, find_inform(s));
	if (!r)
		r = supervisor_set_taps_up(s);
	if (!r)
		r = frames_open(&s->frames);
	if (!r)
		frames_release(&s->frames);
	return r;
}

int supervisor_stop_frames(struct supervisor *s)
{
	/* The next device continues with the current state of the quarantine. */
	(void)frames_quarantine(&s->frames, &s->quarantine);
	frames_detach(&s->pins, s->uplink.ifindex);
	frames_deinit(&s->frames);
	return supervisor_close_taps(s);
}
