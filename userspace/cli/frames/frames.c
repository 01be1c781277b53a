/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: calfpen frames
 *
 * It reads the samples without consuming them, so several may run at once. With
 * -f it polls. The programs take samples so slowly that none is missed unless
 * this process is delayed; it then prints how many were missed. When a
 * supervisor has recreated the maps, it continues with the new ones.
 */
#include "userspace/cli/frames/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/cli/state.h"
#include "userspace/cli/store.h"
#include "userspace/common/clock.h"
#include "userspace/common/loop.h"

#define POLL_MS 100
#define POLLS_PER_SECOND (1000 / POLL_MS)
#define MAX_MISSING 3 /* polls in a row; a restart replaces each pin at once */

struct frames {
	const struct cli *cli;
	FILE *out; /* the capture, or cli->out */
	bool wanted[_FRAME_REASON_N];
	struct frames_samples samples;
	struct frame_sample list[FRAME_SAMPLES_N];
	uint64_t missed[_FRAME_REASON_N];
	struct frames_owners owners;
	bool has_state; /* `owners` is from it */
	bool has_read;	/* samples overwritten before the first read are not missed */
	unsigned int n_polls, n_missing;
};

/* Select the reasons to show. Returns false if there is no such reason. */
static bool choose_reasons(struct frames *frames)
{
	const struct cli *cli = frames->cli;
	bool found = false;

	for (uint32_t i = FRAME_SAMPLED_FIRST; i < _FRAME_REASON_N; i++) {
		if (cli->reason && strcmp(cli->reason, frames_text_reason(i)) != 0)
			continue;
		found = true;
		frames->wanted[i] = !cli->dropped || FRAME_VERDICT(i) == FRAME_DROPPED;
	}
	return found;
}

/* Print why the samples could not be read. Returns an exit code. */
static int explain(const struct cli *cli, int error)
{
	if (error == -ENOENT)
		return cli_fail(cli, "instance %s has no frame programs", cli->instance);
	return cli_explain_store(cli, error);
}

static void put_line(const struct frames *frames, json_t *json)
{
	if (json)
		json_dumpf(json, frames->out, JSON_COMPACT);
	fputc('\n', frames->out);
	json_decref(json);
}

/*
 * A supervisor that starts makes the maps first, and state.json is that of the previous run
 * until it has written its own: then nothing is known yet. Nobody runs: the maps and the
 * state are both of the run that was killed.
 */
static void know_owners(struct frames *frames)
{
	json_t *state;
	int r, pid;
	bool is_of_running;

	if (frames->has_state)
		return;
	state = cli_state_load(frames->cli, &r);
	pid = cli_running_pid(frames->cli);
	is_of_running = json_integer_value(json_object_get(state, STATE_PID)) == pid;
	frames->has_state = (state && is_of_running) || r != CLI_OK;
	frames_owners_init(&frames->owners, pid && !is_of_running ? NULL : state);
	json_decref(state);
}

static void put_json(const struct frames *frames, const struct frame_sample *sample,
		     const struct frames_summary *summary, uint64_t wall_ns)
{
	const char *calf = frames_owner(&frames->owners, sample->owner);
	json_t *json = frames_json(sample, summary, wall_ns);

	if (json && calf)
		json_object_set_new(json, "calf", json_string(calf));
	put_line(frames, json);
}

static void put_sample(const struct frames *frames, const struct frame_sample *sample,
		       uint64_t wall_ns)
{
	char time[CLOCK_TEXT_SIZE], text[FRAMES_TEXT_SIZE];
	struct frames_summary summary;
	struct frames_bytes bytes;
	const char *calf = NULL;

	frames_bytes_init(&bytes, sample);
	frames_decode(&summary, bytes.bytes, bytes.captured, bytes.size);
	summary.is_from_calf = FRAME_DIRECTION(sample->reason) == FRAME_FROM_CALF;
	if (frames->cli->json) {
		put_json(frames, sample, &summary, wall_ns);
		return;
	}
	/* whose it is needs no saying if there is one */
	if (frames->owners.n > 1)
		calf = frames_owner(&frames->owners, sample->owner);
	clock_format_utc(wall_ns, time);
	frames_text(&summary, text);
	fprintf(frames->out, "%s  %-4s  %-9s  %-20s  %s%s%s\n", time,
		frames_text_direction(sample->reason), frames_text_verdict(sample->reason),
		frames_text_reason(sample->reason), calf ? calf : "", calf ? ": " : "", text);
}

static void put_captured(const struct frames *frames, const struct frame_sample *sample,
			 uint64_t wall_ns)
{
	uint8_t block[FRAMES_PCAP_SIZE];
	size_t size = frames_pcap_frame(block, sample, wall_ns);

	fwrite(block, 1, size, frames->out);
	if (frames->cli->follow)
		fflush(frames->out);
}

