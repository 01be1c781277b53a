/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

#define KEYS_MAX (KV_KEYS_MAX + KV_KEYS_SLACK)

/* Open a pin: a descriptor or a negative errno. */
static int open_pin(const struct cli *cli, const char *name, uint32_t flags)
{
	struct bpf_obj_get_opts opts;
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", cli->pins_root, cli->instance, name) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	memset(&opts, 0, sizeof(opts)); /* libbpf looks at the padding as well */
	opts.sz = sizeof(opts);
	opts.file_flags = flags;
	fd = bpf_obj_get_opts(path, &opts);
	return fd < 0 ? -errno : fd;
}

/* Open a map that must have these sizes: another version's is -EPROTO. */
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

int cli_store_explain(const struct cli *cli, int error)
{
	switch (-error) {
	case ENOENT:
		return cli_fail(cli, "instance %s has no store", cli->instance);
	case EACCES:
	case EPERM:
		return cli_fail(cli, "instance %s: not readable; this command needs root",
				cli->instance);
	case EPROTO:
		return cli_fail(cli, "instance %s was made by another version of calfpen",
				cli->instance);
	case EDQUOT:
	case EBUSY:
		return cli_fail(cli, "instance %s: the store is busy, try again", cli->instance);
	default:
		return cli_fail(cli, "instance %s: %s", cli->instance, strerror(-error));
	}
}

static int compare_keys(const void *left, const void *right)
{
	const struct cli_key *a = left, *b = right;

	return strncmp(a->key.path, b->key.path, sizeof(a->key.path));
}

size_t cli_keys_tidy(struct cli_key *keys, size_t n_keys)
{
	size_t n_left = 0;

	for (size_t i = 0; i < n_keys; i++) {
		struct kv_value *value = &keys[i].value;
		size_t length = value->length < KV_VALUE_MAX ? value->length : KV_VALUE_MAX;

		log_sanitise(value->text, sizeof(value->text), value->text, length);
		value->length = (uint32_t)length;
	}
	qsort(keys, n_keys, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n_keys; i++)
		if (n_left == 0 || compare_keys(&keys[n_left - 1], &keys[i]) != 0)
			keys[n_left++] = keys[i];
	return n_left;
}

/* Walk the map: as many keys as there is room for, or a negative errno. */
static int walk(int fd, const char *prefix, struct cli_key *keys, size_t max_keys)
{
	struct kv_key key, *previous = NULL;
	size_t n_keys = 0;

	/* Bounded: a key deleted under the walk starts it over. */
	for (size_t i = 0; i < 2ul * KEYS_MAX && n_keys < max_keys; i++) {
		struct cli_key *entry = &keys[n_keys];

		if (bpf_map_get_next_key(fd, previous, &key) < 0)
			return errno == ENOENT ? (int)n_keys : -errno;
		previous = &key;
		if (!path_key_is_canonical(&key) || !path_is_below(key.path, prefix))
			continue;
		entry->key = key;
		if (bpf_map_lookup_elem(fd, &key, &entry->value) == 0)
			n_keys++;
		else if (errno != ENOENT)
			return -errno;
	}
	return (int)n_keys;
}

int cli_store_list(const struct cli *cli, const char *prefix, struct cli_key **keysp)
{
	int fd = open_map(cli, PIN_KV, sizeof(struct kv_key), sizeof(struct kv_value), 1);
	struct cli_key *keys;
	int n_keys;

	if (fd < 0)
		return fd;
	keys = calloc(KEYS_MAX, sizeof(*keys));
	n_keys = keys ? walk(fd, prefix, keys, KEYS_MAX) : -ENOMEM;
	close(fd);
	if (n_keys < 0) {
		free(keys);
		return n_keys;
	}
	*keysp = keys;
	return (int)cli_keys_tidy(keys, (size_t)n_keys);
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

int cli_store_counters(const struct cli *cli, struct frame_counter counters[_FRAME_REASON_N])
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
	for (uint32_t i = 0; r == 0 && i < _FRAME_REASON_N; i++) {
		counters[i] = (struct frame_counter){ 0 };
		if (bpf_map_lookup_elem(fd, &i, per_cpu) < 0)
			r = -errno;
		for (int j = 0; r == 0 && j < n_cpus; j++) {
			counters[i].packets += per_cpu[j].packets;
			counters[i].bytes += per_cpu[j].bytes;
		}
	}
	free(per_cpu);
	close(fd);
	return r;
}

int cli_store_open_gate(const struct cli *cli)
{
	return open_pin(cli, PIN_GATE_PREFIX "operator", 0);
}
