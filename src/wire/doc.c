/*
 * doc.c - reading JSON replies, see doc.h. Called by the decoders of this folder, on any thread;
 * no state. Invariant: nothing here trusts the sender, so every size is checked before json-c
 * sees a byte.
 */
#include "wire/doc.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

/*
 * What json-c 0.16 was measured to spend on an object and on an array, with one value in it, and on
 * each further value, which a comma parts from the one before: 8 MiB of "{},{}," would need 2 GiB.
 */
#define OBJECT_BYTES 900
#define ARRAY_BYTES  250
#define VALUE_BYTES  110

/* About the memory that the document will need as a tree, its strings included. */
static size_t tree_bytes(const char *body, size_t len)
{
    size_t bytes = len;
    int in_string = 0;
    for (size_t i = 0; i < len; i++) {
        if (in_string && body[i] == '\\')
            i++;
        else if (body[i] == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (body[i] == '{')
            bytes += OBJECT_BYTES;
        else if (body[i] == '[')
            bytes += ARRAY_BYTES;
        else if (body[i] == ',')
            bytes += VALUE_BYTES;
    }
    return bytes;
}

static int is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return 0;
    return 1;
}

static int check_size(const char *body, size_t len, const char *what, struct err *err)
{
    if (!body || is_blank(body, len))
        return err_set(err, ERR_BAD_REPLY, "%s: the reply is empty", what);
    if (len > LIMIT_REPLY_BYTES)
        return err_set(err, ERR_BAD_REPLY, "%s: the reply is over %d bytes", what,
                       LIMIT_REPLY_BYTES);
    if (len > LIMIT_REPLY_TREE / OBJECT_BYTES && tree_bytes(body, len) > LIMIT_REPLY_TREE)
        return err_set(err, ERR_BAD_REPLY, "%s: the reply has too many values", what);
    return 0;
}

/* Strict mode refuses white space behind the value too, so the end is checked here instead. */
static int parse(struct json_tokener *tokener, const char *body, size_t len, const char *what,
                 struct json_object **out_doc, struct err *err)
{
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS |
                                        JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *doc = json_tokener_parse_ex(tokener, body, (int)len);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue) {
        /* A number at the very end is only known to be whole when something follows it. */
        doc = json_tokener_parse_ex(tokener, " ", 1);
        error = json_tokener_get_error(tokener);
        end = len;
    }
    if (error == json_tokener_success && is_blank(body + end, len - end)) {
        *out_doc = doc;
        return 0;
    }
    json_object_put(doc);
    if (error == json_tokener_success)
        return err_set(err, ERR_BAD_REPLY, "%s: there is something behind the JSON", what);
    return err_set(err, ERR_BAD_REPLY, "%s: no JSON: %s", what, json_tokener_error_desc(error));
}

int doc_parse(const char *body, size_t len, const char *what, struct json_object **out_doc,
              struct err *err)
{
    *out_doc = NULL;
    int rc = check_size(body, len, what, err);
    if (rc)
        return rc;
    struct json_tokener *tokener = json_tokener_new_ex(LIMIT_JSON_DEPTH);
    if (!tokener)
        return err_set(err, ERR_NOMEM, "%s: out of memory", what);
    rc = parse(tokener, body, len, what, out_doc, err);
    json_tokener_free(tokener);
    return rc;
}

int doc_parse_object(const char *body, size_t len, const char *what, struct json_object **out_doc,
                     struct err *err)
{
    int rc = doc_parse(body, len, what, out_doc, err);
    if (rc || json_object_is_type(*out_doc, json_type_object))
        return rc;
    json_object_put(*out_doc);
    *out_doc = NULL;
    return err_set(err, ERR_BAD_REPLY, "%s: the reply is no JSON object", what);
}

struct json_object *doc_get(struct json_object *object, const char *key)
{
    struct json_object *member = NULL;
    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, key, &member);
    return member;
}

struct json_object *doc_object(struct json_object *object, const char *key)
{
    struct json_object *member = doc_get(object, key);
    return json_object_is_type(member, json_type_object) ? member : NULL;
}

static const char *string_of(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    return len && strlen(text) == len ? text : NULL;
}

const char *doc_text(struct json_object *object, const char *key)
{
    return string_of(doc_get(object, key));
}

const char *doc_scalar(struct json_object *object, const char *key)
{
    struct json_object *value = doc_get(object, key);
    if (json_object_is_type(value, json_type_int))
        return json_object_get_string(value);
    return string_of(value);
}

int doc_is_id(const char *text)
{
    if (!*text || strlen(text) >= LIMIT_ID_BYTES || !strcmp(text, ".") || !strcmp(text, ".."))
        return 0;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return 0;
    return 1;
}

const char *doc_id(struct json_object *object, const char *key)
{
    const char *id = doc_scalar(object, key);
    return id && doc_is_id(id) ? id : NULL;
}

static enum doc_found int_of_text(const char *text, int64_t *out)
{
    const char *digits = *text == '-' ? text + 1 : text;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits))
        return DOC_WRONG;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno)
        return DOC_WRONG;
    *out = number;
    return DOC_FOUND;
}

enum doc_found doc_int(struct json_object *object, const char *key, int64_t *out)
{
    struct json_object *value = doc_get(object, key);
    if (!value)
        return DOC_ABSENT;
    /* By its digits, as json-c clamps what does not fit in silence. */
    const char *text = doc_scalar(object, key);
    return text ? int_of_text(text, out) : DOC_WRONG;
}

enum doc_found doc_bool(struct json_object *object, const char *key, int *out)
{
    struct json_object *value = doc_get(object, key);
    if (!value)
        return DOC_ABSENT;
    if (json_object_is_type(value, json_type_boolean)) {
        *out = json_object_get_boolean(value);
        return DOC_FOUND;
    }
    const char *text = doc_scalar(object, key);
    if (!text)
        return DOC_WRONG;
    if (!strcasecmp(text, "true") || !strcmp(text, "1"))
        *out = 1;
    else if (!strcasecmp(text, "false") || !strcmp(text, "0"))
        *out = 0;
    else
        return DOC_WRONG;
    return DOC_FOUND;
}

struct json_object *doc_list(struct json_object *doc)
{
    static const char *const wrappers[] = {"collections", "files", "items", "data", "hits"};
    if (json_object_is_type(doc, json_type_array))
        return doc;
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        struct json_object *list = doc_get(doc, wrappers[i]);
        if (json_object_is_type(list, json_type_array))
            return list;
    }
    return NULL;
}
