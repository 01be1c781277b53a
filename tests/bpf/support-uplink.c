/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-uplink.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "skel/frame_tc.skel.h"
#include "userspace/priv/frames/clsact.h"
#include "userspace/priv/supervisor/probe.h"

#define MOMENT_MS 200
#define PATIENCE_MS 10000

void uplink_sh(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command); /* NOLINT(cert-env33-c) */
}

void uplink_make(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	/* IPv6 would add frames that no test expects */
	uplink_sh("for i in all default; do [ ! -d /proc/sys/net/ipv6 ] ||"
		  " echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done;"
		  "ip link add up0 type veth peer name wire0 &&"
		  "for device in lo up0 wire0; do ip link set $device up || exit 1; done &&"
		  "ip address add 10.7.0.5/24 dev up0");
}

int uplink_wire(const char *device, bool is_partial)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s", device);
	if (is_partial)
		cr_assert_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	return fd;
}

void uplink_send(int wire_fd, bool is_partial, const void *frame, uint32_t size)
{
	uint8_t buffer[sizeof(struct virtio_net_hdr) + 2048];
	struct virtio_net_hdr header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					 .csum_start = AT_UDP_SOURCE,
					 .csum_offset = AT_UDP_CHECKSUM - AT_UDP_SOURCE };
	uint32_t prefix = is_partial ? sizeof(header) : 0;

	cr_assert(size <= 2048);
	memcpy(buffer, &header, prefix);
	memcpy(buffer + prefix, frame, size);
	cr_assert_eq(write(wire_fd, buffer, prefix + size), (ssize_t)(prefix + size), "%s",
		     strerror(errno));
}

int uplink_host(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(68) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

uint32_t uplink_receive(int fd, void *buffer, uint32_t size)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&event, 1, PATIENCE_MS) != 1)
		return 0;
	n = read(fd, buffer, size);
	return n < 0 ? 0 : (uint32_t)n;
}

bool uplink_is_silent(int fd)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };

	return poll(&event, 1, MOMENT_MS) == 0;
}

uint64_t uplink_wait_count(const struct frames_test *test, uint32_t reason, uint64_t n)
{
	for (int i = 0; i < PATIENCE_MS && frames_test_count(test, reason) < n; i++)
		usleep(1000);
	return frames_test_count(test, reason);
}

/* Count in element 0, which every program may write, return the verdict. */
struct foreign foreign_load(enum bpf_prog_type type, int verdict)
{
	struct foreign foreign = { .map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 8, 1,
							    NULL) };
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = foreign.map_fd },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = 0,
		  .src_reg = 1,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	cr_assert(foreign.map_fd >= 0);
	foreign.program_fd = bpf_prog_load(type, "foreign", "GPL", instructions,
					   sizeof(instructions) / sizeof(instructions[0]), NULL);
	cr_assert(foreign.program_fd >= 0, "%s", strerror(errno));
	cr_assert_eq(bpf_obj_get_info_by_fd(foreign.program_fd, &info, &size), 0);
	foreign.id = info.id;
	return foreign;
}

uint64_t foreign_runs(const struct foreign *foreign)
{
	uint32_t zero = 0;
	uint64_t runs = 0;

	cr_assert_eq(bpf_map_lookup_elem(foreign->map_fd, &zero, &runs), 0);
	return runs;
}

void foreign_close(struct foreign *foreign)
{
	close(foreign->program_fd);
	close(foreign->map_fd);
}

int foreign_tcx(const struct foreign *foreign, const char *device)
{
	return bpf_link_create(foreign->program_fd, (int)if_nametoindex(device),
			       (enum bpf_attach_type)46 /* BPF_TCX_INGRESS */, NULL);
}

int foreign_clsact(const struct foreign *foreign, const char *device, uint32_t priority,
		   uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = foreign->program_fd, .priority = priority,
		    .handle = handle);
	int error = bpf_tc_hook_create(&hook);

	if (error && error != -EEXIST)
		return error;
	return bpf_tc_attach(&hook, &opts);
}

uint32_t foreign_clsact_id(const char *device, uint32_t priority, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .priority = priority, .handle = handle);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

uint32_t uplink_clsact_filters(const char *device)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	uint32_t n = 0;

	for (uint32_t priority = 1; priority <= 32; priority++)
		n += foreign_clsact_id(device, priority, FRAMES_CLSACT_HANDLE) != 0;
	libbpf_set_print(before);
	return n;
}

void uplink_tag_egress(const char *device, uint16_t tci)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = htons(ETH_P_8021Q) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = tci },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device),
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .priority = 1, .handle = 1);

	opts.prog_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tag", "GPL", instructions,
				     sizeof(instructions) / sizeof(instructions[0]), NULL);
	cr_assert(opts.prog_fd >= 0, "%s", strerror(errno));
	cr_assert_eq(bpf_tc_hook_create(&hook), 0);
	cr_assert_eq(bpf_tc_attach(&hook, &opts), 0);
	close(opts.prog_fd);
}

bool uplink_has_tcx(void)
{
	static struct probe_kernel kernel;

	cr_assert_eq(probe_kernel(&kernel), 0);
	return kernel.error[PROBE_TCX] == 0;
}

void uplink_put_ip_checksum(uint8_t *frame)
{
	uint32_t sum = 0;

	frame[AT_IP_CHECKSUM] = frame[AT_IP_CHECKSUM + 1] = 0;
	for (int at = AT_IP; at < AT_UDP_SOURCE; at += 2)
		sum += (uint32_t)frame[at] << 8 | frame[at + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
}

void uplink_make_reply(const struct frames_test *test, uint8_t frame[FRAME_SIZE])
{
	frames_test_open(test);
	frames_test_reply(test, frame);
	uplink_put_ip_checksum(frame);
}

void uplink_expect_at_calf(const struct frames_test *test, int wire, const char *what)
{
	uint8_t frame[FRAME_SIZE], got[2048];
	uint64_t before = frames_test_count(test, FRAME_IN_ACCEPTED);

	uplink_make_reply(test, frame);
	uplink_send(wire, false, frame, sizeof(frame));
	cr_expect_eq(uplink_wait_count(test, FRAME_IN_ACCEPTED, before + 1), before + 1, "%s",
		     what);
	cr_expect_eq(uplink_receive(test->tap.fd, got, sizeof(got)), (uint32_t)FRAME_SIZE, "%s",
		     what);
	cr_expect_arr_eq(got, frame, FRAME_SIZE, "%s", what);
}

void uplink_fill_tcx(void)
{
	int link = 0, n = 0;

	if (!uplink_has_tcx())
		return;
	for (; link >= 0; n++) {
		struct foreign one = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);

		link = foreign_tcx(&one, "up0");
		foreign_close(&one);
	}
	cr_assert(n > 32 && link == -ERANGE, "%d: %s", n, strerror(-link));
}

uint32_t uplink_xdp_id(const char *device)
{
	uint32_t id = 0;

	cr_assert_eq(bpf_xdp_query_id((int)if_nametoindex(device), 0, &id), 0);
	return id;
}

const enum frame_mode uplink_modes[UPLINK_MODES_N] = { FRAME_MODE_NATIVE, FRAME_MODE_TC,
						       FRAME_MODE_GENERIC };

void uplink_begin_on(struct frames_test *test, const char *uplink)
{
	frames_test_begin_on(test, uplink, 1000000, 1000000);
}

void uplink_begin(struct frames_test *test)
{
	uplink_make();
	uplink_begin_on(test, "up0");
}
