/*
 * plan.h - which bytes go into which part. Internal to wire/; pure arithmetic.
 */
#ifndef WIRE_PLAN_H
#define WIRE_PLAN_H

#include "wire/wire.h"

/* The byte range that a reply gave for one part, both ends inclusive. */
struct plan_range {
    int given; /* 0: the reply left it out */
    int64_t start;
    int64_t end;
};

/*
 * Sets start and len of count parts (1 or more; their numbers set and checked) so that they
 * cover [0, size_bytes) without gap or overlap: as the ranges say, or, where every range was left
 * out, as equal slices of ceil(size/count) bytes with a shorter last one. No part is empty but
 * the single part of an empty file. 0 or -ERR_BAD_REPLY.
 */
int plan_parts(int64_t size_bytes, const struct plan_range *ranges, struct wire_part *parts,
               size_t count, struct err *err) WARN_UNUSED;

#endif
