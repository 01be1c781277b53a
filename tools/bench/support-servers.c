/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/support-servers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/priv/description/description.h"
#include "userspace/priv/key_table.h"
#include "userspace/priv/roles.h"

#define UID_BASE 1900100000u
#define N_FDS (_GATEWAY_FD_END - GATEWAY_FD_GATE)

/* --- gateways --- */

static int seal_keys(uint32_t uid, const char *calf)
{
	static struct description description;
	struct key_table table = { .uid = uid };
	int fd;

	if (description.n_keys == 0 && description_load(calf, &description))
		bench_fail("%s: cannot load the description", calf);
	table.log_bytes_per_second = description.log_bytes_per_second;
	table.log_burst = description.log_burst;
	table.n_keys = description.n_keys;
	memcpy(table.name, description.name, sizeof(table.name));
	memcpy(table.keys, description.keys, sizeof(table.keys));
	fd = key_table_seal(&table);
	if (fd < 0)
		bench_fail("keys: %s", strerror(-fd));
	return fd;
}

static void execute_gateway(const char *program, const int fds[N_FDS])
{
	char *argv[] = { (char[]){ "calfpen-gateway" }, NULL };
	char *no_environment[] = { NULL };
	int high[N_FDS], null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < N_FDS; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 400);
	(void)dup2(null, 0);
	(void)dup2(2, 1);
	for (int i = 0; i < N_FDS; i++)
		if (high[i] < 0 || dup2(high[i], GATEWAY_FD_GATE + i) < 0)
			_exit(91);
	(void)syscall(SYS_close_range, (unsigned int)_GATEWAY_FD_END, ~0u, 0);
	execve(program, argv, no_environment);
	_exit(92);
}

static void start_gateway(struct server *server, uint32_t i_subject, const char *program,
			  const char *calf)
{
	struct client *client = &server->clients[server->n_clients];
	int gate = server->store->store.gate_fds[i_subject];
	int control[2], out[2], err[2], keys = seal_keys(UID_BASE + 4 * i_subject, calf);
	/* Mapped as in production, so that memory is the same; nothing is watched. */
	int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bench_ring", 0, 0, KV_WATCH_SIZE, NULL);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* no syslog */
	pid_t pid;

	/* as the supervisor creates them */
	if (ring < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) ||
	    pipe2(out, O_CLOEXEC | O_NONBLOCK) || pipe2(err, O_CLOEXEC | O_NONBLOCK) ||
	    fcntl(control[1], F_SETFL, O_NONBLOCK))
		bench_fail("channels: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (pid == 0)
		execute_gateway(program, (const int[N_FDS]){ gate, control[1], out[0], err[0], ring,
							     keys, null, null });
	close(null);
	close(keys);
	close(ring);
	close(control[1]);
	close(out[0]);
	close(err[0]);
	/* out[1] and err[1] stay open: the calf's ends of its log pipes */
	client->fd = control[0];
	server->pids[server->n_clients++] = pid;
}

void servers_start_gateways(struct server *server, struct bench_store *store, uint32_t n,
			    const char *program, const char *calf)
{
	server->label = "gateway";
	server->store = store;
	for (uint32_t i = 0; i < n; i++)
		start_gateway(server, i, program, calf);
}

void servers_stop_gateways(const struct server *server)
{
	for (uint32_t i = 0; i < server->n_clients; i++) {
		close(server->clients[i].fd);
		(void)kill(server->pids[i], SIGKILL);
		(void)waitpid(server->pids[i], NULL, 0);
	}
}

/* --- redis and etcd --- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		bench_fail("%s: too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		bench_fail("%s: %s", path, strerror(errno));
	return fd;
}

void servers_connect_redis(struct server *server, uint32_t n, const char *socket_path)
{
	server->label = "redis";
	server->socket_path = socket_path;
	while (server->n_clients < n)
		server->clients[server->n_clients++].fd = connect_to(socket_path);
}

void servers_connect_etcd(struct server *server, const char *socket_path, const char *token)
{
	static struct etcd etcd;

	server->label = "etcd";
	server->socket_path = socket_path;
	server->etcd = &etcd;
	server->clients[0].fd = connect_to(socket_path);
	server->n_clients = 1;
	etcd_init(&etcd, server->clients[0].fd, token);
}

/* --- watchers: one process that sleeps until it is notified of a write --- */

static int ignore(void *data, void *record, size_t size)
{
	(void)data;
	(void)record;
	(void)size;
	return 0;
}

static void watch_store(const struct bench_store *store)
{
	struct ring_buffer *ring = ring_buffer__new(store->store.events_fd, ignore, NULL, NULL);

	while (ring && ring_buffer__poll(ring, -1) >= 0)
		;
	_exit(1);
}

static void ask_redis(int fd, const char *request)
{
	char bytes[512];

	if (write(fd, request, strlen(request)) < 0 || read(fd, bytes, sizeof(bytes)) <= 0 ||
	    bytes[0] == '-')
		bench_fail("redis refused: %s", request);
}

static void watch_redis(int fd)
{
	char bytes[4096];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	_exit(1);
}

static void watch_etcd(struct etcd *etcd)
{
	etcd_read_events(etcd);
	_exit(1);
}

void servers_start_watcher(struct server *server)
{
	static struct etcd etcd;
	int fd = -1;

	if (server->etcd) {
		etcd_init(&etcd, connect_to(server->socket_path), server->etcd->token);
		etcd_watch(&etcd, SERVERS_PATH);
	} else if (!server->store) {
		fd = connect_to(server->socket_path);
		ask_redis(fd, "CONFIG SET notify-keyspace-events K$\r\n");
		ask_redis(fd, "PSUBSCRIBE __keyspace@0__:*\r\n");
	}
	server->watcher = fork();
	if (server->watcher < 0)
		bench_fail("fork: %s", strerror(errno));
	if (server->watcher > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (server->store)
		watch_store(server->store);
	else if (server->etcd)
		watch_etcd(&etcd);
	watch_redis(fd);
}

void servers_stop_watcher(const struct server *server)
{
	if (!server->watcher)
		return;
	if (waitpid(server->watcher, NULL, WNOHANG) != 0)
		bench_fail("%s: the watcher has exited", server->label);
	(void)kill(server->watcher, SIGKILL);
	(void)waitpid(server->watcher, NULL, 0);
}
