/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the identity of the former DHCP client
 *
 * A server knows a client by its identifier. With --takeover the first run of an
 * instance looks for the identifier of the client that ran before, so that it keeps the
 * address; DIRECTORY/identity keeps it for later runs, with or without --takeover. The
 * operator's own client_id, duid or iaid is left alone.
 *
 * Which client ran last: the one that is running, if it left a lease for the uplink;
 * else the one whose lease is for an address that the uplink has; else, unless the
 * uplink has an address that expires, which another client must have set, the one with
 * the newest file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/persist/identity.h"
#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/lease_files.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define CLIENT_ID "client_id"
#define SAVED_LEASE_KEY "/lease/address" /* of an earlier run */
#define READ_NS (5 * NS_PER_S)		 /* it takes milliseconds on an idle machine */
#define ADDRESSES_MAX 16

/* Returns the rule of the option that has the identity of the former client, or NULL. */
static const struct value_rule *find_rule(const struct supervisor *s)
{
	for (uint32_t i = 0; i < s->n_descriptions; i++) {
		const struct description_option *option =
			description_find_option(&s->descriptions[i], CLIENT_ID);

		if (option && !strcmp(s->descriptions[i].name, s->configuration.lease_calf))
			return &option->rule;
	}
	return NULL;
}

static const struct configuration_option *find_option(const struct supervisor *s, const char *name)
{
	return configuration_find_option(&s->configuration, s->configuration.lease_calf, name);
}

static int set_client_id(struct supervisor *s, const char *client_id)
{
	return configuration_set_option(&s->configuration, s->configuration.lease_calf, CLIENT_ID,
					client_id, false);
}

static bool has_value(const struct supervisor *s, const char *name, const char *value)
{
	const struct configuration_option *option = find_option(s, name);

	return option && !strcmp(option->value, value);
}

/* An anonymous client (RFC 7844) has the MAC as its only identity. */
static bool has_own_identity(const struct supervisor *s)
{
	static const char *const names[] = { CLIENT_ID, "duid", "iaid" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct configuration_option *option = find_option(s, names[i]);

		if (option && option->is_set)
			return true;
	}
	return has_value(s, "anonymous", "1");
}

static bool has_saved_lease(const struct supervisor *s)
{
	struct kv_value value;

	return gate_read(s->store.gate_fds[KV_SUBJECT_SUPERVISOR], SAVED_LEASE_KEY, &value) !=
	       -ENOENT;
}

/* Returns 0, or the VLAN id of the interface. */
static uint32_t vlan_of(const char *interface)
{
	struct vlan_ioctl_args arguments = { .cmd = GET_VLAN_VID_CMD };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return 0;
	(void)snprintf(arguments.device1, sizeof(arguments.device1), "%s", interface);
	r = ioctl(fd, SIOCGIFVLAN, &arguments);
	close(fd);
	return r < 0 ? 0 : (uint32_t)arguments.u.VID;
}

/* Wait for the role and take its result. */
static int take_result(const struct supervisor *s, pid_t pid, int fd,
		       struct migrate_identity *identityp)
{
	const struct await_limit forever = { .stop_fd = s->stop_fd, .until_ns = UINT64_MAX };
	const struct await_limit limit = await_within(&forever, READ_NS);
	struct migrate_identity identity;
	int status, r;

	r = await_child(pid, &status, &limit);
	if (r) {
		child_end(&pid);
		return r;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != ROLE_EXIT_OK)
		return -EIO;
	/* It was written before the role exited. */
	if (read(fd, &identity, sizeof(identity)) != (ssize_t)sizeof(identity) ||
	    !migrate_check(&identity))
		return -EBADMSG;
	*identityp = identity;
	return 0;
}

/* Have the migrate role read a lease file. Returns 0, or a negative errno. */
static int read_lease(const struct supervisor *s, const struct lease_file *lease, int null,
		      struct migrate_identity *identityp)
{
	/* Gateways and calves have the uids above the base (pair.h). */
	struct migrate_request request = { .format = lease->format, .uid = s->uid_base };
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, r = 0;
	pid_t pid;

