/*
 * mime_bench.c - microseconds to type a file of a known extension, as prepare does it: the name
 * and the head of the file. Prints one JSON line; FILES names it types (1,000,000).
 *
 *   mime_bench [FILES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scan/scan.h"

static const struct {
    const char *name;
    const char *head;
    size_t len;
} samples[] = {
    {"IMG_0001_front.jpg", "\xFF\xD8\xFF\xE0\0\x10JFIF\0\1", 12},
    {"IMG_0002_back.JPG",
     "\xFF\xD8\xFF\xE1\0\x10"
     "Exif\0",
     12},
    {"packshot.png", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16},
    {"print.tif", "II*\0\x08\0\0\0", 8},
    {"layers.psd", "8BPS\0\1", 6},
    {"manual.pdf", "%PDF-1.7\n", 9},
    {"clip.mp4",
     "\0\0\0\x18"
     "ftypmp42\0\0\0\0mp42isom",
     24},
    {"reel.mov",
     "\0\0\0\x14"
     "ftypqt  \0\0\0\0qt  ",
     20},
    {"logo.svg", "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\">", 62},
    {"sheet.xlsx", "PK\3\4\x14\0\6\0\x08\0\0\0", 12},
    {"zeros.jpg", "\0\0\0\0\0\0\0\0", 8},
};

int main(int argc, char **argv)
{
    enum { SAMPLES = sizeof samples / sizeof *samples };
    static char heads[SAMPLES][LIMIT_SNIFF_BYTES];
    long files = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
    struct mime *mime = mime_new();
    char type[MIME_MAX];
    size_t lengths = 0;
    struct timespec begun, ended;
    if (!mime || files < 1)
        return 1;
    for (size_t i = 0; i < SAMPLES; i++)
        memcpy(heads[i], samples[i].head, samples[i].len);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (long i = 0; i < files; i++) {
        size_t which = (size_t)i % SAMPLES;
        int contradicted;
        mime_type(mime, samples[which].name, heads[which], sizeof heads[which], type,
                  &contradicted);
        lengths += strlen(type);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double took_s =
        (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("{\"files\":%ld,\"us_per_file\":%.4f,\"lengths\":%zu}\n", files,
           took_s * 1e6 / (double)files, lengths);
    mime_free(mime);
    return 0;
}
