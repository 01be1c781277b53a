/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/orphans.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "userspace/common/commit.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"

static const struct store_rule may_delete = {
	.key = { "/" },
	.rule = { KV_ACCESS_DELETE, KV_CLASS_TEXT, 0 },
};

static bool is_removed(const struct adopted_calves *calves, uint32_t subject)
{
	uint32_t i = 0;

	while (i < calves->n && calves->numbers[i] != subject)
		i++;
	return subject >= KV_SUBJECT_CALF && i == calves->n;
}

static bool may_change(const struct description *description, const char *path)
{
	const struct key_rule *key = description_find_key(description, path);

	return key && (key->access & (KV_ACCESS_WRITE | KV_ACCESS_DELETE));
}

static bool is_orphan(const struct adopted_calves *calves, const struct kv_key *key,
		      const struct kv_value *value)
{
	if (description_is_host_path(key->path) || value->subject >= KV_SUBJECTS_MAX)
		return false;
	if (is_removed(calves, value->subject))
		return true;
	for (uint32_t i = 0; i < calves->n; i++)
		if (may_change(&calves->descriptions[i], key->path))
			return false;
	return true;
}

uint64_t orphans_find(const struct store *store, const struct adopted_calves *calves)
{
	return adopted_find_writers(store, calves, is_orphan);
}

/* Fill the commit with deletions of what the subject has written, as many as fit. */
static int collect(const struct store *store, const struct adopted_calves *calves, uint32_t subject,
		   struct commit *commit)
{
	struct kv_key key, *before = NULL;
	struct kv_value value;
	int r = 0;

	commit_init(commit);
	while (!r && commit->n_changes < KV_CHANGES_MAX &&
	       !bpf_map_get_next_key(store->kv_fd, before, &key)) {
		before = &key;
		if (!bpf_map_lookup_elem(store->kv_fd, &key, &value) && value.subject == subject &&
		    is_orphan(calves, &key, &value))
			r = commit_delete(commit, key.path);
	}
	return r;
}

/* Returns 0 with the number of deleted keys in *np, or a negative errno. */
static int delete_keys(struct store *store, const struct adopted_calves *calves, uint32_t number,
		       uint32_t *np)
{
	static struct commit commit;
	struct store_subject subject;
	int r = adopted_add_subject(store, number, "orphans", &may_delete, &subject);

	while (!r) {
		r = collect(store, calves, number, &commit);
		if (r || !commit.n_changes)
			break;
		r = gate_commit(store->gate_fds[number], &commit, NULL, NULL);
		if (!r)
			*np += commit.n_changes;
	}
	store_remove_subject(store, &subject);
	return r;
}

static int refuse(const struct store *store, const char *name, int error)
{
	if (error == -EAGAIN)
		log_error("cannot delete keys of %s that no calf writes any more: the audit log "
			  "does not have the changes of the previous run yet; start its calves "
			  "again until it has, or, to start with an empty store: rm -r %s",
			  name, store->pins->directory);
	else
		log_error("cannot delete keys of %s that no calf writes any more: %s", name,
			  strerror(-error));
	return error;
}

int orphans_delete(struct store *store, const struct adopted_calves *calves, uint64_t writers)
{
	const uint32_t zero = 0;
	struct kv_ctl ctl;
	int r = bpf_map_lookup_elem(store->ctl_fd, &zero, &ctl);

	if (r)
		return refuse(store, "calves", r);
	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++) {
		uint32_t n_deleted = 0;

		if (!(writers >> i & 1))
			continue;
		r = delete_keys(store, calves, i, &n_deleted);
		if (r)
			return refuse(store, ctl.names[i], r);
		log_info("deleted %u key%s of %s that no calf writes any more", n_deleted,
			 n_deleted == 1 ? "" : "s", ctl.names[i]);
	}
	return 0;
}
