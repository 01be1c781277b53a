/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Canonical paths and value bytes, checked without branches: the verifier
 * walks straight code once, not once per combination of bytes. Values go
 * byte by byte through a table; a path is eight words, each compared with
 * eight copies of a byte at once.
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

static const __u8 byte_classes[256] = {
	[0x00] = BYTE_NUL | BYTE_TEXT | BYTE_HEX | BYTE_UINT,
	[0x20 ... 0x2f] = BYTE_TEXT,
	['0' ... '9'] = BYTE_TEXT | BYTE_HEX | BYTE_UINT,
	[0x3a ... 0x60] = BYTE_TEXT,
	['a' ... 'f'] = BYTE_TEXT | BYTE_HEX,
	[0x67 ... 0x7e] = BYTE_TEXT,
};

/* Eight bytes at once: a mask has the top bit of each byte that is meant. */
#define BYTES(b) (0x0101010101010101ull * (b))
#define TOPS BYTES(0x80)

static __always_inline __u64 bytes_zero(__u64 word)
{
	return ~(((word & BYTES(0x7f)) + BYTES(0x7f)) | word | BYTES(0x7f));
}

static __always_inline __u64 bytes_equal(__u64 word, __u8 byte)
{
	return bytes_zero(word ^ BYTES(byte));
}

/* Bytes of first..last, of those whose own top bit is clear. */
static __always_inline __u64 bytes_within(__u64 word, __u8 first, __u8 last)
{
	__u64 high = word | TOPS;

	return (high - BYTES(first)) & ~(high - BYTES(last + 1)) & TOPS;
}

/* One bit per byte, the first byte's lowest. */
static __always_inline __u64 bytes_to_bits(__u64 mask)
{
	return ((mask >> 7) * 0x0102040810204080ull) >> 56;
}

static __always_inline __u64 count_bits(__u64 bits)
{
	bits -= bits >> 1 & BYTES(0x55);
	bits = (bits & BYTES(0x33)) + (bits >> 2 & BYTES(0x33));
	bits = (bits + (bits >> 4)) & BYTES(0x0f);
	return (bits * BYTES(0x01)) >> 56;
}

struct path_facts {
	__u64 directory; /* bytes up to the last slash, it included */
	__u64 length;	 /* bytes before the first NUL */
	__u64 canonical; /* not 0 */
};

/* Bit i of each word below is about byte i of the path. */
static __always_inline struct path_facts path_inspect(const char *path)
{
	__u64 slash = 0, nul = 0, dot = 0, other = 0, ends, run, bad;
	struct path_facts facts;

	/* Not unrolled: the compiler would spread it over half of the stack. */
#pragma clang loop unroll(disable)
	for (int i = 0; i < KV_PATH_SIZE / 8; i++) {
		__u64 word = ((const __u64 *)path)[i], zero, known;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		if (!word) { /* most of most paths */
			nul |= 0xffull << (i * 8);
			continue;
		}
		zero = bytes_zero(word);
		/* - . / 0-9 are neighbours */
		known = (bytes_within(word, '-', '9') | bytes_within(word, 'a', 'z') |
			 bytes_equal(word, '_')) &
			~word;
		slash |= bytes_to_bits(bytes_equal(word, '/')) << (i * 8);
		dot |= bytes_to_bits(bytes_equal(word, '.')) << (i * 8);
		nul |= bytes_to_bits(zero) << (i * 8);
		other |= bytes_to_bits(~(known | zero) & TOPS) << (i * 8);
	}
	ends = slash | nul; /* what ends a segment */
	run = ~ends;	    /* bits left: segments longer than KV_SEGMENT_MAX */
	run &= run >> 1;
	run &= run >> 2;
	run &= run >> 4;
	run &= run >> 8;
	run &= run >> 16;
	bad = other | run | (~slash & 1);		/* begins with a slash */
	bad |= ~nul >> 63;				/* ends in NUL, and ... */
	bad |= nul + (nul & -nul);			/* once NUL, always NUL */
	bad |= slash << 1 & ends;			/* "//", or a slash at the end */
	bad |= slash << 1 & dot & ends >> 1;		/* "." */
	bad |= slash << 1 & dot & dot >> 1 & ends >> 2; /* ".." */
	/* more than KV_SEGMENTS_MAX slashes: the sum reaches 16 */
	bad |= (count_bits(slash) + 15 - KV_SEGMENTS_MAX) >> 4;
	facts.canonical = ((bad | -bad) >> 63) ^ 1;
	facts.length = count_bits((nul & -nul) - 1);
	slash |= slash >> 1;
	slash |= slash >> 2;
	slash |= slash >> 4;
	slash |= slash >> 8;
	slash |= slash >> 16;
	slash |= slash >> 32;
	facts.directory = count_bits(slash);
	return facts;
}

static __always_inline void path_copy(char *to, const char *from)
{
#pragma unroll
	for (int i = 0; i < KV_PATH_SIZE / 8; i++)
		((__u64 *)to)[i] = ((const __u64 *)from)[i];
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
