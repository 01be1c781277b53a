/* SPDX-License-Identifier: Apache-2.0 */
/* The link, the operator, and other hosts on the wire. */
#include "tests/unit/agent-support.h"

static uint8_t message[MESSAGE_SIZE_MAX];
static struct udp_frame headers;
static struct reply reply;

TestSuite(agent_control, .init = setup);

static void answer(uint8_t type)
{
	reply_to(message, type, &reply);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
}

/* 02:00:00:00:77:XX says that it has our address. */
static void conflict_comes_from(uint8_t last)
{
	const uint8_t other[6] = { 2, 0, 0, 0, 0x77, last };
	struct arp_frame arp = { .arp = { .operation = ARP_REPLY,
					  .sender = address("192.0.2.10"),
					  .target = address("192.0.2.1") } };

	memcpy(arp.source_mac, other, 6);
	memcpy(arp.arp.sender_mac, other, 6);
	send_arp(&arp);
	settle();
}

static void conflict_comes(void)
{
	conflict_comes_from(0x63);
}

Test(agent_control, link_down_and_up)
{
	get_lease();
	change("/link", "down");
	settle();
	cr_assert_eq(agent.client.state, CLIENT_INIT_REBOOT);
	cr_assert_str_eq(stored("/lease/state"), "init-reboot");
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_eq(sent(&headers, message), 0);
	change("/link", "up");
	settle();
	until_sent(&headers, message);
	cr_assert(request_has_address(message, sizeof(message), OPTION_REQUESTED_ADDRESS,
				      "192.0.2.10"));
	answer(MESSAGE_ACK);
	cr_assert_str_eq(stored("/lease/state"), "bound");
	cr_assert_eq(n_changes, 3, "state, time, expires");
}

Test(agent_control, link_that_is_neither)
{
	change("/link", "sideways");
	settle();
	cr_assert_not(agent.client.is_link_down);
	cr_assert_not_null(
		strstr(capture_text(), "/link: unknown value \"sideways\"; ignoring it\n"));
}

