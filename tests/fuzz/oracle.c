/* SPDX-License-Identifier: Apache-2.0 */
/* Run the oracle: oracle SECONDS [SEED]. */
#include "tests/fuzz/oracle.h"

int main(int argc, char **argv)
{
	time_t now = time(NULL);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)now;
	long n;

	if (system("capnp --version > /dev/null 2>&1") != 0) {
		printf("oracle: capnp is not installed\n");
		return 1;
	}
	printf("oracle: seed %" PRIu64 "\n", seed);
	n = oracle_run(seed, now + (argc > 1 ? atol(argv[1]) : 10));
	if (n < 0)
		return 1;
	printf("oracle: %ld messages accepted by both, with the same content "
	       "(%zu with a bad pointer that no member uses)\n",
	       n, n_unused);
	return 0;
}