	request.vlan = vlan_of(s->uplink.name);
	memcpy(request.mac, s->uplink.mac, sizeof(request.mac));
	(void)snprintf(request.interface, sizeof(request.interface), "%s", s->uplink.name);
	if (pipe2(to, O_CLOEXEC | O_NONBLOCK) || pipe2(from, O_CLOEXEC | O_NONBLOCK) ||
	    write(to[1], &request, sizeof(request)) != (ssize_t)sizeof(request))
		r = -errno;
	if (!r) {
		const int fds[] = { to[0], lease->lease_fd,
				    lease->duid_fd < 0 ? null : lease->duid_fd,
				    lease->configuration_fd < 0 ? null : lease->configuration_fd,
				    from[1] };

		pid = supervisor_execute_role(s, "migrate", fds, sizeof(fds) / sizeof(fds[0]));
		r = pid < 0 ? (int)pid : take_result(s, pid, from[0], identityp);
	}
	for (int i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	return r;
}

struct uplink_addresses {
	struct in_addr list[ADDRESSES_MAX];
	uint32_t n;
	bool expires; /* one of them: a DHCP client set it */
};

static void on_address(const struct netlink_address *address, void *data)
{
	struct uplink_addresses *addresses = data;

	if (address->scope != RT_SCOPE_UNIVERSE)
		return;
	addresses->expires |= address->valid_s != NETLINK_FOREVER;
	if (addresses->n < ADDRESSES_MAX)
		addresses->list[addresses->n++] = address->address;
}

static bool has_address(const struct uplink_addresses *addresses, struct in_addr address)
{
	for (uint32_t i = 0; i < addresses->n; i++)
		if (addresses->list[i].s_addr == address.s_addr)
			return true;
	return false;
}

/* Why a lease is chosen; a higher one wins. */
enum rank { RANK_NEWEST = 1, RANK_HAS_ADDRESS, RANK_RUNS };

/* The lease that was chosen. */
struct former {
	const struct lease_file *lease; /* NULL: none */
	struct migrate_identity identity;
	enum rank rank;
	char problem[PATH_MAX + 64]; /* with the last file that could not be used, or "" */
};

static void choose(const struct supervisor *s, const struct lease_files *leases,
		   const struct uplink_addresses *addresses, struct former *former)
{
	struct probe_client running = { .program = "" };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)probe_other_client(s->uplink.name, &running);
	(void)snprintf(former->problem, sizeof(former->problem), "%s", leases->refused);
	for (uint32_t i = 0; null >= 0 && i < leases->n; i++) {
		const struct lease_file *lease = &leases->list[i];
		struct migrate_identity identity;
		enum rank rank = RANK_NEWEST;
		int r = read_lease(s, lease, null, &identity);

		if (r || identity.kind == MIGRATE_DAMAGED)
			(void)snprintf(former->problem, sizeof(former->problem), "%s is %s",
				       lease->path, r ? "not readable" : "damaged");
		if (r == -ETIMEDOUT || r == -ECANCELED)
			break;
		if (r || identity.kind <= MIGRATE_DAMAGED)
			continue;
		if (lease_files_is_written_by(lease->format, running.program))
			rank = RANK_RUNS;
		else if (has_address(addresses, identity.address))
			rank = RANK_HAS_ADDRESS;
		else if (addresses->expires)
			continue;
		if (former->lease && former->rank >= rank)
			continue;
		former->lease = lease;
		former->identity = identity;
		former->rank = rank;
	}
	if (null >= 0)
		close(null);
}

static void log_unknown(const struct supervisor *s, const char *reason)
{
	log_warning("%s: the identity of the former DHCP client is unknown: %s; if the server "
		    "leases another address, set client_id (or duid and iaid) to what that "
		    "client sent",
		    s->uplink.name, reason);
}

/* Set the option for this run and save it for later ones. */
static void adopt(struct supervisor *s, const struct former *former, const char *client_id)
{
	const char *state = s->options->state;
	int r = set_client_id(s, client_id);

	if (!r)
		r = persist_identity_save(state, client_id);
	log_info("%s: continuing as %s (%s): client_id %s", s->uplink.name,
		 lease_files_program(former->lease->format), former->lease->path, client_id);
	if (r)
		log_warning("%s/" PERSIST_IDENTITY_FILE ": cannot write: %s; set client_id in the "
			    "configuration, because the next run will not know it",
			    state, strerror(-r));
}

static void use(struct supervisor *s, const struct former *former, const struct value_rule *rule)
{
	const struct migrate_identity *identity = &former->identity;
	char client_id[KV_VALUE_SIZE] = "none", reason[PATH_MAX + 64];

	/* With `inform: 1` the address must be one that the uplink has. */
	if (!has_value(s, "inform", "1"))
		s->former_address =
			(struct value_ipv4_net){ identity->address, identity->prefix_length };
	if (identity->kind == MIGRATE_ID)
		value_format_hex(identity->id, identity->id_size, client_id);
	if (identity->kind != MIGRATE_UNKNOWN &&
	    value_check(rule, client_id, strlen(client_id)) == 0) {
		adopt(s, former, client_id);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "%s does not tell", former->lease->path);
	log_unknown(s, reason);
}

static void find(struct supervisor *s, const struct value_rule *rule)
{
	struct lease_files *leases = calloc(1, sizeof(*leases));
	struct former *former = calloc(1, sizeof(*former));
	struct uplink_addresses addresses = { .n = 0 };

	if (!leases || !former)
		goto cleanup;
	(void)netlink_address_each(s->netlink, s->uplink.ifindex, on_address, &addresses);
	lease_files_find("", s->uplink.name, s->uplink.ifindex, leases);
	choose(s, leases, &addresses, former);
	if (former->lease)
		use(s, former, rule);
	else if (former->problem[0])
		log_unknown(s, former->problem);
	else if (addresses.n > 0)
		log_unknown(s, leases->n > 0 ?
				       "no lease file is for this interface and its address" :
				       "no lease file of dhcpcd, dhclient, systemd-networkd or "
				       "NetworkManager");
cleanup:
	if (leases)
		lease_files_close(leases);
	free(leases);
	free(former);
}

void supervisor_adopt_identity(struct supervisor *s)
{
	const struct value_rule *rule = find_rule(s);
	char client_id[KV_VALUE_SIZE];
	int r;

	if (!rule || has_own_identity(s))
		return;
	r = persist_identity_load(s->options->state, client_id);
	if (!r && value_check(rule, client_id, strlen(client_id)))
		r = -EBADMSG;
	if (!r)
		r = set_client_id(s, client_id);
	if (r == -ENOENT && s->options->takeover && !has_saved_lease(s))
		find(s, rule);
	else if (!r)
		log_info("client_id %s, as saved in %s/" PERSIST_IDENTITY_FILE, client_id,
			 s->options->state);
	else if (r != -ENOENT)
		log_error("%s/" PERSIST_IDENTITY_FILE ": not a line \"client_id: VALUE\"; ignoring "
			  "it; mend or delete it, or set client_id in the configuration",
			  s->options->state);
}
