/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/store/store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps/pins.h"
#include "skel/kv_gate.skel.h"
#include "userspace/common/descriptors.h"
#include "userspace/common/log.h"
#include "userspace/priv/store/store-private.h"

enum { ADOPT_KV, ADOPT_CTL, ADOPT_SLOTS, ADOPT_EVENTS, ADOPT_DENIALS, N_ADOPTABLE };

/* The maps that survive in their pins, with the properties of new ones. */
static const struct {
	const char *pin;
	enum bpf_map_type type;
	uint32_t key_size, value_size;
} adoptable[N_ADOPTABLE] = {
	[ADOPT_KV] = { PIN_KV, BPF_MAP_TYPE_HASH, sizeof(struct kv_key), sizeof(struct kv_value) },
	[ADOPT_CTL] = { PIN_CTL, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct kv_ctl) },
	[ADOPT_SLOTS] = { PIN_SLOTS, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct kv_slot) },
	[ADOPT_EVENTS] = { PIN_EVENTS, BPF_MAP_TYPE_RINGBUF, 0, 0 },
	[ADOPT_DENIALS] = { PIN_DENIALS, BPF_MAP_TYPE_RINGBUF, 0, 0 },
};

static int refuse(const struct store *store, const char *pin, const char *why)
{
	log_error("%s/%s: cannot adopt the store of the previous run: %s; to start with an empty "
		  "store: rm -r %s",
		  store->pins->directory, pin, why, store->pins->directory);
	return -EEXIST;
}

/* Returns the ring's size in bytes, a power of two, with room for the unread
 * events of all subjects. */
static uint32_t events_size(uint32_t n_subjects)
{
	uint32_t size = KV_EVENTS_SIZE;

	while (size / n_subjects < 4 * KV_REQUEST_MAX)
		size *= 2;
	return size;
}

/* Returns true if a share of an adopted ring is enough. A ring cannot be replaced while
 * it has records that the audit log has not, so a store may have more calves than it was
 * made for, as long as each has room for the largest commit, and nearly as much again. */
static bool has_room(uint32_t ring_size, uint32_t n_subjects)
{
	return ring_size / n_subjects >= 2 * KV_REQUEST_MAX;
}

/* Check what a map has for its size and whether anybody could write to it. Whoever pinned
 * another one would read, forge or lose what the gates write. */
static const char *find_flaw(const struct store *store, size_t i, int fd,
			     const struct bpf_map_info *info)
{
	if (info->type != adoptable[i].type || info->key_size != adoptable[i].key_size ||
	    info->value_size != adoptable[i].value_size)
		return "wrong type or record size";
	if (info->map_flags != 0)
		return "wrong flags";
	switch (i) {
	case ADOPT_KV:
	case ADOPT_SLOTS:
		if (info->max_entries > KV_KEYS_MAX + KV_KEYS_SLACK)
			return "too many keys";
		break;
	case ADOPT_CTL:
		if (info->max_entries != 1)
			return "wrong size";
		break;
	case ADOPT_EVENTS:
		if (info->max_entries < KV_EVENTS_SIZE ||
		    info->max_entries > events_size(KV_SUBJECTS_MAX))
			return "wrong ring size";
		if (!has_room(info->max_entries, store->n_subjects))
			return "too small for so many calves";
		break;
	default:
		if (info->max_entries != KV_DENIALS_SIZE)
			return "wrong ring size";
		break;
	}
	return info->type != BPF_MAP_TYPE_RINGBUF && !pins_is_frozen(fd) ? "not frozen" : NULL;
}

