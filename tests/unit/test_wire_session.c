/* test_wire_session.c - the reply to request-upload, and the part plan. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "wire/wire.h"

#define U "\"upload_url\":\"https://s3.example/k?X-Amz-Signature=SECRET\""

static const struct wire_url_rules rules = {0};

static int decode(const char *body, int64_t size_bytes, struct wire_session *out, struct err *err)
{
    struct wire_upload upload = {"sent.jpg", "image/jpeg", size_bytes};
    /* An exact copy: a read past the end is seen by the address sanitizer. */
    size_t len = strlen(body);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, body, len);
    int rc = wire_decode_session(copy, len, &upload, &rules, out, err);
    free(copy);
    return rc;
}

static struct wire_session accept(const char *body, int64_t size_bytes)
{
    struct wire_session session;
    struct err err = ERR_INIT;
    if (decode(body, size_bytes, &session, &err))
        fail_msg("refused %s: %s", body, err.text);
    return session;
}

static void refuse(const char *body, int64_t size_bytes)
{
    struct wire_session session;
    struct wire_session empty = {0};
    struct err err = ERR_INIT;
    if (decode(body, size_bytes, &session, &err) != -ERR_BAD_REPLY)
        fail_msg("took %s", body);
    assert_int_equal(err.code, ERR_BAD_REPLY);
    assert_true(err.text[0]);
    assert_null(strstr(err.text, "SECRET"));
    assert_memory_equal(&session, &empty, sizeof session);
}

static void single_upload_is_one_part_in_every_shape(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"upload_data\":{\"upload_type\":\"single\"," U
        ",\"file_path\":\"/in/1\",\"file_name\":\"srv.jpg\"}}\n",
        "{\"upload_type\":\"standard\"," U ",\"file_path\":\"/in/1\",\"file_name\":\"srv.jpg\"}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/in/1\",\"file_name\":\"srv.jpg\","
        "\"upload_id\":null,\"parts\":[],\"is_conflict\":false,\"conflict_file_id\":null}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct wire_session session = accept(bodies[i], 42);
        assert_false(session.multipart);
        assert_false(session.is_conflict);
        assert_int_equal(session.part_count, 1);
        assert_int_equal(session.parts[0].part_no, 1);
        assert_int_equal(session.parts[0].start, 0);
        assert_int_equal(session.parts[0].len, 42);
        assert_string_equal(session.file_path, "/in/1");
        assert_string_equal(session.file_name, "srv.jpg");
        assert_null(session.upload_id);
        wire_session_release(&session);
        wire_session_release(&session);
    }
}

static void name_sent_stands_in_where_the_reply_has_none(void **state)
{
    (void)state;
    struct wire_session session =
        accept("{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\"}", 0);
    assert_string_equal(session.file_name, "sent.jpg");
    assert_int_equal(session.parts[0].len, 0);
    wire_session_release(&session);
}

#define MULTI(parts)                                                         \
    "{\"upload_data\":{\"upload_type\":\"multipart\",\"upload_id\":\"XYZ\"," \
    "\"file_path\":\"/p\",\"parts\":[" parts "]}}"
#define RANGED(no, start, end) \
    "{\"part_number\":" no "," U ",\"start_byte\":" start ",\"end_byte\":" end "}"
#define BARE(no) "{\"part_number\":" no "," U "}"

static void multipart_ranges_are_taken(void **state)
{
    (void)state;
    struct wire_session session =
        accept(MULTI(RANGED("1", "0", "7") "," RANGED("\"2\"", "\"8\"",
                                                      "\"15\"") "," RANGED("7", "16", "16")),
               17);
    assert_true(session.multipart);
    assert_string_equal(session.upload_id, "XYZ");
    assert_int_equal(session.part_count, 3);
    assert_int_equal(session.parts[1].start, 8);
    assert_int_equal(session.parts[1].len, 8);
    assert_int_equal(session.parts[2].part_no, 7);
    assert_int_equal(session.parts[2].len, 1);
    wire_session_release(&session);
}

static void missing_ranges_are_equal_slices_with_a_shorter_last(void **state)
{
    (void)state;
    struct wire_session session =
        accept(MULTI(BARE("1") "," BARE("2") "," RANGED("3", "null", "null")), 10);
    assert_int_equal(session.parts[0].len, 4);
    assert_int_equal(session.parts[1].start, 4);
    assert_int_equal(session.parts[1].len, 4);
    assert_int_equal(session.parts[2].start, 8);
    assert_int_equal(session.parts[2].len, 2);
    wire_session_release(&session);
}

