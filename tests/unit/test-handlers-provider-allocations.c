/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of what the instances share allocate nothing, whatever the calves say. */
#include "tests/unit/support-allocations.h"
#include "tests/unit/support-providers.h"

TestSuite(handlers_allocations, .init = providers_setup, .fini = dns_teardown);

static uint64_t allocations_of_pass(int error)
{
	static const struct handler *const handlers[] = { &handler_dns, &handler_host,
							  &handler_timeservers, &handler_portal };
	uint64_t before = n_allocations, n;
	int r = 0;

	context.error[0] = context.note[0] = '\0';
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		r = handler_first(r, handlers[i]->apply(&context, &wanted));
	n = n_allocations - before;
	cr_expect_eq(r, error, "%s", context.error);
	return n;
}

/* Without /domain and /hostname, so that the test does not change the kernel's names. */
Test(handlers_allocations, two_hundred_keys_of_four_calves)
{
	char path[KV_PATH_SIZE], text[64];

	wanted_deinit(&wanted);
	cr_assert_eq(wanted_init(&wanted, 256), 0);
	options.use_ntp = true;
	context.chrony_directory = scratch;
	(void)snprintf(options.providers[3], KV_NAME_SIZE, "calf");
	options.n_providers = 4;
	for (unsigned int i = 0; i < 4; i++) {
		const char *calf = options.providers[i];

		(void)snprintf(path, sizeof(path), "/search/%s", calf);
		set(path, "a.example b.example c.example");
		(void)snprintf(path, sizeof(path), "/captive-portal/%s", calf);
		(void)snprintf(text, sizeof(text), "https://%s.example/", calf);
		set(path, text);
		for (unsigned int j = 1; j <= 48; j++) {
			(void)snprintf(path, sizeof(path), "/%s/%s/%03u",
				       j % 3 ? "nameserver" : "ntp", calf, j);
			(void)snprintf(text, sizeof(text), j % 2 ? "2001:db8:%u::%u" : "10.0.%u.%u",
				       i + 1, j);
			set(path, text);
		}
	}
	cr_assert_eq(wanted.n_keys, 200);
	cr_expect_eq(allocations_of_pass(0), 0, "writing");
	cr_expect_eq(allocations_of_pass(0), 0, "nothing to do");
	set("/nameserver/ra/001", "fe80::1%eth0");
	set("/ntp/ra/003", "");
	cr_expect_eq(allocations_of_pass(-EBADMSG), 0, "wrong values");
	wanted_clear(&wanted);
	cr_expect_eq(allocations_of_pass(0), 0, "removing");
	free(malloc(1)); /* NOLINT(clang-analyzer-unix.Malloc) */
	cr_expect_gt(n_allocations, 0, "they are counted");
}