/* Check that the pinned maps fit together. Stores a copy of ctl in *ctlp. */
static int check_adopted(const struct store *store, const int fds[N_ADOPTABLE], struct kv_ctl *ctlp)
{
	uint32_t n_entries[N_ADOPTABLE];
	uint32_t zero = 0;

	for (size_t i = 0; i < N_ADOPTABLE; i++) {
		struct bpf_map_info info = { 0 };
		uint32_t size = sizeof(info);

		const char *flaw;

		if (bpf_obj_get_info_by_fd(fds[i], &info, &size))
			return refuse(store, adoptable[i].pin, "not a map");
		flaw = find_flaw(store, i, fds[i], &info);
		if (flaw)
			return refuse(store, adoptable[i].pin, flaw);
		n_entries[i] = info.max_entries;
	}
	if (n_entries[ADOPT_SLOTS] != n_entries[ADOPT_KV])
		return refuse(store, PIN_SLOTS, "another number of keys than " PIN_KV);
	if (bpf_map_lookup_elem(fds[ADOPT_CTL], &zero, ctlp))
		return refuse(store, PIN_CTL, "cannot read it");
	if (ctlp->layout_version != KV_LAYOUT_VERSION)
		return refuse(store, PIN_CTL, "wrong layout version");
	if (!store_names_are_valid(ctlp))
		return refuse(store, PIN_CTL, "wrong names of subjects");
	if (ctlp->max_keys > KV_KEYS_MAX || n_entries[ADOPT_KV] < ctlp->max_keys + KV_KEYS_SLACK)
		return refuse(store, PIN_CTL, "another number of keys than " PIN_KV);
	return 0;
}

/* The descriptions have more keys than those of the run that created the maps. */
static int grow(const struct store *store, int fds[N_ADOPTABLE], uint32_t max_keys)
{
	struct store_sized maps = { .kv_fd = fds[ADOPT_KV],
				    .slots_fd = fds[ADOPT_SLOTS],
				    .ctl_fd = fds[ADOPT_CTL] };
	int r = store_grow(store->pins, &maps, max_keys);

	fds[ADOPT_KV] = maps.kv_fd;
	fds[ADOPT_SLOTS] = maps.slots_fd;
	fds[ADOPT_CTL] = maps.ctl_fd;
	return r;
}

