/* SPDX-License-Identifier: Apache-2.0 */
/* How resolv.conf is replaced. Mount points and permissions need root: tests/bpf. */
#include <fcntl.h>
#include <sys/file.h>

#include "tests/unit/support-dns.h"
#include "userspace/priv/handlers/file.h"

TestSuite(handlers_dns, .init = dns_setup, .fini = dns_teardown);

static const char *content(const char *path)
{
	static char bytes[4096];
	int n = file_read(path, bytes, sizeof(bytes));

	return n < 0 ? NULL : bytes;
}

static void put(const char *path, const char *bytes)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(bytes, file), 0);
	cr_assert_eq(fclose(file), 0);
}

/* Without /domain, so that the test does not change the kernel's domain name. */
static int apply(void)
{
	context.error[0] = '\0';
	context.note[0] = '\0';
	return handler_dns.apply(&context, &wanted);
}

Test(handlers_dns, write_twice_and_restore)
{
	const char *path = options.resolv_conf;
	struct stat first, second;

	put(path, "nameserver 198.51.100.1\n");
	cr_assert_eq(chmod(path, 0640), 0);
	cr_expect_eq(apply(), 0, "no keys: nothing is touched");
	cr_expect_str_eq(content(path), "nameserver 198.51.100.1\n");

	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 192.0.2.1\n");
	cr_assert_eq(stat(path, &first), 0);
	cr_expect_eq(first.st_mode & 07777, 0640);
	cr_expect_eq(apply(), 0);
	cr_assert_eq(stat(path, &second), 0);
	cr_expect_eq(first.st_ino, second.st_ino, "equal content is not written again");

	test_set(&wanted, "/nameserver/001", "192.0.2.9", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 192.0.2.9\n");

	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), "nameserver 198.51.100.1\n");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), "nameserver 198.51.100.1\n");
}

Test(handlers_dns, missing_file_is_made_and_removed)
{
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(options.resolv_conf), HEADER "nameserver 192.0.2.1\n");
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_null(content(options.resolv_conf));
}

Test(handlers_dns, symbolic_link_stays_one)
{
	char target[PATH_MAX];
	struct stat status;

	(void)snprintf(target, sizeof(target), "%s/test/real", scratch);
	put(target, "old\n");
	cr_assert_eq(symlink("test/real", options.resolv_conf), 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(target), HEADER "nameserver 192.0.2.1\n");
	cr_assert_eq(lstat(options.resolv_conf, &status), 0);
	cr_expect(S_ISLNK(status.st_mode));
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(target), "old\n");
}

Test(handlers_dns, dangling_link)
{
	cr_assert_eq(symlink("test/new", options.resolv_conf), 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(options.resolv_conf), HEADER "nameserver 192.0.2.1\n");
}

Test(handlers_dns, link_to_itself_and_missing_directory)
{
	cr_assert_eq(symlink("resolv.conf", options.resolv_conf), 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), -ELOOP);
	(void)snprintf(options.resolv_conf, PATH_MAX, "%s/none/resolv.conf", scratch);
	cr_expect_eq(apply(), -ENOENT);
	cr_expect_neq(context.error[0], '\0');
}

Test(handlers_dns, another_program_wrote_it_since)
{
	put(options.resolv_conf, "first\n");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	put(options.resolv_conf, "theirs\n");
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(options.resolv_conf), "theirs\n");
	/* and the saved copy is deleted: next time, their content is the original */
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(options.resolv_conf), "theirs\n");
}

Test(handlers_dns, our_own_text_is_not_saved_as_theirs)
{
	put(options.resolv_conf, HEADER "nameserver 192.0.2.7\n");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_null(content(options.resolv_conf));
}

Test(handlers_dns, not_a_file)
{
	cr_assert_eq(mkdir(options.resolv_conf, 0755), 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_lt(apply(), 0);
	cr_assert_eq(rmdir(options.resolv_conf), 0);
	cr_assert_eq(mkfifo(options.resolv_conf, 0600), 0);
	cr_expect_lt(apply(), 0, "and it does not wait for a reader");
}

/* Each of several instances has its own file; the shared one is of all. */
Test(handlers_dns, two_instances)
{
	const char *path = options.resolv_conf;
	char other[PATH_MAX];

	put(path, "nameserver 203.0.113.1\n");
	options.metric = 100;
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	(void)snprintf(other, sizeof(other), "%s/other", scratch);
	cr_assert_eq(mkdir(other, 0711), 0);
	context.instance = "other";
	options.metric = 50;
	test_set(&wanted, "/nameserver/001", "198.51.100.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), "# Generated by calfpen (instances other, test)\n"
					"nameserver 198.51.100.1\nnameserver 192.0.2.1\n");
	/* one of them goes */
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 192.0.2.1\n");
	/* and the last one restores the original content */
	context.instance = "test";
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), "nameserver 203.0.113.1\n");
}