Test(agent_control, renew)
{
	get_lease();
	change("/control/dhcp4/renew", "1");
	settle();
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(headers.ip.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(agent.client.state, CLIENT_RENEWING);
	cr_assert_null(stored("/control/dhcp4/renew"), "it is done");
	cr_assert_not_null(strstr(capture_text(), "operator request: renew\n"));
	answer(MESSAGE_ACK);
	cr_assert_eq(agent.client.state, CLIENT_BOUND);
}

Test(agent_control, V4_28_release)
{
	get_lease();
	change("/control/dhcp4/release", "please");
	settle();
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_RELEASE);
	cr_assert_eq(headers.ip.source.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(headers.ip.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_null(stored("/control/dhcp4/release"));
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/lease/address"));
	cr_assert_str_eq(stored("/lease/state"), "released");
	cr_assert_eq(calf.metrics[METRIC_RELEASE_SENT], 1);
	cr_assert_not_null(strstr(capture_text(), "lease released\n"));
	change("/control/dhcp4/renew", "1");
	settle();
	cr_assert_null(stored("/lease/state"));
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DISCOVER);
}

/* A request of before the start is one. */
TestSuite(agent_control_early);

Test(agent_control_early, request_that_waited)
{
	set("/control/dhcp4/release", "1");
	set("/link", "down");
	open_calf();
	settle();
	cr_assert_eq(agent.client.state, CLIENT_RELEASED);
	cr_assert(agent.client.is_link_down);
	cr_assert_null(stored("/control/dhcp4/release"));
}

Test(agent_control_early, watches_that_are_refused)
{
	refuse_watch = &refusal_denied;
	open_calf();
	settle();
	cr_assert_not_null(strstr(capture_text(),
				  "cannot watch /link, assuming that the link is up: denied\n"));
	cr_assert_not_null(
		strstr(capture_text(),
		       "cannot watch /control/dhcp4, operator requests will be ignored: denied\n"));
	get_lease();
}

/* The store does not take the deletion: again, until it does. */
Test(agent_control, deletion_is_tried_again)
{
	get_lease();
	refuse_with = &refusal_busy;
	change("/control/dhcp4/renew", "1");
	settle();
	cr_assert_eq(n_deletes, 1);
	cr_assert_not_null(stored("/control/dhcp4/renew"));
	for (int i = 0; i < 3; i++) {
		clock_ns += S;
		settle();
	}
	cr_assert_eq(n_deletes, 4);
	refuse_with = NULL;
	clock_ns += S;
	settle();
	cr_assert_null(stored("/control/dhcp4/renew"));
	clock_ns += 10 * S;
	settle();
	cr_assert_eq(n_deletes, 5);
}

Test(agent_control, deletion_that_is_refused)
{
	get_lease();
	refuse_with = &refusal_denied;
	change("/control/dhcp4/renew", "1");
	settle();
	clock_ns += 10 * S;
	settle();
	cr_assert_eq(n_deletes, 1);
	cr_assert_not_null(
		strstr(capture_text(), "cannot delete a completed operator request: denied\n"));
}

Test(agent_control, deletion_that_fails)
{
	get_lease();
	refuse_with = &refusal_failed;
	change("/control/dhcp4/renew", "1");
	settle();
	cr_assert_eq(n_deletes, 1);
	cr_assert_not_null(
		strstr(capture_text(), "cannot delete a completed operator request: broken\n"));
}

/* Written again while the first is being deleted: a request of its own. */
Test(agent_control, request_that_comes_twice)
{
	get_lease();
	change("/control/dhcp4/renew", "1");
	change("/control/dhcp4/renew", "2");
	settle();
	cr_assert_eq(calf.metrics[METRIC_REQUEST_SENT], 3);
	cr_assert_null(stored("/control/dhcp4/renew"), "both are done");
}

Test(agent_control, key_of_another_request)
{
	get_lease();
	respond_entry(watch_control, WIRE_ENTRY_VALUE, "/control/dhcp4/dance", "1");
	respond_entry(watch_control, WIRE_ENTRY_DELETED, "/control/dhcp4/renew", "");
	respond_entry(watch_link, WIRE_ENTRY_DELETED, "/link", "");
	settle();
	cr_assert_eq(agent.client.state, CLIENT_BOUND);
	cr_assert_eq(n_deletes, 0);
}

/* Conflict detection on the wire. */

Test(agent_control, V4_56_frames_of_probes_and_announcements)
{
	static const uint8_t none[6];

	get_lease();
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24", "in use at once");
	for (uint32_t i = 1; i <= 5; i++) {
		clock_ns = agent.client.deadline_ns;
		settle();
		cr_assert_eq(sent(&headers, message), 0);
		cr_assert_eq(n_sent_arp, i);
		cr_assert_eq(sent_arp.arp.target.s_addr, inet_addr("192.0.2.10"));
		cr_assert_eq(sent_arp.arp.sender.s_addr,
			     i <= 3 ? INADDR_ANY : inet_addr("192.0.2.10"));
		cr_assert_eq(memcmp(sent_arp.source_mac, support_mac, 6), 0);
		cr_assert_eq(memcmp(sent_arp.arp.sender_mac, support_mac, 6), 0);
		cr_assert_eq(memcmp(sent_arp.arp.target_mac, none, 6), 0);
	}
	cr_assert_eq(calf.metrics[METRIC_ARP_PROBE_SENT], 3);
	cr_assert_eq(calf.metrics[METRIC_ARP_ANNOUNCEMENT_SENT], 2);
}

Test(agent_control, V4_26_conflict_ends_the_lease)
{
	get_lease();
	conflict_comes();
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DECLINE);
	cr_assert_eq(headers.ip.source.s_addr, INADDR_ANY);
	cr_assert_eq(headers.ip.destination.s_addr, INADDR_BROADCAST);
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/lease/address"));
	cr_assert_eq(calf.metrics[METRIC_CONFLICT], 1);
	cr_assert_eq(calf.metrics[METRIC_DECLINE_SENT], 1);
	cr_assert_eq(calf.metrics[METRIC_ARP_RECEIVED], 1);
	cr_assert_not_null(
		strstr(capture_text(), "giving up 192.0.2.10: in use by 02:00:00:00:77:63\n"));
}

