/*
 * profile.c - wire profiles: what differs between tenants, as one table. Called when the
 * configuration is read, on the main thread; no state. To add a difference, add a field to
 * struct wire_profile and a row here; the config file, the help and `pxload env` follow.
 */
#include <stdio.h>
#include <string.h>

#include "wire/template.h"
#include "wire/wire.h"

enum field_kind {
    FIELD_PATH,      /* no placeholder */
    FIELD_PATH_ID,   /* holds {id} */
    FIELD_PATH_NAME, /* holds {file_name} */
    FIELD_DATE,
    FIELD_ETAG,
    FIELD_TEMPLATE,
};

#define OVERWRITE "{\"conflict_action\":\"overwrite\",\"conflict_file_id\":\"" TEMPLATE_ID "\"}"
#define VERSION   "{\"conflict_action\":\"version\",\"conflict_file_id\":\"" TEMPLATE_ID "\"}"

/* clang-format off */
#define AT(member) #member, offsetof(struct wire_profile, member), \
                   sizeof(((struct wire_profile *)0)->member)
static const struct field {
    const char *name;
    size_t offset;
    size_t size;
    enum field_kind kind;
    const char *defaults[2]; /* in the order of profile_names */
} fields[] = {
    {AT(authorize_path),     FIELD_PATH,      {"/v2/oauth/authorize", "/v2.1/oauth/authorize"}},
    {AT(request_path),       FIELD_PATH,      {"/v3/file/request-upload", "/v2.1/file/request-upload"}},
    {AT(confirm_path),       FIELD_PATH,      {"/v3/file/confirm-upload", "/v2.1/file/confirm-upload"}},
    {AT(search_path),        FIELD_PATH_NAME, {"/v2.1/file/search/{file_name}", "/v2.1/file/search/{file_name}"}},
    {AT(list_path),          FIELD_PATH,      {"/v2.1/file", "/v2.1/file"}},
    {AT(file_path),          FIELD_PATH_ID,   {"/v2.1/file/{id}", "/v2.1/file/{id}"}},
    {AT(region_path),        FIELD_PATH,      {"/v2.1/region", "/v2.1/region"}},
    {AT(attribute_path),     FIELD_PATH,      {"/v2.1/attribute", "/v2.1/attribute"}},
    {AT(collection_path),    FIELD_PATH,      {"/v2.1/collection", "/v2.1/collection"}},
    {AT(category_path),      FIELD_PATH,      {"/v2.1/category", "/v2.1/category"}},
    {AT(category_one_path),  FIELD_PATH_ID,   {"/v2.1/category/{id}", "/v2.1/category/{id}"}},
    {AT(date),               FIELD_DATE,      {"day", "second"}},
    {AT(etag_quotes),        FIELD_ETAG,      {"keep", "keep"}},
    {AT(conflict_overwrite), FIELD_TEMPLATE,  {OVERWRITE, OVERWRITE}},
    {AT(conflict_version),   FIELD_TEMPLATE,  {VERSION, VERSION}},
};
/* clang-format on */
static const char *const profile_names[] = {"v3", "v2.1"};
#define FIELD_COUNT (sizeof fields / sizeof *fields)
_Static_assert(sizeof profile_names / sizeof *profile_names ==
                   sizeof fields[0].defaults / sizeof *fields[0].defaults,
               "one default a profile");

static int check_path(const struct field *field, const char *value, struct err *err)
{
    if (value[0] != '/' || value[1] == '/')
        return err_set(err, ERR_CONFIG, "%s must begin with one '/'", field->name);
    for (const char *p = value; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f || *p == '\\' || *p == '#')
            return err_set(err, ERR_CONFIG, "%s holds a character that no path has", field->name);
    const char *wanted = field->kind == FIELD_PATH_ID     ? "{id}"
                         : field->kind == FIELD_PATH_NAME ? "{file_name}"
                                                          : "";
    const char *brace = strchr(value, '{');
    if (!*wanted && brace)
        return err_set(err, ERR_CONFIG, "%s takes no placeholder", field->name);
    if (*wanted && (!brace || strncmp(brace, wanted, strlen(wanted)) != 0))
        return err_set(err, ERR_CONFIG, "%s must hold %s", field->name, wanted);
    if (*wanted && strchr(brace + 1, '{'))
        return err_set(err, ERR_CONFIG, "%s takes one placeholder", field->name);
    return 0;
}

/* A word of a setting that has two. 0 or -ERR_CONFIG. */
static int read_choice(const struct field *field, const char *value, const char *const words[2],
                       int *out_idx, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        if (strcmp(value, words[i]) != 0)
            continue;
        *out_idx = i;
        return 0;
    }
    return err_set(err, ERR_CONFIG, "%s must be %s or %s", field->name, words[0], words[1]);
}

static int set_path(const struct field *field, const char *value, char *out, struct err *err)
{
    size_t len = strlen(value);
    if (len >= field->size)
        return err_set(err, ERR_CONFIG, "%s is longer than %zu bytes", field->name,
                       field->size - 1);
    int rc = check_path(field, value, err);
    if (!rc)
        memcpy(out, value, len + 1);
    return rc;
}

static int set_field(const struct field *field, const char *value, struct wire_profile *profile,
                     struct err *err)
{
    static const char *const dates[] = {"day", "second"};
    static const char *const etags[] = {"keep", "strip"};
    char *text = (char *)profile + field->offset; /* of the fields that are strings */
    int idx = 0;
    int rc = 0;
    switch (field->kind) {
    case FIELD_DATE:
        rc = read_choice(field, value, dates, &idx, err);
        if (!rc)
            profile->date = idx ? WIRE_DATE_SECOND : WIRE_DATE_DAY;
        return rc;
    case FIELD_ETAG:
        rc = read_choice(field, value, etags, &idx, err);
        if (!rc)
            profile->etag_quotes = idx ? WIRE_ETAG_STRIP : WIRE_ETAG_KEEP;
        return rc;
    case FIELD_TEMPLATE:
        return template_read(value, text, field->size, err);
    case FIELD_PATH:
    case FIELD_PATH_ID:
    case FIELD_PATH_NAME:
        break;
    }
    return set_path(field, value, text, err);
}

int wire_profile_init(struct wire_profile *profile, const char *name, struct err *err)
{
    size_t which = 0;
    size_t count = sizeof profile_names / sizeof *profile_names;
    while (which < count && strcmp(name, profile_names[which]) != 0)
        which++;
    *profile = (struct wire_profile){0};
    if (which == count)
        return err_set(err, ERR_USAGE, "no wire profile of that name; there are v3 and v2.1");
    snprintf(profile->name, sizeof profile->name, "%s", name);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        BUG_ON(set_field(&fields[i], fields[i].defaults[which], profile, NULL));
    return 0;
}

int wire_profile_set(struct wire_profile *profile, const char *field, const char *value,
                     struct err *err)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!strcmp(field, fields[i].name))
            return set_field(&fields[i], value, profile, err);
    return err_set(err, ERR_NOT_FOUND, "a wire profile has no field of that name");
}

const char *wire_profile_field(size_t n)
{
    return n < FIELD_COUNT ? fields[n].name : NULL;
}
