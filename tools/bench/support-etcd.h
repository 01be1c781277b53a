/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of gRPC over HTTP/2 (RFC 9113, RFC 7541) as a put and a watch on an
 * etcd-server need, so that etcd is measured with the client loop of the other
 * servers. Like a gRPC library, it sends header fields in full only once for each
 * connection and answers the server's pings. Every error ends the program.
 */
#ifndef CALFPEN_TOOLS_BENCH_SUPPORT_ETCD_H
#define CALFPEN_TOOLS_BENCH_SUPPORT_ETCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETCD_REQUEST_MAX 512

/* One connection with one request at a time. */
struct etcd {
	int fd;
	const char *token; /* of a user, sent with every request */
	const char *path;  /* the method whose header fields the server has stored */
	uint32_t stream;   /* number of the last request */
	bool has_message;  /* its response contains one, so it was not refused */
	size_t n_received; /* bytes in `received` */
	uint8_t received[8192];
};

/* Set up a connection on this socket. The token, which Authenticate has returned,
 * must outlive it. */
void etcd_init(struct etcd *etcd, int fd, const char *token);

/* Send a put. Returns without waiting for the response. */
void etcd_send_put(struct etcd *etcd, const char *key, const void *value, size_t length);

/* Read what has arrived, waiting if nothing has. Returns true at the end of the
 * response. */
bool etcd_read_response(struct etcd *etcd);

/* Send a watch of one key, and wait until the server has created it. */
void etcd_watch(struct etcd *etcd, const char *key);

/* Read and ignore the events of a watch until the server ends it. */
void etcd_read_events(struct etcd *etcd);

#endif
