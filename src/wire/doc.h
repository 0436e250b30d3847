/*
 * doc.h - reading JSON replies: parse once under the limits, then fetch members by name and
 * type. Internal to wire/. A document is released with json_object_put(); every string that is
 * returned here lives as long as its document.
 */
#ifndef WIRE_DOC_H
#define WIRE_DOC_H

#include "base/err.h"

struct json_object;

/*
 * Parses the whole body: one JSON value, only white space behind it, valid UTF-8, depth and size
 * limited. what names the reply in the error text. 0, or -ERR_BAD_REPLY, -ERR_NOMEM. The value
 * may be a scalar, and *out_doc is NULL for a JSON null.
 */
int doc_parse(const char *body, size_t len, const char *what, struct json_object **out_doc,
              struct err *err) WARN_UNUSED;
/* The same for a body that must be an object; *out_doc is never NULL on success. */
int doc_parse_object(const char *body, size_t len, const char *what, struct json_object **out_doc,
                     struct err *err) WARN_UNUSED;

/* A member of any type; NULL when absent, JSON null, or where object is no object. */
struct json_object *doc_get(struct json_object *object, const char *key);
/* A member that is an object; otherwise NULL. */
struct json_object *doc_object(struct json_object *object, const char *key);
/* A string member that is not empty and holds no NUL; otherwise NULL. */
const char *doc_text(struct json_object *object, const char *key);
/* Likewise; an integer counts as the string of its digits. */
const char *doc_scalar(struct json_object *object, const char *key);
/*
 * An id: a doc_scalar of less than LIMIT_ID_BYTES bytes that may stand in a request path and in
 * a report: no control bytes, and not a dot segment. Otherwise NULL.
 */
const char *doc_id(struct json_object *object, const char *key);
/* Whether a text is one. */
int doc_is_id(const char *text);

/* What doc_int and doc_bool found. */
enum doc_found {
    DOC_WRONG = -1, /* there, but of another type or out of range */
    DOC_ABSENT = 0, /* not there, or null */
    DOC_FOUND = 1,
};
/* An integer, or a string of one. */
enum doc_found doc_int(struct json_object *object, const char *key, int64_t *out);
/* true, false, 0, 1, or one of these as a string. */
enum doc_found doc_bool(struct json_object *object, const char *key, int *out);

/*
 * The list inside a reply: a raw array, or the first of the wrapper names of the protocol page
 * that is an array. NULL when there is none.
 */
struct json_object *doc_list(struct json_object *doc);

#endif
