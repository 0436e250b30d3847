/*
 * scan.h - the face of scan/: the local side. Walks trees, filters, names, types and reads
 * files. Knows no PXM, no journal, no network.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/stamp.h"

/* ---- filters (rclone's syntax) ----------------------------------------------------------- */

/*
 * Rules in order, first match wins, as rclone does it: "- pattern" excludes, "+ pattern"
 * includes; patterns *, **, ?, [a-z], {a,b}, {{regex}} (POSIX extended), a leading / anchors at
 * the root, a trailing / names folders. Case counts; * ? and [!..] do not match a slash; without
 * a leading / a pattern matches from behind any slash. An excluded folder is not opened.
 *
 * If filter_include was called at all, what matches no rule is excluded.
 *
 * Junk (field note 27) is a built-in rule list, last, counted apart, in any case of letters. An
 * include beats it where it means the junk, that is, where it would not take the same name without
 * the junk's mark: "*.tmp", "._*" and "/a/x.part" do, "*.jpg" does not bring in "._a.jpg" nor
 * "/photos/" with two stars a .DS_Store.
 *
 * One thread at a time. The calls that take a pattern or file: 0, -ERR_USAGE where it is malformed
 * or cannot be read, -ERR_NOMEM.
 */
struct filter;
struct filter *filter_new(void);
void filter_free(struct filter *filter);
int filter_include(struct filter *filter, const char *pattern, struct err *err) WARN_UNUSED;
int filter_exclude(struct filter *filter, const char *pattern, struct err *err) WARN_UNUSED;
/* A file of rules: "+ p", "- p", "!" clears all rules so far, # and ; comment; "-" is stdin. */
int filter_from(struct filter *filter, const char *file, struct err *err) WARN_UNUSED;
/*
 * A file of relative paths, one a line, "/" and "./" in front ignored, # and ; comment: only these
 * are taken, and no other rule is asked, junk included. Size and age are.
 */
int filter_files_from(struct filter *filter, const char *file, struct err *err) WARN_UNUSED;

struct filter_limits {
    int64_t min_size_bytes; /* -1: none */
    int64_t max_size_bytes; /* -1 */
    int64_t min_age_ms;     /* -1; from the file's mtime to now_wall_ms */
    int64_t max_age_ms;     /* -1 */
    int64_t now_wall_ms;
};
void filter_set_limits(struct filter *filter, const struct filter_limits *limits);

/* ---- walking ------------------------------------------------------------------------------ */

enum walk_kind {
    WALK_FILE,     /* a regular file to take */
    WALK_EXCLUDED, /* left out; reason is set */
    WALK_ISSUE,    /* a folder or entry that could not be looked at; error is set */
};

struct walk_entry {
    enum walk_kind kind;
    size_t root_idx;  /* which root of walk_options */
    const char *path; /* relative raw bytes, "a/b/c.jpg"; "" where the root is the file itself */
    /* EXCLUDED: junk, filter, symlink, "symlink loop", special, size, age, depth; a literal */
    const char *reason;
    const struct err *error; /* ISSUE */
    struct file_stamp stamp; /* FILE */
};

struct walk_options {
    const char *const *roots; /* absolute paths; folders or files */
    size_t root_count;
    struct filter *filter; /* NULL: junk rules alone */
    int copy_links;        /* follow symlinks, loops cut by (dev, ino) of the open folders */
    int max_depth;         /* -1: none; 1: files in the root alone */
    const int *stop;       /* polled with __atomic_load; non-zero ends the walk; NULL */
};

/*
 * Sorted by bytes within each folder, depth first: the same tree gives the same order. openat
 * and statx relative to open folders: no path length limit, nothing outside the tree by a
 * swapped symlink. At most LIMIT_WALK_DEPTH folders deep (beyond: an ISSUE). Entries are valid
 * during the callback; a non-zero return ends the walk and is returned.
 *
 * A root may be a symlink, which is followed: it was named by hand. So was a root that is a file:
 * only size and age are asked of it. A folder that is left out is one entry, its path without a
 * slash. What vanishes between the listing and the look at it is skipped without an entry; a
 * broken symlink (copy_links), a folder that cannot be read or that moved away meanwhile is an
 * ISSUE, and the walk goes on.
 *
 * 0, -ERR_STOPPED, -ERR_NOMEM, fn's return, or -ERR_SOURCE_UNREADABLE where a root cannot be opened
 * (all roots are tried before the first entry). Blocking: run it on the walker's thread. Holds at
 * most some 70 descriptors.
 */
