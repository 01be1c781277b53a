/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: limits and their ceilings
 *
 * A description says what its calf needs. It comes with the calf and is trusted as
 * little, so a ceiling limits what it can ask for, and only the operator's
 * configuration moves a ceiling. Both have the same fields: one table describes them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/description/description-private.h"

#define MEMORY_MIN (1u << 20)
#define MEMORY_MAX (1ull << 36)
/* The OCI runtime's threads (runc: six were seen) are in the container until it
 * executes the program; with fewer pids it sometimes dies there. */
#define PIDS_MIN 16
#define PIDS_MAX 1024
#define RATE_MAX 1000000
#define BYTES_MAX ((uint64_t)KV_KEYS_MAX * KV_VALUE_MAX)
#define AUDIT_MAX (1u << 30)
/* For the longest change of one key. */
#define AUDIT_BURST_MIN KV_AUDIT_COST(KV_PATH_MAX, KV_VALUE_MAX)
#define LOG_RATE_MAX (1u << 20)
/* The longest line, with what is added to it, has room in the smallest burst. */
#define LOG_BURST_MIN 2048
#define LOG_BURST_MAX (1u << 24)

#define FIELD(_field) \
	offsetof(struct description, _field), sizeof(((struct description *)NULL)->_field)
#define NO_FIELD 0, 0

static const struct limit {
	const char *name;
	size_t offset, size; /* in struct description */
	uint64_t min, max;   /* of both, the limit and the ceiling */
	uint64_t otherwise;  /* the limit if the description has none */
	uint64_t ceiling;    /* if the operator has set none */
} limits[_DESCRIPTION_LIMIT_N] = {
	[DESCRIPTION_MEMORY] = { "memory", FIELD(memory_bytes), MEMORY_MIN, MEMORY_MAX, 0,
				 64u << 20 },
	[DESCRIPTION_PIDS] = { "pids", FIELD(pids), PIDS_MIN, PIDS_MAX, 0, 64 },
	[DESCRIPTION_REQUESTS_PER_SECOND] = { "requests_per_second", FIELD(requests_per_second), 1,
					      RATE_MAX, 0, 1000 },
	[DESCRIPTION_REQUEST_BURST] = { "request_burst", FIELD(request_burst), 1, RATE_MAX, 0,
					1000 },
	/* description_load() replaces 0 by what the keys need */
	[DESCRIPTION_MAX_KEYS] = { "max_keys", FIELD(max_keys), 1, KV_KEYS_MAX, 0, 512 },
	[DESCRIPTION_MAX_BYTES] = { "max_bytes", FIELD(max_bytes), 1, BYTES_MAX, 0, 256u << 10 },
	[DESCRIPTION_CPU] = { "cpu", FIELD(cpu_percent), 1, 100, 10, 10 },
	[DESCRIPTION_AUDIT_BYTES_PER_SECOND] = { "audit_bytes_per_second",
						 FIELD(audit_bytes_per_second), 1, AUDIT_MAX, 4096,
						 64u << 10 },
	[DESCRIPTION_AUDIT_BURST] = { "audit_burst", FIELD(audit_burst), AUDIT_BURST_MIN, AUDIT_MAX,
				      64u << 10, 1u << 20 },
	[DESCRIPTION_LOG_BYTES_PER_SECOND] = { "log_bytes_per_second", FIELD(log_bytes_per_second),
					       1, LOG_RATE_MAX, 512, 16u << 10 },
	[DESCRIPTION_LOG_BURST] = { "log_burst", FIELD(log_burst), LOG_BURST_MIN, LOG_BURST_MAX,
				    64u << 10, 1u << 20 },
	[DESCRIPTION_FRAMES_PER_SECOND] = { "frames_per_second", NO_FIELD, 1, RATE_MAX, 0, 1000 },
	[DESCRIPTION_FRAME_BURST] = { "frame_burst", NO_FIELD, 1, RATE_MAX, 0, 1000 },
};

static uint64_t limit_of(const struct description *description, const struct limit *limit)
{
	const char *field = (const char *)description + limit->offset;
	uint64_t number = 0;
	uint32_t short_number = 0;

	if (limit->size == sizeof(number)) {
		memcpy(&number, field, sizeof(number));
		return number;
	}
	memcpy(&short_number, field, sizeof(short_number));
	return short_number;
}

static void set_limit(struct description *description, const struct limit *limit, uint64_t number)
{
	char *field = (char *)description + limit->offset;
	uint32_t short_number = (uint32_t)number;

	if (limit->size == sizeof(number))
		memcpy(field, &number, sizeof(number));
	else
		memcpy(field, &short_number, sizeof(short_number));
}

