/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is measured: real gateway processes, each with a client's end of its
 * control socket, or connections to a redis-server that runs already. Whatever
 * fails ends the program.
 */
#ifndef CALFPEN_TOOLS_BENCH_SUPPORT_SERVERS_H
#define CALFPEN_TOOLS_BENCH_SUPPORT_SERVERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/bench/support.h"

#define CLIENTS_MAX 64
#define DEPTH_MAX 16 /* requests that a client sends at a time */

_Static_assert(CLIENTS_MAX <= KV_SUBJECTS_MAX, "each client's gateway is a subject");

/* One end of a connection to whoever is measured. */
struct client {
	int fd;
	size_t n_received; /* bytes of the response that is awaited */
};

struct server {
	const char *label;
	struct bench_store *store; /* NULL: redis */
	const char *redis_socket;
	uint8_t request[DEPTH_MAX * 512];
	size_t request_size, response_size;
	uint8_t response_begin; /* first byte of every good response */
	struct client clients[CLIENTS_MAX];
	uint32_t n_clients;
	pid_t pids[CLIENTS_MAX]; /* gateways */
	pid_t watcher;		 /* who is told of every write */
	int epoll_fd;
};

/* One gateway, executed from the program at that path, for each of the first
 * `n` subjects of the store, with the keys of the description in `calf`. */
void servers_start_gateways(struct server *server, struct bench_store *store, uint32_t n,
			    const char *program, const char *calf);
void servers_stop_gateways(const struct server *server);

/* `n` connections to the redis-server at this socket; the path outlives them. */
void servers_connect_redis(struct server *server, uint32_t n, const char *socket_path);

/* One process more, that sleeps until it is told of a write. When it is
 * stopped it has seen every write, if it was there to the end; none: nothing. */
void servers_start_watcher(struct server *server);
void servers_stop_watcher(const struct server *server);

#endif
