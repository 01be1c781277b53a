/* SPDX-License-Identifier: Apache-2.0 */
/* When what an instance says of the host's files ends. */
#include <inttypes.h>

#include "tests/unit/support-providers.h"
#include "userspace/priv/handlers/shared.h"

#define NEVER UINT64_MAX

static void setup(void)
{
	providers_setup();
	context.now_ns = 1000 * S;
}

TestSuite(handlers_shared, .init = setup, .fini = dns_teardown);

/* A lease of so many seconds from now. */
static void lease(const char *seconds)
{
	test_set(&wanted, "/lease/time", seconds, context.now_ns);
}

static int say(enum shared_file file, const char *text, bool ends)
{
	context.error[0] = '\0';
	(void)shared_begin(&context, &wanted);
	return shared_say(&context, file,
			  &(struct shared_text){ text, text ? strlen(text) : 0, ends });
}

static void be(const char *instance, int ifindex)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", scratch, instance);
	cr_assert(mkdir(path, 0711) == 0 || errno == EEXIST);
	context.instance = instance;
	context.uplink_ifindex = ifindex;
	memset(&state.shared, 0, sizeof(state.shared));
}

static const char *path_of(const char *name)
{
	return scratch_path(name);
}

static bool exists(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

/* The time in a note, in seconds; NEVER, or 0: there is none. */
static uint64_t end_of(const char *name)
{
	FILE *file = fopen(path_of(name), "r");
	uint64_t end_ns = 0;

	if (!file)
		return 0;
	cr_assert_eq(fscanf(file, "%" SCNu64, &end_ns), 1); /* NOLINT(cert-err34-c) */
	cr_assert_eq(fclose(file), 0);
	return end_ns == NEVER ? NEVER : end_ns / S;
}

static ino_t inode_of(const char *name)
{
	struct stat status;

	cr_assert_eq(stat(path_of(name), &status), 0);
	return status.st_ino;
}

/* Texts that are not over are added to this. */
static char seen[1024];

static bool note_text(const char *instance, const char *text, bool is_over, void *data)
{
	size_t at = strlen(seen);

	cr_assert_eq(data, &context);
	if (!is_over)
		(void)snprintf(seen + at, sizeof(seen) - at, "%s:%s ", instance, text);
	return is_over;
}

static const char *each(enum shared_file file)
{
	seen[0] = '\0';
	state.shared.next_end_ns = 0;
	cr_assert_eq(shared_each(&context, file, note_text, &context), 0, "%s", context.error);
	return seen;
}

Test(handlers_shared, each_file_has_an_end_of_its_own)
{
	lease("10");
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_expect_eq(say(SHARED_HOST_NAME, "leased", true), 0);
	cr_expect_eq(say(SHARED_DOMAIN_NAME, "stays", false), 0);
	cr_expect_eq(say(SHARED_TIME_SERVERS, "stays", false), 0);
	cr_expect_eq(end_of("test/resolv.conf.until"), 1010);
	cr_expect_eq(end_of("test/hostname.until"), 1010);
	cr_expect_eq(end_of("test/domainname.until"), NEVER);
	cr_expect_eq(end_of("test/ntp-servers.until"), NEVER);
	cr_expect_not(exists("test/captive-portal.until"));
	cr_expect_eq(say(SHARED_HOST_NAME, NULL, true), 0);
	cr_expect_not(exists("test/hostname") || exists("test/hostname.until"));
	cr_expect(exists("test/resolv.conf") && exists("test/resolv.conf.until"));
}

/* Its watcher is dead: another instance removes what is over, and nothing else. */
Test(handlers_shared, end_of_a_dead_instance)
{
	be("dead", 3);
	lease("10");
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_expect_eq(say(SHARED_PORTAL, "stays", false), 0);
	be("test", 4);
	cr_expect_str_eq(each(SHARED_RESOLV_CONF), "dead:mixed ");
	cr_expect_eq(state.shared.next_end_ns, 1010 * S);
	cr_expect_str_eq(each(SHARED_PORTAL), "dead:stays ");
	cr_expect_eq(state.shared.next_end_ns, 0, "it never ends");
	context.now_ns = 1010 * S - 1;
	cr_expect_not(shared_is_over(&context, "dead"));
	context.now_ns = 1010 * S;
	cr_expect(shared_is_over(&context, "dead"));
	cr_expect_str_eq(each(SHARED_RESOLV_CONF), "");
	cr_expect_not(exists("dead/resolv.conf") || exists("dead/resolv.conf.until"));
	cr_expect_str_eq(each(SHARED_PORTAL), "dead:stays ");
	cr_expect_not(shared_is_over(&context, "dead"));
}

/* Whatever the end is: the uplink is somebody else's now. */
Test(handlers_shared, files_of_a_renamed_uplink)
{
	be("eth0", 7);
	cr_expect_eq(say(SHARED_PORTAL, "portal", false), 0);
	be("other", 8);
	cr_expect_str_eq(each(SHARED_PORTAL), "eth0:portal ");
	be("enp1s0", 7);
	cr_expect(shared_is_over(&context, "eth0"));
	cr_expect_str_eq(each(SHARED_PORTAL), "");
	cr_expect_not(exists("eth0/captive-portal"));
}

Test(handlers_shared, renewal_moves_the_ends_and_writes_no_text)
{
	ino_t text, never;

	lease("10");
	cr_expect(shared_renew(&context, &wanted), "nothing was said yet");
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_expect_eq(say(SHARED_TIME_SERVERS, "leased", true), 0);
	cr_expect_eq(say(SHARED_PORTAL, "stays", false), 0);
	text = inode_of("test/resolv.conf");
	never = inode_of("test/captive-portal.until");
	context.now_ns = 1005 * S;
	cr_expect_not(shared_renew(&context, &wanted), "the same lease");
	lease("10");
	cr_expect_not(shared_renew(&context, &wanted), "nothing is composed");
	cr_expect_eq(end_of("test/resolv.conf.until"), 1015);
	cr_expect_eq(end_of("test/ntp-servers.until"), 1015);
	cr_expect_eq(end_of("test/captive-portal.until"), NEVER);
	cr_expect_eq(inode_of("test/resolv.conf"), text);
	cr_expect_eq(inode_of("test/captive-portal.until"), never);
	/* what is no longer there, or does not end any more, has no end to move */
	cr_expect_eq(say(SHARED_RESOLV_CONF, "theirs", false), 0);
	cr_expect_eq(say(SHARED_TIME_SERVERS, NULL, true), 0);
	lease("20");
	cr_expect_not(shared_renew(&context, &wanted));
	cr_expect_eq(end_of("test/resolv.conf.until"), NEVER);
	cr_expect_not(exists("test/ntp-servers.until"));
	context.now_ns = 1025 * S;
	lease("10");
	cr_expect(shared_renew(&context, &wanted), "it was over");
	context.now_ns = 1035 * S;
	test_set(&wanted, "/lease/time", "1", 1030 * S);
	cr_expect(shared_renew(&context, &wanted), "it is over");
}

Test(handlers_shared, renewal_that_cannot_be_recorded)
{
	lease("10");
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_assert_eq(unlink(path_of("test/resolv.conf.until")), 0);
	cr_assert_eq(mkdir(path_of("test/resolv.conf.until"), 0700), 0);
	lease("20");
	cr_expect(shared_renew(&context, &wanted));
}

Test(handlers_shared, the_same_again_is_not_written)
{
	ino_t text, note;

	lease("10");
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	text = inode_of("test/resolv.conf");
	note = inode_of("test/resolv.conf.until");
	context.now_ns = 1001 * S;
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_expect_eq(inode_of("test/resolv.conf"), text);
	cr_expect_eq(inode_of("test/resolv.conf.until"), note);
	cr_expect_eq(say(SHARED_RESOLV_CONF, "theirs", true), 0);
	cr_expect_neq(inode_of("test/resolv.conf"), text);
	cr_expect_eq(inode_of("test/resolv.conf.until"), note);
}

/* The text cannot be written, as if the process had been killed before. */
static void block(const char *name)
{
	(void)unlink(path_of(name));
	cr_assert_eq(mkdir(path_of(name), 0700), 0);
}

static uint64_t end_if_killed(const char *before, bool ended, bool ends)
{
	lease("10");
	cr_assert_eq(say(SHARED_RESOLV_CONF, before, ended), 0);
	block("test/resolv.conf");
	lease("20");
	cr_assert_neq(say(SHARED_RESOLV_CONF, "new", ends), 0);
	return end_of("test/resolv.conf.until");
}

/* Nothing of a lease outlives it, wherever a process is killed. */
Test(handlers_shared, killed_between_text_and_note)
{
	cr_expect_eq(end_if_killed("mixed", true, false), 1010,
		     "the old text has the lease's part");
	cr_assert_eq(rmdir(path_of("test/resolv.conf")), 0);
	cr_expect_eq(end_if_killed("theirs", false, true), 1020, "the new text will have it");
	cr_assert_eq(rmdir(path_of("test/resolv.conf")), 0);
	cr_expect_eq(end_if_killed("mixed", true, true), 1010);
}

Test(handlers_shared, killed_before_the_first_text)
{
	cr_assert_eq(rmdir(path_of("test")), 0);
	lease("10");
	cr_expect_neq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_assert_eq(mkdir(path_of("test"), 0711), 0);
	/* a note without a text does no harm */
	scratch_write_text("test/resolv.conf.until", "1 0 0\n", 0600);
	cr_expect_str_eq(each(SHARED_RESOLV_CONF), "");
	cr_expect_eq(say(SHARED_RESOLV_CONF, "mixed", true), 0);
	cr_expect_eq(end_of("test/resolv.conf.until"), 1010);
	cr_expect_str_eq(each(SHARED_RESOLV_CONF), "test:mixed ");
}

Test(handlers_shared, notes_that_cannot_be_read)
{
	static const char *const wrong[] = { "", "x", "1", "1 2", "-", "1 x 3" };

	be("other", 3);
	cr_assert_eq(say(SHARED_RESOLV_CONF, "theirs", false), 0);
	be("test", 4);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		scratch_write_text("other/resolv.conf.until", wrong[i], 0600);
		cr_expect_str_eq(each(SHARED_RESOLV_CONF), "other:theirs ", "%s", wrong[i]);
	}
}

/* The handlers: the live watcher composes a file of both without the lease's part. */
Test(handlers_shared, a_live_watcher_goes_on_with_what_is_left)
{
	static char content[512];
	FILE *file;

	lease("10");
	set_own("/nameserver/001", "192.0.2.1");
	set("/nameserver/ra/001", "2001:db8::1");
	cr_expect_eq(handler_dns.apply(&context, &wanted), 0, "%s", context.error);
	cr_expect_eq(end_of("test/resolv.conf.until"), 1010);
	context.now_ns = 1010 * S;
	cr_expect_eq(handler_dns.check(&context, &wanted), HANDLER_APPLY);
	cr_expect_eq(handler_dns.apply(&context, &wanted), 0, "%s", context.error);
	cr_expect_eq(end_of("test/resolv.conf.until"), NEVER);
	file = fopen(options.resolv_conf, "r");
	cr_assert_not_null(file);
	cr_assert_gt(fread(content, 1, sizeof(content) - 1, file), 0);
	cr_assert_eq(fclose(file), 0);
	cr_expect_str_eq(content, HEADER "nameserver 2001:db8::1\n");
}
