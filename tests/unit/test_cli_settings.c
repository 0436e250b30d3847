/* settings.h and options.def: one table, three ways to set each option, one precedence. */
#include "test_cli_fixture.h"

#include "cli/config.h"
#include "cli/help.h"

/* A value that is right for the option and is not the built-in one. */
static const char *sample(enum option_id option)
{
    const struct option_row *row = option_row(option);
    switch (row->kind) {
    case KIND_FLAG:
        return "true";
    case KIND_COUNT:
        return "2";
    case KIND_STRING:
        if (option == OPT_base_url)
            return "https://other.example";
        return row->choices ? row->choices[1].name : "default";
    case KIND_FILE:
        return "/some/file";
    case KIND_DATE:
        return "2026-01-31";
    case KIND_LIST:
        return "one";
    case KIND_INT:
        return "7";
    case KIND_SIZE:
    case KIND_RATE:
        return "5M";
    case KIND_DURATION:
    case KIND_AGE:
        return "42s";
    case KIND_ENUM:
        if (option == OPT_format)
            return "man";
        return row->choices[option == OPT_log_level || !row->choices[1].name ? 0 : 1].name;
    }
    return "";
}

static void assert_value(const struct settings *settings, enum option_id option, const char *want,
                         enum origin origin)
{
    struct buf text;
    buf_init(&text, 1000);
    assert_int_equal(settings_value_text(settings, option, &text), 0);
    assert_string_equal(buf_str(&text), want);
    assert_int_equal(settings->origins[option], origin);
    buf_release(&text);
}

static void every_row_is_complete_and_unique(void **state)
{
    (void)state;
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = option_row((enum option_id)i);
        assert_true(row->help && strlen(row->help) > 5);
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(row->name));
        assert_true(row->verbs != 0 && !(row->verbs & ~VERB_ALL));
        assert_int_equal(row->arg != NULL, option_takes_value(row));
        assert_int_equal(row->kind == KIND_ENUM, row->choices && row->kind != KIND_STRING);
        assert_int_equal(option_by_name(row->name, strlen(row->name)), i);
        for (int j = 0; j < i; j++)
            assert_true(!row->letter || row->letter != option_row((enum option_id)j)->letter);
    }
    const struct option_alias *alias;
    for (size_t i = 0; (alias = option_alias(i)); i++)
        assert_int_equal(option_by_name(alias->name, strlen(alias->name)), OPT_COUNT);
}

static void every_option_is_in_every_help(void **state)
{
    (void)state;
    static const enum output_format formats[] = {FORMAT_UNSET, FORMAT_MARKDOWN, FORMAT_MAN,
                                                 FORMAT_BASH,  FORMAT_ZSH,      FORMAT_FISH};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        help_format(out, formats[f]);
        fclose(out);
        for (int i = 0; i < OPT_COUNT; i++) {
            char name[64];
            const char *from = option_row((enum option_id)i)->name;
            size_t at = 0;
            for (; *from; from++) {
                if (*from == '-' && formats[f] == FORMAT_MAN)
                    name[at++] = '\\';
                name[at++] = *from;
            }
            name[at] = '\0';
            assert_non_null(strstr(text, name));
        }
        free(text);
    }
}

static void built_in_values_are_the_documented_ones(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    assert_string_equal(s.base_url, "https://entapi.amplifi.io");
    assert_string_equal(s.wire, "v3");
    assert_int_equal(s.transfers, 0);
    assert_int_equal(s.part_concurrency, 1);
    assert_int_equal(s.api_concurrency, 10);
    assert_int_equal(s.api_rate_per_min, 950);
    assert_int_equal(s.retries, 5);
    assert_int_equal(s.contimeout_ms, 20000);
    assert_int_equal(s.timeout_ms, 60000);
    assert_int_equal(s.stats_ms, 60000);
    assert_int_equal(s.on_conflict, CONFLICT_SKIP);
    assert_int_equal(s.name_policy, NAME_KEEP);
    assert_int_equal(s.map_folders, MAP_NONE);
    assert_int_equal(s.order_by, ORDER_MIXED);
    assert_int_equal(s.verify_etag, VERIFY_AUTO);
    assert_int_equal(s.etag_quotes, WIRE_ETAG_KEEP);
    assert_int_equal(s.min_size_bytes, -1);
    assert_int_equal(s.max_age_ms, -1);
    assert_int_equal(s.max_depth, -1);
    assert_int_equal(s.bwlimit_bytes_per_s, 0);
    assert_int_equal(s.log_level, LOG_NOTICE);
    assert_int_equal(s.publish, 0);
    assert_int_equal(s.includes.count, 0);
    settings_release(&s);
    settings_release(&s);
}

