/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the place of calfpen-gateway: one that was taken over. It confines itself as the real
 * one does, so that it has what an attacker has, sends random and mutated requests to its
 * gate, and reports in a log line how many changes were accepted. Its first argument is
 * the name of the container, as for the real one.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-gate-requests.h"
#include "userspace/common/log.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/key_table.h"
#include "userspace/priv/roles.h"

#define N_REQUESTS 2500
#define PAUSE_MS 4 /* so that the rate refuses only some of them */
#define LIFE_MS 120000

static struct hostile_request hostile;
static unsigned int n_accepted, n_changes;

static void count_commit(uint64_t revision, uint32_t n)
{
	(void)revision;
	n_changes += n;
}

static void send_one(void)
{
	hostile_request_draw(&hostile);
	if (hostile_request_send(GATEWAY_FD_GATE, &hostile))
		return;
	n_accepted++;
	hostile_request_each_commit(&hostile, count_commit);
}

int main(int argc, char **argv)
{
	const struct key_table *keys;

	log_init("hostile", 2, LOG_LEVEL_INFO);
	if (key_table_map(GATEWAY_FD_KEYS, &keys))
		return ROLE_EXIT_FAILURE;
	grammar_seed(hostile_request_seed(argc > 1 ? argv[1] : "calfpen"));
	if (confine_enter(ROLE_GATEWAY, keys->uid, keys->uid, false))
		return ROLE_EXIT_CONFINE;
	for (unsigned int i = 0; i < N_REQUESTS; i++) {
		send_one();
		(void)ppoll(NULL, 0, &(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	}
	log_info("%d requests, %u accepted, %u changes", N_REQUESTS, n_accepted, n_changes);
	(void)ppoll(NULL, 0, &(struct timespec){ .tv_sec = LIFE_MS / 1000 }, NULL);
	return 0;
}
