/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the numbers of calves
 *
 * Values, quotas and audit records contain the number of a subject. A calf gets the first
 * number that has never been used when it is first seen, and keeps it until the store is
 * removed, so that the order in which calves are started means nothing, and what a removed
 * calf has left is not taken for another's.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "skel/kv_names.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/store/store-private.h"
#include "userspace/priv/store/store.h"

void store_names_init(struct kv_ctl *ctl)
{
	static const char *const fixed[] = KV_SUBJECT_NAMES;

	for (uint32_t i = 0; i < KV_SUBJECT_CALF; i++)
		memcpy(ctl->names[i], fixed[i], strlen(fixed[i]) + 1);
}

static bool is_name(const char name[static KV_NAME_SIZE])
{
	size_t length = strnlen(name, KV_NAME_SIZE), i = length;

	while (i < KV_NAME_SIZE && !name[i])
		i++;
	if (!length || length == KV_NAME_SIZE || i < KV_NAME_SIZE)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool store_names_are_valid(const struct kv_ctl *ctl)
{
	static const char *const fixed[] = KV_SUBJECT_NAMES;
	static const char free_name[KV_NAME_SIZE];
	uint32_t i = 0;

	for (; i < KV_SUBJECT_CALF; i++)
		if (strncmp(ctl->names[i], fixed[i], KV_NAME_SIZE) != 0)
			return false;
	while (i < KV_SUBJECTS_MAX && is_name(ctl->names[i]))
		i++;
	while (i < KV_SUBJECTS_MAX && !memcmp(ctl->names[i], free_name, KV_NAME_SIZE))
		i++;
	return i == KV_SUBJECTS_MAX;
}

/* Returns the number of the calf, or 0: it has none. */
static uint32_t find(const struct kv_ctl *ctl, const char *name)
{
	for (uint32_t i = KV_SUBJECT_CALF; i < KV_SUBJECTS_MAX; i++)
		if (!strncmp(ctl->names[i], name, KV_NAME_SIZE))
			return i;
	return 0;
}

/* Returns the index of the first calf that would get no number, or n. */
static uint32_t find_excess(const struct kv_ctl *ctl, const uint32_t *numbers, uint32_t n)
{
	uint32_t n_free = 0, i = 0;

	for (uint32_t j = KV_SUBJECT_CALF; j < KV_SUBJECTS_MAX; j++)
		n_free += !ctl->names[j][0];
	for (; i < n && (numbers[i] || n_free > 0); i++)
		n_free -= !numbers[i];
	return i;
}

static int enter(int program_fd, const char *name, uint32_t *numberp)
{
	struct kv_naming naming = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &naming, .ctx_size_in = sizeof(naming));
	int r;

	memcpy(naming.name, name, strnlen(name, KV_NAME_SIZE - 1));
	r = bpf_prog_test_run_opts(program_fd, &options);
	if (!r)
		r = (int)options.retval;
	if (r < 0)
		return r;
	*numberp = (uint32_t)r;
	return 0;
}

/* Enter the names of the calves that have no number. */
static int enter_new(const struct store *store, const char *const *names, uint32_t n,
		     uint32_t *numbers)
{
	struct kv_names_bpf *program = kv_names_bpf__open();
	int r;

	if (!program)
		return -errno;
	r = bpf_map__reuse_fd(program->maps.ctl, store->ctl_fd);
	if (!r)
		r = kv_names_bpf__load(program);
	for (uint32_t i = 0; !r && i < n; i++)
		if (!numbers[i])
			r = enter(bpf_program__fd(program->progs.kv_enter_name), names[i],
				  &numbers[i]);
	kv_names_bpf__destroy(program);
	return r;
}

int store_number_calves(const struct store *store, const char *const *names, uint32_t n,
			uint32_t *numbers, uint32_t *refusedp)
{
	const uint32_t zero = 0;
	struct kv_ctl ctl;
	uint32_t n_new = 0;
	int r = bpf_map_lookup_elem(store->ctl_fd, &zero, &ctl);

	for (uint32_t i = 0; !r && i < n; i++) {
		numbers[i] = find(&ctl, names[i]);
		n_new += !numbers[i];
	}
	if (!r && n_new) {
		*refusedp = find_excess(&ctl, numbers, n);
		if (*refusedp < n)
			return -ENOSPC;
		r = enter_new(store, names, n, numbers);
	}
	if (r)
		log_error("store: cannot enter the names of the calves: %s", strerror(-r));
	return r;
}
