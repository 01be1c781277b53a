// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/watcher/link_key.h"

#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/pass.h"

static const char *const words[] = {
	[WATCHER_LINK_UNKNOWN] = "",
	[WATCHER_LINK_DOWN] = "down",
	[WATCHER_LINK_UP] = "up",
};

void watcher_link_init(struct watcher_link *link)
{
	struct kv_value value;

	*link = (struct watcher_link){ .state = WATCHER_LINK_UNKNOWN };
	/* An error is none: then it is written again. */
	if (gate_read(WATCHER_FD_GATE, WATCHER_LINK_KEY, &value))
		return;
	for (int i = WATCHER_LINK_DOWN; i <= WATCHER_LINK_UP; i++)
		if (!strcmp(value.text, words[i]))
			link->written = (enum watcher_link_state)i;
}

void watcher_link_see(struct watcher_link *link, const struct netlink_link *uplink)
{
	enum watcher_link_state state = WATCHER_LINK_DOWN;

	if (uplink->ifindex && (uplink->flags & IFF_RUNNING))
		state = WATCHER_LINK_UP;
	if (state != link->state && link->state != WATCHER_LINK_UNKNOWN)
		log_info("the link is %s", words[state]);
	link->state = state;
}

uint64_t watcher_link_write(struct watcher_link *link, uint64_t now_ns)
{
	const char *word = words[link->state];
	int r;

	if (link->state == link->written)
		return UINT64_MAX;
	if (now_ns < link->write_ns)
		return link->write_ns;
	r = gate_write(WATCHER_FD_GATE, WATCHER_LINK_KEY, word, strlen(word), NULL);
	if (r) {
		if (!link->n_failures++)
			log_warning("cannot write " WATCHER_LINK_KEY ": %s; trying again",
				    strerror(-r));
		link->write_ns =
			now_ns + backoff_ns(link->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
		return link->write_ns;
	}
	link->written = link->state;
	link->n_failures = 0;
	link->write_ns = 0;
	return UINT64_MAX;
}