int walk_run(const struct walk_options *options,
             int (*fn)(const struct walk_entry *entry, void *user), void *user,
             struct err *err) WARN_UNUSED;

/* ---- names --------------------------------------------------------------------------------- */

enum name_policy { NAME_KEEP, NAME_UNIQUE, NAME_PATH };

/*
 * The name that PXM gets for a relative path: its last component in NFC (KEEP, UNIQUE), or all
 * components joined with "--" (PATH). other_name, for UNIQUE: the joined form, else empty; empty
 * as well where a folder's name is no UTF-8, and the same as name for a file in the root.
 * root_name is the last component of the root, used where path is "".
 * A joined name of more than LIMIT_NAME_BYTES loses its front and gets 16 hexadecimal digits of a
 * hash of the path there, so that it stays unique and keeps its extension.
 * -ERR_NAME_INVALID: no UTF-8, or, unless joined, over LIMIT_NAME_BYTES in NFC;
 * -ERR_NOMEM.
 */
struct name_of {
    char name[LIMIT_NAME_BYTES + 1];
    char other_name[LIMIT_NAME_BYTES + 1];
};
int name_make(enum name_policy policy, const char *root_name, const char *path, struct name_of *out,
              struct err *err) WARN_UNUSED;
/*
 * The name that a folder, or what PXM calls one, is known by: NFC, without white space at its ends,
 * so that what a server trims is still found by its name. 0; -ERR_NAME_INVALID where nothing is
 * left, it is no UTF-8, holds control characters or line ends, or has over LIMIT_NAME_BYTES;
 * -ERR_NOMEM.
 */
int name_of_folder(const char *raw, size_t len, char out[LIMIT_NAME_BYTES + 1],
                   struct err *err) WARN_UNUSED;
/* The names of a path's folders, joined with "--" as a file's are; likewise. */
int name_of_folders(const char *path, char out[LIMIT_NAME_BYTES + 1], struct err *err) WARN_UNUSED;
/*
 * Appends a printable form of raw bytes for messages and reports: bad UTF-8, controls, line ends
 * and what turns the writing direction as \xNN. 0 or -ERR_NOMEM where *out is full.
 */
int name_printable(const char *raw, struct buf *out) WARN_UNUSED;

/* ---- manifests ----------------------------------------------------------------------------- */

/*
 * A table of what single files shall be in PXM, read row by row:
 *   CSV     with a header; delimiter , ; or tab by the header (or a first line "sep=;"), quotes and
 *           line ends as in RFC 4180 (LF, CRLF or CR), blanks around a cell dropped, but
 *           for path, name and file_name;
 *   NDJSON  where the first byte is '{': an object a line, the same names as keys, and an object
 *           "attributes" of label or id -> value beside "attribute:LABEL".
 * UTF-8, a BOM is allowed. Columns, in any order and case, '-' and ' ' as good as '_': path or name
 * (or both) say which file; file_name, collections, regions, published, publish_start,
 * publish_end, attribute:LABEL-OR-ID say what it shall be. An empty cell (JSON: null, "", []) says
 * nothing.
 */
enum manifest_column {
    MANIFEST_COLLECTIONS,
    MANIFEST_REGIONS,
    MANIFEST_PUBLISHED,
    MANIFEST_PUBLISH_START,
    MANIFEST_PUBLISH_END,
    MANIFEST_ATTRIBUTE,
    MANIFEST_COLUMN_COUNT
};
/* As a header spells it; "attribute" for MANIFEST_ATTRIBUTE. */
const char *manifest_column_name(enum manifest_column column);

struct manifest_cell {
    enum manifest_column column;
    const char *attribute; /* MANIFEST_ATTRIBUTE: its label or id; else NULL */
    int is_array;          /* a JSON array; otherwise one item, which a list has to split */
    const char *const *items;
    size_t item_count;
};

