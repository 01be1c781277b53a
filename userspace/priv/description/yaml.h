/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict walk over one small YAML file, shared by the description and the
 * configuration. Every refusal is one line on stderr, "FILE:LINE: reason",
 * and -EINVAL.
 *
 * Refused before anything is looked at: files that are not regular or larger
 * than YAML_FILE_MAX, several documents, anchors, aliases, tags, deep
 * nesting, bytes outside printable ASCII in any scalar.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_YAML_H
#define CALFPEN_PRIV_DESCRIPTION_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#define YAML_FILE_MAX 65536
#define YAML_DEPTH_MAX 8
#define YAML_FIELDS_MAX 16

struct yaml_file {
	const char *name; /* caller's, outlives this */
	yaml_document_t document;
	yaml_node_t *root; /* NULL: the file holds no document */
};

/* Read and check `name`: 0, or a negative errno after one line on stderr
 * (-ENOENT and the like if it cannot be read). Ended by yaml_file_deinit(). */
int yaml_file_init(struct yaml_file *file, const char *name);
void yaml_file_deinit(struct yaml_file *file);

/* Say "FILE:LINE: reason" for the line of `node`. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int
yaml_refuse(const struct yaml_file *file, const yaml_node_t *node, const char *format, ...);
/* Line of a node, from 1. */
unsigned int yaml_line(const yaml_node_t *node);

/*
 * The fields of a mapping. `names` has n <= YAML_FIELDS_MAX entries, the first
 * n_required of which must be there. values[i] is set to the node of names[i],
 * or NULL. Unknown, repeated and missing fields are refused; `what` names the
 * mapping in the message ("a key").
 */
int yaml_fields(struct yaml_file *file, yaml_node_t *node, const char *what,
		const char *const *names, size_t n, size_t n_required, yaml_node_t **values);

/* Number of entries of a sequence, at most `max`. NULL has none. */
int yaml_sequence(struct yaml_file *file, yaml_node_t *node, const char *what, uint32_t max,
		  uint32_t *np);
yaml_node_t *yaml_sequence_at(struct yaml_file *file, yaml_node_t *node, uint32_t i);

/* Entries of a mapping whose field names are free; repeated names refused. */
int yaml_mapping(struct yaml_file *file, yaml_node_t *node, const char *what, uint32_t max,
		 uint32_t *np);
void yaml_mapping_at(struct yaml_file *file, yaml_node_t *node, uint32_t i, yaml_node_t **keyp,
		     yaml_node_t **valuep);

/* Text of a scalar, quoted or not, 1..size - 1 bytes. */
int yaml_text(const struct yaml_file *file, const yaml_node_t *node, const char *what, char *to,
	      size_t size);
/* An unquoted decimal number. */
int yaml_u64(const struct yaml_file *file, const yaml_node_t *node, const char *what, uint64_t min,
	     uint64_t max, uint64_t *numberp);
int yaml_u32(const struct yaml_file *file, const yaml_node_t *node, const char *what, uint32_t min,
	     uint32_t max, uint32_t *numberp);
/* Unquoted true or false, nothing else. */
int yaml_bool(const struct yaml_file *file, const yaml_node_t *node, const char *what, bool *flagp);
/* One of `names`; its index in *ip. */
int yaml_choice(const struct yaml_file *file, const yaml_node_t *node, const char *what,
		const char *const *names, size_t n, size_t *ip);

#endif
