/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dhcp4-support.h"

static struct message_sender sender;

static void assert_list(const char *expected, size_t n)
{
	cr_assert_eq(sender.n_parameters, n);
	cr_assert_eq(memcmp(sender.parameters, expected, n), 0);
}

#define assert_parameters(_list) assert_list(_list, sizeof(_list) - 1)

static size_t position(uint8_t code)
{
	const uint8_t *at = memchr(sender.parameters, code, sender.n_parameters);

	return at ? (size_t)(at - sender.parameters) : SIZE_MAX;
}

Test(sender, defaults)
{
	sender = support_sender();
	cr_assert_eq(memcmp(sender.mac, support_mac, 6), 0);
	cr_assert_eq(sender.client_id_size, 7);
	cr_assert_eq(memcmp(sender.client_id, "\1\2\0\0\0\x77\2", 7), 0);
	cr_assert_str_eq(sender.host_name, "");
	cr_assert_not(sender.anonymous);
	assert_parameters("\x79\xf9\1\3\x21\6\xf\x77\x1a\x2a\x72\xa2");
}

Test(sender, Q42_Q43_V4_60_parameters_of_the_policy)
{
	support_policy.ignore_microsoft_classless = true;
	sender = support_sender();
	assert_parameters("\x79\1\3\x21\6\xf\x77\x1a\x2a\x72\xa2");
	support_policy.ignore_classless = true;
	sender = support_sender();
	assert_parameters("\1\3\x21\6\xf\x77\x1a\x2a\x72\xa2");
	support_policy.ipv6_mostly = support_policy.use_host_name = true;
	support_policy.n_options = 3;
	memcpy(support_policy.options, "\xf5\6\xfc", 3);
	sender = support_sender();
	assert_parameters("\1\3\x21\6\xf\x77\x1a\x2a\x72\xa2\xc\x6c\xf5\xfc");
}

/* The longest list has room; nothing is in it twice, nor ever 51, 54, 58, 59. */
Test(sender, Q08_longest_list)
{
	support_policy.ipv6_mostly = support_policy.use_host_name = true;
	support_policy.n_options = MESSAGE_OPTIONS_MAX;
	for (uint8_t i = 0; i < MESSAGE_OPTIONS_MAX; i++)
		support_policy.options[i] = (uint8_t)(224 + i);
	sender = support_sender();
	cr_assert_eq(sender.n_parameters, 12 + 2 + MESSAGE_OPTIONS_MAX);
	for (uint8_t i = 0; i < sender.n_parameters; i++)
		cr_assert_eq(position(sender.parameters[i]), i);
	cr_assert_eq(position(51), SIZE_MAX);
	cr_assert_eq(position(54), SIZE_MAX);
	cr_assert_eq(position(58), SIZE_MAX);
	cr_assert_eq(position(59), SIZE_MAX);
	cr_assert(position(121) < position(3) && position(121) < position(33));
}

Test(sender, V4_50_duid)
{
	uint8_t duid[MESSAGE_DUID_MAX];

	sender = support_sender();
	message_sender_set_duid(&sender, 0x01020304, NULL, 0);
	cr_assert_eq(sender.client_id_size, 15);
	cr_assert_eq(memcmp(sender.client_id, "\xff\1\2\3\4\0\3\0\1\2\0\0\0\x77\2", 15), 0);
	message_sender_set_duid(&sender, 1, (const uint8_t *)"\0\4\xab", 3);
	cr_assert_eq(sender.client_id_size, 8);
	cr_assert_eq(memcmp(sender.client_id, "\xff\0\0\0\1\0\4\xab", 8), 0);
	memset(duid, 0x5a, sizeof(duid));
	message_sender_set_duid(&sender, 1, duid, sizeof(duid));
	cr_assert_eq(sender.client_id_size, 5 + MESSAGE_DUID_MAX);
	cr_assert_eq(memcmp(sender.client_id + 5, duid, sizeof(duid)), 0);
}

Test(sender, V4_51_anonymous)
{
	sender = support_sender();
	message_sender_set_duid(&sender, 1, NULL, 0);
	message_sender_set_anonymous(&sender, &support_policy, 0);
	cr_assert(sender.anonymous);
	cr_assert_eq(sender.client_id_size, 7);
	cr_assert_eq(sender.client_id[0], 1);
	cr_assert_eq(sender.n_parameters, 5);
	support_policy.ipv6_mostly = support_policy.ignore_classless = true;
	message_sender_set_anonymous(&sender, &support_policy, 0);
	cr_assert_eq(sender.n_parameters, 5);
	cr_assert_eq(position(121), SIZE_MAX);
	cr_assert_neq(position(108), SIZE_MAX);
}

/* Every order is possible but for 121, which stays ahead of 3. */
Test(sender, V4_45_V4_51_order_of_the_anonymous)
{
	bool seen[5][5] = { { false } };
	static const uint8_t codes[] = { 121, 1, 3, 6, 15 };

	for (uint32_t random = 0; random < 120; random++) {
		sender = support_sender();
		message_sender_set_anonymous(&sender, &support_policy, random);
		for (size_t i = 0; i < 5; i++) {
			cr_assert_neq(position(codes[i]), SIZE_MAX);
			seen[i][position(codes[i])] = true;
		}
		cr_assert(position(121) < position(3));
	}
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			cr_assert_eq(seen[i][j], !(i == 0 && j == 4) && !(i == 2 && j == 0),
				     "%u at %zu", codes[i], j);
}
