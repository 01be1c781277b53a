/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by attaching by tc and by XDP: pinned links, and the reason for a mode. */
#include <bpf/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/priv/frames/frames-private.h"

void frames_reason_add(struct frames *frames, const char *format, ...)
{
	size_t used = strlen(frames->mode_reason);
	va_list arguments;

	if (used)
		used += (size_t)snprintf(frames->mode_reason + used,
					 sizeof(frames->mode_reason) - used, "; ");
	if (used >= sizeof(frames->mode_reason))
		return;
	va_start(arguments, format);
	vsnprintf(frames->mode_reason + used, sizeof(frames->mode_reason) - used, format,
		  arguments);
	va_end(arguments);
}

int frames_pin_link(const struct frames *frames, const char *name, int link_fd)
{
	int r = pins_put(frames->pins, "", name, link_fd);

	/* The pin holds the link from here on. */
	close(link_fd);
	return r;
}

void frames_detach_link(const struct pins *pins, const char *name)
{
	int fd = pins_get(pins, name);

	if (fd < 0)
		return;
	bpf_link_detach(fd);
	close(fd);
	pins_remove(pins, name);
}
