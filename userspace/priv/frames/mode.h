/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the uplink's frame program is attached. The operator chooses it, so that
 * options.c and description/ use this header, too.
 */
#ifndef CALFPEN_PRIV_FRAMES_MODE_H
#define CALFPEN_PRIV_FRAMES_MODE_H

enum frame_mode { FRAME_MODE_AUTO = 0, FRAME_MODE_NATIVE, FRAME_MODE_TC, FRAME_MODE_GENERIC };

/* Names on the command line, in the configuration and in `calfpen status`. */
#define FRAME_MODE_NAMES                          \
	{                                         \
		"auto", "native", "tc", "generic" \
	}

#endif
