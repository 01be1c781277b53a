/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the operator's configuration
 *
 * The defaults are overridden by the file, and that by the command line. Only
 * reads one file and changes nothing.
 */
#include "userspace/priv/description/configuration.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/audit_files.h"
#include "userspace/common/host_name.h"
#include "userspace/common/log.h"
#include "userspace/priv/description/description-private.h"

#define METRIC_DEFAULT 1000 /* plus the index of the uplink */
#define MAX_ROUTES 64	    /* as many as a description can let a calf write */
#define MIN_PREFIX_LENGTH_DEFAULT 8
#define MIN_CONNECTED_PREFIX_LENGTH_DEFAULT 16
#define CARRIER_DELAY_DEFAULT_MS 200
#define TRANSACTIONS_DEFAULT 120
#define TRANSACTIONS_MAX 3600000
#define REQUEST_SIZE_MIN 576 /* what every host takes: RFC 791 3.2 */
#define REQUEST_SIZE_MAX (FRAME_REQUEST_MAX + 28)
#define CARRIER_DELAY_MAX_MS 600000
#define AUDIT_MAX_SIZE_DEFAULT (16u << 20)
#define AUDIT_MAX_SIZE_MIN (64u << 10)
#define AUDIT_FILES_DEFAULT 4
#define RESOLV_CONF_DEFAULT "/etc/resolv.conf"
#define CHRONYD_DIRECTORY_DEFAULT "/run/chrony"

static int set_defaults(const struct calves *calves, struct configuration *configuration)
{
	configuration->handlers.metric = METRIC_DEFAULT;
	configuration->handlers.metric_adds_index = true;
	configuration->handlers.table = RT_TABLE_MAIN;
	configuration->carrier_delay_ms = CARRIER_DELAY_DEFAULT_MS;
	configuration->handlers.max_routes = MAX_ROUTES;
	configuration->handlers.min_prefix_length = MIN_PREFIX_LENGTH_DEFAULT;
	configuration->handlers.min_connected_prefix_length = MIN_CONNECTED_PREFIX_LENGTH_DEFAULT;
	configuration->handlers.use_dns = true;
	configuration->handlers.use_routes = true;
	configuration->handlers.use_mtu = true;
	configuration->handlers.use_domain = true;
	configuration->handlers.use_ntp = true;
	ceilings_set_defaults(configuration);
	configuration->mode = FRAME_MODE_AUTO;
	configuration->transactions_per_hour = TRANSACTIONS_DEFAULT;
	configuration->request_max_size = REQUEST_SIZE_MIN;
	configuration->wait_interface_s = -1;
	configuration->audit_max_size = AUDIT_MAX_SIZE_DEFAULT;
	configuration->audit_files = AUDIT_FILES_DEFAULT;
	memcpy(configuration->handlers.resolv_conf, RESOLV_CONF_DEFAULT,
	       sizeof(RESOLV_CONF_DEFAULT));
	memcpy(configuration->handlers.chronyd_directory, CHRONYD_DIRECTORY_DEFAULT,
	       sizeof(CHRONYD_DIRECTORY_DEFAULT));
	return calf_options_set_defaults(calves, configuration);
}

static int parse_use(struct yaml_file *file, yaml_node_t *node, struct configuration *configuration)
{
	enum { N = 6 };
	static const char *const names[N] = { "dns", "routes", "mtu", "domain", "hostname", "ntp" };
	bool *const flags[N] = {
		&configuration->handlers.use_dns,      &configuration->handlers.use_routes,
		&configuration->handlers.use_mtu,      &configuration->handlers.use_domain,
		&configuration->handlers.use_hostname, &configuration->handlers.use_ntp
	};
	yaml_node_t *values[N];
	int r;

	r = yaml_fields(file, node, "use", names, N, 0, values);
	for (size_t i = 0; !r && i < N; i++)
		if (values[i])
			r = yaml_bool(file, values[i], names[i], flags[i]);
	return r;
}

/* Limits for the routes that a server sends. */
static int parse_routes(struct yaml_file *file, yaml_node_t *node,
			struct configuration *configuration)
{
	enum { MAX, MIN_PREFIX_LENGTH, MIN_CONNECTED_PREFIX_LENGTH, ALLOW_HIDING, N };
	static const char *const names[N] = { "max", "min_prefix_length",
					      "min_connected_prefix_length", "allow_hiding" };
	yaml_node_t *values[N];
	int r;

