/* SPDX-License-Identifier: Apache-2.0 */
/* Which lease files are found and opened, below a directory of the test's. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "userspace/common/directory.h"
#include "userspace/priv/supervisor/lease_files.h"

#define UUID "2d3b3c1e-8f0a-4c63-9f5e-1c2d3e4f5a6b"
#define NM "var/lib/NetworkManager/"

static struct lease_files leases;

static void setup(void)
{
	static const char *const directories[] = {
		"var/lib/dhcpcd",	  "var/db/dhcpcd", "var/lib/dhcp",
		"var/lib/dhclient",	  "etc/dhcp",	   "run/systemd/netif/leases",
		"var/lib/NetworkManager",
	};

	scratch_make();
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		cr_assert_eq(directory_make(scratch_path(directories[i]), 0755), 0);
}

static void teardown(void)
{
	lease_files_close(&leases);
	scratch_remove();
}

TestSuite(lease_files, .init = setup, .fini = teardown);

/* A file that was changed `age` seconds ago. */
static void make_file(const char *name, time_t age)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   { .tv_sec = time(NULL) - age } };

	scratch_write_text(name, name, 0600);
	cr_assert_eq(utimensat(AT_FDCWD, scratch_path(name), times, 0), 0);
}

/* The paths that were found, without the root. */
static const char *found(void)
{
	static char text[8192];
	char *at = text;

	lease_files_close(&leases);
	text[0] = '\0';
	lease_files_find(scratch, "up-0", 7, &leases);
	for (uint32_t i = 0; i < leases.n; i++)
		at += sprintf(at, "%s%s", i ? " " : "", leases.list[i].path + strlen(scratch) + 1);
	return text;
}

static const char *refused(void)
{
	return leases.refused[0] ? leases.refused + strlen(scratch) + 1 : "";
}

static void expect_text(int fd, const char *expected)
{
	char text[256] = "";

	if (fd >= 0)
		cr_assert_geq(read(fd, text, sizeof(text) - 1), 0);
	cr_expect_str_eq(text, expected);
}

Test(lease_files, U33_every_client)
{
	static const struct {
		const char *name;
		enum migrate_format format;
		const char *duid, *configuration;
	} rows[] = {
		{ "var/lib/dhcpcd/up-0.lease", MIGRATE_DHCPCD, "var/lib/dhcpcd/duid",
		  "etc/dhcpcd.conf" },
		{ "var/db/dhcpcd/up-0.lease", MIGRATE_DHCPCD, "var/db/dhcpcd/duid",
		  "etc/dhcpcd.conf" },
		{ "var/lib/dhcp/dhclient.up-0.leases", MIGRATE_DHCLIENT, "",
		  "etc/dhcp/dhclient.conf" },
		{ "var/lib/dhcp/dhclient.leases", MIGRATE_DHCLIENT, "", "etc/dhcp/dhclient.conf" },
		{ "var/lib/dhclient/dhclient.leases", MIGRATE_DHCLIENT, "",
		  "etc/dhcp/dhclient.conf" },
		{ "run/systemd/netif/leases/7", MIGRATE_NETWORKD, "", "" },
		{ NM "internal-" UUID "-up-0.lease", MIGRATE_NETWORK_MANAGER, "", "" },
		{ NM "dhclient-" UUID "-up-0.lease", MIGRATE_DHCLIENT, "",
		  NM "dhclient-up-0.conf" },
	};

	cr_expect_str_eq(found(), "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_file(rows[i].name, 0);
		cr_expect_str_eq(found(), rows[i].name);
		cr_expect_eq(leases.list[0].format, rows[i].format);
		expect_text(leases.list[0].lease_fd, rows[i].name);
		expect_text(leases.list[0].duid_fd, "");
		expect_text(leases.list[0].configuration_fd, "");
		if (rows[i].duid[0])
			make_file(rows[i].duid, 0);
		if (rows[i].configuration[0])
			make_file(rows[i].configuration, 0);
		cr_expect_str_eq(found(), rows[i].name);
		expect_text(leases.list[0].duid_fd, rows[i].duid);
		expect_text(leases.list[0].configuration_fd, rows[i].configuration);
		cr_expect_str_eq(refused(), "");
		cr_assert_eq(unlink(scratch_path(rows[i].name)), 0);
		unlink(scratch_path(rows[i].duid));
		unlink(scratch_path(rows[i].configuration));
	}
}

