/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that attach.c, link.c and xdp.c share. */
#ifndef CALFPEN_PRIV_FRAMES_FRAMES_PRIVATE_H
#define CALFPEN_PRIV_FRAMES_FRAMES_PRIVATE_H

#include "userspace/priv/frames/frames.h"

/* Append to mode_reason, separated by "; ". */
__attribute__((format(printf, 2, 3))) void frames_reason_add(struct frames *frames,
							     const char *format, ...);

/* Pin a link as `name` and close its descriptor, so that only the pin holds it.
 * Returns 0, or a negative errno, logged. */
int frames_pin_link(const struct frames *frames, const char *name, int link_fd);

/* Detach the link pinned as `name`, if there is one, and unpin it. Closing the
 * last reference instead would detach it some time later, when the next program
 * may already have been attached. */
void frames_detach_link(const struct pins *pins, const char *name);

/*
 * Attach XDP to the uplink. Each returns 0 with mode and hook set, or a negative
 * errno with the reason appended and nothing loaded.
 */

/* In the driver, but only if this does not change the device. */
int frames_try_native(struct frames *frames, const char *uplink);

/* In the network stack, unless that would turn off an offload. */
int frames_try_generic(struct frames *frames, const char *uplink);

/* In the mode that the operator requested, FRAME_MODE_NATIVE or
 * FRAME_MODE_GENERIC. */
int frames_attach_xdp(struct frames *frames, const char *uplink, enum frame_mode mode);

#endif
