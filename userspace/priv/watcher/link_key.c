/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/link_key.h"

#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/reconcile.h"

static const char *const words[] = {
	[LINK_KEY_UNKNOWN] = "",
	[LINK_KEY_DOWN] = "down",
	[LINK_KEY_UP] = "up",
};

void link_key_init(struct link_key *link)
{
	struct kv_value value;

	*link = (struct link_key){ .state = LINK_KEY_UNKNOWN };
	/* Ignore an error: the key is then written again. */
	if (gate_read(WATCHER_FD_GATE, LINK_KEY_PATH, &value))
		return;
	for (int i = LINK_KEY_DOWN; i <= LINK_KEY_UP; i++)
		if (!strcmp(value.text, words[i]))
			link->written = (enum link_key_state)i;
}

void link_key_set(struct link_key *link, const struct netlink_link *uplink)
{
	enum link_key_state state = LINK_KEY_DOWN;

	if (uplink->ifindex && (uplink->flags & IFF_RUNNING))
		state = LINK_KEY_UP;
	if (state != link->state && link->state != LINK_KEY_UNKNOWN)
		log_info("the link is %s", words[state]);
	link->state = state;
}

uint64_t link_key_write(struct link_key *link, uint64_t now_ns)
{
	const char *word = words[link->state];
	int r;

	if (link->state == link->written)
		return UINT64_MAX;
	if (now_ns < link->write_ns)
		return link->write_ns;
	r = gate_write(WATCHER_FD_GATE, LINK_KEY_PATH, word, strlen(word), NULL);
	if (r) {
		if (!link->n_failures++)
			log_warning("cannot write " LINK_KEY_PATH ": %s; retrying", strerror(-r));
		link->write_ns =
			now_ns + backoff_ns(link->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
		return link->write_ns;
	}
	link->written = link->state;
	link->n_failures = 0;
	link->write_ns = 0;
	return UINT64_MAX;
}
