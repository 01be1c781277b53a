/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "skel/kv_gate.skel.h"
#include "userspace/common/log.h"

/* Refusals leave a record at this rate, with this many saved up. */
#define DENIALS_PER_SECOND 10
#define DENIALS_BURST 50
#define NS_PER_S 1000000000ull

/* The maps that live on in their pins, as a fresh object would make them. */
static const struct {
	const char *pin;
	enum bpf_map_type type;
	uint32_t key_size, value_size;
} adoptable[] = {
	{ PIN_KV, BPF_MAP_TYPE_HASH, sizeof(struct kv_key), sizeof(struct kv_value) },
	{ PIN_CTL, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct kv_ctl) },
	{ PIN_EVENTS, BPF_MAP_TYPE_RINGBUF, 0, 0 },
	{ PIN_DENIALS, BPF_MAP_TYPE_RINGBUF, 0, 0 },
};
#define N_ADOPTABLE (sizeof(adoptable) / sizeof(adoptable[0]))

static int refuse(const struct store *store, const char *pin, const char *why)
{
	log_error("%s/%s: a former life's store does not fit (%s); to begin anew: rm -r %s",
		  store->pins->directory, pin, why, store->pins->directory);
	return -EEXIST;
}

/* Is what is pinned what we would have made? */
static int check_adopted(const struct store *store, const int fds[N_ADOPTABLE], uint32_t max_keys)
{
	struct kv_ctl ctl;
	uint32_t zero = 0;

	for (size_t i = 0; i < N_ADOPTABLE; i++) {
		struct bpf_map_info info = { 0 };
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(fds[i], &info, &size))
			return refuse(store, adoptable[i].pin, "it is not a map");
		if (info.type != adoptable[i].type || info.key_size != adoptable[i].key_size ||
		    info.value_size != adoptable[i].value_size)
			return refuse(store, adoptable[i].pin, "type or record size");
		if (adoptable[i].type == BPF_MAP_TYPE_HASH &&
		    info.max_entries < max_keys + KV_KEYS_SLACK)
			return refuse(store, adoptable[i].pin, "too few keys");
	}
	if (bpf_map_lookup_elem(fds[1], &zero, &ctl))
		return refuse(store, PIN_CTL, "it cannot be read");
	if (ctl.layout_version != KV_LAYOUT_VERSION)
		return refuse(store, PIN_CTL, "layout version");
	if (ctl.max_keys < max_keys)
		return refuse(store, PIN_CTL, "too few keys");
	return 0;
}

/* 0 adopted, 1 nothing there, or a negative errno. */
static int adopt(struct store *store, uint32_t max_keys)
{
	int fds[N_ADOPTABLE], error = 0;
	size_t n_found = 0;

	for (size_t i = 0; i < N_ADOPTABLE; i++) {
		fds[i] = pins_get(store->pins, adoptable[i].pin);
		if (fds[i] >= 0)
			n_found++;
		else if (fds[i] != -ENOENT)
			error = fds[i];
	}
	if (error)
		log_error("%s: cannot open the pinned store: %s", store->pins->directory,
			  strerror(-error));
	else if (n_found < N_ADOPTABLE)
		/* None, or those of a start that was killed between its pins: no
		 * gate has run yet. */
		error = 1;
	else
		error = check_adopted(store, fds, max_keys);
	if (error) {
		for (size_t i = 0; i < N_ADOPTABLE; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		return error;
	}
	store->kv_fd = fds[0];
	store->ctl_fd = fds[1];
	store->events_fd = fds[2];
	store->denials_fd = fds[3];
	store->adopted = true;
	return 0;
}

static int create_maps(struct store *store, uint32_t max_keys)
{
	struct kv_ctl ctl = { .layout_version = KV_LAYOUT_VERSION, .max_keys = max_keys };
	struct kv_gate_bpf *gate = kv_gate_bpf__open();
	uint32_t zero = 0;
	int error;

	if (!gate)
		return -errno;
	/* Loading the object's program too costs a few milliseconds, once in a
	 * store's life, and gives the maps their BTF: bpftool prints by it. */
	error = bpf_map__set_max_entries(gate->maps.kv, max_keys + KV_KEYS_SLACK);
	if (!error)
		error = kv_gate_bpf__load(gate);
	if (!error)
		error = bpf_map_update_elem(bpf_map__fd(gate->maps.ctl), &zero, &ctl, BPF_ANY);
	if (error) {
		log_error("cannot make the store: %s", strerror(-error));
		goto cleanup;
	}
	store->kv_fd = dup(bpf_map__fd(gate->maps.kv));
	store->ctl_fd = dup(bpf_map__fd(gate->maps.ctl));
	store->events_fd = dup(bpf_map__fd(gate->maps.events));
	store->denials_fd = dup(bpf_map__fd(gate->maps.denials));
	if (store->kv_fd < 0 || store->ctl_fd < 0 || store->events_fd < 0 || store->denials_fd < 0)
		error = -errno;
	if (!error)
		error = bpf_map_freeze(store->kv_fd);
	if (!error)
		error = bpf_map_freeze(store->ctl_fd);
	if (error) {
		log_error("cannot freeze the store: %s", strerror(-error));
		goto cleanup;
	}
	error = pins_put(store->pins, "", PIN_KV, store->kv_fd);
	if (!error)
		error = pins_put(store->pins, "", PIN_CTL, store->ctl_fd);
	if (!error)
		error = pins_put(store->pins, "", PIN_EVENTS, store->events_fd);
	if (!error)
		error = pins_put(store->pins, "", PIN_DENIALS, store->denials_fd);
cleanup:
	kv_gate_bpf__destroy(gate);
	return error;
}

static int create_undo(struct store *store)
{
	int error;

	store->undo_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "undo", sizeof(uint32_t),
					sizeof(struct kv_undo), KV_CHANGES_MAX, NULL);
	if (store->undo_fd < 0)
		return -errno;
	error = bpf_map_freeze(store->undo_fd);
	return error ? error : pins_put(store->pins, "", PIN_UNDO, store->undo_fd);
}

