/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers with a real kernel, each test in separate network, mount and UTS
 * namespaces. The tests read with ip(8) what a handler did, and count the changes with
 * a second netlink socket.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_HANDLERS_H
#define CALFPEN_TESTS_BPF_SUPPORT_HANDLERS_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/support-wanted.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/handlers/all.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/watcher/reconcile.h"

static struct handler_options options;
static struct handlers_state state;
static struct handler_context context;
static struct wanted wanted;
static int monitor = -1;
static struct reconciler handlers;

static inline int sh(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

#define EXPECT_SH(_command) cr_expect_eq(sh(_command), 0, "%s", _command)

static inline void setup(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE,
	};
	struct netlink_link link;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (sh("ip -V 2>&1 | grep -q iproute2"))
		cr_skip_test("needs iproute2's ip");
	log_init("test", -1, LOG_LEVEL_ERROR);
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	cr_assert_eq(sh("mkdir -p /tmp/root/test /tmp/etc; ip link set lo up;"
			"sysctl -qw net.ipv6.conf.all.disable_ipv6=1;"
			"sysctl -qw net.ipv4.conf.default.promote_secondaries=0;"
			"ip link add up0 type veth peer name peer0;"
			"ip link set peer0 up; ip link set up0 up; sleep 0.1"),
		     0);
	options = (struct handler_options){
		.metric = 100,
		.table = 254,
		.max_routes = 64,
		.min_prefix_length = 8,
		.min_connected_prefix_length = 16,
		.use_dns = true,
		.use_routes = true,
		.use_mtu = true,
		.use_domain = true,
		.use_ntp = true,
		.resolv_conf = "/tmp/etc/resolv.conf",
		.chronyd_directory = "/tmp/chrony",
	};
	context = (struct handler_context){
		.state = &state,
		.options = &options,
		.instance = "test",
		.run_root = "/tmp/root",
		.chrony_directory = "/tmp/chrony-dhcp",
		.run_directory = "/tmp/root/test",
	};
	cr_assert_eq(netlink_new(&context.netlink), 0);
	cr_assert_eq(netlink_link_get_by_name(context.netlink, "up0", &link), 0);
	context.uplink_ifindex = link.ifindex;
	cr_assert_eq(wanted_init(&wanted, 256), 0);
	reconcile_init(&handlers, handlers_all, HANDLERS_ALL_N);
	monitor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	cr_assert_eq(bind(monitor, (struct sockaddr *)&address, sizeof(address)), 0);
}

static inline void teardown(void)
{
	wanted_deinit(&wanted);
	context.netlink = netlink_free(context.netlink);
	(void)close(monitor);
}

/* Changes of this type that the kernel has announced since the last call; 0: all. */
static inline unsigned int n_changes_of(uint16_t type)
{
	static char bytes[65536];
	unsigned int n = 0;
	ssize_t size;

	while ((size = recv(monitor, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		struct nlmsghdr *header = (struct nlmsghdr *)bytes;

		for (; NLMSG_OK(header, (unsigned int)size); header = NLMSG_NEXT(header, size))
			n += type == 0 || header->nlmsg_type == type;
	}
	return n;
}

static inline unsigned int n_changes(void)
{
	return n_changes_of(0);
}

/* As the watcher does it. The first error in order of handlers, its text in
 * reason. */
static char reason[RECONCILE_STATUS_SIZE];

static inline int run_pass(void)
{
	uint32_t i;

	context.now_ns = loop_now_ns();
	reconcile_run(&handlers, &context, &wanted);
	for (i = 0; i < HANDLERS_ALL_N; i++) {
		(void)snprintf(reason, sizeof(reason), "%s", handlers.state[i].status);
		if (handlers.state[i].error)
			return handlers.state[i].error;
	}
	return 0;
}

static inline int pass(void)
{
	reconcile_mark_all(&handlers);
	return run_pass();
}

/* After a change of this path only. */
static inline int pass_of(const char *path)
{
	reconcile_mark_path(&handlers, path);
	return run_pass();
}

/* An address with our mark; ip(8) of the time cannot set it. */
static inline void add_ours(const char *device, const char *address, uint32_t valid_s)
{
	struct netlink_address ours = { .prefix_length = 24,
					.address = { inet_addr(address) },
					.valid_s = valid_s,
					.preferred_s = valid_s };

	cr_assert_eq(netlink_address_add(context.netlink, (int)if_nametoindex(device), &ours), 0);
}

static inline void lease(const char *ip, const char *gateway, const char *seconds)
{
	uint64_t now_ns = loop_now_ns();

	test_set(&wanted, "/ip", ip, now_ns);
	test_set(&wanted, "/gateway", gateway, now_ns);
	test_set(&wanted, "/lease/time", seconds, now_ns);
}

#endif
