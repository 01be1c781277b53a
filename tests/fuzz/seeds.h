/* SPDX-License-Identifier: Apache-2.0 */
/* A seed is a file in the directory of its fuzzer's corpus. */
#ifndef CALFPEN_TESTS_FUZZ_SEEDS_H
#define CALFPEN_TESTS_FUZZ_SEEDS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static inline void save(const char *corpora, const char *fuzzer, const char *kind, size_t i,
			const uint8_t *bytes, size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", corpora, fuzzer);
	(void)mkdir(path, 0777); /* of a fuzzer that is not being run */
	snprintf(path, sizeof(path), "%s/%s/%s-%03zu", corpora, fuzzer, kind, i);
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

#endif
