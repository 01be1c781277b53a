/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: writes through real gateway processes, SETs to a real redis-server, and puts
 * to a real etcd-server, with the same client loop: it writes the bytes of a request
 * and reads a known number of bytes as its response, or, from etcd, the frames of
 * one. They take turns, round by round, with writes by the gate alone.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/bench/support-servers.h"
#include "userspace/common/wire.h"

#define SUBJECTS 4

#define ONE_REQUESTS 2000
#define PIPELINED_REQUESTS 8192
#define MANY_REQUESTS 20000
#define GATE_BATCH 64
#define GATE_BATCHES 32
#define GATE_REQUESTS ((GATE_BATCH + 1) * GATE_BATCHES)
#define DRAIN_MANY 1024 /* 16 writes by each of 64 subjects: well within their shares of the ring */

/* --- requests --- */

static void make_request(struct server *server)
{
	int size;

	if (server->store) {
		size = wire_encode_request(1, WIRE_WRITE, SERVERS_PATH, BENCH_VALUE,
					   BENCH_VALUE_LENGTH, 0, server->request,
					   sizeof(server->request));
	} else {
		size = snprintf((char *)server->request, sizeof(server->request),
				"*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$%d\r\n%s\r\n",
				strlen(SERVERS_PATH), SERVERS_PATH, BENCH_VALUE_LENGTH,
				BENCH_VALUE);
	}
	if (size <= 0 || size * DEPTH_MAX > (int)sizeof(server->request))
		bench_fail("request: %d bytes", size);
	server->request_size = (size_t)size;
	for (int i = 1; i < DEPTH_MAX; i++)
		memcpy(server->request + (size_t)i * server->request_size, server->request,
		       server->request_size);
}

static void send_request(const struct server *server, const struct client *client, size_t depth)
{
	size_t size = depth * server->request_size;

	if (server->etcd) {
		etcd_send_put(server->etcd, SERVERS_PATH, BENCH_VALUE, BENCH_VALUE_LENGTH);
		return;
	}
	if (write(client->fd, server->request, size) != (ssize_t)size)
		bench_fail("%s: write: %s", server->label, strerror(errno));
}

/* All responses of a client have the size of the first one. */
static void first_response(struct server *server, struct client *client)
{
	uint8_t bytes[WIRE_RESPONSE_MAX];
	struct wire_response response;
	ssize_t n;

	send_request(server, client, 1);
	n = read(client->fd, bytes, sizeof(bytes));
	if (n <= 0)
		bench_fail("%s: first response: %s", server->label,
			   n < 0 ? strerror(errno) : "closed");
	if (server->store) {
		if (wire_frame_size(bytes, (size_t)n) != n ||
		    wire_decode_response(bytes, (size_t)n, &response) || response.tag != WIRE_OK)
			bench_fail("the gateway refused the write");
	} else if (n != 5 || memcmp(bytes, "+OK\r\n", 5) != 0) {
		bench_fail("redis refused the SET");
	}
	server->response_size = (size_t)n;
	server->response_begin = bytes[0];
}

/* Read the available bytes of the responses. Returns true when all `depth` are
 * read. An error contains a text, so its size differs: then this waits forever or
 * fails below. */
static bool read_response(struct server *server, struct client *client, size_t depth)
{
	size_t size = depth * server->response_size;
	uint8_t bytes[DEPTH_MAX * 64];
	ssize_t n;

	if (server->etcd)
		return etcd_read_response(server->etcd);
	n = read(client->fd, bytes, sizeof(bytes));
	if (n <= 0)
		bench_fail("%s: response: %s", server->label, n < 0 ? strerror(errno) : "closed");
	if (client->n_received % server->response_size == 0 && bytes[0] != server->response_begin)
		bench_fail("%s: error response", server->label);
	client->n_received += (size_t)n;
	if (client->n_received < size)
		return false;
	if (client->n_received > size)
		bench_fail("%s: response of %zu bytes, not %zu", server->label, client->n_received,
			   size);
	client->n_received = 0;
	return true;
}

static void drain(struct server *server)
{
	if (server->store && !server->watcher)
		bench_store_drain(server->store);
}

