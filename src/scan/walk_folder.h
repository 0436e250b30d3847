/*
 * walk_folder.h - the entries of one folder, read whole and sorted. Used by walk.c alone.
 */
#ifndef SCAN_WALK_FOLDER_H
#define SCAN_WALK_FOLDER_H

#include "base/err.h"

#define WALK_FOLDER_SCRATCH 65536 /* bytes that walk_folder_read wants for the kernel's records */

struct walk_child {
    uint32_t name_at;   /* in names */
    unsigned char type; /* DT_*, DT_UNKNOWN where the file system does not say */
};

struct walk_folder {
    char *names; /* NUL-terminated, one behind the other */
    size_t names_len;
    size_t names_cap;
    struct walk_child *list;
    size_t count;
    size_t cap;
};

/*
 * Reads the folder open at fd and sorts its entries by the bytes of their names. A folder removed
 * meanwhile ends early without an error. -ERR_IO or -ERR_SOURCE_UNREADABLE: the entries read so
 * far are there; -ERR_NOMEM.
 */
int walk_folder_read(struct walk_folder *folder, int fd, void *scratch,
                     struct err *err) WARN_UNUSED;
void walk_folder_release(struct walk_folder *folder);
const char *walk_folder_name(const struct walk_folder *folder, size_t idx);

#endif
