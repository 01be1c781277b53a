/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "userspace/priv/netlink/netlink-private.h"

struct receiver {
	netlink_event_fn call;
	void *data;
};

static int parse_event(struct nlmsghdr *header, void *data)
{
	const struct receiver *receiver = data;
	struct netlink_event event = { .port = header->nlmsg_pid };
	uint32_t table, length;
	int r;

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		event.type = NETLINK_EVENT_LINK;
		event.is_gone = header->nlmsg_type == RTM_DELLINK;
		r = netlink_link_read(header, &event.link);
		event.ifindex = event.link.ifindex;
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		event.type = NETLINK_EVENT_ADDRESS;
		event.is_gone = header->nlmsg_type == RTM_DELADDR;
		r = netlink_address_read(header, &event.ifindex, &event.address);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		event.type = NETLINK_EVENT_ROUTE;
		event.is_gone = header->nlmsg_type == RTM_DELROUTE;
		r = netlink_route_read(header, &event.route);
		event.ifindex = event.route.ifindex;
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		event.type = NETLINK_EVENT_RULE;
		event.is_gone = header->nlmsg_type == RTM_DELRULE;
		r = netlink_rule_read(header, &table, &length);
		break;
	default:
		return 0;
	}
	if (r == 1)
		receiver->call(&event, receiver->data);
	return r < 0 ? r : 0;
}

int netlink_events(struct netlink *netlink, netlink_event_fn call, void *data)
{
	struct receiver receiver = { .call = call, .data = data };

	return netlink_receive(netlink, parse_event, &receiver);
}
