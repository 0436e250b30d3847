/*
 * standalone.c - a fuzz target without libFuzzer: each file of its corpus once, as a regression
 * test. Prints what cmocka would, so that tests/run.py counts the files. A finding aborts.
 *
 *   test_fuzz_TARGET [FILE|FOLDER...]     default: the corpus of the target
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, const char *name)
{
    struct stat st;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &st)) {
        printf("[  ERROR   ] %s: cannot be read\n", name);
        return 1;
    }
    size_t size = (size_t)st.st_size;
    /* A copy of its very size, so that a sanitizer sees one byte too far. */
    uint8_t *data = malloc(size ? size : 1);
    int rc = !data || fread(data, 1, size, file) != size;
    fclose(file);
    printf("[ RUN      ] %s\n", name);
    fflush(stdout);
    if (!rc)
        LLVMFuzzerTestOneInput(data, size);
    printf(rc ? "[  FAILED  ] %s\n" : "[       OK ] %s\n", name);
    free(data);
    return rc;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int run_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_shown, alphasort);
    int rc = count <= 0;
    if (rc)
        printf("[  ERROR   ] no corpus in %s\n", folder);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        rc |= run_file(path, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return rc;
}

static int run(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path, path);
}

int main(int argc, char **argv)
{
    int rc = argc > 1 ? 0 : run(FUZZ_CORPUS);
    for (int i = 1; i < argc; i++)
        rc |= run(argv[i]);
    return rc;
}
