/* SPDX-License-Identifier: Apache-2.0 */
/* Three calves that say something to the handlers. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_PROVIDERS_H
#define CALFPEN_TESTS_UNIT_SUPPORT_PROVIDERS_H

#include "tests/unit/support-dns.h"

/* as the supervisor numbers them */
static const char provider_subjects[KV_SUBJECTS_MAX][KV_NAME_SIZE] = { "supervisor", "dhcp4",
								       "dhcp6", "ra" };

static inline void providers_setup(void)
{
	dns_setup();
	(void)snprintf(options.providers[0], KV_NAME_SIZE, "dhcp4");
	(void)snprintf(options.providers[1], KV_NAME_SIZE, "dhcp6");
	(void)snprintf(options.providers[2], KV_NAME_SIZE, "ra");
	options.n_providers = 3;
	context.subjects = provider_subjects;
	context.uplink_ifindex = 7;
	(void)snprintf(context.uplink_name, sizeof(context.uplink_name), "eth0");
}

/* A key without a calf's name, of dhcp4. */
static inline void set_own(const char *path, const char *text)
{
	struct kv_key key = test_key(path);
	struct kv_value value = test_value(text, ++wanted.revision, 0);

	value.subject = 1;
	cr_assert_eq(wanted_set(&wanted, &key, &value), 0);
}

static inline void set(const char *path, const char *text)
{
	test_set(&wanted, path, text, 0);
}

#endif
