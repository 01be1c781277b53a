/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's host name, in the store and in our messages. */
#include "tests/unit/agent-support.h"

static uint8_t message[MESSAGE_SIZE_MAX];
static struct udp_frame headers;

TestSuite(host_name);

/* Start with these options. */
static void start(const char *hostname, const char *fqdn, const char *name)
{
	if (hostname)
		set("/config/dhcp4/hostname", hostname);
	if (fqdn)
		set("/config/dhcp4/fqdn", fqdn);
	if (name)
		set("/host/name", name);
	setup();
}

/* The next message has this option 12; NULL: none. */
static void expect(const char *name)
{
	const uint8_t *value;
	size_t size = 0;

	until_sent(&headers, message);
	value = request_option(message, sizeof(message), OPTION_HOST_NAME, &size);
	cr_assert_eq(value != NULL, name != NULL);
	if (!name)
		return;
	cr_assert_eq(size, strlen(name));
	cr_assert_eq(memcmp(value, name, size), 0, "%.*s", (int)size, value);
}

static void expect_fqdn(bool has)
{
	cr_assert_eq(request_has(message, sizeof(message), OPTION_FQDN), has);
}

Test(host_name, U49_first_message_has_it)
{
	start("host", NULL, "web1.example.org");
	expect("web1");
	expect_fqdn(false);
}

Test(host_name, U49_follows_the_kernels)
{
	start("host", NULL, "web1");
	expect("web1");
	change("/host/name", "web2.example.org");
	settle();
	expect("web2");
	respond_entry(watch_host, WIRE_ENTRY_DELETED, "/host/name", "");
	settle();
	expect(NULL);
	change("/host/name", "web3");
	settle();
	expect("web3");
	change("/host/name", "not a name");
	settle();
	expect(NULL);
}

Test(host_name, U49_lost_events)
{
	start("host", NULL, "web1");
	respond_entry(watch_host, WIRE_ENTRY_RESYNC, "", "");
	settle();
	expect("web1");
	respond_entry(watch_host, WIRE_ENTRY_SYNCED, "", "");
	settle();
	expect(NULL);
	respond_entry(watch_host, WIRE_ENTRY_RESYNC, "", "");
	change("/host/name", "web2");
	respond_entry(watch_host, WIRE_ENTRY_SYNCED, "", "");
	settle();
	expect("web2");
}

Test(host_name, U49_fqdn)
{
	start("host", "host", "web1.example.org");
	expect(NULL);
	expect_fqdn(true);
	change("/host/name", "web1");
	settle();
	expect("web1");
	expect_fqdn(false);
}

/* An operator's name stays, whatever the kernel's is, and is not watched. */
Test(host_name, U49_only_if_asked_for)
{
	start("calf", NULL, "web1");
	expect("calf");
	cr_assert_eq(watch_host, 0);
}

Test(host_name, U49_nothing_if_not_configured)
{
	start(NULL, NULL, "web1");
	expect(NULL);
	cr_assert_eq(watch_host, 0);
}

Test(host_name, U49_watch_is_refused)
{
	refuse_watch = &refusal_denied;
	start("host", NULL, "web1");
	expect("web1");
	cr_assert(strstr(capture_text(), "cannot watch /host/name, changes of the host name will "
					 "be ignored"));
}
