/* config.h and paths.h: profiles, what a config file may not be, and where things are kept. */
#include "test_cli_fixture.h"

#include "cli/config.h"
#include "cli/paths.h"

static void the_named_section_alone_is_taken(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    write_config("# ours\n[default]\ntransfers = 2\napi-rate = 100\n\n"
                 "[staging]\n; theirs\ntransfers: 3\nexclude = *.tmp\nexclude = a ; b\n"
                 "order_by = path\n",
                 0644);
    assert_int_equal(load(&s, &err, "env", "--profile", "staging", NULL), 0);
    assert_int_equal(s.config_found, 1);
    assert_int_equal(s.transfers, 3);
    assert_int_equal(s.api_rate_per_min, 950);
    assert_int_equal(s.order_by, ORDER_PATH);
    assert_int_equal(s.excludes.count, 2);
    assert_string_equal(s.excludes.items[1], "a ; b");
    settings_release(&s);
    setenv("PXLOAD_PROFILE", "staging", 1);
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    assert_int_equal(s.transfers, 3);
    settings_release(&s);
}

static void loading_again_takes_the_other_profile_whole(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    write_config("[default]\ntransfers = 2\nexclude = x\nclient_id = a\n"
                 "request_path = /v1/a\n[other]\nretries = 9\nclient_id = b\n",
                 0600);
    assert_int_equal(load(&s, &err, "resume", "j", NULL), 0);
    assert_int_equal(s.transfers, 2);
    assert_int_equal(s.override_count, 1);
    assert_int_equal(settings_set_job_value(&s, "profile", "other", &err), 0);
    assert_int_equal(config_load(&s, &err), 0);
    assert_int_equal(s.transfers, 0);
    assert_int_equal(s.retries, 9);
    assert_int_equal(s.excludes.count, 0);
    assert_int_equal(s.override_count, 0);
    assert_string_equal(s.profile_credentials.client_id, "b");
    settings_release(&s);
}

static void no_file_is_fine_but_for_a_named_profile(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    assert_int_equal(s.config_found, 0);
    settings_release(&s);
    assert_refused(ERR_CONFIG, "there is no profile 'staging'", "env", "--profile=staging");
    write_config("[stagin]\n[prod]\n", 0600);
    assert_refused(ERR_CONFIG, "did you mean 'stagin'?", "env", "--profile=staging");
    assert_int_equal(load(&s, &err, "env", "--profile=prod", NULL), 0);
    settings_release(&s);
}

static void mistakes_are_named_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"[default]\n\ntranfers = 3\n",
         "config:3: unknown key 'tranfers'; did you mean 'transfers'?"},
        {"[other]\nclient_sekret = x\n", "config:2: unknown key 'client_sekret'; did you mean"},
        {"[other]\nzzzzzzzzzzzz = x\n", "config:2: unknown key 'zzzzzzzzzzzz'"},
        {"transfers = 3\n", "config:1: a key outside of a section"},
        {"[default]\ntransfers = many\n", "config:2: transfers: 'many' is no whole number"},
        {"[default]\ntransfers =\n", "config:2: transfers: the value is empty"},
        {"[default]\ntransfers = 1\ntransfers = 2\n", "config:3: 'transfers' is set twice"},
        {"[default]\nwhat is this\n", "config:2: this is neither"},
        {"[default\nx = 1\n", "config:1: this is neither"},
        {"[default]\nprofile = x\n", "config:2: 'profile' cannot be set"},
        {"[default]\nclient_id =\n", "config:2: client_id is empty"},
        {"[default]\nrequest_path = no-slash\n", "config:2: request_path: "},
        {"[default]\nconflict_overwrite = {nope\n", "config:2: conflict_overwrite: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_config(rows[i].text, 0600);
        assert_refused(ERR_CONFIG, rows[i].words, "env");
    }
}

static void a_line_that_would_be_cut_is_refused(void **state)
{
    (void)state;
    char *text = malloc(10000);
    size_t len = (size_t)sprintf(text, "[default]\nexclude = ");
    struct settings s;
    struct err err = ERR_INIT;
    memset(text + len, 'x', 3000);
    strcpy(text + len + 3000, "\n");
    write_config(text, 0600);
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    assert_int_equal(strlen(s.excludes.items[0]), 3000);
    settings_release(&s);
    memset(text + len, 'x', 5000);
    strcpy(text + len + 5000, "\n");
    write_config(text, 0600);
    assert_refused(ERR_CONFIG, "config:2: the line is too long", "env");
    free(text);
}

