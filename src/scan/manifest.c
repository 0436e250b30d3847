/*
 * manifest.c - reads a manifest of either format, see scan.h: finds the format, feeds it the bytes,
 * and builds the rows. Called on its caller's thread; one row in memory at a time.
 */
#include "scan/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/nfc.h"

#define CHUNK_BYTES (64 * 1024)

/* ---- failures ------------------------------------------------------------------------------ */

/* A name from a user's file, short and harmless enough for a message. */
static const char *shown_file(const struct manifest_reader *reader)
{
    const char *slash = strrchr(reader->file, '/');
    return slash && slash[1] ? slash + 1 : reader->file;
}

int manifest_break(struct manifest_reader *reader, int64_t line, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    if (reader->rc)
        return reader->rc;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (line)
        reader->rc = err_set(reader->err, ERR_MANIFEST, "manifest %.100s, line %lld: %.350s",
                             shown_file(reader), (long long)line, text);
    else
        reader->rc =
            err_set(reader->err, ERR_MANIFEST, "manifest %.100s: %.350s", shown_file(reader), text);
    return reader->rc;
}

int manifest_no_memory(struct manifest_reader *reader)
{
    if (!reader->rc)
        reader->rc = err_set(reader->err, ERR_NOMEM, "no memory for the manifest");
    return reader->rc;
}

void manifest_row_fail(struct manifest_reader *reader, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    if (reader->row.error)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)err_set(&reader->row_error, ERR_MANIFEST, "manifest line %lld: %.400s",
                  (long long)reader->row_line, text);
    reader->row.error = &reader->row_error;
}

/* ---- keys ---------------------------------------------------------------------------------- */

int manifest_key(const char *raw, struct buf *out, struct err *err)
{
    while (raw[0] == '.' && raw[1] == '/')
        raw += 2 + strspn(raw + 2, "/");
    buf_reset(out);
    return nfc_append(out, raw, strlen(raw), err);
}

static const char *make_key(struct manifest_reader *reader, struct buf *out, const char *text)
{
    struct err error = ERR_INIT;
    /* What is no UTF-8 was refused before, so memory is all that can fail. */
    if (manifest_key(text, out, &error))
        manifest_no_memory(reader);
    return out->len ? buf_str(out) : NULL;
}

static const char *make_file_name(struct manifest_reader *reader, const char *text)
{
    const char *name = make_key(reader, &reader->file_name, text);
    if (name && strchr(name, '/'))
        manifest_row_fail(reader,
                          "column file_name: '%.200s' has a '/'; folders are no part of a "
                          "file's name in PXM",
                          name);
    else if (reader->file_name.len > LIMIT_NAME_BYTES)
        manifest_row_fail(reader, "column file_name: the name has %zu bytes, PXM takes %d",
                          reader->file_name.len, LIMIT_NAME_BYTES);
    return name;
}

/* ---- the row ------------------------------------------------------------------------------- */

void manifest_row_begin(struct manifest_reader *reader)
{
    reader->row = (struct manifest_row){.line = reader->row_line, .cells = reader->cells};
    reader->item_count = 0;
    buf_reset(&reader->path);
    buf_reset(&reader->name);
    buf_reset(&reader->file_name);
}

static struct manifest_cell *add_cell(struct manifest_reader *reader, int field, const char *label)
{
    if (reader->row.cell_count == LIMIT_MANIFEST_COLUMNS) {
        manifest_row_fail(reader, "it has over %d values", LIMIT_MANIFEST_COLUMNS);
        return NULL;
    }
    struct manifest_cell *cell = &reader->cells[reader->row.cell_count++];
    *cell = (struct manifest_cell){
        .column = (enum manifest_column)field,
        .attribute = label,
        .items = &reader->items[reader->item_count],
    };
    return cell;
}

