/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "maps/pins.h"
#include "skel/frame_host.skel.h"
#include "userspace/common/log.h"
#include "userspace/priv/frames/frames.h"

int frames_host_init(struct frames_host *host, const struct pins *pins)
{
	int r = 0;

	host->bpf = frame_host_bpf__open_and_load();
	if (!host->bpf)
		r = -errno;
	if (!r)
		r = bpf_map_freeze(frames_host_map(host));
	if (!r)
		r = pins_put(pins, "", PIN_FRAME_HOST, frames_host_map(host));
	if (r) {
		log_error("frame programs: cannot load host_set: %s", strerror(-r));
		frames_host_deinit(host);
	}
	return r;
}

int frames_host_map(const struct frames_host *host)
{
	return host->bpf ? bpf_map__fd(host->bpf->maps.frame_host) : -1;
}

int frames_host_program(const struct frames_host *host)
{
	return host->bpf ? bpf_program__fd(host->bpf->progs.host_set) : -1;
}

void frames_host_deinit(struct frames_host *host)
{
	frame_host_bpf__destroy(host->bpf);
	host->bpf = NULL;
}
