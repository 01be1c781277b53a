/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file of an instance, /etc/calfpen/INSTANCE.yaml, used by the
 * supervisor, the watcher and its handlers. It contains options of the host side,
 * and `calves`: which calves there are, and the options of each, which become keys
 * /config/CALF/NAME.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_CONFIGURATION_H
#define CALFPEN_PRIV_DESCRIPTION_CONFIGURATION_H

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "userspace/priv/description/description.h"
#include "userspace/priv/frames/mode.h"
#include "userspace/priv/handlers/options.h"
#include "userspace/priv/options.h"

struct configuration_option {
	char calf[KEY_TABLE_NAME_MAX + 1];
	char name[32];
	char value[KV_VALUE_SIZE];
	bool is_set;	   /* by the operator: not the default */
	unsigned int line; /* in the file; 0: not from there */
};

/* What is done about settings that another program has changed. */
enum configuration_drift {
	CONFIGURATION_DRIFT_DEFAULT = 0, /* the address and routes are repaired */
	CONFIGURATION_DRIFT_REPAIR,	 /* everything is */
	CONFIGURATION_DRIFT_REPORT,	 /* nothing is */
};

struct configuration {
	struct handler_options handlers;
	/* keep routes and rank while there is no carrier, default false */
	bool ignores_carrier;
	uint32_t carrier_delay_ms; /* without carrier until they are changed, default 200 */
	enum configuration_drift drift;
	bool starts_fast;	 /* with RCU expedited, default false */
	bool syslog;		 /* audit records also go to syslog, default false */
	uint32_t audit_max_size; /* bytes of a file of the audit log, 0: no rotation */
	uint32_t audit_files;	 /* of the audit log, the newest included */
	bool audit_may_lose;	 /* records that cannot be written, default false */
	enum frame_mode mode;	 /* default auto */
	/* new DHCP transactions of the calf; 60 of them may be saved up; default 120 */
	uint32_t transactions_per_hour;
	/* octets of a request, with IP and UDP, 576 to 1,024; default 576 */
	uint32_t request_max_size;
	bool pass_foreign; /* pass replies that the calf did not request, default false */
	/* wait for the uplink until it can be used, seconds or OPTIONS_WAIT_FOREVER; 0: do
	 * not; -1, the default: only for its MAC address */
	int wait_interface_s;
	bool tells_host_name;			 /* an option of a calf is the kernel's host name */
	uint64_t ceilings[_DESCRIPTION_LIMIT_N]; /* of the limits in descriptions */
	uint32_t quarantine_s; /* maximum seconds without a lease; default 0: no quarantine */
	/* the calf that leases /ip, whose options are about the host's lease; "": none does */
	char lease_calf[KEY_TABLE_NAME_MAX + 1];
	struct configuration_option *options; /* owned: from the file, else the default */
	uint32_t n_options;
};

/*
 * Load options->configuration (only the defaults if ""), check the options of the calves
 * against their descriptions, apply the overrides of the command line, and check the
 * descriptions against the ceilings. Returns 0, or a negative errno after one line on
 * stderr, "FILE:LINE: reason".
 * *configurationp, to be freed by configuration_deinit(), is written on success only.
 */
int configuration_load(const struct options *options, const struct description *descriptions,
		       uint32_t n_descriptions, struct configuration *configurationp);

/* Allowed on one that is all zeros. */
void configuration_deinit(struct configuration *configuration);

/* Print the configuration as a file that, loaded again with the same descriptions, comes
 * to the same; also values that are defaults or come from the command line. */
void configuration_print(const struct configuration *configuration,
			 const struct description *descriptions, uint32_t n_descriptions, FILE *to);

/* Return the option of a calf, or NULL if it has neither a value nor a default. */
const struct configuration_option *
configuration_find_option(const struct configuration *configuration, const char *calf,
			  const char *name);

/*
 * Find the address for which the calf of leases asks for parameters only (its option
 * inform: DHCPINFORM). `present` is the value of /address, NULL: none. Returns false, with
 * *addressp unchanged, if there is none.
 */
bool configuration_inform(const struct configuration *configuration, const char *present,
			  struct in_addr *addressp);

/* Add or replace an option of a calf, which the caller has checked; `is_set`: by the
 * operator. Returns 0 or -ENOMEM. */
int configuration_set_option(struct configuration *configuration, const char *calf,
			     const char *name, const char *value, bool is_set);

#endif
