/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol between a calf and its gateway (control.capnp): unpacked
 * Cap'n Proto stream framing over SOCK_STREAM. The decoder is made for hostile
 * input; the encoder's output is byte-identical to the reference tool's. No
 * recursion, no allocation; results are views into the caller's buffer.
 *
 * The decoder accepts messages of up to WIRE_SEGMENTS_MAX segments, with far
 * and double-far pointers wherever a pointer is allowed; the encoder writes one
 * segment.
 */
#ifndef CALFPEN_COMMON_WIRE_H
#define CALFPEN_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

#define WIRE_FRAME_MAX 65536 /* table and segments, bytes */
#define WIRE_SEGMENTS_MAX 64
#define WIRE_RESPONSE_MAX 2048 /* largest response that a gateway sends, bytes */
#define WIRE_ERROR_MAX 127     /* longest error text that a gateway sends, bytes */

/* Union tags. */
enum wire_request_tag {
	WIRE_WRITE = 0,
	WIRE_READ = 1,
	WIRE_DELETE = 2,
	WIRE_LIST = 3,
	WIRE_WATCH = 4,
	WIRE_COMMIT = 5,
};
enum wire_response_tag { WIRE_OK = 0, WIRE_ERROR = 1, WIRE_ENTRIES = 2 };
/* Kinds of entries; the tags of their union. */
enum wire_entry_tag {
	WIRE_ENTRY_VALUE = 0,	/* watch: the key exists, with this value */
	WIRE_ENTRY_DELETED = 1, /* watch: the key was deleted */
	WIRE_ENTRY_LISTED = 2,	/* list: the key exists */
	WIRE_ENTRY_SYNCED = 3,	/* watch: all existing keys came before this */
	WIRE_ENTRY_RESYNC = 4,	/* watch: events were lost. All existing keys are sent again; a key
				 * that is not sent before the next synced was deleted */
};
enum wire_change_tag { WIRE_CHANGE_WRITE = 0, WIRE_CHANGE_DELETE = 1 };

/*
 * Why a request was refused: the ordinals of `Code` in control.capnp, which
 * documents each. They are never renumbered. A peer may send codes that are not
 * listed here, because it may be newer than this program.
 */
enum wire_code {
	WIRE_CODE_NONE = 0,
	WIRE_CODE_FAILED = 1,
	WIRE_CODE_NOT_FOUND = 2,
	WIRE_CODE_NOT_ALLOWED = 3,
	WIRE_CODE_VALUE_TOO_LARGE = 4,
	WIRE_CODE_WRONG_TYPE = 5,
	WIRE_CODE_QUOTA_EXCEEDED = 6,
	WIRE_CODE_CONFLICT = 7,
	WIRE_CODE_TRY_AGAIN = 8,
	WIRE_CODE_TOO_MANY_CHANGES = 9,
	WIRE_CODE_TOO_MANY_WATCHES = 10,
	WIRE_CODE_UNKNOWN_OPERATION = 11,
	_WIRE_CODE_N,
};

/* A blob inside the frame; NULL and 0 when absent. */
struct wire_data {
	const uint8_t *bytes;
	size_t size;
};

struct wire_change {
	/* 0, or the positive WIRE_PATH_REFUSED, then `path` is empty */
	int path_status;
	struct kv_key path;
	uint16_t tag; /* enum wire_change_tag, or unknown */
	struct wire_data value;
};

struct wire_request {
	int32_t id;
	uint16_t tag;		    /* enum wire_request_tag, or unknown */
	int path_status;	    /* 0 or WIRE_PATH_REFUSED */
	struct kv_key path;	    /* canonical, or empty */
	char display[KV_PATH_SIZE]; /* segments joined by '/', "?" if refused, or "" if empty: the
				     * path for error texts */
	struct wire_data value;	    /* WIRE_WRITE */
	uint32_t n_changes;	    /* WIRE_COMMIT: number of changes for wire_request_change(); may
				     * exceed KV_CHANGES_MAX, which the gateway must answer */
	struct wire_data changes;   /* opaque position for wire_request_change() */
	uint64_t revision;	    /* 0: none given */
};

