/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the saved lease as untrusted input: 5 bytes of wall time,
 * then the values, each up to a newline.
 *
 * Besides crashes, it checks that a restored lease has the address of a host and is
 * not longer than /lease/time; that the state machine continues from it, requests
 * that address or none, and gives it up in time; and that a lease that we write
 * ourselves is read back unchanged.
 */
#include <fcntl.h>

#include "tests/fuzz/dhcp4.h"
#include "userspace/calf/dhcp4/lease_keys.h"
#include "userspace/calf/dhcp4/restore.h"
#include "userspace/common/log.h"

#define S 1000000000ull
#define EVENTS_MAX 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0x77, 2 };
static struct client_config config;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct message_policy policy;

	(void)argc;
	(void)argv;
	log_init("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
	config.start_delay_ms = CLIENT_START_DELAY_MS;
	config.first_retransmission_ms = CLIENT_FIRST_RETRANSMISSION_MS;
	message_sender_init(&config.sender, our_mac, &policy);
	return 0;
}

static void take_values(struct bytes_reader *data, struct restore_values *values)
{
	memset(values, 0, sizeof(*values));
	for (int i = 0; i < _RESTORE_KEY_N; i++) {
		for (size_t n = 0; n < KV_VALUE_MAX && bytes_left(data) > 0; n++) {
			uint8_t octet = bytes_u8(data);

			if (octet == '\n')
				break;
			values->text[i][n] = (char)octet;
		}
	}
}

/* Without a response, the saved lease is requested, and ends on time. */
static void live(const struct client_saved *saved)
{
	static struct client client;
	struct client_event event = { .type = CLIENT_START, .now_ns = 1000 * S, .saved = saved };
	struct client_actions actions;
	uint64_t end_ns = CLIENT_NEVER;
	bool is_used = saved->is_configured;

	if (saved->left_s != CLIENT_INFINITE)
		end_ns = event.now_ns + saved->left_s * S;
	client_init(&client, &config);
	for (int i = 0; i < EVENTS_MAX && event.now_ns != CLIENT_NEVER; i++) {
		for (size_t j = 0; j < CLIENT_RANDOM_N; j++)
			event.random[j] = (uint32_t)((size_t)i * 2654435761u + j);
		client_step(&client, &event, &actions);
		if (actions.lease == CLIENT_LEASE_LOST)
			is_used = false;
		CHECK(actions.lease != CLIENT_LEASE_SET);
		CHECK(!is_used || event.now_ns < end_ns || event.type == CLIENT_START);
		CHECK(!actions.send || actions.request.requested.s_addr == 0 ||
		      actions.request.requested.s_addr == saved->address.s_addr);
		CHECK(client.deadline_ns > event.now_ns || event.type == CLIENT_START);
		event.type = CLIENT_TIMEOUT;
		event.now_ns = client.deadline_ns;
	}
}

static void check_restored(const struct restore_values *values, int64_t wall_s)
{
	struct client_saved saved = { 0 };
	enum restore_key wrong = _RESTORE_KEY_N;
	uint32_t most_s = 0;
	int r;

	r = restore_lease(values, &config, wall_s, &saved, &wrong);
	CHECK(r == 0 || r == -ENOENT || r == -EBADMSG);
	CHECK(r != -EBADMSG || wrong < _RESTORE_KEY_N);
	CHECK(r == -ENOENT || !restore_is_released(values));
	if (r < 0)
		return;
	CHECK(client_lease_is_address(&config, saved.address));
	CHECK(value_parse_lifetime(values->text[RESTORE_TIME], &most_s) == 0);
	CHECK(saved.left_s <= most_s);
	live(&saved);
}

/* Make a lease from these numbers, write it as keys and read it back. */
static void check_written(struct bytes_reader data, int64_t wall_s)
{
	static const enum lease_slot slots[] = {
		[RESTORE_ADDRESS] = LEASE_ADDRESS, [RESTORE_SERVER] = LEASE_SERVER,
		[RESTORE_TIME] = LEASE_TIME,	   [RESTORE_EXPIRES] = LEASE_EXPIRES,
		[RESTORE_STATE] = LEASE_STATE,	   [RESTORE_IP] = LEASE_IP,
	};
	static const struct message_policy policy;
	static const uint32_t random[2];
	static struct restore_values values;
	static struct client_lease lease;
	static struct lease_keys keys;
	static struct message ack;
	struct client_saved saved;
	enum restore_key wrong;
	uint32_t left_s;

	memset(&ack, 0, sizeof(ack));
	bytes_copy(&data, &ack.yiaddr, 4);
	bytes_copy(&data, &ack.server, 4);
	ack.lease_s = bytes_be32(&data);
	if (!client_lease_is_address(&config, ack.yiaddr) || wall_s > 200000000000 ||
	    address_is_subnet(ack.yiaddr, client_lease_prefix_length(&ack, NULL)))
		return;
	client_lease_init(&lease, &config, &ack, NULL, 1000 * S, random);
	lease_project(&lease, CLIENT_BOUND, &policy, 1000 * S, wall_s, &keys);
	memset(&values, 0, sizeof(values));
	for (int i = 0; i < _RESTORE_KEY_N; i++)
		if (keys.at[slots[i]] != 0)
			strcpy(values.text[i], keys.text + keys.at[slots[i]]);
	CHECK(restore_lease(&values, &config, wall_s, &saved, &wrong) == 0);
	left_s = lease.time_s;
	CHECK(saved.address.s_addr == lease.address.s_addr);
	CHECK(saved.server.s_addr == lease.server.s_addr);
	CHECK(saved.prefix_length == lease.prefix_length);
	CHECK(saved.left_s == left_s && !saved.is_over && saved.is_configured);
	/* a second before its end, and at its end */
	if (left_s == CLIENT_INFINITE)
		return;
	CHECK(restore_lease(&values, &config, wall_s + left_s - 1, &saved, &wrong) == 0);
	CHECK(saved.left_s == 1 && !saved.is_over);
	CHECK(restore_lease(&values, &config, wall_s + left_s, &saved, &wrong) == 0);
	CHECK(saved.is_over);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct restore_values values;
	struct bytes_reader data;
	int64_t wall_s;

	bytes_reader_init(&data, bytes, size);
	wall_s = (int64_t)bytes_be32(&data) << 8 | bytes_u8(&data); /* up to year 36812 */
	check_written(data, wall_s);
	take_values(&data, &values);
	check_restored(&values, wall_s);
	return 0;
}
