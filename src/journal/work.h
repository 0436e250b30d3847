/* work.h - the hot row of an asset (table work). */
#ifndef JOURNAL_WORK_H
#define JOURNAL_WORK_H

#include "journal/journal.h"

/* What is known of an asset beside its state. Stored: append only. */
enum work_mark {
    WORK_WISH = 1 << 0, /* a row of `wish`: links or attributes are wanted */
    WORK_CONFIRMED =
        1 << 1,            /* PXM has these bytes; what fails after that must not send them again */
    WORK_WAS_NEW = 1 << 2, /* the confirm made the file, so nobody has linked it before */
    WORK_MANIFEST = 1 << 3, /* a row of `manifest_file`: the manifest speaks of it */
    WORK_CHANGED = 1 << 4,  /* its file changed while it was in doubt whether PXM has it */
};

struct work {
    int64_t id;
    int64_t wave;
    enum asset_state state;
    enum err_code code; /* of the error kept beside it; ERR_NONE: none */
    int64_t size_bytes;
    int64_t mime_id; /* 0: not typed yet */
    int tries;
    unsigned marks;    /* enum work_mark */
    int64_t folder_id; /* whose collection it belongs in; 0: none */
};

#endif
