/* SPDX-License-Identifier: Apache-2.0 */
/* The lease from the wire into the store. */
#include "tests/unit/agent-support.h"

TestSuite(agent, .init = setup);

Test(agent, lease_is_stored_in_one_commit)
{
	get_lease();
	cr_assert_eq(n_commits, 1);
	cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	cr_assert_str_eq(stored("/gateway"), "192.0.2.1");
	cr_assert_str_eq(stored("/nameserver/001"), "192.0.2.53");
	cr_assert_str_eq(stored("/domain"), "example.org");
	cr_assert_str_eq(stored("/lease/time"), "3600");
	cr_assert_str_eq(stored("/lease/state"), "bound");
	cr_assert_str_eq(stored("/lease/server"), "192.0.2.1");
	cr_assert_str_eq(stored("/lease/address"), "192.0.2.10");
	cr_assert_str_eq(stored("/lease/t1"), "1800");
	cr_assert_str_eq(stored("/lease/t2"), "3150");
	cr_assert_str_eq(stored("/lease/expires"), "2023-11-14T23:13:20Z");
	cr_assert_null(stored("/mtu"));
	cr_assert_eq(calf.metrics[METRIC_STATE], CLIENT_BOUND);
	cr_assert_eq(calf.metrics[METRIC_DISCOVER_SENT], 1);
	cr_assert_eq(calf.metrics[METRIC_REQUEST_SENT], 1);
	cr_assert_eq(calf.metrics[METRIC_LEASE_GRANTED], 1);
}

Test(agent, renewal_writes_time_and_what_changed)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;

	get_lease();
	until_sent(&headers, message);
	cr_assert_str_eq(stored("/lease/state"), "renewing");
	cr_assert_eq(n_changes, 1);
	reply_to(message, MESSAGE_ACK, &reply);
	reply_end(&reply);
	clock_ns += 10 * S;
	send_reply(&reply, 67);
	settle();
	cr_assert_eq(n_commits, 3);
	cr_assert_eq(n_changes, 3, "state, time, expires");
	cr_assert_str_eq(stored("/lease/state"), "bound");
	cr_assert_str_eq(stored("/lease/time"), "3590");
	cr_assert_eq(calf.metrics[METRIC_LEASE_GRANTED], 2);
}

/* Told once, until there is a lease. */
Test(agent, nobody_answers)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	const char *line;

	for (int i = 0; i < 2; i++)
		until_sent(&headers, message);
	cr_assert_null(strstr(capture_text(), "no server has answered"));
	for (int i = 0; i < 8; i++)
		until_sent(&headers, message);
	line = strstr(capture_text(), "no server has answered (SELECTING) for 1");
	cr_assert_not_null(line);
	cr_assert_null(strstr(line + 1, "no server has answered"));
	get_lease();
	cr_assert_not(agent.no_answer_logged, "logged again the next time");
}

Test(agent, V4_15_renewal_frame)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;

	get_lease();
	until_sent(&headers, message);
	cr_assert_eq(headers.ip.source.s_addr, inet_addr("192.0.2.10"));
	cr_assert_eq(headers.ip.destination.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(headers.ip.ttl, 64);
	cr_assert_eq(memcmp(headers.source_mac, support_mac, 6), 0);
	cr_assert_eq(memcmp(headers.destination_mac, "\0\0\0\0\0\0", 6), 0);
	cr_assert_eq(request_be32(message, AT_CIADDR), 0xc000020a);
}

Test(agent, V4_05_discover_frame)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;

	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert_eq(sent(&headers, message), 300);
	cr_assert_eq(headers.ip.source.s_addr, INADDR_ANY);
	cr_assert_eq(headers.ip.destination.s_addr, INADDR_BROADCAST);
	cr_assert_eq(memcmp(headers.destination_mac, "\xff\xff\xff\xff\xff\xff", 6), 0);
	cr_assert_eq(message[AT_OPTIONS + 2], MESSAGE_DISCOVER);
	cr_assert_eq(sent(&headers, message), 0);
}

Test(agent, V4_20_expiry_deletes_all)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	uint32_t n_frames = 0;

	get_lease();
	while (agent.client.state >= CLIENT_BOUND) {
		clock_ns = agent.client.deadline_ns;
		settle();
		while (sent(&headers, message) > 0)
			n_frames++;
	}
	cr_assert(n_frames > 5);
	for (size_t i = 0; i < STORE_KEYS; i++)
		cr_assert(store[i].path[0] == '\0' || strcmp(store[i].path, "/mac") == 0, "%s",
			  store[i].path);
	cr_assert_eq(calf.metrics[METRIC_LEASE_LOST], 1);
	cr_assert_eq(calf.metrics[METRIC_STATE], CLIENT_INIT);
}

