/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the witness of a run before
 *
 * It is pinned, like the store, so that a restart forgets no server's word. A store
 * that was adopted from a version without a witness has a lease of which the kernel
 * has recorded nothing: it counts as it is, until it ends. It does not if the pinned
 * witness cannot be used: that one may have refused what the store says.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "userspace/common/address.h"
#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/* Returns true if the key exists; the store's values have been checked. Read it without a gate,
 * as none is loaded yet: of these keys there is no writer until the calf runs. */
static bool get(const struct supervisor *s, const char *path, struct kv_value *value)
{
	struct kv_key key = { { 0 } };

	memcpy(key.path, path, strlen(path));
	return !bpf_map_lookup_elem(s->store.kv_fd, &key, value);
}

/* Make a record of the lease in the store. Returns false if there is none. */
static bool make_record(const struct supervisor *s, struct frame_witnessed *ack)
{
	struct value_ipv4_net net;
	struct in_addr gateway;
	struct kv_value value;

	if (!get(s, "/ip", &value) || value_parse_ipv4_net(value.text, &net))
		return false;
	*ack = (struct frame_witnessed){
		.request_ns = value.boot_ns,
		.ack_ns = value.boot_ns,
		.address = net.address.s_addr,
		.mask = htonl(address_netmask(net.prefix_length)),
		.time_s = VALUE_LIFETIME_INFINITE,
		.said = 1u << FRAME_OPTION_MASK | 1u << FRAME_OPTION_TIME,
	};
	if (get(s, "/lease/time", &value) && !value_parse_lifetime(value.text, &ack->time_s))
		ack->request_ns = value.boot_ns;
	if (get(s, "/gateway", &value) && !value_parse_ipv4(value.text, &gateway)) {
		ack->routers[0] = gateway.s_addr;
		ack->said |= 1u << FRAME_OPTION_ROUTER;
	}
	return true;
}

static bool is_pinned(const struct pins *pins)
{
	int fd = pins_get(pins, PIN_FRAME_WITNESS);

	if (fd >= 0)
		(void)close(fd);
	return fd != -ENOENT;
}

/* The frame programs let a calf renew only what they have recorded, and record only for the
 * calf that sets the host's address. */
static void warn_of_others(const struct supervisor *s)
{
	const struct description *host = s->framed[FRAME_CALF_HOST];
	bool is_spoken = false;

	for (uint32_t i = 0; i < s->n_descriptions; i++)
		is_spoken |= description_has_check(&s->descriptions[i], FRAME_CHECK_DHCP4);
	if (is_spoken && !(host && description_has_check(host, FRAME_CHECK_DHCP4)))
		log_warning("no calf with frame rules of DHCPv4 writes /ip: no lease can be "
			    "renewed");
}

int supervisor_open_witness(struct supervisor *s)
{
	struct frame_witness before = { 0 };
	bool is_old;

	if (s->witness_fd >= 0)
		return 0;
	warn_of_others(s);
	is_old = s->store.adopted && !is_pinned(&s->pins) && make_record(s, &before.slot[0]);
	s->witness_fd = frames_witness_open(&s->pins, is_old ? &before : NULL);
	return s->witness_fd < 0 ? s->witness_fd : 0;
}