Test(agent_control, V4_59_defence)
{
	get_lease();
	while (agent.client.conflict.phase != CONFLICT_DEFENDING) {
		clock_ns = agent.client.deadline_ns;
		settle();
	}
	conflict_comes();
	cr_assert_eq(calf.metrics[METRIC_ARP_ANNOUNCEMENT_SENT], 3);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_not_null(
		strstr(capture_text(), "defending 192.0.2.10: also used by 02:00:00:00:77:63\n"));
	cr_assert_eq(calf.metrics[METRIC_CONFLICT], 0);
	conflict_comes();
	cr_assert_null(stored("/ip"));
}

static unsigned int n_logged(const char *text)
{
	unsigned int n = 0;

	for (const char *at = capture_text(); (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* The kernel answers on another interface of this host: said once. */
Test(agent_control, U04_other_interface_of_this_host)
{
	change("/link/macs/001", "02:00:00:00:77:02 02:00:00:00:77:63");
	get_lease();
	for (int i = 0; i < 3; i++)
		conflict_comes();
	cr_assert_eq(sent(&headers, message), 0);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_eq(calf.metrics[METRIC_CONFLICT], 0);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_ARP_HOST - 1], 3);
	cr_assert_eq(n_logged("keeping 192.0.2.10: 02:00:00:00:77:63, which also claims it, is "
			      "another interface of this host\n"),
		     1);
	cr_assert_eq(n_logged("discarded"), 0);
	/* another host still is one */
	conflict_comes_from(0x64);
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DECLINE);
}

/* It comes while the address is used, and goes again. */
Test(agent_control, U04_interface_comes_and_goes)
{
	get_lease();
	change("/link/macs/001", "02:00:00:00:77:02 02:00:00:00:77:63");
	settle();
	conflict_comes();
	cr_assert_eq(sent(&headers, message), 0);
	change("/link/macs/001", "02:00:00:00:77:02");
	settle();
	conflict_comes();
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DECLINE);
}

/* A router that is the server and answers for every address: said once. */
Test(agent_control, U05_proxy_arp_of_the_server)
{
	static const uint8_t server[6] = { 2, 0, 0, 0, 0x77, 1 };

	memcpy(reply_mac, server, sizeof(reply_mac));
	get_lease();
	for (int i = 0; i < 3; i++)
		conflict_comes_from(1);
	cr_assert_eq(sent(&headers, message), 0);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_ARP_PROXY - 1], 3);
	cr_assert_eq(n_logged("keeping 192.0.2.10: 02:00:00:00:77:01, which also claims it, sent "
			      "the lease (proxy ARP)\n"),
		     1);
	cr_assert_eq(n_logged("discarded"), 0);
}

/* A lease that ends in a conflict, whatever was declined before. */
static void lose_lease(void)
{
	agent.client.declined.s_addr = INADDR_ANY;
	get_lease();
	conflict_comes();
	cr_assert_null(stored("/ip"));
	(void)sent(&headers, message); /* DECLINE */
}

Test(agent_control, U05_server_insists)
{
	static const char *const error = "the server leases 192.0.2.10 again and again, but "
					 "02:00:00:00:77:63 uses it: ";

	for (int i = 0; i < 2; i++)
		lose_lease();
	cr_assert_eq(n_logged(error), 0);
	for (int i = 0; i < 2; i++)
		lose_lease();
	cr_assert_eq(n_logged(error), 1);
	cr_assert_eq(calf.metrics[METRIC_DECLINE_SENT], 4);
}

Test(agent_control, U05_given_up_without_decline)
{
	agent.client.declines_ns = UINT64_MAX;
	lose_lease();
	cr_assert_eq(calf.metrics[METRIC_DECLINE_SENT], 0);
	cr_assert_eq(n_logged("giving up 192.0.2.10: in use by 02:00:00:00:77:63; not declining "
			      "it, because too many were declined\n"),
		     1);
}

