/*
 * wire.h - the face of wire/: the PXM and S3 protocol as struct <-> bytes. No I/O, no clock,
 * no state; every call may run on any thread. Strings in are NUL-terminated UTF-8.
 *
 * Every difference between tenants is a field of struct wire_profile, never an `if` elsewhere.
 * Nothing in a reply is trusted: a decoder either returns a struct that satisfies the rules
 * in its comment, or -ERR_BAD_REPLY with what was wrong.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/buf.h"
#include "base/limits.h"

/* ---- profile ------------------------------------------------------------------------- */

enum wire_date { WIRE_DATE_DAY, WIRE_DATE_SECOND }; /* YYYY-MM-DD, YYYY-MM-DDTHH:MM:SSZ */
enum wire_etag { WIRE_ETAG_KEEP, WIRE_ETAG_STRIP };

#define WIRE_SETTING_MAX 512
struct wire_profile {
    char name[16];
    char authorize_path[128];
    char request_path[128];
    char confirm_path[128];
    char search_path[128]; /* {file_name} is replaced, percent-encoded */
    char list_path[128];   /* GET, file list */
    char file_path[128];   /* {id} is replaced */
    char region_path[128];
    char attribute_path[128];    /* GET, list */
    char collection_path[128];   /* GET, list; POST */
    char category_path[128];     /* likewise */
    char category_one_path[128]; /* {id} is replaced; GET */
    enum wire_date date;
    enum wire_etag etag_quotes;
    char conflict_overwrite[WIRE_SETTING_MAX]; /* JSON object; {conflict_file_id} is replaced */
    char conflict_version[WIRE_SETTING_MAX];
};

/* A built-in profile: "v3" or "v2.1". 0 or -ERR_USAGE. */
int wire_profile_init(struct wire_profile *profile, const char *name, struct err *err) WARN_UNUSED;
/*
 * Overrides one field by its name above (as the config file spells it: authorize_path,
 * conflict_overwrite, date, etag_quotes ...), checked: paths begin with one '/' and hold the
 * placeholder that their comment names, or none; date is "day" or "second", etag_quotes "keep"
 * or "strip"; templates are JSON objects that set no member which the confirm has itself, with
 * {conflict_file_id} inside strings alone. 0 or -ERR_CONFIG, and then the profile is as before.
 * -ERR_NOT_FOUND: no field of that name.
 */
int wire_profile_set(struct wire_profile *profile, const char *field, const char *value,
                     struct err *err) WARN_UNUSED;
/* The n-th field's name, NULL past the last; for help texts and `pxload env`. */
const char *wire_profile_field(size_t n);

/* ---- requests ------------------------------------------------------------------------ */

/*
 * Every encoder appends one JSON object (wire_path: a path) to *out. On failure *out holds a
 * part of it; -ERR_NOMEM is a body over out->max, or no memory.
 */
int wire_encode_authorize(struct buf *out) WARN_UNUSED;

struct wire_upload {
    const char *file_name;
    const char *mime_type;
    int64_t size_bytes;
};
int wire_encode_request(const struct wire_upload *upload, struct buf *out) WARN_UNUSED;

struct wire_etag_of {
    int part_no;      /* from 1, strictly rising */
    const char *etag; /* as the header gave it, quotes included */
};

enum wire_conflict { WIRE_CONFLICT_NONE, WIRE_CONFLICT_OVERWRITE, WIRE_CONFLICT_VERSION };

struct wire_confirm {
    const char *file_path;
    const char *file_name;
    int64_t size_bytes;
    const char *upload_id; /* NULL: a single PUT, parts are not sent */
    const struct wire_etag_of *parts;
    size_t part_count;
    int published;
    const char *publish_start; /* YYYY-MM-DD or RFC 3339; NULL: none; sent in UTC, by profile */
    const char *publish_end;
    const char *const *region_ids;
    size_t region_count;
    enum wire_conflict conflict;
    const char *conflict_file_id; /* needed unless conflict is NONE */
};
/*
 * 0; -ERR_CONFIG where a template does not fit, -ERR_USAGE where a date is none,
 * -ERR_CONFLICT_UNSENDABLE where a template needs a conflict_file_id and there is none,
 * -ERR_INTERNAL where parts are missing, out of order or without ETag, -ERR_NOMEM.
 */
