/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/support-live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

int live_hold_program(int program_fd)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "hold%d" };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), error = 0;

	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		error = -errno;
	if (!error)
		error = bpf_xdp_attach((int)if_nametoindex(request.ifr_name), program_fd,
				       XDP_FLAGS_DRV_MODE, NULL);
	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return error;
}

int live_init(struct live *live, int ifindex, enum live_mode mode, uint32_t batch)
{
	const struct bpf_insn redirect[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = ifindex },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	*live = (struct live){ .batch = batch, .mode = mode };
	if (mode == LIVE_NETIF_RECEIVE)
		live->context.ingress_ifindex = (uint32_t)ifindex;
	live->program_fd = mode == LIVE_START_XMIT ?
				   bpf_prog_load(BPF_PROG_TYPE_XDP, "live", "Dual BSD/GPL",
						 redirect, sizeof(redirect) / sizeof(redirect[0]),
						 NULL) :
				   bpf_prog_load(BPF_PROG_TYPE_XDP, "live", "Dual BSD/GPL", pass,
						 sizeof(pass) / sizeof(pass[0]), NULL);
	if (live->program_fd < 0)
		return live->program_fd;
	live->holder_fd = live_hold_program(live->program_fd);
	if (live->holder_fd >= 0)
		return 0;
	close(live->program_fd);
	return live->holder_fd;
}

int live_send(const struct live *live, const uint8_t *frame, size_t size, uint32_t count)
{
	struct xdp_md context = live->context;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)size,
		    .repeat = (int)count, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = live->batch);

	if (live->mode == LIVE_NETIF_RECEIVE) {
		context.data_end = (uint32_t)size;
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	return bpf_prog_test_run_opts(live->program_fd, &opts);
}

void live_deinit(struct live *live)
{
	close(live->holder_fd);
	close(live->program_fd);
}
