/* SPDX-License-Identifier: Apache-2.0 */
/* The effective configuration as a file that, loaded again, comes to the same. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "userspace/priv/description/description-private.h"

static void print_bool(FILE *to, const char *name, bool value)
{
	(void)fprintf(to, "%s: %s\n", name, value ? "true" : "false");
}

/* Quoted as YAML and JSON do; values are printable (value.h). */
static void print_quoted(FILE *to, const char *text)
{
	(void)fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

static void print_text(FILE *to, const char *name, const char *text)
{
	(void)fprintf(to, "%s: ", name);
	print_quoted(to, text);
	(void)fputc('\n', to);
}

static void print_servers(FILE *to, const char *name, const struct handler_servers *servers)
{
	(void)fprintf(to, "  %s: [", name);
	for (uint32_t i = 0; i < servers->n; i++) {
		(void)fputs(i ? ", " : "", to);
		print_quoted(to, servers->addresses[i]);
	}
	(void)fputs("]\n", to);
}

static void print_dns(FILE *to, const struct handler_dns *dns)
{
	if (!dns->has_options && !dns->has_sortlist && !dns->has_search && !dns->has_supersede &&
	    !dns->prepend.n && !dns->append.n)
		return;
	(void)fputs("dns:\n", to);
	if (dns->has_options)
		print_text(to, "  options", dns->options);
	if (dns->has_sortlist)
		print_text(to, "  sortlist", dns->sortlist);
	if (dns->has_search)
		print_text(to, "  search", dns->search);
	if (dns->prepend.n)
		print_servers(to, "prepend", &dns->prepend);
	if (dns->append.n)
		print_servers(to, "append", &dns->append);
	if (dns->has_supersede)
		print_servers(to, "supersede", &dns->supersede);
}

static void print_providers(FILE *to, const struct handler_options *options)
{
	if (!options->n_providers)
		return;
	(void)fputs(PROVIDERS_FIELD ": [", to);
	for (uint32_t i = 0; i < options->n_providers; i++)
		(void)fprintf(to, "%s%s", i ? ", " : "", options->providers[i]);
	(void)fputs("]\n", to);
}

/* "43:0104 118:c0000200" as {43: "hex:0104", 118: "hex:c0000200"}. */
static void print_numbered(FILE *to, const char *text)
{
	(void)fputc('{', to);
	while (*text) {
		size_t number = strcspn(text, ":"), octets = strcspn(text, " ");

		(void)fprintf(to, "%.*s: \"hex:%.*s\"", (int)number, text,
			      (int)(octets - number - 1), text + number + 1);
		text += octets;
		if (*text) {
			(void)fputs(", ", to);
			text++;
		}
	}
	(void)fputs("}\n", to);
}

/* The name of the calf, and its options. */
static void print_calf(FILE *to, const struct configuration *configuration,
		       const struct description *description)
{
	bool has_any = description->withheld;

	(void)fprintf(to, "  %s:%s", description->name, has_any ? "\n    " : "");
	grants_print(to, description);
	for (uint32_t i = 0; i < description->n_options; i++) {
		const struct description_option *described = &description->options[i];
		const struct configuration_option *option = configuration_find_option(
			configuration, description->name, described->name);

		if (!option || !strcmp(option->name, DESCRIPTION_WITHHELD_OPTION))
			continue;
		(void)fprintf(to, "%s    %s: ", has_any ? "" : "\n", option->name);
		has_any = true;
		if (described->rule.type == VALUE_NUMBERED_HEX) {
			print_numbered(to, option->value);
		} else {
			print_quoted(to, option->value);
			(void)fputc('\n', to);
		}
	}
	if (!has_any)
		(void)fputs(" {}\n", to);
}

void configuration_print(const struct configuration *configuration,
			 const struct description *descriptions, uint32_t n_descriptions, FILE *to)
{
	static const char *const modes[] = FRAME_MODE_NAMES;
	static const char *const drifts[] = { NULL, "repair", "report" };

	if (configuration->handlers.metric_adds_index)
		(void)fprintf(to, "# metric: %u and the index of the uplink\n",
			      configuration->handlers.metric);
	else
		(void)fprintf(to, "metric: %u\n", configuration->handlers.metric);
	(void)fprintf(to, "table: %u\n", configuration->handlers.table);
	(void)fprintf(to, "carrier: %s\n", configuration->ignores_carrier ? "ignore" : "follow");
	(void)fprintf(to, "carrier_delay: %u\n", configuration->carrier_delay_ms);
	(void)fprintf(to, "mode: %s\n", modes[configuration->mode]);
	(void)fprintf(to, "foreign: %s\n", configuration->pass_foreign ? "pass" : "drop");
	(void)fprintf(to, "transactions_per_hour: %u\n", configuration->transactions_per_hour);
	(void)fprintf(to, "request_max_size: %u\n", configuration->request_max_size);
	(void)fprintf(to, "quarantine: %u\n", configuration->quarantine_s);
	if (configuration->wait_interface_s == OPTIONS_WAIT_FOREVER)
		(void)fputs("wait_interface: forever\n", to);
	else if (configuration->wait_interface_s >= 0)
		(void)fprintf(to, "wait_interface: %d\n", configuration->wait_interface_s);
	print_text(to, "resolv_conf", configuration->handlers.resolv_conf);
	print_dns(to, &configuration->handlers.dns);
	print_text(to, "chronyd_directory", configuration->handlers.chronyd_directory);
	(void)fprintf(to, "use:\n");
	print_bool(to, "  dns", configuration->handlers.use_dns);
	print_bool(to, "  routes", configuration->handlers.use_routes);
	print_bool(to, "  mtu", configuration->handlers.use_mtu);
	print_bool(to, "  domain", configuration->handlers.use_domain);
	print_bool(to, "  hostname", configuration->handlers.use_hostname);
	print_bool(to, "  ntp", configuration->handlers.use_ntp);
	(void)fprintf(to,
		      "routes:\n  max: %u\n  min_prefix_length: %u\n"
		      "  min_connected_prefix_length: %u\n",
		      configuration->handlers.max_routes, configuration->handlers.min_prefix_length,
		      configuration->handlers.min_connected_prefix_length);
	print_bool(to, "  allow_hiding", configuration->handlers.allow_hiding);
	if (drifts[configuration->drift])
		(void)fprintf(to, "drift: %s\n", drifts[configuration->drift]);
	(void)fprintf(to, "witness: %s\n",
		      configuration->handlers.witness_warns ? "warn" : "enforce");
	(void)fprintf(to, "fast_start: %s\n", configuration->starts_fast ? "yes" : "no");
	print_bool(to, "syslog", configuration->syslog);
	(void)fprintf(to, "audit_max_size: %u\naudit_files: %u\naudit_on_failure: %s\n",
		      configuration->audit_max_size, configuration->audit_files,
		      configuration->audit_may_lose ? "lose" : "refuse");
	ceilings_print(configuration, to);
	print_providers(to, &configuration->handlers);
	(void)fputs(CALVES_FIELD ":\n", to);
	for (uint32_t i = 0; i < n_descriptions; i++)
		print_calf(to, configuration, &descriptions[i]);
}
