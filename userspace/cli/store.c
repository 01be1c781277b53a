/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/path.h"

/* Open a pin. Returns a descriptor or a negative errno. */
static int open_pin(const struct cli *cli, const char *name, uint32_t flags)
{
	struct bpf_obj_get_opts opts;
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", cli->pins_root, cli->instance, name) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	memset(&opts, 0, sizeof(opts)); /* libbpf checks the padding, too */
	opts.sz = sizeof(opts);
	opts.file_flags = flags;
	fd = bpf_obj_get_opts(path, &opts);
	return fd < 0 ? -errno : fd;
}

/* Open a map. Returns a descriptor or a negative errno, -EPROTO if the map has
 * other sizes because another version created it. */
static int open_map(const struct cli *cli, const char *name, size_t key_size, size_t value_size,
		    size_t n_entries)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = open_pin(cli, name, BPF_F_RDONLY), r = 0;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		r = -errno;
	else if (info.key_size != key_size || info.value_size != value_size ||
		 info.max_entries < n_entries)
		r = -EPROTO;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Read up to `max_keys` keys of the map. Returns their number or a negative
 * errno. */
static int walk(int fd, const char *directory, struct cli_key *keys, size_t max_keys)
{
	struct kv_key key, *previous = NULL;
	size_t n_keys = 0;

	/* Bounded, because the walk restarts when its current key is deleted. */
	for (size_t i = 0; i < 2ul * STORE_KEYS_MAX && n_keys < max_keys; i++) {
		struct cli_key *entry = &keys[n_keys];

		if (bpf_map_get_next_key(fd, previous, &key) < 0)
			return errno == ENOENT ? (int)n_keys : -errno;
		previous = &key;
		if (!path_key_is_canonical(&key) || !path_is_below(key.path, directory))
			continue;
		entry->key = key;
		if (bpf_map_lookup_elem(fd, &key, &entry->value) == 0)
			n_keys++;
		else if (errno != ENOENT)
			return -errno;
	}
	return (int)n_keys;
}

int cli_store_walk(const struct cli *cli, const char *directory, struct cli_key **keysp)
{
	int fd = open_map(cli, PIN_KV, sizeof(struct kv_key), sizeof(struct kv_value), 1);
	struct cli_key *keys;
	int n_keys;

	if (fd < 0)
		return fd;
	keys = calloc(STORE_KEYS_MAX, sizeof(*keys));
	n_keys = keys ? walk(fd, directory, keys, STORE_KEYS_MAX) : -ENOMEM;
	close(fd);
	if (n_keys < 0) {
		free(keys);
		return n_keys;
	}
	*keysp = keys;
	return (int)cli_keys_tidy(keys, (size_t)n_keys);
}

static int compare_rights(const void *left, const void *right)
{
	const struct cli_right *a = left, *b = right;

	return strncmp(a->key.path, b->key.path, sizeof(a->key.path));
}

int cli_store_rights(const struct cli *cli, struct cli_right **rightsp)
{
	int fd = open_map(cli, PIN_ACL_PREFIX KV_NAME_OPERATOR, sizeof(struct kv_key),
			  sizeof(struct kv_rule), 1);
	struct kv_key key, *previous = NULL;
	char directory[KV_PATH_SIZE];
	struct cli_right *rights;
	int n_rights = 0;

	if (fd < 0)
		return fd;
	rights = calloc(KV_RULES_MAX, sizeof(*rights));
	while (rights && n_rights < KV_RULES_MAX && !bpf_map_get_next_key(fd, previous, &key)) {
		rights[n_rights].key = key;
		if (memchr(key.path, '\0', sizeof(key.path)) &&
		    cli_directory(key.path, directory) &&
		    !bpf_map_lookup_elem(fd, &key, &rights[n_rights].rule))
			n_rights++;
		previous = &key;
	}
	close(fd);
	if (!rights)
		return -ENOMEM;
	qsort(rights, (size_t)n_rights, sizeof(*rights), compare_rights);
	*rightsp = rights;
	return n_rights;
}

int cli_store_ctl(const struct cli *cli, struct kv_ctl *ctlp)
{
	int fd = open_map(cli, PIN_CTL, sizeof(uint32_t), sizeof(struct kv_ctl), 1), r = 0;
	struct kv_ctl ctl = { 0 };

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &(uint32_t){ 0 }, &ctl) < 0)
		r = -errno;
	else if (ctl.layout_version != KV_LAYOUT_VERSION)
		r = -EPROTO;
	else
		*ctlp = ctl;
	close(fd);
	return r;
}

