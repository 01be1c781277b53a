/* SPDX-License-Identifier: Apache-2.0 */
/* The connected route under a running connection: an address of an older version, or taken
 * over, and changes of the lease. */
#include "tests/bpf/support-connected.h"

#include <linux/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

TestSuite(handlers_connection, .init = setup, .fini = teardown);

/* a running connection */

#define PEER "192.168.7.1"
#define PORT 7777

static struct talk {
	pid_t peer;
	int tcp, udp;
	pthread_t thread;
	atomic_bool is_over;
	atomic_uint n_rounds, n_errors;
	int error; /* the last one */
} talk;

static struct sockaddr_in peer_address(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(PORT),
				     .sin_addr = { inet_addr(PEER) } };
}

/* The other end of the veth, in a namespace of its own: it repeats what it hears. */
__attribute__((noreturn)) static void be_peer(int ready, int moved)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener, channel, one = 1;
	char c = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) || write(ready, &c, 1) != 1 || read(moved, &c, 1) != 1 ||
	    sh("ip link set peer0 up; ip addr add " PEER "/16 dev peer0"))
		_exit(1);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1) ||
	    write(ready, &c, 1) != 1)
		_exit(1);
	channel = accept(listener, NULL, NULL);
	while (read(channel, &c, 1) == 1 && write(channel, &c, 1) == 1)
		;
	_exit(0);
}

