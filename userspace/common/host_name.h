/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key /host/name: the kernel's host name, for a calf with an option whose value
 * is HOST_NAME_WORD. The supervisor writes it, before the calf starts and when the
 * name changes. It is absent if no calf has such an option, and while the name is
 * none to tell others: not a host name, or localhost.
 */
#ifndef CALFPEN_COMMON_HOST_NAME_H
#define CALFPEN_COMMON_HOST_NAME_H

#define HOST_NAME_KEY "/host/name"
#define HOST_NAME_WORD "host"
#define HOST_NAME_SIZE 65 /* as the kernel has it, NUL included */

#endif