static void a_config_with_a_secret_must_be_private(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    static const char with_secret[] = "[default]\n[other]\nclient_secret = topsecret\n";
    static const char with_command[] = "[default]\nclient_secret_command = echo x\n";
    write_config(with_secret, 0640);
    assert_refused(ERR_CONFIG, "others can read it; chmod 600", "env");
    write_config(with_secret, 0604);
    assert_refused(ERR_CONFIG, "others can read it", "env");
    write_config(with_secret, 0600);
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    settings_release(&s);
    write_config(with_command, 0620);
    assert_refused(ERR_CONFIG, "others can write it", "env");
    write_config(with_command, 0644);
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    settings_release(&s);
    if (geteuid() == 0) {
        write_config(with_command, 0600);
        assert_int_equal(chown(home_path("pxload/config"), 12345, 12345), 0);
        assert_refused(ERR_CONFIG, "belongs to another user", "env");
    }
}

static void wire_fields_are_kept_for_the_wire_profile(void **state)
{
    (void)state;
    struct settings s;
    struct err err = ERR_INIT;
    struct wire_profile wire;
    write_config("[default]\nconflict_version = {\"a\":\"{conflict_file_id}\"}\n"
                 "confirm-path = /v4/confirm\netag_quotes = strip\nwire = v2.1\n",
                 0600);
    assert_int_equal(load(&s, &err, "env", NULL), 0);
    assert_int_equal(settings_wire_profile(&s, &wire, &err), 0);
    assert_string_equal(wire.conflict_version, "{\"a\":\"{conflict_file_id}\"}");
    assert_string_equal(wire.confirm_path, "/v4/confirm");
    assert_string_equal(wire.name, "v2.1");
    assert_int_equal(wire.etag_quotes, WIRE_ETAG_STRIP);
    settings_release(&s);
}

static void folders_follow_xdg_and_are_private(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char *path;
    char want[128];
    struct stat st;
    assert_int_equal(paths_make_folder(PATHS_JOBS, &path, &err), 0);
    snprintf(want, sizeof want, "%s/pxload/jobs", test_home);
    assert_string_equal(path, want);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    free(path);
    setenv("XDG_CACHE_HOME", "relative", 1);
    assert_int_equal(paths_folder(PATHS_CACHE, &path, &err), 0);
    snprintf(want, sizeof want, "%s/.cache/pxload", test_home);
    assert_string_equal(path, want);
    free(path);
    write_file(home_path("file"), "", 0600);
    setenv("XDG_CACHE_HOME", home_path("file"), 1);
    assert_int_equal(paths_make_folder(PATHS_CACHE, &path, &err), -ERR_IO);
}

static void one_command_has_one_journal(void **state)
{
    (void)state;
    static const char *const roots[] = {"/mnt/My Photos (old)", "/b"};
    static const char *const joined[] = {"/mnt/My Photos (old)/b", ""};
    static const char *const whole[] = {"/"};
    struct err err = ERR_INIT;
    char *one;
    char *same;
    char *other;
    assert_int_equal(paths_journal(roots, 2, "https://a", &one, &err), 0);
    assert_int_equal(paths_journal(roots, 2, "https://a", &same, &err), 0);
    assert_string_equal(one, same);
    assert_non_null(strstr(one, "/pxload/jobs/My-Photos-old-"));
    assert_int_equal(strlen(strrchr(one, '-')), 1 + 16 + strlen(".journal"));
    free(same);
    assert_int_equal(paths_journal(roots, 1, "https://a", &other, &err), 0);
    assert_string_not_equal(one, other);
    free(other);
    assert_int_equal(paths_journal(roots, 2, "https://b", &other, &err), 0);
    assert_string_not_equal(one, other);
    free(other);
    assert_int_equal(paths_journal(joined, 1, "https://a", &other, &err), 0);
    assert_string_not_equal(one, other);
    free(other);
    assert_int_equal(paths_journal(whole, 1, "https://a", &other, &err), 0);
    assert_non_null(strstr(other, "/job-"));
    free(other);
    free(one);
}

static void absolute_paths_have_no_symlinks(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char *path;
    char link_path[128];
    snprintf(link_path, sizeof link_path, "%s/link", test_home);
    assert_int_equal(mkdir(home_path("dir"), 0700), 0);
    assert_int_equal(symlink("dir", link_path), 0);
    assert_int_equal(paths_absolute(link_path, &path, &err), 0);
    assert_string_equal(path, home_path("dir"));
    free(path);
    assert_int_equal(paths_absolute(home_path("none"), &path, &err), -ERR_SOURCE_VANISHED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, drop_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_named_section_alone_is_taken),
        TEST(loading_again_takes_the_other_profile_whole),
        TEST(no_file_is_fine_but_for_a_named_profile),
        TEST(mistakes_are_named_with_file_and_line),
        TEST(a_line_that_would_be_cut_is_refused),
        TEST(a_config_with_a_secret_must_be_private),
        TEST(wire_fields_are_kept_for_the_wire_profile),
        TEST(folders_follow_xdg_and_are_private),
        TEST(one_command_has_one_journal),
        TEST(absolute_paths_have_no_symlinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
