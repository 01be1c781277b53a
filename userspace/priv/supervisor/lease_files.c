/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/lease_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETWORK_MANAGER_DIRECTORY "/var/lib/NetworkManager"
#define ENTRIES_MAX 4096 /* of that directory */
#define UUID_LENGTH 36

/* Where the clients keep their files; "%s" is the interface. Debian's paths, then those
 * of other distributions. */
static const struct place {
	enum migrate_format format;
	const char *lease, *duid, *configuration;
} places[] = {
	{ MIGRATE_DHCPCD, "/var/lib/dhcpcd/%s.lease", "/var/lib/dhcpcd/duid", "/etc/dhcpcd.conf" },
	{ MIGRATE_DHCPCD, "/var/db/dhcpcd/%s.lease", "/var/db/dhcpcd/duid", "/etc/dhcpcd.conf" },
	{ MIGRATE_DHCLIENT, "/var/lib/dhcp/dhclient.%s.leases", NULL, "/etc/dhcp/dhclient.conf" },
	{ MIGRATE_DHCLIENT, "/var/lib/dhcp/dhclient.leases", NULL, "/etc/dhcp/dhclient.conf" },
	{ MIGRATE_DHCLIENT, "/var/lib/dhclient/dhclient.leases", NULL, "/etc/dhcp/dhclient.conf" },
};

static const struct {
	const char *program, *comm;
} programs[] = {
	[MIGRATE_DHCPCD] = { "dhcpcd", "dhcpcd" },
	[MIGRATE_DHCLIENT] = { "dhclient", "dhclient" },
	[MIGRATE_NETWORKD] = { "systemd-networkd", "systemd-network" }, /* 15 characters */
	[MIGRATE_NETWORK_MANAGER] = { "NetworkManager", "NetworkManager" },
};

const char *lease_files_program(enum migrate_format format)
{
	return programs[format].program;
}

bool lease_files_is_written_by(enum migrate_format format, const char *comm)
{
	return strcmp(programs[format].comm, comm) == 0;
}

static void refuse(struct lease_files *leases, const char *path, const char *why)
{
	(void)snprintf(leases->refused, sizeof(leases->refused), "%s %s", path, why);
}

/* Open a regular file of at most `max` bytes. Returns its descriptor, or -1; errno is
 * ENOENT if it does not exist, else it is noted why it was not opened. */
static int open_file(struct lease_files *leases, const char *path, int flags, uint32_t max,
		     struct stat *status)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		errno = ENOENT;
		return -1;
	}
	if (fd < 0)
		refuse(leases, path, errno == ELOOP ? "is a symbolic link" : "cannot be opened");
	else if (fstat(fd, status) || !S_ISREG(status->st_mode))
		refuse(leases, path, "is not a regular file");
	else if (status->st_size > (off_t)max)
		refuse(leases, path, "is too large");
	else
		return fd;
	if (fd >= 0)
		close(fd);
	errno = EINVAL;
	return -1;
}

