/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/frames/clsact.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Lower priorities run earlier. An earlier filter that ends the chain would keep
 * replies from us; our program passes on everything that is not for the calf. */
#define FIRST_PRIORITY 1
#define LAST_PRIORITY 16

#define PROGRAM_NAME "uplink_ingress"
#define SLOT_NAME "frame_slot"
#define MAPS_MAX 32

static int create_qdisc(struct bpf_tc_hook *hook)
{
	int r = bpf_tc_hook_create(hook);

	return r == -EEXIST ? 0 : r;
}

/* Use the first free priority. EEXIST: another instance's filter has it; EINVAL:
 * a filter of another kind or protocol has it. */
static int attach_first(const struct bpf_tc_hook *hook, int program_fd)
{
	int r = -EEXIST;

	for (uint32_t priority = FIRST_PRIORITY; priority <= LAST_PRIORITY; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd,
			    .handle = FRAMES_CLSACT_HANDLE, .priority = priority);

		r = bpf_tc_attach(hook, &opts);
		if (r != -EEXIST && r != -EINVAL)
			break;
	}
	return r;
}

int frames_clsact_attach(int program_fd, int ifindex, bool ingress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	/* libbpf prints errors about existing and missing filters: both are normal. */
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	int r = create_qdisc(&hook);

	if (!r)
		r = attach_first(&hook, program_fd);
	libbpf_set_print(before);
	return r;
}

static uint32_t program_id(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (program_fd < 0 || bpf_obj_get_info_by_fd(program_fd, &info, &size))
		return 0;
	return info.id;
}

/* Returns true for a devmap of calfpen of which the kernel emptied all slots when the
 * taps disappeared. */
static bool is_without_taps(uint32_t map_id)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info), ifindex;
	int fd = bpf_map_get_fd_by_id(map_id);
	bool empty = false;

	if (fd < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_MAP_TYPE_DEVMAP &&
	    !strcmp(info.name, SLOT_NAME)) {
		empty = true;
		for (uint32_t i = 0; empty && i < info.max_entries; i++)
			empty = bpf_map_lookup_elem(fd, &i, &ifindex) != 0 && errno == ENOENT;
	}
	close(fd);
	return empty;
}

/* Returns true for a filter of calfpen whose instance was killed, although its
 * pins are gone, too. */
static bool is_dead(uint32_t id)
{
	uint32_t maps[MAPS_MAX];
	struct bpf_prog_info info = { .map_ids = (uintptr_t)maps, .nr_map_ids = MAPS_MAX };
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool dead = false;

	if (fd < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, PROGRAM_NAME))
		for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_MAX && !dead; i++)
			dead = is_without_taps(maps[i]);
	close(fd);
	return dead;
}

bool frames_clsact_has(int program_fd, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	uint32_t own = program_id(program_fd);
	bool found = false;

	for (uint32_t priority = FIRST_PRIORITY; own && !found && priority <= LAST_PRIORITY;
	     priority++) {
		LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FRAMES_CLSACT_HANDLE,
			    .priority = priority);

		found = !bpf_tc_query(&hook, &filter) && filter.prog_id == own;
	}
	libbpf_set_print(before);
	return found;
}

void frames_clsact_detach(int program_fd, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	uint32_t own = program_id(program_fd);

	for (uint32_t priority = FIRST_PRIORITY; priority <= LAST_PRIORITY; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, found, .handle = FRAMES_CLSACT_HANDLE,
			    .priority = priority);
		LIBBPF_OPTS(bpf_tc_opts, gone, .handle = FRAMES_CLSACT_HANDLE,
			    .priority = priority);

		if (bpf_tc_query(&hook, &found))
			continue;
		if (found.prog_id == own || is_dead(found.prog_id))
			bpf_tc_detach(&hook, &gone);
	}
	libbpf_set_print(before);
}
