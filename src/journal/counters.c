/* counters.c - see counters.h. */
#include "journal/counters.h"

#include <string.h>

static const char *const number_names[] = {
    [COUNTERS_CLEAN] = "clean",
    [COUNTERS_WAVE] = "wave",
    [COUNTERS_WALK_COMPLETE] = "walk_complete",
    [COUNTERS_FINISHED_WAVE] = "finished_wave",
    [COUNTERS_UNSEEN] = "unseen",
    [COUNTERS_ISSUES] = "issues",
    [COUNTERS_HISTORY_MS] = "history_ms",
    [COUNTERS_UNLINKED] = "unlinked",
    [COUNTERS_TO_LINK] = "to_link",
    [COUNTERS_CATEGORIES] = "categories",
    [COUNTERS_COLLECTIONS] = "collections",
    [COUNTERS_MANIFEST_ROWS] = "manifest_rows",
    [COUNTERS_MANIFEST_UNUSED] = "manifest_unused",
    [COUNTERS_MANIFEST_FILES] = "manifest_files",
};
_Static_assert(sizeof number_names / sizeof *number_names == COUNTERS_NUMBER_COUNT,
               "one name a number");

static int load_numbers(struct counters *counters, struct sql *sql, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(sql, SQL_CONTROL_EACH);
    int rc;
    while ((rc = sql_next(sql, stmt, err)) > 0) {
        const char *key = (const char *)sqlite3_column_text(stmt, 0);
        for (int i = 0; i < COUNTERS_NUMBER_COUNT; i++)
            if (key && strcmp(key, number_names[i]) == 0)
                counters->numbers[i] = sqlite3_column_int64(stmt, 1);
    }
    return rc;
}

static int load_classes(struct counters *counters, struct sql *sql, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(sql, SQL_CLASS_EACH);
    int rc;
    while ((rc = sql_next(sql, stmt, err)) > 0) {
        const char *name = (const char *)sqlite3_column_text(stmt, 1);
        enum err_code code = name ? err_by_name(name) : ERR_NONE;
        if (code)
            counters->class_ids[code] = sqlite3_column_int64(stmt, 0);
    }
    return rc;
}

static int load_cells(struct counters *counters, struct sql *sql, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(sql, SQL_TALLY_EACH);
    int rc;
    while ((rc = sql_next(sql, stmt, err)) > 0) {
        int64_t state = sqlite3_column_int64(stmt, 0);
        enum err_code code = counters_code_of(counters, sqlite3_column_int64(stmt, 1));
        if (state < 0 || state >= ASSET_STATE_COUNT)
            continue;
        counters->cells[state][code].files += sqlite3_column_int64(stmt, 2);
        counters->cells[state][code].bytes += sqlite3_column_int64(stmt, 3);
    }
    return rc;
}

