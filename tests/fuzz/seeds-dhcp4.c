/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write the seeds for the corpora of the DHCPv4 fuzzers and of fuzz-frames: replies
 * with every option that is read, as messages and as frames, ARP frames, and a few
 * malformed ones that have broken other clients.
 */
#include <string.h>

#include "tests/fuzz/seeds.h"
#include "userspace/calf/net/arp.h"
#include "userspace/calf/net/udp.h"

#define AT_SNAME 44
#define AT_FILE 108
#define AT_OPTIONS 240
#define FRAME_MAX 2048

static const uint8_t mac[6] = { 2, 0, 0, 0, 0x77, 2 };

/* Octets in hex for the options field, `file` and `sname`. */
static const struct {
	const char *options, *file, *sname;
} replies[] = {
	/* OFFER and ACK as dnsmasq sends them: 54, 51, 58, 59, 1, 28, 3, 6, 15 */
	{ "350102 3604c0000201 3304000002 58 3a0400000e10 3b0400001518 0104ffffff00 1c04c00002ff"
	  "0304c0000201 0604c0000203 0f0b6c61622e6578616d706c65 ff",
	  NULL, NULL },
	{ "350105 3604c0000201 330400000e10 3a0400000708 3b0400000c4e 0104ffffff00 1c04c00002ff"
	  "0304c0000201 0608c0000203c0000204 0f0b6c61622e6578616d706c65 ff",
	  NULL, NULL },
	/* NAK with a text, and the client identifier echoed */
	{ "350106 3604c0000201 380d6164647265737320696e20757365 3d0701020000007702 ff", NULL,
	  NULL },
	/* classless routes with a default, on-link, and option 33 as well */
	{ "350105 3604c0000201 33040000003c 7915 00c0000201 18c6336400c00002fe 10ac1000000000"
	  "2108 c0000205c0000201 0304c0000209 ff",
	  NULL, NULL },
	/* Microsoft's, NTP, MTU, host name, portal, 108, rapid commit */
	{ "350105 f90808 0ac0000201 00c0000201 2a0800000000c0000205 1a0205dc 0c04686f7374"
	  "721568747470733a2f2f6578616d706c652e636f6d2f 6c0400000708 5000 74 0101 ff",
	  NULL, NULL },
	/* a search list with compression, split over two options */
	{ "350105 7709 03656e67056170706c65 7717 03636f6d00 096d61726b6574696e67c004 04c0ff c000 ff",
	  NULL, NULL },
	/* encrypted DNS: one with addresses and parameters, one with a name only */
	{ "350105 a22e 0020 0001 0f 03646e73076578616d706c65 00 08 c0000235c0000236 00010006026832"
	  "0003000203 55 000e 0002 0b 03646e73036e657400 ff",
	  NULL, NULL },
	/* options everywhere: 52 opens both, each field has its own END */
	{ "340103 350105 3604c0000201 ff", "3304 00000e10 0604c0000203 ff", "0f03616263 ff" },
	{ "350105 340103", "340103 330400000e10", "340102 0104ffffff00" },
	/* raw options requested by an operator, long ones in two parts */
	{ "350105 f50461626364 fc10687474703a2f2f777061642f782e70 fc02 6163 6503 2f2e2e d404 00112233"
	  "5a0301 0100 ff",
	  NULL, NULL },
	/* FORCERENEW; and wrong lengths */
	{ "350109 3604c0000201 ff", NULL, NULL },
	{ "350105 0103ffffff 3305 00000e1000 0605c000020300 2107c0000205c0 ff", NULL, NULL },
	{ "350105 06ff c0000203", NULL, NULL },
};

/* For fuzz-dhcp4-client: randomness, configuration, saved lease, events. */
static const char *const sequences[] = {
	/* DISCOVER, OFFER, REQUEST, ACK of an hour; all deadlines */
	"00000001 0000 00 00 0c1c000103 0c7d00010300000e10 000000000000000000000000000000000000",
	/* the same, probed before use, and a conflict */
	"00000002 8000 00 00 0c1c000103 0c7d00010300000e10 0000 0700010100 00000000",
	/* a saved lease, the link down and up, NAK, rapid commit */
	"00000003 0000 0b 03 00000e10 00 1909 00 0c1e000103 00 0c7d01010300000e10 000a1a1b",
	/* INFORM; and a lease from one of two servers that is renewed and released */
	"00000004 0010 00 00 0c1d000103 00001a0a",
	"00000005 0000 00 00 0c1c000103 0c7d00010300000e10 1a 0c7d00010300000e10 0a 1a1b",
};

/* For fuzz-dhcp4-restore: wall time, then the values of a lease. */
#define WALL_SIZE 5
#define WALL "\0\x65\x53\xf1\0"
static const char saved[][96] = {
	WALL "192.0.2.10\n192.0.2.1\n3600\n2023-11-14T23:00:00Z\nbound",
	WALL "192.0.2.10\n0.0.0.0\ninfinite\nnever\n",
	WALL "192.0.2.10\n192.0.2.1\n3600\n2020-02-29T23:59:59Z\nrebinding",
};

