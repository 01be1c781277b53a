/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease as keys of the store: the wanted values, and the changes that
 * establish them. Pure functions; the caller commits.
 */
#ifndef CALFPEN_CALF_DHCP4_LEASE_KEYS_H
#define CALFPEN_CALF_DHCP4_LEASE_KEYS_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"

/* One slot for each key; directories have as many slots as keys. */
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

/* Everything a server may send fits into one commit. */
_Static_assert(_LEASE_SLOT_N <= KV_CHANGES_MAX, "changes of a commit");
_Static_assert(_LEASE_SLOT_N *(KV_CHANGE_HEADER + 8) + LEASE_TEXT_SIZE <= KV_REQUEST_MAX,
	       "bytes of a commit");
_Static_assert(LEASE_TEXT_SIZE < UINT16_MAX, "positions");

/* The values of all slots. LEASE_KEYS_NULL: no key exists. */
struct lease_keys {
	uint8_t n_options;		      /* number of slots from LEASE_OPTION on that have a
					       * key ... */
	uint8_t options[MESSAGE_OPTIONS_MAX]; /* ... of this code */
	uint16_t at[_LEASE_SLOT_N];	      /* position in text, or 0: absent */
	uint16_t used;
	char text[LEASE_TEXT_SIZE]; /* position 0 is unused */
};

#define LEASE_KEYS_NULL(_x) ((struct lease_keys){ 0 })

/* Set `path` to the path of a slot: "/nameserver/001". Returns false if the
 * slot is that of an option and unused. */
bool lease_path(const struct lease_keys *keys, enum lease_slot slot,
		char path[static KV_PATH_SIZE]);

/*
 * Set `keys` to the wanted values for `lease` (NULL: none) in `state`. A lease
 * without an address has its parameters and no routes. Without a lease only the
 * released state has a value.
 *
 * /lease/time is the time left at `now_ns`, rounded down, because the store
 * records when it was committed. /lease/expires is wall time, based on `wall_s`
 * (seconds since 1970). Every value has its key's type. An option without
 * octets, and an MTU below the policy's minimum, have no key.
 */
void lease_project(const struct client_lease *lease, enum client_state state,
		   const struct message_policy *policy, uint64_t now_ns, int64_t wall_s,
		   struct lease_keys *keys);

/*
 * Set `commit` to the changes from `from` to `to`: exactly the keys that
 * differ, and /lease/time as well if `renewed`. The commit may be empty.
 */
void lease_changes(const struct lease_keys *from, const struct lease_keys *to, bool renewed,
		   struct commit *commit);

/* Start with no existing keys, and with the options that the policy
 * requests. */
void lease_keys_init(struct lease_keys *keys, const struct message_policy *policy);

/* Mark one key, or all keys, as existing, with a value that no lease has.
 * lease_keys_found() returns false if no key of a lease has this path. */
bool lease_keys_found(struct lease_keys *keys, const char *path);
void lease_keys_all(struct lease_keys *keys);

/*
 * Leave the keys of a previous run as they are if the lease is continued and no
 * ACK of this run has mentioned their option: in `to` they have the same unknown
 * value as in `from`. Keys that the policy no longer wants are not left.
 */
void lease_keys_continue(const struct lease_keys *from, const struct client_lease *lease,
			 const struct message_policy *policy, struct lease_keys *to);

/* Remove the keys that this calf may not write: those of the paths and below them, which are
 * separated by blanks. */
void lease_keys_withhold(struct lease_keys *keys, const char *withheld);

/* Set `commit` to a change of /lease/state alone, or to nothing if it has no
 * value. */
void lease_change_state(const struct lease_keys *to, struct commit *commit);

#endif
