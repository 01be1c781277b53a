/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as JSON. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/cli-frames.h"

static struct frame_sample sample;

static void expect_json(const char *want)
{
	struct frames_summary summary;
	struct frames_bytes bytes;
	char *text;
	json_t *json;

	frames_bytes_init(&bytes, &sample);
	frames_decode(&summary, bytes.bytes, bytes.captured, bytes.size);
	json = frames_json(&sample, &summary, 1795558983123456789ull);
	cr_assert_not_null(json);
	text = json_dumps(json, JSON_COMPACT);
	cr_expect_str_eq(text, want, "%s\nnot %s", text, want);
	free(text);
	json_decref(json);
}

#define HEAD(number_, bytes_, summary_)                                             \
	"{\"time\":\"2026-11-24T22:23:03.123456Z\",\"direction\":\"in\","           \
	"\"verdict\":\"dropped\",\"reason\":\"in_unknown_xid\",\"number\":" number_ \
	",\"bytes\":" bytes_ ",\"captured\":" bytes_ ",\"summary\":\"" summary_ "\""
#define MACS "\"source\":\"02:00:00:00:77:01\",\"destination\":\"02:00:00:00:77:02\","
#define SHOWN "02:00:00:00:77:01 > 02:00:00:00:77:02, "

static void make(const char *hex)
{
	memset(&sample, 0, sizeof(sample));
	sample.reason = FRAME_IN_UNKNOWN_XID;
	sample.number = 1;
	sample.size = sample.captured = (uint32_t)from_hex(hex, sample.bytes, sizeof(sample.bytes));
}

Test(cli_frames_json, offer)
{
	sample = make_sample();
	expect_json(HEAD(
		"3", "342",
		SHOWN
		"192.0.2.1:67 > 192.0.2.10:68, BOOTREPLY OFFER xid 0x11223344 "
		"chaddr 02:00:00:00:77:02 yiaddr 192.0.2.10 server 192.0.2.1, "
		"342 bytes") ",\"ethernet\":{" MACS "\"vlans\":[],\"type\":\"0x0800\"},"
			     "\"ipv4\":{\"source\":\"192.0.2.1\",\"destination\":\"192.0.2.10\","
			     "\"protocol\":17},\"udp\":{\"source\":67,\"destination\":68},"
			     "\"dhcp4\":{\"op\":2,\"xid\":\"0x11223344\",\"chaddr\":\"02:00:00:00:77:02\","
			     "\"type\":\"OFFER\",\"yiaddr\":\"192.0.2.10\",\"server\":\"192.0.2.1\"}}");
}

Test(cli_frames_json, others)
{
	make("02");
	expect_json(HEAD(
		"1", "1",
		"1 bytes, malformed: ends inside the Ethernet header") ",\"problem\":\"ends inside the Ethernet header\"}");
	make("020000007702 020000007701 8100 0005 0806 0001 0800 0604 0001 020000007701 00000000"
	     "000000000000 c000020a");
	expect_json(HEAD(
		"1", "46",
		SHOWN
		"vlan 5, ARP probe 192.0.2.10, 46 bytes") ",\"ethernet\":{" MACS
							  "\"vlans\":[5],\"type\":\"0x0806\"},"
							  "\"arp\":{\"operation\":1,\"sender_mac\":\"02:00:00:00:77:01\","
							  "\"sender\":\"0.0.0.0\",\"target_mac\":\"00:00:00:00:00:00\","
							  "\"target\":\"192.0.2.10\"}}");
	make("020000007702 020000007701 86dd 60000000 0000 3a ff"
	     "fe800000000000000000000000000001 ff020000000000000000000000000001");
	expect_json(HEAD(
		"1", "54",
		SHOWN
		"IPv6 fe80::1 > ff02::1, ICMPv6, 54 bytes") ",\"ethernet\":{" MACS
							    "\"vlans\":[],\"type\":\"0x86dd\"},"
							    "\"ipv6\":{\"source\":\"fe80::1\",\"destination\":\"ff02::1\","
							    "\"next_header\":58}}");
	make("020000007702 020000007701 0800 4500 0014 0000 2005 40 11 0000 c0000201 c000020a");
	expect_json(HEAD(
		"1", "34",
		SHOWN
		"192.0.2.1 > 192.0.2.10, fragment at 40, UDP, 34 bytes") ",\"ethernet\":{" MACS
									 "\"vlans\":[],\"type\":\"0x0800\"},"
									 "\"ipv4\":{\"source\":\"192.0.2.1\",\"destination\":\"192.0.2.10\","
									 "\"protocol\":17,\"fragment_at\":40}}");
}

/* A message type without a name is a number; without a type there is no member. */
Test(cli_frames_json, message_types)
{
	struct frames_summary summary;
	json_t *json, *dhcp4;

	for (uint8_t type = 0; type < 12; type++) {
		sample = make_sample();
		sample.bytes[AT_OPTIONS + 2] = type;
		frames_decode(&summary, sample.bytes, sample.captured, sample.size);
		json = frames_json(&sample, &summary, 0);
		dhcp4 = json_object_get(json, "dhcp4");
		cr_assert_not_null(dhcp4);
		if (type == 0)
			cr_expect_null(json_object_get(dhcp4, "type"));
		else if (type < 10)
			cr_expect(json_is_string(json_object_get(dhcp4, "type")));
		else
			cr_expect_eq(json_integer_value(json_object_get(dhcp4, "type")), type);
		json_decref(json);
	}
}
