/* SPDX-License-Identifier: Apache-2.0 */
/* The watcher requests reloads of chronyd's sources and reports the results. */
#include <poll.h>

#include "tests/bpf/support-watcher.h"
#include "userspace/priv/chrony/chrony.h"

TestSuite(watcher_chrony, .init = setup, .fini = teardown);

static uint64_t n_asked(void)
{
	struct pollfd ask = { .fd = chrony_ask, .events = POLLIN };
	eventfd_t n = 0;

	if (poll(&ask, 1, PATIENCE_S * 1000) == 1)
		(void)eventfd_read(chrony_ask, &n);
	return n;
}

static void send_result(int result)
{
	const uint8_t byte = (uint8_t)result;

	cr_assert_eq(write(chrony_results[1], &byte, 1), 1);
}

static void has_status(const char *awaited)
{
	cr_expect(status_has("timeservers", awaited), "%s is not %s", status_now("timeservers"),
		  awaited);
}

Test(watcher_chrony, asks_for_a_reload_of_chronyds_sources)
{
	cr_assert_eq(mkdir("/run/chrony-dhcp", 0755), 0);
	send_result(CHRONY_SILENT); /* stale, from a previous run */
	start();
	cr_expect_eq(n_asked(), 1, "a previous run may have ended before it asked");
	has_status("; chronyd was asked");
	send_result(CHRONY_NOT_RUNNING);
	commit_init(&commit);
	add("/ntp/001", "192.0.2.9");
	(void)run();
	cr_expect_eq(n_asked(), 1);
	send_result(CHRONY_RELOADED);
	has_status("; chronyd has reloaded its sources");
	EXPECT_SH("grep -qx 'server 192.0.2.9 iburst' /run/chrony-dhcp/watched.sources");
	/* another watcher finds the same descriptors */
	(void)stop(SIGKILL);
	start();
	cr_expect_eq(n_asked(), 1);
	has_status("; chronyd was asked");
	send_result(CHRONY_REFUSED + 1);
	has_status("error: chronyd refused to reload its sources, status 1 (failed)");
	cr_expect_eq(n_asked(), 1, "it is retried");
	send_result(CHRONY_REFUSED + 1);
	send_result(CHRONY_RELOADED);
	has_status("; chronyd has reloaded its sources");
	/* the removal at the end is requested, too */
	commit_init(&commit);
	cr_assert_eq(commit_delete(&commit, "/ntp/001"), 0);
	(void)run();
	(void)stop(SIGTERM);
	cr_expect_eq(n_asked(), 1);
	EXPECT_SH("test ! -e /run/chrony-dhcp/watched.sources");
}
