/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calf that does what it may do as often as it can, as soon as the operator writes
 * /control/hostile/flood: "log": log lines on both pipes, long ones and short ones; "commit":
 * commits to /text/NNN, as large as they are accepted.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/commit.h"
#include "userspace/common/wire.h"

#define CONTROL 4
#define POLL_NS 50000000
#define N_KEYS 29 /* with KV_VALUE_MAX bytes each nearly KV_REQUEST_MAX */

static uint8_t received[WIRE_FRAME_MAX], frame[WIRE_FRAME_MAX];
static size_t n_received;

static void send_bytes(const uint8_t *bytes, int size)
{
	for (int sent = 0; sent < size;) {
		ssize_t n = write(CONTROL, bytes + sent, (size_t)(size - sent));

		if (n <= 0)
			_exit(4);
		sent += (int)n;
	}
	if (size <= 0)
		_exit(5);
}

static void receive(struct wire_response *response, char text[static 64])
{
	int size;

	while ((size = wire_frame_size(received, n_received)) == 0 || (size_t)size > n_received) {
		ssize_t n = read(CONTROL, received + n_received, sizeof(received) - n_received);

		if (size < 0 || n <= 0)
			_exit(6);
		n_received += (size_t)n;
	}
	if (wire_decode_response(received, (size_t)size, response) < 0)
		_exit(7);
	snprintf(text, 64, "%.*s", (int)response->value.size, (const char *)response->value.bytes);
	n_received -= (size_t)size;
	memmove(received, received + size, n_received);
}

static void wait_for_order(char order[static 64])
{
	/* The pen's list of calls has ppoll(2), not poll. */
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct wire_response response;
	int size = wire_encode_request(1, WIRE_READ, "/control/hostile/flood", NULL, 0, 0, frame,
				       sizeof(frame));

	for (;;) {
		send_bytes(frame, size);
		receive(&response, order);
		if (response.tag == WIRE_OK)
			return;
		ppoll(NULL, 0, &pause, NULL);
	}
}

static void flood_log(void)
{
	struct pollfd pipes[] = { { .fd = 1, .events = POLLOUT }, { .fd = 2, .events = POLLOUT } };
	char lines[4096];

	memset(lines, 'x', sizeof(lines));
	for (size_t i = 699; i < sizeof(lines); i += i < 3499 ? 700 : 50)
		lines[i] = '\n';
	for (;;)
		if (ppoll(pipes, 2, NULL, NULL) > 0)
			for (int i = 0; i < 2; i++)
				if (pipes[i].revents &&
				    write(pipes[i].fd, lines, sizeof(lines)) < 0)
					continue;
}

/* A commit of n keys with values of this length. Returns whether it was accepted. */
static bool commit_keys(unsigned int n, size_t length)
{
	static struct commit commit;
	static char text[KV_VALUE_MAX];
	struct wire_response response;
	char path[KV_PATH_SIZE], answer[64];

	memset(text, 'x', sizeof(text));
	commit_init(&commit);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/text/%03u", i);
		if (commit_write(&commit, path, text, length) < 0)
			_exit(8);
	}
	send_bytes(frame, wire_encode_commit(1, commit.bytes, commit.size, commit.n_changes, 0,
					     frame, sizeof(frame)));
	receive(&response, answer);
	return response.tag == WIRE_OK;
}

/* As many bytes as are accepted: long values and short ones, in smaller commits after a
 * refusal. */
static void flood_commits(void)
{
	unsigned int n = N_KEYS;

	for (size_t i = 0;; i++) {
		if (commit_keys(n, i % 2 ? 1 : KV_VALUE_MAX))
			n = n < N_KEYS / 2 ? 2 * n : N_KEYS;
		else
			n = n > 1 ? n / 2 : 1;
	}
}

int main(void)
{
	char order[64];

	wait_for_order(order);
	if (strcmp(order, "log") == 0)
		flood_log();
	flood_commits();
}
