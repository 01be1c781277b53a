/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the duration of the handlers for a lease with 64 routes, for its end, and
 * for a renewal that changes nothing, compared with a bare RTM_NEWADDR request.
 * Runs in its own network, mount and UTS namespace.
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

static void set(const char *path, const char *text)
{
	struct kv_key key = { { 0 } };
	struct kv_value value = { .revision = ++wanted.revision, .boot_ns = loop_now_ns() };

	(void)snprintf(key.path, sizeof(key.path), "%s", path);
	(void)snprintf(value.text, sizeof(value.text), "%s", text);
	value.length = (uint32_t)strlen(value.text);
	bench_check(wanted_set(&wanted, &key, &value), path);
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
	}
	wanted_deinit(&wanted);
	netlink_free(context.netlink);
	return 0;
}
