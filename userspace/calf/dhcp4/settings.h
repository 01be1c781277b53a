/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the calf reads from the store before it starts: /mac, /address, /host/name and
 * /config/dhcp4/NAME, whose meanings and defaults are in calf.yaml. Priv has checked
 * the types. This code checks what only DHCP knows; a wrong value stops the
 * calf with one line in the log.
 */
#ifndef CALFPEN_CALF_DHCP4_SETTINGS_H
#define CALFPEN_CALF_DHCP4_SETTINGS_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"
#include "userspace/calf/sdk/keys.h"
#include "userspace/common/host_name.h"

/* settings_values.c: parsing the values of the store, and combining them. */

enum settings_client_id {
	SETTINGS_CLIENT_ID_MAC = 0,
	SETTINGS_CLIENT_ID_DUID,
	SETTINGS_CLIENT_ID_NONE,
	SETTINGS_CLIENT_ID_GIVEN,
};

#define SETTINGS_WITHHELD_SIZE 256 /* of the paths, NUL included */

struct settings_values {
	struct client_config config; /* without the sender's mac, client_id and parameters */
	struct message_policy policy;
	uint8_t mac[6];
	enum settings_client_id client_id;
	uint8_t given_size;
	uint8_t given[MESSAGE_CLIENT_ID_MAX];
	uint8_t duid_size; /* 0: derived from the MAC */
	uint8_t duid[MESSAGE_DUID_MAX];
	bool has_iaid;
	uint32_t iaid;
	bool anonymous;
	bool sends_host_name;		       /* the kernel's host name as option 12 */
	bool sends_host_fqdn;		       /* and as 81, if it is qualified */
	char host_name[HOST_NAME_SIZE];	       /* "": there is none */
	struct value_ipv4_net address;	       /* of the uplink; 0.0.0.0: none */
	char withheld[SETTINGS_WITHHELD_SIZE]; /* from this calf (lease_keys_withhold()) */
	bool inform_address; /* the uplink's address is static: use it for DHCPINFORM */
};

#define SETTINGS_KEYS 32

/* Return the path of key i, which is below SETTINGS_KEYS. Only the first one,
 * /mac, must exist. */
const char *settings_path(unsigned int i);

/* Set all values to their defaults. */
void settings_values_init(struct settings_values *values);

/* Parse the value of key i. Returns 0, or -EINVAL with the expected kind of
 * value in *wantedp ("a DUID of 3 to 130 octets"). */
int settings_values_take(struct settings_values *values, unsigned int i, const char *text,
			 const char **wantedp);

/* Set the names that are the kernel's host name, in a sender that was made from
 * these values. "": there is none. A name that cannot be sent is not sent. */
void settings_values_set_host_name(const struct settings_values *values, const char *name,
				   struct message_sender *sender);

/*
 * Combine all values to the configuration of the client. `random` orders the
 * parameters of the anonymity profile. Returns 0, or -EINVAL with *wrongp the
 * reason why the values contradict each other.
 */
int settings_values_finish(const struct settings_values *values, uint32_t random,
			   struct client_config *config, const char **wrongp);

/* settings.c: reading the values. */

struct settings {
	struct calf *calf;
	struct settings_values values;
	struct client_config config; /* valid once done() was called, as is policy */
	struct message_policy policy;
	struct keys keys;
	void (*done)(void *data);
	void *data;
};

/*
 * Read all keys at once and call done(). A missing key has its default value,
 * but without /mac the calf stops. If the store is busy, retry. Returns 0, or a
 * negative errno, logged.
 */
int settings_read(struct settings *settings, struct calf *calf, void (*done)(void *data),
		  void *data);

/* What the calf does with CALF_CHECK_ARGUMENT (sdk/check.h). Returns its exit code. */
int settings_check(struct settings *settings);

#endif
