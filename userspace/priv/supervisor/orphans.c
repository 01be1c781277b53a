/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/orphans.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "userspace/common/commit.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"

#define REQUESTS_PER_SECOND 20000 /* a full store takes 33 commits */
#define AUDIT_BURST (4u << 20)

static const struct store_rule may_delete = {
	.key = { "/" },
	.rule = { KV_ACCESS_DELETE, KV_CLASS_TEXT, 0 },
};

/* Fill the commit with deletions of the subject's keys, as many as fit. */
static int collect(const struct store *store, uint32_t number, struct commit *commit)
{
	struct kv_key key, *before = NULL;
	struct kv_value value;
	int r = 0;

	commit_init(commit);
	while (!r && commit->n_changes < KV_CHANGES_MAX &&
	       !bpf_map_get_next_key(store->kv_fd, before, &key)) {
		before = &key;
		if (!bpf_map_lookup_elem(store->kv_fd, &key, &value) && value.subject == number)
			r = commit_delete(commit, key.path);
	}
	return r;
}

/* Returns 0, or a negative errno with the number of deleted keys so far in *np. */
static int delete_keys(struct store *store, const struct store_subject *subject, uint32_t *np)
{
	static struct commit commit;
	int r = store_add_subjects(store, subject, 1);

	while (!r) {
		r = collect(store, subject->number, &commit);
		if (r || !commit.n_changes)
			break;
		r = gate_commit(store->gate_fds[subject->number], &commit, NULL, NULL);
		if (!r)
			*np += commit.n_changes;
	}
	/* nobody acts as this subject any more */
	store_remove_subject(store, subject);
	return r;
}

static bool is_one_of(const uint32_t *numbers, uint32_t n, uint32_t number)
{
	for (uint32_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

void orphans_delete(struct store *store, const uint32_t *numbers, uint32_t n)
{
	const uint32_t zero = 0;
	struct kv_ctl ctl;

	if (bpf_map_lookup_elem(store->ctl_fd, &zero, &ctl))
		return;
	for (uint32_t i = KV_SUBJECT_CALF; i < KV_SUBJECTS_MAX; i++) {
		const struct store_subject subject = {
			.number = i,
			.name = ctl.names[i],
			.rules = &may_delete,
			.n_rules = 1,
			.requests_per_second = REQUESTS_PER_SECOND,
			.request_burst = REQUESTS_PER_SECOND,
			.audit_bytes_per_second = AUDIT_BURST,
			.audit_burst = AUDIT_BURST,
			.max_keys = KV_KEYS_MAX,
			.max_bytes = UINT64_MAX,
		};
		uint32_t n_deleted = 0;
		int r;

		if (!ctl.subject[i].n_keys || is_one_of(numbers, n, i))
			continue;
		r = delete_keys(store, &subject, &n_deleted);
		if (r)
			log_error("%s: cannot delete the keys that this removed calf has left: %s",
				  subject.name, strerror(-r));
		else
			log_info("%s: deleted the %u keys that this removed calf has left",
				 subject.name, n_deleted);
	}
}
