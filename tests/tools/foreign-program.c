/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign-program DEVICE KIND [N]
 *
 * Attach N (default 1) programs that do not belong to Calfpen and pass every frame
 * to a device's ingress, and print "attached ID" with the id of the last one. They
 * are detached when this process exits, except those attached by netlink (clsact:
 * a filter with priority 1, handle 1).
 *
 * KIND: xdp-native, xdp-generic (by link), xdp-native-netlink,
 * xdp-generic-netlink, tcx, clsact
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_NEXT (-1)

static const struct kind {
	const char *name;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	uint32_t flags;
	bool by_netlink;
} kinds[] = {
	{ "xdp-native", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_DRV_MODE, false },
	{ "xdp-generic", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_SKB_MODE, false },
	{ "xdp-native-netlink", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_DRV_MODE, true },
	{ "xdp-generic-netlink", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_SKB_MODE, true },
	{ "tcx", BPF_PROG_TYPE_SCHED_CLS, TCX_INGRESS, 0, false },
	{ "clsact", BPF_PROG_TYPE_SCHED_CLS, TCX_INGRESS, 0, true },
};

static int load(const struct kind *kind)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .imm = kind->type == BPF_PROG_TYPE_XDP ? (int)XDP_PASS : TCX_NEXT },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(kind->type, "foreign", "GPL", instructions, 2, NULL);
}

static int attach_by_netlink(const struct kind *kind, int ifindex, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = 1, .priority = 1);

	if (kind->type == BPF_PROG_TYPE_XDP)
		return bpf_xdp_attach(ifindex, program_fd, kind->flags, NULL);
	bpf_tc_hook_create(&hook);
	return bpf_tc_attach(&hook, &opts);
}

/* Attach one program. Returns its id or a negative errno. */
static int attach(const struct kind *kind, int ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = kind->flags);
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = load(kind), r;

	if (fd < 0)
		return fd;
	if (kind->by_netlink)
		r = attach_by_netlink(kind, ifindex, fd);
	else
		r = bpf_link_create(fd, ifindex, kind->attach, &opts); /* stays open */
	if (r >= 0)
		r = bpf_obj_get_info_by_fd(fd, &info, &size);
	close(fd);
	return r < 0 ? r : (int)info.id;
}

int main(int argc, char **argv)
{
	int ifindex = argc > 1 ? (int)if_nametoindex(argv[1]) : 0, id = -EINVAL;
	int n = argc > 3 ? atoi(argv[3]) : 1;

	if (argc < 3 || !ifindex)
		return 2;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int k = 0; k < n && !strcmp(argv[2], kinds[i].name); k++)
			id = attach(&kinds[i], ifindex);
	if (id < 0) {
		fprintf(stderr, "foreign-program: %s\n", strerror(-id));
		return 1;
	}
	printf("attached %d\n", id);
	fflush(stdout);
	pause();
	return 0;
}