/* C4-19: frames of every length, and ARP that is not about our address. */
Test(agent_control, C4_19_arp_frames_of_every_length)
{
	uint8_t bytes[64] = { [12] = 8, [13] = 6 };

	get_lease();
	for (size_t size = 14; size < sizeof(bytes); size++) {
		cr_assert_eq(write(frames_fd, bytes, size), (ssize_t)size);
		settle();
	}
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_FRAME_TRUNCATED - 1] +
			     calf.metrics[METRIC_DISCARDED + REASON_ARP_HEADER - 1],
		     sizeof(bytes) - 14);
	cr_assert_eq(agent.client.state, CLIENT_BOUND);
}

Test(agent_control, arp_about_others_is_counted)
{
	struct arp_frame arp = { .source_mac = { 2, 1 },
				 .arp = { .operation = ARP_REQUEST,
					  .sender_mac = { 2, 1 },
					  .sender = address("192.0.2.1"),
					  .target = address("192.0.2.10") } };

	get_lease();
	send_arp(&arp);
	settle();
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_ARP - 1], 1);
}

/* What the limits leave out is counted, and said. */
Test(agent_control, left_out_values_are_reported)
{
	struct in_addr servers[12];

	for (int i = 0; i < 12; i++)
		servers[i].s_addr = htonl(0xc0000264 + (uint32_t)i);
	until_sent(&headers, message);
	answer(MESSAGE_OFFER);
	cr_assert(sent(&headers, message) > 0);
	reply_begin(&reply, MESSAGE_ACK, request_be32(message, AT_XID), "192.0.2.10");
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_option(&reply, OPTION_NAME_SERVER, servers, sizeof(servers));
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert_not_null(stored("/nameserver/008"));
	cr_assert_eq(calf.metrics[METRIC_LEFT_OUT], 4);
	cr_assert_not_null(strstr(
		capture_text(), "the server sent more values than the limits allow; ignored: 4\n"));
}

/* An ACK with a name that cannot be used, by this server. */
static void answer_with_domains(uint8_t type, const char *server, const char *domains)
{
	reply_begin(&reply, type, request_be32(message, AT_XID), "192.0.2.10");
	reply_address(&reply, OPTION_SERVER_ID, server);
	reply_u32(&reply, OPTION_LEASE_TIME, 3600);
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_option(&reply, OPTION_DOMAIN_NAME, domains, strlen(domains));
	reply_option(&reply, OPTION_SEARCH, "\2-a\0\1b\0", 7);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
}

