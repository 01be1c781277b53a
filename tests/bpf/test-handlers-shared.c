/* SPDX-License-Identifier: Apache-2.0 */
/* What instances share, on different kinds of hosts: resolv.conf and names. */
#include "tests/bpf/support-handlers.h"
#include "userspace/common/clock.h"
#include "userspace/priv/chrony/chrony.h"
#include "userspace/priv/handlers/shared.h"
#include "userspace/priv/handlers/timeservers.h"
#include "userspace/priv/roles.h"

static void setup_run(void)
{
	setup();
	EXPECT_SH("mount -t tmpfs tmpfs /run; hostname host.before; "
		  "echo before.example > /proc/sys/kernel/domainname");
}

TestSuite(handlers_shared, .init = setup_run, .fini = teardown);

static const char *status_of(const char *handler)
{
	uint32_t i = 0;

	while (strcmp(handlers_all[i]->name, handler) != 0)
		cr_assert_lt(++i, HANDLERS_ALL_N);
	return handlers.state[i].status;
}

static void expect_status(const char *handler, const char *note)
{
	char status[RECONCILE_STATUS_SIZE];

	(void)snprintf(status, sizeof(status), "ok %llu%s%s", (unsigned long long)wanted.revision,
		       note ? "; " : "", note ? note : "");
	cr_expect_str_eq(status_of(handler), status);
}

/* Become another instance of this host, with an uplink of its own; the wanted state
 * is empty. */
static void be(const char *instance, uint32_t metric)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "ip link add %s type veth 2>/dev/null", instance);
	(void)sh(command); /* it may be there */
	context.uplink_ifindex = (int)if_nametoindex(instance);
	cr_assert_neq(context.uplink_ifindex, 0);
	wanted_clear(&wanted);
	context.instance = instance;
	options.metric = metric;
	(void)snprintf(context.run_directory, PATH_MAX, "/tmp/root/%s", instance);
	cr_assert(mkdir(context.run_directory, 0711) == 0 || errno == EEXIST);
}

Test(handlers_shared, resolved_owns_the_file)
{
	EXPECT_SH("mkdir -p /run/systemd/resolve;"
		  "echo nameserver 127.0.0.53 > /run/systemd/resolve/stub-resolv.conf;"
		  "ln -s /run/systemd/resolve/stub-resolv.conf /tmp/etc/resolv.conf");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_status(
		"dns",
		"/run/systemd/resolve/stub-resolv.conf is managed by systemd-resolved and left unchanged");
	EXPECT_SH("grep -qx 'nameserver 127.0.0.53' /tmp/etc/resolv.conf;"
		  "test $(ls -A /tmp/root | wc -l) = 2");
	/* what the packaging passes to it */
	EXPECT_SH("grep -qx 'nameserver 192.0.2.1' /tmp/root/test/resolv.conf");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_status("dns", NULL);
	EXPECT_SH("test ! -e /tmp/root/test/resolv.conf");
}

Test(handlers_shared, resolved_takes_the_file_over)
{
	EXPECT_SH("echo before > /tmp/etc/resolv.conf");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("mkdir -p /run/systemd/resolve;"
		  "echo '# This is /run/systemd/resolve/resolv.conf' > /tmp/etc/resolv.conf");
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -q /run/systemd /tmp/etc/resolv.conf");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -q /run/systemd /tmp/etc/resolv.conf"); /* nothing is restored */
}

Test(handlers_shared, resolvconf_owns_the_file)
{
	EXPECT_SH("mkdir /run/resolvconf; echo theirs > /run/resolvconf/resolv.conf;"
		  "ln -s /run/resolvconf/resolv.conf /tmp/etc/resolv.conf");
	if (access("/usr/sbin/resolvconf", F_OK) == 0)
		cr_skip_test("resolvconf is installed here");
	/* a link into its directory alone means nothing: LinuxKit has that */
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -q 192.0.2.1 /run/resolvconf/resolv.conf");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx theirs /run/resolvconf/resolv.conf;"
		  "mkdir /tmp/upper /tmp/work; mount -t overlay "
		  "-o lowerdir=/usr/sbin,upperdir=/tmp/upper,workdir=/tmp/work none /usr/sbin;"
		  "touch /usr/sbin/resolvconf; chmod +x /usr/sbin/resolvconf");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_status("dns",
		      "/run/resolvconf/resolv.conf is managed by resolvconf and left unchanged");
	EXPECT_SH("grep -qx theirs /run/resolvconf/resolv.conf");
}