struct manifest_row {
    int64_t line;          /* where it begins, from 1 */
    const char *path;      /* NFC, without "./" in front; NULL where the row goes by name */
    const char *name;      /* NFC; NULL where it goes by path, or where it has neither */
    const char *file_name; /* the name for PXM, NFC; NULL: not said */
    const struct manifest_cell *cells;
    size_t cell_count;
    const struct err *error; /* NULL, or ERR_MANIFEST: what is wrong with this row alone */
};
/* The row is valid during the call; a non-zero return ends the reading and is returned. */
typedef int manifest_row_fn(const struct manifest_row *row, void *user);

#define MANIFEST_DIGEST_MAX 65
struct manifest_info {
    char digest[MANIFEST_DIGEST_MAX]; /* SHA-256 of the bytes, hexadecimal */
    int is_json;
    int64_t rows;
    int64_t name_rows;              /* that go by name */
    int has[MANIFEST_COLUMN_COUNT]; /* 1: some row says something in that column */
};
/*
 * Reads a manifest from its first byte to its last; memory does not grow with the rows. fn NULL
 * checks it alone. 0, fn's return, or -ERR_MANIFEST, with the line, where it cannot be trusted as a
 * whole: no file, no text in UTF-8, no header, an unknown or doubled column, none that says which
 * file, quotes that do not end, a row over LIMIT_MANIFEST_ROW_BYTES; -ERR_NOMEM. Blocking.
 */
int manifest_read(const char *file, manifest_row_fn *fn, void *user, struct manifest_info *out,
                  struct err *err) WARN_UNUSED;

/*
 * A manifest to fill in: its header with a column for each attribute (label or id), then a row a
 * file; path or name may be NULL, not both, and are as manifest_key makes them. Errors are out's.
 */
void manifest_write_header(FILE *out, const char *const *attributes, size_t count);
void manifest_write_row(FILE *out, const char *path, const char *name, size_t attribute_count);
/* A relative path or a name as rows have it. 0, -ERR_NAME_INVALID, -ERR_NOMEM. */
int manifest_key(const char *raw, struct buf *out, struct err *err) WARN_UNUSED;

/* ---- MIME ---------------------------------------------------------------------------------- */

#define MIME_MAX 128
/*
 * From the name alone; NULL where the extension is unknown. Any thread.
 */
const char *mime_by_extension(const char *name);
/*
 * The type by extension table, own signatures over head, then libmagic where neither decides
 * (field note 28). head: the first bytes (up to LIMIT_SNIFF_BYTES; fewer is fine for the
 * signatures), never mapped memory. One struct mime a thread (a libmagic cookie, loaded at first
 * need); NULL from mime_new: no memory.
 *
 * A known extension decides where head is empty, agrees, or says nothing specific; containers
 * (zip, OLE, TIFF, XML) agree with all that is built on them. A specific signature that
 * contradicts wins, and *out_contradicted is 1. Never fails: the last resort is
 * application/octet-stream.
 */
struct mime;
struct mime *mime_new(void);
void mime_free(struct mime *mime);
void mime_type(struct mime *mime, const char *name, const void *head, size_t head_len,
               char out[MIME_MAX], int *out_contradicted);
/* True where mime_type would not need libmagic for this name and head: cheap on the loop. */
int mime_is_cheap(const char *name, const void *head, size_t head_len);

/* ---- reading a source file ------------------------------------------------------------------- */

struct source; /* one open file; one thread at a time, but source_read is safe in parallel */

/*
 * Opens root/path beneath root without following a symlink anywhere unless copy_links
 * (openat2 RESOLVE_BENEATH|NO_SYMLINKS where the kernel has it, else component by component),
 * O_NONBLOCK|O_CLOEXEC, and requires a regular file. path "" opens root itself. Errors:
 * SOURCE_VANISHED (ENOENT, ENOTDIR), SOURCE_UNREADABLE (EACCES, special files, symlink where
 * none is followed, a path with ".." in it), NOMEM, IO. root itself may be reached by symlinks.
 * path may be longer than PATH_MAX. The caller closes *out, which is NULL after an error.
 */