/* Each datagram asks for a route anew, so it notices a moment without one. */
static void *keep_talking(void *data)
{
	struct sockaddr_in to = peer_address();
	char c = 'x';

	(void)data;
	while (!talk.is_over) {
		for (int i = 0; i < 20; i++) {
			if (sendto(talk.udp, &c, 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 ||
			    errno == ECONNREFUSED)
				continue;
			talk.error = errno;
			talk.n_errors++;
		}
		if (write(talk.tcp, &c, 1) != 1 || read(talk.tcp, &c, 1) != 1) {
			talk.error = errno;
			talk.n_errors++;
			break;
		}
		talk.n_rounds++;
	}
	return NULL;
}

static void start_talk(void)
{
	struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_in to = peer_address();
	sigset_t all_signals, signals;
	int ready[2], moved[2];
	char command[64], c = 0;

	cr_assert(!pipe(ready) && !pipe(moved));
	talk.peer = fork();
	cr_assert_geq(talk.peer, 0);
	if (!talk.peer)
		be_peer(ready[1], moved[0]);
	cr_assert_eq(read(ready[0], &c, 1), 1);
	(void)snprintf(command, sizeof(command), "ip link set peer0 netns %d", talk.peer);
	cr_assert_eq(sh(command), 0);
	cr_assert_eq(write(moved[1], &c, 1), 1);
	cr_assert_eq(read(ready[0], &c, 1), 1);
	EXPECT_SH("for i in $(seq 50); do ip link show up0 | grep -q LOWER_UP && exit 0; sleep 0.1;"
		  "done; exit 1");
	talk.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	talk.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(talk.tcp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	cr_assert_eq(connect(talk.tcp, (struct sockaddr *)&to, sizeof(to)), 0, "%m");
	(void)sigfillset(&all_signals);
	(void)pthread_sigmask(SIG_BLOCK, &all_signals, &signals);
	cr_assert_eq(pthread_create(&talk.thread, NULL, keep_talking, NULL), 0);
	(void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
}

/* Returns how many segments of the connection were lost: sent again, and not found there
 * already, as on a busy machine on which an answer takes longer than the timer. */
static unsigned int n_lost(void)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	cr_assert_eq(getsockopt(talk.tcp, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_total_retrans - info.tcpi_dsack_dups;
}

/* Until something was said after what has happened. */
static void hear(const char *what)
{
	unsigned int n = talk.n_rounds;

	for (int i = 0; i < 2000 && talk.n_rounds < n + 3; i++)
		(void)usleep(5000);
	cr_expect_geq(talk.n_rounds, n + 3, "%s", what);
	for (int i = 0; i < 200 && n_lost(); i++)
		(void)usleep(5000); /* for the acknowledgement that says so */
	cr_expect_eq(n_lost(), 0, "%s: %u segments", what, n_lost());
	cr_expect_eq(talk.n_errors, 0, "%s: %u errors, %s", what, talk.n_errors,
		     strerror(talk.error));
}

static void end_talk(void)
{
	int status;

	talk.is_over = true;
	(void)pthread_join(talk.thread, NULL);
	(void)close(talk.tcp);
	(void)close(talk.udp);
	cr_expect_eq(waitpid(talk.peer, &status, 0), talk.peer);
}

#define IS_OURS OURS("192.168.7.0/24", "192.168.7.5") " && " NO_OTHER("192.168.7.0/24")

static void expect_renewals(void)
{
	for (int i = 0; i < 50; i++) {
		lease("192.168.7.5/24", "192.168.7.1", i & 1 ? "3600" : "7200");
		test_remove(&wanted, "/gateway");
		cr_expect_eq(pass(), 0, "%s", reason);
	}
	hear("renewals");
	EXPECT_SH(IS_OURS);
}

/* Without a gateway there is no other route that could help. */
Test(handlers_connection, F3_running_connection_and_an_older_version)
{
	add_ours("up0", "192.168.7.5", NETLINK_FOREVER);
	start_talk();
	hear("before");
	EXPECT_SH("ip monitor address > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	expect_renewals();
	/* the removal of the address would end masqueraded connections */
	EXPECT_SH("kill $(cat /tmp/pid); ! grep Deleted /tmp/monitor");
	/* as at first, 50 times: the kernel's route only */
	for (int i = 0; i < 50; i++) {
		EXPECT_SH("ip route prepend 192.168.7.0/24 dev up0 proto kernel scope link "
			  "src 192.168.7.5 && ip route del 192.168.7.0/24 proto 202");
		cr_expect_eq(pass(), 0, "%s", reason);
		EXPECT_SH(IS_OURS);
	}
	hear("the kernel's route");
	end_talk();
}

/* As networkd and dhcpcd set it, with a route of their own. */
Test(handlers_connection, F3_running_connection_and_a_take_over)
{
	EXPECT_SH(
		"ip addr add 192.168.7.5/24 dev up0 noprefixroute valid_lft 900 preferred_lft 900;"
		"ip route add 192.168.7.0/24 dev up0 proto dhcp src 192.168.7.5 metric 7");
	context.takeover = true;
	test_set(&wanted, "/address", "192.168.7.5/24", 0);
	start_talk();
	hear("before");
	EXPECT_SH("ip monitor address > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	expect_renewals();
	EXPECT_SH("kill $(cat /tmp/pid); ! grep Deleted /tmp/monitor");
	end_talk();
}

/* An address that the kernel does not let us mark (Linux 6.1) stays at the end, and so does
 * its subnet. */
Test(handlers_connection, F3_end_after_a_take_over)
{
	bool is_marked;

	EXPECT_SH("ip addr add 10.77.0.50/24 dev up0 valid_lft 900 preferred_lft 900");
	context.takeover = true;
	test_set(&wanted, "/address", "10.77.0.50/24", 0);
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	is_marked = !sh(NO_OTHER("10.77.0.0/24"));
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto 202'");
	settle_state();
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto 202'");
	wanted_clear(&wanted);
	settle_state();
	if (is_marked) {
		EXPECT_SH("! ip -4 addr show dev up0 | grep inet");
		EXPECT_SH("test -z \"$(ip route show dev up0)\"");
	} else {
		EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 10.77.0.50/24'");
		EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto kernel' && " NO_OTHER(
			"10.77.0.0/24"));
	}
}

Test(handlers_connection, F3_running_connection_and_changes)
{
	static const char *const nets[] = { "192.168.7.5/25", "192.168.7.5/24", "192.168.7.5/16",
					    "192.168.7.5/24" };

	lease("192.168.7.5/24", "192.168.7.1", "3600");
	test_remove(&wanted, "/gateway");
	settle_state();
	start_talk();
	expect_renewals();
	for (int i = 0; i < 40; i++) { /* of the mask */
		lease(nets[i % 4], "192.168.7.1", "3600");
		test_remove(&wanted, "/gateway");
		cr_expect_eq(pass(), 0, "%s", reason);
		EXPECT_SH("test $(ip route show dev up0 | wc -l) = 1");
	}
	hear("changes of the mask");
	for (int i = 0; i < 40; i++) { /* of the MTU of the routes */
		test_set(&wanted, "/mtu", i & 1 ? "1000" : "1200", 0);
		cr_expect_eq(pass(), 0, "%s", reason);
	}
	hear("changes of the MTU");
	/* a VPN that comes and goes, and hides nothing of this */
	for (size_t i = 0; i < N_STYLES; i++) {
		vpn_up(&styles[i]);
		check_again();
		hear(styles[i].name);
		vpn_down();
		check_again();
	}
	hear("without a VPN");
	EXPECT_SH(IS_OURS);
	end_talk();
}
