/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uplink flooded by the kernel's packet generator, if there is one: without
 * the filter, with an empty program, with the filter. The filter's counters and
 * the packets that reach the host's IP input must add up to the number sent;
 * the packets per second are printed, not checked.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "tests/bpf/support-frames.h"

#define COUNT 20000
#define PORT_HOST 9
#define PORT_CLIENT 68

static const struct bpf_insn pass[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
	{ .code = BPF_JMP | BPF_EXIT },
};
static const struct bpf_insn unspec[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1 },
	{ .code = BPF_JMP | BPF_EXIT },
};

/* A number from a file of /proc: the column of the row whose first word it is. */
static uint64_t proc_number(const char *path, const char *row, int column)
{
	char line[1024];
	uint64_t number = 0;
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		char *rest = line, *word = strtok_r(line, " :\n", &rest);

		if (!word || strcmp(word, row) != 0)
			continue;
		for (int i = 0; i < column && word; i++)
			word = strtok_r(NULL, " :\n", &rest);
		if (word)
			number = strtoull(word, NULL, 10); /* the last row with numbers */
	}
	fclose(file);
	return number;
}

/* Datagrams that the host's IP has seen. */
static uint64_t ip_received(void)
{
	return proc_number("/proc/net/snmp", "Ip", 3);
}

/* What the wire lost for want of room at its other end. */
static uint64_t wire_lost(void)
{
	return proc_number("/proc/net/dev", WIRE, 12);
}

/*
 * Flood the uplink. Returns the packets per second and stores how many were
 * sent: for a packet that a driver reports as lost, pktgen sends another. A
 * packet that the stack drops counts as sent.
 */
static double flood(const struct frames_test *test, enum frame_mode mode, int port, uint64_t *sentp)
{
	unsigned long long packets = 0, errors = 0;
	const uint8_t *mac = test->mac;
	double rate = 0;
	char command[256], line[256], all[2048] = "";
	FILE *output;

	snprintf(command, sizeof(command),
		 "tools/pktgen --generator module -i %s -x %s -n %d -p %d --time 60 "
		 "-m %02x:%02x:%02x:%02x:%02x:%02x 2>&1",
		 mode == FRAME_MODE_TC ? test->uplink.name : WIRE,
		 mode == FRAME_MODE_TC ? "netif_receive" : "start_xmit", COUNT, port, mac[0],
		 mac[1], mac[2], mac[3], mac[4], mac[5]);
	output = popen(command, "re"); /* NOLINT(cert-env33-c) */
	cr_assert_not_null(output);
	while (fgets(line, sizeof(line), output)) {
		strncat(all, line, sizeof(all) - strlen(all) - 1);
		/* NOLINTNEXTLINE(cert-err34-c) */
		(void)sscanf(line, "thread 0: %llu packets, %lf pps, %llu errors", &packets, &rate,
			     &errors);
	}
	cr_assert_eq(pclose(output), 0, "%s: %s", command, all);
	cr_assert_eq(packets, COUNT, "%s: %s", command, all);
	*sentp = packets + (mode == FRAME_MODE_TC ? 0 : errors);
	return rate;
}

#define ALL "sent %lu: at the host's IP %lu, lost %lu, passed %lu, truncated %lu"
#define SENT(seen) sent, seen.ip, seen.lost, seen.not_ours, seen.truncated

/* Where the frames of a flood have gone. */
struct seen {
	uint64_t ip, lost, not_ours, truncated;
};

static struct seen seen(const struct frames_test *test)
{
	return (struct seen){ ip_received(), wire_lost(),
			      frames_test_count(test, FRAME_IN_NOT_OURS),
			      frames_test_count(test, FRAME_IN_TRUNCATED) };
}

/* Once nothing moves any more. */
static struct seen since(const struct frames_test *test, struct seen before)
{
	struct seen now = seen(test), last;

	do {
		last = now;
		usleep(300000);
		now = seen(test);
	} while (memcmp(&now, &last, sizeof(now)) != 0);
	return (struct seen){ now.ip - before.ip, now.lost - before.lost,
			      now.not_ours - before.not_ours, now.truncated - before.truncated };
}

/* An empty program in the filter's place, or not. */
static void set_empty(const struct frames_test *test, enum frame_mode mode, bool on)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = test->uplink.ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	int fd = -1;

	if (mode == FRAME_MODE_NATIVE) {
		if (on)
			fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, "GPL", pass, 2, NULL);
		cr_assert_eq(bpf_xdp_attach(test->uplink.ifindex, fd, XDP_FLAGS_DRV_MODE, NULL), 0);
	} else if (on) {
		fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, NULL, "GPL", unspec, 2, NULL);
		opts.prog_fd = fd;
		(void)bpf_tc_hook_create(&hook); /* may be there */
		cr_assert_eq(bpf_tc_attach(&hook, &opts), 0);
	} else {
		cr_assert_eq(bpf_tc_detach(&hook, &opts), 0);
	}
	if (fd >= 0)
		close(fd);
}

static void flood_uplink(enum frame_mode mode)
{
	static struct frames_test test = { .is_wired = true };
	double off, empty, host, junk;
	struct seen before, after;
	uint64_t sent;

	if (access("/proc/net/pktgen", F_OK))
		cr_skip_test("this kernel has no pktgen");
	frames_test_begin_mode(&test, mode, 1, 1);

	before = seen(&test);
	host = flood(&test, mode, PORT_HOST, &sent);
	after = since(&test, before);
	cr_assert_eq(after.not_ours + after.lost, sent, ALL, SENT(after));
	cr_assert_eq(after.ip, after.not_ours);
	cr_assert(after.not_ours > 0);

	/* 60 octets for port 68: BOOTP that is not whole */
	before = seen(&test);
	junk = flood(&test, mode, PORT_CLIENT, &sent);
	after = since(&test, before);
	cr_assert_eq(after.truncated + after.lost, sent, ALL, SENT(after));
	cr_assert_eq(after.ip, 0);
	cr_assert(after.truncated > 0);

	frames_detach(&test.gate.pins, test.uplink.ifindex);
	set_empty(&test, mode, true);
	before = seen(&test);
	empty = flood(&test, mode, PORT_CLIENT, &sent);
	after = since(&test, before);
	cr_assert_eq(after.ip + after.lost, sent, ALL, SENT(after));
	cr_assert_eq(after.truncated + after.not_ours, 0);

	set_empty(&test, mode, false);
	before = seen(&test);
	off = flood(&test, mode, PORT_CLIENT, &sent);
	after = since(&test, before);
	cr_assert_eq(after.ip + after.lost, sent, ALL, SENT(after));
	cr_assert_eq(after.truncated + after.not_ours, 0);

	printf("note: pktgen %s, %s: off %.0f, empty %.0f, on %.0f packets per second; "
	       "BOOTP junk %.0f\n",
	       mode == FRAME_MODE_TC ? "netif_receive" : "start_xmit", frames_mode_name(mode), off,
	       empty, host, junk);
	fflush(stdout);
	frames_test_end(&test);
}

Test(frames_pktgen, tc)
{
	flood_uplink(FRAME_MODE_TC);
}

Test(frames_pktgen, native)
{
	flood_uplink(FRAME_MODE_NATIVE);
}
