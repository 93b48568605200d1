#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t chance_seed(void)
{
    const char *given = getenv("HABIT_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20261122;

    print_message("HABIT_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed * 2654435761u + 1;
}

uint64_t chance(uint64_t *seed) /* splitmix64 */
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint32_t chance_below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(chance(seed) % n);
}

void directory_make(char path[PATH_SIZE])
{
    const char *base = getenv("TMPDIR");

    snprintf(path, PATH_SIZE, "%s/habit-test-XXXXXX", base && base[0] ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

void directory_remove(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)))
        unlinkat(dirfd(directory), entry->d_name, 0); /* "." and ".." stay */
    closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

void *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long length;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    bytes = malloc((size_t)length + 1);
    assert_non_null(bytes);
    *size = fread(bytes, 1, (size_t)length, file);
    assert_int_equal(*size, length);
    bytes[length] = '\0';
    fclose(file);
    return bytes;
}
