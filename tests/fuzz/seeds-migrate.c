/* SPDX-License-Identifier: Apache-2.0 */
/* Write the seeds for fuzz-migrate: files as each client writes them. */
#include <string.h>

#include "tests/fuzz/seeds.h"

#define DUID "00:01:00:01:32:9f:e6:02:02:00:00:00:77:02\n"

/* struct migrate_request's format, and the three files */
static const struct {
	uint8_t format;
	const char *lease, *duid, *configuration;
} seeds[] = {
	{ 0, NULL, DUID, "duid\npersistent\ninterface uplink0\niaid 7\n" },
	{ 0, NULL, DUID, "# x\nclientid \"foo bar\"\nssid x\nclientid 01:02:03\nanonymous\n" },
	{ 0, NULL, "", "clientid\nduid 00:01:02:03\nprofile x\nclientid foo\n" },
	{ 1,
	  "default-duid \"\\000\\001\\000\\0012\\237\\346\\014\\x02\\000\\000\\000w\\002\";\n"
	  "lease {\n  interface \"uplink0\";\n  fixed-address 10.77.0.150;\n"
	  "  option subnet-mask 255.255.255.0;\n  option domain-search \"lab.\", \"x}\";\n"
	  "  option dhcp-client-identifier ff:0:0:77:2;\n  renew 1 2026/11/30 07:46:08;\n}\n",
	  "",
	  "interface \"uplink0\" { send dhcp-client-identifier \"x\\x01\"; }\n"
	  "send dhcp-client-identifier = hardware;\nsend dhcp-client-identifier 1:2;\n"
	  "supersede dhcp-client-identifier \"x\";\nif option x = 1 { y z; } # comment\n" },
	{ 2,
	  "# This is private data. Do not parse.\nADDRESS=10.77.0.145\nNETMASK=255.255.255.0\n"
	  "CLIENTID=ff7b747f0800020000ab110033bdebf95e192c\n",
	  "", "" },
	{ 3, "ADDRESS=192.168.56.103\n", "", "" },
};

/* A DHCPACK as dhcpcd saves it. */
static size_t put_ack(uint8_t *to)
{
	static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 5, 1, 4,  255,
					   255,	 255,  0,    61,   3,  1, 2, 3, 255 };

	memset(to, 0, 236);
	memcpy(to, "\x02\x01\x06", 3);
	memcpy(to + 16, "\x0a\x4d\x00\x96", 4);
	memcpy(to + 28, "\x02\x00\x00\x00\x77\x02", 6);
	memcpy(to + 236, options, sizeof(options));
	return 236 + sizeof(options);
}

static size_t put_text(uint8_t *to, const char *text)
{
	memcpy(to, text, strlen(text));
	return strlen(text);
}

int main(int argc, char **argv)
{
	static uint8_t bytes[4096];

	if (argc != 2) {
		fprintf(stderr, "Usage: seeds-migrate CORPORA\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		size_t n_lease = seeds[i].lease ? put_text(bytes + 5, seeds[i].lease) :
						  put_ack(bytes + 5);
		size_t n_duid = put_text(bytes + 5 + n_lease, seeds[i].duid);
		size_t n = put_text(bytes + 5 + n_lease + n_duid, seeds[i].configuration);

		bytes[0] = seeds[i].format;
		bytes[1] = (uint8_t)(n_lease >> 8);
		bytes[2] = (uint8_t)n_lease;
		bytes[3] = 0;
		bytes[4] = (uint8_t)n_duid;
		save(argv[1], "fuzz-migrate", "files", i, bytes, 5 + n_lease + n_duid + n);
	}
	return 0;
}
