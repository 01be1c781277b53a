/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Canonical paths and value bytes, checked without branches: the verifier
 * explores straight code once, not once per combination of bytes. Text is
 * handled as words, each compared with eight copies of a byte at once. The
 * results of a loop over them are in a map, so that the verifier explores the
 * loop body once, not once per word.
 */
#ifndef CALFPEN_BPF_KV_PATH_BPF_H
#define CALFPEN_BPF_KV_PATH_BPF_H

#include <bpf/bpf_endian.h>

#include "maps/kv.h"

/* Keep the compiler from removing or moving a bound that the verifier needs. */
#define opaque(x) asm volatile("" : "+r"(x))

/* Eight bytes at once: a mask has the top bit of each selected byte. */
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

/* Return the mask of bytes in first..last among those whose top bit is
 * clear. */
static __always_inline __u64 bytes_within(__u64 word, __u8 first, __u8 last)
{
	__u64 high = word | TOPS;

	return (high - BYTES(first)) & ~(high - BYTES(last + 1)) & TOPS;
}

/* Return 1 if x is 0, otherwise 0, without a branch. */
static __always_inline __u64 is_zero(__u64 x)
{
	x |= -x;
	opaque(x); /* otherwise clang makes a branch of it */
	return (x >> 63) ^ 1;
}

/* Return how many bytes a mask selects. */
static __always_inline __u64 count_bytes(__u64 mask)
{
	return ((mask >> 7) * BYTES(0x01)) >> 56;
}

/* Return one bit per byte; the lowest is that of the first byte. */
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

/*
 * The eight bytes at [KV_PATH_SIZE - n + at] are a mask that selects the bytes
 * of word at / 8 that are among the first n of a path.
 */
static const __u8 first_bytes[3 * KV_PATH_SIZE] __attribute__((aligned(8))) = {
	[0 ... KV_PATH_SIZE - 1] = 0xff,
};

/* Return the masks of a path's first n bytes, one per word. */
static __always_inline const __u64 *masks_of(__u64 n)
{
	__u64 at = (KV_PATH_SIZE - n) & (2 * KV_PATH_SIZE - 1);

	opaque(at);
	return (const __u64 *)(first_bytes + at);
}

/* Return 1 if the word has a NUL, so that all bytes after it must be NULs, else
 * 0. */
static __always_inline __u64 path_inspect_word(struct kv_path_bits *bits, __u64 word, __u32 i)
{
	__u64 zero, known, slash, n_nuls;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	zero = bytes_zero(word);
	/* - . / 0-9 are neighbours */
	known = (bytes_within(word, '-', '9') | bytes_within(word, 'a', 'z') |
		 bytes_equal(word, '_')) &
		~word;
	slash = bytes_equal(word, '/');
	bits->n_slashes += count_bytes(slash);
	n_nuls = count_bytes(zero);
	bits->n_nuls += n_nuls;
	bits->slash |= bytes_to_bits(slash) << (i * 8);
	bits->dot |= bytes_to_bits(bytes_equal(word, '.')) << (i * 8);
	bits->nul |= bytes_to_bits(zero) << (i * 8);
	bits->other |= ~(known | zero) & TOPS;
	return (n_nuls + 7) >> 3 & 1; /* without a branch */
}

struct path_facts {
	__u64 directory; /* bytes up to and including the last slash */
	__u64 length;	 /* bytes before the first NUL */
	__u64 canonical; /* 1, or 0 */
	__u64 root;	 /* 1: it is "/", which is not canonical, but may be listed */
};

/* Combine the results after the first `n` words of a path were inspected. */
static __always_inline struct path_facts path_conclude(const struct kv_path_bits *bits,
						       const char *path, __u64 n)
{
	const __u64 *inspected = masks_of(n * 8);
	__u64 slash = bits->slash, dot = bits->dot, nul, ends, run, bad, behind = 0;
	struct path_facts facts;

#pragma unroll
	for (int i = 0; i < KV_PATH_SIZE / 8; i++)
		behind |= ((const __u64 *)path)[i] & ~inspected[i];
	nul = bits->nul | (~0ull << (n * 4)) << (n * 4);
	ends = slash | nul; /* the ends of segments */
	run = ~ends;	    /* bits left: segments longer than KV_SEGMENT_MAX */
	run &= run >> 1;
	run &= run >> 2;
	run &= run >> 4;
	run &= run >> 8;
	run &= run >> 16;
	bad = bits->other | behind | run;
	bad |= ~slash & 1;				/* begins with a slash */
	bad |= ~nul >> 63;				/* ends in NUL, and ... */
	bad |= nul + (nul & -nul);			/* once NUL, always NUL */
	bad |= slash << 1 & ends;			/* "//", or a slash at the end */
	bad |= slash << 1 & dot & ends >> 1;		/* "." */
	bad |= slash << 1 & dot & dot >> 1 & ends >> 2; /* ".." */
	/* more than KV_SEGMENTS_MAX slashes: the sum reaches 16 */
	bad |= (bits->n_slashes + 15 - KV_SEGMENTS_MAX) >> 4;
	facts.canonical = is_zero(bad);
	facts.root = is_zero((slash ^ 1) | ~(nul | 1) | behind);
	facts.length = n * 8 - bits->n_nuls;
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

/* Copy the directory of a path, "/dir/", NUL-padded. */
static __always_inline void path_directory(const char *path, __u64 directory, struct kv_key *key)
{
	const __u64 *masks = masks_of(directory);

#pragma unroll
	for (int i = 0; i < KV_PATH_SIZE / 8; i++)
		((__u64 *)key->path)[i] = ((const __u64 *)path)[i] & masks[i];
}

#endif