/* The path cannot be that of a key. Answer the request, do not close the
 * connection. */
#define WIRE_PATH_REFUSED 1

struct wire_response {
	int32_t id;
	uint16_t tag;		  /* enum wire_response_tag, or unknown */
	uint8_t code;		  /* WIRE_ERROR: enum wire_code, or unknown */
	struct wire_data value;	  /* WIRE_OK, WIRE_ERROR */
	uint64_t revision;	  /* 0: none given */
	bool more;		  /* further responses under this id follow */
	uint32_t n_entries;	  /* WIRE_ENTRIES: number of entries for wire_response_entry() */
	struct wire_data entries; /* opaque position for wire_response_entry() */
};

struct wire_entry {
	struct kv_key path; /* empty for synced and resync */
	uint64_t revision;
	uint16_t tag;		/* enum wire_entry_tag, or unknown */
	struct wire_data value; /* WIRE_ENTRY_VALUE */
};

/*
 * Return the size in bytes of the frame that starts at `bytes`, once the
 * segment table is complete (the body need not be); 0 if more bytes of the
 * table are needed; -EMSGSIZE if the table exceeds a limit (detected in its
 * first 4 bytes where possible).
 */
int wire_frame_size(const uint8_t *bytes, size_t size);

/*
 * Decode one complete frame. Returns 0, or -EMSGSIZE, -EBADMSG, -ELOOP, -EPROTO
 * or -EILSEQ if it is malformed: then the connection must be closed. The output
 * is written on success only; its views live as long as `frame`.
 */
int wire_decode_request(const uint8_t *frame, size_t size, struct wire_request *requestp);
/* Decode the i-th change of a WIRE_COMMIT from the frame from which `request`
 * was decoded. Returns 0, or -EBADMSG if there is no such change: all other
 * errors were found by wire_decode_request(). */
int wire_request_change(const uint8_t *frame, size_t size, const struct wire_request *request,
			uint32_t i_change, struct wire_change *changep);
int wire_decode_response(const uint8_t *frame, size_t size, struct wire_response *responsep);
/* Decode the i-th entry of a WIRE_ENTRIES response, as
 * wire_request_change(). */
int wire_response_entry(const uint8_t *frame, size_t size, const struct wire_response *response,
			uint32_t i_entry, struct wire_entry *entryp);

/*
 * Encode a request as one frame with a single segment, objects in pre-order.
 * `path` is canonical or "" for an empty list. `value` is used for WIRE_WRITE
 * only. With revision 0 the structs have only the one data word of the 2017
 * schema, byte for byte. Returns the number of bytes written, -EMSGSIZE if they
 * do not fit into `buffer`, or -EILSEQ if the path is not canonical.
 */
int wire_encode_request(int32_t id, enum wire_request_tag tag, const char *path, const void *value,
			size_t length, uint64_t revision, uint8_t *buffer, size_t size);
/* Encode a WIRE_COMMIT of the packed changes (struct kv_change, maps/kv.h).
 * Returns as wire_encode_request(), -E2BIG (more than KV_CHANGES_MAX), or
 * -EINVAL (wrong packing). */
int wire_encode_commit(int32_t id, const void *changes, size_t changes_size, uint32_t n_changes,
		       uint64_t revision, uint8_t *buffer, size_t size);
/*
 * Encode an ok or an error; revision 0 as above. `code` is the reason of an
 * error, or WIRE_CODE_NONE for an ok. It uses a byte of the first data word
 * that is otherwise 0, so the size does not depend on it. Returns as
 * wire_encode_request().
 */
int wire_encode_response(int32_t id, enum wire_response_tag tag, enum wire_code code,
			 const void *value, size_t length, uint64_t revision, uint8_t *buffer,
			 size_t size);
/* Encode a WIRE_ENTRIES response. Returns as wire_encode_request(). */
int wire_encode_entries(int32_t id, const struct wire_entry *entries, uint32_t n_entries,
			uint64_t revision, bool more, uint8_t *buffer, size_t size);

#endif
