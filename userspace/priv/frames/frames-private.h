/* SPDX-License-Identifier: Apache-2.0 */
/* Between attach.c, link.c and xdp.c. */
#ifndef CALFPEN_PRIV_FRAMES_FRAMES_PRIVATE_H
#define CALFPEN_PRIV_FRAMES_FRAMES_PRIVATE_H

#include "userspace/priv/frames/frames.h"

/* Add to mode_reason, after "; ". */
__attribute__((format(printf, 2, 3))) void frames_reason_add(struct frames *frames,
							     const char *format, ...);

/* Pin a link under `name` and close it: from here on the pin holds it. */
int frames_pin_link(const struct frames *frames, const char *name, int link_fd);

/* Detach the link pinned as `name`, if there is one, and unpin it. Not by closing
 * the last reference: that detaches some time later, and what is attached next
 * would still meet it. */
void frames_detach_link(const struct pins *pins, const char *name);

/*
 * XDP on the uplink, each 0 with mode and hook set, or a negative errno with the
 * reason added and nothing loaded.
 */

/* In the driver, only if the device is then as it was. */
int frames_try_native(struct frames *frames, const char *uplink);

/* In the stack, unless that would turn off an offload. */
int frames_try_generic(struct frames *frames, const char *uplink);

/* As somebody asked for, FRAME_MODE_NATIVE or FRAME_MODE_GENERIC. */
int frames_attach_xdp(struct frames *frames, const char *uplink, enum frame_mode mode);

#endif
