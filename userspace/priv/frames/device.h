/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What attaching XDP must leave as it is on a device, and who else has a
 * program there. Nothing here changes a device.
 */
#ifndef CALFPEN_PRIV_FRAMES_DEVICE_H
#define CALFPEN_PRIV_FRAMES_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_FEATURE_WORDS ((size_t)8)
#define FRAMES_FEATURES_MAX (32 * FRAMES_FEATURE_WORDS)

struct frames_device {
	char name[IFNAMSIZ];
	char driver[32];
	int mtu;
	uint32_t channels[4];			 /* receive, transmit, other, combined */
	uint32_t features[FRAMES_FEATURE_WORDS]; /* active ones, as `ethtool -k` */
};

/* Ask the kernel about the interface. A driver that does not tell its queues
 * has zeros there. 0 or a negative errno. */
int frames_device_get(const char *name, struct frames_device *device);

/*
 * What differs, for a sentence: "the MTU", "the number of queues", "rx-gro-hw"
 * (a feature, as `ethtool -k` names it); NULL if nothing. Both are of one
 * interface. The text lives until the next call.
 */
const char *frames_device_change(const struct frames_device *before,
				 const struct frames_device *after);

/* Is this feature, by its name, active? A name that the kernel does not know
 * is not. */
bool frames_device_has(const struct frames_device *device, const char *feature);

/* Is a VLAN tag taken off before an XDP program sees the frame? XDP is told of
 * it nowhere: a reply on a tagged VLAN looks as if it were untagged. */
bool frames_device_hides_tags(const struct frames_device *device);

/*
 * An active offload that puts received frames together ("rx-lro"), or NULL. No
 * XDP program can be shown these: for a generic one the kernel turns that off,
 * and not on again; drivers do the same for a native one, or refuse it.
 */
const char *frames_device_excluded(const struct frames_device *device);

/* Is something known against even trying native XDP there? What, in `text`, as
 * the end of a sentence that begins with "native XDP". */
bool frames_device_objection(const struct frames_device *device, char *text, size_t size);

/* Whose XDP program is there: "native, id 42" in `text`, 1; 0 if there is
 * none; or a negative errno. */
int frames_device_xdp(int ifindex, char *text, size_t size);

#endif
