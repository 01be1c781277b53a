/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of one small YAML file, shared by the description and the
 * configuration. If a function refuses the file, it logs one line on stderr,
 * "FILE:LINE: reason", and returns -EINVAL.
 *
 * Refused before any value is read: files that are not regular or are larger
 * than YAML_FILE_MAX, several documents, anchors, aliases, tags, deep nesting,
 * and scalars with bytes other than printable ASCII.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_YAML_H
#define CALFPEN_PRIV_DESCRIPTION_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#define YAML_FILE_MAX 65536
#define YAML_DEPTH_MAX 8
#define YAML_FIELDS_MAX 24

struct yaml_file {
	const char *name; /* the caller's; must outlive this struct */
	yaml_document_t document;
	yaml_node_t *root; /* NULL: the file contains no document */
};

/* Read and check the file `name`, to be freed by yaml_file_deinit(). Returns 0, or
 * a negative errno after one line on stderr (such as -ENOENT if the file cannot
 * be read). */
int yaml_file_init(struct yaml_file *file, const char *name);
void yaml_file_deinit(struct yaml_file *file);

/* Log "FILE:LINE: reason" with the line of `node` (NULL: 1). Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int
yaml_refuse(const struct yaml_file *file, const yaml_node_t *node, const char *format, ...);
/* Return the line of a node, counted from 1. */
unsigned int yaml_line(const yaml_node_t *node);

/*
 * Get the fields of a mapping. `names` has n <= YAML_FIELDS_MAX entries, the first
 * n_required of which are required. Sets values[i] to the node of names[i], or
 * to NULL. Unknown, repeated and missing fields are refused; `what` is the name
 * of the mapping in messages ("a key"). Returns 0 or -EINVAL.
 */
int yaml_fields(struct yaml_file *file, yaml_node_t *node, const char *what,
		const char *const *names, size_t n, size_t n_required, yaml_node_t **values);

/* Get the number of entries of a sequence, 0 if `node` is NULL. More than `max`
 * are refused. Returns 0 or -EINVAL. */
int yaml_sequence(struct yaml_file *file, yaml_node_t *node, const char *what, uint32_t max,
		  uint32_t *np);
/* Return entry number `i` of a sequence. */
yaml_node_t *yaml_sequence_at(struct yaml_file *file, yaml_node_t *node, uint32_t i);

/* Get the number of entries of a mapping with any field names. Repeated names and
 * more than `max` entries are refused. Returns 0 or -EINVAL. */
int yaml_mapping(struct yaml_file *file, yaml_node_t *node, const char *what, uint32_t max,
		 uint32_t *np);
/* Get the name and the value of entry number `i` of a mapping. */
void yaml_mapping_at(struct yaml_file *file, yaml_node_t *node, uint32_t i, yaml_node_t **keyp,
		     yaml_node_t **valuep);

/* Read a scalar; `what` is its name in messages. Each returns 0 or -EINVAL. */

/* Text of 1 to size - 1 bytes, quoted or not. */
int yaml_text(const struct yaml_file *file, const yaml_node_t *node, const char *what, char *to,
	      size_t size);
/* An unquoted decimal number. */
int yaml_u64(const struct yaml_file *file, const yaml_node_t *node, const char *what, uint64_t min,
	     uint64_t max, uint64_t *numberp);
int yaml_s64(const struct yaml_file *file, const yaml_node_t *node, const char *what, int64_t min,
	     int64_t max, int64_t *numberp);
int yaml_u32(const struct yaml_file *file, const yaml_node_t *node, const char *what, uint32_t min,
	     uint32_t max, uint32_t *numberp);
/* Return whether the node stands for no value at all: empty, ~ or null, unquoted. */
bool yaml_is_nothing(const yaml_node_t *node);
/* Only true or false, unquoted. */
int yaml_bool(const struct yaml_file *file, const yaml_node_t *node, const char *what, bool *flagp);
/* One of `names`; stores its index in *ip. */
int yaml_choice(const struct yaml_file *file, const yaml_node_t *node, const char *what,
		const char *const *names, size_t n, size_t *ip);

#endif