int cli_store_counters(const struct cli *cli, struct cli_counters *counters)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct frame_counter *per_cpu;
	int fd, r = 0;

	if (n_cpus < 0)
		return n_cpus;
	fd = open_map(cli, PIN_FRAME_COUNTERS, sizeof(uint32_t), sizeof(struct frame_counter),
		      _FRAME_REASON_N);
	if (fd < 0)
		return fd;
	per_cpu = calloc((size_t)n_cpus, sizeof(*per_cpu));
	if (!per_cpu)
		r = -ENOMEM;
	memset(counters, 0, sizeof(*counters));
	for (uint32_t i = 0; !r && i < FRAME_OWNERS_MAX * _FRAME_REASON_N; i++) {
		struct frame_counter *counter =
			&counters->of[i / _FRAME_REASON_N][i % _FRAME_REASON_N];

		if (bpf_map_lookup_elem(fd, &i, per_cpu) < 0) {
			/* the map has room for the calves that there are */
			r = errno == ENOENT && i >= _FRAME_REASON_N ? 0 : -errno;
			break;
		}
		for (int j = 0; j < n_cpus; j++) {
			counter->packets += per_cpu[j].packets;
			counter->bytes += per_cpu[j].bytes;
		}
	}
	free(per_cpu);
	close(fd);
	return r;
}

int cli_store_open_samplers(const struct cli *cli)
{
	return open_map(cli, PIN_FRAME_SAMPLERS, sizeof(uint32_t), sizeof(struct frame_sampler),
			FRAME_SAMPLED_N);
}

int cli_store_open_samples(const struct cli *cli)
{
	return open_map(cli, PIN_FRAME_SAMPLES, sizeof(uint32_t), sizeof(struct frame_sample),
			(size_t)FRAME_SAMPLES_N);
}

int cli_store_quarantine(const struct cli *cli, struct frame_quarantine *quarantinep)
{
	int fd = open_map(cli, PIN_FRAME_QUARANTINE, sizeof(uint32_t),
			  sizeof(struct frame_quarantine), 1);
	int r = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &(uint32_t){ 0 }, quarantinep) < 0)
		r = -errno;
	close(fd);
	return r;
}

int cli_store_watches(const struct cli *cli, struct kv_watch watches[KV_SUBJECTS_MAX])
{
	int fd = open_map(cli, PIN_WATCHES, sizeof(uint32_t), sizeof(struct kv_watch),
			  KV_SUBJECTS_MAX);
	int r = 0;

	if (fd < 0)
		return fd;
	for (uint32_t i = 0; !r && i < KV_SUBJECTS_MAX; i++)
		if (bpf_map_lookup_elem(fd, &i, &watches[i]) < 0)
			r = -errno;
	close(fd);
	return r;
}

int cli_store_open_gate(const struct cli *cli)
{
	return open_pin(cli, PIN_GATE_PREFIX "operator", 0);
}

int cli_open_gate(struct cli *cli)
{
	int r = cli_choose_instance(cli), gate;

	if (r != CLI_OK)
		return -r;
	gate = cli_store_open_gate(cli);
	return gate < 0 ? -cli_explain_store(cli, gate) : gate;
}

int cli_store_open_ring(const struct cli *cli)
{
	return open_pin(cli, PIN_RING_PREFIX "operator", 0);
}

/* Read "memlock" from the fdinfo of a descriptor. Returns false if it is not a
 * map. */
static bool memory_of(int fd, uint64_t *bytesp)
{
	bool is_map = false, found = false;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		is_map |= strncmp(line, "map_type:", 9) == 0;
		if (strncmp(line, "memlock:", 8) == 0) {
			*bytesp = strtoull(line + 8, NULL, 10);
			found = true;
		}
	}
	fclose(file);
	return is_map && found;
}

/* The maps of the frame programs do not belong to the store. */
static int is_store_pin(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strncmp(entry->d_name, "frame_", 6) != 0 &&
	       strlen(entry->d_name) < sizeof(((struct cli_memory *)NULL)->name);
}

int cli_store_memory(const struct cli *cli, struct cli_memory **memoryp)
{
	struct dirent **entries = NULL;
	struct cli_memory *memory;
	int n_entries, n_maps = 0;
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", cli->pins_root, cli->instance) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	n_entries = scandir(path, &entries, is_store_pin, alphasort);
	if (n_entries < 0)
		return -errno;
	memory = calloc((size_t)n_entries + 1, sizeof(*memory));
	for (int i = 0; i < n_entries; i++) {
		/* BPF links cannot be opened read-only, so they are skipped */
		int fd = memory ? open_pin(cli, entries[i]->d_name, BPF_F_RDONLY) : -1;

		if (fd >= 0 && memory_of(fd, &memory[n_maps].bytes)) {
			memcpy(memory[n_maps].name, entries[i]->d_name,
			       strlen(entries[i]->d_name) + 1); /* is_store_pin() */
			n_maps++;
		}
		if (fd >= 0)
			close(fd);
		free(entries[i]);
	}
	free(entries);
	if (!memory)
		return -ENOMEM;
	*memoryp = memory;
	return n_maps;
}
