/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of an adopted store that were written in the open, of keys that are secrets in this
 * start: its descriptions are newer than the values. The gate would go on showing them to
 * everybody until they are written again.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_HIDE_SECRETS_H
#define CALFPEN_PRIV_SUPERVISOR_HIDE_SECRETS_H

#include <stdint.h>

#include "userspace/priv/supervisor/adopted.h"

/* Returns one bit for each subject that has written such values. */
uint64_t hide_secrets_find(const struct store *store, const struct adopted_calves *calves);

/*
 * Write such values of the subjects of hide_secrets_find() again, as secrets and each in the
 * name of its writer, which alone could read it otherwise; before any of them has a gate. What
 * cannot be written is logged and left as it is.
 */
void hide_secrets(struct store *store, const struct adopted_calves *calves, uint64_t writers);

#endif
