/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of bundle_write() that create config.json. */
#ifndef CALFPEN_PRIV_CONTAINER_BUNDLE_PRIVATE_H
#define CALFPEN_PRIV_CONTAINER_BUNDLE_PRIVATE_H

#include <jansson.h>

#include "userspace/priv/container/bundle.h"

#define BUNDLE_ROOTFS "rootfs"

/* config.c: create all of config.json. If `executable` is not NULL, that file is
 * mounted over the one in the root. Returns NULL if there is no memory. */
json_t *bundle_config(const struct bundle_parameters *parameters, const char *executable);

/* seccomp.c: create the object linux.seccomp. It must allow what the runtime's
 * own init needs between loading the filter and executing the calf, and what the
 * calf needs until it confines itself to far less. Returns NULL if there is no
 * memory. */
json_t *bundle_seccomp(void);

#endif