	r = yaml_fields(file, node, "routes", names, N, 0, values);
	if (!r && values[MAX])
		r = yaml_u32(file, values[MAX], names[MAX], 0, MAX_ROUTES,
			     &configuration->handlers.max_routes);
	if (!r && values[MIN_PREFIX_LENGTH])
		r = yaml_u32(file, values[MIN_PREFIX_LENGTH], names[MIN_PREFIX_LENGTH], 1, 32,
			     &configuration->handlers.min_prefix_length);
	if (!r && values[MIN_CONNECTED_PREFIX_LENGTH])
		r = yaml_u32(file, values[MIN_CONNECTED_PREFIX_LENGTH],
			     names[MIN_CONNECTED_PREFIX_LENGTH], 1, 32,
			     &configuration->handlers.min_connected_prefix_length);
	if (!r && values[ALLOW_HIDING])
		r = yaml_bool(file, values[ALLOW_HIDING], names[ALLOW_HIDING],
			      &configuration->handlers.allow_hiding);
	return r;
}

static int parse_carrier(struct yaml_file *file, yaml_node_t *node,
			 struct configuration *configuration)
{
	static const char *const names[] = { "follow", "ignore" };
	size_t i = 0;
	int r = yaml_choice(file, node, "carrier", names, sizeof(names) / sizeof(names[0]), &i);

	if (!r)
		configuration->ignores_carrier = i == 1;
	return r;
}

static int parse_mode(struct yaml_file *file, yaml_node_t *node,
		      struct configuration *configuration)
{
	static const char *const names[] = FRAME_MODE_NAMES;
	size_t i = 0;
	int r;

	r = yaml_choice(file, node, "mode", names, sizeof(names) / sizeof(names[0]), &i);
	if (r < 0)
		return r;
	configuration->mode = (enum frame_mode)i;
	return 0;
}

static int parse_foreign(struct yaml_file *file, yaml_node_t *node,
			 struct configuration *configuration)
{
	static const char *const names[] = { "drop", "pass" };
	size_t i = 0;
	int r = yaml_choice(file, node, "foreign", names, sizeof(names) / sizeof(names[0]), &i);

	if (!r)
		configuration->pass_foreign = i == 1;
	return r;
}

static int parse_drift(struct yaml_file *file, yaml_node_t *node,
		       struct configuration *configuration)
{
	static const char *const names[] = { "repair", "report" };
	size_t i = 0;
	int r = yaml_choice(file, node, "drift", names, sizeof(names) / sizeof(names[0]), &i);

	if (!r)
		configuration->drift = i == 0 ? CONFIGURATION_DRIFT_REPAIR :
						CONFIGURATION_DRIFT_REPORT;
	return r;
}

static int parse_witness(struct yaml_file *file, yaml_node_t *node,
			 struct configuration *configuration)
{
	static const char *const names[] = { "enforce", "warn" };
	size_t i = 0;
	int r = yaml_choice(file, node, "witness", names, sizeof(names) / sizeof(names[0]), &i);

	if (!r)
		configuration->handlers.witness_warns = i == 1;
	return r;
}

static int parse_fast_start(struct yaml_file *file, yaml_node_t *node,
			    struct configuration *configuration)
{
	static const char *const names[] = { "no", "yes" };
	size_t i = 0;
	int r = yaml_choice(file, node, "fast_start", names, sizeof(names) / sizeof(names[0]), &i);

	if (!r)
		configuration->starts_fast = i == 1;
	return r;
}

static int parse_wait_interface(struct yaml_file *file, yaml_node_t *node,
				struct configuration *configuration)
{
	char text[sizeof("forever")];
	int r = yaml_text(file, node, "wait_interface", text, sizeof(text));

	if (r)
		return r;
	if (options_parse_wait(text, &configuration->wait_interface_s))
		return yaml_refuse(
			file, node,
			"wait_interface \"%s\" is not a number from 0 to %d, nor \"forever\"", text,
			OPTIONS_WAIT_MAX_S);
	return 0;
}

static int parse_audit_max_size(struct yaml_file *file, yaml_node_t *node,
				struct configuration *configuration)
{
	uint32_t size;
	int r = yaml_u32(file, node, "audit_max_size", 0, INT32_MAX, &size);

	if (!r && size && size < AUDIT_MAX_SIZE_MIN)
		return yaml_refuse(file, node, "audit_max_size %u is less than %u; 0: no rotation",
				   size, AUDIT_MAX_SIZE_MIN);
	if (!r)
		configuration->audit_max_size = size;
	return r;
}

static int parse_audit_on_failure(struct yaml_file *file, yaml_node_t *node,
				  struct configuration *configuration)
{
	static const char *const names[] = { "refuse", "lose" };
	size_t i = 0;
	int r = yaml_choice(file, node, "audit_on_failure", names, sizeof(names) / sizeof(names[0]),
			    &i);

