/* SPDX-License-Identifier: Apache-2.0 */
/* Frame rules and metrics of a description. */
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/priv/description/description-private.h"

#define FRAME_MIN 64
#define FRAME_MAX 1514 /* the largest frame on a tap */
#define RATE_MAX 1000000
#define BURST_MAX 1000000

/* Convert a rate to the filter's form: one frame per interval, bursts of `burst`. */
static int parse_rate(struct yaml_file *file, yaml_node_t *rate_node, const char *rate_name,
		      yaml_node_t *burst_node, const char *burst_name, __u64 *interval_nsp,
		      __u64 *burst_nsp)
{
	uint32_t per_second = 0, burst = 0;
	int r;

	r = yaml_u32(file, rate_node, rate_name, 1, RATE_MAX, &per_second);
	if (r < 0)
		return r;
	r = yaml_u32(file, burst_node, burst_name, 1, BURST_MAX, &burst);
	if (r < 0)
		return r;
	*interval_nsp = (uint32_t)NS_PER_S / per_second;
	*burst_nsp = burst * *interval_nsp;
	return 0;
}

/* First the fields of every check, then those of UDP only. */
enum frame_field {
	CHECK,
	INGRESS_PER_SECOND,
	INGRESS_BURST,
	EGRESS_PER_SECOND,
	EGRESS_BURST,
	LOCAL_PORT,
	REMOTE_PORT,
	MAX_FRAME,
	_FRAME_FIELD_N,
};

static const char *const frame_fields[_FRAME_FIELD_N] = {
	[CHECK] = "check",
	[INGRESS_PER_SECOND] = "ingress_per_second",
	[INGRESS_BURST] = "ingress_burst",
	[EGRESS_PER_SECOND] = "egress_per_second",
	[EGRESS_BURST] = "egress_burst",
	[LOCAL_PORT] = "local_port",
	[REMOTE_PORT] = "remote_port",
	[MAX_FRAME] = "max_frame",
};

static int parse_check(struct yaml_file *file, yaml_node_t *node, struct frame_rule *rule)
{
	static const char *const checks[] = { "dhcp4", "arp" };
	static const enum frame_check check_numbers[] = { FRAME_CHECK_DHCP4, FRAME_CHECK_ARP };
	size_t i = 0;
	int r;

	r = yaml_choice(file, node, "check", checks, 2, &i);
	if (r < 0)
		return r;
	rule->check = check_numbers[i];
	return 0;
}

static int parse_ports(struct yaml_file *file, yaml_node_t *node, yaml_node_t **values,
		       struct frame_rule *rule)
{
	uint32_t port = 0;
	int r;

	for (int i = LOCAL_PORT; i <= MAX_FRAME; i++)
		if (!values[i])
			return yaml_refuse(file, node, "a frame rule has no field \"%s\"",
					   frame_fields[i]);
	r = yaml_u32(file, values[LOCAL_PORT], "local_port", 1, UINT16_MAX, &port);
	if (r < 0)
		return r;
	rule->local_port = (uint16_t)port;
	r = yaml_u32(file, values[REMOTE_PORT], "remote_port", 1, UINT16_MAX, &port);
	if (r < 0)
		return r;
	rule->remote_port = (uint16_t)port;
	return yaml_u32(file, values[MAX_FRAME], "max_frame", FRAME_MIN, FRAME_MAX,
			&rule->max_frame);
}

/* ARP has no ports and one size. */
static int refuse_ports(struct yaml_file *file, yaml_node_t **values)
{
	for (int i = LOCAL_PORT; i <= MAX_FRAME; i++)
		if (values[i])
			return yaml_refuse(file, values[i], "\"%s\" is not allowed with check: arp",
					   frame_fields[i]);
	return 0;
}

