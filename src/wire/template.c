/*
 * template.c - conflict templates, see template.h. Called by profile.c and confirm.c, on any
 * thread; no state. Invariant: what template_read() wrote is valid JSON, so the placeholder
 * stands inside a string, and an id that is escaped as a JSON string can't break out of it.
 */
#include "wire/template.h"

#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "wire/doc.h"

/* json-c reads NaN and Infinity, which no other JSON reader takes. */
static int find_no_number(struct json_object *value, int flags, struct json_object *parent,
                          const char *key, size_t *idx, void *user)
{
    (void)flags;
    (void)parent;
    (void)key;
    (void)idx;
    if (json_object_is_type(value, json_type_double) && !isfinite(json_object_get_double(value)))
        *(int *)user = 1;
    return JSON_C_VISIT_RETURN_CONTINUE;
}

int template_read(const char *text, char *out, size_t cap, struct err *err)
{
    static const char *const taken[] = {"file_path", "file_name", "file_size",
                                        "upload_id", "multipart", "metadata"};
    struct json_object *doc = NULL;
    struct err why = ERR_INIT;
    int rc = doc_parse_object(text, strlen(text), "a conflict template", &doc, &why);
    if (rc)
        return err_set(err, ERR_CONFIG, "a conflict template must be a JSON object: %s", why.text);
    for (size_t i = 0; i < sizeof taken / sizeof *taken && !rc; i++)
        if (json_object_object_get_ex(doc, taken[i], NULL))
            rc = err_set(err, ERR_CONFIG, "a conflict template may not set %s", taken[i]);
    int no_number = 0;
    json_c_visit(doc, 0, find_no_number, &no_number);
    if (!rc && no_number)
        rc = err_set(err, ERR_CONFIG, "a conflict template may not hold NaN or Infinity");
    /* json-c reads more than JSON ('single' quotes), so its own writing is kept, not the text. */
    size_t len = 0;
    const char *plain = json_object_to_json_string_length(
        doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    if (!rc && (!plain || len >= cap))
        rc = err_set(err, ERR_CONFIG, "a conflict template is longer than %zu bytes", cap - 1);
    if (!rc)
        memcpy(out, plain, len + 1);
    json_object_put(doc);
    return rc;
}

/* The id as it stands between the quotes of a JSON string. 0 or -ERR_NOMEM. */
static int escape(const char *id, struct buf *out)
{
    int rc = log_append_json_string(out, id, strlen(id));
    if (rc)
        return rc;
    out->len -= 1; /* the closing quote; the opening one is skipped by the reader */
    out->data[out->len] = '\0';
    return 0;
}

static int append_filled(const char *from, const char *end, const char *id, struct buf *out,
                         struct err *err)
{
    struct buf escaped;
    buf_init(&escaped, out->max);
    int rc = escape(id ? id : "", &escaped);
    if (rc)
        rc = err_set(err, ERR_NOMEM, "the conflict's file id takes too much memory");
    while (!rc && from < end) {
        const char *hole = memmem(from, (size_t)(end - from), TEMPLATE_ID, strlen(TEMPLATE_ID));
        const char *stop = hole ? hole : end;
        buf_append(out, from, (size_t)(stop - from));
        if (hole && !id)
            rc = err_set(err, ERR_CONFLICT_UNSENDABLE,
                         "PXM reported a conflict and named no file id");
        else if (hole)
            buf_puts(out, escaped.data + 1);
        from = hole ? hole + strlen(TEMPLATE_ID) : end;
    }
    buf_release(&escaped);
    return rc;
}

int template_append(const char *text, const char *conflict_file_id, struct buf *out,
                    struct err *err)
{
    size_t len = strlen(text);
    if (len < 2 || text[0] != '{' || text[len - 1] != '}')
        return err_set(err, ERR_CONFIG, "the conflict template is no JSON object");
    if (len == 2)
        return 0;
    buf_puts(out, ",");
    return append_filled(text + 1, text + len - 1, conflict_file_id, out, err);
}
