/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the processing of a sample by `calfpen frames`. The input is
 * a reason, the low octet of a VLAN tag (0: no tag), by how much the frame was
 * longer, how much less of it to keep in a second attempt, then the frame.
 *
 * Besides crashes, it checks that a header is found only after the one below it;
 * that a line is printable and not truncated; that JSON can be parsed again; that the
 * block of a capture is valid, with the right lengths; and that if less is kept, no
 * more headers and no other problem are found.
 */
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/cli/frames/frames.h"
#include "userspace/common/bytes.h"

#define HEAD_SIZE 6
#define WALL_NS 1795558983123456789ull

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct frame_sample sample;

static void check_headers(const struct frames_summary *summary, const struct frames_bytes *bytes)
{
	unsigned int headers = summary->headers;

	CHECK(!(headers & FRAMES_DHCP4) || (headers & FRAMES_UDP));
	CHECK(!(headers & FRAMES_UDP) || (headers & FRAMES_IPV4));
	CHECK(!headers || (headers & FRAMES_ETHERNET));
	CHECK(!!(headers & FRAMES_ARP) + !!(headers & FRAMES_IPV4) + !!(headers & FRAMES_IPV6) <=
	      1);
	CHECK(summary->n_vlans <= FRAMES_VLANS_MAX);
	CHECK(!summary->is_cut || bytes->captured < bytes->size);
	CHECK(headers || summary->problem || summary->is_cut);
	CHECK(summary->size == bytes->size);
}

static void check_text(const struct frames_summary *summary)
{
	char text[FRAMES_TEXT_SIZE];
	size_t length;

	memset(text, 0x7f, sizeof(text));
	frames_text(summary, text);
	length = strnlen(text, sizeof(text));
	CHECK(length > 0 && length < sizeof(text) - 1);
	for (size_t i = 0; i < length; i++)
		CHECK(text[i] >= 0x20 && text[i] <= 0x7e);
}

static void check_json(const struct frames_summary *summary)
{
	json_t *json = frames_json(&sample, summary, WALL_NS), *again;
	char *text;

	CHECK(json);
	text = json_dumps(json, JSON_COMPACT);
	CHECK(text && !strchr(text, '\n'));
	again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	CHECK(again && json_equal(again, json));
	json_decref(again);
	json_decref(json);
	free(text);
}

static void check_capture(const struct frames_bytes *bytes)
{
	uint8_t block[FRAMES_PCAP_SIZE];
	size_t size = frames_pcap_frame(block, &sample, WALL_NS);
	struct bytes_reader reader;
	const uint8_t *frame;

	CHECK(size > 0 && size <= sizeof(block) && size % 4 == 0);
	bytes_reader_init(&reader, block, size);
	CHECK(bytes_le32(&reader) == 6);
	CHECK(bytes_le32(&reader) == size);
	bytes_skip(&reader, 12);
	CHECK(bytes_le32(&reader) == bytes->captured);
	CHECK(bytes_le32(&reader) == bytes->size);
	frame = bytes_view(&reader, bytes->captured);
	CHECK(frame && memcmp(frame, bytes->bytes, bytes->captured) == 0);
	bytes_skip(&reader, bytes_left(&reader) - 4);
	CHECK(bytes_le32(&reader) == size && !reader.failed);
}

/* Process the same frame with less of it kept. */
static void check_prefix(const struct frames_summary *summary, const struct frames_bytes *bytes,
			 size_t captured)
{
	struct frames_summary less;

	if (captured > bytes->captured)
		return;
	frames_decode(&less, bytes->bytes, captured, bytes->size);
	CHECK((less.headers & ~summary->headers) == 0);
	CHECK(!less.problem || less.problem == summary->problem);
	CHECK(less.n_vlans <= summary->n_vlans);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct frames_summary summary;
	struct frames_bytes frame;
	struct bytes_reader reader;
	uint16_t longer, less;
	uint8_t tag;

	if (size < HEAD_SIZE)
		return 0;
	bytes_reader_init(&reader, bytes, size);
	memset(&sample, 0, sizeof(sample));
	sample.reason = FRAME_SAMPLED_FIRST + bytes_u8(&reader) % FRAME_SAMPLED_N;
	tag = bytes_u8(&reader);
	longer = bytes_be16(&reader);
	less = bytes_be16(&reader);
	size = bytes_left(&reader);
	sample.captured = size < FRAME_SAMPLE_BYTES ? (uint32_t)size : FRAME_SAMPLE_BYTES;
	sample.size = sample.captured + longer;
	sample.vlan_type = tag ? htons(0x8100) : 0;
	sample.vlan_tci = tag;
	bytes_copy(&reader, sample.bytes, sample.captured);

	frames_bytes_init(&frame, &sample);
	CHECK(frame.captured <= frame.size && frame.captured <= sizeof(frame.bytes));
	frames_decode(&summary, frame.bytes, frame.captured, frame.size);
	check_headers(&summary, &frame);
	check_text(&summary);
	check_json(&summary);
	check_capture(&frame);
	check_prefix(&summary, &frame, less);
	return 0;
}
