/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator wants of the handlers: all that they know of a configuration. Whoever
 * runs them fills it in (the watcher's is a part of struct configuration).
 */
#ifndef CALFPEN_PRIV_HANDLERS_OPTIONS_H
#define CALFPEN_PRIV_HANDLERS_OPTIONS_H

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"

#define HANDLER_PROVIDERS_MAX 8	  /* as many calves as an instance may have */
#define HANDLER_SERVERS_MAX 3	  /* as many as resolvers read */
#define HANDLER_SEARCH_MAX 6	  /* domains ... */
#define HANDLER_SEARCH_LENGTH 256 /* ... and their bytes, blanks included */
#define HANDLER_WORDS_SIZE 321	  /* bytes of a list in resolv.conf, NUL included */

/* Name servers, IPv4 or IPv6, as inet_ntop() writes them. */
struct handler_servers {
	uint32_t n;
	char addresses[HANDLER_SERVERS_MAX][INET6_ADDRSTRLEN];
};

/* What the operator wants in resolv.conf. A list that is set may be empty; its words
 * are separated by single blanks. */
struct handler_dns {
	bool has_options, has_sortlist, has_search, has_supersede;
	char options[HANDLER_WORDS_SIZE];  /* instead of those of the host's file */
	char sortlist[HANDLER_WORDS_SIZE]; /* instead of that of the host's file */
	char search[HANDLER_WORDS_SIZE];   /* instead of the lease's names */
	struct handler_servers prepend, append;
	struct handler_servers supersede; /* instead of the lease's servers */
};

struct handler_options {
	/* The calves in the order in which what they say counts (provider.h). */
	char providers[HANDLER_PROVIDERS_MAX][KV_NAME_SIZE];
	uint32_t n_providers;
	/* of our routes and for the order in resolv.conf, default 1000 */
	uint32_t metric;
	/* The uplink's index is added to it, so that no two uplinks have the same;
	 * default true, false if the file has a metric. */
	bool metric_adds_index;
	uint32_t table;		    /* routing table, default RT_TABLE_MAIN (254) */
	uint32_t max_routes;	    /* of /route/NNN, default 64 */
	uint32_t min_prefix_length; /* of /route/NNN except default routes, default 8 */
	/* A subnet of private addresses with a prefix of at least this length is always
	 * connected, default 16. */
	uint32_t min_connected_prefix_length;
	/* these and the subnet of the lease may hide foreign routes, default false */
	bool allow_hiding;
	bool use_dns;	   /* write resolv.conf, default true */
	bool use_routes;   /* set routes, default true */
	bool use_mtu;	   /* set the MTU, default true */
	bool use_domain;   /* set the domain name, default true */
	bool use_hostname; /* set the host name from the server, default false */
	bool use_ntp;	   /* set time servers, default true */
	struct handler_dns dns;
	bool witness_warns;	    /* apply what no server gave, and say so, default false */
	uint32_t fallback_lease_s;  /* of a lease without a time, 0: none */
	char resolv_conf[PATH_MAX]; /* default /etc/resolv.conf */
	/* that contains chronyd's socket, default /run/chrony */
	char chronyd_directory[PATH_MAX];
};

#endif
