/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compromised calf that has a lease, tells the store about it, and then claims what
 * no server gave: reported as "forged: PATH VALUE". In between it goes back to what the
 * server gave, so that every claim is a new one: "honest".
 */
#include "tests/tools/calf.h"

struct claim {
	const char *path, *value; /* value %s: with the leased address */
};

static const struct claim claims[] = {
	{ "/ip", "10.77.0.1/24" }, /* the server's and the router's */
	{ "/ip", "10.77.0.66/24" },
	{ "/ip", "10.77.0.254/32" },
	{ "/ip", "192.168.1.1/24" },
	{ "/ip", "169.254.1.1/16" },
	{ "/ip", "8.8.8.8/32" },
	{ "/ip", "%s/23" },
	{ "/ip", "%s/16" },
	{ "/ip", "%s/8" },
	{ "/ip", "%s/5" },
	{ "/ip", "%s/1" },
	{ "/lease/time", "infinite" },
	{ "/lease/time", "4294967294" },
	{ "/lease/time", "86400" },
	{ "/lease/time", "600" },
	{ "/gateway", "10.77.0.66" },
	{ "/gateway", "10.77.0.254" },
	{ "/gateway", "8.8.8.8" },
	{ "/gateway", "192.168.1.1" },
	{ "/gateway", "169.254.1.1" },
};

static void say(const char *what, const char *path, const char *value)
{
	char line[160];
	int size = snprintf(line, sizeof(line), "%s: %s %s\n", what, path, value);

	if (size < 0 || write(2, line, (size_t)size) < 0)
		_exit(3);
}

static void on_sent(void)
{
}

static void put(const char *path, const char *value)
{
	char text[128];

	ask(WIRE_WRITE, path, value, text);
}

/* The lab's server leases for 120 s, renewals are not needed. */
static void be_honest(const char *address)
{
	char net[32];

	snprintf(net, sizeof(net), "%s/24", address);
	put("/lease/time", "60");
	put("/gateway", "10.77.0.1");
	put("/ip", net);
	say("honest", "/ip", net);
}

int main(void)
{
	char address[16], value[32];

	learn_mac();
	get_lease("HONEST", on_sent);
	snprintf(address, sizeof(address), "%u.%u.%u.%u", leased[0], leased[1], leased[2],
		 leased[3]);
	be_honest(address);
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		const char *suffix = strchr(claims[i].value, '/');

		snprintf(value, sizeof(value), "%s%s", claims[i].value[0] == '%' ? address : "",
			 claims[i].value[0] == '%' ? suffix : claims[i].value);
		(void)wait_for(-1, 300);
		put(claims[i].path, value);
		say("forged", claims[i].path, value);
		(void)wait_for(-1, 300);
		be_honest(address);
	}
	/* the last word is a lie */
	put("/ip", "10.77.0.1/24");
	say("all", "done", "");
	for (;;)
		(void)wait_for(-1, 1000);
}
