/* Manifests: formats, delimiters, encodings, keys, and what is refused, as a whole or a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scan/scan.h"

/* Rows as text: "line|path|name|file_name|column[:label]=a,b;..." and "!text" for a bad row. */
static char seen[65536];
static struct err error;
static struct manifest_info info;

static void add(const char *format, ...)
{
    va_list args;
    size_t len = strlen(seen);
    va_start(args, format);
    vsnprintf(seen + len, sizeof seen - len, format, args);
    va_end(args);
}

static void add_cell(const struct manifest_cell *cell)
{
    add("%s%s%s%s", manifest_column_name(cell->column), cell->attribute ? ":" : "",
        cell->attribute ? cell->attribute : "", cell->is_array ? "[" : "=");
    for (size_t i = 0; i < cell->item_count; i++)
        add("%s%s", i ? "," : "", cell->items[i]);
    add(";");
}

static int on_row(const struct manifest_row *row, void *user)
{
    (void)user;
    add("%lld|%s|%s|%s|", (long long)row->line, row->path ? row->path : "",
        row->name ? row->name : "", row->file_name ? row->file_name : "");
    if (row->error) {
        assert_int_equal(row->error->code, ERR_MANIFEST);
        add("!%s\n", row->error->text);
        return 0;
    }
    for (size_t i = 0; i < row->cell_count; i++)
        add_cell(&row->cells[i]);
    add("\n");
    return 0;
}

