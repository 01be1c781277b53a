/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the generator of tools/pktgen for kernels without the module: sends UDP
 * packets, or a frame given by the caller, as live XDP frames. Limited in count
 * and time. Threads are processes, each on its own CPU; each prints one line:
 * "thread N: PACKETS packets, RATE pps".
 */
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/support-live.h"
#include "tools/bench/support.h"

#define NS_PER_S 1000000000ull
#define CHUNK 4096 /* frames between two readings of the clock */
#define CHUNK_NS 1000000ull
#define IP_AT 14
#define UDP_AT 34
#define HEADERS 42

struct options {
	int ifindex;
	enum live_mode mode;
	uint64_t count;
	uint64_t delay_ns; /* from frame to frame, 0: none */
	uint32_t seconds;
	uint32_t threads;
	uint32_t first_cpu;
	uint32_t batch;
	size_t size;
	uint8_t frame[LIVE_FRAME_MAX];
};

static const char usage[] =
	"usage: frames-generator -i INTERFACE -n COUNT -T SECONDS [-x start_xmit|netif_receive]\n"
	"       [-t THREADS] [-f FIRST_CPU] [-b BATCH] [-w DELAY_NS]\n"
	"       [-s SIZE -d IP -m MAC -p PORT | -F HEX_FILE]";

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		bench_fail("'%s' is not a number from %llu to %llu", text, (unsigned long long)min,
			   (unsigned long long)max);
	return value;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void read_frame(struct options *options, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int octet;

	if (!file)
		bench_fail("%s: %s", path, strerror(errno));
	options->size = 0;
	while (fscanf(file, "%2x", &octet) == 1) { /* NOLINT(cert-err34-c) */
		if (options->size == sizeof(options->frame))
			bench_fail("%s: more than %zu octets", path, sizeof(options->frame));
		options->frame[options->size++] = (uint8_t)octet;
	}
	if (!feof(file) || options->size < LIVE_FRAME_MIN)
		bench_fail("%s: not a frame in hex", path);
	fclose(file);
}

