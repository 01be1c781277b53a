/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the uplink under a supervisor that runs. The frame programs know it by
 * index and MAC. Both can change: a driver is loaded anew, a card is put back,
 * a virtual device is made anew under its name, a bridge takes the MAC of
 * another port. Then the tap and all programs are made anew, as at the start,
 * and the calf that uses them is started again: it asks for its lease by
 * INIT-REBOOT. What the host has of the lease is the watcher's.
 */
#include <errno.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/* A device that changes all the time costs no more than this. */
#define RENEW_INTERVAL_NS 1000000000ull

/* The device, whatever it is called, as long as it is there; then its name. */
static int find_uplink(const struct supervisor *s, struct netlink_link *link)
{
	int error = netlink_link_get(s->netlink, s->uplink.ifindex, link);

	return error ? netlink_link_get_by_name(s->netlink, s->options->uplink, link) : 0;
}

static void stop_pairs(struct supervisor *s)
{
	for (uint32_t i = 0; i < s->n_pairs; i++)
		if (s->pairs[i].pair.description->n_frames) {
			loop_timer_set(&s->pairs[i].restart, LOOP_NEVER);
			pair_stop(&s->pairs[i].pair);
		}
}

static void start_pairs(struct supervisor *s)
{
	uint64_t now_ns = loop_now_ns();

	for (uint32_t i = 0; i < s->n_pairs; i++) {
		struct supervised_pair *pair = &s->pairs[i];

		if (!pair->pair.description->n_frames)
			continue;
		pair->pair.fds.frames = s->tap.fd;
		loop_timer_set(&pair->restart, pair_restart_at(&pair->pair, now_ns));
	}
}

/* The calf ends first: it must find no tap without programs. */
static int renew(struct supervisor *s, const struct netlink_link *link)
{
	int error;

	stop_pairs(s);
	supervisor_stop_frames(s);
	s->uplink = *link;
	error = supervisor_check_uplink(s);
	if (!error)
		error = supervisor_start_uplink(s);
	if (!error)
		error = supervisor_write_keys(s);
	if (!error)
		error = supervisor_start_frames(s);
	s->is_uplink_bare = error != 0;
	if (error)
		supervisor_stop_frames(s);
	else
		start_pairs(s);
	supervisor_write_state(s);
	return error;
}

static void look(struct supervisor *s)
{
	uint64_t now_ns = loop_now_ns();
	struct netlink_link link;

	/* Not there: an event will tell when it is. */
	if (find_uplink(s, &link))
		return;
	if (!s->is_uplink_bare && link.ifindex == s->uplink.ifindex &&
	    !memcmp(link.mac, s->uplink.mac, sizeof(link.mac)))
		return;
	if (now_ns < s->uplink_ns) {
		loop_timer_set(&s->uplink_timer, s->uplink_ns);
		return;
	}
	if (!s->is_uplink_bare)
		log_info("%s is another device, or has another MAC address: the calf starts again "
			 "on it",
			 link.name);
	if (!renew(s, &link)) {
		s->n_uplink_failures = 0;
		s->uplink_ns = now_ns + RENEW_INTERVAL_NS;
		return;
	}
	s->uplink_ns = now_ns + backoff_ns(++s->n_uplink_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
	loop_timer_set(&s->uplink_timer, s->uplink_ns);
}

/* Its programs went with it, and another device may get its index. */
static void on_event(const struct netlink_event *event, void *data)
{
	uint64_t soon_ns = loop_now_ns() + RENEW_INTERVAL_NS;
	struct supervisor *s = data;

	if (event->type != NETLINK_EVENT_LINK || !event->is_gone ||
	    event->ifindex != s->uplink.ifindex)
		return;
	s->uplink.ifindex = 0;
	/* What could not be done on it says nothing about the next. */
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
		log_error("netlink events: %s", strerror(-r));
	look(s);
	return 0;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	look(data);
	return 0;
}

int supervisor_watch_uplink(struct supervisor *s)
{
	int error = netlink_listen(&s->links, true);

	if (!error)
		error = loop_add_fd(&s->loop, netlink_fd(s->links), POLLIN, on_links, s);
	if (!error)
		error = loop_add_timer(&s->loop, &s->uplink_timer, on_timer, s);
	if (error) {
		log_error("cannot listen to changes of links: %s", strerror(-error));
		return error;
	}
	/* What happened since it was looked for. */
	loop_timer_set(&s->uplink_timer, loop_now_ns());
	return 0;
}
