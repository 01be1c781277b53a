/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/hide_secrets.h"

#include <bpf/bpf.h>
#include <string.h>

#include "userspace/common/gate.h"
#include "userspace/common/log.h"

static const struct store_rule may_write = {
	.key = { "/" },
	.rule = { KV_ACCESS_WRITE | KV_ACCESS_SECRET, KV_CLASS_TEXT, KV_VALUE_MAX },
};

static bool is_shown(const struct adopted_calves *calves, const struct kv_key *key,
		     const struct kv_value *value)
{
	if (value->flags & KV_VALUE_SECRET || value->subject >= KV_SUBJECTS_MAX)
		return false;
	for (uint32_t i = 0; i < calves->n; i++) {
		const struct key_rule *rule =
			description_find_key(&calves->descriptions[i], key->path);

		if (rule && rule->secret)
			return true;
	}
	return false;
}

uint64_t hide_secrets_find(const struct store *store, const struct adopted_calves *calves)
{
	return adopted_find_writers(store, calves, is_shown);
}

/* A value is changed in place, so that the walk over the keys goes on. */
static int hide_of(struct store *store, const struct adopted_calves *calves, uint32_t number)
{
	struct store_subject subject;
	struct kv_key key, *before = NULL;
	struct kv_value value;
	int r = adopted_add_subject(store, number, "secrets", &may_write, &subject);

	while (!r && !bpf_map_get_next_key(store->kv_fd, before, &key)) {
		before = &key;
		if (!bpf_map_lookup_elem(store->kv_fd, &key, &value) && value.subject == number &&
		    is_shown(calves, &key, &value))
			r = gate_write(store->gate_fds[number], key.path, value.text, value.length,
				       NULL);
	}
	store_remove_subject(store, &subject);
	return r;
}

void hide_secrets(struct store *store, const struct adopted_calves *calves, uint64_t writers)
{
	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++) {
		int r = writers >> i & 1 ? hide_of(store, calves, i) : 0;

		if (r)
			log_error("cannot hide values that have become secrets: %s", strerror(-r));
	}
}
