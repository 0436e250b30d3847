/* The token cache: private, keyed, expiring. */
#include "net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "tokens-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    token_cache_drop(dir, "https://a", "id");
    return rmdir(dir);
}

static void only_file(char *out, size_t size)
{
    DIR *open_dir = opendir(dir);
    struct dirent *entry;
    int count = 0;
    while ((entry = readdir(open_dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(out, size, "%s/%s", dir, entry->d_name);
        count++;
    }
    closedir(open_dir);
    assert_int_equal(count, 1);
}

static void a_stored_token_is_found_for_its_tenant_and_client_alone(void **state)
{
    (void)state;
    struct err err;
    char *token = NULL;
    assert_int_equal(token_cache_store(dir, "https://a", "id", "secret-token", 5000, &err), 0);
    token_cache_load(dir, "https://a", "id", 4999, &token);
    assert_string_equal(token, "secret-token");
    free(token);
    token_cache_load(dir, "https://b", "id", 4999, &token);
    assert_null(token);
    token_cache_load(dir, "https://a", "id2", 4999, &token);
    assert_null(token);
}

static void an_expired_token_is_not_used(void **state)
{
    (void)state;
    char *token = NULL;
    token_cache_load(dir, "https://a", "id", 5000, &token);
    assert_null(token);
}

static void a_token_that_others_can_read_is_not_trusted(void **state)
{
    (void)state;
    char path[512];
    char *token = NULL;
    struct stat st;
    only_file(path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0644), 0);
    token_cache_load(dir, "https://a", "id", 0, &token);
    assert_null(token);
}

static void a_dropped_token_is_gone(void **state)
{
    (void)state;
    struct err err;
    char *token = NULL;
    assert_int_equal(token_cache_store(dir, "https://a", "id", "fresh", 5000, &err), 0);
    token_cache_drop(dir, "https://a", "id");
    token_cache_load(dir, "https://a", "id", 0, &token);
    assert_null(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_token_is_found_for_its_tenant_and_client_alone),
        cmocka_unit_test(an_expired_token_is_not_used),
        cmocka_unit_test(a_token_that_others_can_read_is_not_trusted),
        cmocka_unit_test(a_dropped_token_is_gone),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
