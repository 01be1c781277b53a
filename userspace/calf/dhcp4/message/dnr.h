/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted resolvers from option 162 (RFC 9463 5). */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_DNR_H
#define CALFPEN_CALF_DHCP4_MESSAGE_DNR_H

#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"

/*
 * Parse all instances. Every instance that has a name and at least one usable
 * address becomes a text in parameters->resolvers, in order of priority and,
 * for the same priority, in the order of the message:
 *
 *	PRIORITY NAME ADDRESS[,ADDRESS...] [PARAMETER...]
 *	1 dns.example.org 192.0.2.53,192.0.2.54 alpn=dot,h2 port=853 dohpath=/dns-query{?dns}
 *
 * Blanks are only between the fields. The parameters are those of RFC 9460, in
 * ascending order of key: mandatory=KEY,... alpn=ID,... no-default-alpn
 * port=NUMBER dohpath=TEMPLATE. A parameter with another key, or with octets
 * other than letters, digits and -._~:/?#[]@!$&'()*+;={}% is keyNUMBER=HEX.
 * Hints of addresses are omitted, because RFC 9463 forbids them.
 *
 * These instances are skipped, and are flaws:
 *
 *  - priority 0, which is AliasMode: it names no resolver (RFC 9460 2.4.1);
 *  - no address, because the name would have to be looked up first, or no usable
 *    one (0/8, 127/8, 224/3);
 *  - parameters that are malformed, repeated, not in ascending order, or have the
 *    reserved key 65535 (RFC 9460 2.2, 14.3.2);
 *  - mandatory: not in ascending order, with its own key, with one that is not
 *    there (RFC 9460 8), or with a hint;
 *  - no ALPN, for which DNS has no default (RFC 9461 4.1), or one of HTTP (h2, h3,
 *    http/1.1) without a dohpath; a dohpath that is no template of a path with the
 *    variable "dns" (RFC 9461 5).
 *
 * So a reader has only to ignore the ALPN identifiers that it does not know, and
 * the resolvers that have a key in `mandatory` that it does not know.
 *
 * A length that extends beyond the option ends the parsing, a flaw as well.
 * Resolvers beyond MESSAGE_RESOLVERS_MAX, and those too long for
 * MESSAGE_RESOLVER_SIZE, are counted in n_left_out.
 */
void dnr_parse(const struct option *option, struct message_parameters *parameters);

#endif
