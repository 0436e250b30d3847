/* Categories and collections; see folder.h for the lock. */
#include "sim/folder.h"

#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"
#include "sim/when.h"

/* uthash's macros would count as our own statements and nesting. */
/* NOLINTBEGIN(readability-function-size) */

struct list {
    struct folder **rows;
    size_t n;
    size_t cap;
};

static struct list lists[FOLDER_KIND_COUNT];
static struct folder *by_id;
static struct folder *by_place;

static void append(struct list *l, struct folder *f)
{
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 64 : l->cap * 2;
        l->rows = mem_resize(l->rows, l->cap, sizeof(struct folder *));
    }
    l->rows[l->n++] = f;
}

struct folder *folder_add(enum folder_kind kind, const char *name, const char *parent_id,
                          json_object *fields, bool *out_twin)
{
    struct folder *f = mem_new(1, sizeof *f);
    struct folder *twin = NULL;
    struct text place = {0};
    size_t len = 0;

    text_addf(&place, "%d/%s/%s", kind, parent_id == NULL ? "" : parent_id, name);
    f->kind = kind;
    f->place = text_take(&place, &len);
    f->parent_id = parent_id == NULL ? NULL : mem_copy(parent_id, strlen(parent_id));
    f->fields = json_object_get(fields);
    f->created_ms = when_now_ms();
    ident_uuid(f->id);
    ident_uuid_text(f->id, f->id_text);
    HASH_ADD(hh_id, by_id, id_text, IDENT_UUID_TEXT - 1, f);
    HASH_FIND(hh_place, by_place, f->place, len, twin);
    *out_twin = twin != NULL;
    if (twin == NULL)
        HASH_ADD_KEYPTR(hh_place, by_place, f->place, len, f);
    append(&lists[kind], f);
    return f;
}

struct folder *folder_by_id(const char *id)
{
    struct folder *f = NULL;

    HASH_FIND(hh_id, by_id, id, strlen(id), f);
    return f;
}

struct folder *folder_at(enum folder_kind kind, size_t i)
{
    return i < lists[kind].n ? lists[kind].rows[i] : NULL;
}

void folder_json(struct text *out, const struct folder *f)
{
    char created[WHEN_BYTES];

    when_iso(f->created_ms, created);
    text_addf(out, "{\"id\":\"%s\"", f->id_text);
    json_object_object_foreach(f->fields, key, value)
    {
        if (strcmp(key, "id") == 0 || strcmp(key, "parent_id") == 0)
            continue;
        text_puts(out, ",");
        text_json(out, key);
        text_addf(out, ":%s", json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    }
    text_puts(out, ",\"parent_id\":");
    text_json(out, f->parent_id);
    text_addf(out, ",\"created_date\":\"%s\"}", created);
}

static void list_json(struct text *out, const struct list *l)
{
    text_puts(out, "[");
    for (size_t i = 0; i < l->n; i++) {
        text_puts(out, i == 0 ? "" : ",");
        folder_json(out, l->rows[i]);
    }
    text_puts(out, "]");
}

void folder_state_json(struct text *out)
{
    text_puts(out, "\"categories\":");
    list_json(out, &lists[FOLDER_CATEGORY]);
    text_puts(out, ",\"collections\":");
    list_json(out, &lists[FOLDER_COLLECTION]);
}

void folder_teardown(void)
{
    HASH_CLEAR(hh_id, by_id);
    HASH_CLEAR(hh_place, by_place);
    for (int kind = 0; kind < FOLDER_KIND_COUNT; kind++) {
        for (size_t i = 0; i < lists[kind].n; i++) {
            struct folder *f = lists[kind].rows[i];
            json_object_put(f->fields);
            free(f->place);
            free(f->parent_id);
            free(f);
        }
        free(lists[kind].rows);
        lists[kind] = (struct list){0};
    }
}
/* NOLINTEND(readability-function-size) */
