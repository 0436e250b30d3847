/* verdict.c - see verdict.h. */
#include "pipeline/verdict.h"

#include <string.h>

#define DAY_MS (24ll * 60 * 60 * 1000)

static int bears_name(const struct wire_file *file, const struct verdict_about *about)
{
    return !file->name || !strcmp(file->name, about->name);
}

/* Its time is no reason to think that it was there before the confirm. */
static int is_since(int64_t file_ms, int64_t since_ms, const struct verdict_about *about)
{
    if (file_ms >= 0 && file_ms % DAY_MS == 0) /* a date without a time: its whole day */
        file_ms += DAY_MS;
    return file_ms < 0 || file_ms >= since_ms - about->slack_ms;
}

static int is_recent(int64_t file_ms, const struct verdict_about *about)
{
    return is_since(file_ms, about->intent_ms, about);
}

static int is_patient(const struct verdict_about *about)
{
    return about->now_ms - about->confirm_ms < about->patience_ms;
}

static enum verdict resolve_new(const struct verdict_about *about, const struct wire_files *files,
                                const char **out_id)
{
    int others = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct wire_file *file = &files->items[i];
        if (!bears_name(file, about))
            continue;
        if (file->size_bytes == about->size_bytes && is_recent(file->created_ms, about)) {
            *out_id = file->id;
            return VERDICT_APPLIED;
        }
        others++;
    }
    /* request-upload saw no such file: this one came after it, from somebody else. */
    if (others)
        return VERDICT_SUPERSEDED;
    return is_patient(about) ? VERDICT_NOT_YET : VERDICT_ABSENT;
}

/*
 * An earlier run's intent: the time of the content before may be near it, by clocks that were set
 * since, or be a later one by anybody's hand. Where that had the same size, nothing tells them
 * apart: the sure way is to begin anew. An overwrite gives the same file then, and of versions
 * that nobody asked for there is one more.
 */
static int must_begin_anew(const struct verdict_about *about)
{
    int is_alike = about->former_bytes < 0 || about->former_bytes == about->size_bytes;
    return about->is_resumed && (!about->is_version || (about->is_uncounted && is_alike));
}

/* The file that was to be replaced has the new content. */
static int is_replaced(const struct wire_file *file, const struct verdict_about *about)
{
    if (file->size_bytes != about->size_bytes)
        return 0;
    int is_other_size = about->former_bytes >= 0 && about->former_bytes != about->size_bytes;
    return (about->is_resumed && is_other_size) ||
           (file->updated_ms >= 0 && is_since(file->updated_ms, about->sure_ms, about));
}

static enum verdict resolve_conflict(const struct verdict_about *about,
                                     const struct wire_files *files, const char **out_id)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct wire_file *file = &files->items[i];
        if (strcmp(file->id, about->conflict_id) != 0)
            continue;
        if (must_begin_anew(about))
            return VERDICT_SUPERSEDED;
        if (is_replaced(file, about)) {
            *out_id = file->id;
            return VERDICT_APPLIED;
        }
        if (is_patient(about))
            return VERDICT_NOT_YET;
        /* A second version would be a visible one: only what is surely old is repeated. */
        int surely_old =
            file->size_bytes != about->size_bytes || !is_recent(file->updated_ms, about);
        return surely_old || !about->is_version ? VERDICT_ABSENT : VERDICT_UNKNOWN;
    }
    return is_patient(about) ? VERDICT_NOT_YET : VERDICT_SUPERSEDED;
}

enum verdict verdict_resolve(const struct verdict_about *about, const struct wire_files *files,
                             const char **out_id)
{
    *out_id = NULL;
    return about->conflict_id ? resolve_conflict(about, files, out_id)
                              : resolve_new(about, files, out_id);
}

enum verdict verdict_canary(const struct verdict_about *about, const struct wire_files *files)
{
    int is_there = 0;
    int has_new_size = 0;
    int has_time = 0;
    int proven = 0;
    int doubles = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct wire_file *file = &files->items[i];
        if (!bears_name(file, about))
            continue;
        if (!strcmp(file->id, about->conflict_id)) {
            is_there = 1;
            has_new_size = file->size_bytes == about->size_bytes;
            has_time = file->updated_ms >= 0;
            /* An old record of the same size would prove nothing. */
            proven = has_new_size && has_time && is_recent(file->updated_ms, about);
        } else if (is_recent(file->created_ms, about)) {
            doubles++;
        }
    }
    if (doubles)
        return VERDICT_UNKNOWN;
    if (proven)
        return VERDICT_APPLIED;
    /* Without a time the size is all there is, once a lagging index has had its chance. */
    if (is_there && has_new_size && !has_time && !is_patient(about))
        return VERDICT_APPLIED;
    return is_patient(about) ? VERDICT_NOT_YET : VERDICT_UNKNOWN;
}

const char *verdict_identify(const struct verdict_about *about, const struct wire_files *files)
{
    const char *id = NULL;
    for (size_t i = 0; i < files->count; i++) {
        const struct wire_file *file = &files->items[i];
        if (!bears_name(file, about) || file->size_bytes != about->size_bytes)
            continue;
        if (id)
            return NULL;
        id = file->id;
    }
    return id;
}