Test(handlers_shared, read_only_root)
{
	EXPECT_SH("echo before > /tmp/etc/resolv.conf; mount --bind /tmp/etc /tmp/etc;"
		  "mount -o remount,bind,ro /tmp/etc");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(pass(), -EROFS);
	cr_expect_str_eq(reason, "error: /tmp/etc/resolv.conf: Read-only file system");
	EXPECT_SH("grep -q 192.0.2.1 /tmp/root/test/resolv.conf");
	/* writable again: the retry succeeds */
	EXPECT_SH("mount -o remount,bind,rw /tmp/etc");
	cr_expect_eq(pass(), 0, "%s", reason);
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx before /tmp/etc/resolv.conf");
}

Test(handlers_shared, domain_name_of_the_kernel)
{
	test_set(&wanted, "/domain", "lab.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = lab.example");
	test_set(&wanted, "/domain", "other.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = other.example");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = before.example;"
		  "test $(ls /tmp/root | wc -l) = 2");
	EXPECT_SH("test $(hostname) = host.before");
}

Test(handlers_shared, domain_name_another_program_changed)
{
	test_set(&wanted, "/domain", "lab.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("echo theirs.example > /proc/sys/kernel/domainname");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = theirs.example");
}

/* The kernel truncates after 64 bytes: half a name is worse than none. */
Test(handlers_shared, domain_name_of_more_than_the_kernel_takes)
{
	static const char longest[] =
		"a23456789012345678901234567890.b23456789012345678901234567890.ex";
	char longer[80];

	cr_assert_eq(strlen(longest), 64);
	test_set(&wanted, "/domain", longest, 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	(void)snprintf(longer, sizeof(longer), "%sa", longest);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname | wc -c) = 65");
	test_set(&wanted, "/domain", longer, 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_status("dns", "domainname: 65 bytes are more than the kernel accepts");
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = before.example");
	EXPECT_SH("grep -q '^domain .*exa$' /tmp/etc/resolv.conf");
}

Test(handlers_shared, read_only_proc_sys_is_noted)
{
	EXPECT_SH("mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys");
	test_set(&wanted, "/domain", "lab.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_status("dns", "/proc/sys/kernel/domainname: Read-only file system");
	EXPECT_SH("grep -qx 'domain lab.example' /tmp/etc/resolv.conf");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_status("dns", NULL);
}

Test(handlers_shared, use_domain_off)
{
	options.use_domain = false;
	test_set(&wanted, "/domain", "lab.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = before.example");
}

Test(handlers_shared, host_name_is_off_unless_asked_for)
{
	test_set(&wanted, "/hostname", "from-the-server", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(hostname) = host.before");
	options.use_hostname = true;
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(hostname) = from-the-server");
	/* a name that the kernel cannot hold */
	test_set(&wanted, "/hostname",
		 "first.b2345678901234567890123456789012345678901234567890123456789.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(hostname) = first");
	test_set(&wanted, "/hostname", "no;name", 0);
	cr_expect_eq(pass(), -EBADMSG);
	cr_expect_str_eq(reason, "error: /hostname is \"no;name\": Bad message");
	EXPECT_SH("test $(hostname) = first");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(hostname) = host.before");
}

/* A watcher that was killed between the note and the name, or after it. */
Test(handlers_shared, name_of_a_killed_pass)
{
	test_set(&wanted, "/domain", "lab.example", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("printf 'before.example\nnew.example\nlab.example\n' "
		  "> /tmp/root/domainname.saved");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = before.example");
}

/* Two uplinks and two leases on one host. */
Test(handlers_shared, two_instances)
{
	EXPECT_SH("echo nameserver 203.0.113.1 > /tmp/etc/resolv.conf");
	options.use_hostname = true;
	be("second", 200);
	test_set(&wanted, "/domain", "second.example", 0);
	test_set(&wanted, "/nameserver/001", "198.51.100.1", 0);
	test_set(&wanted, "/hostname", "second", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(hostname) = second");
	be("first", 100);
	test_set(&wanted, "/domain", "first.example", 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	test_set(&wanted, "/hostname", "first", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("printf '# Generated by calfpen (instances first, second)\n"
		  "search first.example second.example\n"
		  "nameserver 192.0.2.1\nnameserver 198.51.100.1\n' | diff - /tmp/etc/resolv.conf");
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = first.example");
	EXPECT_SH("test $(hostname) = first");
	be("first", 100); /* its lease is gone */
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("printf '# Generated by calfpen (instance second)\ndomain second.example\n"
		  "nameserver 198.51.100.1\n' | diff - /tmp/etc/resolv.conf");
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = second.example");
	EXPECT_SH("test $(hostname) = second");
	be("second", 200);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx 'nameserver 203.0.113.1' /tmp/etc/resolv.conf");
	EXPECT_SH("test $(cat /proc/sys/kernel/domainname) = before.example");
	EXPECT_SH("test $(hostname) = host.before");
	EXPECT_SH("test $(find /tmp/root -type f | wc -l) = 1"); /* the lock */
}

Test(handlers_shared, time_servers)
{
	EXPECT_SH("mkdir /tmp/chrony-dhcp; echo other > /tmp/chrony-dhcp/other.sources");
	test_set(&wanted, "/ntp/001", "192.0.2.1", 0);
	test_set(&wanted, "/ntp/002", "127.0.0.1", 0);
	test_set(&wanted, "/ntp/003", "192.0.2.3", 0);
	cr_expect_eq(pass(), -EBADMSG);
	cr_expect_str_eq(reason, "error: /ntp/002 is \"127.0.0.1\": Bad message");
	EXPECT_SH("printf '192.0.2.1\n192.0.2.3\n' | cmp - /tmp/root/test/ntp-servers");
	EXPECT_SH("printf 'server 192.0.2.1 iburst\nserver 192.0.2.3 iburst\n' |"
		  "cmp - /tmp/chrony-dhcp/test.sources");
	test_remove(&wanted, "/ntp/002");
	EXPECT_SH("stat -c %i /tmp/chrony-dhcp/test.sources > /tmp/inode");
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("stat -c %i /tmp/chrony-dhcp/test.sources | cmp - /tmp/inode");
	cr_expect_null(strstr(status_of("timeservers"), "; "), "no chronyd to ask: %s",
		       status_of("timeservers"));
	options.use_ntp = false;
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH(
		"test ! -e /tmp/root/test/ntp-servers; test $(ls /tmp/chrony-dhcp) = other.sources");
	options.use_ntp = true;
	cr_expect_eq(pass(), 0, "%s", reason);
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH(
		"test ! -e /tmp/root/test/ntp-servers; test $(ls -A /tmp/chrony-dhcp) = other.sources");
}

static unsigned int n_asked;

static void count_asked(void *data)
{
	(void)data;
	n_asked++;
}

static void with_chrony(void)
{
	EXPECT_SH("mkdir /tmp/chrony-dhcp");
	n_asked = 0;
	context.chrony = (struct handler_chrony){ .ask = count_asked, .result = -1 };
}

/* Run one pass over /ntp/. Returns the status after "ok 0". */
static const char *status_of_pass(int error)
{
	const char *status = status_of("timeservers");

	cr_expect_eq(pass_of("/ntp/"), error, "%s", reason);
	if (error)
		return status;
	cr_expect_eq(strncmp(status, "ok ", 3), 0, "%s", status);
	return strchr(status, ';') ? strchr(status, ';') : "";
}

/* chronyd is asked after each change, and once per run. */
Test(handlers_shared, chronyd_is_asked_after_changes)
{
	with_chrony();
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	cr_expect_eq(n_asked, 1, "a previous run may not have asked");
	cr_expect(timeservers_told(&context, CHRONY_RELOADED));
	cr_expect_str_eq(status_of_pass(0), "; chronyd has reloaded its sources");
	test_set(&wanted, "/ntp/001", "192.0.2.1", 0);
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	cr_expect_eq(n_asked, 2);
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	cr_expect_eq(n_asked, 2, "the same again is no change");
	cr_expect(timeservers_told(&context, CHRONY_RELOADED), "after a change it is new");
	cr_expect_str_eq(status_of_pass(0), "; chronyd has reloaded its sources");
	cr_expect_not(timeservers_told(&context, CHRONY_RELOADED), "that is known");
	cr_expect(timeservers_told(&context, CHRONY_NOT_RUNNING));
	cr_expect_str_eq(status_of_pass(0),
			 "; chronyd is not running; it reads /tmp/chrony-dhcp/test.sources "
			 "when it starts");
	test_remove(&wanted, "/ntp/001");
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	cr_expect_eq(n_asked, 3);
	cr_expect(timeservers_told(&context, CHRONY_NOT_RUNNING));
	cr_expect_str_eq(status_of_pass(0), "", "it has nothing to read");
	cr_expect_eq(n_asked, 3);
}

/* A failure is reported, and the reload is requested again by each retry of the pass;
 * meanwhile the status does not change. */
Test(handlers_shared, chronyd_that_cannot_be_asked)
{
	static const struct {
		int result, error;
		const char *status;
	} rows[] = {
		{ CHRONY_SILENT, -ETIMEDOUT,
		  "error: chronyd does not answer in /tmp/chrony: Connection timed out" },
		{ CHRONY_MALFORMED, -EBADMSG,
		  "error: chronyd sent a malformed reply in /tmp/chrony: Bad message" },
		{ CHRONY_REFUSED + 2, -EPROTO,
		  "error: chronyd refused to reload its sources, status 2 (not authorised): "
		  "Protocol error" },
		{ CHRONY_REFUSED + CHRONY_STATUS_MAX, -EPROTO,
		  "error: chronyd refused to reload its sources, status 31 (unknown status): "
		  "Protocol error" },
		{ CHRONY_ERROR + EACCES, -EACCES,
		  "error: chronyd's socket in /tmp/chrony: Permission denied" },
		{ CHRONY_ERROR + ENOTDIR, -ENOTDIR,
		  "error: chronyd's socket in /tmp/chrony: Not a directory" },
		{ CHRONY_FAILED, -EIO,
		  "error: cannot ask chronyd to reload its sources, see the log: Input/output error" },
		{ ROLE_EXIT_CONFINE, -EIO,
		  "error: cannot ask chronyd to reload its sources, see the log: Input/output error" },
		{ CHRONY_ERROR, -EIO,
		  "error: cannot ask chronyd to reload its sources, see the log: Input/output error" },
	};
	unsigned int i;

	with_chrony();
	test_set(&wanted, "/ntp/001", "192.0.2.1", 0);
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n_asked = 0;
		cr_expect(timeservers_told(&context, rows[i].result));
		cr_expect_str_eq(status_of_pass(rows[i].error), rows[i].status);
		cr_expect_eq(n_asked, 0, "the result has just arrived");
		cr_expect_str_eq(status_of_pass(rows[i].error), rows[i].status);
		cr_expect_eq(n_asked, 1, "tried again");
		cr_expect_not(timeservers_told(&context, rows[i].result));
	}
	cr_expect(timeservers_told(&context, CHRONY_RELOADED));
	cr_expect_str_eq(status_of_pass(0), "; chronyd has reloaded its sources");
	/* a changed file makes the result obsolete */
	cr_expect(timeservers_told(&context, CHRONY_SILENT));
	test_set(&wanted, "/ntp/001", "192.0.2.2", 0);
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
}

/* Without use_ntp, chronyd is not asked. */
Test(handlers_shared, chronyd_is_left_alone)
{
	with_chrony();
	options.use_ntp = false;
	test_set(&wanted, "/ntp/001", "192.0.2.1", 0);
	cr_expect_str_eq(status_of_pass(0), "");
	cr_expect_eq(n_asked, 0);
	options.use_ntp = true;
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	options.use_ntp = false;
	cr_expect_str_eq(status_of_pass(0), "; chronyd was asked to reload its sources");
	cr_expect_eq(n_asked, 2, "it is asked after a removal");
}

/* Without chronyd there is no file for it, and no error. */
Test(handlers_shared, time_servers_without_chrony)
{
	context.chrony = (struct handler_chrony){ .ask = count_asked, .result = -1 };
	test_set(&wanted, "/ntp/001", "192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	cr_expect_null(strstr(status_of("timeservers"), "chrony"));
	cr_expect_eq(n_asked, 0);
	EXPECT_SH("test ! -e /tmp/chrony-dhcp; grep -qx 192.0.2.1 /tmp/root/test/ntp-servers");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test ! -e /tmp/root/test/ntp-servers");
}

/* Many instances at once: in any order, the file has all of them. */
Test(handlers_shared, instances_at_the_same_time)
{
	unsigned int i;
	int status;

	for (i = 0; i < 8; i++) {
		pid_t child = fork();

		cr_assert_geq(child, 0);
		if (!child) {
			static char name[8];

			(void)snprintf(name, sizeof(name), "i%u", i);
			be(name, i);
			(void)snprintf(name, sizeof(name), "i%u", i);
			test_set(&wanted, "/search", name, 0);
			_exit(handler_dns.apply(&context, &wanted) ? 1 : 0);
		}
	}
	for (i = 0; i < 8; i++) {
		cr_assert_gt(wait(&status), 0);
		cr_expect_eq(status, 0);
	}
	EXPECT_SH("grep -qx 'search i0 i1 i2 i3 i4 i5' /tmp/etc/resolv.conf");
	EXPECT_SH("grep -q '(instances i0, i1, i2, i3, i4, i5, i6, i7)' /tmp/etc/resolv.conf");
}

/* What handlers do at this time (seconds of CLOCK_BOOTTIME). */
static void apply_at(uint64_t s)
{
	static const struct handler *const shared[] = { &handler_dns, &handler_host,
							&handler_timeservers };

	context.now_ns = s * 1000000000;
	for (uint32_t i = 0; i < 3; i++) {
		context.error[0] = '\0';
		cr_expect_eq(shared[i]->apply(&context, &wanted), 0, "%s", context.error);
	}
}

/* A lease of ten seconds from this time on. */
static void lease_at(uint64_t s)
{
	options.use_hostname = true;
	test_set(&wanted, "/lease/time", "10", s * 1000000000);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	test_set(&wanted, "/domain", "lab.example", 0);
	test_set(&wanted, "/hostname", "leased", 0);
	test_set(&wanted, "/ntp/001", "192.0.2.2", 0);
	apply_at(s);
}

#define LEASED                                                                             \
	"grep -qx 'nameserver 192.0.2.1' /tmp/etc/resolv.conf; test $(hostname) = leased;" \
	"test $(cat /proc/sys/kernel/domainname) = lab.example"
#define AS_BEFORE                                                                                \
	"set -e; test \"$(cat /tmp/etc/resolv.conf)\" = before; test $(hostname) = host.before;" \
	"test $(cat /proc/sys/kernel/domainname) = before.example"

static void with_operators_files(void)
{
	with_chrony();
	EXPECT_SH("echo before > /tmp/etc/resolv.conf");
}

/* The instance that got the lease never runs again; another one starts later. */
Test(handlers_shared, U23_lease_of_a_dead_instance_is_over)
{
	with_operators_files();
	be("dead", 1);
	lease_at(1000);
	EXPECT_SH(LEASED);
	be("test", 2);
	apply_at(1009);
	EXPECT_SH(LEASED);
	EXPECT_SH("test -e /tmp/chrony-dhcp/dead.sources");
	context.chrony.is_due = false;
	n_asked = 0;
	apply_at(1010);
	EXPECT_SH(AS_BEFORE);
	EXPECT_SH("test -z \"$(ls /tmp/root/dead)\" && test ! -e /tmp/chrony-dhcp/dead.sources");
	cr_expect_eq(n_asked, 1, "chronyd drops its servers");
}

/* Nobody removed the keys, because the calf is dead. */
Test(handlers_shared, U23_own_lease_is_over)
{
	with_operators_files();
	lease_at(1000);
	cr_expect_eq(state.shared.next_end_ns, 1010 * NS_PER_S);
	EXPECT_SH(LEASED);
	apply_at(1010);
	EXPECT_SH(AS_BEFORE);
	EXPECT_SH("test ! -e /tmp/chrony-dhcp/test.sources");
	/* it comes back with a new lease */
	test_set(&wanted, "/lease/time", "10", 1020 * NS_PER_S);
	context.now_ns = 1020 * NS_PER_S;
	cr_expect(shared_renew(&context, &wanted));
	lease_at(1020);
	EXPECT_SH(LEASED);
	EXPECT_SH("test -e /tmp/chrony-dhcp/test.sources");
}

/* A renewal of which nothing but the time changes moves the end. */
Test(handlers_shared, U23_renewal_moves_the_end)
{
	with_operators_files();
	lease_at(1000);
	test_set(&wanted, "/lease/time", "10", 1008 * NS_PER_S);
	context.now_ns = 1008 * NS_PER_S;
	cr_expect_not(shared_renew(&context, &wanted), "nothing is composed");
	be("other", 2);
	apply_at(1012);
	EXPECT_SH(LEASED);
	apply_at(1018);
	EXPECT_SH(AS_BEFORE);
}

/* The same uplink under another name, or with another --instance. */
Test(handlers_shared, U23_renamed_uplink_leaves_no_entry)
{
	with_operators_files();
	be("uplink0", 1);
	context.uplink_ifindex = 7;
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	test_set(&wanted, "/ntp/001", "192.0.2.2", 0);
	apply_at(1000);
	be("other", 3); /* another uplink: that of uplink0 is left alone */
	context.uplink_ifindex = 8;
	test_set(&wanted, "/nameserver/001", "192.0.2.3", 0);
	apply_at(1000);
	EXPECT_SH("head -1 /tmp/etc/resolv.conf | grep -q '(instances uplink0, other)'");
	be("enp9s0", 2);
	context.uplink_ifindex = 7;
	test_set(&wanted, "/nameserver/001", "192.0.2.4", 0);
	apply_at(1000);
	EXPECT_SH(
		"head -1 /tmp/etc/resolv.conf | grep -q '(instances enp9s0, other)'; "
		"! grep -q 192.0.2.1 /tmp/etc/resolv.conf; test -z \"$(ls /tmp/root/uplink0)\" && "
		"test ! -e /tmp/chrony-dhcp/uplink0.sources");
}

/* An end is no drift: nobody else changed the file. */
Test(handlers_shared, U23_end_is_no_drift)
{
	with_operators_files();
	be("dead", 1);
	lease_at(1000);
	be("test", 2);
	test_set(&wanted, "/nameserver/001", "192.0.2.9", 0);
	apply_at(1001);
	cr_expect_eq(handler_dns.check(&context, &wanted), 0);
	context.now_ns = 1010 * NS_PER_S;
	cr_expect_eq(handler_dns.check(&context, &wanted), HANDLER_APPLY);
	apply_at(1010);
	EXPECT_SH("test \"$(grep -c . /tmp/etc/resolv.conf)\" = 2; "
		  "grep -qx 'nameserver 192.0.2.9' /tmp/etc/resolv.conf");
}
