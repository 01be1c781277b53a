/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/steps.h"

#include "tests/fuzz/check.h"
#include "userspace/common/bytes.h"

static uint64_t n_steps, most_steps = UINT64_MAX;

void steps_begin(uint64_t most)
{
	n_steps = 0;
	most_steps = most;
}

uint64_t steps_taken(void)
{
	return n_steps;
}

static void step(void)
{
	n_steps++;
	CHECK(n_steps <= most_steps);
}

/* ld --wrap: callers reach __wrap_NAME, and __real_NAME is the function. */
#define WRAP(_type, _name, _parameters, ...)        \
	_type __real_##_name _parameters;           \
	_type __wrap_##_name _parameters;           \
	_type __wrap_##_name _parameters            \
	{                                           \
		step();                             \
		return __real_##_name(__VA_ARGS__); \
	}

WRAP(size_t, bytes_left, (const struct bytes_reader *reader), reader)
WRAP(uint8_t, bytes_u8, (struct bytes_reader * reader), reader)
WRAP(uint16_t, bytes_be16, (struct bytes_reader * reader), reader)
WRAP(uint32_t, bytes_be32, (struct bytes_reader * reader), reader)
WRAP(void, bytes_copy, (struct bytes_reader * reader, void *to, size_t size), reader, to, size)
WRAP(void, bytes_skip, (struct bytes_reader * reader, size_t size), reader, size)
WRAP(struct bytes_reader, bytes_sub, (struct bytes_reader * reader, size_t size), reader, size)
WRAP(const uint8_t *, bytes_view, (struct bytes_reader * reader, size_t size), reader, size)