int description_parse_limits(struct yaml_file *file, yaml_node_t *node,
			     struct description *description)
{
	const char *names[DESCRIPTION_LIMITS_OWN];
	yaml_node_t *values[DESCRIPTION_LIMITS_OWN];
	int r;

	for (int i = 0; i < DESCRIPTION_LIMITS_OWN; i++)
		names[i] = limits[i].name;
	r = yaml_fields(file, node, "limits", names, DESCRIPTION_LIMITS_OWN,
			DESCRIPTION_LIMITS_REQUIRED, values);
	for (int i = 0; !r && i < DESCRIPTION_LIMITS_OWN; i++) {
		uint64_t number = limits[i].otherwise;

		if (values[i])
			r = yaml_u64(file, values[i], names[i], limits[i].min, limits[i].max,
				     &number);
		description->limit_lines[i] = yaml_line(values[i] ? values[i] : node);
		set_limit(description, &limits[i], number);
	}
	return r;
}

void ceilings_set_defaults(struct configuration *configuration)
{
	for (int i = 0; i < _DESCRIPTION_LIMIT_N; i++)
		configuration->ceilings[i] = limits[i].ceiling;
}

int ceilings_parse(struct yaml_file *file, yaml_node_t *node, struct configuration *configuration)
{
	const char *names[_DESCRIPTION_LIMIT_N];
	yaml_node_t *values[_DESCRIPTION_LIMIT_N];
	int r;

	for (int i = 0; i < _DESCRIPTION_LIMIT_N; i++)
		names[i] = limits[i].name;
	r = yaml_fields(file, node, "ceilings", names, _DESCRIPTION_LIMIT_N, 0, values);
	for (int i = 0; !r && i < _DESCRIPTION_LIMIT_N; i++)
		if (values[i])
			r = yaml_u64(file, values[i], names[i], limits[i].min, limits[i].max,
				     &configuration->ceilings[i]);
	return r;
}

void ceilings_print(const struct configuration *configuration, FILE *to)
{
	(void)fputs("ceilings:\n", to);
	for (int i = 0; i < _DESCRIPTION_LIMIT_N; i++)
		(void)fprintf(to, "  %s: %llu\n", limits[i].name,
			      (unsigned long long)configuration->ceilings[i]);
}

/* Returns 0, or -EINVAL after one line on stderr if the limit is above its ceiling. */
static int check(const struct description *description, unsigned int line, const char *name,
		 uint64_t number, enum description_limit ceiling,
		 const struct configuration *configuration)
{
	uint64_t most = configuration->ceilings[ceiling];

	if (number <= most)
		return 0;
	log_error("%s/%s:%u: %s is %llu, above the ceiling of %llu; only `ceilings: {%s: ...}` in "
		  "the configuration of the instance can raise it",
		  description->directory, DESCRIPTION_FILE, line, name, (unsigned long long)number,
		  (unsigned long long)most, limits[ceiling].name);
	return -EINVAL;
}

/* The rule has the interval, a whole number of nanoseconds that several rates share. The
 * lowest of them is what a ceiling must allow: its interval is rounded down. */
static uint64_t lowest_rate(uint64_t interval_ns)
{
	return interval_ns ? NS_PER_S / (interval_ns + 1) + 1 : 0;
}

static int check_rate(const struct description *description, unsigned int line,
		      const char *direction, uint64_t interval_ns, uint64_t burst_ns,
		      const struct configuration *configuration)
{
	char per_second[32], burst[32];
	int r;

	(void)snprintf(per_second, sizeof(per_second), "%s_per_second", direction);
	(void)snprintf(burst, sizeof(burst), "%s_burst", direction);
	r = check(description, line, per_second, lowest_rate(interval_ns),
		  DESCRIPTION_FRAMES_PER_SECOND, configuration);
	return r ? r :
		   check(description, line, burst, interval_ns ? burst_ns / interval_ns : 0,
			 DESCRIPTION_FRAME_BURST, configuration);
}

int ceilings_check(const struct description *description, const struct configuration *configuration)
{
	int r = 0;

	for (int i = 0; !r && i < DESCRIPTION_LIMITS_OWN; i++)
		r = check(description, description->limit_lines[i], limits[i].name,
			  limit_of(description, &limits[i]), (enum description_limit)i,
			  configuration);
	for (uint32_t i = 0; !r && i < description->n_frames; i++) {
		const struct frame_rule *rule = &description->frames[i];
		unsigned int line = description->frame_lines[i];

		r = check_rate(description, line, "ingress", rule->ingress_interval_ns,
			       rule->ingress_burst_ns, configuration);
		if (!r)
			r = check_rate(description, line, "egress", rule->egress_interval_ns,
				       rule->egress_burst_ns, configuration);
	}
	return r;
}
