/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the connected route look for, and how they let the handlers run. */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_CONNECTED_H
#define CALFPEN_TESTS_BPF_SUPPORT_CONNECTED_H

#include "tests/bpf/support-handlers.h"

#define METRIC "metric 100"
#define OURS(_net, _source) \
	"ip route show " _net " | grep -q 'dev up0 proto 202 scope link src " _source " " METRIC "'"
#define NO_OTHER(_net) "test $(ip route show " _net " | wc -l) = 1"
#define BY(_address, _device) "ip route get " _address " | grep -q ' dev " _device " '"
#define OF_VPN "ip route show dev vpn0 | sed 's/ linkdown//'"
#define ADDRESS(_net) "ip -4 addr show dev up0 | grep -q 'inet " _net " .*noprefixroute'"

/* How a VPN gets the host's traffic. */
static const struct style {
	const char *name;
	const char *up;
} styles[] = {
	{ "a default route with a lower metric", "ip route add default dev vpn0 metric 50" },
	{ "OpenVPN's two halves", "ip route add 0.0.0.0/1 dev vpn0 && "
				  "ip route add 128.0.0.0/1 dev vpn0" },
	{ "wg-quick's table and rules",
	  "ip route add default dev vpn0 table 51820 && "
	  "ip rule add pref 100 table main suppress_prefixlength 0 && "
	  "ip rule add pref 101 not fwmark 51820 table 51820" },
};
#define N_STYLES (sizeof(styles) / sizeof(styles[0]))

static inline void vpn_up(const struct style *style)
{
	cr_assert_eq(sh("ip link add vpn0 type veth peer name far0 && ip link set far0 up && "
			"ip link set vpn0 up && ip addr add 10.8.0.2/32 dev vpn0"),
		     0);
	cr_assert_eq(sh(style->up), 0, "%s", style->name);
}

static inline void vpn_down(void)
{
	EXPECT_SH("ip link del vpn0; ip rule del pref 100 2>/dev/null;"
		  "ip rule del pref 101 2>/dev/null; true");
}

static char refused[1024]; /* what the last passes refused */

static inline void on_refusal(void *data, const char *path, const char *why, bool is_used)
{
	size_t length = strlen(refused);

	(void)data;
	(void)is_used;
	(void)snprintf(refused + length, sizeof(refused) - length, "%s %s\n", path, why);
}

/* One pass, or the check of the watcher and the passes that it requires. */
static inline void settle_state(void)
{
	refused[0] = '\0';
	context.on_refusal = on_refusal;
	cr_expect_eq(pass(), 0, "%s", reason);
}

static inline void check_again(void)
{
	refused[0] = '\0';
	context.now_ns = loop_now_ns();
	reconcile_suspect_all(&handlers);
	reconcile_check(&handlers, &context, &wanted);
	cr_expect_eq(run_pass(), 0, "%s", reason);
}

#endif
