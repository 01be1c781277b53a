/* SPDX-License-Identifier: Apache-2.0 */
/* Reading samples from maps that the test fills. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/cli-frames.h"
#include "userspace/common/loop.h"

/* Like the programs' maps, but writable, also without a system call. */
static struct frames_samples samples;
static struct frame_sample *slots;
static struct frame_sampler *samplers;
static struct frame_sample list[FRAME_SAMPLES_N];
static uint64_t missed[_FRAME_REASON_N];
static bool wanted[_FRAME_REASON_N];

static void *make_map(size_t value_size, uint32_t n, int *fdp)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	void *at;

	*fdp = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test", 4, (uint32_t)value_size, n, &opts);
	if (*fdp < 0)
		cr_skip_test("needs the right to make maps");
	at = mmap(NULL, value_size * n, PROT_READ | PROT_WRITE, MAP_SHARED, *fdp, 0);
	cr_assert_neq(at, MAP_FAILED);
	return at;
}

static void setup(void)
{
	samples = FRAMES_SAMPLES_NULL(samples);
	slots = make_map(sizeof(*slots), FRAME_SAMPLES_N, &samples.samples_fd);
	samplers = make_map(sizeof(*samplers), FRAME_SAMPLED_N, &samples.samplers_fd);
	for (uint32_t i = FRAME_SAMPLED_FIRST; i < _FRAME_REASON_N; i++)
		wanted[i] = true;
}

static void teardown(void)
{
	frames_samples_close(&samples);
}

TestSuite(cli_frames_samples, .init = setup, .fini = teardown);

/* Write a sample like a frame program. */
static void begin_sample(uint32_t reason, uint64_t boot_ns)
{
	uint64_t number = __atomic_add_fetch(&samplers[reason - FRAME_SAMPLED_FIRST].n_samples, 1,
					     __ATOMIC_SEQ_CST);
	struct frame_sample *slot = &slots[FRAME_SAMPLE_SLOT(reason, number)];

	__atomic_add_fetch(&slot->version, 1, __ATOMIC_SEQ_CST);
	slot->number = number;
	slot->boot_ns = boot_ns;
	slot->reason = (uint16_t)reason;
	slot->size = FRAME_SAMPLE_BYTES;
	slot->captured = FRAME_SAMPLE_BYTES;
	memset(slot->bytes, (int)number, sizeof(slot->bytes));
}

static void end_sample(uint32_t reason)
{
	uint64_t number = samplers[reason - FRAME_SAMPLED_FIRST].n_samples;

	__atomic_add_fetch(&slots[FRAME_SAMPLE_SLOT(reason, number)].version, 1, __ATOMIC_SEQ_CST);
}

static void write_sample(uint32_t reason, uint64_t boot_ns)
{
	begin_sample(reason, boot_ns);
	end_sample(reason);
}

static int read_all(void)
{
	return frames_samples_read(&samples, wanted, list, missed);
}

static uint64_t n_missed(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		n += missed[i];
	return n;
}

Test(cli_frames_samples, in_order_of_time)
{
	cr_expect_eq(read_all(), 0);
	write_sample(FRAME_OUT_ACCEPTED, 10);
	write_sample(FRAME_IN_ACCEPTED, 20);
	write_sample(FRAME_OUT_ACCEPTED, 30);
	write_sample(FRAME_IN_ACCEPTED, 40);
	write_sample(FRAME_HOST_NOISE, 25);
	cr_assert_eq(read_all(), 5);
	for (int i = 0; i < 5; i++) {
		static const uint64_t times[] = { 10, 20, 25, 30, 40 };

		cr_expect_eq(list[i].boot_ns, times[i]);
	}
	cr_expect_eq(list[2].reason, FRAME_HOST_NOISE);
	cr_expect_eq(list[3].number, 2);
	cr_expect_eq(n_missed(), 0);
	cr_expect_eq(read_all(), 0, "each once");
	write_sample(FRAME_IN_ACCEPTED, 50);
	cr_assert_eq(read_all(), 1);
	cr_expect_eq(list[0].number, 3);
}

