/* Runs a target once on every file that is named, and on every file of a folder that is named: so the corpora are ordinary
 * tests, with any compiler. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { LARGEST_INPUT = 1 << 20, LONGEST_PATH = 1024 };

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(LARGEST_INPUT), *exact;
    size_t size;

    CLAIM(bytes != NULL);
    if (!file) {
        free(bytes);
        return false;
    }
    size = fread(bytes, 1, LARGEST_INPUT, file);
    (void)fclose(file);
    exact = realloc(bytes, size > 0 ? size : 1); /* so that sanitizers see a byte that is read behind it */
    CLAIM(exact != NULL);
    (void)fprintf(stderr, "%s\n", path);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return true;
}

static size_t replay_folder(const char *folder, DIR *stream)
{
    const struct dirent *entry;
    char path[LONGEST_PATH];
    size_t replayed = 0;

    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        CLAIM(snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < LONGEST_PATH);
        replayed += replay_file(path);
    }
    (void)closedir(stream);
    return replayed;
}

int main(int argc, char **argv)
{
    size_t replayed = 0;

    for (int i = 1; i < argc; i++) {
        DIR *stream = opendir(argv[i]);

        replayed += stream ? replay_folder(argv[i], stream) : replay_file(argv[i]);
    }
    (void)printf("%zu inputs\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
