/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "userspace/priv/supervisor/probe.h"

static const char udp_table[] =
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
	"inode ref pointer drops\n"
	"  201: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
	"17001 2 0000000000000000 0\n"
	"  229: 0244A8C0:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000   998        0 "
	"4294967301 2 0000000000000000 0\n"
	"  230: 00000000:1144 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
	"17003 2 0000000000000000 0\n";

static const char packet_table[] =
	"sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n"
	"ffff8881 3      3    88cc   2     1 0      0      100\n"	  /* LLDP on 2 */
	"0000000000000000 3      3    0003   0     1 0      0      101\n" /* all, anywhere */
	"ffff8883 3      2    0800   3     1 0      0      102\n"
	"ffff8884 3      3    0003   2     1 0      0      103\n";

static FILE *open_text(const char *text)
{
	static char copy[2048];

	cr_assert(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	return fmemopen(copy, strlen(copy), "r");
}

static int find_udp(const char *text, uint16_t port, uint64_t *inodep)
{
	FILE *table = open_text(text);
	int found = probe_find_udp(table, port, inodep);

	fclose(table);
	return found;
}

static int find_packet(const char *text, unsigned int ifindex, uint64_t *inodep)
{
	FILE *table = open_text(text);
	int found = probe_find_packet(table, ifindex, inodep);

	fclose(table);
	return found;
}

Test(probe, udp_table)
{
	uint64_t inode = 7;

	cr_expect(find_udp(udp_table, 69, &inode) == 0 && inode == 7);
	cr_expect(find_udp(udp_table, 68, &inode) == 1 && inode == 4294967301);
	cr_expect(find_udp(udp_table, 53, &inode) == 1 && inode == 17001);
	cr_expect(find_udp(udp_table, 0x1144, &inode) == 1 && inode == 17003);
	cr_expect(find_udp("nonsense\n 1: 2\n", 68, &inode) == 0);
}

Test(probe, packet_table)
{
	uint64_t inode = 7;

	cr_expect(find_packet(packet_table, 4, &inode) == 0 && inode == 7);
	cr_expect(find_packet(packet_table, 2, &inode) == 1 && inode == 103);
	cr_expect(find_packet(packet_table, 3, &inode) == 1 && inode == 102);
	cr_expect(find_packet("nonsense\n\n1 2 3\n", 2, &inode) == 0);
}

Test(probe, names)
{
	for (int i = 0; i < _PROBE_FEATURE_N; i++)
		cr_expect(probe_feature_name((enum probe_feature)i) != NULL);
	cr_expect(probe_feature_name(_PROBE_FEATURE_N) == NULL);
}

/* Either all that is needed is there, or one line names what is not. */
Test(probe, kernel)
{
	struct probe_kernel kernel;
	int r;

	capture_begin();
	r = probe_kernel(&kernel);
	if (r == 0) {
		cr_expect_str_eq(capture_text(), "");
		cr_expect(kernel.error[PROBE_SYSCALL_PROGRAM] == 0);
		cr_expect(kernel.error[PROBE_TCX] == 0 || kernel.error[PROBE_CLSACT] == 0);
	} else {
		cr_expect(r == -EOPNOTSUPP);
		cr_expect(strstr(capture_text(), " are not available (kernel or permissions): "));
	}
}

/* A network of our own, where this test may be the other client. */
static void enter_network(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		cr_skip_test("no network namespace");
	cr_assert(prctl(PR_SET_NAME, "other client", 0, 0, 0) == 0);
}

Test(probe, no_other_client)
{
	struct probe_client client;

	enter_network();
	cr_expect(probe_other_client("lo", &client) == 0);
	cr_expect(probe_other_client("nonexistent", &client) == -ENODEV);
}

Test(probe, client_on_udp)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(68) };
	struct probe_client client;
	int fd;

	enter_network();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0);
	cr_assert(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	cr_assert(probe_other_client("lo", &client) == 1);
	cr_expect_str_eq(client.how, "UDP port 68");
	cr_expect(client.pid == getpid());
	cr_expect_str_eq(client.program, "other client");
	close(fd);
	cr_expect(probe_other_client("lo", &client) == 0);
}

Test(probe, client_on_packets)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_IP),
				       .sll_ifindex = 1 };
	struct probe_client client;
	int fd;

	enter_network();
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0);
	cr_expect(probe_other_client("lo", &client) == 0);
	cr_assert(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	cr_assert(probe_other_client("lo", &client) == 1);
	cr_expect_str_eq(client.how, "packet socket on lo");
	cr_expect(client.pid == getpid());
	address.sll_protocol = htons(ETH_P_LLDP);
	cr_assert(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	cr_expect(probe_other_client("lo", &client) == 0);
	close(fd);
}