Test(cli_frames_samples, only_the_wanted)
{
	memset(wanted, 0, sizeof(wanted));
	wanted[FRAME_IN_RATE] = true;
	write_sample(FRAME_IN_RATE, 1);
	write_sample(FRAME_IN_COOKIE, 2);
	cr_assert_eq(read_all(), 1);
	cr_expect_eq(list[0].reason, FRAME_IN_RATE);
}

Test(cli_frames_samples, overwritten_ones_are_counted)
{
	for (uint64_t i = 1; i <= FRAME_SAMPLES_EACH + 3; i++)
		write_sample(FRAME_IN_COOKIE, i);
	write_sample(FRAME_IN_RATE, 1);
	cr_assert_eq(read_all(), FRAME_SAMPLES_EACH + 1);
	cr_expect_eq(missed[FRAME_IN_COOKIE], 3);
	cr_expect_eq(n_missed(), 3);
	cr_expect_eq(list[FRAME_SAMPLES_EACH].number, FRAME_SAMPLES_EACH + 3);
	for (int i = 0; i < 100; i++)
		write_sample(FRAME_IN_COOKIE, 100);
	cr_assert_eq(read_all(), FRAME_SAMPLES_EACH);
	cr_expect_eq(missed[FRAME_IN_COOKIE], 100 - FRAME_SAMPLES_EACH);
}

/* All slots of all reasons. */
Test(cli_frames_samples, full)
{
	for (uint64_t i = 1; i <= FRAME_SAMPLES_EACH; i++)
		for (uint32_t reason = FRAME_SAMPLED_FIRST; reason < _FRAME_REASON_N; reason++)
			write_sample(reason, i);
	cr_assert_eq(read_all(), FRAME_SAMPLES_N);
	cr_expect_eq(n_missed(), 0);
}

/* A sample whose writer was interrupted is skipped. */
Test(cli_frames_samples, unfinished)
{
	write_sample(FRAME_IN_COOKIE, 1);
	begin_sample(FRAME_IN_COOKIE, 2);
	cr_assert_eq(read_all(), 1);
	cr_expect_eq(list[0].number, 1);
	cr_expect_eq(missed[FRAME_IN_COOKIE], 1);
	end_sample(FRAME_IN_COOKIE);
	write_sample(FRAME_IN_COOKIE, 3);
	cr_assert_eq(read_all(), 1);
	cr_expect_eq(list[0].number, 3);
}

/* A skipped frame: its number is in no slot. */
Test(cli_frames_samples, left_out)
{
	write_sample(FRAME_IN_COOKIE, 1);
	samplers[FRAME_IN_COOKIE - FRAME_SAMPLED_FIRST].n_samples++;
	write_sample(FRAME_IN_COOKIE, 3);
	cr_assert_eq(read_all(), 2);
	cr_expect_eq(list[1].number, 3);
	cr_expect_eq(missed[FRAME_IN_COOKIE], 1);
}

/* Samples that arrive during a read are returned by the next one, in order. */
Test(cli_frames_samples, younger_than_the_list)
{
	write_sample(FRAME_IN_ACCEPTED, 1);
	write_sample(FRAME_IN_ACCEPTED, loop_now_ns() + 3600000000000ull);
	write_sample(FRAME_OUT_ACCEPTED, 2);
	cr_expect_eq(read_all(), 2);
	cr_expect_eq(n_missed(), 0);
	/* an hour later */
	slots[FRAME_SAMPLE_SLOT(FRAME_IN_ACCEPTED, 2)].boot_ns = 3;
	cr_expect_eq(read_all(), 1);
	cr_expect_eq(n_missed(), 0);
}

static void *write_without_end(void *data)
{
	const int *stop = data;

	for (uint64_t i = 1; !__atomic_load_n(stop, __ATOMIC_RELAXED); i++)
		write_sample(FRAME_IN_COOKIE, i);
	return NULL;
}

