/* MIME types: the table, signatures, what contradicts what, and what libmagic is asked for. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "scan/mime_table.h"
#include "scan/scan.h"

static void the_table_is_sorted_and_unique(void **state)
{
    (void)state;
    assert_true(mime_table_count() > 200);
    for (size_t i = 0; i < mime_table_count(); i++) {
        const struct mime_row *row = mime_table_row(i);
        if (i > 0 && strcmp(mime_table_row(i - 1)->ext, row->ext) >= 0)
            fail_msg("%s is not above %s", mime_table_row(i - 1)->ext, row->ext);
        assert_true(strlen(row->ext) <= MIME_EXT_MAX && strlen(row->type) < MIME_MAX);
        assert_non_null(strchr(row->type, '/'));
        for (const char *c = row->ext; *c; c++)
            assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c));
        if (row->strong && row->signs[0] == MIME_SIGN_NONE)
            fail_msg("%s is strong and names no signature", row->ext);
        char name[32];
        snprintf(name, sizeof name, "x.%s", row->ext);
        assert_ptr_equal(mime_table_find(name), row);
    }
}

static void extensions_are_found_in_any_case(void **state)
{
    (void)state;
    assert_string_equal(mime_by_extension("A.JPG"), "image/jpeg");
    assert_string_equal(mime_by_extension("a.b/x.tar.GZ"), "application/gzip");
    assert_string_equal(mime_by_extension("x.usdz"), "model/vnd.usdz+zip");
    assert_null(mime_by_extension("jpg"));
    assert_null(mime_by_extension(".jpg"));
    assert_null(mime_by_extension("a/.jpg"));
    assert_null(mime_by_extension("a.jpg/b"));
    assert_null(mime_by_extension("a."));
    assert_null(mime_by_extension("a.zzz"));
    assert_null(mime_by_extension("a.averyveryverylongextension"));
    assert_null(mime_by_extension(""));
}

#define BYTES(text) text, sizeof(text) - 1
#define JPEG_BYTES  BYTES("\xff\xd8\xff\xe0\0\x10JFIF")
#define PNG_BYTES   BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
#define ZIP_BYTES   BYTES("PK\3\4\x14\0\0\0\x08\0")
#define OLE_BYTES   BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
#define HEIC_BYTES     \
    BYTES("\0\0\0\x18" \
          "ftypheic\0\0\0\0mif1heic")
#define TIFF_BYTES BYTES("II*\0\x08\0\0\0\0\0\0\0")

static const struct {
    const char *name;
    const char *head;
    size_t len;
    const char *type;
    int contradicted;
    int cheap;
} cases[] = {
    /* agreement */
    {"a.jpg", JPEG_BYTES, "image/jpeg", 0, 1},
    {"a.png", PNG_BYTES, "image/png", 0, 1},
    {"a.gif", BYTES("GIF89a"), "image/gif", 0, 1},
    {"a.webp", BYTES("RIFF\x10\0\0\0WEBPVP8 "), "image/webp", 0, 1},
    {"a.bmp", BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), "image/bmp", 0, 1},
    {"a.tif", TIFF_BYTES, "image/tiff", 0, 1},
    {"a.nef", TIFF_BYTES, "image/x-nikon-nef", 0, 1},
    {"a.dng", BYTES("MM\0*\0\0\0\x08"), "image/x-adobe-dng", 0, 1},
    {"a.cr2", BYTES("II*\0\x10\0\0\0CR\2\0"), "image/x-canon-cr2", 0, 1},
    {"a.cr3",
     BYTES("\0\0\0\x18"
           "ftypcrx \0\0\0\1crx isom"),
     "image/x-canon-cr3", 0, 1},
    {"a.raf", BYTES("FUJIFILMCCD-RAW 0201"), "image/x-fuji-raf", 0, 1},
    {"a.orf", BYTES("IIRO\x08\0\0\0"), "image/x-olympus-orf", 0, 1},
    {"a.rw2", BYTES("IIU\0\x18\0\0\0"), "image/x-panasonic-rw2", 0, 1},
    {"a.heic", HEIC_BYTES, "image/heic", 0, 1},
    {"a.avif",
     BYTES("\0\0\0\x18"
           "ftypavif\0\0\0\0mif1"),
     "image/avif", 0, 1},
    {"a.psd", BYTES("8BPS\0\1\0\0"), "image/vnd.adobe.photoshop", 0, 1},
    {"a.psb", BYTES("8BPS\0\2\0\0"), "image/vnd.adobe.photoshop", 0, 1},
    {"a.ai", BYTES("%PDF-1.5"), "application/illustrator", 0, 1},
    {"a.ai", BYTES("%!PS-Adobe-3.0"), "application/illustrator", 0, 1},
    {"a.eps", BYTES("\xc5\xd0\xd3\xc6\x1e\0\0\0"), "application/postscript", 0, 1},
    {"a.indd",
     BYTES("\x06\x06\xed\xf5\xd8\x1d\x46\xe5\xbd\x31\xef\xe7\xfe\x74\xb7\x1d"
           "DOCUMENT"),
     "application/x-indesign", 0, 1},
    {"a.idml", ZIP_BYTES, "application/vnd.adobe.indesign-idml-package", 0, 1},
    {"a.usdz", ZIP_BYTES, "model/vnd.usdz+zip", 0, 1},
    {"a.3mf", ZIP_BYTES, "model/3mf", 0, 1},
    {"a.glb", BYTES("glTF\2\0\0\0"), "model/gltf-binary", 0, 1},
    {"a.fbx", BYTES("Kaydara FBX Binary  \0\x1a\0"), "model/fbx", 0, 1},
    {"a.docx", ZIP_BYTES, "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     0, 1},
    {"a.docx", OLE_BYTES, "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     0, 1}, /* encrypted */
    {"a.xls", OLE_BYTES, "application/vnd.ms-excel", 0, 1},
    {"a.mp4",
     BYTES("\0\0\0\x18"
           "ftypisom\0\0\2\0isom"),
     "video/mp4", 0, 1},
    {"a.mov",
     BYTES("\0\0\0\x14"
           "ftypqt  \0\0\0\0qt  "),
     "video/quicktime", 0, 1},
    {"a.mov", BYTES("\0\0\x10\0moov\0\0\0\x6cmvhd"), "video/quicktime", 0, 1},
    {"a.mov",
     BYTES("\0\0\0\x18"
           "ftypmp42\0\0\0\0isom"),
     "video/quicktime", 0, 1},
    {"a.mxf", BYTES("\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01"), "application/mxf", 0, 1},
    {"a.mkv", BYTES("\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska"), "video/x-matroska", 0, 1},
    {"a.webm", BYTES("\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm"), "video/webm", 0, 1},
    {"a.avi", BYTES("RIFF\x10\0\0\0AVI LIST"), "video/x-msvideo", 0, 1},
    {"a.mp3", BYTES("ID3\3\0\0\0\0"), "audio/mpeg", 0, 1},
    {"a.mp3", BYTES("\xff\xfb\x90\x64"), "audio/mpeg", 0, 1},
    {"a.wav", BYTES("RIFF\x10\0\0\0WAVEfmt "), "audio/x-wav", 0, 1},
    {"a.flac", BYTES("fLaC\0\0\0\x22"), "audio/flac", 0, 1},
    {"a.ogg", BYTES("OggS\0\2"), "audio/ogg", 0, 1},
    {"a.svg", BYTES("\xef\xbb\xbf<svg xmlns='x'>"), "image/svg+xml", 0, 1},
    {"a.svg", BYTES("\x1f\x8b\x08\0"), "image/svg+xml", 0, 1},
    {"a.pdf", BYTES("%PDF-1.7"), "application/pdf", 0, 1},
    {"a.7z", BYTES("7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed", 0, 1},
    {"a.rar", BYTES("Rar!\x1a\7\1\0"), "application/vnd.rar", 0, 1},
    {"a.woff2", BYTES("wOF2OTTO"), "font/woff2", 0, 1},
    /* weak formats: whatever text they hold, the extension decides */
    {"a.css", BYTES("body{}"), "text/css", 0, 1},
    {"a.css", BYTES("<html>"), "text/css", 0, 1},
    {"a.csv", BYTES("a;b;c\n1;2;3\n"), "text/csv", 0, 1},
    {"a.js", BYTES("import x from 'y'"), "text/javascript", 0, 1},
    {"a.json", BYTES("{}"), "application/json", 0, 1},
    {"a.txt", BYTES("<?xml version='1.0'?><a/>"), "text/plain", 0, 1},
    {"a.txt", BYTES("The free text"), "text/plain", 0, 1},
    {"a.xmp", BYTES("<?xpacket begin=''?><x:xmpmeta>"), "application/rdf+xml", 0, 1},
    {"a.md", BYTES("# title"), "text/markdown", 0, 1},
    /* contradictions */
    {"a.jpg", PNG_BYTES, "image/png", 1, 1},
    {"a.jpg", HEIC_BYTES, "image/heic", 1, 1},
    {"a.png", JPEG_BYTES, "image/jpeg", 1, 1},
    {"a.heic", JPEG_BYTES, "image/jpeg", 1, 1},
    {"a.heic",
     BYTES("\0\0\0\x1c"
           "ftypmif1\0\0\0\0mif1avifmiaf"),
     "image/avif", 1, 1},
    {"a.mp4", HEIC_BYTES, "image/heic", 1, 1},
    {"a.txt", PNG_BYTES, "image/png", 1, 1},
    {"a.jpg", BYTES("%PDF-1.7"), "application/pdf", 1, 1},
    {"a.jpg", BYTES("<!DOCTYPE html><html><body>404</body></html>"), "text/html", 1, 0},
    {"a.jpg", ZIP_BYTES, "application/zip", 1, 0},
    {"a.png", BYTES("<?xml version='1.0'?>\n<!-- x --><svg>"), "image/svg+xml", 1, 1},
    {"a.pdf",
     BYTES("\x7f"
           "ELF"),
     "application/pdf", 0, 1},
    {"a.png", BYTES("just text"), "image/png", 0, 1},
    {"a.jpg", BYTES("\1\2\3\4\5\6\7"), "image/jpeg", 0, 1},
    /* no or unknown extension */
    {"photo", JPEG_BYTES, "image/jpeg", 0, 1},
    {"photo.zzz", PNG_BYTES, "image/png", 0, 1},
    {"x", HEIC_BYTES, "image/heic", 0, 1},
    {"x",
     BYTES("\0\0\0\x18"
           "ftypM4A \0\0\0\0"),
     "audio/mp4", 0, 1},
    {"x", TIFF_BYTES, "image/tiff", 0, 0},
    {"x", ZIP_BYTES, "application/zip", 0, 0},
    {"x", BYTES("plain words and nothing else\n"), "text/plain", 0, 0},
    {"x", BYTES("\1\2\3\4\5\6\7"), "application/octet-stream", 0, 0},
    {"x",
     BYTES("<?xml version='1.0' encoding='UTF-8'?>\n<!DOCTYPE svg [<!ENTITY a \"b\">]>\n<svg/>"),
     "image/svg+xml", 0, 1},
    {"x", BYTES("#!/bin/sh\necho hello\n"), "text/x-shellscript", 0, 0},
    /* empty */
    {"a.jpg", BYTES(""), "image/jpeg", 0, 1},
    {"a", BYTES(""), "application/octet-stream", 0, 1},
};

static void names_and_heads_give_the_type(void **state)
{
    (void)state;
    struct mime *mime = mime_new();
    assert_non_null(mime);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char type[MIME_MAX];
        int contradicted = -1;
        mime_type(mime, cases[i].name, cases[i].head, cases[i].len, type, &contradicted);
        int cheap = mime_is_cheap(cases[i].name, cases[i].head, cases[i].len);
        if (strcmp(type, cases[i].type) != 0 || contradicted != cases[i].contradicted ||
            cheap != cases[i].cheap)
            fail_msg("row %zu: %s: %s, contradicted %d, cheap %d", i, cases[i].name, type,
                     contradicted, cheap);
    }
    mime_free(mime);
}

static void a_head_may_end_anywhere(void **state)
{
    (void)state;
    struct mime *mime = mime_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t len = 0; len < cases[i].len; len++) {
            /* A copy of its very size, so that a sanitizer sees one byte too far. */
            char *head = malloc(len ? len : 1);
            memcpy(head, cases[i].head, len);
            char type[MIME_MAX] = "";
            int contradicted;
            if (mime_is_cheap(cases[i].name, head, len))
                mime_type(mime, cases[i].name, head, len, type, &contradicted);
            assert_true(strncmp(type, "inode", 5) != 0);
            free(head);
        }
    }
    mime_free(mime);
}

