/* args.h, verbs.h, exit.h, nearest.h: the command line and what is said about a wrong one. */
#include "test_cli_fixture.h"

#include "base/nearest.h"
#include "cli/exit.h"

static void options_may_stand_anywhere(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    setenv("POSIXLY_CORRECT", "1", 1);
    assert_int_equal(load(&s, &err, "-v", "upload", "-nL", "a", "--transfers", "4", "b",
                          "--publish=false", "--", "--publish", "-x", NULL),
                     0);
    unsetenv("POSIXLY_CORRECT");
    assert_int_equal(s.verb, VERB_UPLOAD);
    assert_int_equal(s.arg_count, 4);
    assert_string_equal(s.args[0], "a");
    assert_string_equal(s.args[1], "b");
    assert_string_equal(s.args[2], "--publish");
    assert_string_equal(s.args[3], "-x");
    assert_int_equal(s.transfers, 4);
    assert_int_equal(s.dry_run, 1);
    assert_int_equal(s.copy_links, 1);
    assert_int_equal(s.verbose, 1);
    assert_int_equal(s.publish, 0);
    assert_int_equal(s.origins[OPT_publish], ORIGIN_FLAG);
    settings_release(&s);
}

static void other_programs_spellings_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *flag;
        enum conflict_policy policy;
    } rows[] = {
        {"--ignore-existing", CONFLICT_SKIP},
        {"--overwrite", CONFLICT_OVERWRITE},
        {"--immutable", CONFLICT_FAIL},
    };
    struct settings s;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(load(&s, &err, "upload", rows[i].flag, "p", "--dryrun", NULL), 0);
        assert_int_equal(s.on_conflict, rows[i].policy);
        assert_int_equal(s.dry_run, 1);
        settings_release(&s);
    }
}

static void an_alias_may_take_the_value_that_is_given(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    assert_int_equal(load(&s, &err, "upload", "--since", "2d", "p", NULL), 0);
    assert_true(s.max_age_ms == INT64_C(2) * 24 * 3600 * 1000);
    settings_release(&s);
    assert_int_not_equal(load(&s, &err, "upload", "p", "--since", NULL), 0);
    settings_release(&s);
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    write_config("this is no config\n", 0600);
    setenv("PXLOAD_TRANSFERS", "x", 1);
    assert_int_equal(load(&s, &err, NULL), 0);
    assert_true(s.wants_help);
    settings_release(&s);
    assert_int_equal(load(&s, &err, "upload", "-h", NULL), 0);
    assert_true(s.wants_help);
    assert_int_equal(s.verb, VERB_UPLOAD);
    settings_release(&s);
    assert_int_equal(load(&s, &err, "--version", NULL), 0);
    assert_true(s.wants_version);
    settings_release(&s);
    assert_int_equal(load(&s, &err, "help", "--format", "man", NULL), 0);
    assert_int_equal(s.format, FORMAT_MAN);
    settings_release(&s);
}

static void wrong_usage_is_named_with_its_remedy(void **state)
{
    (void)state;
    assert_refused(ERR_USAGE, "did you mean 'upload'?", "uplaod", "x");
    assert_refused(ERR_USAGE, "pxload --help lists them", "frobnicate");
    assert_refused(ERR_USAGE, "did you mean --transfers?", "plan", "p", "--tranfsers=3");
    assert_refused(ERR_USAGE, "--trans; did you mean --transfers?", "plan", "p", "--trans", "3");
    assert_refused(ERR_USAGE, "unknown option --over; did you mean --overwrite?", "upload",
                   "--over", "p");
    assert_refused(ERR_USAGE, "unknown option --zzzzzzzz;", "plan", "p", "--zzzzzzzz");
    assert_refused(ERR_USAGE, "unknown option -x", "plan", "-x", "p");
    assert_refused(ERR_USAGE, "--transfers needs a value", "plan", "p", "--transfers");
    assert_refused(ERR_USAGE, "--output needs a value", "report", "j", "-o");
    assert_refused(ERR_USAGE, "--overwrite takes no value", "upload", "p", "--overwrite=1");
    assert_refused(ERR_USAGE, "--help takes no value", "--help=1");
    assert_refused(ERR_USAGE, "what shall be done?", "-v");
    assert_refused(ERR_USAGE, "pxload plan needs PATH...", "plan");
    assert_refused(ERR_USAGE, "'b' is too much", "resume", "a", "b");
    assert_refused(ERR_USAGE, "takes no arguments", "auth", "x");
    assert_refused(ERR_USAGE, "--only is not for pxload upload but for: retry", "upload", "p",
                   "--only=server");
    assert_refused(ERR_USAGE, "a job keeps the value", "resume", "j", "--on-conflict=fail");
    assert_refused(ERR_USAGE, "it takes csv, ndjson", "report", "j", "--format=man");
}