void manifest_row_item(struct manifest_reader *reader, const char *text)
{
    if (!reader->row.cell_count)
        return;
    if (reader->item_count == LIMIT_MANIFEST_ITEMS) {
        manifest_row_fail(reader, "its lists have over %d values", LIMIT_MANIFEST_ITEMS);
        return;
    }
    reader->items[reader->item_count++] = text;
    reader->cells[reader->row.cell_count - 1].item_count++;
}

void manifest_row_text(struct manifest_reader *reader, int field, const char *label,
                       const char *text)
{
    if (!*text)
        return;
    switch (field) {
    case FIELD_PATH:
        reader->row.path = make_key(reader, &reader->path, text);
        break;
    case FIELD_NAME:
        reader->row.name = make_key(reader, &reader->name, text);
        break;
    case FIELD_FILE_NAME:
        reader->row.file_name = make_file_name(reader, text);
        break;
    case FIELD_NONE:
        manifest_row_fail(reader,
                          "'%.80s' stands under no column's name; is a value with the "
                          "delimiter in it not quoted?",
                          text);
        break;
    default:
        if (add_cell(reader, field, label))
            manifest_row_item(reader, text);
    }
}

void manifest_row_array(struct manifest_reader *reader, int field, const char *label)
{
    struct manifest_cell *cell = NULL;
    if (field >= MANIFEST_COLUMN_COUNT)
        manifest_row_fail(reader, "column %s takes one text, not a list",
                          manifest_field_name(field));
    else
        cell = add_cell(reader, field, label);
    if (cell)
        cell->is_array = 1;
}

/* Path and name must mean the same file; the path alone is the key then. */
static void settle_key(struct manifest_reader *reader)
{
    struct manifest_row *row = &reader->row;
    if (!row->path && !row->name) {
        manifest_row_fail(reader, "it says neither path nor name, so it is no file's");
        return;
    }
    if (row->name && strchr(row->name, '/'))
        manifest_row_fail(reader, "column name: '%.200s' has folders; write it into column path",
                          row->name);
    if (!row->path || !row->name)
        return;
    const char *slash = strrchr(row->path, '/');
    if (strcmp(slash ? slash + 1 : row->path, row->name) != 0)
        manifest_row_fail(reader,
                          "column name: '%.150s' is not the name of '%.150s'; another name for PXM "
                          "goes into column file_name",
                          row->name, row->path);
    row->name = NULL;
}

void manifest_row_end(struct manifest_reader *reader)
{
    struct manifest_info *info = &reader->info;
    settle_key(reader);
    info->rows++;
    info->name_rows += reader->row.name != NULL;
    for (size_t i = 0; i < reader->row.cell_count; i++)
        info->has[reader->cells[i].column] = 1;
    if (!reader->rc && reader->fn)
        reader->rc = reader->fn(&reader->row, reader->user);
}

/* ---- the file ------------------------------------------------------------------------------ */

#define AS_UTF8 "save it as UTF-8 (in Excel: CSV UTF-8)"

/* Bytes of the BOM; refuses what is no UTF-8 by its first bytes. */
static size_t check_head(struct manifest_reader *reader, const char *head, size_t len)
{
    if (len >= 2 && (!memcmp(head, "\xff\xfe", 2) || !memcmp(head, "\xfe\xff", 2)))
        manifest_break(reader, 0, "it is UTF-16; " AS_UTF8);
    return len >= 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static int begin(struct manifest_reader *reader, const char *head, size_t len)
{
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", head[blank]))
        blank++;
    if (blank < len && head[blank] == '[')
        return manifest_break(reader, 1, "a JSON array; write one object a line (NDJSON), or CSV");
    if (blank < len && head[blank] == '{')
        return manifest_json_begin(reader);
    return manifest_csv_begin(reader, head, len);
}

static void feed(struct manifest_reader *reader, const char *chunk, size_t len)
{
    if (memchr(chunk, '\0', len))
        manifest_break(reader, reader->line,
                       "there are NUL bytes in it: it is no text, or UTF-16; " AS_UTF8);
    else if (reader->json)
        manifest_json_feed(reader, chunk, len);
    else
        manifest_csv_feed(reader, chunk, len);
}

static int open_file(struct manifest_reader *reader)
{
    struct stat st;
    int fd = open(reader->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st)) {
        int os_errno = errno;
        if (fd >= 0)
            close(fd);
        reader->rc =
            err_set_errno(reader->err, ERR_MANIFEST, os_errno, "manifest %s", reader->file);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        manifest_break(reader, 0, "it is no regular file");
        return -1;
    }
    return fd;
}

