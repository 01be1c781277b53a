/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the uplink at the start
 *
 * The uplink may not be usable yet: a driver is still being loaded, a bridge gets its
 * MAC address with its first port. The operator decides whether to wait for it; a MAC
 * address is always waited for unless that is excluded, because the device is there.
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/* The kernel reports changes, but not that a link that is down gets an alternative
 * name. */
#define LOOK_INTERVAL_NS NS_PER_S

enum obstacle {
	OBSTACLE_NONE = 0,
	OBSTACLE_ABSENT,
	OBSTACLE_NO_ETHERNET,
	OBSTACLE_NO_MAC,
	OBSTACLE_PORT,
};

/* A text of the obstacle, without what the operator can do. */
#define OBSTACLE_TEXT_SIZE (OPTIONS_UPLINK_SIZE + 128)

static const char *const advice[] = {
	[OBSTACLE_ABSENT] =
		"name the uplink with --interface, or wait for it with --wait-interface",
	[OBSTACLE_NO_ETHERNET] = "name the uplink with --interface",
	[OBSTACLE_NO_MAC] = "add a port, or wait for it with --wait-interface",
	[OBSTACLE_PORT] = "name the bridge, bond or the like with --interface",
};

bool supervisor_lacks_mac(const struct supervisor *s, const struct netlink_link *link)
{
	static const uint8_t none[sizeof(link->mac)];

	return supervisor_has_frames(s) && link->type == ARPHRD_ETHER &&
	       !memcmp(link->mac, none, sizeof(none));
}

/* Calves with frame rules write Ethernet frames with the uplink's MAC as their source. */
static enum obstacle find_obstacle(const struct supervisor *s, const struct netlink_link *link)
{
	if (supervisor_has_frames(s) && link->type != ARPHRD_ETHER)
		return OBSTACLE_NO_ETHERNET;
	return supervisor_lacks_mac(s, link) ? OBSTACLE_NO_MAC : OBSTACLE_NONE;
}

static void describe(const struct supervisor *s, enum obstacle obstacle,
		     const struct netlink_link *link, char text[static OBSTACLE_TEXT_SIZE])
{
	struct netlink_link master;
	int r;

	switch (obstacle) {
	case OBSTACLE_NONE:
	case OBSTACLE_ABSENT:
		snprintf(text, OBSTACLE_TEXT_SIZE, "%s: no such interface", s->options->uplink);
		break;
	case OBSTACLE_NO_ETHERNET:
		snprintf(text, OBSTACLE_TEXT_SIZE, "%s: not an Ethernet interface", link->name);
		break;
	case OBSTACLE_NO_MAC:
		snprintf(text, OBSTACLE_TEXT_SIZE,
			 "%s: has no MAC address yet; a bridge gets one with its first port",
			 link->name);
		break;
	case OBSTACLE_PORT:
		r = netlink_link_get(s->netlink, link->master, &master);
		snprintf(text, OBSTACLE_TEXT_SIZE, "%s: is a port of %s, which takes its frames",
			 link->name, r ? "another interface" : master.name);
		break;
	}
}

int supervisor_check_uplink(const struct supervisor *s)
{
	enum obstacle obstacle = find_obstacle(s, &s->uplink);
	char text[OBSTACLE_TEXT_SIZE];

	if (!obstacle)
		return 0;
	describe(s, obstacle, &s->uplink, text);
	log_error("%s; %s", text, advice[obstacle]);
	return -EINVAL;
}

/* Returns a negative errno if the kernel cannot be asked. */
static int look(struct supervisor *s, enum obstacle *obstaclep,
		char text[static OBSTACLE_TEXT_SIZE])
{
	struct netlink_link link = { .ifindex = 0 };
	int r = netlink_link_get_by_name(s->netlink, s->options->uplink, &link);

	if (r && r != -ENODEV) {
		log_error("%s: cannot read the interface: %s", s->options->uplink, strerror(-r));
		return r;
	}
	*obstaclep = r ? OBSTACLE_ABSENT : link.is_port ? OBSTACLE_PORT : find_obstacle(s, &link);
	if (*obstaclep) {
		describe(s, *obstaclep, &link, text);
		return 0;
	}
	s->uplink = link;
	if (strcmp(link.name, s->options->uplink) != 0)
		log_info("%s is another name of the interface %s", s->options->uplink, link.name);
	return 0;
}

int supervisor_find_uplink(struct supervisor *s)
{
	int wait_s = s->configuration.wait_interface_s;
	char text[OBSTACLE_TEXT_SIZE];
	enum obstacle obstacle;
	int r = look(s, &obstacle, text);

	if (r || !obstacle)
		return r;
	if (wait_s > 0 || (wait_s < 0 && obstacle == OBSTACLE_NO_MAC))
		return UPLINK_AWAITED;
	log_error("%s; %s", text, advice[obstacle]);
	return obstacle == OBSTACLE_ABSENT ? -ENODEV : -EINVAL;
}

static void on_event(const struct netlink_event *event, void *data)
{
	(void)event;
	(void)data;
}

/* Wait for a change of the links, but not for long. Returns 0 or a negative errno. */
static int wait_for_change(const struct supervisor *s, struct netlink *links, uint64_t wait_ns)
{
	struct pollfd fds[] = {
		{ .fd = s->stop_fd, .events = POLLIN },
		{ .fd = netlink_fd(links), .events = POLLIN },
	};
	const uint64_t ns = wait_ns < LOOK_INTERVAL_NS ? wait_ns : LOOK_INTERVAL_NS;
	int r = poll(fds, sizeof(fds) / sizeof(fds[0]), (int)(ns / NS_PER_MS) + 1);

	if (r < 0 && errno != EINTR)
		return -errno;
	if (fds[0].revents)
		return -ECANCELED;
	r = netlink_events(links, on_event, NULL);
	return r < 0 ? r : 0;
}

/* Log it when it is not what it was when it was last logged. */
static void log_obstacle(const char *text, char logged[static OBSTACLE_TEXT_SIZE])
{
	if (!strcmp(text, logged))
		return;
	log_info("%s; waiting", text);
	memcpy(logged, text, strlen(text) + 1);
}

static int wait_until(struct supervisor *s, struct netlink *links, uint64_t deadline_ns)
{
	char text[OBSTACLE_TEXT_SIZE], logged[OBSTACLE_TEXT_SIZE] = "";
	enum obstacle obstacle;

	for (;;) {
		int r = look(s, &obstacle, text);
		uint64_t now_ns = loop_now_ns();

		if (r || !obstacle)
			return r;
		if (now_ns >= deadline_ns) {
			log_error("%s; waited %d s for it", text,
				  s->configuration.wait_interface_s);
			return -ETIMEDOUT;
		}
		log_obstacle(text, logged);
		r = wait_for_change(s, links, deadline_ns - now_ns);
		if (r)
			return r;
	}
}

int supervisor_wait_uplink(struct supervisor *s)
{
	const int wait_s = s->configuration.wait_interface_s;
	uint64_t deadline_ns = wait_s > 0 && wait_s != OPTIONS_WAIT_FOREVER ?
				       loop_now_ns() + (uint64_t)wait_s * NS_PER_S :
				       UINT64_MAX;
	struct netlink *links;
	int r = netlink_listen(&links, true);

	if (r) {
		log_error("netlink: cannot listen to link events: %s", strerror(-r));
		return r;
	}
	r = wait_until(s, links, deadline_ns);
	netlink_free(links);
	return r;
}
