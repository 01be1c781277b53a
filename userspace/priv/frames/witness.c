/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "userspace/common/log.h"
#include "userspace/priv/frames/frames.h"

/* Is this the map that the programs expect, and closed to user space? That of another
 * version may differ, and whoever pinned another one could write what no server said. */
static bool is_fitting(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_MAP_TYPE_ARRAY &&
	       info.map_flags == 0 && info.key_size == sizeof(uint32_t) &&
	       info.value_size == sizeof(struct frame_witness) && info.max_entries == 1 &&
	       pins_is_frozen(fd);
}

/* It is pinned last, so that a pinned map is always frozen. */
static int make(const struct pins *pins, const struct frame_witness *initial)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, PIN_FRAME_WITNESS, sizeof(uint32_t),
				sizeof(struct frame_witness), 1, NULL);
	int r = 0;

	if (fd < 0)
		return fd;
	if (initial)
		r = bpf_map_update_elem(fd, &(uint32_t){ 0 }, initial, BPF_ANY);
	if (!r)
		r = bpf_map_freeze(fd);
	if (!r)
		r = pins_put(pins, "", PIN_FRAME_WITNESS, fd);
	if (!r)
		return fd;
	(void)close(fd);
	return r;
}

int frames_witness_open(const struct pins *pins, const struct frame_witness *initial)
{
	int fd = pins_get(pins, PIN_FRAME_WITNESS);

	if (fd >= 0 && is_fitting(fd))
		return fd;
	if (fd >= 0) {
		log_warning("%s/%s: not the witness of this version; replacing it", pins->directory,
			    PIN_FRAME_WITNESS);
		(void)close(fd);
	}
	fd = make(pins, initial);
	if (fd < 0)
		log_error("frame programs: cannot create the witness: %s", strerror(-fd));
	return fd;
}
