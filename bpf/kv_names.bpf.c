/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DOC: the numbers of calves
 *
 * A calf keeps its number for the life of the store, whatever the order in which calves
 * are started, because values, quotas and audit records contain it. The table is in the
 * frozen map ctl, so it needs a program to write it. The supervisor loads this one only
 * if a calf is new, while it starts, and passes it to nobody. One run enters one name,
 * so that a kill leaves no part of an entry.
 */
#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_helpers.h>

#include "maps/kv_ctl_map.bpf.h"

#define WORDS (KV_NAME_SIZE / sizeof(__u64))

_Static_assert(WORDS == 2, "a name is compared as two words");

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("syscall")
int kv_enter_name(const struct kv_naming *naming)
{
	const __u64 *name = (const __u64 *)naming->name;
	__u64 first = name[0], last = name[1];
	__u32 zero = 0;
	struct kv_ctl *control = bpf_map_lookup_elem(&ctl, &zero);

	if (!control || !naming->name[0] || naming->name[KV_NAME_SIZE - 1])
		return -EINVAL;
	for (__u32 i = KV_SUBJECT_CALF; i < KV_SUBJECTS_MAX; i++) {
		__u64 *entry = (__u64 *)control->names[i];

		if (entry[0] == first && entry[1] == last)
			return (int)i;
		if (entry[0])
			continue;
		entry[1] = last;
		entry[0] = first;
		return (int)i;
	}
	return -ENOSPC;
}