int counters_load(struct counters *counters, struct sql *sql, struct err *err)
{
    *counters = (struct counters){0};
    int rc = load_numbers(counters, sql, err);
    if (!rc)
        rc = load_classes(counters, sql, err);
    if (!rc)
        rc = load_cells(counters, sql, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(sql, SQL_EXCLUDED_SUM);
    rc = sql_next(sql, stmt, err);
    if (rc < 0)
        return rc;
    counters->excluded_files = sqlite3_column_int64(stmt, 0);
    counters->excluded_bytes = sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    return 0;
}

int counters_add_classes(struct counters *counters, struct sql *sql, struct err *err)
{
    for (int code = 1; code < ERR_COUNT; code++) {
        if (counters->class_ids[code])
            continue;
        sqlite3_stmt *stmt = sql_get(sql, SQL_CLASS_ADD);
        sql_bind_text(stmt, 1, err_name((enum err_code)code));
        int rc = sql_run(sql, stmt, err);
        if (rc)
            return rc;
        counters->class_ids[code] = sqlite3_last_insert_rowid(sql->db);
    }
    return 0;
}

static int save_cells(struct counters *counters, struct sql *sql, struct err *err)
{
    for (int state = 0; state < ASSET_STATE_COUNT; state++) {
        for (int code = 0; code < ERR_COUNT; code++) {
            struct counters_cell *cell = &counters->cells[state][code];
            if (!cell->dirty)
                continue;
            sqlite3_stmt *stmt = sql_get(sql, SQL_TALLY_SET);
            sqlite3_bind_int(stmt, 1, state);
            sqlite3_bind_int64(stmt, 2, counters->class_ids[code]);
            sqlite3_bind_int64(stmt, 3, cell->files);
            sqlite3_bind_int64(stmt, 4, cell->bytes);
            int rc = sql_run(sql, stmt, err);
            if (rc)
                return rc;
            cell->dirty = 0;
        }
    }
    counters->dirty = 0;
    return 0;
}

int counters_save(struct counters *counters, struct sql *sql, struct err *err)
{
    for (int i = 0; i < COUNTERS_NUMBER_COUNT; i++) {
        if (!counters->number_dirty[i])
            continue;
        sqlite3_stmt *stmt = sql_get(sql, SQL_CONTROL_SET);
        sql_bind_text(stmt, 1, number_names[i]);
        sqlite3_bind_int64(stmt, 2, counters->numbers[i]);
        int rc = sql_run(sql, stmt, err);
        if (rc)
            return rc;
        counters->number_dirty[i] = 0;
    }
    return counters->dirty ? save_cells(counters, sql, err) : 0;
}

void counters_set(struct counters *counters, enum counters_number number, int64_t value)
{
    counters->number_dirty[number] |= counters->numbers[number] != value;
    counters->numbers[number] = value;
}

void counters_add(struct counters *counters, enum counters_number number, int64_t change)
{
    counters_set(counters, number, counters->numbers[number] + change);
}

void counters_count(struct counters *counters, enum asset_state state, enum err_code code,
                    int64_t files, int64_t bytes)
{
    struct counters_cell *cell = &counters->cells[state][state == ASSET_FAILED ? code : ERR_NONE];
    cell->files += files;
    cell->bytes += bytes;
    cell->dirty = 1;
    counters->dirty = 1;
}

int counters_begin_wave(struct counters *counters, struct sql *sql, struct err *err)
{
    int64_t known = counters->numbers[COUNTERS_UNSEEN];
    for (int state = 0; state < ASSET_STATE_COUNT; state++)
        for (int code = 0; code < ERR_COUNT; code++)
            known += counters->cells[state][code].files;
    memset(counters->cells, 0, sizeof counters->cells);
    counters->dirty = 0;
    counters->excluded_files = 0;
    counters->excluded_bytes = 0;
    counters_set(counters, COUNTERS_UNSEEN, known);
    counters_set(counters, COUNTERS_ISSUES, 0);
    counters_set(counters, COUNTERS_UNLINKED, 0);
    counters_set(counters, COUNTERS_TO_LINK, 0);
    counters_set(counters, COUNTERS_CATEGORIES, 0);
    counters_set(counters, COUNTERS_COLLECTIONS, 0);
    counters_set(counters, COUNTERS_MANIFEST_FILES, 0);
    counters_set(counters, COUNTERS_MANIFEST_UNUSED, 0);
    counters_set(counters, COUNTERS_WALK_COMPLETE, 0);
    counters_set(counters, COUNTERS_WAVE, counters->numbers[COUNTERS_WAVE] + 1);
    int rc = sql_do(sql, SQL_TALLY_CLEAR, err);
    if (!rc)
        rc = sql_do(sql, SQL_EXCLUDED_CLEAR, err);
    return rc ? rc : sql_do(sql, SQL_ISSUE_CLEAR, err);
}

int64_t counters_class_of(const struct counters *counters, enum err_code code)
{
    BUG_ON(code >= ERR_COUNT);
    return counters->class_ids[code];
}

enum err_code counters_code_of(const struct counters *counters, int64_t class_id)
{
    if (!class_id)
        return ERR_NONE;
    for (int code = 1; code < ERR_COUNT; code++)
        if (counters->class_ids[code] == class_id)
            return (enum err_code)code;
    return ERR_INTERNAL;
}

void counters_fill_books(const struct counters *counters, struct journal_books *out)
{
    *out = (struct journal_books){
        .excluded_files = counters->excluded_files,
        .excluded_bytes = counters->excluded_bytes,
        .issues = counters->numbers[COUNTERS_ISSUES],
        .unlinked_files = counters->numbers[COUNTERS_UNLINKED],
        .to_link_files = counters->numbers[COUNTERS_TO_LINK],
        .categories = counters->numbers[COUNTERS_CATEGORIES],
        .collections = counters->numbers[COUNTERS_COLLECTIONS],
        .manifest_rows = counters->numbers[COUNTERS_MANIFEST_ROWS],
        .manifest_unused = counters->numbers[COUNTERS_MANIFEST_UNUSED],
        .manifest_files = counters->numbers[COUNTERS_MANIFEST_FILES],
        .walk_complete = counters->numbers[COUNTERS_WALK_COMPLETE] != 0,
        .wave = counters->numbers[COUNTERS_WAVE],
    };
    /* Before the walk is complete, what it has not seen is not gone but yet to come. */
    if (out->walk_complete)
        out->gone_files = counters->numbers[COUNTERS_UNSEEN];
    for (int state = 0; state < ASSET_STATE_COUNT; state++) {
        for (int code = 0; code < ERR_COUNT; code++) {
            const struct counters_cell *cell = &counters->cells[state][code];
            out->files[state] += cell->files;
            out->bytes[state] += cell->bytes;
            if (state == ASSET_FAILED)
                out->failed_by_code[code] += cell->files;
        }
    }
}