static void open_server(struct server *server)
{
	if (server->etcd) {
		send_request(server, &server->clients[0], 1);
		while (!read_response(server, &server->clients[0], 1))
			;
		return;
	}
	make_request(server);
	for (uint32_t i = 0; i < server->n_clients; i++)
		first_response(server, &server->clients[i]);
	drain(server);
}

/* --- measurements --- */

/* Sleep as an event loop does, libcalf's or redis-benchmark's. */
static void await_response(struct server *server, struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (server->epoll_fd == 0) {
		server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, client->fd, &event))
			bench_fail("epoll: %s", strerror(errno));
	}
	if (epoll_wait(server->epoll_fd, &event, 1, 10000) != 1)
		bench_fail("%s: no response for 10 s", server->label);
}

/* One request at a time; `waits`: in epoll, else in read(). */
static void measure_one_client(struct server *server, bool waits)
{
	static uint64_t samples[ONE_REQUESTS];
	struct client *client = &server->clients[0];

	for (uint32_t i = 0; i < ONE_REQUESTS; i++) {
		uint64_t start;

		if (i % 64 == 0)
			drain(server);
		start = bench_now_ns();
		send_request(server, client, 1);
		if (waits)
			await_response(server, client);
		while (!read_response(server, client, 1))
			;
		samples[i] = bench_now_ns() - start;
	}
	bench_say_latency(server->label, samples, ONE_REQUESTS);
}

static void measure_one(struct server *server)
{
	measure_one_client(server, true);
}

static void write_by_gate(struct bench_store *store)
{
	bench_check(gate_write(store->store.gate_fds[0], SERVERS_PATH, BENCH_VALUE,
			       BENCH_VALUE_LENGTH, NULL),
		    "write");
}

/* The gate alone, as store-gate measures it: the first write of a batch, which wakes
 * the ring's reader, is not part of it. */
static void measure_gate(struct bench_store *store)
{
	static uint64_t spent[GATE_BATCHES];

	for (int n = 0; n < GATE_BATCHES; n++) {
		uint64_t start;

		bench_store_drain(store);
		write_by_gate(store);
		start = bench_now_ns();
		for (int i = 0; i < GATE_BATCH; i++)
			write_by_gate(store);
		spent[n] = bench_now_ns() - start;
	}
	bench_store_drain(store);
	bench_say("gate", bench_median(spent, GATE_BATCHES) / GATE_BATCH);
}

static void measure_blocking(struct server *server)
{
	measure_one_client(server, false);
}

static void say_rate(const struct server *server, uint32_t n_requests, uint64_t spent_ns)
{
	char label[64];

	snprintf(label, sizeof(label), "%s_rate", server->label);
	bench_say(label, n_requests * 1e9 / (double)spent_ns);
}

static void measure_pipelined(struct server *server)
{
	struct client *client = &server->clients[0];
	uint64_t spent_ns = 0;

	for (uint32_t n = 0; n < PIPELINED_REQUESTS; n += 8 * DEPTH_MAX) {
		uint64_t start;

		drain(server);
		start = bench_now_ns();
		for (int i = 0; i < 8; i++) {
			send_request(server, client, DEPTH_MAX);
			do
				await_response(server, client);
			while (!read_response(server, client, DEPTH_MAX));
		}
		spent_ns += bench_now_ns() - start;
	}
	say_rate(server, PIPELINED_REQUESTS, spent_ns);
}

/* Every client always has one request in flight. */
static void measure_many(struct server *server)
{
	struct epoll_event events[CLIENTS_MAX];
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	uint32_t n_sent = 0, n_done = 0, n_drained = 0;
	uint64_t start;

	for (uint32_t i = 0; i < server->n_clients; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, server->clients[i].fd, &event))
			bench_fail("epoll: %s", strerror(errno));
	}
	start = bench_now_ns();
	for (; n_sent < server->n_clients; n_sent++)
		send_request(server, &server->clients[n_sent], 1);
	while (n_done < MANY_REQUESTS) {
		int n = epoll_wait(epoll_fd, events, CLIENTS_MAX, 10000);

		if (n <= 0)
			bench_fail("%s: epoll_wait: %s", server->label,
				   n < 0 ? strerror(errno) : "no response for 10 s");
		for (int i = 0; i < n; i++) {
			struct client *client = &server->clients[events[i].data.u32];

			if (!read_response(server, client, 1))
				continue;
			n_done++;
			if (n_sent < MANY_REQUESTS) {
				send_request(server, client, 1);
				n_sent++;
			}
		}
		if (n_done - n_drained >= DRAIN_MANY) {
			drain(server); /* includes the work of a watcher */
			n_drained = n_done;
		}
	}
	say_rate(server, MANY_REQUESTS, bench_now_ns() - start);
	close(epoll_fd);
}

