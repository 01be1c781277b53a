/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: changes of the uplink
 *
 * The frame programs know the uplink by index and MAC. Both can change: a driver
 * is reloaded, a card is put back, a virtual device is recreated under its name,
 * a bridge takes the MAC of another port. Then the supervisor recreates the taps
 * and all programs, as at the start, and restarts the calves that use them; dhcp4
 * requests its lease by INIT-REBOOT. The watcher takes care of the host's
 * address and routes.
 */
#include <errno.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/* At least this long between two changes, in case the device changes all the time. */
#define RENEW_INTERVAL_NS NS_PER_S
/* Between two searches for an alternative name. */
#define NAME_INTERVAL_NS NS_PER_S

/* Find the device by its index, whatever its name is now; if it is gone, by name. */
static int find_uplink(const struct supervisor *s, struct netlink_link *link)
{
	int r = netlink_link_get(s->netlink, s->uplink.ifindex, link);

	return r ? netlink_link_get_by_name(s->netlink, s->options->uplink, link) : 0;
}

static void stop_pairs(struct supervisor *s)
{
	for (uint32_t i = 0; i < s->n_pairs; i++)
		if (s->pairs[i].pair.description->n_frames) {
			loop_timer_set(&s->pairs[i].timer, LOOP_NEVER);
			pair_stop(&s->pairs[i].pair);
		}
}

static void start_pairs(struct supervisor *s)
{
	uint64_t now_ns = loop_now_ns();

	supervisor_plug_launcher(s);
	for (uint32_t i = 0; i < s->n_pairs; i++) {
		struct supervised_pair *pair = &s->pairs[i];

		if (!supervisor_tap_of(s, pair->pair.description))
			continue;
		loop_timer_set(&pair->timer, restart_on_purpose(&pair->restart, now_ns));
	}
}

/* Stop the calf first, because it must not see a tap without programs. */
static int renew(struct supervisor *s, const struct netlink_link *link)
{
	int r;

	stop_pairs(s);
	supervisor_unplug_launcher(s);
	r = supervisor_stop_frames(s);
	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		s->transactions[calf].n_refused = 0; /* the next programs count anew */
	s->uplink = *link;
	if (!r)
		r = supervisor_check_uplink(s);
	if (!r)
		r = instance_lock_uplink(&s->instance, link->name, link->ifindex);
	if (!r)
		r = supervisor_start_uplink(s);
	if (!r)
		r = supervisor_load_frames(s);
	if (!r)
		r = supervisor_write_keys(s);
	if (!r)
		r = supervisor_start_frames(s);
	s->is_uplink_bare = r;
	if (r)
		(void)supervisor_stop_frames(s);
	else
		start_pairs(s);
	supervisor_write_state(s);
	return r;
}

static void check_uplink(struct supervisor *s)
{
	uint64_t now_ns = loop_now_ns();
	struct netlink_link link;

	/* It does not exist: an event will report when it does, unless a link that is
	 * down gets the name as an alternative name, which is no event. */
	if (find_uplink(s, &link)) {
		if (strcmp(s->uplink.name, s->options->uplink) != 0)
			loop_timer_set(&s->uplink_timer, now_ns + NAME_INTERVAL_NS);
		return;
	}
	/* An event will report when it has one, which is often the same again. */
	if (supervisor_lacks_mac(s, &link)) {
		if (!s->is_mac_awaited)
			log_warning("%s has no MAC address any more; waiting until it has one, as "
				    "a bridge with a port does",
				    link.name);
		s->is_mac_awaited = true;
		return;
	}
	s->is_mac_awaited = false;
	if (!s->is_uplink_bare && link.ifindex == s->uplink.ifindex &&
	    !memcmp(link.mac, s->uplink.mac, sizeof(link.mac)))
		return;
	if (now_ns < s->uplink_ns) {
		loop_timer_set(&s->uplink_timer, s->uplink_ns);
		return;
	}
	if (!s->is_uplink_bare)
		log_info("%s was replaced or changed its MAC address; restarting the calves "
			 "that use it",
			 link.name);
	if (!renew(s, &link)) {
		s->n_uplink_failures = 0;
		s->uplink_ns = now_ns + RENEW_INTERVAL_NS;
		return;
	}
	s->uplink_ns = now_ns + backoff_ns(++s->n_uplink_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
	loop_timer_set(&s->uplink_timer, s->uplink_ns);
}

/* The programs disappeared with the device, and another one may get its index. */
static void on_event(const struct netlink_event *event, void *data)
{
	uint64_t soon_ns = loop_now_ns() + RENEW_INTERVAL_NS;
	struct supervisor *s = data;

	if (event->type != NETLINK_EVENT_LINK || !event->is_gone ||
	    event->ifindex != s->uplink.ifindex)
		return;
	s->uplink.ifindex = 0;
	/* Failures on this device say nothing about the next one. */
	s->n_uplink_failures = 0;
	if (s->uplink_ns > soon_ns)
		s->uplink_ns = soon_ns;
}

static int on_links(struct loop *loop, int fd, short revents, void *data)
{
	struct supervisor *s = data;
	int r = netlink_events(s->links, on_event, s);

	(void)loop;
	(void)fd;
	(void)revents;
	if (r < 0)
		log_error("link events: %s", strerror(-r));
	check_uplink(s);
	return 0;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	check_uplink(data);
	return 0;
}

int supervisor_watch_uplink(struct supervisor *s)
{
	int r = netlink_listen(&s->links, true);

	if (!r)
		r = loop_add_fd(&s->loop, netlink_fd(s->links), POLLIN, on_links, s);
	if (!r)
		r = loop_add_timer(&s->loop, &s->uplink_timer, on_timer, s);
	if (r) {
		log_error("netlink: cannot listen to link events: %s", strerror(-r));
		return r;
	}
	/* Check what happened since the start found the uplink. */
	loop_timer_set(&s->uplink_timer, loop_now_ns());
	return 0;
}
