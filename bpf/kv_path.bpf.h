/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Canonical paths and value bytes, checked by tables instead of branches: the
 * verifier walks each loop body once per iteration, not once per combination.
 */
#ifndef CALFPEN_BPF_KV_PATH_BPF_H
#define CALFPEN_BPF_KV_PATH_BPF_H

#include <bpf/bpf_endian.h>

#include "maps/kv.h"

/* Keep the compiler from proving away, or moving, a bound the verifier needs. */
#define opaque(x) asm volatile("" : "+r"(x))

/* What a byte may be part of. NUL carries every class: it is the padding. */
#define BYTE_TEXT 0x01
#define BYTE_HEX 0x02
#define BYTE_UINT 0x04
#define BYTE_NUL 0x80

/* Classes of a byte in a path: bit 0 a slash, bit 2 part of a segment ... */
enum { P_OTHER = 0, P_SLASH = 1, P_NUL = 2, P_DOT = 4, P_WORD = 6 };
/* ... and what has been read so far. */
enum { S_BAD, S_START, S_SLASH, S_DOT, S_DOTDOT, S_WORD, S_END };

/* One byte each: value classes in the low bits, path class in bits 4..6. */
#define TEXT_ (P_OTHER << 4 | BYTE_TEXT)
#define DIGIT (P_WORD << 4 | BYTE_TEXT | BYTE_HEX | BYTE_UINT)
#define HEXAL (P_WORD << 4 | BYTE_TEXT | BYTE_HEX)
#define ALPHA (P_WORD << 4 | BYTE_TEXT)

static const __u8 byte_classes[256] = {
	[0x00] = P_NUL << 4 | BYTE_NUL | BYTE_TEXT | BYTE_HEX | BYTE_UINT,
	[0x20 ... 0x2c] = TEXT_,
	['-'] = ALPHA,
	['.'] = P_DOT << 4 | BYTE_TEXT,
	['/'] = P_SLASH << 4 | BYTE_TEXT,
	['0' ... '9'] = DIGIT,
	[0x3a ... 0x5e] = TEXT_,
	['_'] = ALPHA,
	['`'] = TEXT_,
	['a' ... 'f'] = HEXAL,
	['g' ... 'z'] = ALPHA,
	[0x7b ... 0x7e] = TEXT_,
};

/* path_states[state * 8 + class] */
static const __u8 path_states[64] = {
	[S_START * 8 + P_SLASH] = S_SLASH, [S_SLASH * 8 + P_DOT] = S_DOT,
	[S_SLASH * 8 + P_WORD] = S_WORD,   [S_DOT * 8 + P_DOT] = S_DOTDOT,
	[S_DOT * 8 + P_WORD] = S_WORD,	   [S_DOTDOT * 8 + P_DOT] = S_WORD,
	[S_DOTDOT * 8 + P_WORD] = S_WORD,  [S_WORD * 8 + P_NUL] = S_END,
	[S_WORD * 8 + P_SLASH] = S_SLASH,  [S_WORD * 8 + P_DOT] = S_WORD,
	[S_WORD * 8 + P_WORD] = S_WORD,	   [S_END * 8 + P_NUL] = S_END,
};

struct path_facts {
	__u64 directory; /* bytes up to the last slash, it included */
	__u64 canonical; /* not 0 */
};

/* Read a key once, byte by byte, without a branch in the loop. */
static __always_inline struct path_facts path_inspect(const char *path)
{
	struct path_facts facts = {};
	__u64 state = S_START, length = 0, too_long = 0, segments = 0;

#pragma clang loop unroll(disable)
	for (__u64 i = 0; i < KV_PATH_SIZE; i++) {
		__u64 class = byte_classes[(__u8)path[i]] >> 4 & 7;
		__u64 slash = class & 1;
		__u64 next = state * 8 + class;

		opaque(next);
		state = path_states[next & 63];
		length = (length + 1) & -(class >> 2);
		too_long |= length & (KV_SEGMENT_MAX + 1);
		segments += slash;
		facts.directory = ((i + 1) & -slash) | (facts.directory & (slash - 1));
	}
	facts.canonical = state == S_END && !too_long && segments <= KV_SEGMENTS_MAX;
	return facts;
}

/* The first n bytes of a word. */
static const __u64 first_bytes[16] = {
	0,
	__bpf_constant_cpu_to_be64(0xff00000000000000),
	__bpf_constant_cpu_to_be64(0xffff000000000000),
	__bpf_constant_cpu_to_be64(0xffffff0000000000),
	__bpf_constant_cpu_to_be64(0xffffffff00000000),
	__bpf_constant_cpu_to_be64(0xffffffffff000000),
	__bpf_constant_cpu_to_be64(0xffffffffffff0000),
	__bpf_constant_cpu_to_be64(0xffffffffffffff00),
	~0ull,
};

/* The directory of a path, "/dir/", NUL-padded; word by word, no branch. */
static __always_inline void path_directory(const char *path, __u64 directory, struct kv_key *key)
{
#pragma unroll
	for (int i = 0; i < KV_PATH_SIZE / 8; i++) {
		__s64 left = (__s64)directory - i * 8, sign = left >> 63;

		opaque(sign); /* else clang makes a branch of it */
		left = (left & ~sign) - 8;
		sign = left >> 63;
		opaque(sign);
		left = (left & sign) + 8; /* now within 0..8 */
		opaque(left);
		((__u64 *)key->path)[i] = ((const __u64 *)path)[i] & first_bytes[left & 15];
	}
}

#endif
