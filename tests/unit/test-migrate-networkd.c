/* SPDX-License-Identifier: Apache-2.0 */
/* The lines NAME=VALUE of systemd-networkd, as its version 252 writes them, and of
 * NetworkManager. */
#include "tests/unit/migrate.h"

static const char *read_lease(enum migrate_format format, const char *text, size_t size)
{
	const struct migrate_request request = migrate_request_of(format);
	const struct migrate_files files = { .lease = { text, size },
					     .duid = MIGRATE_TEXT(""),
					     .configuration = MIGRATE_TEXT("") };

	return migrate_read_text(&request, &files);
}

#define READ(_text) read_lease(MIGRATE_NETWORKD, _text, sizeof(_text) - 1)
#define HEAD "# This is private data. Do not parse.\n"

Test(migrate_networkd, U33_client_id)
{
	cr_expect_str_eq(READ(HEAD "ADDRESS=10.77.0.145\nNETMASK=255.255.255.0\n"
				   "ROUTER=10.77.0.1\nSERVER_ADDRESS=10.77.0.1\nLIFETIME=120\n"
				   "DOMAINNAME=lab.example\nHOSTNAME=lab\n"
				   "CLIENTID=ff7b747f0800020000ab110033bdebf95e192c\n"),
			 "id ff7b747f0800020000ab110033bdebf95e192c 10.77.0.145/24");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nCLIENTID=0102"), "id 0102 10.77.0.145/32",
			 "no newline at the end");
	cr_expect_str_eq(READ("NETMASK=255.0.255.0\nADDRESS=10.77.0.145\nCLIENTID=0102"),
			 "id 0102 10.77.0.145/32", "a netmask with gaps");
}

/* The internal client as it is now, and as it was in version 1.14. */
Test(migrate_networkd, U33_network_manager)
{
	static const char nettools[] = HEAD "ADDRESS=192.168.56.103\n";
	static const char before[] = "This is private data. Do not parse.\n"
				     "ADDRESS=192.168.56.103\nNETMASK=255.255.255.0\n"
				     "SERVER_ADDRESS=192.168.56.100\nCLIENTID=0108002723d842\n";

	cr_expect_str_eq(read_lease(MIGRATE_NETWORK_MANAGER, nettools, sizeof(nettools) - 1),
			 "unknown 192.168.56.103/32");
	cr_expect_str_eq(read_lease(MIGRATE_NETWORK_MANAGER, before, sizeof(before) - 1),
			 "id 0108002723d842 192.168.56.103/24");
}

Test(migrate_networkd, U33_bad_text)
{
	cr_expect_str_eq(READ(""), "damaged");
	cr_expect_str_eq(READ("\n\n=\n"), "damaged");
	cr_expect_str_eq(READ("CLIENTID=0102\n"), "damaged", "no address");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.300\n"), "damaged");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145 \nCLIENTID=0102\n"), "damaged");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.1\0\nCLIENTID=0102\n"), "damaged");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nCLIENTID=01\0"
			      "2\n"),
			 "damaged");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nCLIENTID=010\n"), "damaged");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nCLIENTID=01\n"), "unknown 10.77.0.145/32");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nCLIENTID=\n"), "unknown 10.77.0.145/32");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nCLIENTID=0102\nCLIENTID=0103\n"), "damaged",
			 "which one?");
	cr_expect_str_eq(READ("ADDRESS=10.77.0.145\nADDRESS=10.77.0.146\n"), "damaged");
	cr_expect_str_eq(READ("ADDRESS=224.0.0.1\nCLIENTID=0102\n"), "id 0102", "not a host's");
	cr_expect_str_eq(READ("xADDRESS=10.77.0.145\nADDRESSES=1\n"), "damaged");
}
