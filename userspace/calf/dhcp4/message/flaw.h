/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options that are ignored because they are wrong. Each kind has a
 * counter in the metrics page and is logged once per server (discard_log.h).
 */
#ifndef CALFPEN_CALF_DHCP4_MESSAGE_FLAW_H
#define CALFPEN_CALF_DHCP4_MESSAGE_FLAW_H

#include <stdint.h>

enum flaw {
	FLAW_MASK = 0,	  /* option 1 */
	FLAW_ROUTER,	  /* 3, and default routes of 121 and 249 */
	FLAW_NAME_SERVER, /* 6 */
	FLAW_HOST_NAME,	  /* 12 and 81 */
	FLAW_DOMAIN,	  /* 15 */
	FLAW_MTU,	  /* 26 */
	FLAW_ROUTE,	  /* 33, 121 and 249 */
	FLAW_TIME_SERVER, /* 42 */
	FLAW_PORTAL,	  /* 114 */
	FLAW_SEARCH,	  /* 119 */
	FLAW_RESOLVER,	  /* 162 */
	FLAW_ALIAS,	  /* 162: an alias instead of a resolver */
	_FLAW_N,
};

#define FLAW_TEXT_SIZE 64 /* NUL included; longer ones are cut */

/* Flaws of one message. All zero: none. */
struct flaws {
	struct {
		uint16_t n;
		uint8_t code;		   /* option of the first one */
		char text[FLAW_TEXT_SIZE]; /* the first value, printable; "": the whole option is
					    * malformed */
	} of[_FLAW_N];
};

/* Count a value; the first one of its kind is kept. `text` may have any
 * octets. */
void flaw_add(struct flaws *flaws, enum flaw flaw, uint8_t code, const char *text);

/* Return what is wrong with values of this kind: "not a domain name". */
const char *flaw_text(enum flaw flaw);

#endif
