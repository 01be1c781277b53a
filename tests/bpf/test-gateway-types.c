/* SPDX-License-Identifier: Apache-2.0 */
/* What is no value of its type does not pass the gateway, and nothing of it is stored. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/support-gateway.h"
#include "tests/unit/support-wrong-values.h"
#include "userspace/common/wire.h"

static const char keys[] = "  - {path: /t/ipv6, type: ipv6, access: [read, write]}\n"
			   "  - {path: /t/ip, type: ip, access: [read, write]}\n"
			   "  - {path: /t/ipv6-lease, type: ipv6-lease, access: [read, write]}\n"
			   "  - {path: /t/ipv6-prefix, type: ipv6-prefix, access: [read, write]}\n"
			   "  - {path: /t/gateway6, type: gateway6, access: [read, write]}\n"
			   "  - {path: /t/route6, type: route6, access: [read, write]}\n"
			   "  - {path: /t/u8, type: u8, access: [read, write]}\n"
			   "  - {path: /t/u64, type: u64, access: [read, write]}\n"
			   "  - {path: /t/s32, type: s32, access: [read, write]}\n"
			   "  - {path: /t/s64, type: s64, access: [read, write]}\n"
			   "  - {path: /t/host, type: host, access: [read, write]}\n";

static const struct test_rule rules[] = { { "/t/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
					  { NULL } };

static struct gateway_test test;

static void setup(void)
{
	gateway_test_begin(&test, keys, rules, FAST, FAST);
}

static void teardown(void)
{
	gateway_test_end(&test);
}

TestSuite(gateway_types, .init = setup, .fini = teardown);

/* Write a value. Returns the code of the answer. */
static uint8_t write_value(const char *path, const char *text)
{
	static uint8_t frame[WIRE_FRAME_MAX], bytes[WIRE_RESPONSE_MAX];
	struct wire_response response;
	size_t size = 0;
	int wanted = wire_encode_request(1, WIRE_WRITE, path, text, strlen(text), 0, frame,
					 sizeof(frame));

	cr_assert_gt(wanted, 0);
	cr_assert_eq(write(test.control, frame, (size_t)wanted), wanted);
	for (wanted = 0; !wanted || size < (size_t)wanted;) {
		ssize_t n =
			read(test.control, bytes + size, wanted ? (size_t)wanted - size : 8 - size);

		cr_assert_gt(n, 0, "the gateway is gone: %s", text);
		size += (size_t)n;
		wanted = wire_frame_size(bytes, size);
		cr_assert_geq(wanted, 0);
	}
	cr_assert_eq(wire_decode_response(bytes, size, &response), 0);
	cr_assert_eq(response.tag == WIRE_OK, response.code == WIRE_CODE_NONE);
	return response.code;
}

static const char *stored(const char *path)
{
	static struct kv_value value;
	int r = gate_read(test.gate.fds[KV_SUBJECT_SUPERVISOR], path, &value);

	return r ? NULL : value.text;
}

/* A value may end with a newline on the wire, which is no part of it. */
static bool ends_with_newline(const char *text)
{
	size_t length = strlen(text);

	return length && text[length - 1] == '\n';
}

static void refuse_all(const char *path, const char *const *wrong, size_t n, const char *good)
{
	cr_expect_geq(n, 40, "%s", path);
	for (size_t i = 0; i < n; i++) {
		uint8_t code;

		if (ends_with_newline(wrong[i]))
			continue;
		code = write_value(path, wrong[i]);
		cr_expect(code == WIRE_CODE_WRONG_TYPE || code == WIRE_CODE_VALUE_TOO_LARGE,
			  "%s: '%s': code %u", path, wrong[i], code);
		cr_assert_null(stored(path), "%s: '%s' is stored", path, wrong[i]);
	}
	cr_expect_eq(write_value(path, good), WIRE_CODE_NONE, "%s: %s", path, good);
	cr_expect_str_eq(stored(path), good);
}

#define REFUSE_ALL(_path, _wrong, _good) \
	refuse_all((_path), (_wrong), sizeof(_wrong) / sizeof((_wrong)[0]), (_good))

Test(gateway_types, addresses)
{
	REFUSE_ALL("/t/ipv6", wrong_ipv6, "2001:db8::1");
	REFUSE_ALL("/t/ip", wrong_ip, "192.0.2.1");
	REFUSE_ALL("/t/host", wrong_host, "ntp.example.org");
}

Test(gateway_types, addresses_with_lifetimes)
{
	REFUSE_ALL("/t/ipv6-lease", wrong_ipv6_lease, "2001:db8::1/128 1800 3600");
	REFUSE_ALL("/t/ipv6-prefix", wrong_ipv6_prefix, "2001:db8::/56 1800 infinite");
}

Test(gateway_types, routers)
{
	REFUSE_ALL("/t/gateway6", wrong_gateway6, "fe80::1 medium 1800");
	REFUSE_ALL("/t/route6", wrong_route6, "2001:db8::/32 via fe80::1 high 600");
}

Test(gateway_types, numbers)
{
	REFUSE_ALL("/t/u8", wrong_u8, "255");
	REFUSE_ALL("/t/u64", wrong_u64, "18446744073709551615");
	REFUSE_ALL("/t/s32", wrong_s32, "-2147483648");
	REFUSE_ALL("/t/s64", wrong_s64, "-9223372036854775808");
}