/* Instances may have files of their own, or name one by two paths. */
Test(handlers_dns, two_instances_and_their_paths)
{
	char first[PATH_MAX], other[PATH_MAX];

	memcpy(first, options.resolv_conf, sizeof(first));
	put(first, "first\n");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	(void)snprintf(other, sizeof(other), "%s/other", scratch);
	cr_assert_eq(mkdir(other, 0711), 0);
	context.instance = "other";
	(void)snprintf(options.resolv_conf, PATH_MAX, "%s/theirs", scratch);
	put(options.resolv_conf, "theirs\n");
	test_set(&wanted, "/nameserver/001", "198.51.100.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(first), HEADER "nameserver 192.0.2.1\n");
	cr_expect_str_eq(content(options.resolv_conf),
			 "# Generated by calfpen (instance other)\nnameserver 198.51.100.1\n");
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(options.resolv_conf), "theirs\n");
	cr_assert_eq(unlink(options.resolv_conf), 0);
	cr_assert_eq(symlink(first, options.resolv_conf), 0);
	test_set(&wanted, "/nameserver/001", "198.51.100.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_not_null(strstr(content(first), "(instances other, test)"));
}

/* A watcher of another instance that was stopped with the lock. */
Test(handlers_dns, lock_is_not_waited_for_forever)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/handlers.lock", scratch);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), -EWOULDBLOCK);
	cr_assert_eq(flock(fd, LOCK_UN), 0);
	cr_expect_eq(apply(), 0);
}

#define KEPT "# kept of the file before:\n"

Test(handlers_dns, U24_options_of_the_operator_are_kept)
{
	static const char theirs[] =
		"nameserver 127.0.0.1\nsearch corp.example\noptions edns0 trust-ad timeout:1\n";
	const char *path = options.resolv_conf;

	put(path, theirs);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(apply(), 0);
		cr_expect_str_eq(content(path), HEADER "nameserver 192.0.2.1\n" KEPT
						       "options edns0 trust-ad timeout:1\n");
	}
	/* another program's file is no source of options while there is a saved one */
	put(path, "options rotate\n");
	cr_expect_eq(apply(), 0);
	cr_expect_null(strstr(content(path), "rotate"));
	options.dns = (struct handler_dns){ .prepend = { 1, { "127.0.0.1" } } };
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 127.0.0.1\nnameserver 192.0.2.1\n" KEPT
					       "options edns0 trust-ad timeout:1\n");
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), theirs);
}

static void remove_notes(void)
{
	char command[PATH_MAX + 64];

	(void)snprintf(command, sizeof(command), "rm -f %s/resolv.conf.*", scratch);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* A boot takes the saved copy away, and the file is still ours. */
Test(handlers_dns, U24_options_outlast_a_boot)
{
	const char *path = options.resolv_conf;

	put(path, "nameserver 127.0.0.1\noptions edns0\n");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	for (int i = 0; i < 2; i++) {
		remove_notes();
		if (i)
			test_set(&wanted, "/nameserver/001", "192.0.2.2", 0);
		cr_expect_eq(apply(), 0);
		cr_expect_not_null(strstr(content(path), KEPT "options edns0\n"));
	}
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), "options edns0\n", "all that is known of it");
	/* those of a configuration do not */
	options.dns = (struct handler_dns){ .has_options = true, .options = "rotate" };
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 192.0.2.1\noptions rotate\n");
	remove_notes();
	options.dns.has_options = false;
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 192.0.2.1\n");
}

/* The other instance composes, too, and knows what this one's operator wants. */
Test(handlers_dns, U24_two_instances)
{
	const char *path = options.resolv_conf;
	char other[PATH_MAX];

	put(path, "options edns0\n");
	options.metric = 100;
	options.dns = (struct handler_dns){ .prepend = { 1, { "127.0.0.1" } },
					    .append = { 1, { "192.0.2.9" } } };
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_expect_eq(apply(), 0);
	(void)snprintf(other, sizeof(other), "%s/other", scratch);
	cr_assert_eq(mkdir(other, 0711), 0);
	context.instance = "other";
	options.metric = 50;
	options.dns = (struct handler_dns){ .has_options = false };
	test_set(&wanted, "/nameserver/001", "198.51.100.1", 0);
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), "# Generated by calfpen (instances other, test)\n"
					"nameserver 127.0.0.1\nnameserver 198.51.100.1\n"
					"nameserver 192.0.2.1\n" KEPT "options edns0\n");
	test_remove(&wanted, "/nameserver/001");
	cr_expect_eq(apply(), 0);
	cr_expect_str_eq(content(path), HEADER "nameserver 127.0.0.1\nnameserver 192.0.2.1\n"
					       "nameserver 192.0.2.9\n" KEPT "options edns0\n");
}
