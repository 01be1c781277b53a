/* SPDX-License-Identifier: Apache-2.0 */
/* How a config.json is read: field by field, each by the function that a table names. */
#ifndef CALFPEN_PEN_CONFIG_PRIVATE_H
#define CALFPEN_PEN_CONFIG_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/pen/config.h"

#define PEN_NAMES_MAX 256

struct pen_reader {
	struct pen_config *config;
	const char *bundle;
	char *error;
	char where[256]; /* path of the field that is read */
	/* Checked when everything has been read, because fields have no order */
	const char *root;
	const char *bind_source, *bind_destination;
	const char *calls[PEN_NAMES_MAX]; /* that linux.seccomp allows */
	size_t n_calls;
	bool has_calls;
	unsigned int namespaces; /* bits, in the order of `namespace_types` */
	struct pen_limit limit;	 /* the one that is read */
};

typedef int (*pen_take_fn)(struct pen_reader *reader, json_t *value);

struct pen_field {
	const char *name;
	pen_take_fn take;
	bool is_required;
};

#define PEN_N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Write "FIELD: reason" to the reader's error. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int pen_refuse(struct pen_reader *reader, const char *format,
						     ...);

/* Append the name of a member to the path. Returns the length to cut it back to. */
size_t pen_field_enter(struct pen_reader *reader, const char *name);
void pen_field_leave(struct pen_reader *reader, size_t length);

/* These return 0; or what a function of a field returned; or -EINVAL, refused. */

/* Hand each member to its function. Unknown ones are refused, and so are missing ones. */
int pen_take_object(struct pen_reader *reader, json_t *object, const struct pen_field *fields,
		    size_t n);
int pen_take_array(struct pen_reader *reader, json_t *array, pen_take_fn take);
int pen_take_empty_array(struct pen_reader *reader, json_t *value);
int pen_take_true(struct pen_reader *reader, json_t *value);
int pen_take_false(struct pen_reader *reader, json_t *value);
int pen_take_text(struct pen_reader *reader, json_t *value, const char *wanted);
int pen_take_number(struct pen_reader *reader, json_t *value, json_int_t min, json_int_t max,
		    json_int_t *numberp);
int pen_take_zero(struct pen_reader *reader, json_t *value);
int pen_take_one(struct pen_reader *reader, json_t *value);
int pen_take_positive(struct pen_reader *reader, json_t *value, uint64_t *numberp);

/* "process" and "linux", whole: config_process.c, config_linux.c */
int pen_take_process(struct pen_reader *reader, json_t *value);
int pen_take_linux(struct pen_reader *reader, json_t *value);

#endif