static void transport_streams_and_tar_are_told_by_what_lies_deeper(void **state)
{
    (void)state;
    unsigned char head[600] = {0};
    struct mime *mime = mime_new();
    char type[MIME_MAX];
    int contradicted;
    head[0] = head[188] = head[376] = 0x47;
    mime_type(mime, "a.ts", head, sizeof head, type, &contradicted);
    assert_string_equal(type, "video/mp2t");
    memset(head, 0, sizeof head);
    memcpy(head + 257, "ustar", 5);
    mime_type(mime, "backup", head, sizeof head, type, &contradicted);
    assert_string_equal(type, "application/x-tar");
    mime_free(mime);
}

static void known_extensions_cost_little(void **state)
{
    (void)state;
    static char head[16384] = "\xff\xd8\xff\xe0";
    struct mime *mime = mime_new();
    char type[MIME_MAX];
    int contradicted;
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 100000; i++)
        mime_type(mime, i % 2 ? "DSC_0001.JPG" : "style.css", head + (i % 2 ? 0 : 100), 16000, type,
                  &contradicted);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double us =
        ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / 1e3 /
        100000;
    printf("%.3f us a file\n", us);
    assert_true(us < 60); /* ten times the target: sanitizers and busy machines */
    mime_free(mime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_unique),
        cmocka_unit_test(extensions_are_found_in_any_case),
        cmocka_unit_test(names_and_heads_give_the_type),
        cmocka_unit_test(a_head_may_end_anywhere),
        cmocka_unit_test(transport_streams_and_tar_are_told_by_what_lies_deeper),
        cmocka_unit_test(known_extensions_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
