#include "support.h"

#include <dirent.h>
#include <sqlite3.h>
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

static sqlite3 *database_open(const char *path)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 5000);
    return database;
}

void database_run(const char *path, const char *text)
{
    sqlite3 *database = database_open(path);

    if (sqlite3_exec(database, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(database));
    sqlite3_close(database);
}

int64_t database_number(const char *path, const char *text)
{
    sqlite3 *database = database_open(path);
    sqlite3_stmt *statement;
    int64_t number = -1;

    if (sqlite3_prepare_v2(database, text, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(database));
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

void database_spoil(const char *path, const char *table, int n)
{
    static const unsigned char spoiled[64] = { 0xff, 0xff };
    int64_t page, size = database_number(path, "PRAGMA page_size");
    char text[120];
    FILE *file;

    database_run(path, "PRAGMA wal_checkpoint(TRUNCATE)");
    snprintf(text, sizeof(text),
             "SELECT pageno FROM dbstat WHERE name = '%s' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET %d", table,
             n);
    page = database_number(path, text);
    assert_true(page > 1);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)((page - 1) * size), SEEK_SET), 0);
    assert_int_equal(fwrite(spoiled, 1, sizeof(spoiled), file), sizeof(spoiled));
    assert_int_equal(fclose(file), 0);
    database_run(path,
                 "UPDATE machine SET created = created + 1"); /* after somebody else's commit pages are read again */
}