static void empty_file_is_one_empty_part(void **state)
{
    (void)state;
    static const char *const bodies[] = {MULTI(BARE("1")), MULTI(RANGED("1", "0", "-1"))};
    for (size_t i = 0; i < 2; i++) {
        struct wire_session session = accept(bodies[i], 0);
        assert_int_equal(session.part_count, 1);
        assert_int_equal(session.parts[0].len, 0);
        wire_session_release(&session);
    }
    refuse(MULTI(BARE("1") "," BARE("2")), 0);
    refuse(MULTI(RANGED("1", "0", "0")), 0);
    refuse(MULTI(RANGED("1", "0", "-1") "," RANGED("2", "0", "-1")), 0);
    refuse(MULTI(RANGED("1", "0", "-2")), 0);
}

static void part_plans_that_do_not_cover_the_file_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        MULTI(""),
        MULTI(RANGED("1", "0", "8")),
        MULTI(RANGED("1", "0", "10")),
        MULTI(RANGED("1", "1", "9")),
        MULTI(RANGED("1", "0", "4") "," RANGED("2", "6", "9")),
        MULTI(RANGED("1", "0", "5") "," RANGED("2", "5", "9")),
        MULTI(RANGED("1", "0", "9") "," RANGED("2", "10", "9")),
        MULTI(RANGED("1", "0", "9") "," RANGED("2", "0", "9")),
        MULTI(RANGED("1", "0", "-1") "," RANGED("2", "0", "9")),
        MULTI(RANGED("1", "-1", "9")),
        MULTI(RANGED("1", "0", "9223372036854775807")),
        MULTI(RANGED("1", "0", "18446744073709551615")),
        MULTI(RANGED("1", "-9223372036854775808", "9")),
        MULTI(RANGED("1", "9223372036854775807", "9")),
        MULTI(RANGED("1", "0", "9.0")),
        MULTI(RANGED("1", "0", "\"9x\"")),
        MULTI(RANGED("1", "0", "\"\"")),
        MULTI(RANGED("1", "true", "9")),
        MULTI(RANGED("1", "0", "null")),
        MULTI(RANGED("1", "null", "9")),
        MULTI(RANGED("1", "0", "4") "," BARE("2")),
        MULTI(BARE("1") "," RANGED("2", "5", "9")),
        MULTI(RANGED("2", "0", "4") "," RANGED("1", "5", "9")),
        MULTI(RANGED("1", "0", "4") "," RANGED("1", "5", "9")),
        MULTI(RANGED("0", "0", "9")),
        MULTI(RANGED("-1", "0", "9")),
        MULTI(RANGED("10001", "0", "9")),
        MULTI(RANGED("4294967297", "0", "9")),
        MULTI(RANGED("99999999999999999999", "0", "9")),
        MULTI(RANGED("1.5", "0", "9")),
        MULTI(RANGED("null", "0", "9")),
        /* 10 bytes in 6 slices of 2 leave the last one empty. */
        MULTI(BARE("1") "," BARE("2") "," BARE("3") "," BARE("4") "," BARE("5") "," BARE("6")),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        refuse(bodies[i], 10);
}

static void replies_that_break_the_protocol_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        " \n",
        "null",
        "[]",
        "\"x\"",
        "12",
        "{",
        "{}",
        "{}{}",
        "<html>502</html>",
        "{\"code\":\"x\",\"message\":\"y\"}",
        "{\"upload_data\":[]}",
        "{\"upload_data\":\"x\"}",
        "{\"upload_data\":null}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\"} trailing",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\",}",
        "{'upload_type':'single'," U ",'file_path':'/p'}",
        "/* c */{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\",\"x\":\"\xff\"}",
        "{" U ",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"Single\"," U ",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"resumable\"," U ",\"file_path\":\"/p\"}",
        "{\"upload_type\":7," U ",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\"," U "}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"\"}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\\u0000x\"}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":{}}",
        "{\"upload_type\":\"single\",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\",\"upload_url\":\"\",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\",\"upload_url\":[],\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\",\"upload_url\":\"http://s3.example/?SECRET\","
        "\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\",\"upload_url\":\"https://s3.example/\\u0000SECRET\","
        "\"file_path\":\"/p\"}",
        "{\"upload_type\":\"single\",\"upload_url\":\"https://s3.example/\\r\\nSECRET\","
        "\"file_path\":\"/p\"}",
        "{\"upload_type\":\"multipart\"," U ",\"upload_id\":\"X\",\"file_path\":\"/p\"}",
        "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\",\"parts\":{}}",
        "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\",\"parts\":[1]}",
        "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\",\"parts\":[null]}",
        "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\","
        "\"parts\":[{\"part_number\":1}]}",
        "{\"upload_type\":\"multipart\",\"file_path\":\"/p\",\"parts\":[" BARE("1") "]}",
        "{\"upload_type\":\"multipart\",\"upload_id\":\"\",\"file_path\":\"/p\","
        "\"parts\":[" BARE("1") "]}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\",\"is_conflict\":\"maybe\"}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\",\"is_conflict\":2}",
        "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\",\"is_conflict\":[]}",
        "{\"is_conflict\":true,\"upload_data\":{\"upload_type\":\"x\"," U "}}",
        "{\"is_conflict\":false,\"conflict_file_id\":\"f\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        refuse(bodies[i], 10);
}

