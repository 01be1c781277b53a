/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of an audit log: each line ends with a member that has the hash of the line
 * before it, the first 128 bits of SHA-256 over its bytes without the newline:
 *
 *	{"time":"...",...,"prev":"e3b0c44298fc1c149afbf4c8996fb924"}
 *
 * So sed -n Np FILE | tr -d '\n' | sha256sum begins with what line N + 1 has. Whoever can
 * write the file can also compute a new chain: it shows changes only together with a hash
 * that is kept elsewhere (audit_head.h, a syslog daemon on another host).
 */
#ifndef CALFPEN_COMMON_CHAIN_H
#define CALFPEN_COMMON_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#define CHAIN_SIZE 33 /* of a hash as hex digits, NUL included */
#define CHAIN_START "00000000000000000000000000000000"
#define CHAIN_MEMBER ",\"prev\":\"" /* then the digits, then "} */

/* Hash a line, which has no newline. */
void chain_hash(const char *line, size_t length, char hash[static CHAIN_SIZE]);
/* Return where in the line the hash of the line before it is, or NULL: it has none. */
const char *chain_previous(const char *line, size_t length);
/* Return whether the text is the hex digits of a hash. */
bool chain_is_hash(const char *text);

#endif