int wire_encode_confirm(const struct wire_profile *profile, const struct wire_confirm *confirm,
                        struct buf *out, struct err *err) WARN_UNUSED;

/* The body that creates a category or a collection; parent_id NULL: at the top. */
int wire_encode_folder(const char *name, const char *parent_id, struct buf *out) WARN_UNUSED;

/* What a file is to get beside its bytes. */
struct wire_link {
    const char *file_id;
    const char *folder_collection; /* an id; NULL: none */
    const char *collections;       /* a JSON array of ids; NULL: none */
    const char *attributes;        /* a JSON array of {id, type, value}; NULL: none */
};
/*
 * The body of PUT file/{id}. Its arrays replace what PXM stores, so body[len], the reply to GET
 * file/{id}, is merged in: all of its collections, and those of its attributes that are not wanted
 * otherwise. body NULL: the file is new and has none. *out_needed: 0 where the file has all of it
 * already. Nothing stands in the body that is not wanted (no region_ids, no empty array).
 * 0; -ERR_BAD_REPLY: the reply is not about this file, or holds a list that cannot be read whole;
 * -ERR_INTERNAL: the wanted lists are none; -ERR_NOMEM. Each list has at most LIMIT_FILE_LINKS.
 */
int wire_encode_link(const struct wire_link *link, const char *body, size_t len, struct buf *out,
                     int *out_needed, struct err *err) WARN_UNUSED;

/*
 * Appends a profile path with its {placeholder} replaced by value, every byte but RFC 3986's
 * unreserved ones percent-encoded. value may be NULL where the path has no placeholder.
 */
int wire_path(const char *path_template, const char *value, struct buf *out) WARN_UNUSED;

/* Appends the path of a page of a list: PATH?limit=..&offset=.. */
int wire_page_path(const char *path, int limit, int64_t offset, struct buf *out) WARN_UNUSED;
/* Likewise, of those right below a folder alone. */
int wire_child_page_path(const char *path, const char *parent_id, int limit, int64_t offset,
                         struct buf *out) WARN_UNUSED;
/*
 * 1 where a page of so many rows is the last: it has fewer than were asked for. But a server may
 * give fewer at once than that; then fewer than the largest page before it (0: none).
 */
int wire_page_is_short(size_t rows, int limit, size_t most_rows);

/* ---- replies ------------------------------------------------------------------------- */

/*
 * Every decoder takes the whole body, which needs no NUL behind it, and returns 0, -ERR_BAD_REPLY
 * or -ERR_NOMEM. *out is written in every case and is empty after a failure; its strings are its
 * own until the release call, which may be repeated. Error texts name what is wrong and hold
 * neither a token nor a URL.
 */

struct wire_token {
    char *access_token;
    int64_t expires_in_s; /* 0: not said or not understood; number or string accepted */
};
int wire_decode_token(const char *body, size_t len, struct wire_token *out,
                      struct err *err) WARN_UNUSED;
void wire_token_release(struct wire_token *token); /* wipes it */

struct wire_part {
    int part_no;   /* 1..LIMIT_PARTS, strictly rising */
    char *url;     /* checked by wire_check_url */
    int64_t start; /* first byte */
    int64_t len;   /* bytes; 0 only for the one part of an empty file */
};

struct wire_session {
    int multipart;
    char *file_path;         /* not empty when there are parts */
    char *file_name;         /* the server's; the one sent where the reply has none */
    char *upload_id;         /* NULL unless multipart */
    struct wire_part *parts; /* cover [0,size) exactly; one for a single PUT */
    size_t part_count;       /* 0: a conflict without instructions */
    int is_conflict;
    char *conflict_file_id; /* may be NULL even in a conflict */
};

/* http is refused but for loopback hosts (127.0.0.0/8, ::1, localhost) unless allow_http. */
struct wire_url_rules {
    int allow_http;
};
/*
 * 0 or -ERR_BAD_REPLY: scheme, host, port, user info, length, bytes that are no visible ASCII,
 * and backslashes or '#', which URL parsers read in different ways.
 */
int wire_check_url(const char *url, const struct wire_url_rules *rules,
                   struct err *err) WARN_UNUSED;

/*
 * How long a presigned URL is good for, from its X-Amz-Expires (seconds) or Expires (a time, which
 * is compared with wall_ms); -1 where it says neither.
 */
int64_t wire_url_life_s(const char *url, int64_t wall_ms);
/* When the same URL ends, by the clock of whoever signed it; -1 where it does not say so. */
int64_t wire_url_ends_ms(const char *url);