static int read_bytes(const char *bytes, size_t len)
{
    FILE *out = fopen("m.csv", "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    seen[0] = '\0';
    err_clear(&error);
    return manifest_read("m.csv", on_row, NULL, &info, &error);
}

static void expect(const char *text, const char *rows)
{
    if (read_bytes(text, strlen(text)))
        fail_msg("%s", error.text);
    assert_string_equal(seen, rows);
}

/* The whole is refused with these words. */
static void refuse_bytes(const char *bytes, size_t len, const char *words)
{
    assert_int_equal(read_bytes(bytes, len), -ERR_MANIFEST);
    if (!strstr(error.text, words))
        fail_msg("'%s' is not in '%s'", words, error.text);
}

static void refuse(const char *text, const char *words)
{
    refuse_bytes(text, strlen(text), words);
}

/* The one row is refused with these words, the others are read. */
static void refuse_row(const char *text, const char *words)
{
    if (read_bytes(text, strlen(text)))
        fail_msg("%s", error.text);
    char *bad = strchr(seen, '!');
    assert_non_null(bad);
    assert_non_null(strstr(bad, words));
    assert_non_null(strstr(seen, "|good|"));
}

static void csv_gives_its_cells(void **state)
{
    (void)state;
    expect("path,file_name,collections,published,attribute:Color\n"
           "a/b.jpg,B.jpg,one; two,yes,Red\n"
           "c.jpg,,,,\n",
           "2|a/b.jpg||B.jpg|collections=one; two;published=yes;attribute:Color=Red;\n"
           "3|c.jpg|||\n");
}

static void delimiters_are_sniffed(void **state)
{
    (void)state;
    expect("path;regions\na;x,y\n", "2|a|||regions=x,y;\n");
    expect("path\tregions\na\tx;y\n", "2|a|||regions=x;y;\n");
    expect("path\na,b\n", "2|a|||"
                          "!manifest line 2: 'b' stands under no column's name; is a value "
                          "with the delimiter in it not quoted?\n");
    expect("\"path\";\"attribute:a,b,c,d\"\nx;1\n", "2|x|||attribute:a,b,c,d=1;\n");
    expect("sep=;\r\npath;regions\r\na;x\r\n", "3|a|||regions=x;\n");
    refuse("sep=x\npathxregions\n", "delimiter");
}

static void line_ends_and_quotes_are_rfc_4180(void **state)
{
    (void)state;
    expect("path,attribute:D\r\n\"a\",\"two\r\nlines, \"\"quoted\"\"\"\r\n\r\n\r\nb,c\r\n",
           "2|a|||attribute:D=two\r\nlines, \"quoted\";\n6|b|||attribute:D=c;\n");
    expect("path,name\ra,\rb,", "2|a|||\n3|b|||\n");
    expect("path,attribute:D\n a , x \n\" a\",\" y \"\n , \n",
           "2| a |||attribute:D=x;\n3| a|||attribute:D=y;\n");
    refuse("path,attribute:D\na, \"x\"\n", "no blank before them");
    expect("path,attribute:D\na,\"1\n\n\n2\"\nb,", "2|a|||attribute:D=1\n\n\n2;\n6|b|||\n");
    expect("path,,\na,,\n,,\n,,\n", "2|a|||\n");
    expect("path,attribute:D\na\n", "2|a|||\n");
    refuse("path\na\"b\n", "line 2: a quote stands inside");
    refuse("path\n\"a\"b\n", "line 2: a quote stands inside");
    refuse("path,name\nx,y\n\"a\nb\nc", "line 3: the quotes of this row do not end");
}

static void encodings_are_checked(void **state)
{
    (void)state;
    expect("\xef\xbb\xbfpath\na\n", "2|a|||\n");
    refuse("path\na\nM\xfcller.jpg\n", "line 3: value 1 is no UTF-8 (Latin-1");
    refuse("p\xe4th\na\n", "line 1: value 1 is no UTF-8");
    refuse_bytes("\xff\xfep\0a\0", 6, "UTF-16");
    refuse_bytes("\xfe\xff\0p\0a", 6, "UTF-16");
    refuse_bytes("p\0a\0t\0h\0", 8, "NUL");
    refuse_bytes("path\na\0b\n", 9, "line 1: there are NUL");
    refuse("", "it is empty");
    refuse("\xef\xbb\xbf", "it is empty");
    refuse("\n\n", "it is empty");
    refuse("{\"path\":\"\xff\"}\n", "UTF-8");
}

static void headers_are_checked(void **state)
{
    (void)state;
    expect("Path,File Name,PUBLISH-START,Attribute: Launch Date\na,b,2026-01-01,x\n",
           "2|a||b|publish_start=2026-01-01;attribute:Launch Date=x;\n");
    refuse("path,colections\n", "unknown column 'colections'; did you mean 'collections'?");
    refuse("path,Description\n", "is written attribute:Description");
    refuse("path,attribute:\n", "names no attribute");
    refuse("path,PATH\n", "column path stands twice");
    refuse("path,attribute:x,attribute:x\n", "column attribute:x stands twice");
    refuse("collections,regions\na,b\n", "path or name");
    refuse("a/b.jpg,x\n", "unknown column");
    expect("path\n", "");
    assert_int_equal(info.rows, 0);
}

static void keys_are_composed_and_checked(void **state)
{
    (void)state;
    expect("path\n./d/a\xcc\x88.jpg\n", "2|d/\xc3\xa4.jpg|||\n");
    expect("name,file_name\na\xcc\x88,u\xcc\x88\n", "2||\xc3\xa4|\xc3\xbc|\n");
    expect("path,name\nd/x,x\n,y\n", "2|d/x|||\n3||y||\n");
    refuse_row("path,name\nd/x,other\ngood,\n", "'other' is not the name of 'd/x'");
    refuse_row("name,path\na/b,\n,good\n", "has folders");
    refuse_row("path,regions\n,x\ngood,\n", "neither path nor name");
    refuse_row("path,file_name\nx,a/b\ngood,\n", "has a '/'");
}

static void ndjson_gives_the_same(void **state)
{
    (void)state;
    expect("{\"path\":\"a\",\"collections\":[\"x\",\"y;z\"],\"published\":true,\"regions\":\"r\","
           "\"attributes\":{\"N\":1.50,\"L\":[\"p\",2],\"none\":null,\"empty\":\"\"}}\n"
           "\n"
           "{\"name\":\"b\",\"attribute:Q\":7}",
           "1|a|||collections[x,y;z;published=true;regions=r;attribute:N=1.50;attribute:L[p,2;\n"
           "3||b||attribute:Q=7;\n");
    refuse("[{\"path\":\"a\"}]\n", "one object a line");
    refuse("{\"path\":\"a\"}\n{\"path\":\n", "line 2: one whole JSON object");
    refuse("{\"path\":\"a\"} {}\n", "line 1: one whole JSON object");
    refuse("{\"path\":\"a\"}\n7\n", "line 2: one whole JSON object");
    refuse("{\"path\":\"a\",\"color\":1}\n", "unknown column 'color'");
    refuse("{\"path\":[[[[[1]]]]]}\n", "line 1");
    refuse_row("{\"path\":[\"x\"]}\n{\"path\":\"good\"}\n", "takes one text");
    refuse_row("{\"path\":\"x\",\"collections\":[{}]}\n{\"path\":\"good\"}\n", "must be a string");
    refuse_row("{\"path\":\"x\",\"attributes\":[]}\n{\"path\":\"good\"}\n", "an object of label");
    refuse_row(
        "{\"path\":\"x\",\"attributes\":{\"n\":99999999999999999999}}\n{\"path\":\"good\"}\n",
        "19 digits");
    refuse_row("{\"path\":\"x\\u0000y\"}\n{\"path\":\"good\"}\n", "must be a string");
}

/* A missing quote in a large file must not swallow all of it. */
static void sizes_are_bounded(void **state)
{
    (void)state;
    size_t len = (size_t)3 * LIMIT_MANIFEST_ROW_BYTES;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    memcpy(text, "path\n\"", 6);
    refuse(text, "line 2: a value has over");
    memcpy(text, "{\"path", 6);
    refuse(text, "line 1: the line has over");
    size_t at = 0;
    at += (size_t)sprintf(text + at, "path");
    for (int i = 0; i < LIMIT_MANIFEST_COLUMNS; i++)
        at += (size_t)sprintf(text + at, ",attribute:%d", i);
    text[at] = '\0';
    refuse(text, "columns");
    memset(text, 'y', 400);
    memcpy(text, "path,attribute:", 15);
    text[400] = '\0';
    refuse(text, "over 255 bytes");
    free(text);
}

/* The same bytes have the same digest, whatever the chunks. */
static void digests_tell_manifests_apart(void **state)
{
    (void)state;
    char first[MANIFEST_DIGEST_MAX];
    expect("path,attribute:A\na,1\n", "2|a|||attribute:A=1;\n");
    assert_string_equal(info.digest,
                        "4d45d973a3e26b30477a40fe250fa606d97d8b27405153c0bfbe3c0617a45039");
    memcpy(first, info.digest, sizeof first);
    expect("path,attribute:A\na,2\n", "2|a|||attribute:A=2;\n");
    assert_string_not_equal(first, info.digest);
    assert_int_equal(manifest_read("m.csv", NULL, NULL, &info, &error), 0);
    assert_int_equal(info.rows, 1);
    assert_true(info.has[MANIFEST_ATTRIBUTE] && !info.has[MANIFEST_REGIONS] && !info.is_json);
    assert_int_equal(manifest_read("absent.csv", NULL, NULL, &info, &error), -ERR_MANIFEST);
    assert_int_equal(manifest_read(".", NULL, NULL, &info, &error), -ERR_MANIFEST);
}

static int keep_line(const struct manifest_row *row, void *user)
{
    *(int64_t *)user = row->line;
    return 0;
}

/* CRs at a chunk's end, and rows over two chunks. */
static void chunks_do_not_matter(void **state)
{
    (void)state;
    char *text = malloc(400000);
    assert_non_null(text);
    size_t at = (size_t)sprintf(text, "path,attribute:A\r\n");
    int rows = 0;
    while (at < 390000) {
        at += (size_t)sprintf(text + at, "f%d,\"a\r\nb%d\"\r\n", rows, rows);
        rows++;
    }
    FILE *out = fopen("m.csv", "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, at, out), at);
    fclose(out);
    free(text);
    err_clear(&error);
    seen[0] = '\0';
    int64_t last = 0;
    assert_int_equal(manifest_read("m.csv", keep_line, &last, &info, &error), 0);
    assert_int_equal(info.rows, rows);
    assert_int_equal(last, 2 * rows);
}

static int stop_at_second(const struct manifest_row *row, void *user)
{
    int *count = user;
    (void)row;
    return ++*count == 2 ? 77 : 0;
}

static void reading_stops_when_asked(void **state)
{
    (void)state;
    int count = 0;
    expect("path\na\nb\nc\n", "2|a|||\n3|b|||\n4|c|||\n");
    assert_int_equal(manifest_read("m.csv", stop_at_second, &count, &info, &error), 77);
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_gives_its_cells),
        cmocka_unit_test(delimiters_are_sniffed),
        cmocka_unit_test(line_ends_and_quotes_are_rfc_4180),
        cmocka_unit_test(encodings_are_checked),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(keys_are_composed_and_checked),
        cmocka_unit_test(ndjson_gives_the_same),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(digests_tell_manifests_apart),
        cmocka_unit_test(chunks_do_not_matter),
        cmocka_unit_test(reading_stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
