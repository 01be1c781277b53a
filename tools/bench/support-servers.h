/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers that are measured: real gateway processes, each with the client's
 * end of its control socket, or connections to a redis-server or etcd-server that
 * is already running. Every error ends the program.
 */
#ifndef CALFPEN_TOOLS_BENCH_SUPPORT_SERVERS_H
#define CALFPEN_TOOLS_BENCH_SUPPORT_SERVERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/bench/support-etcd.h"
#include "tools/bench/support.h"

#define SERVERS_PATH "/bench/0000" /* the key that is written */
#define CLIENTS_MAX 64
#define DEPTH_MAX 16 /* requests that a client sends at once */

_Static_assert(CLIENTS_MAX <= KV_SUBJECTS_MAX, "each client's gateway is a subject");

/* The client's end of a connection to the server. */
struct client {
	int fd;
	size_t n_received; /* bytes received of the pending response */
};

struct server {
	const char *label;
	struct bench_store *store; /* of gateways, else NULL */
	struct etcd *etcd;	   /* of etcd, which has one client, else NULL */
	const char *socket_path;   /* of redis or etcd */
	uint8_t request[DEPTH_MAX * 512];
	size_t request_size, response_size;
	uint8_t response_begin; /* first byte of every good response */
	struct client clients[CLIENTS_MAX];
	uint32_t n_clients;
	pid_t pids[CLIENTS_MAX]; /* gateways */
	pid_t watcher;		 /* the process that is notified of every write */
	int epoll_fd;
};

/* Start one gateway, from the program at that path, for each of the first `n`
 * subjects of the store, with the keys of the description in `calf`. */
void servers_start_gateways(struct server *server, struct bench_store *store, uint32_t n,
			    const char *program, const char *calf);
void servers_stop_gateways(const struct server *server);

/* Open `n` connections to the redis-server at this socket; the path must outlive
 * them. */
void servers_connect_redis(struct server *server, uint32_t n, const char *socket_path);

/* Open a connection to the etcd-server at this socket, as the user with this token;
 * both texts must outlive it. */
void servers_connect_etcd(struct server *server, const char *socket_path, const char *token);

/* Start another process that sleeps until it is notified of a write. */
void servers_start_watcher(struct server *server);
/* Stop it. It must still be running, so that it was there for every write. Does
 * nothing if there is none. */
void servers_stop_watcher(const struct server *server);

#endif