static void put_missed(const struct frames *frames, uint32_t reason, uint64_t missed)
{
	const char *name = frames_text_reason(reason);

	if (frames->cli->json)
		put_line(frames,
			 json_pack("{s:s, s:I}", "reason", name, "not_shown", (json_int_t)missed));
	else /* a capture cannot contain this line */
		fprintf(frames->cli->pcap ? frames->cli->err : frames->out,
			"%llu of %s not shown\n", (unsigned long long)missed, name);
}

/* Show the new samples. Returns CLI_OK, or an exit code after printing one line. */
static int poll_samples(struct frames *frames)
{
	int n = frames_samples_read(&frames->samples, frames->wanted, frames->list, frames->missed);
	uint64_t offset = clock_now_ns(CLOCK_REALTIME) - loop_now_ns();

	if (n < 0)
		return explain(frames->cli, n);
	for (uint32_t i = 0; frames->has_read && i < _FRAME_REASON_N; i++)
		if (frames->missed[i] > 0)
			put_missed(frames, i, frames->missed[i]);
	frames->has_read = true;
	if (n > 0 && !frames->cli->pcap)
		know_owners(frames);
	for (int i = 0; i < n; i++) {
		const struct frame_sample *sample = &frames->list[i];

		if (frames->cli->pcap)
			put_captured(frames, sample, sample->boot_ns + offset);
		else
			put_sample(frames, sample, sample->boot_ns + offset);
	}
	return CLI_OK;
}

/* Read the old maps a last time, then switch to the new ones. */
static int switch_to(struct frames *frames, const struct frames_samples *samples)
{
	int r = poll_samples(frames);

	frames_samples_close(&frames->samples);
	frames->samples = *samples;
	frames->has_state = false;
	return r;
}

/*
 * Once a second, and on every poll while nothing is pinned, check whether the
 * maps were replaced, and switch to the new ones. Returns as poll_samples().
 */
static int check_pins(struct frames *frames)
{
	struct frames_samples samples;
	int r;

	if (frames->n_missing == 0 && ++frames->n_polls % POLLS_PER_SECOND != 0)
		return CLI_OK;
	r = frames_samples_open(&samples, frames->cli);
	if (r < 0)
		return ++frames->n_missing < MAX_MISSING ?
			       CLI_OK :
			       cli_fail(frames->cli, "instance %s is gone", frames->cli->instance);
	frames->n_missing = 0;
	if (samples.id != frames->samples.id)
		return switch_to(frames, &samples);
	frames_samples_close(&samples);
	return CLI_OK;
}

static int show(struct frames *frames)
{
	int r = poll_samples(frames);

	while (r == CLI_OK && frames->cli->follow && cli_follow_wait(frames->out, POLL_MS)) {
		r = check_pins(frames);
		if (r == CLI_OK)
			r = poll_samples(frames);
	}
	return r;
}

/* Open the capture and write its start. Returns CLI_OK, or an exit code after
 * printing one line. */
static int open_capture(struct frames *frames)
{
	const struct cli *cli = frames->cli;
	uint8_t block[FRAMES_PCAP_SIZE];
	size_t size;
	int fd;

	if (strcmp(cli->pcap, "-") == 0) {
		if (isatty(fileno(cli->out)))
			return cli_usage(cli, "refusing to write a capture to a terminal", NULL);
	} else {
		fd = open(cli->pcap, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
		frames->out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!frames->out)
			return cli_fail(cli, "%s: %m", cli->pcap);
	}
	size = frames_pcap_begin(block, cli->instance);
	fwrite(block, 1, size, frames->out);
	return CLI_OK;
}

/* Close the capture. A full disk is detected here at the latest. */
static int close_capture(struct frames *frames)
{
	bool is_written = fflush(frames->out) == 0 && !ferror(frames->out);

	if (fclose(frames->out) != 0 || !is_written)
		return cli_fail(frames->cli, "cannot write %s: %m", frames->cli->pcap);
	return CLI_OK;
}

static int open_and_show(struct frames *frames)
{
	const struct cli *cli = frames->cli;
	int r = frames_samples_open(&frames->samples, cli), close_r;

	if (r < 0)
		return explain(cli, r);
	r = cli->pcap ? open_capture(frames) : CLI_OK;
	if (r == CLI_OK)
		r = show(frames);
	if (frames->out && frames->out != cli->out) {
		close_r = close_capture(frames);
		r = r == CLI_OK ? close_r : r;
	}
	return r;
}

int cli_frames(struct cli *cli)
{
	struct frames *frames;
	int r;

	if (cli->pcap && cli->json)
		return cli_usage(cli, "--pcap and --json are mutually exclusive", NULL);
	frames = calloc(1, sizeof(*frames));
	if (!frames)
		return cli_fail(cli, "%m");
	frames->cli = cli;
	frames->out = cli->out;
	frames->samples = FRAMES_SAMPLES_NULL(frames->samples);
	if (!choose_reasons(frames))
		r = cli_usage(cli, "not a sampled reason", cli->reason);
	else
		r = cli_choose_instance(cli);
	if (r == CLI_OK)
		r = open_and_show(frames);
	frames_samples_close(&frames->samples);
	free(frames);
	return r;
}
