/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of bundle_write() that make config.json. */
#ifndef CALFPEN_PRIV_CONTAINER_BUNDLE_PRIVATE_H
#define CALFPEN_PRIV_CONTAINER_BUNDLE_PRIVATE_H

#include <jansson.h>

#include "userspace/priv/container/bundle.h"

#define BUNDLE_ROOTFS "rootfs"

/* config.c: the whole of config.json, or NULL: no memory. With
 * `executable` (else NULL) that file is mounted over the one in the root. */
json_t *bundle_config(const struct bundle_parameters *parameters, const char *executable);

/* seccomp.c: the object linux.seccomp, or NULL. It has to hold what the
 * runtime's own init needs between loading the filter and executing the calf,
 * and what the calf needs until it confines itself to far less. */
json_t *bundle_seccomp(void);

#endif
