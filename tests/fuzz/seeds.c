/* SPDX-License-Identifier: Apache-2.0 */
/* Write the seeds for the corpora of the control protocol: every valid message
 * unchanged and in several segments, alone and as a stream. */
#include <stdio.h>

#include "tests/fuzz/messages.h"
#include "tests/fuzz/seeds.h"
#include "tests/unit/wire-split.h"

#define SPLITS 4

static struct split split;
static uint8_t stream[1 << 18];
static size_t n_stream;

static void save_all(const char *corpora, const char *kind,
		     size_t (*message)(size_t i, uint8_t *to))
{
	static uint8_t bytes[MESSAGE_MAX], other[WIRE_FRAME_MAX];
	size_t size, n_saved = 0;

	for (size_t i = 0; (size = message(i, bytes)) > 0; i++) {
		save(corpora, "fuzz-wire", kind, n_saved++, bytes, size);
		memcpy(stream + n_stream, bytes, size);
		n_stream += size;
		for (uint32_t j = 0; j < SPLITS; j++) {
			size_t n = split_frame(&split, bytes, size, 2 + j, i * SPLITS + j, other,
					       sizeof(other));

			save(corpora, "fuzz-wire", kind, n_saved++, other, n);
			memcpy(stream + n_stream, other, n);
			n_stream += n;
		}
	}
}

int main(int argc, char **argv)
{
	/* The first byte of a stream: how fuzz-gateway splits it. */
	static const uint8_t cuts[] = { 0, 1, 8, 77 };

	if (argc != 2) {
		fprintf(stderr, "Usage: seeds CORPORA\n");
		return 2;
	}
	save_all(argv[1], "request", message_request);
	memmove(stream + 1, stream, n_stream);
	for (size_t i = 0; i < sizeof(cuts); i++) {
		stream[0] = cuts[i];
		save(argv[1], "fuzz-gateway", "stream", i, stream, n_stream + 1);
		save(argv[1], "fuzz-gateway", "short", i, stream, 1 + n_stream / 8);
	}
	n_stream = 0;
	save_all(argv[1], "response", message_response);
	return 0;
}
