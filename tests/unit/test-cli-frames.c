/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen frames` with pinned maps, on a private bpffs. */
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "maps/pins.h"
#include "tests/unit/cli-capture.h"
#include "tests/unit/cli-frames.h"
#include "tests/unit/cli-pins.h"

static int samples_fd = -1, samplers_fd = -1;

static int pin_map(const char *name, size_t value_size, uint32_t n)
{
	char path[256];
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, (uint32_t)value_size, n, NULL);

	cr_assert_geq(fd, 0);
	snprintf(path, sizeof(path), "%s/x/%s", pins_root, name);
	unlink(path);
	cr_assert_eq(bpf_obj_pin(fd, path), 0);
	return fd;
}

/* Create and pin the maps, like a supervisor that starts. */
static void pin_maps(void)
{
	if (samples_fd >= 0)
		close(samples_fd);
	if (samplers_fd >= 0)
		close(samplers_fd);
	samplers_fd = pin_map(PIN_FRAME_SAMPLERS, sizeof(struct frame_sampler), FRAME_SAMPLED_N);
	samples_fd = pin_map(PIN_FRAME_SAMPLES, sizeof(struct frame_sample), FRAME_SAMPLES_N);
}

TestSuite(cli_frames, .init = pins_setup, .fini = pins_teardown);

/* Store the OFFER as a sample of this owner, with this reason and the next number. */
static void put_of(uint16_t owner, uint32_t reason, uint64_t boot_ns)
{
	uint32_t index = reason - FRAME_SAMPLED_FIRST, slot;
	struct frame_sample sample = make_sample();
	struct frame_sampler sampler;

	cr_assert_eq(bpf_map_lookup_elem(samplers_fd, &index, &sampler), 0);
	sampler.n_samples++;
	sample.number = sampler.n_samples;
	sample.reason = (uint16_t)reason;
	sample.owner = owner;
	sample.boot_ns = boot_ns;
	slot = FRAME_SAMPLE_SLOT(reason, sample.number);
	cr_assert_eq(bpf_map_update_elem(samples_fd, &slot, &sample, 0), 0);
	cr_assert_eq(bpf_map_update_elem(samplers_fd, &index, &sampler, 0), 0);
}

static void put(uint32_t reason, uint64_t boot_ns)
{
	put_of(FRAME_OWNER_NONE, reason, boot_ns);
}

#define TEXT                                                                                    \
	"02:00:00:00:77:01 > 02:00:00:00:77:02, 192.0.2.1:67 > 192.0.2.10:68, BOOTREPLY OFFER " \
	"xid 0x11223344 chaddr 02:00:00:00:77:02 yiaddr 192.0.2.10 server 192.0.2.1, 342 bytes\n"
#define TIME_SIZE (sizeof("2026-11-24T22:23:03.123456Z") - 1)

/* Existing samples, without the parts that differ between runs. */
static const char *line(const char *text, int n)
{
	static char copy[512];
	size_t length;

	for (; n > 0; n--)
		text = strchr(text, '\n') + 1;
	length = strcspn(text, "\n") + 1;
	cr_assert(strncmp(text, "20", 2) == 0 && text[TIME_SIZE - 1] == 'Z', "%s", text);
	snprintf(copy, sizeof(copy), "%.*s", (int)(length - TIME_SIZE), text + TIME_SIZE);
	return copy;
}

Test(cli_frames, for_people)
{
	pin_maps();
	cr_assert_eq(calfpen("frames", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(out_text, "", "none yet");
	put(FRAME_IN_UNKNOWN_XID, 3);
	put(FRAME_IN_ACCEPTED, 2);
	put(FRAME_OUT_ACCEPTED, 1);
	put(FRAME_HOST_NOISE, 4);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(calfpen("frames", NULL), CLI_OK, "%s", err_text);
		cr_expect_str_eq(line(out_text, 0),
				 "  out   sent       out_accepted          " TEXT);
		cr_expect_str_eq(line(out_text, 1),
				 "  in    delivered  in_accepted           " TEXT);
		cr_expect_str_eq(line(out_text, 2),
				 "  in    dropped    in_unknown_xid        " TEXT);
		cr_expect_str_eq(line(out_text, 3),
				 "  host  dropped    host_noise            " TEXT);
		cr_expect_str_eq(err_text, "", "and nothing is taken away");
	}
	cr_assert_eq(calfpen("frames", "--dropped", NULL), CLI_OK);
	cr_expect_str_eq(line(out_text, 0), "  in    dropped    in_unknown_xid        " TEXT);
	cr_expect_str_eq(line(out_text, 1), "  host  dropped    host_noise            " TEXT);
	cr_assert_eq(calfpen("frames", "--reason", "in_accepted", NULL), CLI_OK);
	cr_expect_str_eq(line(out_text, 0), "  in    delivered  in_accepted           " TEXT);
	cr_expect_null(strstr(out_text, "dropped"));
	cr_assert_eq(calfpen("frames", "--dropped", "--reason", "in_accepted", NULL), CLI_OK);
	cr_expect_str_eq(out_text, "");
}

/* Of several calves, each frame says whose it is. */
Test(cli_frames, whose_it_is)
{
	json_t *json;

	pin_maps();
	put(FRAME_IN_VLAN, 1);
	put_of(2, FRAME_OUT_PORT, 2);
	make_directory(run_root, "x");
	scratch_write_text("run/x/state.json",
			   "{\"version\": 1, \"calves\": [{\"name\": \"echo\", \"filter\": 1}]}",
			   0600);
	cr_assert_eq(calfpen("frames", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(line(out_text, 1), "  out   dropped    out_port              " TEXT,
			 "the only one");
	cr_assert_eq(calfpen("frames", "--json", NULL), CLI_OK, "%s", err_text);
	json = json_loads(strchr(out_text, '\n'), 0, NULL);
	cr_expect_str_eq(json_string_value(json_object_get(json, "calf")), "echo");
	json_decref(json);
	scratch_write_text("run/x/state.json",
			   "{\"version\": 1, \"calves\": [{\"name\": \"echo\", \"filter\": 1},"
			   " {\"name\": \"dhcp4\", \"filter\": 0}]}",
			   0600);
	cr_assert_eq(calfpen("frames", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(line(out_text, 0), "  in    passed     in_vlan               " TEXT,
			 "nobody's");
	cr_expect_str_eq(line(out_text, 1), "  out   dropped    out_port              echo: " TEXT);
}

/* What passed to the host but looks like ours; a reason of which nothing is kept
 * does not exist here. */
Test(cli_frames, U45_passed_frames)
{
	pin_maps();
	put(FRAME_IN_VLAN, 1);
	put(FRAME_IN_OTHER_CHADDR, 2);
	put(FRAME_IN_COOKIE, 3);
	cr_assert_eq(calfpen("frames", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(line(out_text, 0), "  in    passed     in_vlan               " TEXT);
	cr_expect_str_eq(line(out_text, 1), "  in    passed     in_other_chaddr       " TEXT);
	cr_assert_eq(calfpen("frames", "--reason", "in_vlan", NULL), CLI_OK);
	cr_expect_str_eq(line(out_text, 0), "  in    passed     in_vlan               " TEXT);
	cr_assert_eq(calfpen("frames", "--dropped", NULL), CLI_OK);
	cr_expect_null(strstr(out_text, "in_vlan"));
	cr_expect_neq(calfpen("frames", "--reason", "in_not_ours", NULL), CLI_OK);
}

/* What the calf sends by unicast has no next hop yet when it is kept. */
Test(cli_frames, U45_unicast_without_a_next_hop)
{
	const uint32_t slot = FRAME_SAMPLE_SLOT(FRAME_OUT_UNICAST, 1);
	struct frame_sample sample;

	pin_maps();
	put(FRAME_OUT_UNICAST, 1);
	cr_assert_eq(bpf_map_lookup_elem(samples_fd, &slot, &sample), 0);
	memset(sample.bytes, 0, 6);
	cr_assert_eq(bpf_map_update_elem(samples_fd, &slot, &sample, 0), 0);
	cr_assert_eq(calfpen("frames", NULL), CLI_OK, "%s", err_text);
	cr_expect_not_null(strstr(out_text, "02:00:00:00:77:01 > next hop, 192.0.2.1:67"), "%s",
			   out_text);
	cr_assert_eq(calfpen("frames", "--json", NULL), CLI_OK, "%s", err_text);
	cr_expect_not_null(strstr(out_text, "> next hop, "), "%s", out_text);
}

/* Samples overwritten before the start are not missed. */
Test(cli_frames, full_ring)
{
	int n = 0;

	pin_maps();
	for (uint64_t i = 1; i <= 3 * FRAME_SAMPLES_EACH; i++)
		put(FRAME_IN_COOKIE, i);
	cr_assert_eq(calfpen("frames", NULL), CLI_OK);
	for (const char *at = out_text; (at = strchr(at, '\n')); at++)
		n++;
	cr_expect_eq(n, FRAME_SAMPLES_EACH);
	cr_expect_null(strstr(out_text, "not shown"));
}

Test(cli_frames, json)
{
	json_t *json;
	char *end;

	pin_maps();
	put(FRAME_OUT_RATE, 1);
	put(FRAME_OUT_RATE, 2);
	cr_assert_eq(calfpen("frames", "--json", NULL), CLI_OK, "%s", err_text);
	end = strchr(out_text, '\n');
	json = json_loadb(out_text, (size_t)(end - out_text), 0, NULL);
	cr_assert_not_null(json, "an object on each line: %s", out_text);
	cr_expect_str_eq(json_string_value(json_object_get(json, "reason")), "out_rate");
	cr_expect_str_eq(json_string_value(json_object_get(json, "verdict")), "dropped");
	cr_expect_str_eq(json_string_value(json_object_get(json, "direction")), "out");
	cr_expect_eq(json_integer_value(json_object_get(json, "number")), 1);
	json_decref(json);
	json = json_loads(end, 0, NULL);
	cr_assert_not_null(json);
	cr_expect_eq(json_integer_value(json_object_get(json, "number")), 2);
	json_decref(json);
}

Test(cli_frames, capture)
{
	uint8_t want[FRAMES_PCAP_SIZE], got[4096];
	struct frame_sample sample = make_sample();
	char path[256];
	struct stat st;
	size_t size;
	FILE *from;

	pin_maps();
	put(FRAME_IN_RATE, 1);
	put(FRAME_IN_RATE, 2);
	snprintf(path, sizeof(path), "%s/capture", scratch);
	cr_assert_eq(calfpen("frames", "--pcap", path, NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(out_text, "");
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	from = fopen(path, "r");
	size = fread(got, 1, sizeof(got), from);
	fclose(from);
	cr_expect_eq(size, (size_t)st.st_size);
	size = frames_pcap_begin(want, "x");
	cr_expect_arr_eq(got, want, size);
	sample.reason = FRAME_IN_RATE;
	cr_expect_eq((size_t)st.st_size, size + 2 * frames_pcap_frame(want, &sample, 0));
	/* the file exists and is longer */
	cr_assert_eq(calfpen("frames", "--pcap", path, "--reason", "in_cookie", NULL), CLI_OK);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, (off_t)size);
	/* standard output */
	frames_pcap_begin(want, "x");
	cr_assert_eq(calfpen("frames", "--pcap", "-", NULL), CLI_OK);
	cr_expect_arr_eq(out_text, want, size);
	snprintf(path, sizeof(path), "%s/none/capture", scratch);
	cr_assert_eq(calfpen("frames", "--pcap", path, NULL), CLI_FAILURE);
	cr_expect_not_null(strstr(err_text, "none/capture: No such file"), "%s", err_text);
	cr_assert_eq(calfpen("frames", "--pcap", "/dev/full", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, "calfpen: cannot write /dev/full: No space left on device\n",
			 "%s", err_text);
}

Test(cli_frames, refused)
{
	cr_assert_eq(calfpen("frames", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text, "calfpen: instance x has no frame programs\n");
	cr_assert_eq(calfpen("frames", "--reason", "in_nothing", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text, "calfpen: not a sampled reason: in_nothing; see "
				   "`calfpen help`\n");
	cr_assert_eq(calfpen("frames", "--reason", "in_not_ours", NULL), CLI_USAGE, "the host's");
	cr_assert_eq(calfpen("frames", "--json", "--pcap", "-", NULL), CLI_USAGE);
	cr_expect_str_eq(err_text,
			 "calfpen: --pcap and --json are mutually exclusive; see `calfpen help`\n");
	cr_assert_eq(calfpen("frames", "/path", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("frames", "--denied", NULL), CLI_USAGE);
	cr_assert_eq(calfpen("audit", "--dropped", NULL), CLI_USAGE);
	pin_map(PIN_FRAME_SAMPLERS, sizeof(struct frame_sampler), FRAME_SAMPLED_N);
	pin_map(PIN_FRAME_SAMPLES, sizeof(struct frame_sample) - 8, FRAME_SAMPLES_N);
	cr_assert_eq(calfpen("frames", NULL), CLI_FAILURE);
	cr_expect_str_eq(err_text,
			 "calfpen: instance x was created by another version of calfpen\n");
}

/* A capture goes to standard output. */
static pid_t frames_follower(int *fdp, const char *option)
{
	char word[16];
	char *argv[] = { "calfpen", "frames", "-f", word, "-", NULL };

	snprintf(word, sizeof(word), "%s", option);
	return follower(strcmp(option, "--pcap") == 0 ? 5 : 4, argv, fdp);
}

static const char *next_line(int fd)
{
	static char text[1024];
	size_t used = 0;

	memset(text, 0, sizeof(text));
	while (!memchr(text, '\n', used) && used < sizeof(text) - 1) {
		ssize_t n = read(fd, text + used, 1);

		cr_assert_gt(n, 0, "ended with: %s", text);
		used += (size_t)n;
	}
	return text;
}

static void expect_line(int fd, const char *want)
{
	const char *text = next_line(fd);

	cr_expect_not_null(strstr(text, want), "%snot %s", text, want);
}

/* New samples, missed samples, new maps, and a reader that closes the output. */
Test(cli_frames, follow)
{
	pid_t pid;
	int fd;

	pin_maps();
	put(FRAME_IN_COOKIE, 1);
	pid = frames_follower(&fd, "--dropped");
	expect_line(fd, "  in    dropped    in_cookie ");
	put(FRAME_OUT_ACCEPTED, 2);
	put(FRAME_IN_RATE, 3);
	expect_line(fd, "  in    dropped    in_rate ");
	/* faster than they can be read */
	kill(pid, SIGSTOP);
	for (uint64_t i = 0; i < FRAME_SAMPLES_EACH + 3; i++)
		put(FRAME_IN_COOKIE, 10 + i);
	kill(pid, SIGCONT);
	expect_line(fd, "3 of in_cookie not shown\n");
	for (int i = 0; i < FRAME_SAMPLES_EACH; i++)
		expect_line(fd, "in_cookie");
	/* a restart: the last old samples, then all new ones */
	kill(pid, SIGSTOP);
	put(FRAME_IN_HARDWARE, 30);
	pin_maps();
	put(FRAME_HOST_NOISE, 31);
	kill(pid, SIGCONT);
	expect_line(fd, "in_hardware");
	expect_line(fd, "host_noise");
	follower_end(pid, fd);
}

Test(cli_frames, follow_json)
{
	pid_t pid;
	int fd;

	pin_maps();
	put(FRAME_IN_COOKIE, 1);
	pid = frames_follower(&fd, "--json");
	expect_line(fd, "\"reason\":\"in_cookie\"");
	kill(pid, SIGSTOP);
	for (uint64_t i = 0; i < FRAME_SAMPLES_EACH + 1; i++)
		put(FRAME_IN_COOKIE, 10 + i);
	kill(pid, SIGCONT);
	expect_line(fd, "{\"reason\":\"in_cookie\",\"not_shown\":1}\n");
	follower_end(pid, fd);
}

static void write_state(int pid, const char *calf)
{
	char text[128];

	(void)snprintf(
		text, sizeof(text),
		"{\"version\": 1, \"pid\": %d, \"calves\": [{\"name\": \"%s\", \"filter\": 0}]}",
		pid, calf);
	scratch_write_text("run/x/state.json", text, 0600);
}

/* Until the new run has written its state, that of the killed one is there: it says nothing
 * about the new maps. */
Test(cli_frames, follow_over_a_kill)
{
	int fd, lock_fd;
	pid_t pid;

	make_directory(run_root, "x");
	lock_fd = make_running("x");
	write_state(getpid(), "first");
	pin_maps();
	put_of(1, FRAME_IN_COOKIE, 1);
	pid = frames_follower(&fd, "--json");
	expect_line(fd, "\"calf\":\"first\"");
	write_state(1, "killed");
	pin_maps();
	put_of(1, FRAME_IN_COOKIE, 2);
	cr_expect_null(strstr(next_line(fd), "\"calf\""));
	write_state(getpid(), "new");
	put_of(1, FRAME_IN_COOKIE, 3);
	expect_line(fd, "\"calf\":\"new\"");
	follower_end(pid, fd);
	close(lock_fd);
}

/* What a killed run has left, its own state explains. */
Test(cli_frames, killed_run)
{
	make_directory(run_root, "x");
	write_state(1, "killed");
	pin_maps();
	put_of(1, FRAME_IN_COOKIE, 1);
	cr_assert_eq(calfpen("frames", "--json", NULL), CLI_OK, "%s", err_text);
	cr_expect_not_null(strstr(out_text, "\"calf\":\"killed\""), "%s", out_text);
}

/* Each frame is written completely when it arrives. */
Test(cli_frames, follow_capture)
{
	uint8_t block[FRAMES_PCAP_SIZE], got[4096];
	size_t head = frames_pcap_begin(block, "x"), used = 0;
	struct frame_sample sample = make_sample();
	size_t size = frames_pcap_frame(block, &sample, 0);
	pid_t pid;
	int fd;

	pin_maps();
	put(FRAME_IN_UNKNOWN_XID, 1);
	pid = frames_follower(&fd, "--pcap");
	for (size_t n = 1; n <= 3; n++) {
		while (used < head + n * size) {
			ssize_t r = read(fd, got + used, sizeof(got) - used);

			cr_assert_gt(r, 0);
			used += (size_t)r;
		}
		cr_expect_eq(used, head + n * size);
		put(FRAME_IN_UNKNOWN_XID, n + 1);
	}
	follower_end(pid, fd);
}

/* An instance that does not come back. */
Test(cli_frames, follow_one_that_is_gone)
{
	char path[256], text[256] = "";
	int fd, status;
	pid_t pid;

	pin_maps();
	put(FRAME_IN_COOKIE, 1);
	fflush(stderr);
	cr_assert_neq(dup2(fileno(tmpfile()), STDERR_FILENO), -1);
	pid = frames_follower(&fd, "--dropped");
	expect_line(fd, "in_cookie");
	snprintf(path, sizeof(path), "%s/x/%s", pins_root, PIN_FRAME_SAMPLES);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == CLI_FAILURE, "%d", status);
	cr_assert_gt(pread(STDERR_FILENO, text, sizeof(text) - 1, 0), 0);
	cr_expect_not_null(strstr(text, "calfpen: instance x is gone\n"), "%s", text);
	close(fd);
}