/*
 * The reply to request-upload, status 200 or 409, for an upload of size bytes. A 409 that is no
 * conflict by its body (an API error instead) is -ERR_BAD_REPLY here: then wire_classify_api()
 * has the better text. A conflict_file_id without is_conflict counts as a conflict.
 */
int wire_decode_session(const char *body, size_t len, const struct wire_upload *upload,
                        const struct wire_url_rules *rules, struct wire_session *out,
                        struct err *err) WARN_UNUSED;
void wire_session_release(struct wire_session *session);

/* What a confirm's reply says of the file; a text that it does not say is empty. */
struct wire_confirmed {
    char id[LIMIT_ID_BYTES];
    char version[LIMIT_VERSION_BYTES];
    char cdn_url[LIMIT_CDN_URL_BYTES]; /* as wire_public_url() makes it */
};
/*
 * A confirm's reply with a 2xx status: the id is `id`, `file_id`, `file.id` or `data.id`, the rest
 * stands beside it (`version`, `cdn_url`, `metadata.cdn_url`). All empty where it has no body.
 * -ERR_BAD_REPLY (no JSON) has EFFECT_MAYBE: look the file up before confirming again.
 */
int wire_decode_confirm(const char *body, size_t len, struct wire_confirmed *out,
                        struct err *err) WARN_UNUSED;
/*
 * A URL for everybody's eyes, as it may stand in a report: bytes that no URL has are
 * percent-encoded. 1, or 0 and an empty out: no http(s) URL, too long, or a signed one, which is
 * a secret and does not last.
 */
int wire_public_url(const char *text, char out[LIMIT_CDN_URL_BYTES]);

struct wire_file {
    char *id;
    char *name;         /* file_name, metadata.file_name or (v3 search) name; NULL when absent */
    int64_t size_bytes; /* -1: not said; number or numeric string accepted */
    int64_t created_ms; /* wall; -1: not said (created_date, created_at, created ...) */
    int64_t updated_ms;
    int is_converting; /* -1: not said */
    int published;     /* -1: not said; published or metadata.published */
    char *cdn_url;     /* metadata.cdn_url; NULL when absent; not checked */
    void *object;      /* see wire_file_json */
};
struct wire_files {
    struct wire_file *items;
    size_t count;
    void *doc; /* the reply, which the items' objects are parts of */
};
/*
 * Any list shape of the protocol page, or one file object; items without id are left out.
 * Any other shape is -ERR_BAD_REPLY, never "no files"; {"hits":null,"total":0} is no files.
 */
int wire_decode_files(const char *body, size_t len, struct wire_files *out,
                      struct err *err) WARN_UNUSED;
void wire_files_release(struct wire_files *files);
/* The file as the reply has it, for wire_encode_link; valid until the list is released. */
const char *wire_file_json(const struct wire_file *file);

struct wire_region {
    char *id;
    char *name;
    int is_primary;
};
struct wire_regions {
    struct wire_region *items;
    size_t count;
};
int wire_decode_regions(const char *body, size_t len, struct wire_regions *out,
                        struct err *err) WARN_UNUSED;
void wire_regions_release(struct wire_regions *regions);

/* A collection or a category. */
struct wire_folder {
    char *id;
    char *name;      /* "" where the reply has none */
    char *parent_id; /* NULL: none */
};
struct wire_folders {
    struct wire_folder *items;
    size_t count;
    size_t rows; /* of the page, those without id too: fewer than the limit end a list */
};
/* A page of their lists, in any list shape; entries without id are left out. */
int wire_decode_folders(const char *body, size_t len, struct wire_folders *out,
                        struct err *err) WARN_UNUSED;
void wire_folders_release(struct wire_folders *folders);
/*
 * The id of what a POST made, from a 2xx reply: `id`, or that of `category`, `collection`, `folder`
 * or `data`; empty where the reply names none. -ERR_BAD_REPLY (no JSON) has EFFECT_MAYBE.
 */
int wire_decode_created(const char *body, size_t len, char out_id[LIMIT_ID_BYTES],
                        struct err *err) WARN_UNUSED;

