/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/sanitise.h"

size_t sanitise(char *to, size_t size, const void *from, size_t length)
{
	const unsigned char *bytes = from;
	size_t n_written = 0;

	if (size == 0)
		return 0;
	while (n_written < length && n_written < size - 1) {
		unsigned char byte = bytes[n_written];

		to[n_written] = byte >= 0x20 && byte <= 0x7e ? (char)byte : '?';
		n_written++;
	}
	to[n_written] = '\0';
	return n_written;
}
