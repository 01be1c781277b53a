/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of description_load(), one per list of the file. */
#ifndef CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_PRIVATE_H
#define CALFPEN_PRIV_DESCRIPTION_DESCRIPTION_PRIVATE_H

#include "userspace/priv/description/description.h"
#include "userspace/priv/description/yaml.h"

/* Keys of options live below this directory and nowhere else. */
#define DESCRIPTION_OPTION_DIRECTORY "/config/"

/* Each takes the list's node, or NULL if the file has none, and appends to
 * the description: 0, or a negative errno after one line on stderr. */

/* keys.c */
int description_parse_keys(struct yaml_file *file, yaml_node_t *node,
			   struct description *description);
/* After the keys: adds /config/NAME for each. */
int description_parse_options(struct yaml_file *file, yaml_node_t *node,
			      struct description *description);

/* frames.c */
int description_parse_frames(struct yaml_file *file, yaml_node_t *node,
			     struct description *description);
int description_parse_metrics(struct yaml_file *file, yaml_node_t *node,
			      struct description *description);

#endif