static void secrets_on_the_command_line_are_refused_and_not_repeated(void **state)
{
    (void)state;
    static const char *const flags[] = {"--token=s3cr3t", "--client-secret=s3cr3t",
                                        "--password=s3cr3t"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct settings s;
        struct err err = ERR_INIT;
        assert_int_equal(load(&s, &err, "auth", flags[i], NULL), -ERR_USAGE);
        assert_null(strstr(err.text, "s3cr3t"));
        assert_non_null(strstr(err.text, "PXM_CLIENT_SECRET"));
        settings_release(&s);
    }
}

static void every_verb_has_a_handler_and_texts(void **state)
{
    (void)state;
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = verb_row((enum verb)i);
        assert_non_null(row->run);
        assert_true(strlen(row->does) > 10);
        assert_int_equal(verb_by_name(row->name), i);
        char start[32];
        snprintf(start, sizeof start, "pxload %s", row->name);
        assert_non_null(strstr(row->examples, start));
        assert_int_equal(row->examples[strlen(row->examples) - 1], '\n');
    }
    assert_int_equal(verb_by_name(""), VERB_COUNT);
}

static void exit_codes_rise_and_every_error_has_one(void **state)
{
    (void)state;
    int last = -1;
    const struct exit_row *row;
    for (size_t i = 0; (row = exit_row(i)); i++) {
        assert_true((int)row->code > last);
        last = (int)row->code;
    }
    assert_int_equal(last, 143);
    for (int code = 0; code < ERR_COUNT; code++)
        assert_int_equal(exit_of_error((enum err_code)code) == EXIT_IS_OK, code == 0);
    assert_int_equal(exit_of_error(ERR_USAGE), 2);
    assert_int_equal(exit_of_error(ERR_AUTH), 4);
    assert_int_equal(exit_of_error(ERR_NETWORK), 5);
    assert_int_equal(exit_of_error(ERR_JOURNAL), 7);
    assert_int_equal(exit_of_error(ERR_JOURNAL_BUSY), 11);
}

static const char *nearest_of(const char *word)
{
    static const char *const words[] = {"upload", "report", "retry", "resume"};
    struct nearest nearest;
    nearest_init(&nearest, word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        nearest_offer(&nearest, words[i]);
    return nearest_result(&nearest);
}

static void the_nearest_word_is_near(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("uplaod"), "upload");
    assert_string_equal(nearest_of("rety"), "retry");
    assert_string_equal(nearest_of("resmue"), "resume");
    assert_null(nearest_of("delete-everything"));
    assert_null(nearest_of("x"));
    assert_null(nearest_of(""));
    char big[200];
    memset(big, 'r', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_null(nearest_of(big));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, drop_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_may_stand_anywhere),
        TEST(other_programs_spellings_are_understood),
        TEST(an_alias_may_take_the_value_that_is_given),
        TEST(help_and_version_need_nothing_else),
        TEST(wrong_usage_is_named_with_its_remedy),
        TEST(secrets_on_the_command_line_are_refused_and_not_repeated),
        TEST(every_verb_has_a_handler_and_texts),
        TEST(exit_codes_rise_and_every_error_has_one),
        TEST(the_nearest_word_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
