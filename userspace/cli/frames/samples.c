/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/cli/frames/samples.h"
#include "userspace/cli/store.h"
#include "userspace/common/bytes.h"
#include "userspace/common/loop.h"

#define TRIES 5
#define PAUSE_NS 200000L
#define MACS_SIZE 12 /* a tag follows both addresses */
#define TAG_SIZE 4

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

int frames_samples_open(struct frames_samples *samples, const struct cli *cli)
{
	int r;

	*samples = FRAMES_SAMPLES_NULL(*samples);
	samples->samples_fd = cli_store_open_samples(cli);
	samples->samplers_fd = cli_store_open_samplers(cli);
	r = samples->samples_fd < 0 ? samples->samples_fd : samples->samplers_fd;
	if (r < 0) {
		frames_samples_close(samples);
		return r;
	}
	samples->id = map_id(samples->samples_fd);
	return 0;
}

/*
 * Read one sample. Returns 0; -EAGAIN if it is being written or not yet written;
 * 1 if it was overwritten; or another negative errno. The sample is taken from
 * the second of three lookups, so that the version is read before and after it.
 */
static int read_once(int fd, uint32_t reason, uint64_t number, struct frame_sample *sample)
{
	const uint32_t slot = FRAME_SAMPLE_SLOT(reason, number);
	struct frame_sample before, after;

	if (bpf_map_lookup_elem(fd, &slot, &before) < 0 ||
	    bpf_map_lookup_elem(fd, &slot, sample) < 0 ||
	    bpf_map_lookup_elem(fd, &slot, &after) < 0)
		return -errno;
	if ((before.version & 1) || before.version != sample->version ||
	    after.version != before.version)
		return -EAGAIN;
	if (sample->number != number)
		return sample->number < number ? -EAGAIN : 1;
	return 0;
}

/* Retry for a while: a writer takes about a microsecond, but one that skipped the
 * frame never finishes. */
static int read_sample(int fd, uint32_t reason, uint64_t number, struct frame_sample *sample)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int r = read_once(fd, reason, number, sample);

	for (int i = 1; r == -EAGAIN && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		r = read_once(fd, reason, number, sample);
	}
	return r == -EAGAIN ? 1 : r;
}

/* Append the samples of one reason that are not newer than `limit` to list[n].
 * Returns the new number of samples, or a negative errno. */
static int read_reason(struct frames_samples *samples, uint32_t reason, uint64_t limit,
		       struct frame_sample *list, int n, uint64_t *missedp)
{
	uint32_t index = reason - FRAME_SAMPLED_FIRST;
	uint64_t *seen = &samples->seen[index];
	struct frame_sampler sampler;

	if (bpf_map_lookup_elem(samples->samplers_fd, &index, &sampler) < 0)
		return -errno;
	if (sampler.n_samples > *seen + FRAME_SAMPLES_EACH) {
		*missedp += sampler.n_samples - FRAME_SAMPLES_EACH - *seen;
		*seen = sampler.n_samples - FRAME_SAMPLES_EACH;
	}
	while (*seen < sampler.n_samples) {
		int r = read_sample(samples->samples_fd, reason, *seen + 1, &list[n]);

		if (r < 0)
			return r;
		if (!r && list[n].boot_ns > limit)
			break;
		(*seen)++;
		if (!r)
			n++;
		else
			(*missedp)++;
	}
	return n;
}

static int compare_time(const void *left, const void *right)
{
	const struct frame_sample *a = left, *b = right;

	return (a->boot_ns > b->boot_ns) - (a->boot_ns < b->boot_ns);
}

int frames_samples_read(struct frames_samples *samples, const bool wanted[_FRAME_REASON_N],
			struct frame_sample *list, uint64_t missed[_FRAME_REASON_N])
{
	/* Samples that arrive while we read are left to the next call, so that
	 * the order is right across all reasons. */
	const uint64_t limit = loop_now_ns();
	int n = 0;

	memset(missed, 0, _FRAME_REASON_N * sizeof(*missed));
	for (uint32_t reason = FRAME_SAMPLED_FIRST; reason < _FRAME_REASON_N; reason++) {
		if (!wanted[reason])
			continue;
		n = read_reason(samples, reason, limit, list, n, &missed[reason]);
		if (n < 0)
			return n;
	}
	qsort(list, (size_t)n, sizeof(*list), compare_time);
	return n;
}

void frames_samples_close(struct frames_samples *samples)
{
	if (samples->samplers_fd >= 0)
		close(samples->samplers_fd);
	if (samples->samples_fd >= 0)
		close(samples->samples_fd);
	*samples = FRAMES_SAMPLES_NULL(*samples);
}

static size_t least(uint32_t captured, uint32_t size)
{
	size_t n = captured < size ? captured : size;

	return n < FRAME_SAMPLE_BYTES ? n : FRAME_SAMPLE_BYTES;
}

void frames_bytes_init(struct frames_bytes *bytes, const struct frame_sample *sample)
{
	struct bytes_reader from;
	struct bytes_writer to;
	size_t left;

	bytes_reader_init(&from, sample->bytes, least(sample->captured, sample->size));
	bytes_writer_init(&to, bytes->bytes, sizeof(bytes->bytes));
	bytes->size = sample->size;
	if (sample->vlan_type != 0 && bytes_left(&from) >= MACS_SIZE) {
		bytes_put(&to, bytes_view(&from, MACS_SIZE), MACS_SIZE);
		bytes_put(&to, &sample->vlan_type, sizeof(sample->vlan_type));
		bytes_put_be16(&to, sample->vlan_tci);
		bytes->size += TAG_SIZE;
	}
	left = bytes_left(&from);
	bytes_put(&to, bytes_view(&from, left), left);
	bytes->captured = to.at;
}
