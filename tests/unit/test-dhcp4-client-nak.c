/* SPDX-License-Identifier: Apache-2.0 */
/* DHCPNAK: who may say it, and what follows. */
#include "tests/unit/client-support.h"

Test(client_nak, V4_23_Q21_nak_in_requesting)
{
	uint64_t delay = 1;

	to_requesting();
	for (int i = 0; i < 14; i++) {
		uint64_t most = 2 * delay * S < 300 * S ? 2 * delay * S : 300 * S;
		uint64_t least = most / 2;

		reply(MESSAGE_NAK);
		receive();
		cr_assert_eq(actions.discarded, REASON_NONE);
		cr_assert_eq(client.state, CLIENT_INIT);
		cr_assert_eq(actions.lease, CLIENT_LEASE_KEEP);
		cr_assert(client.deadline_ns - now_ns >= least, "NAK %d", i);
		cr_assert(client.deadline_ns - now_ns <= most, "NAK %d", i);
		timeout();
		reply(MESSAGE_OFFER);
		receive();
		cr_assert_eq(client.state, CLIENT_REQUESTING);
		delay *= 2;
	}
	/* a lease ends it */
	reply(MESSAGE_ACK);
	receive();
	cr_assert_eq(client.n_naks, 0);
}

Test(client_nak, V4_23_nak_in_renewing_and_rebinding)
{
	to_renewing();
	reply(MESSAGE_NAK);
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
	cr_assert(client.deadline_ns - now_ns <= 10 * MS);
	timeout();
	cr_assert_eq(actions.request.type, MESSAGE_DISCOVER);
	cr_assert_eq(actions.source.s_addr, INADDR_ANY);
	to_rebinding();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.2");
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
	cr_assert_eq(actions.lease, CLIENT_LEASE_LOST);
}

Test(client_nak, V4_24_Q20_nak_in_selecting_and_bound)
{
	to_selecting();
	reply(MESSAGE_NAK);
	receive();
	assert_discarded(REASON_STATE);
	to_bound();
	reply(MESSAGE_NAK);
	receive();
	assert_discarded(REASON_STATE);
	cr_assert_eq(client.state, CLIENT_BOUND);
}

Test(client_nak, Q19_C4_28_nak_of_another_server)
{
	to_requesting();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.66");
	receive();
	assert_discarded(REASON_SERVER);
	to_renewing();
	reply(MESSAGE_NAK);
	message.server = address("192.0.2.66");
	receive();
	assert_discarded(REASON_SERVER);
	cr_assert_eq(client.state, CLIENT_RENEWING);
}

Test(client_nak, Q17_C4_28_nak_without_server)
{
	to_rebinding();
	reply(MESSAGE_NAK);
	message.has_server = false;
	message.server.s_addr = INADDR_ANY;
	receive();
	assert_discarded(REASON_SERVER);
	/* but a lease of such a server it ends */
	client.lease.server.s_addr = INADDR_ANY;
	receive();
	cr_assert_eq(client.state, CLIENT_INIT);
}
