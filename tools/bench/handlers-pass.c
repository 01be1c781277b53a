/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the duration of the handlers for a lease with 64 routes, for its end, and
 * for a renewal that changes nothing, compared with a bare RTM_NEWADDR request; and
 * for what four calves say, compared with as many keys of one. Runs in its own network,
 * mount and UTS namespace.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tools/bench/support.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/watcher/reconcile.h"

#define ROUTES 64
#define RENEWALS 200
#define PROVIDERS_KEYS 200
#define PASSES 200

static const struct handler *const all[] = { &handler_address, &handler_link, &handler_route,
					     &handler_dns, &handler_host };
static struct handler_options options = {
	.metric = 100,
	.table = 254,
	.max_routes = ROUTES,
	.min_prefix_length = 8,
	.min_connected_prefix_length = 16,
	.use_routes = true,
	.use_mtu = true,
	.use_dns = true,
	.resolv_conf = "/tmp/resolv.conf",
};
static struct handlers_state state;
static struct handler_context context = {
	.state = &state,
	.options = &options,
	.instance = "bench",
	.run_root = "/tmp",
	.run_directory = "/tmp/bench",
	.n_address_changes = 1,
};
static struct wanted wanted;
static struct reconciler reconciler;

static void set_in(struct wanted *in, const char *path, const char *text)
{
	struct kv_key key = { { 0 } };
	struct kv_value value = { .revision = ++in->revision, .boot_ns = loop_now_ns() };

	(void)snprintf(key.path, sizeof(key.path), "%s", path);
	(void)snprintf(value.text, sizeof(value.text), "%s", text);
	value.length = (uint16_t)strlen(value.text);
	bench_check(wanted_set(in, &key, &value), path);
}

static void set(const char *path, const char *text)
{
	set_in(&wanted, path, text);
}

static double run(const char *path)
{
	uint64_t begin_ns;
	uint32_t i;

	if (path)
		reconcile_mark_path(&reconciler, path);
	else
		reconcile_mark_all(&reconciler);
	begin_ns = bench_now_ns();
	context.now_ns = loop_now_ns();
	reconcile_run(&reconciler, &context, &wanted);
	begin_ns = bench_now_ns() - begin_ns;
	for (i = 0; i < reconciler.n_handlers; i++)
		if (reconciler.state[i].error)
			bench_fail("%s: %s", all[i]->name, reconciler.state[i].status);
	return (double)begin_ns;
}

static void lease(uint32_t n_routes, bool has_ways)
{
	char path[32], text[64];
	uint32_t i;

	set("/ip", "192.0.2.5/24");
	set("/gateway", "192.0.2.1");
	set("/lease/time", "3600");
	set("/nameserver/001", "192.0.2.1");
	for (i = 0; i < n_routes; i++) {
		(void)snprintf(path, sizeof(path), "/route/%03u", i + 1);
		(void)snprintf(text, sizeof(text), "10.%u.0.0/16 via %s.%u", i,
			       has_ways ? "198.51.100" : "192.0.2", i + 10);
		set(path, text);
	}
}

static void renewals(void)
{
	static uint64_t ours[RENEWALS], bare[RENEWALS];
	struct netlink_address address = { .prefix_length = 24,
					   .valid_s = 3600,
					   .preferred_s = 3600 };
	uint64_t begin_ns;
	int i;

	/* 192.0.2.5 again, with the bare request */
	address.address.s_addr = __builtin_bswap32(0xc0000205);
	address.broadcast.s_addr = __builtin_bswap32(0xc00002ff);
	for (i = 0; i < RENEWALS; i++) {
		set("/lease/time", "3600");
		ours[i] = (uint64_t)run("/lease/time");
		begin_ns = bench_now_ns();
		bench_check(netlink_address_replace(context.netlink, context.uplink_ifindex,
						    &address),
			    "RTM_NEWADDR");
		bare[i] = bench_now_ns() - begin_ns;
	}
	bench_say("renewal", bench_median(ours, RENEWALS) / 1e3);
	bench_say("bare_request", bench_median(bare, RENEWALS) / 1e3);
}

/* Calves that have 200 keys together, and the host's files that these fill. */
static struct calves {
	uint32_t n;
	const char *label;
	struct handlers_state state;
	struct handler_options options;
	struct handler_context context;
	struct wanted wanted;
	uint64_t took_ns[PASSES];
} calves[] = { { .n = 1, .label = "providers_1" }, { .n = 4, .label = "providers_4" } };
#define N_CALVES (sizeof(calves) / sizeof(calves[0]))

static const struct handler *const shared[] = { &handler_dns, &handler_host, &handler_timeservers,
						&handler_portal };

static void set_of(struct calves *of, const char *family, uint32_t i_calf, uint32_t i_key,
		   const char *text)
{
	char path[KV_PATH_SIZE], end[16] = "";

	if (i_key)
		(void)snprintf(end, sizeof(end), "/%03u", i_key);
	(void)snprintf(path, sizeof(path), "/%s/%s%s", family, of->options.providers[i_calf], end);
	set_in(&of->wanted, path, text);
}

