/* SPDX-License-Identifier: Apache-2.0 */
/* Write the seeds for the corpus of IPv6 values: one text of each form. */
#include <string.h>

#include "tests/fuzz/seeds.h"

static const char *const texts[] = {
	"::",
	"2001:db8::1",
	"2001:0:0:1:0:0:0:1",
	"1:2:3:4:5:6:7::",
	"::ffff:1.2.3.4",
	"::102:304",
	"fe80::1%eth0",
	"1.2.3.4",
	"2001:db8::1/64 3600 infinite",
	"2001:db8::/32 0 1",
	"fe80::1 medium 1800",
	"2001:db8::/32 via fe80::1 high 1800",
};

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "Usage: seeds-ipv6 CORPORA\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		save(argv[1], "fuzz-ipv6", "text", i, (const uint8_t *)texts[i], strlen(texts[i]));
	return 0;
}