/* However fast they arrive, each one is shown or counted. */
Test(cli_frames_samples, none_is_forgotten)
{
	uint64_t end = loop_now_ns() + 1000000000ull, n_read = 0, all_missed = 0, last = 0;
	pthread_t thread;
	int stop = 0;

	cr_assert_eq(pthread_create(&thread, NULL, write_without_end, &stop), 0);
	while (loop_now_ns() < end) {
		int n = read_all();

		cr_assert_geq(n, 0);
		for (int i = 0; i < n; i++) {
			cr_assert_gt(list[i].number, last);
			last = list[i].number;
		}
		n_read += (uint64_t)n;
		all_missed += n_missed();
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	n_read += (uint64_t)read_all();
	all_missed += n_missed();
	cr_expect_gt(n_read, 0);
	cr_expect_eq(n_read + all_missed,
		     samplers[FRAME_IN_COOKIE - FRAME_SAMPLED_FIRST].n_samples);
}

/* Write one slot repeatedly, with pauses in which a read can succeed. */
static void *rewrite(void *data)
{
	struct frame_sample *slot = &slots[FRAME_SAMPLE_SLOT(FRAME_IN_COOKIE, 1)];
	const int *stop = data;

	for (unsigned int i = 0; !__atomic_load_n(stop, __ATOMIC_RELAXED); i++) {
		__atomic_add_fetch(&slot->version, 1, __ATOMIC_SEQ_CST);
		for (size_t j = 0; j < sizeof(slot->bytes); j++)
			*(volatile uint8_t *)&slot->bytes[j] = (uint8_t)i;
		__atomic_add_fetch(&slot->version, 1, __ATOMIC_SEQ_CST);
		for (volatile unsigned int j = 0; j < i % 97 * 100; j++)
			;
	}
	return NULL;
}

Test(cli_frames_samples, never_torn)
{
	uint64_t end = loop_now_ns() + 2000000000ull, n_read = 0;
	pthread_t thread;
	int stop = 0;

	write_sample(FRAME_IN_COOKIE, 1);
	cr_assert_eq(pthread_create(&thread, NULL, rewrite, &stop), 0);
	while (loop_now_ns() < end) {
		int n;

		memset(samples.seen, 0, sizeof(samples.seen));
		n = read_all();
		cr_assert_geq(n, 0);
		for (size_t i = 1; n > 0 && i < FRAME_SAMPLE_BYTES; i++)
			cr_assert_eq(list[0].bytes[i], list[0].bytes[0], "octet %zu", i);
		n_read += (uint64_t)n;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_expect_gt(n_read, 0);
}

Test(cli_frames_samples, bytes)
{
	struct frame_sample sample = make_sample();
	struct frames_bytes bytes;

	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.size, OFFER_SIZE);
	cr_expect_eq(bytes.captured, OFFER_SIZE);
	cr_expect_arr_eq(bytes.bytes, sample.bytes, OFFER_SIZE);
	sample.size = 1500;
	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.size, 1500);
	cr_expect_eq(bytes.captured, OFFER_SIZE);
	memcpy(&sample.vlan_type, "\x81\0", 2);
	sample.vlan_tci = 0x0102;
	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.size, 1504);
	cr_expect_eq(bytes.captured, OFFER_SIZE + 4);
	cr_expect_arr_eq(bytes.bytes + 12, "\x81\0\1\2\x08\0", 6);
	sample.captured = 12;
	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.captured, 16);
	sample.captured = 11;
	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.captured, 11, "no place for a tag");
	cr_expect_eq(bytes.size, 1500);
	/* lengths that our programs never write */
	sample.captured = UINT32_MAX;
	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.captured, FRAME_SAMPLE_BYTES + 4);
	sample.size = 20;
	frames_bytes_init(&bytes, &sample);
	cr_expect_eq(bytes.captured, 24);
}