/* --- memory --- */

static void say_memory(const struct server *server)
{
	static const char *const fields[][2] = { { "VmRSS:", "rss" },
						 { "RssAnon:", "rss_anon" },
						 { "RssFile:", "rss_file" } };
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", server->pids[0]);
	file = fopen(path, "r");
	if (!file)
		bench_fail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < 3; i++)
			if (strncmp(line, fields[i][0], strlen(fields[i][0])) == 0)
				bench_say(fields[i][1], atof(line + strlen(fields[i][0])) / 1024);
	fclose(file);
}

/* Check that every answered request is in the store exactly once. */
static void check_revision(const struct server *server, uint64_t n_expected)
{
	uint64_t revision = bench_store_revision(&server->store[0]);

	if (revision != n_expected)
		bench_fail("%llu revisions for %llu writes", (unsigned long long)revision,
			   (unsigned long long)n_expected);
}

int main(int argc, char **argv)
{
	static struct bench_store store;
	static struct server gateway, redis, etcd;
	struct server *const servers[] = { &gateway, &redis, &etcd };
	void (*measure)(struct server * server) = measure_one;
	uint32_t n_clients = 1, n_requests = ONE_REQUESTS, n_by_gate = 0;
	bool watched = false;
	int n_rounds;

	if (argc != 7 && argc != 9)
		bench_fail(
			"usage: store-gateway one|blocking|watched|pipelined|many CPUS ROUNDS GATEWAY-PROGRAM "
			"CALF-DIRECTORY REDIS-SOCKET|- [ETCD-SOCKET ETCD-TOKEN]");
	bench_pin(argv[2]);
	n_rounds = atoi(argv[3]);
	if (strcmp(argv[1], "one") == 0) {
		n_by_gate = GATE_REQUESTS;
	} else if (strcmp(argv[1], "blocking") == 0) {
		measure = measure_blocking;
	} else if (strcmp(argv[1], "watched") == 0) {
		watched = true;
	} else if (strcmp(argv[1], "pipelined") == 0) {
		measure = measure_pipelined;
		n_requests = PIPELINED_REQUESTS;
	} else if (strcmp(argv[1], "many") == 0) {
		measure = measure_many;
		n_requests = MANY_REQUESTS;
		n_clients = CLIENTS_MAX;
	}

	bench_store_init(&store, 256, n_clients > 1 ? n_clients : SUBJECTS);
	servers_start_gateways(&gateway, &store, n_clients, argv[4], argv[5]);
	if (strcmp(argv[6], "-") != 0)
		servers_connect_redis(&redis, n_clients, argv[6]);
	if (argc == 9)
		servers_connect_etcd(&etcd, argv[7], argv[8]);
	for (size_t i = 0; i < 3; i++) {
		if (servers[i]->n_clients)
			open_server(servers[i]);
		if (servers[i]->n_clients && watched)
			servers_start_watcher(servers[i]);
	}
	bench_say("clients", n_clients);
	for (int round = 0; round < n_rounds; round++) {
		for (size_t i = 0; i < 3; i++)
			if (servers[i]->n_clients)
				measure(servers[i]);
		if (n_by_gate)
			measure_gate(&store);
	}
	check_revision(&gateway, n_clients + (uint64_t)n_rounds * (n_requests + n_by_gate));
	say_memory(&gateway);
	for (size_t i = 0; i < 3; i++)
		servers_stop_watcher(servers[i]);
	servers_stop_gateways(&gateway);
	return 0;
}