/* Without /lease/state there are no keys of a lease but those that outlive a
 * reboot: nothing that is absent is deleted. */
Test(agent, first_commit_of_an_empty_store_deletes_nothing)
{
	size_t n_keys = 0;

	get_lease();
	for (size_t i = 0; i < STORE_KEYS; i++)
		n_keys += store[i].path[0] != '\0';
	cr_assert_eq(n_commits, 1);
	cr_assert_eq(n_changes, n_keys - 1, "all but /mac");
}

/* Until it knows better it leaves them: the address may still be good. */
Test(agent, nothing_is_deleted_before_there_is_a_lease)
{
	set("/ip", "192.0.2.77/24");
	for (int i = 0; i < 20; i++) {
		clock_ns = agent.client.deadline_ns;
		settle();
	}
	cr_assert_eq(n_commits, 0);
	cr_assert_str_eq(stored("/ip"), "192.0.2.77/24");
}

Test(agent, commit_is_tried_again)
{
	static const struct refusal *const refusals[] = { &refusal_busy, &refusal_quota,
							  &refusal_wrong };

	for (size_t i = 0; i < 3; i++) {
		n_commits = 0;
		refuse_with = refusals[i];
		if (i == 0) {
			get_lease();
		} else {
			/* lose it, so that there is something to commit */
			publish_update(&agent.publisher, true);
			settle();
		}
		cr_assert_eq(n_commits, 1);
		for (uint32_t try = 2; try < 12; try++) {
			uint64_t wait_ns = 100000000ull << (try - 2);

			if (wait_ns > 10 * S)
				wait_ns = 10 * S;
			cr_assert_eq(agent.publisher.retry.deadline_ns, clock_ns + wait_ns);
			clock_ns += wait_ns - 1;
			settle();
			cr_assert_eq(n_commits, try - 1);
			clock_ns++;
			settle();
			cr_assert_eq(n_commits, try);
		}
		refuse_with = NULL;
		clock_ns += 10 * S;
		settle();
		cr_assert_eq(n_commits, 12);
		cr_assert_str_eq(stored("/ip"), "192.0.2.10/24");
	}
	cr_assert_eq(calf.metrics[METRIC_COMMIT_FAILED], 33);
	cr_assert_eq(calf.metrics[METRIC_COMMIT], 3);
}

/* A commit that went unanswered while the lease was renewed: what is sent
 * next says what is true then. */
Test(agent, commit_that_comes_late_is_not_out_of_date)
{
	refuse_with = &refusal_busy;
	get_lease();
	clock_ns += 100 * S;
	refuse_with = NULL;
	settle();
	cr_assert_str_eq(stored("/lease/time"), "3500");
}

Test(agent, Q52_text_of_a_nak_is_logged_sanitised)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;

	get_lease();
	until_sent(&headers, message);
	reply_begin(&reply, MESSAGE_NAK, request_be32(message, AT_XID), "0.0.0.0");
	reply_address(&reply, OPTION_SERVER_ID, "192.0.2.1");
	reply_option(&reply, OPTION_MESSAGE, "wrong\n\x1b[2J", 10);
	reply_end(&reply);
	send_reply(&reply, 67);
	settle();
	cr_assert_not_null(
		strstr(capture_text(), "the server refused the request: \"wrong??[2J\"\n"));
	cr_assert_eq(calf.metrics[METRIC_NAK_RECEIVED], 1);
	cr_assert_null(stored("/ip"), "V4-23: the old address is removed");
}

/* From DISCOVER to BOUND with a server behind this source port. */
static void lease_from(uint16_t port)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;

	until_sent(&headers, message);
	for (uint8_t type = MESSAGE_OFFER; type != 0;
	     type = type == MESSAGE_OFFER ? MESSAGE_ACK : 0) {
		reply_to(message, type, &reply);
		reply_end(&reply);
		send_reply(&reply, port);
		settle();
		if (type == MESSAGE_OFFER)
			cr_assert(sent(&headers, message) > 0, "no REQUEST");
		cr_expect_eq(headers.udp.destination_port, 67);
	}
	cr_expect_eq(agent.client.state, CLIENT_BOUND);
	cr_expect_eq(calf.metrics[METRIC_DISCARDED + REASON_PORT - 1], 0);
}

/* A NAT, or a relay with a port of its own (RFC 8357). */
Test(agent, U02_replies_from_another_port)
{
	lease_from(1067);
}

Test(agent, U02_replies_from_the_client_port)
{
	lease_from(68);
}

