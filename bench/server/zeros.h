/*
 * zeros.h - the MD5 of N zero bytes. All benchmark files are zeros, so a server can answer with
 * the right ETag without spending a core on digests that a real S3 would compute elsewhere.
 */
#ifndef BENCH_ZEROS_H
#define BENCH_ZEROS_H

#include <stdint.h>

#define ZEROS_MAX      (64 << 20) /* above this zeros_md5 gives up */
#define ZEROS_HEX_SIZE 33

/* Fills out with lowercase hex; false when len is too large. One thread. */
int zeros_md5(uint64_t len, char out[ZEROS_HEX_SIZE]);

#endif