/* A frame as pktgen's: UDP from 0.0.0.0 by default, without checksum. */
static void make_udp(struct options *options, const char *ip, const char *mac, const char *port)
{
	uint8_t *frame = options->frame;
	unsigned int address[4], octets[6];
	uint32_t sum = 0;
	char end;

	if (sscanf(ip, "%u.%u.%u.%u%c", &address[0], &address[1], &address[2], &address[3], &end) !=
	    4) /* NOLINT(cert-err34-c) */
		bench_fail("'%s' is not an IPv4 address", ip);
	if (sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x%c", &octets[0], &octets[1], &octets[2], &octets[3],
		   &octets[4], &octets[5], &end) != 6) /* NOLINT(cert-err34-c) */
		bench_fail("'%s' is not a MAC address", mac);
	for (int i = 0; i < 6; i++)
		frame[i] = (uint8_t)octets[i];
	frame[6] = 2; /* locally administered */
	put16(frame + 12, 0x0800);
	frame[IP_AT] = 0x45;
	put16(frame + IP_AT + 2, (uint32_t)options->size - IP_AT);
	frame[IP_AT + 8] = 32;
	frame[IP_AT + 9] = 17;
	for (int i = 0; i < 4; i++)
		frame[IP_AT + 16 + i] = (uint8_t)address[i];
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)frame[IP_AT + i] << 8 | frame[IP_AT + i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(frame + IP_AT + 10, ~(sum + (sum >> 16)));
	put16(frame + UDP_AT, 9);
	put16(frame + UDP_AT + 2, (uint32_t)number(port, 0, 65535));
	put16(frame + UDP_AT + 4, (uint32_t)options->size - UDP_AT);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec when = { .tv_sec = (time_t)(ns / NS_PER_S),
				       .tv_nsec = (long)(ns % NS_PER_S) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

/* How many frames to send before the next reading of the clock. */
static uint64_t chunk_of(const struct options *options, uint64_t sent)
{
	uint64_t chunk = CHUNK;

	if (options->delay_ns)
		chunk = options->delay_ns >= CHUNK_NS ? 1 : CHUNK_NS / options->delay_ns;
	return chunk < options->count - sent ? chunk : options->count - sent;
}

static void generate(const struct options *options, uint32_t i_thread)
{
	uint64_t start, now, next, sent = 0;
	struct live live;
	char cpu[16];

	snprintf(cpu, sizeof(cpu), "%u", options->first_cpu + i_thread);
	bench_pin(cpu);
	bench_check(live_init(&live, options->ifindex, options->mode, options->batch),
		    "the generator's program");
	start = now = next = bench_now_ns();
	while (sent < options->count && now - start < options->seconds * NS_PER_S) {
		uint64_t chunk = chunk_of(options, sent);
		int r = live_send(&live, options->frame, options->size, (uint32_t)chunk);

		if (r == -EINVAL && options->mode == LIVE_NETIF_RECEIVE)
			bench_fail("the interface has no receive queue for XDP frames");
		bench_check(r, "live frames");
		sent += chunk;
		now = bench_now_ns();
		if (!options->delay_ns)
			continue;
		/* do not make up for a delay with a burst */
		next += chunk * options->delay_ns;
		if (next < now)
			next = now;
		sleep_until(next);
		now = bench_now_ns();
	}
	printf("thread %u: %llu packets, %.0f pps\n", options->first_cpu + i_thread,
	       (unsigned long long)sent, (double)sent * 1e9 / (double)(now - start));
	live_deinit(&live);
}

static void parse(struct options *options, int argc, char **argv)
{
	const char *ip = "198.18.0.42", *mac = "02:00:00:00:00:02", *port = "9", *file = NULL;
	int option;

	while ((option = getopt(argc, argv, "i:n:T:x:t:f:b:w:s:d:m:p:F:")) != -1) {
		switch (option) {
		case 'i':
			options->ifindex = (int)if_nametoindex(optarg);
			if (!options->ifindex)
				bench_fail("%s: %s", optarg, strerror(errno));
			break;
		case 'n':
			options->count = number(optarg, 1, UINT64_MAX / NS_PER_S);
			break;
		case 'T':
			options->seconds = (uint32_t)number(optarg, 1, 3600);
			break;
		case 'x':
			if (!strcmp(optarg, "netif_receive"))
				options->mode = LIVE_NETIF_RECEIVE;
			else if (strcmp(optarg, "start_xmit"))
				bench_fail(
					"live frames support only start_xmit and netif_receive, not %s",
					optarg);
			break;
		case 't':
			options->threads = (uint32_t)number(optarg, 1, 64);
			break;
		case 'f':
			options->first_cpu = (uint32_t)number(optarg, 0, CPU_SETSIZE - 64);
			break;
		case 'b':
			options->batch = (uint32_t)number(optarg, 1, LIVE_BATCH_MAX);
			break;
		case 'w':
			options->delay_ns = number(optarg, 0, NS_PER_S);
			break;
		case 's':
			options->size = number(optarg, HEADERS, LIVE_FRAME_MAX);
			break;
		case 'd':
			ip = optarg;
			break;
		case 'm':
			mac = optarg;
			break;
		case 'p':
			port = optarg;
			break;
		case 'F':
			file = optarg;
			break;
		default:
			bench_fail("%s", usage);
		}
	}
	if (optind != argc || !options->ifindex || !options->count || !options->seconds)
		bench_fail("%s", usage);
	if (file)
		read_frame(options, file);
	else
		make_udp(options, ip, mac, port);
}

int main(int argc, char **argv)
{
	static struct options options = { .threads = 1, .batch = 64, .size = 60 };
	int status, failed = 0;

	parse(&options, argc, argv);
	/* stop the flood if the process that started us dies */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (uint32_t i = 0; i < options.threads; i++) {
		pid_t pid = fork();

		if (pid < 0)
			bench_fail("fork: %s", strerror(errno));
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			generate(&options, i);
			fflush(stdout);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
