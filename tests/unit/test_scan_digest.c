/* MD5: RFC 1321's vectors, in pieces, and an OpenSSL that will not give it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "scan/scan.h"

static void expect(struct digest *digest, const char *hex)
{
    unsigned char raw[16];
    char text[33];
    digest_final(digest, raw);
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", raw[i]);
    assert_string_equal(text, hex);
}

static void known_digests_come_out(void **state)
{
    (void)state;
    struct digest digest;
    assert_int_equal(digest_init(&digest), 0);
    expect(&digest, "d41d8cd98f00b204e9800998ecf8427e");
    digest_reset(&digest);
    digest_update(&digest, "message digest", 14);
    expect(&digest, "f96b697d7cb7938d525a2f31aaf161d0");
    digest_release(&digest);
}

static void pieces_make_the_whole(void **state)
{
    (void)state;
    struct digest digest;
    assert_int_equal(digest_init(&digest), 0);
    for (int i = 0; i < 3; i++) {
        digest_reset(&digest);
        digest_update(&digest, "message", 7);
        digest_update(&digest, "", 0);
        digest_update(&digest, " digest", 7);
        if (i < 2)
            continue; /* a reset drops what was begun */
        expect(&digest, "f96b697d7cb7938d525a2f31aaf161d0");
    }
    digest_release(&digest);
    digest_release(&digest);
}

/* Of any number and any lengths, what OpenSSL says of each alone. */
static void many_are_as_each_alone(void **state)
{
    (void)state;
    static unsigned char bytes[1500];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 131 + i / 7);
    struct digest digest;
    assert_int_equal(digest_init(&digest), 0);
    for (size_t round = 0; round < 600; round++) {
        const void *data[DIGEST_LANES];
        size_t len[DIGEST_LANES];
        unsigned char got[DIGEST_LANES][16];
        size_t count = round % (DIGEST_LANES + 1);
        for (size_t i = 0; i < count; i++) {
            data[i] = bytes + i * 3;
            len[i] = i % 2 ? round : round * (i + 7) * 13 % 1400;
        }
        digest_many(data, len, count, got);
        for (size_t i = 0; i < count; i++) {
            unsigned char alone[16];
            digest_reset(&digest);
            digest_update(&digest, data[i], len[i]);
            digest_final(&digest, alone);
            assert_memory_equal(got[i], alone, sizeof alone);
        }
    }
    digest_release(&digest);
}

/* Of a file on disk; one range too many ends where the file does. */
static void ranges_are_as_each_alone(void **state)
{
    (void)state;
    enum { BYTES = 3 * DIGEST_LANE_BYTES + 77 };
    static unsigned char bytes[BYTES];
    static unsigned char room[DIGEST_LANES * DIGEST_LANE_BYTES];
    char path[] = "/tmp/digest-XXXXXX";
    struct digest digest;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * 131 + i / 7);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, BYTES), BYTES);
    close(fd);
    struct source *source;
    struct file_stamp stamp;
    struct err errors[DIGEST_LANES];
    struct err err = ERR_INIT;
    assert_int_equal(source_open(path, "", 0, &source, &stamp, &err), 0);
    static const int64_t starts[] = {0, 1, 0, 5, 64, BYTES - 3, 0, 9};
    static const int64_t lens[] = {BYTES, DIGEST_LANE_BYTES, 2 * DIGEST_LANE_BYTES,     0, 55,
                                   3,     BYTES + 1,         2 * DIGEST_LANE_BYTES + 64};
    struct digest_range ranges[DIGEST_LANES];
    unsigned char got[DIGEST_LANES][16];
    for (int i = 0; i < DIGEST_LANES; i++)
        ranges[i] = (struct digest_range){source, starts[i], lens[i], &errors[i], got[i], 0};
    digest_ranges(ranges, DIGEST_LANES, room);
    assert_int_equal(digest_init(&digest), 0);
    for (int i = 0; i < DIGEST_LANES; i++) {
        unsigned char alone[16];
        assert_int_equal(ranges[i].rc, i == 6 ? -ERR_SOURCE_CHANGED : 0);
        if (i == 6)
            continue;
        digest_reset(&digest);
        digest_update(&digest, bytes + starts[i], (size_t)lens[i]);
        digest_final(&digest, alone);
        assert_memory_equal(got[i], alone, sizeof alone);
    }
    digest_release(&digest);
    source_close(source);
    unlink(path);
}

static void without_md5_init_says_so(void **state)
{
    (void)state;
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    struct digest digest;
    assert_int_equal(digest_init(&digest), -ERR_INTERNAL);
    assert_null(digest.ctx);
    digest_release(&digest);
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(digest_init(&digest), 0);
    digest_release(&digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests_come_out),   cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(many_are_as_each_alone),   cmocka_unit_test(ranges_are_as_each_alone),
        cmocka_unit_test(without_md5_init_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