/* Returns 0 if the maps were adopted, 1 if there is nothing to adopt, or a negative errno. */
static int adopt(struct store *store, uint32_t max_keys)
{
	struct kv_ctl ctl = { 0 };
	size_t n_found = 0;
	int fds[N_ADOPTABLE], r = 0;

	for (size_t i = 0; i < N_ADOPTABLE; i++) {
		fds[i] = pins_get(store->pins, adoptable[i].pin);
		if (fds[i] >= 0)
			n_found++;
		else if (fds[i] != -ENOENT)
			r = fds[i];
	}
	if (r)
		log_error("%s: cannot open the pins of the store: %s", store->pins->directory,
			  strerror(-r));
	else if (n_found < N_ADOPTABLE)
		/* No pins, or those of a start that was killed while it pinned: no
		 * gate has run yet. */
		r = 1;
	else
		r = check_adopted(store, fds, &ctl);
	if (!r && !ctl.n_keys)
		/* A start that ended before it wrote its first keys, or restored those on
		 * disk: adopting it would be to forget them. */
		r = 1;
	if (!r && ctl.max_keys < max_keys)
		r = grow(store, fds, max_keys);
	if (r) {
		for (size_t i = 0; i < N_ADOPTABLE; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		/* before the others are replaced, which may be of another size */
		if (r > 0)
			pins_remove(store->pins, PIN_CTL);
		return r;
	}
	store->kv_fd = fds[ADOPT_KV];
	store->ctl_fd = fds[ADOPT_CTL];
	store->slots_fd = fds[ADOPT_SLOTS];
	store->events_fd = fds[ADOPT_EVENTS];
	store->denials_fd = fds[ADOPT_DENIALS];
	store->adopted = true;
	return 0;
}

/* Load the maps of an instance from the object that defines them, without its
 * program. An adopted map is used instead of a new one. */
static int open_shared(struct store *store, uint32_t max_keys)
{
	struct kv_gate_bpf *gate = kv_gate_bpf__open();
	int r = 0;

	if (!gate)
		return -errno;
	store->shared = gate;
	bpf_program__set_autoload(gate->progs.kv_gate, false);
	bpf_map__set_autocreate(gate->maps.acl, false);
	bpf_map__set_autocreate(gate->maps.staging, false);
	bpf_map__set_autocreate(gate->maps.watch_ring, false);
	if (store->adopted) {
		r = bpf_map__reuse_fd(gate->maps.kv, store->kv_fd);
		if (!r)
			r = bpf_map__reuse_fd(gate->maps.ctl, store->ctl_fd);
		if (!r)
			r = bpf_map__reuse_fd(gate->maps.slots, store->slots_fd);
		if (!r)
			r = bpf_map__reuse_fd(gate->maps.events, store->events_fd);
		if (!r)
			r = bpf_map__reuse_fd(gate->maps.denials, store->denials_fd);
	} else {
		bpf_map__set_max_entries(gate->maps.kv, max_keys + KV_KEYS_SLACK);
		bpf_map__set_max_entries(gate->maps.slots, max_keys + KV_KEYS_SLACK);
		bpf_map__set_max_entries(gate->maps.events, events_size(store->n_subjects));
	}
	return r ? r : kv_gate_bpf__load(gate);
}

static int take_fd(int *fdp, const struct bpf_map *map)
{
	*fdp = descriptors_copy(bpf_map__fd(map));
	return *fdp < 0 ? *fdp : 0;
}

/* Fill, freeze and pin new maps, so that the next run can adopt them. ctl is the last:
 * without it there is no store. */
static int begin_store(struct store *store, uint32_t max_keys)
{
	struct kv_ctl ctl = { .layout_version = KV_LAYOUT_VERSION, .max_keys = max_keys };
	struct kv_gate_bpf *gate = store->shared;
	const uint32_t zero = 0;
	int r;

	store_names_init(&ctl);
	r = bpf_map_update_elem(bpf_map__fd(gate->maps.ctl), &zero, &ctl, BPF_ANY);
	if (!r)
		r = take_fd(&store->kv_fd, gate->maps.kv);
	if (!r)
		r = take_fd(&store->ctl_fd, gate->maps.ctl);
	if (!r)
		r = take_fd(&store->slots_fd, gate->maps.slots);
	if (!r)
		r = take_fd(&store->events_fd, gate->maps.events);
	if (!r)
		r = take_fd(&store->denials_fd, gate->maps.denials);
	if (!r)
		r = bpf_map_freeze(store->kv_fd);
	if (!r)
		r = bpf_map_freeze(store->ctl_fd);
	if (!r)
		r = bpf_map_freeze(store->slots_fd);
	if (!r)
		r = pins_put(store->pins, "", PIN_KV, store->kv_fd);
	if (!r)
		r = pins_put(store->pins, "", PIN_SLOTS, store->slots_fd);
	if (!r)
		r = pins_put(store->pins, "", PIN_EVENTS, store->events_fd);
	if (!r)
		r = pins_put(store->pins, "", PIN_DENIALS, store->denials_fd);
	if (!r)
		r = pins_put(store->pins, "", PIN_CTL, store->ctl_fd);
	return r;
}

static int freeze_and_pin(const struct store *store, const char *pin, const struct bpf_map *map)
{
	int r = bpf_map_freeze(bpf_map__fd(map));

	return r ? r : pins_put(store->pins, "", pin, bpf_map__fd(map));
}

int store_init(struct store *store, const struct pins *pins, uint32_t max_keys, uint32_t n_subjects)
{
	int r;

	*store = STORE_NULL(*store);
	if (max_keys > KV_KEYS_MAX || n_subjects > KV_SUBJECTS_MAX || !n_subjects) {
		log_error("store: the descriptions need %u keys and %u subjects; at most %u and %u "
			  "are possible",
			  max_keys, n_subjects, KV_KEYS_MAX, KV_SUBJECTS_MAX);
		return -E2BIG;
	}
	store->pins = pins;
	store->n_subjects = n_subjects;
	/* what a killed start has made larger may be of a former layout */
	r = store_finish_growth(pins);
	if (!r)
		r = store_upgrade(pins);
	if (!r)
		r = adopt(store, max_keys);
	if (r >= 0) {
		/* Never reuse gates, rules and private maps of the previous run. A store that
		 * is refused keeps them: they say whose it is. */
		pins_remove_all(pins, PIN_GATE_PREFIX);
		pins_remove_all(pins, PIN_ACL_PREFIX);
		pins_remove_all(pins, PIN_STAGING_PREFIX);
		pins_remove_all(pins, PIN_RING_PREFIX);
		r = open_shared(store, max_keys);
		if (!r && !store->adopted)
			r = begin_store(store, max_keys);
		if (!r)
			r = freeze_and_pin(store, PIN_UNDO, store->shared->maps.undo);
		if (!r)
			r = freeze_and_pin(store, PIN_UNDO_VALUES, store->shared->maps.undo_values);
		if (!r)
			r = freeze_and_pin(store, PIN_WATCHES, store->shared->maps.watches);
		if (r)
			log_error("store: cannot create it: %s", strerror(-r));
	}
	if (r)
		store_deinit(store);
	return r;
}

/* Returns the rule of a path or directory, found as in the gate, or NULL. */
static const struct store_rule *resolve(const struct store *store, uint32_t subject,
					const struct kv_key *key)
{
	struct kv_key names[] = { *key, *key, { "/" } };
	char *slash = strrchr(names[1].path, '/');

	/* the directory of "/dir/name" is "/dir/"; that of "/dir/" is the root */
	if (slash)
		memset(slash + 1, 0, sizeof(names[1].path) - (size_t)(slash + 1 - names[1].path));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (uint32_t j = 0; j < store->n_rules[subject]; j++)
			if (!memcmp(&store->rules[subject][j].key, &names[i], sizeof(names[i])))
				return &store->rules[subject][j];
	return NULL;
}

static void forget_rules(struct store *store, uint32_t number)
{
	free(store->rules[number]);
	store->rules[number] = NULL;
	store->n_rules[number] = 0;
}

int store_seal(struct store *store)
{
	int fd = bpf_map__fd(store->shared->maps.watch_rights), r = 0;

	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++)
		for (uint32_t j = 0; !r && j < store->n_rules[i]; j++) {
			const struct kv_key *key = &store->rules[i][j].key;
			uint64_t mask = 0;

			for (uint32_t k = 0; k < KV_SUBJECTS_MAX; k++) {
				const struct store_rule *rule =
					store->n_rules[k] ? resolve(store, k, key) : NULL;

				if (rule && rule->rule.access & KV_ACCESS_WATCH)
					mask |= 1ull << k;
			}
			r = bpf_map_update_elem(fd, key, &mask, BPF_ANY);
		}
	if (!r)
		r = freeze_and_pin(store, PIN_WATCH_RIGHTS, store->shared->maps.watch_rights);
	if (!r)
		r = freeze_and_pin(store, PIN_RINGS, store->shared->maps.rings);
	if (r)
		log_error("store: cannot set up the watch rights: %s", strerror(-r));
	/* The gates hold the maps, and nothing needs the rest any more. */
	kv_gate_bpf__destroy(store->shared);
	store->shared = NULL;
	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++)
		forget_rules(store, i);
	return r;
}

uint64_t store_revision(const struct store *store)
{
	const uint32_t zero = 0;
	struct kv_ctl ctl;

	if (store->ctl_fd < 0 || bpf_map_lookup_elem(store->ctl_fd, &zero, &ctl))
		return 0;
	return ctl.revision;
}

void store_close_subject(struct store *store, uint32_t number)
{
	if (store->gate_fds[number] >= 0)
		close(store->gate_fds[number]);
	forget_rules(store, number);
	if (store->ring_pages[number])
		munmap(store->ring_pages[number], (size_t)sysconf(_SC_PAGESIZE));
	if (store->ring_fds[number] >= 0)
		close(store->ring_fds[number]);
	store->ring_pages[number] = NULL;
	store->ring_fds[number] = store->gate_fds[number] = -1;
}

void store_deinit(struct store *store)
{
	int *fds[] = { &store->kv_fd, &store->ctl_fd, &store->slots_fd, &store->events_fd,
		       &store->denials_fd };

	store_end_loading(store);
	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++)
		store_close_subject(store, i);
	kv_gate_bpf__destroy(store->shared);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	*store = STORE_NULL(*store);
}
