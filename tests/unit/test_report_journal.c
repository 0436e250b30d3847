/* rows.c, summary.c, plan.c and status.c over a real journal: what each of them makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/report.h"

/* A tree with a name owned twice and a third time, an unusable name, and a journal of it. */
struct bench {
    char dir[64];
    char root[96];
    char file[96];
    struct journal *journal;
    int64_t root_id;
    char text[65536];
};

static void write_file(const struct bench *bench, const char *name, const char *bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", bench->root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(bytes, file);
    fclose(file);
}

static void make_folder(const struct bench *bench, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", bench->root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static struct journal_found found_of(const struct bench *bench, const char *path, const char *name,
                                     int64_t size_bytes)
{
    return (struct journal_found){
        .root_id = bench->root_id,
        .path = path,
        .name = name,
        .stamp = {.dev = 1, .ino = 1, .size_bytes = size_bytes, .mtime_ns = 1, .ctime_ns = 1},
    };
}

static void walk(struct bench *bench)
{
    struct err err = ERR_INIT;
    int64_t wave;
    assert_int_equal(journal_root_id(bench->journal, bench->root, &bench->root_id, &err), 0);
    assert_int_equal(journal_walk_begin(bench->journal, &wave, &err), 0);
    struct journal_found rows[] = {
        found_of(bench, "a/one.jpg", "one.jpg", 5),
        found_of(bench, "b/one.jpg", "one.jpg", 5),
        found_of(bench, "c/one.jpg", "one.jpg", 6),
        found_of(bench, "caf\xe9,\"x\".jpg", NULL, 5),
        found_of(bench, "=two.png", "=two.png", 70000),
    };
    rows[3].failure = ERR_NAME_INVALID;
    rows[3].failure_text = "the name is no UTF-8";
    size_t count = sizeof rows / sizeof *rows;
    assert_int_equal(journal_add_found(bench->journal, rows, count, &err), 0);
    assert_int_equal(journal_add_excluded(bench->journal, "junk", 3, 999, &err), 0);
    assert_int_equal(journal_add_issue(bench->journal, "/src/locked", ERR_SOURCE_UNREADABLE,
                                       "cannot open: Permission denied", &err),
                     0);
    assert_int_equal(journal_walk_finish(bench->journal, &err), 0);
}

