/*
 * fuzz_manifest.c - any bytes as a manifest. What is read has a key in composed UTF-8 or says why
 * not, comes through its packed form unchanged, and any bytes are safe to unpack.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct compare {
    const struct manifest_row *row;
    size_t next;
};

static int same_cell(const struct manifest_cell *cell, void *user)
{
    struct compare *compare = user;
    BUG_ON(compare->next >= compare->row->cell_count);
    const struct manifest_cell *want = &compare->row->cells[compare->next++];
    BUG_ON(cell->column != want->column || cell->item_count != want->item_count ||
           cell->is_array != want->is_array || !cell->attribute != !want->attribute);
    BUG_ON(want->attribute && strcmp(cell->attribute, want->attribute) != 0);
    for (size_t i = 0; i < want->item_count; i++)
        BUG_ON(strcmp(cell->items[i], want->items[i]) != 0);
    return 0;
}

static int on_row(const struct manifest_row *row, void *user)
{
    int64_t *last_line = user;
    struct err err = ERR_INIT;
    struct buf key;
    struct buf packed;
    BUG_ON(row->line < *last_line || (!row->path && !row->name && !row->error));
    *last_line = row->line;
    if (row->error)
        return 0;
    BUG_ON(row->path && row->name);
    buf_init(&key, 16 * LIMIT_MANIFEST_ROW_BYTES);
    buf_init(&packed, 16 * LIMIT_MANIFEST_ROW_BYTES);
    BUG_ON(manifest_key(row->path ? row->path : row->name, &key, &err));
    BUG_ON(strcmp(buf_str(&key), row->path ? row->path : row->name) != 0);
    BUG_ON(row->file_name && strlen(row->file_name) > LIMIT_NAME_BYTES);
    struct compare compare = {.row = row};
    BUG_ON(manifest_pack(row, &packed));
    BUG_ON(manifest_unpack(buf_str(&packed), packed.len, same_cell, &compare, &err));
    BUG_ON(compare.next != row->cell_count);
    buf_release(&packed);
    buf_release(&key);
    return 0;
}

static int any_cell(const struct manifest_cell *cell, void *user)
{
    (void)user;
    BUG_ON((unsigned)cell->column >= MANIFEST_COLUMN_COUNT);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest_info info;
    struct err err = ERR_INIT;
    char path[64];
    int64_t last_line = 0;
    int fd = memfd_create("manifest", MFD_CLOEXEC);
    BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int rc = manifest_read(path, on_row, &last_line, &info, &err);
    BUG_ON(rc && rc != -ERR_MANIFEST);
    BUG_ON(rc && !err.text[0]);
    close(fd);
    rc = manifest_unpack(data, size, any_cell, NULL, &err);
    BUG_ON(rc && rc != -ERR_INTERNAL);
    return 0;
}
