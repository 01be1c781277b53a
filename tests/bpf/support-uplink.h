/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An uplink and what else may be on it: the far end of its wire, the host's
 * socket behind it, programs of other people.
 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_UPLINK_H
#define CALFPEN_TESTS_BPF_SUPPORT_UPLINK_H

#include <bpf/libbpf.h>

#include "tests/bpf/support-frames.h"

/* The verdict's number is the same in tc and tcx. */
#define FOREIGN_PASSES_ON (-1)
#define FOREIGN_ACCEPTS 0

/* Run a shell command, which must succeed. */
void uplink_sh(const char *command);

/* A new network namespace with up0 and wire0, the two ends of a veth, both up;
 * up0 has 10.7.0.5/24. */
void uplink_make(void);

/* Every mode but auto. */
#define UPLINK_MODES_N 3
extern const enum frame_mode uplink_modes[UPLINK_MODES_N];

/* frames_test_begin_on() with rates that nothing here reaches; uplink_make() and
 * that on up0. */
void uplink_begin_on(struct frames_test *test, const char *uplink);
void uplink_begin(struct frames_test *test);

/* Packet socket to send frames on `device`; with `is_partial` each frame that
 * is sent has its UDP checksum left to offload. */
int uplink_wire(const char *device, bool is_partial);
void uplink_send(int wire_fd, bool is_partial, const void *frame, uint32_t size);

/* A UDP socket of the host, port 68. */
int uplink_host(void);

/* Wait for the next frame or datagram: its size, or 0 if none comes in time. */
uint32_t uplink_receive(int fd, void *buffer, uint32_t size);
/* Does none come within a moment? */
bool uplink_is_silent(int fd);

/* Wait until a counter of frames has reached `n`; what it has. */
uint64_t uplink_wait_count(const struct frames_test *test, uint32_t reason, uint64_t n);

/* The reply to a transaction that egress has seen, whole enough for the host's
 * stack; its header checksum once it was changed. */
void uplink_make_reply(const struct frames_test *test, uint8_t frame[FRAME_SIZE]);
void uplink_put_ip_checksum(uint8_t *frame);

/* Send one by `wire`: the calf gets it as it was. */
void uplink_expect_at_calf(const struct frames_test *test, int wire, const char *what);

/* The id of the XDP program on a device, 0: none. */
uint32_t uplink_xdp_id(const char *device);

/* Has this kernel tcx? If so, programs of others until up0 has no room. */
bool uplink_has_tcx(void);
void uplink_fill_tcx(void);

/* A program of somebody else, which counts its runs and returns `verdict`. */
struct foreign {
	int program_fd, map_fd;
	uint32_t id;
};
struct foreign foreign_load(enum bpf_prog_type type, int verdict);
uint64_t foreign_runs(const struct foreign *foreign);
void foreign_close(struct foreign *foreign);

/* On the device's ingress: a link of tcx, or -EINVAL where there is none. */
int foreign_tcx(const struct foreign *foreign, const char *device);
/* A clsact filter; 0 or a negative errno. Its program's id, or 0 if it is gone. */
int foreign_clsact(const struct foreign *foreign, const char *device, uint32_t priority,
		   uint32_t handle);
uint32_t foreign_clsact_id(const char *device, uint32_t priority, uint32_t handle);
/* How many filters have the handle that ours have. */
uint32_t uplink_clsact_filters(const char *device);

/* Egress of `device` puts an 802.1Q tag with this TCI on each frame, as
 * metadata. */
void uplink_tag_egress(const char *device, uint16_t tci);

#endif
