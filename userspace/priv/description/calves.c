/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the calves of an instance
 *
 * The configuration is opened once: the field `calves` says which descriptions to load, and
 * with these all of the file is checked. Only reads files and directories.
 */
#include "userspace/priv/description/calves.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/program.h"
#include "userspace/priv/description/description-private.h"
#include "userspace/priv/description/overlap.h"

#define INSTALLED "calves" /* in the directory of this program, also in the build tree */
#define NAMES_SIZE 512

/* The calves that the configuration names. */
struct choice {
	struct yaml_file *file; /* NULL: none */
	yaml_node_t *node;	/* of the field; NULL: there is none */
	uint32_t n;
};

static int directory_of(const char *name, char directory[static PATH_MAX])
{
	char relative[NAME_MAX];
	int r;

	(void)snprintf(relative, sizeof(relative), INSTALLED "/%s", name);
	r = program_path(relative, directory, PATH_MAX);
	if (r)
		log_error("calf %s: cannot find it next to this program: %s; name it with --calf",
			  name, strerror(-r));
	return r;
}

static bool has_description(const char *directory)
{
	char file[PATH_MAX + sizeof(DESCRIPTION_FILE)];

	(void)snprintf(file, sizeof(file), "%s/" DESCRIPTION_FILE, directory);
	return access(file, F_OK) == 0;
}

static int is_calf(const struct dirent *entry)
{
	char directory[PATH_MAX];

	return entry->d_name[0] != '.' && !directory_of(entry->d_name, directory) &&
	       has_description(directory);
}

int calves_refuse_unknown(struct yaml_file *file, const yaml_node_t *node, const char *name)
{
	char directory[PATH_MAX], names[NAMES_SIZE] = "";
	struct dirent **entries = NULL;
	size_t used = 0;
	int n;

	if (program_path(INSTALLED, directory, sizeof(directory)))
		directory[0] = '\0';
	n = scandir(directory, &entries, is_calf, alphasort);
	for (int i = 0; i < n; i++) {
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 i > 0 ? ", " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return yaml_refuse(file, node,
			   "unknown calf \"%s\"; installed are: %s; another one needs --calf "
			   "DIRECTORY",
			   name, names[0] ? names : "none");
}

static bool is_field(const yaml_node_t *key)
{
	return key->type == YAML_SCALAR_NODE &&
	       !strcmp((const char *)key->data.scalar.value, CALVES_FIELD);
}

/* Find the names. What else may be wrong in the file is refused when it is parsed. */
static int choose(struct yaml_file *file, struct choice *choice)
{
	yaml_node_t *key, *value;
	uint32_t n = 0;
	int r;

	*choice = (struct choice){ .file = file, .n = 1 };
	if (!file || !file->root || file->root->type != YAML_MAPPING_NODE)
		return 0;
	n = (uint32_t)(file->root->data.mapping.pairs.top - file->root->data.mapping.pairs.start);
	for (uint32_t i = 0; i < n && !choice->node; i++) {
		yaml_mapping_at(file, file->root, i, &key, &value);
		if (is_field(key))
			choice->node = value;
	}
	if (!choice->node)
		return 0;
	r = calf_options_check_form(file, choice->node);
	return r ? r :
		   yaml_mapping(file, choice->node, CALVES_FIELD, OPTIONS_CALVES_MAX, &choice->n);
}

/* Take the calf from those that the command line has added. Returns false if it is not
 * among them. */
static bool take_added(struct description *added, uint32_t *np, const char *name,
		       struct description *descriptionp)
{
	for (uint32_t i = 0; i < *np; i++) {
		if (strcmp(added[i].name, name) != 0)
			continue;
		*descriptionp = added[i];
		--*np;
		memmove(&added[i], &added[i + 1], (*np - i) * sizeof(*added));
		return true;
	}
	return false;
}

static int load_installed(const struct choice *choice, const yaml_node_t *key, const char *name,
			  struct description *descriptionp)
{
	char directory[PATH_MAX];
	int r = directory_of(name, directory);

	if (r)
		return r;
	if (key && !has_description(directory))
		return calves_refuse_unknown(choice->file, key, name);
	r = description_load(directory, descriptionp);
	if (!r && strcmp(descriptionp->name, name) != 0) {
		log_error("%s/" DESCRIPTION_FILE
			  ":%u: name \"%s\" is not that of its directory, \"%s\"",
			  directory, descriptionp->name_line, descriptionp->name, name);
		r = -EINVAL;
	}
	return r;
}

/* Load the calf number `i` of the configuration. */
static int load_chosen(const struct choice *choice, uint32_t i, struct description *added,
		       uint32_t *n_addedp, struct description *descriptionp)
{
	char name[KEY_TABLE_NAME_MAX + 1] = CALVES_DEFAULT;
	yaml_node_t *key = NULL, *value = NULL;
	int r = 0;

	if (choice->node) {
		yaml_mapping_at(choice->file, choice->node, i, &key, &value);
		r = yaml_text(choice->file, key, "calf name", name, sizeof(name));
		if (!r)
			r = description_check_name(choice->file, key, name);
	}
	if (!r && !take_added(added, n_addedp, name, descriptionp))
		r = load_installed(choice, key, name, descriptionp);
	return r || !key ? r : grants_parse(choice->file, value, descriptionp);
}

static int check_number(const struct choice *choice, uint32_t n)
{
	if (n > OPTIONS_CALVES_MAX)
		log_error("--calf: too many calves; at most %d are allowed", OPTIONS_CALVES_MAX);
	else if (!n)
		return yaml_refuse(choice->file, choice->node,
				   CALVES_FIELD " is empty; name a calf here or with --calf");
	return n > OPTIONS_CALVES_MAX ? -EINVAL : 0;
}

/* Load all descriptions into `descriptions`, which has room for those of the configuration
 * and of the command line. */
static int load_descriptions(const struct options *options, const struct choice *choice,
			     struct description *descriptions, uint32_t *np)
{
	struct description *added = descriptions + choice->n;
	uint32_t n_added = options->n_calves;
	int r = 0;

	for (uint32_t i = 0; !r && i < n_added; i++)
		r = description_load(options->calves[i], &added[i]);
	for (uint32_t i = 0; !r && i < choice->n; i++)
		r = load_chosen(choice, i, added, &n_added, &descriptions[i]);
	*np = choice->n + n_added;
	if (!r)
		r = check_number(choice, *np);
	return r ? r : overlap_check(descriptions, *np);
}

static int load(const struct options *options, struct yaml_file *file,
		struct description **descriptionsp, uint32_t *np,
		struct configuration *configurationp)
{
	struct description *descriptions = NULL;
	struct choice choice;
	uint32_t n = 0;
	int r = choose(file, &choice);

	if (r)
		return r;
	descriptions = calloc(choice.n + options->n_calves + 1, sizeof(*descriptions));
	if (!descriptions) {
		log_error("calves: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	r = load_descriptions(options, &choice, descriptions, &n);
	if (!r)
		r = configuration_parse(file, options, &(const struct calves){ descriptions, n },
					configurationp);
	if (r) {
		free(descriptions);
		return r;
	}
	*descriptionsp = descriptions;
	*np = n;
	return 0;
}

int calves_load(const struct options *options, struct description **descriptionsp, uint32_t *np,
		struct configuration *configurationp)
{
	struct yaml_file file;
	int r;

	if (options->configuration[0] == '\0')
		return load(options, NULL, descriptionsp, np, configurationp);
	r = yaml_file_init(&file, options->configuration);
	if (r)
		return r;
	r = load(options, &file, descriptionsp, np, configurationp);
	yaml_file_deinit(&file);
	return r;
}
