/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6-only preferred (RFC 8925); that 108 counts only where it was asked for
 * is message_parse()'s. */
#include "tests/unit/client-support.h"

static void ipv6_only(uint8_t type, uint32_t seconds)
{
	reply(type);
	message.parameters.has_ipv6_only = true;
	message.parameters.ipv6_only_s = seconds;
}

static void assert_stopped(uint64_t seconds)
{
	cr_assert_eq(client.state, CLIENT_IPV6_ONLY);
	cr_assert_not(actions.send);
	cr_assert_eq(client.deadline_ns, now_ns + seconds * S);
	cr_assert(client.lease.parameters.has_ipv6_only);
	cr_assert_eq(client.lease.address.s_addr, INADDR_ANY);
}

Test(client_ipv6_only, V4_61_offer)
{
	to_selecting();
	ipv6_only(MESSAGE_OFFER, 1800);
	receive();
	assert_stopped(1800);
	cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
	timeout();
	cr_assert_eq(client.state, CLIENT_INIT);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

Test(client_ipv6_only, V4_61_at_least_five_minutes)
{
	static const uint32_t rows[][2] = {
		{ 0, 300 }, { 299, 300 }, { 300, 300 }, { 301, 301 }, { UINT32_MAX, UINT32_MAX }
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		to_selecting();
		ipv6_only(MESSAGE_OFFER, rows[i][0]);
		receive();
		assert_stopped(rows[i][1]);
		cr_assert_eq(client.lease.parameters.ipv6_only_s, rows[i][0], "as it was said");
	}
}

/* yiaddr is 0 where there is no IPv4 at all. */
Test(client_ipv6_only, V4_61_Q29_offer_without_an_address)
{
	to_selecting();
	ipv6_only(MESSAGE_OFFER, 1800);
	message.yiaddr.s_addr = INADDR_ANY;
	receive();
	assert_stopped(1800);
	to_selecting();
	ipv6_only(MESSAGE_OFFER, 1800);
	message.yiaddr.s_addr = INADDR_BROADCAST;
	receive();
	assert_discarded(REASON_ADDRESS);
}

Test(client_ipv6_only, V4_61_rapid_commit_ack)
{
	to_selecting();
	ipv6_only(MESSAGE_ACK, 1800);
	message.has_rapid_commit = true;
	receive();
	assert_stopped(1800);
}

Test(client_ipv6_only, V4_61_ack_in_rebooting_ends_the_lease)
{
	to_rebooting();
	ipv6_only(MESSAGE_ACK, 1800);
	receive();
	assert_stopped(1800);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
}

Test(client_ipv6_only, V4_61_address_is_kept_when_renewed)
{
	to_renewing();
	ipv6_only(MESSAGE_ACK, 1800);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	cr_assert_eq(actions.lease, CLIENT_LEASE_SET);
	to_rebinding();
	ipv6_only(MESSAGE_ACK, 1800);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
	/* and needs to be an address */
	to_renewing();
	ipv6_only(MESSAGE_ACK, 1800);
	message.yiaddr.s_addr = INADDR_ANY;
	receive();
	assert_discarded(REASON_ADDRESS);
}

/* The OFFER did not say so: we have been given an address. */
Test(client_ipv6_only, ack_in_requesting)
{
	to_requesting();
	ipv6_only(MESSAGE_ACK, 1800);
	receive();
	cr_assert_eq(client.state, CLIENT_BOUND);
}

Test(client_ipv6_only, V4_61_until_the_link_is_attached_anew)
{
	to_selecting();
	ipv6_only(MESSAGE_OFFER, 1800);
	receive();
	step(CLIENT_LINK_DOWN);
	cr_assert_eq(client.state, CLIENT_IPV6_ONLY);
	cr_assert_eq(client.deadline_ns, CLIENT_NEVER);
	now_ns += S;
	step(CLIENT_LINK_UP);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
}

Test(client_ipv6_only, operator_may_try_again)
{
	to_selecting();
	ipv6_only(MESSAGE_OFFER, 1800);
	receive();
	step(CLIENT_RENEW);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST, "the word of before");
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	to_selecting();
	ipv6_only(MESSAGE_OFFER, 1800);
	receive();
	step(CLIENT_RELEASE);
	cr_assert_not(actions.send);
	cr_assert_eq(client.state, CLIENT_RELEASED);
}