static void say(struct calves *of)
{
	uint32_t n = PROVIDERS_KEYS / of->n - 4; /* of each calf, besides its names and its URI */
	char text[64];

	for (uint32_t i = 0; i < of->n; i++) {
		(void)snprintf(of->options.providers[i], KV_NAME_SIZE, "calf%u", i);
		set_of(of, "search", i, 0, "a.example b.example");
		set_of(of, "domain", i, 0, "a.example");
		set_of(of, "hostname", i, 0, "bench");
		set_of(of, "captive-portal", i, 0, "https://portal.example/");
		for (uint32_t j = 1; j <= n; j++) {
			(void)snprintf(text, sizeof(text), j % 2 ? "2001:db8:%x::%x" : "10.0.%u.%u",
				       i + 1, j);
			set_of(of, j % 3 ? "nameserver" : "ntp", i, j, text);
		}
	}
}

static void prepare(struct calves *of)
{
	char root[64], path[96];

	(void)snprintf(root, sizeof(root), "/tmp/%s", of->label);
	(void)snprintf(path, sizeof(path), "%s/bench", root);
	if (mkdir(root, 0711) < 0 || mkdir(path, 0711) < 0)
		bench_fail("%s: %s", path, strerror(errno));
	of->options = (struct handler_options){ .n_providers = of->n,
						.use_dns = true,
						.use_domain = true,
						.use_hostname = true,
						.use_ntp = true };
	(void)snprintf(of->options.resolv_conf, PATH_MAX, "%s/resolv.conf", root);
	bench_check(wanted_init(&of->wanted, PROVIDERS_KEYS), "wanted");
	say(of);
	if (of->wanted.n_keys != PROVIDERS_KEYS)
		bench_fail("%u keys", of->wanted.n_keys);
	of->context = (struct handler_context){ .state = &of->state,
						.options = &of->options,
						.instance = "bench",
						.run_root = strdup(root),
						.chrony_directory = "/tmp/none" };
	if (!of->context.run_root)
		bench_fail("no memory");
}

static uint64_t run_shared(struct calves *of)
{
	uint64_t begin_ns = bench_now_ns();

	of->context.now_ns = loop_now_ns();
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (shared[i]->apply(&of->context, &of->wanted))
			bench_fail("%s: %s", shared[i]->name, of->context.error);
	return bench_now_ns() - begin_ns;
}

/* In turns, so that both see the same machine. The first pass writes, and is not counted. */
static void providers(void)
{
	for (uint32_t i = 0; i <= PASSES; i++)
		for (size_t j = 0; j < N_CALVES; j++) {
			uint64_t took_ns = run_shared(&calves[j]);

			if (i)
				calves[j].took_ns[i - 1] = took_ns;
		}
	for (size_t j = 0; j < N_CALVES; j++)
		bench_say(calves[j].label, bench_median(calves[j].took_ns, PASSES) / 1e3);
}

int main(int argc, char **argv)
{
	struct netlink_link link;
	int round, rounds;

	if (argc != 3)
		bench_fail("usage: handlers-pass CPU ROUNDS");
	bench_pin(argv[1]);
	rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	log_init("bench", 2, LOG_LEVEL_ERROR);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/bench", 0711) < 0)
		bench_fail("namespaces: %s", strerror(errno));
	if (system("ip link set lo up; ip link add up0 type veth peer name peer0;" /* NOLINT */
		   "ip link set peer0 up; ip link set up0 up; sleep 0.1") != 0)
		bench_fail("cannot create a veth");
	bench_check(netlink_new(&context.netlink), "netlink");
	bench_check(netlink_link_get_by_name(context.netlink, "up0", &link), "up0");
	context.uplink_ifindex = link.ifindex;
	bench_check(wanted_init(&wanted, 256), "wanted");
	reconcile_init(&reconciler, all, sizeof(all) / sizeof(all[0]));
	for (size_t i = 0; i < N_CALVES; i++)
		prepare(&calves[i]);
	for (round = 0; round < rounds; round++) {
		lease(0, false);
		bench_say("lease", run(NULL) / 1e6);
		renewals();
		lease(ROUTES, false);
		bench_say("routes_64", run("/route/001") / 1e6);
		bench_say("routes_64_again", run("/route/001") / 1e6);
		wanted_clear(&wanted);
		bench_say("end", run(NULL) / 1e6);
		lease(0, false);
		(void)run(NULL);
		lease(ROUTES, true);
		bench_say("routes_64_and_ways", run("/route/001") / 1e6);
		wanted_clear(&wanted);
		(void)run(NULL);
		providers();
	}
	wanted_deinit(&wanted);
	netlink_free(context.netlink);
	return 0;
}