Test(lease_files, U33_other_names)
{
	static const char *const names[] = {
		"var/lib/dhcpcd/up-0.lease6",
		"var/lib/dhcpcd/up-1.lease",
		"run/systemd/netif/leases/8",
		NM "internal-" UUID "-0.lease",
		NM "internal-" UUID "-my-up-0.lease",
		NM "internal-" UUID "-up-0.leases",
		NM "internal-" UUID "up-0.lease",
		NM "internal-2d3b3c1e-up-0.lease",
		NM "internal-2d3b3c1e-8f0a-4c63-9f5e-1c2d3e4f5a6x-up-0.lease",
		NM "internal6-" UUID "-up-0.lease",
		NM "dhclient6-" UUID "-up-0.lease",
		NM "x-" UUID "-up-0.lease",
		NM "internal-" UUID,
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_file(names[i], 0);
	cr_expect_str_eq(found(), "");
	cr_expect_str_eq(refused(), "");
}

Test(lease_files, U33_newest_first)
{
	char name[128], expected[4096];
	char *at = expected;
	uint32_t n_open = 0;

	make_file("var/lib/dhcp/dhclient.leases", 100);
	make_file("var/lib/dhcpcd/up-0.lease", 300);
	make_file("run/systemd/netif/leases/7", 200);
	cr_expect_str_eq(found(), "var/lib/dhcp/dhclient.leases run/systemd/netif/leases/7 "
				  "var/lib/dhcpcd/up-0.lease");
	/* the newest of many, and no descriptor of the others stays open */
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), NM "internal-%08x%s-up-0.lease", i, UUID + 8);
		make_file(name, 10 + i);
		if (i < LEASE_FILES_MAX)
			at += sprintf(at, "%s%s", i ? " " : "", name);
	}
	cr_expect_str_eq(found(), expected);
	lease_files_close(&leases);
	for (int fd = 3; fd < 256; fd++)
		n_open += fcntl(fd, F_GETFD) >= 0;
	lease_files_find(scratch, "up-0", 7, &leases);
	for (int fd = 3; fd < 256; fd++)
		n_open -= fcntl(fd, F_GETFD) >= 0;
	cr_expect_eq(n_open, (uint32_t)-LEASE_FILES_MAX);
}

static void expect_refused(const char *name, const char *why)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%s %s", name, why);
	cr_expect_str_eq(found(), "", "%s", why);
	cr_expect_str_eq(refused(), expected);
	cr_assert_eq(remove(scratch_path(name)), 0);
}

Test(lease_files, U33_hostile_files)
{
	static const char name[] = "run/systemd/netif/leases/7";

	cr_assert_eq(symlink("/etc/hostname", scratch_path(name)), 0);
	expect_refused(name, "is a symbolic link");
	cr_assert_eq(symlink("/nonexistent", scratch_path(name)), 0);
	expect_refused(name, "is a symbolic link");
	cr_assert_eq(mkfifo(scratch_path(name), 0600), 0);
	expect_refused(name, "is not a regular file");
	cr_assert_eq(mkdir(scratch_path(name), 0700), 0);
	expect_refused(name, "is not a regular file");
	make_file(name, 0);
	cr_assert_eq(truncate(scratch_path(name), MIGRATE_LEASE_MAX), 0);
	cr_expect_str_eq(found(), name);
	cr_assert_eq(truncate(scratch_path(name), MIGRATE_LEASE_MAX + 1), 0);
	expect_refused(name, "is too large");
}

/* What is beside the lease file: a DUID that cannot be read is none, as dhcpcd may not
 * send it; a configuration that cannot be read decides nothing. */
Test(lease_files, U33_hostile_companions)
{
	make_file("var/lib/dhcpcd/up-0.lease", 0);
	make_file("var/lib/dhcpcd/target", 0);
	cr_assert_eq(symlink("target", scratch_path("var/lib/dhcpcd/duid")), 0);
	cr_expect_str_eq(found(), "var/lib/dhcpcd/up-0.lease");
	cr_expect_eq(leases.list[0].duid_fd, -1);
	cr_expect_str_eq(refused(), "var/lib/dhcpcd/duid is a symbolic link");
	make_file("etc/real.conf", 0);
	cr_assert_eq(symlink("real.conf", scratch_path("etc/dhcpcd.conf")), 0);
	cr_expect_str_eq(found(), "var/lib/dhcpcd/up-0.lease");
	expect_text(leases.list[0].configuration_fd, "etc/real.conf");
	cr_assert_eq(truncate(scratch_path("etc/real.conf"), MIGRATE_CONFIGURATION_MAX + 1), 0);
	expect_refused("etc/dhcpcd.conf", "is too large");
}

Test(lease_files, U33_programs)
{
	cr_expect(lease_files_is_written_by(MIGRATE_NETWORKD, "systemd-network"),
		  "cut by the kernel");
	cr_expect(lease_files_is_written_by(MIGRATE_DHCLIENT, "dhclient"));
	cr_expect(!lease_files_is_written_by(MIGRATE_DHCLIENT, "dhcpcd"));
	cr_expect(!lease_files_is_written_by(MIGRATE_DHCPCD, ""));
	cr_expect_str_eq(lease_files_program(MIGRATE_NETWORKD), "systemd-networkd");
}
