/* SPDX-License-Identifier: Apache-2.0 */
/* A ring in memory, laid out as the kernel maps it; a real one is in
 * tests/bpf/test-gateway-watch.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/common/ring.h"

#define SIZE 4096u

static unsigned long consumer, producer;
static uint8_t *data;
static struct ring ring;
static char taken[256];
static int answer;

/* Twice in a row, as the kernel does. */
static void begin(void)
{
	int fd = memfd_create("ring", 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, SIZE), 0);
	data = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(data, MAP_FAILED);
	for (size_t i = 0; i < 2; i++)
		cr_assert_neq(mmap(data + i * SIZE, SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, fd, 0),
			      MAP_FAILED);
	close(fd);
	ring = (struct ring){
		.consumer = &consumer, .producer = &producer, .data = data, .size = SIZE
	};
}

TestSuite(ring, .init = begin);

static void put_head(uint32_t head)
{
	memcpy(data + producer % SIZE, &head, sizeof(head));
}

static void put(const char *text, uint32_t flags)
{
	size_t length = strlen(text);

	put_head((uint32_t)length | flags);
	memcpy(data + producer % SIZE + BPF_RINGBUF_HDR_SZ, text, length);
	producer += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
}

static int take(void *at, const void *record, size_t size)
{
	char *text = at;

	cr_assert_eq((uintptr_t)record % 8, 0);
	snprintf(text + strlen(text), 64, "%.*s|", (int)size, (const char *)record);
	return answer;
}

static int consume(void)
{
	taken[0] = '\0';
	return ring_consume(&ring, take, taken);
}

Test(ring, in_order)
{
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "");
	put("one", 0);
	put("thrown away", BPF_RINGBUF_DISCARD_BIT);
	put("", 0);
	put("exactly8", 0);
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "one||exactly8|");
	cr_assert_eq(consumer, producer);
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "");
}

Test(ring, incomplete_record_waits)
{
	unsigned long at;

	put("one", 0);
	at = producer;
	put("two", BPF_RINGBUF_BUSY_BIT);
	put("three", 0);
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "one|");
	cr_assert_eq(consumer, at);
	memcpy(data + at, &(uint32_t){ 3 }, 4);
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "two|three|");
}

Test(ring, over_the_end_and_round_again)
{
	char text[41];

	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%040u", i);
		put(text, 0);
		cr_assert_eq(consume(), 0);
		text[40] = '|';
		cr_assert_arr_eq(taken, text, 41);
	}
}

Test(ring, taker_decides)
{
	put("one", 0);
	put("two", 0);
	put("three", 0);
	answer = 1;
	cr_assert_eq(consume(), 1);
	cr_assert_str_eq(taken, "one|");
	answer = -ENOMEM;
	cr_assert_eq(consume(), -ENOMEM);
	cr_assert_str_eq(taken, "two|", "a record that was taken is consumed");
	answer = 0;
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "three|");
}

/* A record that cannot be taken yet is the first one next time; it is still counted as
 * unread by the kernel. */
Test(ring, F2_record_that_is_kept)
{
	unsigned long at;

	put("one", 0);
	at = producer;
	put("two", 0);
	put("three", 0);
	answer = 1;
	cr_assert_eq(consume(), 1);
	answer = RING_KEEP;
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(consume(), RING_KEEP);
		cr_assert_str_eq(taken, "two|");
		cr_assert_eq(consumer, at);
	}
	answer = 0;
	cr_assert_eq(consume(), 0);
	cr_assert_str_eq(taken, "two|three|");
	cr_assert_eq(consumer, producer);
}

static int look(void)
{
	taken[0] = '\0';
	return ring_look(&ring, take, taken);
}

static int consume_seen(void)
{
	taken[0] = '\0';
	return ring_consume_seen(&ring, take, taken);
}

Test(ring, seen_before_it_is_consumed)
{
	put("one", 0);
	put("thrown away", BPF_RINGBUF_DISCARD_BIT);
	put("two", 0);
	cr_assert_eq(look(), 0);
	cr_assert_str_eq(taken, "one|two|");
	cr_assert_eq(consumer, 0, "it is still there, for who comes after us");
	put("three", 0);
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "one|two|", "what was not shown is not consumed");
	cr_assert_lt(consumer, producer);
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "");
	cr_assert_eq(look(), 0);
	cr_assert_str_eq(taken, "three|", "nothing is shown twice");
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "three|");
	cr_assert_eq(consumer, producer);
}