	if (!r)
		configuration->audit_may_lose = i == 1;
	return r;
}

static int parse_path(struct yaml_file *file, yaml_node_t *node, const char *name,
		      char to[static PATH_MAX])
{
	char path[PATH_MAX];
	int r;

	r = yaml_text(file, node, name, path, sizeof(path));
	if (r < 0)
		return r;
	if (path[0] != '/')
		return yaml_refuse(file, node, "%s \"%s\" is not an absolute path", name, path);
	memcpy(to, path, sizeof(path));
	return 0;
}

static int parse_table(struct yaml_file *file, yaml_node_t *node,
		       struct configuration *configuration)
{
	int r = yaml_u32(file, node, "table", 1, UINT32_MAX, &configuration->handlers.table);

	if (!r && configuration->handlers.table == RT_TABLE_LOCAL)
		return yaml_refuse(file, node, "table %d is reserved for the kernel",
				   RT_TABLE_LOCAL);
	return r;
}

static int parse(struct yaml_file *file, const struct calves *calves,
		 struct configuration *configuration)
{
	enum {
		METRIC,
		TABLE,
		CARRIER,
		CARRIER_DELAY,
		MODE,
		FOREIGN,
		TRANSACTIONS,
		REQUEST_SIZE,
		QUARANTINE,
		WAIT_INTERFACE,
		RESOLV_CONF,
		DNS,
		CHRONYD_DIRECTORY,
		USE,
		ROUTES,
		DRIFT,
		WITNESS,
		FAST_START,
		SYSLOG,
		AUDIT_MAX_SIZE,
		AUDIT_FILES,
		AUDIT_ON_FAILURE,
		CEILINGS,
		PROVIDERS,
		CALVES,
		N
	};
	static const char *const names[N] = { "metric",
					      "table",
					      "carrier",
					      "carrier_delay",
					      "mode",
					      "foreign",
					      "transactions_per_hour",
					      "request_max_size",
					      "quarantine",
					      "wait_interface",
					      "resolv_conf",
					      "dns",
					      "chronyd_directory",
					      "use",
					      "routes",
					      "drift",
					      "witness",
					      "fast_start",
					      "syslog",
					      "audit_max_size",
					      "audit_files",
					      "audit_on_failure",
					      "ceilings",
					      PROVIDERS_FIELD,
					      CALVES_FIELD };
	yaml_node_t *values[N];
	int r;

	if (!file->root)
		return 0; /* only comments */
	r = calf_options_check_fields(file, names, N, calves);
	if (!r)
		r = yaml_fields(file, file->root, "a configuration", names, N, 0, values);
	if (r)
		return r;
	configuration->handlers.metric_adds_index = !values[METRIC];
	if (!r && values[METRIC])
		r = yaml_u32(file, values[METRIC], "metric", 0, UINT32_MAX,
			     &configuration->handlers.metric);
	if (!r && values[TABLE])
		r = parse_table(file, values[TABLE], configuration);
	if (!r && values[CARRIER])
		r = parse_carrier(file, values[CARRIER], configuration);
	if (!r && values[CARRIER_DELAY])
		r = yaml_u32(file, values[CARRIER_DELAY], "carrier_delay", 0, CARRIER_DELAY_MAX_MS,
			     &configuration->carrier_delay_ms);
	if (!r && values[MODE])
		r = parse_mode(file, values[MODE], configuration);
	if (!r && values[FOREIGN])
		r = parse_foreign(file, values[FOREIGN], configuration);
	if (!r && values[TRANSACTIONS])
		r = yaml_u32(file, values[TRANSACTIONS], names[TRANSACTIONS], 1, TRANSACTIONS_MAX,
			     &configuration->transactions_per_hour);
	if (!r && values[REQUEST_SIZE])
		r = yaml_u32(file, values[REQUEST_SIZE], names[REQUEST_SIZE], REQUEST_SIZE_MIN,
			     REQUEST_SIZE_MAX, &configuration->request_max_size);
	if (!r && values[QUARANTINE])
		r = yaml_u32(file, values[QUARANTINE], "quarantine", 0, OPTIONS_QUARANTINE_MAX_S,
			     &configuration->quarantine_s);
	if (!r && values[WAIT_INTERFACE])
		r = parse_wait_interface(file, values[WAIT_INTERFACE], configuration);
	if (!r && values[RESOLV_CONF])
		r = parse_path(file, values[RESOLV_CONF], names[RESOLV_CONF],
			       configuration->handlers.resolv_conf);
	if (!r && values[DNS])
		r = configuration_parse_dns(file, values[DNS], &configuration->handlers.dns);
	if (!r && values[CHRONYD_DIRECTORY])
		r = parse_path(file, values[CHRONYD_DIRECTORY], names[CHRONYD_DIRECTORY],
			       configuration->handlers.chronyd_directory);
	if (!r && values[USE])
		r = parse_use(file, values[USE], configuration);
	if (!r && values[ROUTES])
		r = parse_routes(file, values[ROUTES], configuration);
	if (!r && values[DRIFT])
		r = parse_drift(file, values[DRIFT], configuration);
	if (!r && values[WITNESS])
		r = parse_witness(file, values[WITNESS], configuration);
	if (!r && values[FAST_START])
		r = parse_fast_start(file, values[FAST_START], configuration);
	if (!r && values[SYSLOG])
		r = yaml_bool(file, values[SYSLOG], "syslog", &configuration->syslog);
	if (!r && values[AUDIT_MAX_SIZE])
		r = parse_audit_max_size(file, values[AUDIT_MAX_SIZE], configuration);
	if (!r && values[AUDIT_FILES])
		r = yaml_u32(file, values[AUDIT_FILES], "audit_files", 2, AUDIT_SEGMENTS_MAX,
			     &configuration->audit_files);
	if (!r && values[AUDIT_ON_FAILURE])
		r = parse_audit_on_failure(file, values[AUDIT_ON_FAILURE], configuration);
	if (!r && values[CEILINGS])
		r = ceilings_parse(file, values[CEILINGS], configuration);
	if (!r && values[PROVIDERS])
		r = providers_parse(file, values[PROVIDERS], calves, configuration);
	if (!r && values[CALVES])
		r = calf_options_parse(file, values[CALVES], calves, configuration);
	return r;
}