static void wake(void *user)
{
    (void)user;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    strcpy(bench->dir, "/tmp/test-report-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
    snprintf(bench->root, sizeof bench->root, "%s/src", bench->dir);
    snprintf(bench->file, sizeof bench->file, "%s/it's.journal", bench->dir);
    assert_int_equal(mkdir(bench->root, 0700), 0);
    make_folder(bench, "a");
    make_folder(bench, "b");
    make_folder(bench, "c");
    write_file(bench, "a/one.jpg", "hello");
    write_file(bench, "b/one.jpg", "hello");
    write_file(bench, "c/one.jpg", "hello1");
    struct err err = ERR_INIT;
    assert_int_equal(journal_open(bench->file, JOURNAL_CREATE, wake, NULL, &bench->journal, &err),
                     0);
    walk(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[256];
    journal_close(bench->journal);
    snprintf(command, sizeof command, "rm -rf '%s'", bench->dir);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

/* Confirms the first asset, as a run would. */
static void confirm_first(struct bench *bench)
{
    struct err err = ERR_INIT;
    struct journal_batch *batch = journal_batch_new();
    struct journal_fact fact = {
        .asset_id = 1,
        .fields = FACT_STATE | FACT_FILE,
        .state = ASSET_CONFIRMED,
        .file_id = "id-1",
        .version = "2",
        .has_md5 = 1,
        .etag = "\"e\"",
        .done_ms = clock_wall_ms(),
    };
    assert_non_null(batch);
    assert_int_equal(journal_batch_fact(batch, &fact), 0);
    journal_submit(bench->journal, batch);
    struct journal_batch *done = NULL;
    for (int i = 0; i < 2000 && !done; i++) {
        done = journal_next_done(bench->journal, &err);
        if (!done)
            usleep(1000);
    }
    assert_ptr_equal(done, batch);
    journal_batch_free(done);
}

static const char *contents(struct bench *bench, FILE *file)
{
    rewind(file);
    size_t len = fread(bench->text, 1, sizeof bench->text - 1, file);
    bench->text[len] = '\0';
    fclose(file);
    return bench->text;
}

static int lines_of(const char *text)
{
    int lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

static struct json_object *last_object(const char *text)
{
    size_t len = strlen(text);
    assert_true(len > 1 && text[len - 1] == '\n');
    const char *at = text + len - 1;
    while (at > text && at[-1] != '\n')
        at--;
    struct json_object *object = json_tokener_parse(at);
    assert_non_null(object);
    return object;
}

static int64_t int_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    assert_true(json_object_object_get_ex(object, key, &value));
    return json_object_get_int64(value);
}

static const struct rows_options csv_rows = {.format = ROWS_CSV,
                                             .cdn_url = "https://c.example/{file_id}/{path}"};
static const struct rows_options ndjson_rows = {.format = ROWS_NDJSON};

static void every_file_issue_and_exclusion_is_a_csv_row(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    FILE *out = tmpfile();
    confirm_first(bench);
    assert_int_equal(rows_print(bench->journal, &csv_rows, out, &err), 0);
    const char *text = contents(bench, out);
    assert_int_equal(lines_of(text), 1 + 5 + 1 + 1);
    assert_int_equal(strncmp(text,
                             "Source,Destination,Start,End,Md5,UploadId,Source Size,"
                             "Bytes Transferred,Result,Description,",
                             75),
                     0);
    assert_non_null(strstr(text, ",5,5,OK,"));
    assert_non_null(strstr(text, ",id-1,2,https://c.example/id-1/a/one.jpg,,md5:"));
    assert_non_null(strstr(text, ",confirmed,"));
    assert_non_null(strstr(text, ",\"\"\"e\"\"\","));
    assert_non_null(strstr(text, "/src/caf%E9,\"\"x\"\".jpg\","));
    assert_non_null(strstr(text, ",percent,\n"));
    assert_non_null(strstr(text, ",%3Dtwo.png,"));
    assert_non_null(strstr(text, ",pending,"));
    assert_non_null(strstr(text, "name_collision"));
    assert_non_null(strstr(text, "\"excluded: junk, 3 files\""));
    assert_non_null(strstr(text, "/src/locked,"));
}

static void every_ndjson_row_is_an_object(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    FILE *out = tmpfile();
    assert_int_equal(rows_print(bench->journal, &ndjson_rows, out, &err), 0);
    const char *text = contents(bench, out);
    assert_int_equal(lines_of(text), 5 + 1 + 1);
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        struct json_tokener *tokener = json_tokener_new();
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        struct json_object *object = json_tokener_parse_ex(tokener, text, (int)(end - text));
        assert_non_null(object);
        json_object_put(object);
        json_tokener_free(tokener);
    }
}

static void an_interrupted_run_balances_with_its_queue(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    struct summary *summary = NULL;
    const char *why = NULL;
    confirm_first(bench);
    assert_int_equal(summary_new(bench->journal, 0, &summary, &err), 0);
    assert_true(summary_balanced(summary, &why));
    assert_string_equal(why, "");
    struct summary_options options = {.exit_code = 130, .journal = bench->file};
    FILE *out = tmpfile();
    assert_int_equal(summary_print(summary, &options, out, &err), 0);
    const char *text = contents(bench, out);
    assert_non_null(strstr(text, "still queued                1"));
    assert_non_null(strstr(text, "name_collision: 2 - "));
    assert_non_null(strstr(text, "b/one.jpg"));
    assert_non_null(strstr(text, "pxload retry '"));
    options.json = 1;
    out = tmpfile();
    assert_int_equal(summary_print(summary, &options, out, &err), 0);
    struct json_object *object = last_object(contents(bench, out));
    assert_int_equal(int_of(object, "planned"), 8);
    assert_int_equal(int_of(object, "confirmed"), 1);
    assert_int_equal(int_of(object, "failed"), 3);
    assert_int_equal(int_of(object, "excluded"), 3);
    assert_int_equal(int_of(object, "queued"), 1);
    assert_int_equal(int_of(object, "version"), 1);
    json_object_put(object);
    summary_free(summary);
}

static void a_run_that_claims_to_be_complete_must_be(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    struct summary *summary = NULL;
    const char *why = NULL;
    assert_int_equal(summary_new(bench->journal, 1, &summary, &err), 0);
    assert_false(summary_balanced(summary, &why));
    assert_non_null(strstr(why, "queued"));
    summary_free(summary);
}

static void a_plan_tells_duplicates_from_other_files_of_one_name(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    struct plan_options options = {.api_rate = 950, .transfers = 16, .json = 1};
    FILE *out = tmpfile();
    assert_int_equal(plan_print(bench->journal, &options, out, &err), 0);
    const char *text = contents(bench, out);
    assert_int_equal(lines_of(text), 3);
    assert_non_null(strstr(text, "\"content\":\"duplicate\""));
    assert_non_null(strstr(text, "\"content\":\"different\""));
    assert_non_null(strstr(text, "a/one.jpg\",\"owner_size\":5"));
    struct json_object *object = last_object(text);
    assert_int_equal(int_of(object, "totalTransfers"), 2);
    assert_int_equal(int_of(object, "totalBytes"), 70005);
    assert_int_equal(int_of(object, "collisions"), 2);
    assert_int_equal(int_of(object, "duplicates"), 1);
    assert_int_equal(int_of(object, "unusable_names"), 1);
    assert_int_equal(int_of(object, "issues"), 1);
    assert_int_equal(int_of(object, "requests"), 5);
    json_object_put(object);
}

static void a_plan_reads_well(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    struct plan_options options = {.api_rate = 950, .transfers = 16, .compare_bytes = -1};
    FILE *out = tmpfile();
    assert_int_equal(plan_print(bench->journal, &options, out, &err), 0);
    const char *text = contents(bench, out);
    assert_non_null(strstr(text, "its name belongs to "));
    assert_non_null(strstr(text, "(not compared)"));
    assert_non_null(strstr(text, "(different bytes)"));
    assert_non_null(strstr(text, "image/png"));
    assert_non_null(strstr(text, "at 1 Gbit/s"));
}

static void status_counts_states_and_classes(void **state)
{
    struct bench *bench = *state;
    struct err err = ERR_INIT;
    struct status_options options = {.running = 1, .json = 1, .now_wall_ms = clock_wall_ms()};
    FILE *out = tmpfile();
    assert_int_equal(status_print(bench->journal, &options, out, &err), 0);
    struct json_object *object = last_object(contents(bench, out));
    assert_int_equal(int_of(object, "discovered"), 2);
    assert_int_equal(int_of(object, "failed"), 3);
    assert_int_equal(int_of(object, "planned"), 8);
    assert_int_equal(int_of(object, "running"), 1);
    json_object_put(object);
    options.json = 0;
    options.running = 0;
    out = tmpfile();
    assert_int_equal(status_print(bench->journal, &options, out, &err), 0);
    const char *text = contents(bench, out);
    assert_non_null(strstr(text, "no run works on it now"));
    assert_non_null(strstr(text, "pxload resume '"));
}

/* One file is left when four ended in a run of `ran_ms`. */
static int64_t eta_of_the_last_file(struct bench *bench, int64_t ran_ms, int rate)
{
    struct err err = ERR_INIT;
    struct status_options options = {.running = 1, .json = 1, .now_wall_ms = clock_wall_ms()};
    struct journal_batch *batch = journal_batch_new();
    struct journal_moment moment = {
        .from_ms = options.now_wall_ms - ran_ms,
        .to_ms = options.now_wall_ms,
        .sums = {[HISTORY_RUN_MS] = ran_ms, [HISTORY_RATE_MS] = ran_ms * rate},
    };
    for (int64_t id = 2; id <= 5; id++) {
        struct journal_fact fact = {.asset_id = id,
                                    .fields = FACT_STATE,
                                    .state = id == 5 ? ASSET_SKIPPED : ASSET_FAILED,
                                    .done_ms = options.now_wall_ms};
        assert_int_equal(journal_batch_fact(batch, &fact), 0);
    }
    journal_batch_moment(batch, &moment);
    journal_submit(bench->journal, batch);
    assert_int_equal(journal_flush(bench->journal, &err), 0);
    FILE *out = tmpfile();
    assert_int_equal(status_print(bench->journal, &options, out, &err), 0);
    struct json_object *object = last_object(contents(bench, out));
    assert_int_equal(int_of(object, "discovered"), 1);
    assert_int_equal(int_of(object, "files_last_minute"), 4);
    int64_t eta = int_of(object, "eta");
    json_object_put(object);
    return eta;
}

/* A request may start once a minute. */
static void status_knows_the_request_budget_of_the_run(void **state)
{
    assert_int_equal(eta_of_the_last_file(*state, 1000, 1), 60);
}

static void a_run_that_began_just_now_has_its_pace_of_so_long(void **state)
{
    assert_int_equal(eta_of_the_last_file(*state, 32000, 0), 8);
}

static void a_full_disk_is_reported(void **state)
{
    struct bench *bench = *state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    struct err err = ERR_INIT;
    assert_int_equal(rows_print(bench->journal, &csv_rows, full, &err), -ERR_IO);
    assert_int_equal(err.code, ERR_IO);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_file_issue_and_exclusion_is_a_csv_row, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_ndjson_row_is_an_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_run_balances_with_its_queue, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_claims_to_be_complete_must_be, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_plan_tells_duplicates_from_other_files_of_one_name,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_reads_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(status_counts_states_and_classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_began_just_now_has_its_pace_of_so_long, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(status_knows_the_request_budget_of_the_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_reported, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
