/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: more keys than the store was made for
 *
 * The size of a map cannot be changed, so a calf that is added needs larger ones. They
 * are pinned beside the old ones, grown_ctl as the last: if it is there, all of them are
 * complete, and a start that finds it renames them. The rings stay as they are, because
 * the watcher may not have read all of their records.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/log.h"
#include "userspace/priv/store/store-private.h"

#define GROWN_KV PIN_GROWN_PREFIX PIN_KV
#define GROWN_SLOTS PIN_GROWN_PREFIX PIN_SLOTS
#define GROWN_CTL PIN_GROWN_PREFIX PIN_CTL

#define ATTEMPTS_MAX 10

static int copy_keys(int from, int to)
{
	struct kv_key key, *before = NULL;
	struct kv_value value;
	int r = 0;

	while (!r && !bpf_map_get_next_key(from, before, &key)) {
		before = &key;
		r = bpf_map_lookup_elem(from, &key, &value);
		if (!r)
			r = bpf_map_update_elem(to, &key, &value, BPF_ANY);
	}
	return r;
}

static int copy_slots(int from, int to, uint32_t n)
{
	struct kv_slot slot;
	int r = 0;

	for (uint32_t i = 0; !r && i < n; i++) {
		r = bpf_map_lookup_elem(from, &i, &slot);
		if (!r)
			r = bpf_map_update_elem(to, &i, &slot, BPF_ANY);
	}
	return r;
}

/* Returns -EAGAIN if a commit was made meanwhile: by a process that has had the gate of the
 * operator since the run before. One between this and the renames is lost. */
static int copy(const struct store_sized *from, const struct store_sized *to, uint32_t max_keys)
{
	const uint32_t zero = 0;
	struct kv_ctl ctl, after;
	int r = bpf_map_lookup_elem(from->ctl_fd, &zero, &ctl);

	if (!r)
		r = copy_keys(from->kv_fd, to->kv_fd);
	if (!r)
		r = copy_slots(from->slots_fd, to->slots_fd, ctl.n_slots);
	if (!r)
		r = bpf_map_lookup_elem(from->ctl_fd, &zero, &after);
	if (r)
		return r;
	if (ctl.lock || after.lock || after.revision != ctl.revision)
		return -EAGAIN;
	after.max_keys = max_keys;
	return bpf_map_update_elem(to->ctl_fd, &zero, &after, BPF_ANY);
}

static void close_all(const struct store_sized *maps)
{
	const int fds[] = { maps->kv_fd, maps->slots_fd, maps->ctl_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static int create_map(int *fdp, enum bpf_map_type type, const char *name, uint32_t key_size,
		      uint32_t value_size, uint32_t n_entries)
{
	*fdp = bpf_map_create(type, name, key_size, value_size, n_entries, NULL);
	return *fdp < 0 ? *fdp : 0;
}

static int create(struct store_sized *maps, uint32_t max_keys)
{
	const uint32_t n_entries = max_keys + KV_KEYS_SLACK;
	int r;

	*maps = (struct store_sized){ .kv_fd = -1, .slots_fd = -1, .ctl_fd = -1 };
	r = create_map(&maps->kv_fd, BPF_MAP_TYPE_HASH, PIN_KV, sizeof(struct kv_key),
		       sizeof(struct kv_value), n_entries);
	if (!r)
		r = create_map(&maps->slots_fd, BPF_MAP_TYPE_ARRAY, PIN_SLOTS, sizeof(uint32_t),
			       sizeof(struct kv_slot), n_entries);
	if (!r)
		r = create_map(&maps->ctl_fd, BPF_MAP_TYPE_ARRAY, PIN_CTL, sizeof(uint32_t),
			       sizeof(struct kv_ctl), 1);
	if (r)
		close_all(maps);
	return r;
}

static int freeze_and_pin(const struct pins *pins, const char *pin, int fd)
{
	int r = bpf_map_freeze(fd);

	return r ? r : pins_put(pins, "", pin, fd);
}

/* Create the larger maps in *maps, and pin them beside the old ones. */
static int prepare(const struct pins *pins, const struct store_sized *old, struct store_sized *maps,
		   uint32_t max_keys)
{
	int r = create(maps, max_keys);

	if (r)
		return r;
	r = copy(old, maps, max_keys);
	if (!r)
		r = freeze_and_pin(pins, GROWN_KV, maps->kv_fd);
	if (!r)
		r = freeze_and_pin(pins, GROWN_SLOTS, maps->slots_fd);
	if (!r)
		r = freeze_and_pin(pins, GROWN_CTL, maps->ctl_fd);
	if (r)
		close_all(maps);
	return r;
}

/* Those that a killed start has renamed are missing. */
static int rename_all(const struct pins *pins)
{
	int r = pins_rename(pins, GROWN_KV, PIN_KV);

	if (!r || r == -ENOENT)
		r = pins_rename(pins, GROWN_SLOTS, PIN_SLOTS);
	if (!r || r == -ENOENT)
		r = pins_rename(pins, GROWN_CTL, PIN_CTL);
	return r;
}

int store_finish_growth(const struct pins *pins)
{
	int r, fd = pins_get(pins, GROWN_CTL);

	if (fd == -ENOENT) {
		pins_remove_all(pins, PIN_GROWN_PREFIX);
		return 0;
	}
	if (fd >= 0)
		(void)close(fd);
	r = fd < 0 ? fd : rename_all(pins);
	if (r)
		log_error("%s: cannot replace the maps of the store by larger ones: %s",
			  pins->directory, strerror(-r));
	return r;
}

int store_grow(const struct pins *pins, struct store_sized *maps, uint32_t max_keys)
{
	struct store_sized grown;
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < ATTEMPTS_MAX; i++)
		r = prepare(pins, maps, &grown, max_keys);
	if (r) {
		log_error("%s: cannot make room for %u keys: %s", pins->directory, max_keys,
			  strerror(-r));
		return r;
	}
	r = store_finish_growth(pins);
	if (r) {
		close_all(&grown);
		return r;
	}
	close_all(maps);
	*maps = grown;
	log_info("store: made room for %u keys", max_keys);
	return 0;
}
