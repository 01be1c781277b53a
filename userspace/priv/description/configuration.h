/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's file of an instance, /etc/calfpen/INSTANCE.yaml: options of
 * the host side, and options of the calves which become keys /config/NAME.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_CONFIGURATION_H
#define CALFPEN_PRIV_DESCRIPTION_CONFIGURATION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/priv/description/description.h"
#include "userspace/priv/frames/mode.h"
#include "userspace/priv/options.h"

struct configuration_option {
	char name[32];
	char value[KV_VALUE_SIZE];
};

struct configuration {
	uint32_t metric;	    /* of our routes and in resolv.conf order, default 100 */
	uint32_t table;		    /* routing table, default RT_TABLE_MAIN (254) */
	uint32_t max_routes;	    /* of /route/NNN, default 64 */
	uint32_t min_prefix_length; /* of /route/NNN but default routes, default 8 */
	bool allow_hiding;	    /* they may hide routes of others, default false */
	bool use_dns;		    /* write resolv.conf, default true */
	bool use_routes;	    /* set routes, default true */
	bool use_mtu;		    /* set the MTU, default true */
	bool use_domain;	    /* default true */
	bool use_hostname;	    /* the server names this host, default false */
	bool use_ntp;		    /* time servers, default true */
	bool syslog;		    /* audit records to syslog too, default false */
	char resolv_conf[PATH_MAX]; /* default /etc/resolv.conf */
	/* of chronyd's socket, default /run/chrony */
	char chronyd_directory[PATH_MAX];
	enum frame_mode mode;  /* default auto */
	bool pass_foreign;     /* replies to us that we did not ask for, default false */
	uint32_t quarantine_s; /* at most, until there is a lease; default 0: none */
	struct configuration_option
		options[DESCRIPTION_OPTIONS_MAX]; /* file, else description's default */
	uint32_t n_options;
};

/*
 * Load options->configuration (defaults only if ""), check the calf options
 * against the descriptions, and apply what the command line overrides.
 * 0, or a negative errno after one line on stderr "FILE:LINE: reason".
 * *configurationp is written on success only.
 */
int configuration_load(const struct options *options, const struct description *descriptions,
		       uint32_t n_descriptions, struct configuration *configurationp);

#endif