static void conflicts_are_found_wherever_they_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *body, *id;
        size_t part_count;
    } cases[] = {
        {"{\"is_conflict\":true,\"conflict_file_id\":\"f1\"}", "f1", 0},
        {"{\"is_conflict\":\"true\",\"conflict_file_id\":17}", "17", 0},
        {"{\"is_conflict\":true}", NULL, 0},
        {"{\"is_conflict\":true,\"upload_data\":null}", NULL, 0},
        {"{\"is_conflict\":true,\"conflict_file_id\":\"f1\",\"upload_data\":{}}", "f1", 0},
        {"{\"is_conflict\":true,\"upload_data\":{\"upload_type\":\"single\",\"parts\":[]}}", NULL,
         0},
        {"{\"conflict_file_id\":\"f1\"}", "f1", 0},
        {"{\"upload_data\":{\"is_conflict\":true,\"conflict_file_id\":\"f2\","
         "\"upload_type\":\"single\"," U ",\"file_path\":\"/p\"}}",
         "f2", 1},
        {"{\"is_conflict\":true,\"conflict_file_id\":\"f3\",\"upload_data\":{\"is_conflict\":false,"
         "\"upload_type\":\"single\"," U ",\"file_path\":\"/p\"}}",
         "f3", 1},
        {"{\"is_conflict\":true,\"conflict_file_id\":\"a\\nb\",\"upload_type\":\"single\"," U
         ",\"file_path\":\"/p\"}",
         NULL, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_session session = accept(cases[i].body, 10);
        assert_true(session.is_conflict);
        assert_int_equal(session.part_count, cases[i].part_count);
        if (cases[i].id)
            assert_string_equal(session.conflict_file_id, cases[i].id);
        else
            assert_null(session.conflict_file_id);
        assert_non_null(session.file_name);
        wire_session_release(&session);
    }
}

static void last_of_two_equal_keys_wins(void **state)
{
    (void)state;
    struct wire_session session =
        accept("{\"upload_type\":\"x\",\"upload_type\":\"single\"," U ",\"file_path\":\"/p\"}", 1);
    wire_session_release(&session);
}

static void nesting_is_limited(void **state)
{
    (void)state;
    char body[512];
    for (int depth = 8; depth <= 100; depth += 4) {
        struct wire_session session;
        int used = snprintf(body, sizeof body,
                            "{\"upload_type\":\"single\"," U ",\"file_path\":\"/p\",\"x\":");
        memset(body + used, '[', (size_t)depth);
        memset(body + used + depth, ']', (size_t)depth);
        memcpy(body + used + 2 * depth, "}", 2);
        int rc = decode(body, 1, &session, NULL);
        assert_int_equal(rc, depth < LIMIT_JSON_DEPTH ? 0 : -ERR_BAD_REPLY);
        wire_session_release(&session);
    }
}

static void a_body_over_its_limit_is_refused(void **state)
{
    (void)state;
    size_t size = LIMIT_REPLY_BYTES + 2;
    char *body = malloc(size);
    assert_non_null(body);
    memset(body, ' ', size);
    memcpy(body, "{}", 2);
    body[size - 1] = '\0';
    refuse(body, 1);
    /* As large as it may be, of the shape that costs json-c the most. */
    for (size_t i = 0; i + 3 < size; i += 3)
        memcpy(body + i, "[],", 3);
    body[0] = '[';
    body[LIMIT_REPLY_BYTES - 1] = '\0';
    refuse(body, 1);
    free(body);
}

static void too_many_parts_are_refused(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 4 * 1024 * 1024);
    buf_puts(&body, "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\","
                    "\"parts\":[");
    for (int i = 1; i <= LIMIT_PARTS; i++)
        buf_printf(&body, "%s{\"part_number\":%d," U "}", i > 1 ? "," : "", i);
    size_t len = body.len;
    buf_puts(&body, "]}");
    struct wire_session session = accept(buf_str(&body), 20000);
    assert_int_equal(session.part_count, LIMIT_PARTS);
    wire_session_release(&session);
    body.len = len;
    buf_printf(&body, ",{\"part_number\":%d," U "}]}", LIMIT_PARTS + 1);
    refuse(buf_str(&body), 20002);
    buf_release(&body);
}

/* ---- properties ------------------------------------------------------------------------- */

static void append_part(struct buf *body, int part_no, int64_t start, int64_t end)
{
    buf_printf(body, "%s{\"part_number\":%d," U, part_no > 1 ? "," : "", part_no);
    if (end >= 0)
        buf_printf(body, ",\"start_byte\":%" PRId64 ",\"end_byte\":%" PRId64, start, end);
    buf_puts(body, "}");
}

