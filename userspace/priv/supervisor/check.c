/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that are done before anything on the host is changed. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/description/calves.h"
#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/supervisor-private.h"

int supervisor_load_files(struct supervisor *s)
{
	int r = calves_load(s->options, &s->descriptions, &s->n_descriptions, &s->configuration);

	if (r)
		return r;
	supervisor_number_calves(s);
	s->loaded_fd = loaded_seal(&(const struct loaded){ .configuration = &s->configuration,
							   .descriptions = s->descriptions,
							   .n_descriptions = s->n_descriptions });
	if (s->loaded_fd < 0)
		log_error("cannot seal the configuration: %s", strerror(-s->loaded_fd));
	if (s->loaded_fd < 0)
		return s->loaded_fd;
	return check_begin(s->questions, s->descriptions, s->n_descriptions, &s->configuration);
}

int supervisor_check_options(struct supervisor *s)
{
	return check_end(s->questions, s->descriptions, s->n_descriptions, &s->configuration,
			 s->options->configuration, s->stop_fd);
}

static int open_programs(struct supervisor *s)
{
	s->self_program = child_open_program(NULL);
	s->gateway_program = child_open_program("calfpen-gateway");
	return s->self_program < 0    ? s->self_program :
	       s->gateway_program < 0 ? s->gateway_program :
					0;
}

int supervisor_check_host(struct supervisor *s)
{
	int r = open_programs(s);

	if (!r)
		r = probe_kernel(&s->kernel);
	return r ? r : netlink_new(&s->netlink);
}

int supervisor_check_other_clients(const struct supervisor *s)
{
	struct probe_client client;
	int found;

	if (s->options->takeover)
		return 0;
	found = probe_other_client(s->uplink.name, &client);
	if (found < 0) {
		log_error("%s: cannot determine whether another DHCP client is running: %s",
			  s->uplink.name, strerror(-found));
		return found;
	}
	if (!found)
		return 0;
	log_error("%s: another DHCP client is running (%s, %s, pid %d); stop it, or use --takeover",
		  s->uplink.name, client.how,
		  client.program[0] ? client.program : "unknown program", (int)client.pid);
	return -EADDRINUSE;
}

struct uplink_addresses {
	bool has_ours;
	char foreign[INET6_ADDRSTRLEN]; /* one of them, or "" */
};

static void on_address(const struct netlink_address *address, void *data)
{
	struct uplink_addresses *addresses = data;

	if (address->protocol == NETLINK_OWNER)
		addresses->has_ours = true;
	else
		inet_ntop(AF_INET, &address->address, addresses->foreign,
			  sizeof(addresses->foreign));
}

int supervisor_check_quarantine(struct supervisor *s)
{
	struct uplink_addresses addresses = { .has_ours = false };
	struct in6_addr ipv6;
	int r;

	if (!s->configuration.quarantine_s)
		return 0;
	if (!s->framed[FRAME_CALF_HOST]) {
		log_error("quarantine: requires a calf with frame rules that writes /ip, whose "
			  "lease ends it");
		return -EINVAL;
	}
	r = netlink_address_each(s->netlink, s->uplink.ifindex, on_address, &addresses);
	if (!r)
		r = netlink_address_find_ipv6(s->netlink, s->uplink.ifindex, &ipv6);
	if (r < 0) {
		log_error("%s: cannot read the addresses: %s", s->uplink.name, strerror(-r));
		return r;
	}
	if (r)
		inet_ntop(AF_INET6, &ipv6, addresses.foreign, sizeof(addresses.foreign));
	s->quarantine.deadline_ns = loop_now_ns() + s->configuration.quarantine_s * NS_PER_S;
	if (addresses.has_ours) {
		s->quarantine.opened_by = FRAME_QUARANTINE_LEASE;
		s->quarantine.opened_ns = loop_now_ns();
		return 0;
	}
	if (!addresses.foreign[0] || s->options->quarantine_force)
		return 0;
	log_error("%s: quarantine would cut off %s, which the interface already has; "
		  "do not use quarantine, or use --quarantine-force",
		  s->uplink.name, addresses.foreign);
	return -EADDRINUSE;
}
