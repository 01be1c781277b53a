/* SPDX-License-Identifier: Apache-2.0 */
/* A description in a scratch directory, of which a test replaces a line. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_DESCRIPTION_H
#define CALFPEN_TESTS_UNIT_SUPPORT_DESCRIPTION_H

#include <stdio.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/description/description.h"

/* A whole description; tests replace one line of it. */
static const char *const good[] = {
	"name: dhcp4",		  /* 1 */
	"executable: calf-dhcp4", /* 2 */
	"limits: {memory: 16777216, pids: 32, requests_per_second: 200, request_burst: 100}",
	"keys:",					      /* 4 */
	"  - {path: /mac, type: mac, access: [read, watch]}", /* 5 */
	"  - {path: /mtu, type: u16, min: 576, access: [write, delete]}",
	"  - {path: /nameserver/, type: ipv4, count: 8, access: [write, delete]}",
	"  - {path: /domain, type: hostname, max_length: 63, access: [write], persistent: true}",
	"frames:",						    /* 9 */
	"  - check: dhcp4",					    /* 10 */
	"    local_port: 68",					    /* 11 */
	"    remote_port: 67",					    /* 12 */
	"    max_frame: 1514",					    /* 13 */
	"    ingress_per_second: 50",				    /* 14 */
	"    ingress_burst: 20",				    /* 15 */
	"    egress_per_second: 30",				    /* 16 */
	"    egress_burst: 10",					    /* 17 */
	"options:",						    /* 18 */
	"  - {name: hostname, type: hostname}",			    /* 19 */
	"  - {name: wait, type: u32, min: 1, max: 60, default: 4}", /* 20 */
	"metrics:",						    /* 21 */
	"  - {name: sent_total, type: counter, help: \"What we sent\"}",
	"  - {name: a:state, type: gauge, help: now}", /* 23 */
};

#define N_GOOD_LINES (sizeof(good) / sizeof(good[0]))

/* The good file, the i-th line (from 1; 0: none) replaced. */
static inline void write_description(unsigned int line, const char *replacement)
{
	char text[8192] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < N_GOOD_LINES; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
					 i + 1 == line ? replacement : good[i]);
	scratch_write(DESCRIPTION_FILE, text, used, 0644);
}

static inline void setup(void)
{
	scratch_make();
	scratch_write("calf-dhcp4", "", 0, 0755);
	scratch_write("data", "", 0, 0644);
	capture_begin();
}

#endif
