/*
 * plan.c - the part plan, see plan.h. Called by session.c; no state. Invariant: sums are formed
 * only of numbers already known to lie in [0, size], so nothing overflows.
 */
#include "wire/plan.h"

#include <inttypes.h>

static int slice_equally(int64_t size_bytes, struct wire_part *parts, size_t count, struct err *err)
{
    int64_t parts_total = (int64_t)count;
    int64_t slice = size_bytes / parts_total + (size_bytes % parts_total != 0);
    /* 10 bytes in 6 parts: slices of 2 leave nothing for the last. */
    if (count > 1 && slice * (parts_total - 1) >= size_bytes)
        return err_set(err, ERR_BAD_REPLY,
                       "%" PRId64 " bytes don't make %zu equal parts, and no ranges were given",
                       size_bytes, count);
    int64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        parts[i].start = at;
        parts[i].len = size_bytes - at < slice ? size_bytes - at : slice;
        at += parts[i].len;
    }
    return 0;
}

static int take_ranges(int64_t size_bytes, const struct plan_range *ranges, struct wire_part *parts,
                       size_t count, struct err *err)
{
    int64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct plan_range *range = &ranges[i];
        int part_no = parts[i].part_no;
        int empty_file = !size_bytes && count == 1 && range->end == -1;
        if (range->start != at)
            return err_set(err, ERR_BAD_REPLY,
                           "part %d begins at byte %" PRId64 " and should at %" PRId64, part_no,
                           range->start, at);
        if (range->end < range->start && !empty_file)
            return err_set(err, ERR_BAD_REPLY, "part %d is empty", part_no);
        if (range->end >= size_bytes)
            return err_set(err, ERR_BAD_REPLY,
                           "part %d ends at byte %" PRId64 " of a file of %" PRId64 " bytes",
                           part_no, range->end, size_bytes);
        parts[i].start = range->start;
        parts[i].len = range->end - range->start + 1;
        at += parts[i].len;
    }
    if (at != size_bytes)
        return err_set(err, ERR_BAD_REPLY,
                       "the parts cover %" PRId64 " of the file's %" PRId64 " bytes", at,
                       size_bytes);
    return 0;
}

int plan_parts(int64_t size_bytes, const struct plan_range *ranges, struct wire_part *parts,
               size_t count, struct err *err)
{
    BUG_ON(size_bytes < 0 || !count);
    size_t given = 0;
    for (size_t i = 0; i < count; i++)
        given += ranges[i].given != 0;
    if (!given)
        return slice_equally(size_bytes, parts, count, err);
    if (given < count)
        return err_set(err, ERR_BAD_REPLY, "%zu of %zu parts have no byte range", count - given,
                       count);
    return take_ranges(size_bytes, ranges, parts, count, err);
}