/* The three ways one after the other, each over the one before. */
static void every_option_can_be_set_in_all_ways(void **state)
{
    (void)state;
    for (int i = 0; i < OPT_COUNT; i++) {
        enum option_id option = (enum option_id)i;
        const struct option_row *row = option_row(option);
        const char *value = sample(option);
        char name[OPTION_ENV_MAX];
        char text[256];
        struct settings s;
        struct err err = ERR_INIT;

        assert_int_equal(settings_init(&s, &err), 0);
        snprintf(text, sizeof text, "[default]\n%s = %s\n", row->name, value);
        write_config(text, 0600);
        int rc = config_load(&s, &err);
        assert_int_equal(rc, row->not_in_config ? -ERR_CONFIG : 0);
        if (!rc)
            assert_value(&s, option, value, ORIGIN_PROFILE);
        settings_release(&s);
        unlink(home_path("pxload/config"));

        assert_int_equal(settings_init(&s, &err), 0);
        setenv(option_env_name(row, name), value, 1);
        assert_int_equal(settings_load_env(&s, &err), 0);
        assert_value(&s, option, value, ORIGIN_ENV);
        assert_int_equal(s.warnings.count, 0);
        settings_release(&s);
        unsetenv(name);

        snprintf(text, sizeof text, "--%s=%s", row->name, value);
        int verb = 0;
        while (!option_fits(option, (enum verb)verb))
            verb++;
        /* help loads no environment and stops before the checks of combinations. */
        rc = load(&s, &err, text, "--help", verb_row((enum verb)verb)->name, NULL);
        assert_int_equal(rc, 0);
        if (option != OPT_format)
            assert_value(&s, option, value, ORIGIN_FLAG);
        settings_release(&s);
    }
}

