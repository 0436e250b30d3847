/* books.c: the equation that every run must satisfy, and what breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

static struct journal_books some_books(void)
{
    struct journal_books books = {.walk_complete = 1, .wave = 1};
    books.files[ASSET_CONFIRMED] = 5;
    books.files[ASSET_VERIFIED] = 2;
    books.files[ASSET_SKIPPED] = 3;
    books.files[ASSET_FAILED] = 4;
    books.bytes[ASSET_CONFIRMED] = 500;
    books.failed_by_code[ERR_NETWORK] = 1;
    books.failed_by_code[ERR_NAME_COLLISION] = 3;
    books.excluded_files = 6;
    books.excluded_bytes = 60;
    return books;
}

static struct books_count count_of(const struct journal_books *books)
{
    struct books_count count = {.excluded_files = books->excluded_files};
    memcpy(count.files, books->files, sizeof count.files);
    memcpy(count.failed_by_code, books->failed_by_code, sizeof count.failed_by_code);
    return count;
}

static void every_file_is_in_one_column(void **state)
{
    (void)state;
    struct journal_books books = some_books();
    books.files[ASSET_DISCOVERED] = 10;
    books.files[ASSET_STORED] = 1;
    struct books_totals totals;
    books_totals(&books, &totals);
    assert_int_equal(totals.files.confirmed, 7);
    assert_int_equal(totals.files.skipped, 3);
    assert_int_equal(totals.files.failed, 4);
    assert_int_equal(totals.files.excluded, 6);
    assert_int_equal(totals.files.queued, 11);
    assert_int_equal(totals.files.planned, 31);
    assert_int_equal(totals.bytes.planned, 560);
}

static void a_complete_run_balances(void **state)
{
    (void)state;
    struct journal_books books = some_books();
    struct books_count count = count_of(&books);
    char why[BOOKS_WHY_MAX] = "x";
    assert_int_equal(books_balance(&books, &count, 1, why), 1);
    assert_string_equal(why, "");
    assert_int_equal(books_balance(&books, NULL, 1, why), 1);
}

static void an_interrupted_run_balances_with_files_queued(void **state)
{
    (void)state;
    struct journal_books books = some_books();
    books.files[ASSET_REQUESTED] = 9;
    struct books_count count = count_of(&books);
    char why[BOOKS_WHY_MAX];
    assert_int_equal(books_balance(&books, &count, 0, why), 1);
    assert_int_equal(books_balance(&books, &count, 1, why), 0);
    assert_non_null(strstr(why, "queued"));
}

static void a_lost_row_is_noticed(void **state)
{
    (void)state;
    struct journal_books books = some_books();
    struct books_count count = count_of(&books);
    char why[BOOKS_WHY_MAX];
    count.files[ASSET_CONFIRMED]--;
    assert_int_equal(books_balance(&books, &count, 1, why), 0);
    assert_non_null(strstr(why, "confirmed"));
    assert_non_null(strstr(why, "5 against 4"));
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    char why[BOOKS_WHY_MAX];
    struct journal_books books = some_books();
    books.failed_by_code[ERR_NETWORK]++;
    assert_int_equal(books_balance(&books, NULL, 1, why), 0);
    books = some_books();
    books.files[ASSET_SKIPPED] = -1;
    assert_int_equal(books_balance(&books, NULL, 1, why), 0);
    books = some_books();
    books.walk_complete = 0;
    assert_int_equal(books_balance(&books, NULL, 1, why), 0);
    assert_int_equal(books_balance(&books, NULL, 0, why), 1);
    books = some_books();
    struct books_count count = count_of(&books);
    count.excluded_files = 7;
    assert_int_equal(books_balance(&books, &count, 1, why), 0);
    count = count_of(&books);
    count.failed_by_code[ERR_NETWORK] = 0;
    count.failed_by_code[ERR_TLS] = 1;
    assert_int_equal(books_balance(&books, &count, 1, why), 0);
    assert_non_null(strstr(why, "network"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_in_one_column),
        cmocka_unit_test(a_complete_run_balances),
        cmocka_unit_test(an_interrupted_run_balances_with_files_queued),
        cmocka_unit_test(a_lost_row_is_noticed),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
