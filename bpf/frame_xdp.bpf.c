/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DOC: XDP on the uplink. The host's frames pass unchanged. Replies for which
 * a calf waits are redirected into its tap through its slot of a devmap, which
 * the kernel empties when the tap is deleted: then they pass, and never reach a
 * device that got the tap's index. The same applies to ARP of another host that
 * claims our address. Malformed frames addressed to us are dropped, and in
 * quarantine so is everything else until there is a lease. Nothing is copied to
 * user space here.
 */
#include <linux/bpf.h>

#include "bpf/frame_ingress.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile struct frame_config config = {};

static __attribute__((noinline)) int sample(struct xdp_md *context, __u32 owner, __u32 reason,
					    __u32 size)
{
	struct frame_sample *sample = sample_claim(owner, reason, size, 0);
	__u32 captured = sample_captured(size);

	if (sample)
		sample_publish(sample, bpf_xdp_load_bytes(context, 0, sample->bytes, captured) ?
					       0 :
					       captured);
	return 0;
}

static __always_inline long load(void *context, __u32 from, void *to, __u32 size)
{
	return bpf_xdp_load_bytes(context, from, to, size);
}

SEC("xdp")
int frame_xdp(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	__u32 size = (__u32)(end - data);
	struct cursor cursor = { .at = data, .end = end, .frame_size = size };
	struct dhcp4_frame frame;
	__u32 reason;
	int verdict = XDP_PASS;

	if (is_hosts(data, end)) {
		reason = quarantine_ingress(FRAME_IN_NOT_OURS, 0, &config);
		if (reason == FRAME_IN_NOT_OURS) {
			count_only(FRAME_OWNER_NONE, FRAME_IN_NOT_OURS, size);
			return XDP_PASS;
		}
	} else {
		in_memory(&frame);
		reason = frame_ingress(&cursor, &config, &frame);
	}
	if (reason == FRAME_IN_ACCEPTED || reason == FRAME_IN_ARP) {
		verdict = (int)bpf_redirect_map(&frame_slot, cursor.owner - 1, XDP_PASS);
		if (verdict != XDP_REDIRECT)
			reason = frame_ingress_no_tap(reason, &config);
		else if (reason == FRAME_IN_ACCEPTED)
			reason = reply_admit(context, load, &frame);
		if (reason == FRAME_IN_ACCEPTED) {
			reply_remember(&frame);
			reply_read_options(context, load, &frame);
		}
	}
	if (reason > FRAME_IN_ARP)
		verdict = XDP_DROP;
	if (count(cursor.owner, reason, size, cursor.like_ours))
		sample(context, cursor.owner, reason, size);
	return verdict;
}
