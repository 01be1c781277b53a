/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/client/client.h"

#include "userspace/calf/dhcp4/client/jitter.h"
#include "userspace/calf/dhcp4/message/routes.h"
#include "userspace/common/address.h"
#include "userspace/common/clock.h"

#define LINK_LOCAL 0xa9fe /* 169.254/16: RFC 3927 1.6, not for DHCP */
#define FUZZ_SHIFT 6	  /* a 64th of the lease */

bool client_lease_is_address(const struct client_config *config, struct in_addr address)
{
	return address_is_host(address) &&
	       (config->accept_link_local || ntohl(address.s_addr) >> 16 != LINK_LOCAL);
}

/* Return a random shift of -width to +width. */
static int64_t fuzz_ns(uint64_t width_ns, uint32_t random)
{
	return (int64_t)((2 * width_ns >> 16) * (random >> 16)) - (int64_t)width_ns;
}

static void set_times(struct client_lease *lease, const uint32_t random[2])
{
	uint64_t whole_ns = lease->time_s * NS_PER_S;
	uint64_t width_ns = whole_ns >> FUZZ_SHIFT;

	if (lease->t1_s == 0 || lease->t1_s >= lease->t2_s || lease->t2_s >= lease->time_s) {
		lease->t1_s = lease->time_s / 2;
		lease->t2_s = (uint32_t)(lease->time_s * 7ull / 8);
	}
	lease->expires_ns = lease->start_ns + whole_ns;
	lease->t1_ns = lease->start_ns + lease->t1_s * NS_PER_S;
	lease->t2_ns = lease->start_ns + lease->t2_s * NS_PER_S;
	/* Hosts that started together must not renew together. If T1 and T2
	 * leave no room for a shift, use them as they are. */
	if (lease->t2_ns + width_ns < lease->expires_ns &&
	    lease->t1_ns + 2 * width_ns < lease->t2_ns &&
	    lease->t1_ns - lease->start_ns > width_ns) {
		lease->t1_ns += (uint64_t)fuzz_ns(width_ns, random[0]);
		lease->t2_ns += (uint64_t)fuzz_ns(width_ns, random[1]);
	}
}

uint32_t client_lease_time_s(const struct client_config *config, const struct message *ack,
			     const struct client_lease *before)
{
	uint32_t time_s = ack->lease_s;

	if (time_s == 0 && before)
		time_s = before->time_s;
	return lease_time_used(time_s, config->fallback_lease_s);
}

uint8_t client_lease_prefix_length(const struct message *ack, const struct client_lease *before)
{
	if (ack->parameters.prefix_length > 0)
		return ack->parameters.prefix_length;
	if (before && before->prefix_length > 0)
		return before->prefix_length;
	return address_class_prefix(ack->yiaddr);
}

/* T1 and T2 are parts of a lease time, so they stay only with the same one. */
static void keep(struct client_lease *lease, const struct message *ack,
		 const struct client_lease *before)
{
	message_parameters_keep(&lease->parameters, &before->parameters);
	if (!ack->has_server)
		lease->server = before->server;
	lease->is_continued = before->is_continued;
	if (lease->time_s != before->time_s)
		return;
	if (lease->t1_s == 0)
		lease->t1_s = before->t1_s;
	if (lease->t2_s == 0)
		lease->t2_s = before->t2_s;
}

void client_lease_init(struct client_lease *lease, const struct client_config *config,
		       const struct message *ack, const struct client_lease *before,
		       uint64_t start_ns, const uint32_t random[2])
{
	*lease = (struct client_lease){
		.address = ack->yiaddr,
		.prefix_length = client_lease_prefix_length(ack, before),
		.server = ack->server,
		.time_s = client_lease_time_s(config, ack, before),
		.t1_s = ack->t1_s,
		.t2_s = ack->t2_s,
		.start_ns = start_ns,
		.parameters = ack->parameters,
	};
	routes_fit(&lease->parameters, lease->address, lease->prefix_length);
	if (before) {
		keep(lease, ack, before);
		/* The mask may be new. */
		routes_fit(&lease->parameters, lease->address, lease->prefix_length);
	}
	if (lease->time_s == CLIENT_INFINITE) {
		lease->t1_s = lease->t2_s = CLIENT_INFINITE;
		lease->t1_ns = lease->t2_ns = lease->expires_ns = CLIENT_NEVER;
		return;
	}
	set_times(lease, random);
}