static void apply_command_line(const struct options *options, struct configuration *configuration)
{
	if (options->mode >= 0)
		configuration->mode = (enum frame_mode)options->mode;
	if (options->quarantine_s >= 0)
		configuration->quarantine_s = (uint32_t)options->quarantine_s;
	if (options->wait_interface_s >= 0)
		configuration->wait_interface_s = options->wait_interface_s;
	if (options->syslog)
		configuration->syslog = true;
	if (options->resolv_conf[0] != '\0')
		memcpy(configuration->handlers.resolv_conf, options->resolv_conf,
		       sizeof(configuration->handlers.resolv_conf));
}

static void find_lease_calf(const struct calves *calves, struct configuration *configuration)
{
	for (uint32_t i = 0; i < calves->n; i++)
		if (description_leases_ip(&calves->descriptions[i])) {
			memcpy(configuration->lease_calf, calves->descriptions[i].name,
			       sizeof(configuration->lease_calf));
			return;
		}
}

/* A calf without this option has none. */
static void find_fallback_lease(struct configuration *configuration)
{
	const struct configuration_option *option = configuration_find_option(
		configuration, configuration->lease_calf, "fallback_lease");

	if (option)
		(void)value_parse_uint(option->value, 0, UINT32_MAX,
				       &configuration->handlers.fallback_lease_s);
}

int configuration_parse(struct yaml_file *file, const struct options *options,
			const struct calves *calves, struct configuration *configurationp)
{
	struct configuration *configuration = calloc(1, sizeof(*configuration));
	int r;

	if (!configuration) {
		log_error("configuration: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	r = set_defaults(calves, configuration);
	if (!r && file)
		r = parse(file, calves, configuration);
	for (uint32_t i = 0; !r && i < calves->n; i++)
		r = ceilings_check(&calves->descriptions[i], configuration);
	if (!r) {
		configuration->tells_host_name = calf_options_tell_host_name(calves, configuration);
		providers_add_others(calves, configuration);
		find_lease_calf(calves, configuration);
		find_fallback_lease(configuration);
		apply_command_line(options, configuration);
		*configurationp = *configuration;
	} else {
		configuration_deinit(configuration);
	}
	free(configuration);
	return r;
}

int configuration_load(const struct options *options, const struct description *descriptions,
		       uint32_t n_descriptions, struct configuration *configurationp)
{
	const struct calves calves = { descriptions, n_descriptions };
	struct yaml_file file;
	int r;

	if (options->configuration[0] == '\0')
		return configuration_parse(NULL, options, &calves, configurationp);
	r = yaml_file_init(&file, options->configuration);
	if (r < 0)
		return r;
	r = configuration_parse(&file, options, &calves, configurationp);
	yaml_file_deinit(&file);
	return r;
}

void configuration_deinit(struct configuration *configuration)
{
	free(configuration->options);
	configuration->options = NULL;
	configuration->n_options = 0;
}
