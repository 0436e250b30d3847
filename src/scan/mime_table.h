/*
 * mime_table.h - what extensions stand for. Used by mime.c and its tests.
 */
#ifndef SCAN_MIME_TABLE_H
#define SCAN_MIME_TABLE_H

#include "scan/mime_sniff.h"

#define MIME_EXT_MAX   15
#define MIME_ROW_SIGNS 5

struct mime_row {
    const char *ext; /* lower case, no dot */
    const char *type;
    /* 1: such a file always begins with one of signs, so libmagic is asked where it does not.
     * 0: signs are what it may begin with; a generic verdict never contradicts it. */
    int strong;
    unsigned char signs[MIME_ROW_SIGNS]; /* enum mime_sign, MIME_SIGN_NONE behind the last */
};

size_t mime_table_count(void);
/* idx below mime_table_count(); sorted by ext. */
const struct mime_row *mime_table_row(size_t idx);
/* By the extension of a file name or path, in any case; NULL where it is unknown. */
const struct mime_row *mime_table_find(const char *name);
/* Whether a file of this row may begin with that signature. */
int mime_table_takes(const struct mime_row *row, enum mime_sign sign);

#endif
