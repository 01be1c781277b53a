/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/link_macs.h"

#include <stdio.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/priv/roles.h"

#define DELAY_NS (100 * NS_PER_MS)
#define INTERVAL_NS NS_PER_S
#define NO_MAC LINK_MACS_MAX

_Static_assert(LINK_MACS_KEYS <= 32, "a bit per key");
_Static_assert(LINK_MACS_TEXT == VALUE_MAC_SIZE - 1, "the text of a MAC");

void link_macs_init(struct link_macs *macs)
{
	memset(macs, 0, sizeof(*macs));
	macs->must_load = true;
	/* A previous watcher may have written other keys. */
	macs->changed = (1u << LINK_MACS_KEYS) - 1;
	macs->due_ns = 1;
}

void link_macs_reload(struct link_macs *macs)
{
	macs->must_load = true;
}

static void leave_out(struct link_macs *macs)
{
	macs->is_full = true;
	if (macs->is_full_logged)
		return;
	macs->is_full_logged = true;
	log_warning("too many links: the MACs of some are not in " LINK_MACS_DIRECTORY
		    ", so that address conflicts with them count");
}

/* Find the place of a MAC, or a free one for it. Returns NO_MAC if there is none. */
static uint16_t find_mac(const struct link_macs *macs, const uint8_t mac[6])
{
	uint32_t i_free = NO_MAC;

	for (uint32_t i = 0; i < LINK_MACS_MAX; i++) {
		if (!macs->macs[i].n_links) {
			if (i_free == NO_MAC)
				i_free = i;
		} else if (!memcmp(macs->macs[i].mac, mac, sizeof(macs->macs[i].mac))) {
			return (uint16_t)i;
		}
	}
	return (uint16_t)i_free;
}

static void mark(struct link_macs *macs, uint16_t i_mac)
{
	macs->changed |= 1u << i_mac / LINK_MACS_PER_KEY;
}

static void add_mac(struct link_macs *macs, uint16_t i_mac, const uint8_t mac[6])
{
	if (macs->macs[i_mac].n_links++)
		return;
	memcpy(macs->macs[i_mac].mac, mac, sizeof(macs->macs[i_mac].mac));
	mark(macs, i_mac);
}

static void remove_mac(struct link_macs *macs, uint16_t i_mac)
{
	if (--macs->macs[i_mac].n_links)
		return;
	mark(macs, i_mac);
	if (macs->is_full) /* there is room for a link that was left out */
		macs->must_load = true;
}

static uint32_t find_link(const struct link_macs *macs, int ifindex)
{
	uint32_t i;

	for (i = 0; i < macs->n_links && macs->links[i].ifindex != ifindex; i++)
		;
	return i;
}

static void remove_link(struct link_macs *macs, uint32_t i_link)
{
	remove_mac(macs, macs->links[i_link].i_mac);
	macs->links[i_link] = macs->links[--macs->n_links];
}

static bool answers_arp(const struct netlink_link *link)
{
	static const uint8_t no_mac[sizeof(link->mac)];

	return memcmp(link->mac, no_mac, sizeof(no_mac)) != 0 && !(link->flags & IFF_NOARP) &&
	       !link->is_bridge_port;
}

void link_macs_set(struct link_macs *macs, int ifindex, const struct netlink_link *link)
{
	uint32_t i_link = find_link(macs, ifindex);
	bool is_known = i_link < macs->n_links;
	uint16_t i_mac;

	if (!link || !answers_arp(link)) {
		if (is_known)
			remove_link(macs, i_link);
		return;
	}
	i_mac = find_mac(macs, link->mac);
	if (i_mac == NO_MAC || (!is_known && i_link == LINK_MACS_LINKS_MAX)) {
		if (is_known)
			remove_link(macs, i_link);
		leave_out(macs);
		return;
	}
	add_mac(macs, i_mac, link->mac);
	if (is_known)
		remove_mac(macs, macs->links[i_link].i_mac);
	else
		macs->links[macs->n_links++].ifindex = ifindex;
	macs->links[i_link].i_mac = i_mac;
	macs->links[i_link].is_seen = true;
}

static void on_listed(const struct netlink_link *link, void *data)
{
	link_macs_set(data, link->ifindex, link);
}

static int load(struct link_macs *macs, struct netlink *netlink)
{
	int r;

	for (uint32_t i = 0; i < macs->n_links; i++)
		macs->links[i].is_seen = false;
	macs->is_full = false;
	r = netlink_link_each(netlink, on_listed, macs);
	if (r)
		return r;
	macs->must_load = false;
	for (uint32_t i = macs->n_links; i-- > 0;)
		if (!macs->links[i].is_seen)
			remove_link(macs, i);
	return 0;
}

static size_t compose(const struct link_macs *macs, uint32_t i_key, char text[KV_VALUE_SIZE])
{
	size_t length = 0;

	text[0] = '\0';
	for (uint32_t i = i_key * LINK_MACS_PER_KEY; i < (i_key + 1) * LINK_MACS_PER_KEY; i++) {
		if (!macs->macs[i].n_links)
			continue;
		if (length)
			text[length++] = ' ';
		value_format_mac(macs->macs[i].mac, text + length);
		length += LINK_MACS_TEXT;
	}
	return length;
}

static int add_key(const struct link_macs *macs, uint32_t i_key, const struct wanted *wanted,
		   struct commit *commit)
{
	char path[KV_PATH_SIZE], text[KV_VALUE_SIZE];
	size_t length = compose(macs, i_key, text);
	const struct kv_value *value;

	(void)snprintf(path, sizeof(path), LINK_MACS_DIRECTORY "/%03u", i_key + 1);
	value = wanted_get(wanted, path);
	if (value ? !strcmp(value->text, text) : !length)
		return 0;
	return length ? commit_write(commit, path, text, length) : commit_delete(commit, path);
}

static int update(struct link_macs *macs, struct netlink *netlink, const struct wanted *wanted,
		  struct commit *commit)
{
	int r = macs->must_load ? load(macs, netlink) : 0;

	commit_init(commit);
	for (uint32_t i = 0; i < LINK_MACS_KEYS && !r; i++)
		if (macs->changed >> i & 1)
			r = add_key(macs, i, wanted, commit);
	if (!r && commit->n_changes)
		r = gate_commit(WATCHER_FD_GATE, commit, NULL, NULL);
	return r;
}

uint64_t link_macs_write(struct link_macs *macs, struct netlink *netlink,
			 const struct wanted *wanted, struct commit *commit, uint64_t now_ns)
{
	int r;

	if (!macs->changed && !macs->must_load)
		return UINT64_MAX;
	if (!macs->due_ns) {
		macs->due_ns = now_ns + DELAY_NS;
		if (macs->due_ns < macs->earliest_ns)
			macs->due_ns = macs->earliest_ns;
	}
	if (now_ns < macs->due_ns)
		return macs->due_ns;
	r = update(macs, netlink, wanted, commit);
	if (r) {
		if (!macs->n_failures++)
			log_warning("cannot write " LINK_MACS_DIRECTORY ": %s; retrying",
				    strerror(-r));
		macs->due_ns =
			now_ns + backoff_ns(macs->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
		return macs->due_ns;
	}
	macs->changed = 0;
	macs->n_failures = 0;
	macs->due_ns = 0;
	macs->earliest_ns = now_ns + INTERVAL_NS;
	return macs->must_load ? macs->earliest_ns : UINT64_MAX;
}
