/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease as keys of the store: what should stand there, and the changes
 * that make it so. Pure; the caller commits.
 */
#ifndef CALFPEN_CALF_DHCP4_LEASE_KEYS_H
#define CALFPEN_CALF_DHCP4_LEASE_KEYS_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"

/* Keys, each in its place; directories take as many as they may hold. */
enum lease_slot {
	LEASE_IP = 0,
	LEASE_GATEWAY,
	LEASE_MTU,
	LEASE_DOMAIN,
	LEASE_SEARCH,
	LEASE_HOST_NAME,
	LEASE_CAPTIVE_PORTAL,
	LEASE_IPV6_ONLY,
	LEASE_TIME,
	LEASE_STATE,
	LEASE_SERVER,
	LEASE_ADDRESS,
	LEASE_T1,
	LEASE_T2,
	LEASE_EXPIRES,
	LEASE_NAME_SERVER,						  /* /nameserver/001 .. */
	LEASE_TIME_SERVER = LEASE_NAME_SERVER + MESSAGE_NAME_SERVERS_MAX, /* /ntp/001 .. */
	LEASE_RESOLVER = LEASE_TIME_SERVER + MESSAGE_TIME_SERVERS_MAX,	  /* /dnr/001 .. */
	LEASE_ROUTE = LEASE_RESOLVER + MESSAGE_RESOLVERS_MAX,		  /* /route/001 .. */
	LEASE_OPTION = LEASE_ROUTE + MESSAGE_ROUTES_MAX, /* /option/NNN, by the policy */
	_LEASE_SLOT_N = LEASE_OPTION + MESSAGE_OPTIONS_MAX,
};

/* Bytes of all values, each with its NUL. */
#define LEASE_ROUTE_SIZE (VALUE_IPV4_NET_SIZE + 4 + VALUE_IPV4_SIZE) /* "NET via ROUTER" */
#define LEASE_SHORT_SIZE 32					     /* numbers, addresses, dates */
#define LEASE_TEXT_SIZE                                                                            \
	(3 * KV_VALUE_SIZE + MESSAGE_NAME_SIZE + LEASE_NAME_SERVER * LEASE_SHORT_SIZE +            \
	 MESSAGE_NAME_SERVERS_MAX * VALUE_IPV4_SIZE + MESSAGE_TIME_SERVERS_MAX * VALUE_IPV4_SIZE + \
	 MESSAGE_RESOLVERS_MAX * MESSAGE_RESOLVER_SIZE + MESSAGE_ROUTES_MAX * LEASE_ROUTE_SIZE +   \
	 2 * MESSAGE_OPTIONS_SIZE + MESSAGE_OPTIONS_MAX)

/* Whatever a server sends is one commit. */
_Static_assert(_LEASE_SLOT_N <= KV_CHANGES_MAX, "changes of a commit");
_Static_assert(_LEASE_SLOT_N *(KV_CHANGE_HEADER + 8) + LEASE_TEXT_SIZE <= KV_REQUEST_MAX,
	       "bytes of a commit");
_Static_assert(LEASE_TEXT_SIZE < UINT16_MAX, "positions");

/* The values of all slots. LEASE_KEYS_NULL: none is there. */
struct lease_keys {
	uint8_t n_options;		      /* slots from LEASE_OPTION on that have a key ... */
	uint8_t options[MESSAGE_OPTIONS_MAX]; /* ... of this code */
	uint16_t at[_LEASE_SLOT_N];	      /* position in text, or 0: absent */
	uint16_t used;
	char text[LEASE_TEXT_SIZE]; /* from 1 on */
};

#define LEASE_KEYS_NULL(_x) ((struct lease_keys){ 0 })

/* "/option/043" */
void lease_option_path(uint8_t code, char path[static KV_PATH_SIZE]);

/* Path of a slot: "/nameserver/001". False: no option was asked for there. */
bool lease_path(const struct lease_keys *keys, enum lease_slot slot,
		char path[static KV_PATH_SIZE]);

/*
 * What should stand in the store for `lease`, NULL for none, in `state`. One
 * without an address is its parameters, and no routes. Without a lease only
 * that it was released is said.
 * /lease/time is what is left at `now_ns`, rounded down, for the store dates
 * it by its commit. /lease/expires is wall time, from `wall_s` (seconds since
 * 1970). Every value is of its key's type. An option without octets, and an
 * MTU below the policy's least, have no key.
 */
void lease_project(const struct client_lease *lease, enum client_state state,
		   const struct message_policy *policy, uint64_t now_ns, int64_t wall_s,
		   struct lease_keys *keys);

/*
 * The changes from `from` to `to`, in one commit: exactly the keys that
 * differ, and /lease/time as well if `renewed`. The commit may come out empty.
 */
void lease_changes(const struct lease_keys *from, const struct lease_keys *to, bool renewed,
		   struct commit *commit);

/* No key is there; options have those that the policy asks for. */
void lease_keys_init(struct lease_keys *keys, const struct message_policy *policy);

/* This path is there, or all are: with a value that no lease has. False: it is
 * none of a lease's. */
bool lease_keys_found(struct lease_keys *keys, const char *path);
void lease_keys_all(struct lease_keys *keys);

/* /lease/state alone, if it has a value; a commit of nothing else. */
void lease_change_state(const struct lease_keys *to, struct commit *commit);

#endif
