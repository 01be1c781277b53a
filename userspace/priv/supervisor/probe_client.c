/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/priv/supervisor/probe.h"

#define DHCP_CLIENT_PORT 68
#define LINE_SIZE 512

int probe_find_udp(FILE *table, uint16_t port, uint64_t *inodep)
{
	char line[LINE_SIZE];

	/* sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode */
	while (fgets(line, sizeof(line), table)) {
		unsigned int local_port;
		uint64_t inode;

		if (sscanf(line,
			   " %*u: %*8x:%4x %*8x:%*4x %*x %*x:%*x %*x:%*x %*x %*u %*u %" SCNu64,
			   &local_port, &inode) != 2)
			continue;
		if (local_port == port) {
			*inodep = inode;
			return 1;
		}
	}
	return 0;
}

int probe_find_packet(FILE *table, unsigned int ifindex, uint64_t *inodep)
{
	char line[LINE_SIZE];

	/* sk RefCnt Type Proto Iface R Rmem User Inode */
	while (fgets(line, sizeof(line), table)) {
		unsigned int protocol, interface;
		uint64_t inode;

		if (sscanf(line, "%*s %*d %*d %4x %u %*d %*u %*u %" SCNu64, &protocol, &interface,
			   &inode) != 3)
			continue;
		if (interface == ifindex && (protocol == ETH_P_ALL || protocol == ETH_P_IP)) {
			*inodep = inode;
			return 1;
		}
	}
	return 0;
}

/* Returns true if the process has the socket open. */
static bool has_socket(const char *pid, const char *wanted)
{
	char path[64 + NAME_MAX], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = opendir(path);
	if (!directory)
		return false; /* it exited, or we may not look into it */
	while (!found && (entry = readdir(directory))) {
		ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			found = strcmp(target, wanted) == 0;
		}
	}
	closedir(directory);
	return found;
}

static void read_program(const char *pid, char *program, size_t size)
{
	char path[64 + NAME_MAX];
	FILE *file;

	program[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(program, (int)size, file))
		program[0] = '\0';
	program[strcspn(program, "\n")] = '\0';
	fclose(file);
}

static void find_owner(uint64_t inode, struct probe_client *client)
{
	struct dirent *entry;
	char wanted[64];
	DIR *proc;

	snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", inode);
	proc = opendir("/proc");
	if (!proc)
		return;
	while (client->pid == 0 && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, wanted))
			continue;
		client->pid = (pid_t)strtol(entry->d_name, NULL, 10);
		read_program(entry->d_name, client->program, sizeof(client->program));
	}
	closedir(proc);
}

/* Find a socket in the table `path`, which does not exist if the kernel has no
 * such sockets. */
static int find_socket(const char *path, int (*find)(FILE *, unsigned int, uint64_t *),
		       unsigned int key, uint64_t *inodep)
{
	FILE *table = fopen(path, "re");
	int found;

	if (!table)
		return errno == ENOENT ? 0 : -errno;
	found = find(table, key, inodep);
	fclose(table);
	return found;
}

static int find_udp(FILE *table, unsigned int port, uint64_t *inodep)
{
	return probe_find_udp(table, (uint16_t)port, inodep);
}

int probe_other_client(const char *uplink, struct probe_client *clientp)
{
	const unsigned int ifindex = if_nametoindex(uplink);
	struct probe_client client = { 0 };
	uint64_t inode = 0;
	int found;

	if (ifindex == 0)
		return -errno;
	found = find_socket("/proc/net/udp", find_udp, DHCP_CLIENT_PORT, &inode);
	if (found == 1) {
		snprintf(client.how, sizeof(client.how), "UDP port %d", DHCP_CLIENT_PORT);
	} else if (found == 0) {
		found = find_socket("/proc/net/packet", probe_find_packet, ifindex, &inode);
		snprintf(client.how, sizeof(client.how), "packet socket on %s", uplink);
	}
	if (found != 1)
		return found;
	find_owner(inode, &client);
	*clientp = client;
	return 1;
}