static void check_cover(const struct wire_session *session, int64_t size_bytes)
{
    int64_t at = 0;
    int last = 0;
    for (size_t i = 0; i < session->part_count; i++) {
        assert_true(session->parts[i].start == at);
        assert_true(session->parts[i].len > 0);
        assert_true(session->parts[i].part_no > last && session->parts[i].part_no <= LIMIT_PARTS);
        last = session->parts[i].part_no;
        at += session->parts[i].len;
    }
    assert_true(at == size_bytes);
}

/* Cuts size bytes at random; damage moves one edge by one. */
static void build_plan(struct rng *rng, int64_t size_bytes, int count, int damage, struct buf *body)
{
    int hurt = damage ? 1 + (int)rng_below(rng, (uint64_t)count) : 0;
    int side = (int)rng_below(rng, 2);
    int64_t shift = rng_below(rng, 2) ? 1 : -1;
    int64_t at = 0;
    buf_reset(body);
    buf_puts(body, "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\","
                   "\"parts\":[");
    for (int no = 1; no <= count; no++) {
        int64_t spare = size_bytes - at - (count - no);
        int64_t len = no == count ? spare : 1 + (int64_t)rng_below(rng, (uint64_t)spare);
        int64_t start = at + (no == hurt && !side ? shift : 0);
        int64_t end = at + len - 1 + (no == hurt && side ? shift : 0);
        /* A negative end would leave the range out: hurt the start instead. */
        if (end < 0) {
            start += 1;
            end = at + len - 1;
        }
        append_part(body, no, start, end);
        at += len;
    }
    buf_puts(body, "]}");
}

static void random_plans_are_taken_whole_and_refused_when_one_edge_moves(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %" PRIu64 "\n", seed);
    struct rng rng;
    rng_seed(&rng, seed);
    struct buf body;
    buf_init(&body, 1024 * 1024);
    for (int round = 0; round < 3000; round++) {
        int count = 1 + (int)rng_below(&rng, 40);
        int64_t size_bytes =
            count + (int64_t)rng_below(&rng, rng_below(&rng, 2) ? 100 : UINT64_C(5) << 40);
        build_plan(&rng, size_bytes, count, 0, &body);
        struct wire_session session = accept(buf_str(&body), size_bytes);
        assert_int_equal(session.part_count, count);
        check_cover(&session, size_bytes);
        wire_session_release(&session);
        build_plan(&rng, size_bytes, count, 1, &body);
        refuse(buf_str(&body), size_bytes);
    }
    buf_release(&body);
}

static void random_equal_slices_cover_the_file_or_are_refused(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %" PRIu64 "\n", seed);
    struct rng rng;
    rng_seed(&rng, seed);
    struct buf body;
    buf_init(&body, 1024 * 1024);
    for (int round = 0; round < 2000; round++) {
        int count = 1 + (int)rng_below(&rng, 60);
        int64_t size_bytes =
            1 + (int64_t)rng_below(&rng, rng_below(&rng, 2) ? 200 : UINT64_C(5) << 40);
        buf_reset(&body);
        buf_puts(&body, "{\"upload_type\":\"multipart\",\"upload_id\":\"X\",\"file_path\":\"/p\","
                        "\"parts\":[");
        for (int no = 1; no <= count; no++)
            append_part(&body, no, 0, -1);
        buf_puts(&body, "]}");
        int64_t slice = (size_bytes + count - 1) / count;
        if (slice * (count - 1) >= size_bytes) {
            refuse(buf_str(&body), size_bytes);
            continue;
        }
        struct wire_session session = accept(buf_str(&body), size_bytes);
        check_cover(&session, size_bytes);
        for (int i = 0; i + 1 < count; i++)
            assert_true(session.parts[i].len == slice);
        wire_session_release(&session);
    }
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_upload_is_one_part_in_every_shape),
        cmocka_unit_test(name_sent_stands_in_where_the_reply_has_none),
        cmocka_unit_test(multipart_ranges_are_taken),
        cmocka_unit_test(missing_ranges_are_equal_slices_with_a_shorter_last),
        cmocka_unit_test(empty_file_is_one_empty_part),
        cmocka_unit_test(part_plans_that_do_not_cover_the_file_are_refused),
        cmocka_unit_test(replies_that_break_the_protocol_are_refused),
        cmocka_unit_test(conflicts_are_found_wherever_they_are_told),
        cmocka_unit_test(last_of_two_equal_keys_wins),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(a_body_over_its_limit_is_refused),
        cmocka_unit_test(too_many_parts_are_refused),
        cmocka_unit_test(random_plans_are_taken_whole_and_refused_when_one_edge_moves),
        cmocka_unit_test(random_equal_slices_cover_the_file_or_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
