/*
 * Where the bytes go: memory, a folder, or nowhere.
 *
 * A sink takes the body of one PUT; content is what a confirmed file holds. No lock is
 * held while bytes move: a sink belongs to its PUT, content is immutable and counted.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/digest.h"
#include "sim/options.h"
#include "sim/text.h"

struct blob {
    uint8_t *data; /* NULL unless the store is memory */
    uint64_t len;
};

struct sink {
    struct blob blob;
    uint64_t room;   /* declared length */
    uint64_t offset; /* of the slice in its object */
    int fd;          /* of the folder store, else -1 */
    bool broken;     /* the disk refused */
};

struct content; /* an object's bytes, or the knowledge that they weren't kept */

/* Makes the folder when the store is one; false with a line on stderr. */
bool store_setup(void);

/* Opens a sink for len bytes at offset of object no. `seq`; whole: the only slice. */
void sink_open(struct sink *s, uint64_t seq, uint64_t offset, uint64_t len, bool whole);
void sink_add(struct sink *s, const void *bytes, size_t len);
/* Closes s and gives its blob (memory store) to the caller, who frees blob.data. */
struct blob sink_close(struct sink *s);

/* Takes over the blobs (their data, not the array). NULL for the null store. */
struct content *content_new(uint64_t seq, const struct blob *blobs, uint32_t n);
struct content *content_hold(struct content *c);
void content_drop(struct content *c, bool delete_file);

/*
 * Digests of the whole object, computed at the first call (slow: never under a lock).
 * False when the bytes aren't there to read.
 */
bool content_digests(struct content *c, uint8_t md5[DIGEST_MD5_BYTES],
                     uint8_t sha256[DIGEST_SHA256_BYTES]);
bool content_has_digests(struct content *c);

/* Adds the bytes to out; false when they weren't kept. */
bool content_read(struct content *c, struct text *out);

#endif
