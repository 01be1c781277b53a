/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start of the store with --takeover: which identity the calf gets, with the
 * program that is installed, and with ones in its place that hang or lie.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bpf/program.h"
#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define DIRECTORY "/var/lib/dhcpcd"
#define LEASE DIRECTORY "/up0.lease"
#define UNKNOWN "up0: the identity of the former DHCP client is unknown: "
#define ADVICE                                                                              \
	"; if the server leases another address, set client_id (or duid and iaid) to what " \
	"that client sent\n"

static struct supervisor s;
static struct options options;
static struct description description;
static char *command_line[] = { (char[]){ "calfpen-priv" }, (char[]){ "-i" }, (char[]){ "up0" } };

static void sh(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command); /* NOLINT(cert-env33-c) */
}

static void setup(void)
{
	char calf[64];

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	s.self_program = open_program("calfpen-priv");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	snprintf(calf, sizeof(calf), "/proc/self/fd/%d", open_program("calves/dhcp4"));
	cr_assert_eq(description_load(calf, &description), 0);
	/* the guest has none */
	(void)mkdir("/etc", 0755);
	(void)mkdir("/var", 0755);
	(void)mkdir("/var/lib", 0755);
	cr_assert_eq(mount("tmpfs", "/var/lib", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/etc", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount("sysfs", "/sys", "sysfs", 0, NULL), 0);
	cr_assert_eq(mount("bpffs", "/sys/fs/bpf", "bpf", 0, "mode=0700"), 0);
	sh("ip link add up0 address 02:00:00:00:77:02 type veth peer name peer0");
	options = (struct options){
		.argv = command_line,
		.argc = 3,
		.instance = "up0",
		.uplink = "up0",
		.state = "/var/lib/calfpen/up0",
		.mode = -1,
		.quarantine_s = -1,
		.takeover = true,
	};
	s.options = &options;
	s.descriptions = &description;
	s.n_descriptions = 1;
	s.uid_base = 1900000000;
	s.stop_fd = -1;
	cr_assert_eq(configuration_load(&options, &description, 1, &s.configuration), 0);
	cr_assert_eq(netlink_new(&s.netlink), 0);
	cr_assert_eq(netlink_link_get_by_name(s.netlink, "up0", &s.uplink), 0);
	cr_assert_eq(mkdir(DIRECTORY, 0755), 0);
	capture_begin();
}

static void teardown(void)
{
	if (s.pins.directory[0])
		pins_deinit(&s.pins);
}

TestSuite(supervisor_identity, .init = setup, .fini = teardown);

/* A lease of 10.77.0.150 whose server echoed the identifier 01:02:03. */
static void write_lease(void)
{
	sh("{ printf '\\2\\1\\6'; head -c 13 /dev/zero; printf '\\12\\115\\0\\226';"
	   "  head -c 8 /dev/zero; printf '\\2\\0\\0\\0\\167\\2'; head -c 202 /dev/zero;"
	   "  printf '\\143\\202\\123\\143\\75\\3\\1\\2\\3\\377'; } >" LEASE);
}

/* Start the store and return the value of a key, "" if there is none. */
static const char *value_of(const char *path)
{
	static struct kv_value value;
	int r = gate_read(s.store.gate_fds[KV_SUBJECT_SUPERVISOR], path, &value);

	cr_assert(r == 0 || r == -ENOENT, "%s: %d", path, r);
	return r ? "" : value.text;
}

static char client_id_key[KV_PATH_SIZE] = "/config/dhcp4/client_id";

static void expect_start(const char *client_id, const char *address, const char *log)
{
	cr_assert_eq(supervisor_open_store(&s), 0);
	cr_assert_eq(supervisor_begin_store(&s), 0);
	cr_assert_eq(supervisor_start_store(&s), 0);
	cr_expect_str_eq(value_of(client_id_key), client_id);
	cr_expect_str_eq(value_of("/address"), address);
	cr_expect_str_eq(capture_text(), log);
	cr_expect_eq(access("/var/lib/calfpen/up0/identity", F_OK) == 0,
		     strcmp(client_id, "mac") != 0);
}

Test(supervisor_identity, U33_is_read)
{
	write_lease();
	expect_start("010203", "10.77.0.150/32",
		     "up0: continuing as dhcpcd (" LEASE "): client_id 010203\n");
}

/* The calf of the lease is the one that writes the address, whatever its name. */
Test(supervisor_identity, U33_of_another_calf)
{
	static const char former[] = "/config/dhcp4/", later[] = "/config/lan4/";

	for (uint32_t i = 0; i < description.n_keys; i++) {
		char name[KV_PATH_SIZE], *path = description.keys[i].path;

		if (strncmp(path, former, strlen(former)) != 0)
			continue;
		(void)strcpy(name, path + strlen(former));
		(void)snprintf(path, sizeof(name), "%s%.40s", later, name);
	}
	(void)strcpy(description.name, "lan4");
	configuration_deinit(&s.configuration);
	cr_assert_eq(configuration_load(&options, &description, 1, &s.configuration), 0);
	(void)strcpy(client_id_key, "/config/lan4/client_id");
	write_lease();
	expect_start("010203", "10.77.0.150/32",
		     "up0: continuing as dhcpcd (" LEASE "): client_id 010203\n");
}

Test(supervisor_identity, U33_nothing_to_take_over)
{
	expect_start("mac", "", "");
}

/* The IAID that dhcpcd makes of the VLAN's id; the server echoed no identifier. */
Test(supervisor_identity, U33_vlan)
{
	if (system("ip link add link up0 name up0.5 type vlan id 5 2>/dev/null")) /* NOLINT */
		cr_skip_test("no VLANs in this kernel");
	cr_assert_eq(netlink_link_get_by_name(s.netlink, "up0.5", &s.uplink), 0);
	write_lease();
	sh("cd " DIRECTORY "; head -c 240 up0.lease >up0.5.lease;"
	   "echo 00:01:02:03 >duid; echo duid >/etc/dhcpcd.conf");
	expect_start("ffff00000500010203", "10.77.0.150/32",
		     "up0.5: continuing as dhcpcd (" DIRECTORY "/up0.5.lease): client_id "
		     "ffff00000500010203\n");
}

/* Run a shell command in place of the role; descriptors as in enum migrate_fd. */
static void replace_role(char *command)
{
	static char shell[] = "sh", option[] = "-c";
	static char *argv[3];

	argv[0] = shell;
	argv[1] = option;
	argv[2] = command;
	options.argv = argv;
	s.self_program = open("/bin/sh", O_PATH | O_CLOEXEC);
	cr_assert_geq(s.self_program, 0);
	write_lease();
	sh("ip addr add 10.77.0.150/24 dev up0");
}

Test(supervisor_identity, U33_reader_that_hangs)
{
	uint64_t start_ns = clock_now_ns(CLOCK_BOOTTIME);

	replace_role((char[]){ "exec sleep 100" });
	expect_start("mac", "10.77.0.150/24", UNKNOWN LEASE " is not readable" ADVICE);
	cr_expect_lt(clock_now_ns(CLOCK_BOOTTIME) - start_ns, 20 * NS_PER_S);
}

/* The start is to end: no wait goes on. */
Test(supervisor_identity, U33_reader_that_hangs_at_the_end)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	s.stop_fd = fds[0]; /* readable */
	replace_role((char[]){ "exec sleep 100" });
	expect_start("mac", "10.77.0.150/24", UNKNOWN LEASE " is not readable" ADVICE);
}

#define LIE(_name, _command)                                                                    \
	Test(supervisor_identity, U33_reader_that_##_name)                                      \
	{                                                                                       \
		replace_role((char[]){ _command });                                             \
		expect_start("mac", "10.77.0.150/24", UNKNOWN LEASE " is not readable" ADVICE); \
	}

LIE(fails, "exit 1")
LIE(is_killed, "kill -9 $$")
LIE(says_nothing, "exit 0")
LIE(says_too_little, "printf '\\4\\3' >&7")
LIE(says_nonsense, "head -c 144 /dev/zero | tr '\\0' '\\377' >&7")
/* more than the pipe holds */
LIE(says_too_much, "exec cat /dev/zero >&7")