int store_init(struct store *store, const struct pins *pins, uint32_t max_keys, uint32_t n_subjects)
{
	int error;

	*store = STORE_NULL(*store);
	if (max_keys > KV_KEYS_MAX || n_subjects > KV_SUBJECTS_MAX) {
		log_error("the descriptions need %u keys and %u subjects; %u and %u are the limits",
			  max_keys, n_subjects, KV_KEYS_MAX, KV_SUBJECTS_MAX);
		return -E2BIG;
	}
	store->pins = pins;
	store->n_subjects = n_subjects;
	/* Gates, rules and private maps of a former life are never reused. */
	pins_remove_all(pins, PIN_GATE_PREFIX);
	pins_remove_all(pins, PIN_ACL_PREFIX);
	pins_remove_all(pins, PIN_STAGING_PREFIX);
	error = adopt(store, max_keys);
	if (error > 0)
		error = create_maps(store, max_keys);
	if (!error)
		error = create_undo(store);
	if (error)
		store_deinit(store);
	return error;
}

static int reuse_maps(const struct store *store, struct kv_gate_bpf *gate)
{
	int error = bpf_map__reuse_fd(gate->maps.kv, store->kv_fd);

	if (!error)
		error = bpf_map__reuse_fd(gate->maps.ctl, store->ctl_fd);
	if (!error)
		error = bpf_map__reuse_fd(gate->maps.undo, store->undo_fd);
	if (!error)
		error = bpf_map__reuse_fd(gate->maps.events, store->events_fd);
	if (!error)
		error = bpf_map__reuse_fd(gate->maps.denials, store->denials_fd);
	return error;
}

static int fill_rules(int acl_fd, const struct store_subject *subject)
{
	for (uint32_t i = 0; i < subject->n_rules; i++) {
		int error = bpf_map_update_elem(acl_fd, &subject->rules[i].key,
						&subject->rules[i].rule, BPF_NOEXIST);

		if (error) {
			log_error("subject %s: rule of %.63s: %s", subject->name,
				  subject->rules[i].key.path, strerror(-error));
			return error;
		}
	}
	return 0;
}

int store_add_subject(struct store *store, const struct store_subject *subject)
{
	uint64_t interval = NS_PER_S / (subject->requests_per_second ?: 1);
	struct kv_gate_bpf *gate;
	int acl_fd, staging_fd, error;

	if (subject->number >= store->n_subjects || store->gates[subject->number])
		return -EINVAL;
	gate = kv_gate_bpf__open();
	if (!gate)
		return -errno;
	gate->rodata->config = (struct kv_gate_config){
		.subject = subject->number,
		.n_subjects = store->n_subjects,
		.rate_interval_ns = interval,
		.rate_burst_ns = interval * subject->request_burst,
		.denial_interval_ns = NS_PER_S / DENIALS_PER_SECOND,
		.denial_burst_ns = NS_PER_S / DENIALS_PER_SECOND * DENIALS_BURST,
	};
	error = reuse_maps(store, gate);
	if (!error)
		error = bpf_map__set_max_entries(gate->maps.acl, subject->n_rules ?: 1);
	if (!error)
		error = kv_gate_bpf__load(gate);
	if (error) {
		log_error("subject %s: cannot load its gate: %s", subject->name, strerror(-error));
		goto cleanup;
	}
	acl_fd = bpf_map__fd(gate->maps.acl);
	staging_fd = bpf_map__fd(gate->maps.staging);
	error = fill_rules(acl_fd, subject);
	if (!error)
		error = bpf_map_freeze(acl_fd);
	if (!error)
		error = bpf_map_freeze(staging_fd);
	if (!error)
		error = pins_put(store->pins, PIN_ACL_PREFIX, subject->name, acl_fd);
	if (!error)
		error = pins_put(store->pins, PIN_STAGING_PREFIX, subject->name, staging_fd);
	if (!error)
		error = pins_put(store->pins, PIN_GATE_PREFIX, subject->name,
				 bpf_program__fd(gate->progs.kv_gate));
	if (error)
		goto cleanup;
	store->gates[subject->number] = gate;
	store->gate_fds[subject->number] = bpf_program__fd(gate->progs.kv_gate);
	return store->gate_fds[subject->number];
cleanup:
	kv_gate_bpf__destroy(gate);
	return error;
}

void store_deinit(struct store *store)
{
	int *fds[] = { &store->kv_fd, &store->ctl_fd, &store->undo_fd, &store->events_fd,
		       &store->denials_fd };

	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++)
		kv_gate_bpf__destroy(store->gates[i]);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	*store = STORE_NULL(*store);
}