static size_t from_hex(const char *hex, uint8_t *to, size_t most)
{
	size_t size = 0;
	unsigned int octet;
	int n;

	for (; hex && size < most && sscanf(hex, " %2x%n", &octet, &n) == 1; hex += n)
		to[size++] = (uint8_t)octet;
	return size;
}

static size_t make_reply(size_t i, uint8_t message[FRAME_MAX])
{
	static const uint8_t head[] = { 2, 1, 6, 0, 0x11, 0x22, 0x33, 0x44 };
	static const uint8_t cookie[] = { 99, 130, 83, 99 };

	memset(message, 0, FRAME_MAX);
	memcpy(message, head, sizeof(head));
	memcpy(message + 16, "\xc0\0\x02\x0a", 4);
	memcpy(message + 28, mac, sizeof(mac));
	from_hex(replies[i].sname, message + AT_SNAME, 64);
	from_hex(replies[i].file, message + AT_FILE, 128);
	memcpy(message + AT_OPTIONS - 4, cookie, sizeof(cookie));
	return AT_OPTIONS +
	       from_hex(replies[i].options, message + AT_OPTIONS, FRAME_MAX - AT_OPTIONS);
}

/* For fuzz-frames: an unchanged frame, and a longer one with a tag. */
static void save_frame(const char *corpora, const char *kind, size_t i, const uint8_t *frame,
		       size_t size)
{
	uint8_t bytes[6 + UDP_FRAME_HEADERS + FRAME_MAX] = { (uint8_t)i, i & 1, 0, i & 1, 1, 0 };

	memcpy(bytes + 6, frame, size);
	save(corpora, "fuzz-frames", kind, i, bytes, 6 + size);
}

/* The first byte of all seeds is the policy: everything is read. */
static void save_reply(const char *corpora, size_t i)
{
	const struct udp_frame headers = {
		.ip = { .source = { htonl(0xc0000201) },
			.destination = { htonl(0xc000020a) },
			.protocol = IPV4_PROTOCOL_UDP,
			.ttl = 64 },
		.udp = { .source_port = 67, .destination_port = 68 },
	};
	uint8_t message[1 + FRAME_MAX] = { 0xff }, frame[1 + UDP_FRAME_HEADERS + FRAME_MAX];
	struct bytes_writer writer;
	size_t size = make_reply(i, message + 1);

	save(corpora, "fuzz-dhcp4-parse", "reply", i, message, 1 + size);
	save(corpora, "fuzz-dhcp4-fixed-point", "reply", i, message, 1 + size);
	bytes_writer_init(&writer, frame, sizeof(frame));
	bytes_put_u8(&writer, 0xff);
	udp_frame_put(&writer, &headers, message + 1, size);
	/* no checksum, so that a mutated frame is still read */
	memset(frame + 1 + 14 + IPV4_HEADER_SIZE + 6, 0, 2);
	save(corpora, "fuzz-dhcp4-parse", "frame", i, frame, writer.at);
	save_frame(corpora, "frame", i, frame + 1, writer.at - 1);
}

static void save_arp(const char *corpora)
{
	for (size_t i = 0; i < 4; i++) {
		struct arp_frame frame = { .arp = { .operation = i & 1 ? ARP_REPLY : ARP_REQUEST,
						    .sender = { htonl(i & 2 ? 0xc000020a : 0) },
						    .target = { htonl(0xc000020a) } } };
		uint8_t bytes[1 + ARP_FRAME_SIZE];
		struct bytes_writer writer;

		memcpy(frame.source_mac, mac, sizeof(mac));
		memcpy(frame.arp.sender_mac, mac, sizeof(mac));
		bytes_writer_init(&writer, bytes, sizeof(bytes));
		bytes_put_u8(&writer, 0xff);
		arp_frame_put(&writer, &frame);
		save(corpora, "fuzz-dhcp4-parse", "arp", i, bytes, writer.at);
		save_frame(corpora, "arp", i, bytes + 1, writer.at - 1);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "Usage: seeds-dhcp4 CORPORA\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		save_reply(argv[1], i);
	save_arp(argv[1]);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		uint8_t bytes[128];

		save(argv[1], "fuzz-dhcp4-client", "sequence", i, bytes,
		     from_hex(sequences[i], bytes, sizeof(bytes)));
	}
	for (size_t i = 0; i < sizeof(saved) / sizeof(saved[0]); i++) {
		const uint8_t *bytes = (const uint8_t *)saved[i];

		save(argv[1], "fuzz-dhcp4-restore", "saved", i, bytes,
		     WALL_SIZE + strlen(saved[i] + WALL_SIZE));
	}
	return 0;
}