/* What kind of value an attribute takes. */
enum wire_type {
    WIRE_TYPE_TEXT, /* also of a type that is not known here */
    WIRE_TYPE_NUMBER,
    WIRE_TYPE_BOOLEAN,
    WIRE_TYPE_DATE,
    WIRE_TYPE_LIST,
    WIRE_TYPE_PICK,
};
struct wire_attribute {
    char *id;
    char *label; /* "" where the reply has none */
    enum wire_type type;
    char **options; /* of a pick list; none where the reply does not say them */
    size_t option_count;
};
struct wire_attributes {
    struct wire_attribute *items;
    size_t count;
};
/* The reply to GET attribute; entries without id are left out. */
int wire_decode_attributes(const char *body, size_t len, struct wire_attributes *out,
                           struct err *err) WARN_UNUSED;
void wire_attributes_release(struct wire_attributes *attributes);
/*
 * Adds {"id":..,"type":"update","value":..} to the JSON array in *out (empty: none yet), with the
 * values as the attribute's type has them: a number as JSON has it, true, false, yes, no, 1 or 0,
 * YYYY-MM-DD, any number of texts for a list, one of the options of a pick list. 0; -ERR_USAGE and
 * what is wrong where they do not fit; -ERR_NOMEM. After a failure *out holds no JSON.
 */
int wire_add_attribute(const struct wire_attribute *attribute, const char *const *values,
                       size_t count, struct buf *out, struct err *err) WARN_UNUSED;
/* Likewise, an id to an array of ids. 0 or -ERR_NOMEM. */
int wire_add_id(const char *id, struct buf *out) WARN_UNUSED;
/* Calls fn with each id of such an array; one that is none has no ids. 0, or fn's return. */
int wire_each_id(const char *ids, int (*fn)(const char *id, void *user), void *user) WARN_UNUSED;
/* YYYY-MM-DD or RFC 3339, as a confirm takes it. 0 and ms since 1970, or -ERR_USAGE. */
int wire_parse_date(const char *text, int64_t *out_ms) WARN_UNUSED;
/* true, yes, 1: 1; false, no, 0: 0; in any case of letters. -1: none of them. */
int wire_boolean(const char *text);

/* ---- reply classes: the one place that reads HTTP statuses ----------------------------- */

struct wire_reply {
    int status;
    const char *body; /* may be NULL; JSON, XML, HTML or anything */
    size_t body_len;
    const char *retry_after; /* header values, NULL when absent: seconds or an HTTP date */
    const char *request_id;
    int64_t wall_ms;     /* now, by the server's clock where it told it */
    int64_t url_ends_ms; /* S3: wire_url_ends_ms(); 0 or -1: unknown */
};
/*
 * 0 for 2xx. Otherwise the class by the table of the protocol page, with the server's code and
 * message (bounded, one line of valid UTF-8, secrets and URL queries taken out) in the text, and
 * retry_after_ms (header, else the body's retry_after; 0..RETRY_AFTER_MAX_MS), http_status,
 * request_id filled. 408 and 504 are ERR_TIMEOUT; redirects (3xx) are ERR_BAD_REPLY.
 * effect: NONE for 3xx and 4xx, MAYBE for 5xx and whatever is no HTTP status.
 */
int wire_classify_api(const struct wire_reply *reply, struct err *err) WARN_UNUSED;
/*
 * The same for S3, by XML code before status. 0 for a 2xx whose body is no <Error>; a 2xx with
 * one is ERR_SERVER, as is a 5xx with an unknown code or none. SlowDown: ERR_THROTTLED; an expired
 * URL or token: ERR_URL_EXPIRED; NoSuchUpload: ERR_SESSION_LOST; RequestTimeout, IncompleteBody,
 * BadDigest: ERR_TRANSFER_BROKEN; SignatureDoesNotMatch, EntityTooLarge and the rest:
 * ERR_S3_REFUSED. A 403 without a reason is an expiry where the URL's end has come: radosgw gives
 * none.
 */
int wire_classify_s3(const struct wire_reply *reply, struct err *err) WARN_UNUSED;

/*
 * May this ETag be compared with an MD5? encryption is x-amz-server-side-encryption,
 * customer_key x-amz-server-side-encryption-customer-algorithm; NULL when absent.
 * Returns 1 and *out_match (1: equal), or 0 where the ETag is no MD5.
 */
int wire_etag_compare(const char *etag, const char *encryption, const char *customer_key,
                      const unsigned char md5[16], int *out_match);

/* "json-c/0.16": what this layer runs on. */
const char *wire_version(void);

#endif
