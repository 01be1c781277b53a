/* SPDX-License-Identifier: Apache-2.0 */
/* A life after another: what the store remembers. */
#include "tests/unit/agent-support.h"

static void remember(void)
{
	set("/ip", "192.0.2.10/24");
	set("/gateway", "192.0.2.1");
	set("/nameserver/001", "192.0.2.53");
	set("/domain", "example.org");
	set("/lease/address", "192.0.2.10");
	set("/lease/server", "192.0.2.1");
	set("/lease/time", "3600");
	set("/lease/t1", "1800");
	set("/lease/t2", "3150");
	set("/lease/state", "bound");
	set("/lease/expires", "2023-11-14T23:13:20Z"); /* test_wall_clock() + 3600 */
}

static uint8_t message[MESSAGE_SIZE_MAX];
static struct udp_frame headers;
static struct reply reply;

static void answer(uint8_t type)
{
	reply_to(message, type, &reply);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
}

Test(agent_restart, V4_14_init_reboot_resumes_the_lease)
{
	remember();
	open_calf();
	settle();
	cr_assert_eq(agent.client.state, CLIENT_INIT_REBOOT);
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_REQUEST);
	cr_assert(request_has_address(message, sizeof(message), OPTION_REQUESTED_ADDRESS,
				      "192.0.2.10"));
	cr_assert_not(request_has(message, sizeof(message), OPTION_SERVER_ID));
	cr_assert_eq(headers.ip.source.s_addr, INADDR_ANY);
	/* meanwhile nothing but the state has changed */
	cr_assert_str_eq(stored("/lease/state"), "rebooting");
	cr_assert_eq(n_changes, 1);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(stored("/lease/address"), "192.0.2.10");
	answer(MESSAGE_ACK);
	cr_assert_eq(agent.client.state, CLIENT_BOUND);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(stored("/gateway"), "192.0.2.1");
	cr_assert_str_eq(stored("/lease/state"), "bound");
}

static void bare_answer(void)
{
	reply_begin(&reply, MESSAGE_ACK, request_be32(message, AT_XID), "192.0.2.10");
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_u32(&reply, OPTION_LEASE_TIME, 3600);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
}

/* The ACK to INIT-REBOOT has neither mask nor router nor DNS. */
Test(agent_restart, U03_keys_of_the_previous_run_stay)
{
	remember();
	set("/ip", "192.0.2.10/26");
	set("/route/001", "10.0.0.0/8 via 192.0.2.2");
	open_calf();
	settle();
	until_sent(&headers, message);
	bare_answer();
	cr_assert_eq(agent.client.state, CLIENT_BOUND);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/26");
	cr_assert_str_eq(stored("/gateway"), "192.0.2.1");
	cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.53");
	cr_assert_str_eq(stored("/domain"), "example.org");
	cr_assert_str_eq(stored("/route/001"), "10.0.0.0/8 via 192.0.2.2");
	cr_assert_str_eq(stored("/lease/state"), "bound");
	/* the next renewal likewise, and one that mentions them replaces them */
	while (agent.client.state != CLIENT_RENEWING)
		until_sent(&headers, message);
	bare_answer();
	cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.53");
	while (agent.client.state != CLIENT_RENEWING)
		until_sent(&headers, message);
	reply_begin(&reply, MESSAGE_ACK, request_be32(message, AT_XID), "192.0.2.10");
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_address(&reply, OPTION_NAME_SERVER, "192.0.2.54");
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\0\xc0\0\2\3", 5);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.54");
	cr_assert_str_eq(stored("/gateway"), "192.0.2.3");
	cr_assert_null(stored("/route/001"), "121 has all routes");
	cr_assert_str_eq(stored("/domain"), "example.org");
	/* and all of them go with the lease */
	change("/control/dhcp4/release", "1");
	settle();
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/domain"));
	cr_assert_null(stored("/nameserver/001"));
}

/* The store has keys of a previous run, which this calf may not read. */
Test(agent_restart, first_commit_deletes_what_is_not_leased)
{
	set("/lease/state", "bound");
	set("/mtu", "1400");
	set("/nameserver/002", "192.0.2.99");
	set("/route/007", "10.0.0.0/8 onlink");
	set("/ip", "192.0.2.77/24");
	open_calf();
	get_lease();
	cr_assert_null(stored("/mtu"));
	cr_assert_null(stored("/nameserver/002"));
	cr_assert_null(stored("/route/007"));
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_eq(n_commits, 1);
}

Test(agent_restart, first_commit_after_a_reboot_replaces_what_outlived_it)
{
	set("/lease/t1", "7");
	set("/lease/t2", "8");
	set("/lease/server", "192.0.2.9");
	open_calf();
	get_lease();
	cr_assert_str_eq(stored("/lease/server"), "192.0.2.1");
	cr_assert_str_neq(stored("/lease/t1"), "7");
	cr_assert_str_neq(stored("/lease/t2"), "8");
}

/* The keys remain until the server answers or the lease expires. */
Test(agent_restart, keys_stay_while_the_server_is_away)
{
	remember();
	open_calf();
	settle();
	while (clock_ns < 1000 * S + 3500 * S) {
		clock_ns = agent.client.deadline_ns;
		settle();
		while (sent(&headers, message) > 0)
			;
		cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
		cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.53");
	}
	cr_assert_str_eq(stored("/lease/state"), "selecting");
	cr_assert_eq(calf.metrics[METRIC_LEASE_LOST], 0);
}