/* A whole chunk unless the file ends. */
static size_t read_chunk(struct manifest_reader *reader, int fd, char *chunk)
{
    size_t len = 0;
    while (len < CHUNK_BYTES) {
        ssize_t got = read(fd, chunk + len, CHUNK_BYTES - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && !reader->rc)
            reader->rc =
                err_set_errno(reader->err, ERR_MANIFEST, errno, "manifest %s", reader->file);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    return len;
}

static void read_all(struct manifest_reader *reader, int fd, char *chunk, EVP_MD_CTX *sha)
{
    size_t len = read_chunk(reader, fd, chunk);
    size_t skip = check_head(reader, chunk, len);
    if (!reader->rc && len == skip)
        manifest_break(reader, 0, "it is empty; the first line must name the columns");
    if (!reader->rc && !memchr(chunk, '\0', len))
        begin(reader, chunk + skip, len - skip);
    while (!reader->rc && len) {
        if (!EVP_DigestUpdate(sha, chunk, len))
            manifest_no_memory(reader);
        feed(reader, chunk + skip, len - skip);
        skip = 0;
        len = reader->rc ? 0 : read_chunk(reader, fd, chunk);
    }
    if (!reader->rc && reader->json)
        manifest_json_end(reader);
    else if (!reader->rc)
        manifest_csv_end(reader);
}

static void put_digest(EVP_MD_CTX *sha, char out[MANIFEST_DIGEST_MAX])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    out[0] = '\0';
    if (!EVP_DigestFinal_ex(sha, bytes, &len))
        return;
    for (unsigned i = 0; i < len && 2 * i + 2 < MANIFEST_DIGEST_MAX; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void release(struct manifest_reader *reader)
{
    manifest_csv_release(reader);
    manifest_json_release(reader);
    buf_release(&reader->path);
    buf_release(&reader->name);
    buf_release(&reader->file_name);
    free(reader->cells);
    free(reader->items);
}

int manifest_read(const char *file, manifest_row_fn *fn, void *user, struct manifest_info *out,
                  struct err *err)
{
    struct err ignored;
    struct manifest_reader reader = {.file = file,
                                     .fn = fn,
                                     .user = user,
                                     .err = err ? err : &ignored,
                                     .line = 1,
                                     .row_line = 1};
    *out = (struct manifest_info){0};
    int fd = open_file(&reader);
    if (fd < 0)
        return reader.rc;
    buf_init(&reader.path, LIMIT_MANIFEST_ROW_BYTES * 3);
    buf_init(&reader.name, LIMIT_MANIFEST_ROW_BYTES * 3);
    buf_init(&reader.file_name, LIMIT_MANIFEST_ROW_BYTES * 3);
    reader.cells = calloc(LIMIT_MANIFEST_COLUMNS, sizeof *reader.cells);
    reader.items = calloc(LIMIT_MANIFEST_ITEMS, sizeof *reader.items);
    char *chunk = malloc(CHUNK_BYTES);
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    if (!reader.cells || !reader.items || !chunk || !sha ||
        !EVP_DigestInit_ex(sha, EVP_sha256(), NULL))
        manifest_no_memory(&reader);
    else
        read_all(&reader, fd, chunk, sha);
    if (!reader.rc) {
        *out = reader.info;
        out->is_json = reader.json != NULL;
        put_digest(sha, out->digest);
    }
    EVP_MD_CTX_free(sha);
    free(chunk);
    close(fd);
    release(&reader);
    return reader.rc;
}
