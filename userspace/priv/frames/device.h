/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The properties of a device that attaching XDP must not change, and other XDP
 * programs on the device. Nothing here changes a device.
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
	uint32_t features[FRAMES_FEATURE_WORDS]; /* active ones, as in `ethtool -k` */
};

/* Get the properties of an interface from the kernel; the channels are 0 if the
 * driver does not report them. Returns 0 or a negative errno. */
int frames_device_get(const char *name, struct frames_device *device);

/*
 * Compare two states of one interface. Returns what differs, as a part of a
 * sentence: "the MTU", "the number of queues" or a feature's name in
 * `ethtool -k`, such as "rx-gro-hw"; NULL if nothing does. The text is valid
 * until the next call.
 */
const char *frames_device_change(const struct frames_device *before,
				 const struct frames_device *after);

/* Return true if the feature of this name is active; false also for a name that
 * the kernel does not know. */
bool frames_device_has(const struct frames_device *device, const char *feature);

/* Return true if the device strips VLAN tags before an XDP program sees the frame.
 * The program cannot find out about the tag, so that a reply on a tagged VLAN
 * looks untagged. */
bool frames_device_hides_tags(const struct frames_device *device);

/*
 * Find an active offload that merges received frames. Returns its name, such as
 * "rx-lro", or NULL. XDP programs cannot process merged frames: for a generic one
 * the kernel turns the offload off, and never on again; for a native one drivers
 * do the same, or refuse the program.
 */
const char *frames_device_excluded(const struct frames_device *device);

/* Check for a known reason not even to try native XDP on the device. Returns true
 * if there is one, with `text` completing a sentence that begins with "native
 * XDP". */
bool frames_device_objection(const struct frames_device *device, char *text, size_t size);

/* Look for an XDP program on the interface. Returns 1 if there is one, described
 * in `text` ("native, id 42"); 0 if there is none; or a negative errno. */
int frames_device_xdp(int ifindex, char *text, size_t size);

#endif