Test(agent_restart, V4_20_keys_go_when_the_lease_is_over)
{
	remember();
	open_calf();
	settle();
	while (calf.metrics[METRIC_LEASE_LOST] == 0) {
		clock_ns = agent.client.deadline_ns;
		settle();
		while (sent(&headers, message) > 0)
			;
	}
	cr_assert(clock_ns >= 1000 * S + 3600 * S && clock_ns < 1000 * S + 3700 * S);
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/nameserver/001"));
	cr_assert_null(stored("/lease/address"));
	cr_assert_null(stored("/lease/state"));
}

Test(agent_restart, V4_23_Q23_nak_removes_the_keys)
{
	remember();
	open_calf();
	settle();
	until_sent(&headers, message);
	answer(MESSAGE_NAK);
	cr_assert_null(stored("/ip"));
	cr_assert_null(stored("/domain"));
	cr_assert_null(stored("/lease/address"));
	cr_assert_eq(calf.metrics[METRIC_LEASE_LOST], 1);
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DISCOVER);
}

/* A rebooted host has no address: nothing is published about one. */
Test(agent_restart, after_a_reboot_of_the_host)
{
	set("/lease/address", "192.0.2.10");
	set("/lease/server", "192.0.2.1");
	set("/lease/time", "3600");
	set("/lease/expires", "2023-11-14T23:13:20Z");
	open_calf();
	settle();
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_REQUEST);
	cr_assert_eq(n_commits, 0);
	cr_assert_null(stored("/lease/state"));
	answer(MESSAGE_ACK);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_eq(n_commits, 1);
}

Test(agent_restart, C4_07_damaged_lease_is_reported_and_ignored)
{
	remember();
	set("/lease/time", "2>/dev/null");
	open_calf();
	settle();
	cr_assert_eq(agent.client.state, CLIENT_INIT);
	cr_assert_not_null(strstr(capture_text(), "saved lease: /lease/time: invalid value "
						  "\"2>/dev/null\"; ignoring the lease\n"));
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DISCOVER);
	cr_assert_not(request_has(message, sizeof(message), OPTION_REQUESTED_ADDRESS));
	cr_assert_eq(n_commits, 0, "and nothing is deleted before it is known better");
}

/* A value with a NUL inside was not written by a calf. */
Test(agent_restart, C4_20_value_with_a_nul)
{
	remember();
	read_with_nul = "/lease/address";
	open_calf();
	settle();
	cr_assert_eq(agent.client.state, CLIENT_INIT);
	cr_assert_not_null(strstr(capture_text(),
				  "/lease/address: invalid value \"?\"; ignoring the lease\n"));
}

/* A calf that was killed takes no lease that the operator gave back. */
Test(agent_restart, V4_28_released_stays_released)
{
	set("/lease/state", "released");
	open_calf();
	settle();
	cr_assert_eq(agent.client.state, CLIENT_RELEASED);
	cr_assert_eq(agent.client.deadline_ns, CLIENT_NEVER);
	cr_assert_str_eq(stored("/lease/state"), "released");
	cr_assert_not_null(strstr(capture_text(), "lease released by the operator; requesting none "
						  "until /control/dhcp4/renew is written or"));
	change("/link", "down");
	change("/link", "up");
	settle();
	cr_assert_eq(agent.client.deadline_ns, CLIENT_NEVER);
	change("/control/dhcp4/renew", "1");
	settle();
	get_lease();
	cr_assert_str_eq(stored("/lease/state"), "bound");
}

Test(agent_restart, takeover_asks_for_the_address_of_the_uplink)
{
	set("/address", "192.0.2.77/24");
	remember();
	open_calf();
	settle();
	until_sent(&headers, message);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_REQUEST);
	cr_assert(request_has_address(message, sizeof(message), OPTION_REQUESTED_ADDRESS,
				      "192.0.2.77"));
}

/* If the store is busy, retry; if it refuses, it counts as empty. */
Test(agent_restart, reading_is_tried_again)
{
	remember();
	refuse_read = "/lease/server";
	refuse_read_with = &refusal_busy;
	open_calf();
	settle();
	cr_assert_not(agent.is_started);
	refuse_read = NULL;
	clock_ns += S / 10;
	settle();
	cr_assert(agent.is_started);
	cr_assert_eq(agent.client.state, CLIENT_INIT_REBOOT);
}

Test(agent_restart, reading_that_is_refused)
{
	refuse_read = "/lease/address";
	refuse_read_with = &refusal_denied;
	remember();
	open_calf();
	settle();
	cr_assert(agent.is_started);
	cr_assert_eq(agent.client.state, CLIENT_INIT);
	cr_assert_not_null(strstr(capture_text(), "cannot read /lease/address: denied\n"));
}

/* A commit of the state that is refused is not taken for the whole. */
Test(agent_restart, refused_state_is_tried_again)
{
	remember();
	refuse_with = &refusal_busy;
	open_calf();
	settle();
	until_sent(&headers, message);
	cr_assert_str_eq(stored("/lease/state"), "bound");
	refuse_with = NULL;
	clock_ns += S / 5;
	settle();
	cr_assert_str_eq(stored("/lease/state"), "rebooting");
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
}
