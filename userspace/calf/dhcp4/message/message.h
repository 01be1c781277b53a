/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP messages (RFC 2131 section 2): what a server sent, parsed into a plain
 * struct, and what we send. Pure functions on the caller's memory; the server's
 * bytes may be anything.
 */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_MESSAGE_H
#define CALFPEN_CALF_DHCP4_MESSAGE_MESSAGE_H

#include <netinet/in.h>

#include "userspace/calf/dhcp4/message/flaw.h"
#include "userspace/calf/dhcp4/message/reason.h"
#include "userspace/common/bytes.h"
#include "userspace/common/value.h"

#define MESSAGE_NAME_SERVERS_MAX 8
#define MESSAGE_TIME_SERVERS_MAX 8
#define MESSAGE_ROUTES_MAX 64
#define MESSAGE_SPARE_ROUTERS_MAX 7
#define MESSAGE_RESOLVERS_MAX 8	  /* of option 162 */
#define MESSAGE_RESOLVER_SIZE 512 /* of the text of one resolver, NUL included */
#define MESSAGE_OPTIONS_MAX 16	  /* further options that the operator requests */
#define MESSAGE_OPTION_MAX 511	  /* octets of one of them: in hex they fit into a value */
#define MESSAGE_OPTIONS_SIZE 1536 /* octets of all of them: more than a frame holds */
#define MESSAGE_CLIENT_ID_MAX 255
#define MESSAGE_PARAMETERS_MAX 64
#define MESSAGE_TEXT_SIZE 256
#define MESSAGE_CLASS_SIZE 256 /* of options 60 and 77, NUL included */
#define MESSAGE_LABEL_SIZE 64  /* a host name without domain, NUL included */
#define MESSAGE_MTU_MIN 576    /* smaller ones are a server's mistake: RFC 2132 5.1 allows 68 */
#define MESSAGE_NAME_SIZE 254  /* a host name, NUL included */
#define MESSAGE_EXTRA_MAX 308  /* octets of options in the largest message sent */

/* The size that we accept and announce (option 57): a datagram that fits into
 * one frame whether or not the server counts the IP and UDP headers. */
#define MESSAGE_SIZE_ANNOUNCED 1472
#define MESSAGE_SIZE_MIN 300 /* shorter ones are padded: old servers drop them */
#define MESSAGE_SIZE_MAX 548 /* largest message sent: 576 with IP and UDP headers */

enum message_type {
	MESSAGE_DISCOVER = 1,
	MESSAGE_OFFER = 2,
	MESSAGE_REQUEST = 3,
	MESSAGE_DECLINE = 4,
	MESSAGE_ACK = 5,
	MESSAGE_NAK = 6,
	MESSAGE_RELEASE = 7,
	MESSAGE_INFORM = 8,
	MESSAGE_FORCERENEW = 9, /* RFC 3203 */
};

/* One option as received, joined; its octets are in option_bytes. */
struct message_option {
	uint8_t code;
	uint16_t at;
	uint16_t size;
};

/*
 * The network parameters that a server sent. Every value is checked, and wrong
 * ones are omitted. Addresses of 0 and texts of length 0: not given.
 */
struct message_parameters {
	uint8_t prefix_length;	/* option 1; 0: missing or not a mask */
	struct in_addr gateway; /* 121, else 249, else 3 */
	uint8_t n_spare_routers;
	struct in_addr spare_routers[MESSAGE_SPARE_ROUTERS_MAX]; /* the next ones, in order */
	uint8_t n_name_servers;
	struct in_addr name_servers[MESSAGE_NAME_SERVERS_MAX];
	uint8_t n_time_servers; /* option 42 */
	struct in_addr time_servers[MESSAGE_TIME_SERVERS_MAX];
	uint8_t n_routes; /* 121, else 249, else 33; without default by gateway */
	struct value_route routes[MESSAGE_ROUTES_MAX];
	uint16_t mtu;			    /* option 26, at least 68 */
	char host_name[MESSAGE_NAME_SIZE];  /* option 12, else 81, a host name; only if requested */
	char domain[KV_VALUE_SIZE];	    /* option 15, a host name */
	char search[KV_VALUE_SIZE];	    /* option 119, else 15, a domain list */
	char captive_portal[KV_VALUE_SIZE]; /* option 114, a URI */
	uint8_t n_resolvers;		    /* option 162, best first, format: dnr.h */
	char resolvers[MESSAGE_RESOLVERS_MAX][MESSAGE_RESOLVER_SIZE];
	bool has_ipv6_only; /* option 108 (RFC 8925); only if requested */
	uint32_t ipv6_only_s;
	uint8_t n_options; /* requested by the operator, in that order */
	struct message_option options[MESSAGE_OPTIONS_MAX];
	uint8_t option_bytes[MESSAGE_OPTIONS_SIZE];
	bool is_router; /* one of the routers is the leased address */
	/* Options that count even if they leave nothing in the fields above. */
	uint8_t classless_code;	 /* 121 or 249 is used: there is no other gateway or route; 0:
				  * neither */
	bool has_search;	 /* `search` is that of 119, not of 15 */
	bool has_captive_portal; /* 114, which may say that there is no portal */
	/* Number of valid routes, servers, resolvers, names and options beyond
	 * the limits above. */
	uint16_t n_left_out;
	struct flaws flaws; /* values that are wrong */
};

