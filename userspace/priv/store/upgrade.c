/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: stores of former layouts
 *
 * Layout 4 had no secrets. Nothing of it differs but the number, which keeps a version that
 * would show them to everybody from adopting the store again.
 *
 * Layout 3 has no names, either, and its subjects were numbered in the order of the command
 * line. Which number was whose is known only if dhcp4 was alone in the last run, and no number
 * but the first was ever used.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "skel/kv_names.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/store/store-private.h"

#define UNNAMED_VERSION 3
#define UNNAMED_SIZE offsetof(struct kv_ctl, names)
#define FORMER_VERSION 4
#define FORMER_CALF "dhcp4"

/* Read ctl. Returns false if it is not one of this layout, or if anybody could have
 * written to it: adopting it says why it is refused. */
static bool read_former(int fd, uint32_t version, uint32_t ctl_size, struct kv_ctl *ctl)
{
	const uint32_t zero = 0;
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_MAP_TYPE_ARRAY &&
	       info.key_size == sizeof(uint32_t) && info.value_size == ctl_size &&
	       info.max_entries == 1 && !info.map_flags && pins_is_frozen(fd) &&
	       !bpf_map_lookup_elem(fd, &zero, ctl) && ctl->layout_version == version;
}

static bool is_pinned(const struct pins *pins, const char *name)
{
	int fd = pins_get(pins, name);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* The pins are of the last run, the counters are of all. Without pins nobody knows whose the
 * first number is. */
static bool is_of_dhcp4_alone(const struct pins *pins, const struct kv_ctl *ctl)
{
	static const char *const names[] = { KV_NAME_SUPERVISOR, KV_NAME_WATCHER, KV_NAME_OPERATOR,
					     FORMER_CALF };

	for (uint32_t i = KV_SUBJECT_CALF + 1; i < KV_SUBJECTS_MAX; i++)
		if (ctl->subject[i].n_accepted || ctl->subject[i].n_reads ||
		    ctl->subject[i].n_refused || ctl->subject[i].n_keys)
			return false;
	return is_pinned(pins, PIN_ACL_PREFIX FORMER_CALF) &&
	       !pins_has_other(pins, PIN_ACL_PREFIX, names, sizeof(names) / sizeof(names[0]));
}

/* Replace ctl by one of this layout, in one step. */
static int replace(const struct pins *pins, struct kv_ctl *ctl)
{
	static const char next[] = PIN_CTL "_next";
	struct kv_names_bpf *program = kv_names_bpf__open_and_load();
	const uint32_t zero = 0;
	int r, fd;

	if (!program)
		return -errno;
	fd = bpf_map__fd(program->maps.ctl);
	ctl->layout_version = KV_LAYOUT_VERSION;
	r = bpf_map_update_elem(fd, &zero, ctl, BPF_ANY);
	if (!r)
		r = bpf_map_freeze(fd);
	if (!r)
		r = pins_put(pins, "", next, fd);
	if (!r)
		r = pins_rename(pins, next, PIN_CTL);
	kv_names_bpf__destroy(program);
	return r;
}

static int add_names(const struct pins *pins, struct kv_ctl *ctl)
{
	store_names_init(ctl);
	memcpy(ctl->names[KV_SUBJECT_CALF], FORMER_CALF, sizeof(FORMER_CALF));
	return replace(pins, ctl);
}

/* ctl last: as long as it is there, a start that finds it sets aside what a killed one has
 * left. */
static int set_aside(const struct pins *pins)
{
	static const char *const names[][2] = {
		{ PIN_KV, PIN_ASIDE_PREFIX PIN_KV },
		{ PIN_SLOTS, PIN_ASIDE_PREFIX PIN_SLOTS },
		{ PIN_EVENTS, PIN_ASIDE_PREFIX PIN_EVENTS },
		{ PIN_DENIALS, PIN_ASIDE_PREFIX PIN_DENIALS },
		{ PIN_CTL, PIN_ASIDE_PREFIX PIN_CTL },
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(names) / sizeof(names[0]); i++) {
		r = pins_rename(pins, names[i][0], names[i][1]);
		if (r == -ENOENT)
			r = 0;
	}
	if (!r)
		log_warning(
			"store: the previous run was of a version that numbered calves by their "
			"order, so whose its keys are is not certain; set it aside and started "
			"an empty store; to free its memory: rm %s/" PIN_ASIDE_PREFIX "*",
			pins->directory);
	return r;
}

int store_upgrade(const struct pins *pins)
{
	int fd = pins_get(pins, PIN_CTL), r = 0;
	struct kv_ctl ctl = { 0 };

	if (fd < 0)
		return 0;
	if (read_former(fd, FORMER_VERSION, sizeof(ctl), &ctl))
		r = replace(pins, &ctl);
	else if (read_former(fd, UNNAMED_VERSION, UNNAMED_SIZE, &ctl))
		r = is_of_dhcp4_alone(pins, &ctl) ? add_names(pins, &ctl) : set_aside(pins);
	close(fd);
	if (r)
		log_error("%s: cannot adopt the store of a version before: %s", pins->directory,
			  strerror(-r));
	return r;
}