Test(ring, incomplete_record_is_not_seen)
{
	unsigned long at;

	put("one", 0);
	at = producer;
	put("two", BPF_RINGBUF_BUSY_BIT);
	cr_assert_eq(look(), 0);
	cr_assert_str_eq(taken, "one|");
	memcpy(data + at, &(uint32_t){ 3 }, 4);
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "one|");
	cr_assert_eq(consumer, at);
	cr_assert_eq(look(), 0);
	cr_assert_str_eq(taken, "two|");
}

Test(ring, who_looks_decides)
{
	put("one", 0);
	put("two", 0);
	answer = 1;
	cr_assert_eq(look(), 1);
	cr_assert_str_eq(taken, "one|");
	cr_assert_eq(consume_seen(), 1);
	cr_assert_str_eq(taken, "one|");
	answer = -EIO;
	cr_assert_eq(look(), -EIO);
	cr_assert_str_eq(taken, "two|", "a record that was shown is seen");
	cr_assert_eq(consume_seen(), -EIO);
	cr_assert_eq(consumer, producer);
}

/* What was shown is not shown again, however long it is kept. */
Test(ring, F2_seen_and_kept)
{
	put("one", 0);
	cr_assert_eq(look(), 0);
	answer = RING_KEEP;
	cr_assert_eq(consume_seen(), RING_KEEP);
	put("two", 0);
	answer = 0;
	cr_assert_eq(look(), 0);
	cr_assert_str_eq(taken, "two|");
	answer = RING_KEEP;
	cr_assert_eq(consume_seen(), RING_KEEP);
	cr_assert_str_eq(taken, "one|");
	cr_assert_eq(consumer, 0);
	answer = 0;
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "one|two|");
	cr_assert_eq(consumer, producer);
}

/* Another reader was there in between: its records are not read again. */
Test(ring, another_reader_between_look_and_consume)
{
	put("one", 0);
	cr_assert_eq(look(), 0);
	put("two", 0);
	consumer = producer;
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "");
	cr_assert_eq(consumer, producer, "never back");
	put("three", 0);
	cr_assert_eq(look(), 0);
	cr_assert_str_eq(taken, "three|");
	cr_assert_eq(consume_seen(), 0);
	cr_assert_str_eq(taken, "three|");
}

/* Looking and consuming both come back from it. */
Test(ring, positions_that_are_not_the_kernels_between_look_and_consume)
{
	static const unsigned long offsets[] = { 4, 1, (unsigned long)-8, 1ul << 40, 8 - SIZE, 16 };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		put("sixteen bytes ..", 0);
		cr_assert_eq(look(), 0);
		consumer = producer + offsets[i];
		(void)consume_seen();
		cr_assert_eq(consumer, producer, "%zu", i);
		put("next", 0);
		cr_assert_eq(look(), 0);
		cr_assert_str_eq(taken, "next|");
		cr_assert_eq(consume_seen(), 0);
	}
	put_head(1000);
	producer += 16;
	cr_assert_eq(look(), -EBADMSG);
	cr_assert_eq(look(), 0);
	cr_assert_eq(consume_seen(), -EBADMSG);
	cr_assert_eq(consumer, producer);
}

/* Positions that only a compromised holder of the ring can have written:
 * nothing is read out of bounds, and the ring continues. */
Test(ring, positions_that_are_not_the_kernels)
{
	static const unsigned long offsets[] = { 4,	    1,	       (unsigned long)-8,
						 1ul << 40, 8 - SIZE,  (unsigned long)-1,
						 16,	    SIZE - 16, 1ul << 63 };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		put("sixteen bytes ..", 0);
		consumer = producer + offsets[i];
		(void)consume();
		cr_assert_eq(consumer, producer, "%zu", i);
		put("next", 0);
		cr_assert_eq(consume(), 0);
		cr_assert_str_eq(taken, "next|");
	}
}

Test(ring, length_beyond_what_is_there)
{
	for (uint32_t length = 9; length < BPF_RINGBUF_DISCARD_BIT; length = length * 2 + 1) {
		put_head(length);
		producer += 16;
		cr_assert_eq(consume(), -EBADMSG, "%u", length);
		cr_assert_str_eq(taken, "");
		put("next", 0);
		cr_assert_eq(consume(), 0);
		cr_assert_str_eq(taken, "next|");
	}
}

Test(ring, not_a_ring)
{
	struct ring none = { 0 };
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_lt(ring_open(&none, fds[0]), 0);
	cr_assert_lt(ring_open(&none, -1), 0);
	cr_assert_null(none.consumer);
	ring_close(&none);
}