int source_open(const char *root, const char *path, int copy_links, struct source **out,
                struct file_stamp *out_stamp, struct err *err) WARN_UNUSED;
void source_close(struct source *source);
/*
 * fstat now against the tuple at open: 0, or -ERR_SOURCE_CHANGED / -ERR_SOURCE_VANISHED / -ERR_IO.
 * Unlinked or replaced by another file alone is no error: the bytes are still there.
 */
int source_check(struct source *source, struct err *err) WARN_UNUSED;
/*
 * Copies exactly len bytes at offset into out by pread. 0; -ERR_SOURCE_CHANGED where the file
 * ends sooner; -ERR_IO.
 */
int source_read(struct source *source, void *out, size_t len, int64_t offset,
                struct err *err) WARN_UNUSED;

/* The folder that a thread read from last, kept open. */
struct source_root {
    int fd;
    char *path;
};
void source_root_init(struct source_root *root);
void source_root_release(struct source_root *root);
/*
 * Reads root/path whole in four system calls and says 1 if it is, after the last byte was read,
 * still the very file that the walk saw (expected, with its size); out has room for all of it.
 * Anything else is 0, without a reason: source_open and its kin then tell what is the matter.
 */
int source_slurp(struct source_root *root, const char *root_path, const char *path, int copy_links,
                 const struct file_stamp *expected, char *out) WARN_UNUSED;

/*
 * A mapped window over [offset, offset+len), at most LIMIT_WINDOW_BYTES + a page. Copies are
 * guarded: a file that shrinks gives -ERR_SOURCE_CHANGED, never SIGBUS, never zeros past its end.
 * (One that shrinks and grows again during a copy is source_check's to find.)
 * window_map falls back to pread inside window_copy where the file system has no mmap.
 */
struct window {
    struct source *source;
    void *map; /* NULL: pread is used */
    size_t map_len;
    int64_t map_offset;
    int64_t offset; /* what the caller asked for */
    size_t len;
};
void window_map(struct window *window, struct source *source, int64_t offset, size_t len);
/* at: offset within the file, inside the window. Any thread; several at once are fine. */
int window_copy(const struct window *window, void *out, size_t len, int64_t at,
                struct err *err) WARN_UNUSED;
/* Drops the mapping, and the pages from the cache where drop_cache. */
void window_unmap(struct window *window, int drop_cache);
/*
 * Installs the SIGBUS guard once a process; call before the first window_copy. A SIGBUS that is
 * none of window_copy's reaches the handler that was there before.
 */
void window_guard_install(void);

/* ---- digests ----------------------------------------------------------------------------------
 */

/* A running MD5; a value, copyable only by digest_init again. One thread at a time. */
struct digest {
    void *ctx;
};
/* 0, or -ERR_INTERNAL where OpenSSL gives no MD5 (a FIPS policy) or no memory. */
int digest_init(struct digest *digest) WARN_UNUSED;
void digest_reset(struct digest *digest);
void digest_update(struct digest *digest, const void *data, size_t len);
/* Afterwards only digest_reset or digest_release. */
void digest_final(struct digest *digest, unsigned char out[16]);
/* Twice is no harm, nor after a failed digest_init. */
void digest_release(struct digest *digest);
/*
 * The MD5s of up to DIGEST_LANES buffers, which together take little more than the longest alone.
 * Best where they are of similar length. Only where a digest_init went well.
 */
#define DIGEST_LANES 8
void digest_many(const void *const data[], const size_t len[], size_t count,
                 unsigned char (*out)[16]);
/* The same for ranges of open files. */
#define DIGEST_LANE_BYTES (32 * 1024)
struct digest_range {
    struct source *source;
    int64_t start;
    int64_t len;
    struct err *error;  /* filled in where rc is not 0 */
    unsigned char *md5; /* 16 bytes; left alone then */
    int rc;
};
/* room: DIGEST_LANES * DIGEST_LANE_BYTES, at the caller's disposal again afterwards. */
void digest_ranges(struct digest_range ranges[], size_t count, void *room);

/* "libmagic/5.44 utf8proc/2.8.0": what this layer runs on; valid until the next call. */
const char *scan_version(void);

#endif
