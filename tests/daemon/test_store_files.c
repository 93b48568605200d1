/* Files that are not for us are left as they are, to the byte. */
#include "store_bench.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------- files that are not for us */

/* Opens what must be refused: the code, a message that names the file, and not a byte changed. */
static void check_refused(const char *path, int code, const char *word)
{
    char wal[PATH_SIZE + 32];
    struct store *store = NULL;
    size_t size, size_after, wal_size = 0, wal_after = 0;
    void *before = file_read(path, &size), *after, *log = NULL, *log_after = NULL;
    int r;

    snprintf(wal, sizeof(wal), "%s-wal", path);
    if (access(wal, F_OK) == 0)
        log = file_read(wal, &wal_size);
    memset(message, 0, sizeof(message));
    r = store_open(&store, path, message);
    if (r != code)
        fail_msg("%d, not %d: %s", r, code, message);
    assert_null(store);
    if (!strstr(message, path) || !strstr(message, word))
        fail_msg("'%s' says nothing of '%s'", message, word);
    after = file_read(path, &size_after);
    if (size != size_after || memcmp(before, after, size) != 0)
        fail_msg("%s: the file was changed", message);
    if (log) {
        log_after = file_read(wal, &wal_after);
        if (wal_size != wal_after || memcmp(log, log_after, wal_size) != 0)
            fail_msg("%s: the -wal file was changed", message);
    }
    free(before);
    free(after);
    free(log);
    free(log_after);
}

static void close_store(struct bench *bench)
{
    bench->store = store_close(bench->store);
}

static void write_bytes(const char *path, long offset, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

static void test_newer_file(void **state)
{
    struct bench *bench = *state;

    create_with_history(bench);
    close_store(bench);
    database_run(bench->path, "PRAGMA user_version = 99");
    check_refused(bench->path, STORE_E_NEWER, "later version");
    database_run(bench->path, "PRAGMA journal_mode = DELETE"); /* in another form it stays in that form */
    check_refused(bench->path, STORE_E_NEWER, "later version");
}

/* The later version was killed: what it had committed is in its -wal file, and shall stay there. */
static void test_newer_file_of_a_killed_daemon(void **state)
{
    struct bench *bench = *state;
    char copy[PATH_SIZE + 32], log[PATH_SIZE + 40];
    size_t size, log_size;
    void *bytes, *log_bytes;
    sqlite3 *other;

    create_with_history(bench);
    close_store(bench);
    assert_int_equal(sqlite3_open(bench->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    snprintf(log, sizeof(log), "%s-wal", bench->path);
    bytes = file_read(bench->path, &size);
    log_bytes = file_read(log, &log_size);
    assert_true(log_size > 0);
    sqlite3_close(other);
    snprintf(copy, sizeof(copy), "%s/copy.db", bench->directory);
    write_bytes(copy, 0, bytes, size);
    snprintf(log, sizeof(log), "%s-wal", copy);
    write_bytes(log, 0, log_bytes, log_size);
    free(bytes);
    free(log_bytes);
    check_refused(copy, STORE_E_NEWER, "later version");
}

static void test_foreign_files(void **state)
{
    static const char text[] = "This is a letter to somebody, and not a database at all.\n";
    struct bench *bench = *state;
    char path[PATH_SIZE + 16], many[20000];

    snprintf(path, sizeof(path), "%s/letter", bench->directory);
    write_bytes(path, 0, text, sizeof(text) - 1);
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    snprintf(path, sizeof(path), "%s/noise", bench->directory);
    memset(many, 0x5a, sizeof(many));
    write_bytes(path, 0, many, sizeof(many));
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    snprintf(path, sizeof(path), "%s/cookies.db", bench->directory); /* somebody else's database */
    database_run(path, "CREATE TABLE cookie (name TEXT); INSERT INTO cookie VALUES ('chocolate')");
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    database_run(path, "PRAGMA user_version = 1");
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    database_run(path, "PRAGMA user_version = 99; PRAGMA application_id = 7; PRAGMA journal_mode = WAL");
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
}

static void test_damaged_pages(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench);
    char noise[4096];
    size_t size;
    char *original;

    for (int i = 0; i < 30; i++) {
        struct parts parts;

        make_parts(&parts, bench, machine, 2);
        must_commit(bench, &parts.change);
    }
    close_store(bench);
    database_run(bench->path, "PRAGMA incremental_vacuum"); /* free pages hold nothing that could be damaged */
    original = file_read(bench->path, &size);
    memset(noise, 0xdb, sizeof(noise));
    for (size_t page = 1; page < size / sizeof(noise); page++) {
        if (page == 1)
            continue; /* the second is the pointer map of auto_vacuum: quick_check does not read it all */
        write_bytes(bench->path, (long)(page * sizeof(noise)), noise, sizeof(noise));
        if (database_number(bench->path, "SELECT 1") == 1 && store_open(&bench->store, bench->path, message) == 0)
            fail_msg("page %zu of %zu: not seen", page + 1, size / sizeof(noise));
        check_refused(bench->path, STORE_E_DAMAGED, "damaged");
        write_bytes(bench->path, (long)(page * sizeof(noise)), original + page * sizeof(noise), sizeof(noise));
    }
    free(original);
    reopen(bench); /* whole again */
}

static void test_truncated_file(void **state)
{
    struct bench *bench = *state;
    struct stat file;

    create_with_history(bench);
    close_store(bench);
    assert_int_equal(stat(bench->path, &file), 0);
    assert_int_equal(truncate(bench->path, file.st_size / 2 / 4096 * 4096), 0);
    check_refused(bench->path, STORE_E_DAMAGED, "damaged");
}

static void test_in_use(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct parts parts;

    check_refused(bench->path, STORE_E_IN_USE, "another habitd");
    make_parts(&parts, bench, machine, 1); /* the first one is unharmed */
    must_commit(bench, &parts.change);
    check_loaded(load(bench, machine), &parts);
    close_store(bench);
    reopen(bench); /* and the lock goes with it */
}

static void test_places_that_cannot_be(void **state)
{
    struct bench *bench = *state;
    struct store *store = NULL;
    char path[PATH_SIZE + 32];

    snprintf(path, sizeof(path), "%s/none/habit.db", bench->directory);
    assert_true(store_open(&store, path, message) < 0);
    assert_non_null(strstr(message, path));
    assert_true(store_open(&store, bench->directory, message) < 0);
    assert_true(message[0]);
    assert_null(store);
    snprintf(path, sizeof(path), "%s.lock", bench->directory);
    unlink(path);
}

static void test_empty_file_is_a_new_one(void **state)
{
    struct bench *bench = *state;
    char path[PATH_SIZE + 16];
    struct store *store = NULL;

    snprintf(path, sizeof(path), "%s/empty.db", bench->directory);
    write_bytes(path, 0, "", 0);
    assert_int_equal(store_open(&store, path, message), 0);
    store_close(store);
    assert_int_equal(database_number(path, "PRAGMA auto_vacuum"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newer_file),
        TEST(test_newer_file_of_a_killed_daemon),
        TEST(test_foreign_files),
        TEST(test_damaged_pages),
        TEST(test_truncated_file),
        TEST(test_in_use),
        TEST(test_places_that_cannot_be),
        TEST(test_empty_file_is_a_new_one),
    };

    return cmocka_run_group_tests_name("store_files", tests, NULL, NULL);
}
