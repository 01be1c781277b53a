/* SPDX-License-Identifier: Apache-2.0 */
/* What a calf can change on the host, as a table for people. */
#include <stdio.h>
#include <string.h>

#include "userspace/priv/description/description-private.h"
#include "userspace/priv/handlers/all.h"

#define CHANGE (KV_ACCESS_WRITE | KV_ACCESS_DELETE)

/* "/nameserver/", whose keys are a list, as "/nameserver/..., 8 keys". */
static void print_key(FILE *to, const struct key_rule *key)
{
	char path[KV_PATH_SIZE + sizeof("...")];
	bool is_directory = key->path[strlen(key->path) - 1] == '/';

	(void)snprintf(path, sizeof(path), "%s%s", key->path, is_directory ? "..." : "");
	(void)fprintf(to, "    %-24s %s", path, value_type_name(key->rule.type));
	if (is_directory)
		(void)fprintf(to, ", %u key%s", key->count, key->count == 1 ? "" : "s");
	(void)fputs(key->persistent ? ", kept over a reboot\n" : "\n", to);
}

/* Print the keys that the calf may write and the handler applies; NULL: those of none. */
static void print_keys(FILE *to, const struct description *description,
		       const struct handler *handler)
{
	bool is_first = true;

	for (uint32_t i = 0; i < description->n_keys; i++) {
		const struct key_rule *key = &description->keys[i];

		if (!(key->access & KV_ACCESS_WRITE) ||
		    description_find_handler(key->path) != handler)
			continue;
		if (is_first && handler)
			(void)fprintf(to, "  %s: %s\n", handler->name, handler->effect);
		else if (is_first)
			(void)fputs("  nothing on the host; others read:\n", to);
		is_first = false;
		print_key(to, key);
	}
}

static void print_withheld(FILE *to, const struct description *description)
{
	const char *separator = "  withheld by the operator: ";

	for (uint32_t i = 0; i < HANDLERS_ALL_N; i++) {
		if (!(description->withheld & 1u << i))
			continue;
		(void)fprintf(to, "%s%s", separator, handlers_all[i]->name);
		separator = ", ";
	}
	(void)fputs(description->withheld ? "\n" : "", to);
}

static void print_frames(FILE *to, const struct description *description)
{
	if (!description->n_frames)
		(void)fputs("  frames: none\n", to);
	for (uint32_t i = 0; i < description->n_frames; i++) {
		const struct frame_rule *rule = &description->frames[i];

		if (rule->check == FRAME_CHECK_ARP)
			(void)fputs("  frames: ARP, to detect conflicts of addresses\n", to);
		else
			(void)fprintf(
				to, "  frames: DHCPv4, UDP from port %u to port %u, and replies\n",
				rule->local_port, rule->remote_port);
	}
}

/* The calf's own options and requests are no keys of others. */
static void print_reads(FILE *to, const struct description *description)
{
	const char *separator = "  reads of others: ";
	bool has_any = false;

	for (uint32_t i = 0; i < description->n_keys; i++) {
		if (!description->keys_of_any[i])
			continue;
		(void)fprintf(to, "%s%s", separator, description->keys[i].path);
		separator = ", ";
		has_any = true;
	}
	(void)fputs(has_any ? "\n" : "", to);
}

void description_print_effects(const struct description *description, FILE *to)
{
	(void)fprintf(to, "%s (%s/" DESCRIPTION_FILE ")\n", description->name,
		      description->directory);
	for (uint32_t i = 0; i < HANDLERS_ALL_N; i++)
		print_keys(to, description, handlers_all[i]);
	print_withheld(to, description);
	print_keys(to, description, NULL);
	print_reads(to, description);
	print_frames(to, description);
}
