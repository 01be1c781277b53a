/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/adopted.h"

#include <bpf/bpf.h>

/* No limits: the supervisor itself makes these commits. For a full store they are 33 of one
 * subject, or a few more of several, and take 340 KiB of the ring. */
#define REQUESTS_PER_SECOND 20000
#define AUDIT_BURST (4u << 20)

uint64_t adopted_find_writers(const struct store *store, const struct adopted_calves *calves,
			      adopted_fn is_unfit)
{
	struct kv_key key, *before = NULL;
	struct kv_value value;
	uint64_t writers = 0;

	while (!bpf_map_get_next_key(store->kv_fd, before, &key)) {
		before = &key;
		if (!bpf_map_lookup_elem(store->kv_fd, &key, &value) &&
		    is_unfit(calves, &key, &value))
			writers |= 1ull << value.subject;
	}
	return writers;
}

int adopted_add_subject(struct store *store, uint32_t number, const char *name,
			const struct store_rule *rule, struct store_subject *subjectp)
{
	*subjectp = (struct store_subject){
		.number = number,
		.name = name,
		.rules = rule,
		.n_rules = 1,
		.requests_per_second = REQUESTS_PER_SECOND,
		.request_burst = REQUESTS_PER_SECOND,
		.audit_bytes_per_second = AUDIT_BURST,
		.audit_burst = AUDIT_BURST,
		.max_keys = KV_KEYS_MAX,
		.max_bytes = UINT64_MAX,
		.has_whole_ring = true,
	};
	return store_add_subjects(store, subjectp, 1);
}