/* RFC 768: 0 if the sender expects no reply. */
Test(agent, U02_replies_from_port_0)
{
	lease_from(0);
}

/* Counted every time, logged once per reason and server. */
Test(agent, discarded_messages_are_counted_and_logged_once)
{
	uint8_t message[MESSAGE_SIZE_MAX];
	struct udp_frame headers;
	struct reply reply;
	const char *text, *line;

	until_sent(&headers, message);
	for (int i = 0; i < 5; i++) {
		reply_to(message, MESSAGE_ACK, &reply);
		reply_end(&reply);
		send_reply(&reply, 67);
		reply.bytes[AT_XID] ^= 1;
		send_reply(&reply, 67);
		send_reply_to(&reply, 67, 69);
		reply.bytes[AT_COOKIE] ^= 1;
		send_reply(&reply, 67);
		settle();
	}
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_STATE - 1], 5);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_XID - 1], 5);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_PORT - 1], 5);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_COOKIE - 1], 5);
	text = capture_text();
	line = strstr(text, "discarded a message from 192.0.2.1: not expected in this state\n");
	cr_assert_not_null(line);
	cr_assert_null(strstr(strstr(line, "not expected") + 1, "not expected"));
	cr_assert_not_null(strstr(text, "192.0.2.1: another transaction (xid)\n"));
	cr_assert_not_null(strstr(text, "192.0.2.1: not to port 68\n"));
	cr_assert_not_null(strstr(text, "192.0.2.1: no DHCP magic cookie\n"));
}

Test(agent, frames_of_all_kinds_of_junk)
{
	uint64_t state = 17, total = 0;

	clock_ns = agent.client.deadline_ns;
	settle();
	for (int i = 0; i < 2000; i++) {
		uint8_t frame[CALF_FRAME_MAX];
		size_t size;

		for (size_t j = 0; j < sizeof(frame); j++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			frame[j] = (uint8_t)(state >> 33);
		}
		if (i % 2) {
			frame[12] = 8;
			frame[13] = 0;
			frame[14] = 0x45;
		}
		size = 1 + (state >> 40) % sizeof(frame);
		cr_assert_eq(write(frames_fd, frame, size), (ssize_t)size);
		cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	}
	for (int reason = 1; reason < _REASON_N; reason++)
		total += calf.metrics[METRIC_DISCARDED + reason - 1];
	cr_assert_eq(total, 2000);
	cr_assert_eq(agent.client.state, CLIENT_SELECTING);
}

TestSuite(agent_early, .init = open_calf);

/* Frames that waited in the channel from before a restart. */
Test(agent_early, frames_before_the_settings_are_dropped)
{
	struct reply reply;

	reply_begin(&reply, MESSAGE_OFFER, 0, "192.0.2.10");
	reply_end(&reply);
	send_reply(&reply, 67);
	cr_assert_eq(loop_run_once(&calf.loop, 0), 0);
	cr_assert_not(agent.is_started);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED + REASON_STATE - 1], 0);
	settle();
	cr_assert(agent.is_started);
	cr_assert_eq(agent.client.state, CLIENT_INIT);
}

/* The channel fails: counted, said, and tried again by the backoff. */
Test(agent, frame_that_cannot_be_sent)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	calf.fds.frames = fd;
	clock_ns = agent.client.deadline_ns;
	settle();
	cr_assert_eq(calf.metrics[METRIC_SEND_FAILED], 1);
	cr_assert_eq(calf.metrics[METRIC_DISCOVER_SENT], 0);
	cr_assert_not_null(strstr(capture_text(), "cannot send a frame: Bad file descriptor\n"));
	cr_assert_eq(agent.client.state, CLIENT_SELECTING);
}

Test(agent, end_of_the_control_socket_ends_the_calf)
{
	get_lease();
	close(control_fd);
	cr_assert_eq(calf_run(&calf), 0);
}

/* More forged servers than are kept apart: the log stays small. */
Test(agent, log_of_discards_is_bounded)
{
	struct discard_log log;
	const char *text;
	uint32_t n_lines = 0;

	discard_log_init(&log, &calf);
	capture_begin();
	for (uint32_t i = 0; i < 10000; i++)
		for (int reason = 1; reason < 4; reason++)
			discard_log_add(&log, (enum reason)reason,
					(struct in_addr){ htonl(0x0a000000 + i) });
	for (text = capture_text(); *text; text++)
		n_lines += *text == '\n';
	cr_assert_eq(n_lines, (DISCARD_LOG_SERVERS_MAX + 1) * 3);
	cr_assert_eq(calf.metrics[METRIC_DISCARDED], 10000);
	discard_log_add(&log, REASON_NONE, (struct in_addr){ 0 });
}
