/*
 * mime.c - the MIME type of a file. Called by the workers that prepare files, each with a struct
 * mime of its own; mime_by_extension and mime_is_cheap on any thread.
 *
 * Extension first, then our own signatures, libmagic last: it is a hundred times dearer than the
 * two, and vaguer than the extension on much of what a DAM holds (field note 28).
 */
#include <magic.h>
#include <stdlib.h>
#include <string.h>

#include "scan/mime_table.h"
#include "scan/scan.h"

struct mime {
    magic_t cookie; /* NULL: not loaded yet, or not to be had */
    int tried;
};

static const char last_resort[] = "application/octet-stream";

/* What table and signatures say. */
struct verdict {
    const char *type;
    const struct mime_row *row; /* NULL: unknown extension */
    int contradicted;
    int asks_magic; /* type is what stands where libmagic has nothing specific to say */
};

/* ---- without libmagic ----------------------------------------------------------------------- */

const char *mime_by_extension(const char *name)
{
    const struct mime_row *row = mime_table_find(name);
    return row ? row->type : NULL;
}

static int is_markup(enum mime_sign sign)
{
    return sign == MIME_SIGN_XML || sign == MIME_SIGN_HTML;
}

static struct verdict decide(const char *name, const void *head, size_t head_len)
{
    const struct mime_row *row = mime_table_find(name);
    struct verdict verdict = {.type = row ? row->type : last_resort, .row = row};
    if (head_len == 0)
        return verdict;
    enum mime_sign sign = mime_sniff(head, head_len);
    enum mime_holds holds = mime_sniff_holds(sign);
    if (!row) {
        verdict.type = mime_sniff_type(sign);
        verdict.asks_magic = holds != MIME_SURE;
    } else if (mime_table_takes(row, sign) || holds == MIME_FAINT) {
        /* Also where nothing is recognised: that contradicts nothing, and libmagic is dear. */
        verdict.type = row->type;
    } else if (row->strong || !is_markup(sign)) {
        verdict.type = mime_sniff_type(sign);
        verdict.contradicted = 1;
        verdict.asks_magic = holds == MIME_BOX;
    }
    return verdict;
}

int mime_is_cheap(const char *name, const void *head, size_t head_len)
{
    return !decide(name, head, head_len).asks_magic;
}

/* ---- with libmagic -------------------------------------------------------------------------- */

struct mime *mime_new(void)
{
    return calloc(1, sizeof(struct mime));
}

void mime_free(struct mime *mime)
{
    if (!mime)
        return;
    if (mime->cookie)
        magic_close(mime->cookie);
    free(mime);
}

/* Loading takes milliseconds and memory, and most trees never need it. */
static void load(struct mime *mime)
{
    mime->tried = 1;
    magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF);
    if (!cookie)
        return;
    if (magic_load(cookie, NULL) == 0)
        mime->cookie = cookie;
    else
        magic_close(cookie);
}

/* True for what libmagic says when it has not understood the format. */
static int is_generic(const char *type)
{
    static const char *const generic[] = {
        "application/octet-stream",  "text/plain",        "application/zip", "text/xml",
        "application/x-ole-storage", "application/CDFV2",
    };
    /* "inode/x-empty" and its like are no MIME types at all. */
    if (!strchr(type, '/') || strncmp(type, "inode/", 6) == 0)
        return 1;
    for (size_t i = 0; i < sizeof generic / sizeof *generic; i++) {
        if (strcmp(type, generic[i]) == 0)
            return 1;
    }
    return 0;
}

/* NULL where libmagic is not there or has failed; valid until its next call. */
static const char *ask_magic(struct mime *mime, const void *head, size_t head_len)
{
    if (!mime->tried)
        load(mime);
    if (!mime->cookie)
        return NULL;
    const size_t most = (size_t)LIMIT_SNIFF_BYTES;
    if (head_len > most)
        head_len = most;
    return magic_buffer(mime->cookie, head, head_len);
}

/* Lets libmagic refine the verdict; *verdict may point into its memory afterwards. */
static void refine(struct verdict *verdict, const char *type)
{
    if (!type || strlen(type) >= MIME_MAX)
        return;
    if (!is_generic(type)) {
        verdict->type = type;
        verdict->contradicted = verdict->row && strcmp(type, verdict->row->type) != 0;
    } else if (strcmp(type, "text/plain") == 0 && !verdict->row &&
               strcmp(verdict->type, last_resort) == 0) {
        verdict->type = type; /* better than nothing, though never against an extension */
    }
}

void mime_type(struct mime *mime, const char *name, const void *head, size_t head_len,
               char out[MIME_MAX], int *out_contradicted)
{
    struct verdict verdict = decide(name, head, head_len);
    if (verdict.asks_magic)
        refine(&verdict, ask_magic(mime, head, head_len));
    *out_contradicted = verdict.contradicted;
    memcpy(out, verdict.type, strlen(verdict.type) + 1); /* the table's and libmagic's fit */
}