static void the_stronger_origin_wins(void **state)
{
    (void)state;
    /* Which of config, environment and flag are given, and what then holds. */
    static const struct {
        int in_config;
        int in_env;
        int as_flag;
        int transfers;
        enum origin origin;
    } rows[] = {
        {0, 0, 0, 0, ORIGIN_BUILTIN}, {1, 0, 0, 1, ORIGIN_PROFILE}, {0, 1, 0, 2, ORIGIN_ENV},
        {1, 1, 0, 2, ORIGIN_ENV},     {0, 0, 1, 3, ORIGIN_FLAG},    {1, 0, 1, 3, ORIGIN_FLAG},
        {0, 1, 1, 3, ORIGIN_FLAG},    {1, 1, 1, 3, ORIGIN_FLAG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings s;
        struct err err = ERR_INIT;
        write_config(rows[i].in_config ? "[default]\ntransfers = 1\nexclude = c\n" : "", 0600);
        unsetenv("PXLOAD_TRANSFERS");
        unsetenv("PXLOAD_EXCLUDE");
        if (rows[i].in_env) {
            setenv("PXLOAD_TRANSFERS", "2", 1);
            setenv("PXLOAD_EXCLUDE", "e", 1);
        }
        if (rows[i].as_flag)
            assert_int_equal(load(&s, &err, "env", "--transfers", "3", "--exclude=f", NULL), 0);
        else
            assert_int_equal(load(&s, &err, "env", NULL), 0);
        assert_int_equal(s.transfers, rows[i].transfers);
        assert_int_equal(s.origins[OPT_transfers], rows[i].origin);
        assert_int_equal(s.origins[OPT_excludes], rows[i].origin);
        assert_int_equal(s.excludes.count, rows[i].origin != ORIGIN_BUILTIN);
        settings_release(&s);
    }
}

static void a_weaker_value_is_checked_all_the_same(void **state)
{
    (void)state;
    setenv("PXLOAD_TRANSFERS", "many", 1);
    assert_refused(ERR_CONFIG, "PXLOAD_TRANSFERS: 'many' is no whole number", "env",
                   "--transfers=3");
}

static void lists_grow_and_come_as_csv_from_the_environment(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    setenv("PXLOAD_INCLUDE", "*.jpg,\"*.{tif,png}\",\"say \"\"x\"\"\"", 1);
    assert_int_equal(load(&s, &err, "plan", "--exclude", "a", "p", "--exclude=b", NULL), 0);
    assert_int_equal(s.excludes.count, 2);
    assert_string_equal(s.excludes.items[1], "b");
    assert_int_equal(s.includes.count, 3);
    assert_string_equal(s.includes.items[1], "*.{tif,png}");
    assert_string_equal(s.includes.items[2], "say \"x\"");
    assert_value(&s, OPT_includes, "*.jpg,\"*.{tif,png}\",\"say \"\"x\"\"\"", ORIGIN_ENV);
    settings_release(&s);
}

static void bad_values_are_refused_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *flag;
        const char *words;
    } rows[] = {
        {"--transfers=0", "--transfers: '0' is too small; at least 1 (or 'auto')"},
        {"--transfers=1025", "at most 1024 (or 'auto')"},
        {"--transfers=-1", "is no whole number"},
        {"--transfers=99999999999999999999", "is no whole number"},
        {"--transfers=off", "is no whole number"},
        {"--transfers=", "the value is empty"},
        {"--min-size=1X", "--min-size: '1X' is no size"},
        {"--bwlimit=fast", "is no size"},
        {"--timeout=1 h", "is no duration"},
        {"--timeout=0", "too small"},
        {"--min-age=2026-02-30", "is no duration"},
        {"--publish-start=31.1.2026", "is no date; write 2026-01-31"},
        {"--publish-start=2026-02-30", "is no date"},
        {"--on-conflict=skpi", "did you mean 'skip'?"},
        {"--on-conflict=zzzzzz", "is none of skip, overwrite, version, fail"},
        {"--wire=v4", "'v4' is none of v3, v2.1"},
        {"--publish=perhaps", "is neither true nor false"},
        {"--publish-start=2026-01-31", "has no effect without --publish"},
        {"--base-url=http://pxm.example", "--base-url (from: flag) cannot be used"},
        {"--base-url=https://pxm.example/?a=1", "--base-url"},
        {"--base-url=pxm.example", "--base-url"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings s;
        struct err err = ERR_INIT;
        int rc = load(&s, &err, "plan", rows[i].flag, "p", NULL);
        assert_true(rc == -ERR_USAGE || rc == -ERR_CONFIG);
        if (!strstr(err.text, rows[i].words))
            fail_msg("%s: '%s' does not say '%s'", rows[i].flag, err.text, rows[i].words);
        settings_release(&s);
    }
    assert_refused(ERR_USAGE, "--min-size is above --max-size", "plan", "p", "--min-size=2",
                   "--max-size=1");
}

static void words_and_units_become_numbers(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    assert_int_equal(load(&s, &err, "plan", "p", "--transfers=auto", "--min-size=1.5M",
                          "--max-size=off", "--bwlimit=10M", "--timeout=1h30m", "--max-age=2d",
                          "--min-age=2020-01-01", "--base-url=http://127.0.0.1:8080//", NULL),
                     -ERR_USAGE); /* taken back below: the ages contradict each other */
    settings_release(&s);
    assert_int_equal(load(&s, &err, "plan", "p", "--transfers=auto", "--min-size=1.5M",
                          "--max-size=off", "--bwlimit=10M", "--timeout=1h30m",
                          "--min-age=2020-01-01", "--base-url=http://127.0.0.1:8080//", NULL),
                     0);
    assert_int_equal(s.transfers, 0);
    assert_int_equal(s.min_size_bytes, 3 << 19);
    assert_int_equal(s.max_size_bytes, -1);
    assert_int_equal(s.bwlimit_bytes_per_s, 10 << 20);
    assert_int_equal(s.timeout_ms, 5400000);
    assert_true(s.min_age_ms > INT64_C(5) * 365 * 86400000);
    assert_string_equal(s.base_url, "http://127.0.0.1:8080");
    settings_release(&s);
}