static void close_lease(struct lease_file *lease)
{
	int *const fds[] = { &lease->lease_fd, &lease->duid_fd, &lease->configuration_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static bool is_newer(const struct lease_file *a, const struct lease_file *b)
{
	return a->changed.tv_sec != b->changed.tv_sec ? a->changed.tv_sec > b->changed.tv_sec :
							a->changed.tv_nsec > b->changed.tv_nsec;
}

/* Insert it before all older ones; the oldest is dropped if there are too many. */
static void insert(struct lease_files *leases, const struct lease_file *lease)
{
	uint32_t i = leases->n;

	while (i > 0 && is_newer(lease, &leases->list[i - 1]))
		i--;
	if (i == LEASE_FILES_MAX) {
		struct lease_file dropped = *lease;

		close_lease(&dropped);
		return;
	}
	if (leases->n == LEASE_FILES_MAX)
		close_lease(&leases->list[--leases->n]);
	memmove(&leases->list[i + 1], &leases->list[i], (leases->n - i) * sizeof(leases->list[0]));
	leases->list[i] = *lease;
	leases->n++;
}

/* Add a lease file with what belongs to it (NULL: nothing), if it exists. */
static void add(struct lease_files *leases, enum migrate_format format, const char *lease_path,
		const char *duid_path, const char *configuration_path)
{
	struct lease_file lease = {
		.format = format, .lease_fd = -1, .duid_fd = -1, .configuration_fd = -1
	};
	struct stat status, other;

	lease.lease_fd = open_file(leases, lease_path, O_NOFOLLOW, MIGRATE_LEASE_MAX, &status);
	if (lease.lease_fd < 0)
		return;
	(void)snprintf(lease.path, sizeof(lease.path), "%s", lease_path);
	lease.changed = status.st_mtim;
	/* Without its DUID a lease may still tell the identifier. */
	if (duid_path)
		lease.duid_fd =
			open_file(leases, duid_path, O_NOFOLLOW, MIGRATE_DUID_FILE_MAX, &other);
	if (configuration_path) {
		lease.configuration_fd =
			open_file(leases, configuration_path, 0, MIGRATE_CONFIGURATION_MAX, &other);
		if (lease.configuration_fd < 0 && errno != ENOENT) {
			close_lease(&lease);
			return;
		}
	}
	insert(leases, &lease);
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < UUID_LENGTH; i++)
		if (!strchr("0123456789abcdefABCDEF-", text[i]) || text[i] == '\0')
			return false;
	return true;
}

/* PREFIX-UUID-INTERFACE.lease */
static bool has_name(const char *name, const char *prefix, const char *interface)
{
	size_t n_prefix = strlen(prefix), n_interface = strlen(interface);
	const char *at = name + n_prefix;

	return strlen(name) == n_prefix + UUID_LENGTH + 1 + n_interface + strlen(".lease") &&
	       strncmp(name, prefix, n_prefix) == 0 && is_uuid(at) && at[UUID_LENGTH] == '-' &&
	       strncmp(at + UUID_LENGTH + 1, interface, n_interface) == 0 &&
	       strcmp(at + UUID_LENGTH + 1 + n_interface, ".lease") == 0;
}

/* A connection may have been replaced by another one: there is a file for each. */
static void find_network_managers(const char *root, const char *interface,
				  struct lease_files *leases)
{
	char directory[PATH_MAX / 2], path[PATH_MAX], configuration[PATH_MAX];
	struct dirent *entry;
	DIR *entries;

	(void)snprintf(directory, sizeof(directory), "%s" NETWORK_MANAGER_DIRECTORY, root);
	(void)snprintf(configuration, sizeof(configuration), "%s/dhclient-%s.conf", directory,
		       interface);
	entries = opendir(directory);
	if (!entries)
		return;
	for (int i = 0; i < ENTRIES_MAX && (entry = readdir(entries)); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (has_name(entry->d_name, "internal-", interface))
			add(leases, MIGRATE_NETWORK_MANAGER, path, NULL, NULL);
		else if (has_name(entry->d_name, "dhclient-", interface))
			add(leases, MIGRATE_DHCLIENT, path, NULL, configuration);
	}
	closedir(entries);
}

void lease_files_find(const char *root, const char *interface, int ifindex,
		      struct lease_files *leases)
{
	char name[PATH_MAX / 4], lease[PATH_MAX], duid[PATH_MAX], configuration[PATH_MAX];

	leases->n = 0;
	leases->refused[0] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];
		const char *mark = strstr(place->lease, "%s");

		if (mark)
			(void)snprintf(name, sizeof(name), "%.*s%s%s", (int)(mark - place->lease),
				       place->lease, interface, mark + 2);
		else
			(void)snprintf(name, sizeof(name), "%s", place->lease);
		(void)snprintf(lease, sizeof(lease), "%s%s", root, name);
		(void)snprintf(duid, sizeof(duid), "%s%s", root, place->duid ? place->duid : "");
		(void)snprintf(configuration, sizeof(configuration), "%s%s", root,
			       place->configuration);
		add(leases, place->format, lease, place->duid ? duid : NULL, configuration);
	}
	(void)snprintf(lease, sizeof(lease), "%s/run/systemd/netif/leases/%d", root, ifindex);
	add(leases, MIGRATE_NETWORKD, lease, NULL, NULL);
	find_network_managers(root, interface, leases);
}

void lease_files_close(struct lease_files *leases)
{
	for (uint32_t i = 0; i < leases->n; i++)
		close_lease(&leases->list[i]);
	leases->n = 0;
}