struct message {
	uint8_t type; /* enum message_type, any */
	uint32_t xid;
	struct in_addr yiaddr;
	uint8_t chaddr[6];
	bool has_server;
	struct in_addr server; /* option 54; 0.0.0.0 if missing */
	bool has_lease_time;
	uint32_t lease_s; /* option 51; 0: missing, UINT32_MAX: infinite */
	uint32_t t1_s;	  /* options 58, 59; 0: missing */
	uint32_t t2_s;
	bool has_rapid_commit;	 /* option 80 (RFC 4039) */
	bool has_auto_configure; /* option 116 (RFC 2563) */
	bool has_client_id;
	size_t client_id_size; /* as received; only the first bytes are kept */
	uint8_t client_id[MESSAGE_CLIENT_ID_MAX];
	char text[MESSAGE_TEXT_SIZE]; /* option 56, printable, cut */
	struct message_parameters parameters;
};

/* The operator's settings for parsing. All zero: the defaults. */
struct message_policy {
	bool ignore_classless;		 /* neither 121 nor 249 is used */
	bool ignore_microsoft_classless; /* 249 is not used */
	bool ipv6_mostly;		 /* 108 is requested, otherwise ignored (RFC 8925 3.2) */
	bool use_host_name;		 /* 12 is requested, otherwise ignored */
	uint16_t mtu_min;		 /* a smaller 26 is not published; 0: MESSAGE_MTU_MIN */
	uint8_t n_options;
	uint8_t options[MESSAGE_OPTIONS_MAX]; /* codes that are requested and kept unparsed */
};

/* Return the smallest MTU that is used. */
static inline uint16_t message_mtu_min(const struct message_policy *policy)
{
	return policy->mtu_min > 0 ? policy->mtu_min : MESSAGE_MTU_MIN;
}

/*
 * Parse the data of a UDP datagram. Returns REASON_NONE, or why it is
 * discarded, with *message undefined. Rules for options: one that is shorter
 * than its fixed length, or not a multiple of its element, counts as missing;
 * of a longer one the first value counts; texts may end in NULs.
 */
enum reason message_parse(struct bytes_reader data, const struct message_policy *policy,
			  struct message *message);

/* parameters.c: set what `parameters` does not have as it is in `before`. An
 * option without a usable value counts as missing. Routes of 121 and 249
 * replace all others; a list replaces the list before. n_left_out and flaws are
 * those of `parameters`; options for which no room is left are counted. */
void message_parameters_keep(struct message_parameters *parameters,
			     const struct message_parameters *before);

/* sender.c: the client's identity, and what all its messages have in common. */
struct message_sender {
	uint8_t mac[6];
	uint8_t client_id_size; /* 0: option 61 is not sent */
	uint8_t client_id[MESSAGE_CLIENT_ID_MAX];
	char host_name[MESSAGE_LABEL_SIZE]; /* option 12; "": not sent */
	char fqdn[MESSAGE_NAME_SIZE];	    /* option 81 instead of 12; "": not sent */
	char vendor_class[MESSAGE_CLASS_SIZE];
	char user_class[MESSAGE_CLASS_SIZE]; /* options 60, 77; "": not sent */
	uint8_t n_parameters;
	uint8_t parameters[MESSAGE_PARAMETERS_MAX]; /* option 55 */
	uint16_t extra_size;
	uint8_t extra[MESSAGE_EXTRA_MAX]; /* further options of the operator, encoded */
	bool anonymous;			  /* RFC 7844: 12, 81, 60, 77 and `extra` are not sent */
};

/* Set the defaults for a host with this MAC: a client identifier of hardware
 * type and MAC, no names or classes, the parameters that the policy can use. */
void message_sender_init(struct message_sender *sender, const uint8_t mac[6],
			 const struct message_policy *policy);

/* Set a client identifier of RFC 4361: 255, IAID, DUID. `duid` NULL: DUID-LL of
 * the MAC (RFC 8415 11.4). `size` is at most MESSAGE_DUID_MAX. */
#define MESSAGE_DUID_MAX 130
void message_sender_set_duid(struct message_sender *sender, uint32_t iaid, const uint8_t *duid,
			     size_t size);

/*
 * Set the anonymity profile of RFC 7844: the client identifier of the MAC, and
 * the fewest parameters in an order that `random` determines. 108 is among them
 * if the policy wants it.
 */
void message_sender_set_anonymous(struct message_sender *sender,
				  const struct message_policy *policy, uint32_t random);

/* extra.c: add an option that is sent in every DISCOVER, REQUEST and INFORM. Returns
 * 0; -EPERM if it is not one that an operator may add; -EMSGSIZE if it is too long to
 * be sent in one part, and may not be split; -ENOSPC if there is no room. */
int message_sender_add(struct message_sender *sender, uint8_t code, const uint8_t *bytes,
		       size_t size);

/* A message to send. Addresses of 0: field or option is omitted. */
struct message_request {
	enum message_type type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;	   /* flag BROADCAST: the reply must not be unicast */
	bool rapid_commit; /* option 80; in a DISCOVER only */
	struct in_addr ciaddr;
	struct in_addr requested; /* option 50 */
	bool has_server;
	struct in_addr server;	      /* option 54 */
	char text[MESSAGE_TEXT_SIZE]; /* option 56 of DECLINE and RELEASE; "": omitted */
};

/*
 * Build a message in `buffer`: option 53 first, END, padded to
 * MESSAGE_SIZE_MIN. This function decides what is in a message of each type
 * (RFC 2131, table 5). Returns the message's size, at most MESSAGE_SIZE_MAX, or
 * 0 if it does not fit.
 */
size_t message_build(const struct message_sender *sender, const struct message_request *request,
		     uint8_t *buffer, size_t size);

#endif