static void verbosity_has_one_meaning(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    assert_int_equal(load(&s, &err, "env", "-v", NULL), 0);
    assert_int_equal(s.log_level, LOG_INFO);
    settings_release(&s);
    assert_int_equal(load(&s, &err, "env", "-vv", NULL), 0);
    assert_int_equal(s.log_level, LOG_DEBUG);
    settings_release(&s);
    setenv("PXLOAD_VERBOSE", "2", 1);
    setenv("PXLOAD_LOG_LEVEL", "info", 1);
    assert_int_equal(load(&s, &err, "env", "-q", NULL), 0);
    assert_int_equal(s.log_level, LOG_ERROR);
    settings_release(&s);
    assert_refused(ERR_USAGE, "say the same", "env");
    assert_refused(ERR_USAGE, "contradict", "env", "-v", "-q");
}

static void an_unknown_variable_is_a_warning(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    setenv("PXLOAD_TRANFERS", "3", 1);
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    assert_int_equal(s.warnings.count, 1);
    assert_non_null(strstr(s.warnings.items[0], "did you mean PXLOAD_TRANSFERS?"));
    settings_release(&s);
}

static int copy_value(const char *key, const char *value, void *user)
{
    struct err err = ERR_INIT;
    return settings_set_job_value(user, key, value, &err);
}

static void a_job_gets_its_own_settings_back(void **state)
{
    (void)state;
    struct settings begun;
    struct settings resumed;
    struct err err = ERR_INIT;
    assert_int_equal(load(&begun, &err, "upload", "p", "--on-conflict=version", "--exclude=a,b",
                          "--exclude=c", "--region=1", "--publish", "--transfers=3", NULL),
                     0);
    assert_int_equal(settings_add_override(&begun, "request_path", "/v9/x", &err), 0);
    setenv("PXLOAD_ON_CONFLICT", "overwrite", 1);
    assert_int_equal(load(&resumed, &err, "resume", "j", NULL), 0);
    assert_int_equal(settings_each_job_value(&begun, copy_value, &resumed), 0);
    assert_int_equal(settings_finish(&resumed, &err), 0);
    assert_value(&resumed, OPT_on_conflict, "version", ORIGIN_JOURNAL);
    assert_int_equal(resumed.excludes.count, 2);
    assert_string_equal(resumed.excludes.items[0], "a,b");
    assert_int_equal(resumed.regions.count, 1);
    assert_int_equal(resumed.publish, 1);
    assert_int_equal(resumed.transfers, 0);
    struct wire_profile wire;
    assert_int_equal(settings_wire_profile(&resumed, &wire, &err), 0);
    assert_string_equal(wire.request_path, "/v9/x");
    /* A key of a later version is no error. */
    assert_int_equal(settings_set_job_value(&resumed, "from-the-future", "1", &err), 0);
    settings_release(&begun);
    settings_release(&resumed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, drop_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_is_complete_and_unique),
        TEST(every_option_is_in_every_help),
        TEST(built_in_values_are_the_documented_ones),
        TEST(every_option_can_be_set_in_all_ways),
        TEST(the_stronger_origin_wins),
        TEST(a_weaker_value_is_checked_all_the_same),
        TEST(lists_grow_and_come_as_csv_from_the_environment),
        TEST(bad_values_are_refused_with_what_would_be_right),
        TEST(words_and_units_become_numbers),
        TEST(verbosity_has_one_meaning),
        TEST(an_unknown_variable_is_a_warning),
        TEST(a_job_gets_its_own_settings_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