static int parse_frame(struct yaml_file *file, yaml_node_t *node, struct description *description)
{
	struct frame_rule *rule = &description->frames[description->n_frames];
	yaml_node_t *values[_FRAME_FIELD_N];
	int r;

	r = yaml_fields(file, node, "a frame rule", frame_fields, _FRAME_FIELD_N, LOCAL_PORT,
			values);
	if (!r)
		r = parse_check(file, values[CHECK], rule);
	if (!r)
		r = rule->check == FRAME_CHECK_ARP ? refuse_ports(file, values) :
						     parse_ports(file, node, values, rule);
	if (!r)
		r = parse_rate(file, values[INGRESS_PER_SECOND], "ingress_per_second",
			       values[INGRESS_BURST], "ingress_burst", &rule->ingress_interval_ns,
			       &rule->ingress_burst_ns);
	if (!r)
		r = parse_rate(file, values[EGRESS_PER_SECOND], "egress_per_second",
			       values[EGRESS_BURST], "egress_burst", &rule->egress_interval_ns,
			       &rule->egress_burst_ns);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < description->n_frames; i++)
		if (description->frames[i].check == rule->check &&
		    description->frames[i].local_port == rule->local_port)
			return yaml_refuse(file, node, "check and local_port are repeated");
	description->frame_lines[description->n_frames] = yaml_line(node);
	description->n_frames++;
	return 0;
}

/* Announcements say to all that an address is the host's, and the host does not get the
 * ARP that the calf gets: both only for the calf whose address the host has. */
static int check_arp(struct yaml_file *file, yaml_node_t *node,
		     const struct description *description)
{
	const struct key_rule *key = description_find_key(description, DESCRIPTION_ADDRESS_KEY);

	if (key && (key->access & KV_ACCESS_WRITE))
		return 0;
	for (uint32_t i = 0; i < description->n_frames; i++)
		if (description->frames[i].check == FRAME_CHECK_ARP)
			return yaml_refuse(file, yaml_sequence_at(file, node, i),
					   "check: arp is for the calf that may write "
					   "\"" DESCRIPTION_ADDRESS_KEY "\" only");
	return 0;
}

int description_parse_frames(struct yaml_file *file, yaml_node_t *node,
			     struct description *description)
{
	uint32_t n;
	int r;

	r = yaml_sequence(file, node, "frames", FRAME_RULES_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++)
		r = parse_frame(file, yaml_sequence_at(file, node, i), description);
	return r ? r : check_arp(file, node, description);
}

/* [a-zA-Z_:][a-zA-Z0-9_:]*, the rule of Prometheus. */
static bool is_metric_name(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && *c != '_' &&
		    *c != ':' && (c == name || !(*c >= '0' && *c <= '9')))
			return false;
	return true;
}

static int parse_metric(struct yaml_file *file, yaml_node_t *node, struct description *description)
{
	static const char *const names[] = { "name", "type", "help" };
	static const char *const types[] = { "counter", "gauge" };
	struct description_metric *metric = &description->metrics[description->n_metrics];
	yaml_node_t *values[3];
	size_t i_type = 0;
	int r;

	r = yaml_fields(file, node, "a metric", names, 3, 3, values);
	if (!r)
		r = yaml_text(file, values[0], "metric name", metric->name, sizeof(metric->name));
	if (!r)
		r = yaml_choice(file, values[1], "type", types, 2, &i_type);
	if (!r)
		r = yaml_text(file, values[2], "help", metric->help, sizeof(metric->help));
	if (r < 0)
		return r;
	if (!is_metric_name(metric->name))
		return yaml_refuse(
			file, values[0],
			"metric name \"%s\" must consist of a-z A-Z 0-9 _ : and not begin "
			"with a digit",
			metric->name);
	for (uint32_t i = 0; i < description->n_metrics; i++)
		if (strcmp(description->metrics[i].name, metric->name) == 0)
			return yaml_refuse(file, values[0], "metric \"%s\" is repeated",
					   metric->name);
	metric->is_gauge = i_type == 1;
	description->n_metrics++;
	return 0;
}

int description_parse_metrics(struct yaml_file *file, yaml_node_t *node,
			      struct description *description)
{
	uint32_t n;
	int r;

	r = yaml_sequence(file, node, "metrics", DESCRIPTION_METRICS_MAX, &n);
	for (uint32_t i = 0; !r && i < n; i++)
		r = parse_metric(file, yaml_sequence_at(file, node, i), description);
	return r;
}