static unsigned int count_of(const char *text)
{
	unsigned int n = 0;

	for (const char *at = capture_text(); (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* Counted with each lease, logged once per kind and server, and not for an
 * OFFER. */
Test(agent_control, U26_ignored_values_are_logged_once)
{
	until_sent(&headers, message);
	answer_with_domains(MESSAGE_OFFER, "192.0.2.1", "a,b c;d e.example");
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(calf.metrics[METRIC_IGNORED + FLAW_DOMAIN], 0);
	answer_with_domains(MESSAGE_ACK, "192.0.2.1", "a,b c;d e.example");
	cr_assert_str_eq(stored("/domain"), "e.example");
	cr_assert_eq(calf.metrics[METRIC_IGNORED + FLAW_DOMAIN], 2);
	cr_assert_eq(calf.metrics[METRIC_IGNORED + FLAW_SEARCH], 1);
	cr_assert_eq(calf.metrics[METRIC_LEFT_OUT], 0);
	for (unsigned int i = 1; i <= 3; i++) {
		until_sent(&headers, message);
		answer_with_domains(MESSAGE_ACK, "192.0.2.1", "a,b");
		cr_assert_eq(calf.metrics[METRIC_IGNORED + FLAW_DOMAIN], 2 + i);
	}
	cr_assert_eq(count_of("option 15 "), 1);
	cr_assert_eq(count_of("option 15 from 192.0.2.1: ignored \"a,b\" and 1 more: "
			      "not a domain name\n"),
		     1);
	cr_assert_eq(count_of("option 119 from 192.0.2.1: ignored \"-a\": not a domain name\n"), 1);
	while (agent.client.state != CLIENT_REBINDING)
		until_sent(&headers, message);
	answer_with_domains(MESSAGE_ACK, "192.0.2.2", "a,b");
	cr_assert_eq(count_of("option 15 from 192.0.2.2: ignored \"a,b\": not a domain name\n"), 1);
}

/* The end of the instance. */

Test(agent_control, stop_ends_the_calf_and_keeps_the_lease)
{
	get_lease();
	change("/control/dhcp4/stop", "1");
	settle();
	cr_assert_not(calf.loop.stop, "not in the same breath");
	clock_ns += S / 100;
	settle();
	cr_assert(calf.loop.stop);
	cr_assert_eq(calf.status, 0);
	cr_assert_eq(sent(&headers, message), 0);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_null(stored("/control/dhcp4/stop"));
}

/* The next life asks for a lease: it is the operator who begins it. */
Test(agent_control, V4_28_stop_ends_a_release)
{
	get_lease();
	change("/control/dhcp4/release", "1");
	settle();
	cr_assert_str_eq(stored("/lease/state"), "released");
	change("/control/dhcp4/stop", "1");
	settle();
	cr_assert_null(stored("/lease/state"));
}

Test(agent_control_early, V4_28_release_at_stop)
{
	set("/config/dhcp4/release_at_stop", "1");
	open_calf();
	settle();
	get_lease();
	change("/control/dhcp4/stop", "1");
	settle();
	cr_assert(sent(&headers, message) > 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_RELEASE);
	clock_ns += S / 100;
	settle();
	cr_assert(calf.loop.stop);
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/lease/state"));
	cr_assert_not_null(strstr(capture_text(), "lease released\n"));
}

/* The store is busy: the end does not wait for it for ever. */
Test(agent_control_early, stop_does_not_wait_for_ever)
{
	set("/config/dhcp4/release_at_stop", "1");
	open_calf();
	settle();
	get_lease();
	refuse_with = &refusal_busy;
	change("/control/dhcp4/stop", "1");
	for (int i = 0; i < 99; i++) {
		clock_ns += S / 100;
		settle();
		cr_assert_not(calf.loop.stop);
	}
	clock_ns += S / 50;
	settle();
	cr_assert(calf.loop.stop);
}

/* DHCPINFORM: parameters, and nothing that hangs on an address. */
Test(agent_control_early, V4_31_inform)
{
	set("/config/dhcp4/inform", "192.0.2.50");
	open_calf();
	settle();
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_INFORM);
	cr_assert_eq(request_be32(message, AT_CIADDR), 0xc0000232);
	cr_assert_eq(headers.ip.source.s_addr, INADDR_ANY);
	reply_begin(&reply, MESSAGE_ACK, request_be32(message, AT_XID), "0.0.0.0");
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_address(&reply, OPTION_ROUTER, "192.0.2.1");
	reply_address(&reply, OPTION_NAME_SERVER, "192.0.2.53");
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.53");
	cr_assert_str_eq(stored("/lease/state"), "informed");
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/gateway"));
	cr_assert_null(stored("/lease/time"));
	cr_assert_not_null(strstr(capture_text(), "received parameters from 192.0.2.1\n"));
	cr_assert_eq(calf.metrics[METRIC_INFORM_SENT], 1);
}

/* An IPv6-only network: nothing but its word is kept (RFC 8925). */
Test(agent_control_early, V4_60_V4_61_ipv6_only)
{
	for (int mostly = 0; mostly < 2; mostly++) {
		set("/config/dhcp4/ipv6_mostly", mostly ? "1" : "0");
		open_calf();
		settle();
		until_sent(&headers, message);
		reply_to(message, MESSAGE_OFFER, &reply);
		reply_u32(&reply, OPTION_IPV6_ONLY, 1800);
		reply_end(&reply);
		send_reply(&reply, 67);
		settle();
		if (!mostly) {
			cr_assert_eq(agent.client.state, CLIENT_REQUESTING, "it was not asked for");
			continue;
		}
		cr_assert_eq(agent.client.state, CLIENT_IPV6_ONLY);
		cr_assert_str_eq(stored("/ipv6-only"), "1800");
		cr_assert_str_eq(stored("/lease/state"), "ipv6-only");
		cr_assert_null(stored("/ip"));
		until_sent(&headers, message);
		cr_assert_eq(clock_ns / S, 1000 + 1800);
		cr_assert_null(stored("/ipv6-only"));
	}
}
