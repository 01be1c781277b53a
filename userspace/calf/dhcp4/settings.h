/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the calf reads from the store before it starts: /mac, /address and
 * /config/NAME, whose meanings and defaults stand in calf.yaml. Priv has
 * checked the types; what only DHCP knows is checked here, and a value that
 * is wrong ends the calf with one line that says so.
 */
#ifndef CALFPEN_CALF_DHCP4_SETTINGS_H
#define CALFPEN_CALF_DHCP4_SETTINGS_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"
#include "userspace/calf/sdk/keys.h"

/* settings_values.c: the values as they stand in the store, and what they
 * add up to. */

enum settings_client_id {
	SETTINGS_CLIENT_ID_MAC = 0,
	SETTINGS_CLIENT_ID_DUID,
	SETTINGS_CLIENT_ID_NONE,
	SETTINGS_CLIENT_ID_GIVEN,
};

struct settings_values {
	struct client_config config; /* but for the sender's mac, client_id, parameters */
	struct message_policy policy;
	uint8_t mac[6];
	enum settings_client_id client_id;
	uint8_t given_size;
	uint8_t given[MESSAGE_CLIENT_ID_MAX];
	uint8_t duid_size; /* 0: of the MAC */
	uint8_t duid[MESSAGE_DUID_MAX];
	bool has_iaid;
	uint32_t iaid;
	bool anonymous;
	struct in_addr address; /* that the uplink has; 0.0.0.0: none */
	bool inform_address;	/* it is static */
};

#define SETTINGS_KEYS 28

/* The path of key i below SETTINGS_KEYS. Only the first, /mac, must be there. */
const char *settings_path(unsigned int i);

/* The defaults. */
void settings_values_init(struct settings_values *values);

/* Take key i: 0, or -EINVAL with *wantedp what it should have been ("a DUID
 * of 3 to 130 octets"). */
int settings_values_take(struct settings_values *values, unsigned int i, const char *text,
			 const char **wantedp);

/*
 * After all keys: the configuration of the client. `random` orders the
 * parameters of the anonymity profile. 0, or -EINVAL with *wrongp the reason
 * why they do not go together.
 */
int settings_values_finish(const struct settings_values *values, uint32_t random,
			   struct client_config *config, const char **wrongp);

/* settings.c: getting them. */

struct settings {
	struct calf *calf;
	struct settings_values values;
	struct client_config config; /* once done() is called, as policy */
	struct message_policy policy;
	struct keys keys;
	void (*done)(void *data);
	void *data;
};

/*
 * Read all keys at once and call done(). A key that is absent leaves the
 * default, but without /mac the calf stops. What the store is too busy to
 * answer is asked again. 0, or a negative errno, logged.
 */
int settings_read(struct settings *settings, struct calf *calf, void (*done)(void *data),
		  void *data);

#endif
