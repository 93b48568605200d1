/* A copy takes the place of a store. It is made ready under another name, and comes into force by one rename, so that after a power cut
 * either the old store or the new one is there, whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"

static int complain(char message[STORE_MESSAGE_SIZE], const char *file, int r)
{
    snprintf(message, STORE_MESSAGE_SIZE, "%s: %s; nothing was changed", file, strerror(-r));
    return fault(r);
}

/* -------------------------------------------------------------------------------------------------------- copying */

static int pump(int from, int to)
{
    char bytes[65536];
    ssize_t got;

    while ((got = read(from, bytes, sizeof(bytes))) > 0)
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, bytes + done, (size_t)(got - done));

            if (put < 0 && errno != EINTR)
                return -errno;
            done += put > 0 ? put : 0;
        }
    return got < 0 ? -errno : 0;
}

/* What is checked later is this copy, whatever becomes of the file. */
static int take_copy(const char *from, const char *fresh, char message[STORE_MESSAGE_SIZE])
{
    int source = open(from, O_RDONLY | O_CLOEXEC), copy, r;

    if (source < 0)
        return complain(message, from, -errno);
    copy = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    r = copy < 0 ? -errno : pump(source, copy);
    if (r == 0)
        r = store_own_as_folder(fresh, copy);
    close(source);
    if (copy >= 0)
        close(copy);
    return r < 0 ? complain(message, fresh, r) : 0;
}

/* Whether a database keeps a log beside it, by its header. A stray one beside a backup is none of it. */
static bool has_log(const char *path)
{
    enum { READ_VERSION = 19, LOGGED = 2 };
    unsigned char header[HEADER_SIZE] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, header, sizeof(header));

    if (fd >= 0)
        close(fd);
    return size == (ssize_t)sizeof(header) && header[READ_VERSION] == LOGGED;
}

/* What lies beside the copy while it is checked. */
static void forget_logs(const char *fresh)
{
    static const char *const endings[] = { "-wal", "-shm" };
    char path[STORE_FILE_SIZE + 8];

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", fresh, endings[i]);
        unlink(path);
    }
}

/* Of a store that nobody closed, because its gateway died, the last commits are in its log. */
static int take_copies(const char *from, const char *fresh, char message[STORE_MESSAGE_SIZE])
{
    char log[PATH_MAX + 8], fresh_log[STORE_FILE_SIZE + 8];
    int r;

    forget_logs(fresh); /* of a try that was killed */
    r = take_copy(from, fresh, message);
    if (r < 0 || !has_log(fresh))
        return r;
    snprintf(log, sizeof(log), "%s-wal", from);
    snprintf(fresh_log, sizeof(fresh_log), "%s-wal", fresh);
    return access(log, F_OK) == 0 ? take_copy(log, fresh_log, message) : 0;
}

static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;

    if (fd < 0 || fsync(fd) != 0)
        r = fault(-errno);
    if (fd >= 0)
        close(fd);
    return r;
}

/* -------------------------------------------------------------------------------------------------------- checking */

static int refuse_damaged(const char *from, const char *found, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE, "%s: damaged (%.200s); nothing was changed: restore another backup", from,
             found);
    return STORE_E_DAMAGED;
}

static int refuse_foreign(const char *from, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE, "%s: no backup of habit; nothing was changed", from);
    return STORE_E_FOREIGN;
}

/* First row of what a check says; a check of foreign keys says nothing where all is well. */
static bool says(sqlite3 *database, const char *pragma, const char *good, char *found, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, pragma, -1, &statement, NULL);

    snprintf(found, size, "cannot be read");
    if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
        snprintf(found, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    else if (result == SQLITE_DONE)
        found[0] = '\0';
    sqlite3_finalize(statement);
    return strcmp(found, good) == 0;
}

static int64_t count(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t rows = 0;

    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        rows = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rows;
}

/* The note is of this copy where it has no size. Earlier versions have none. */
static void read_note(sqlite3 *database, struct store_restored *restored)
{
    sqlite3_stmt *statement = NULL;

    restored->machines = (uint32_t)count(database, "SELECT count(*) FROM machine");
    restored->anomalies = (uint32_t)count(database, "SELECT count(*) FROM anomaly");
    if (sqlite3_prepare_v2(database, "SELECT at, gateway FROM backup WHERE size = 0", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        restored->at = sqlite3_column_int64(statement, 0);
        snprintf(restored->gateway, sizeof(restored->gateway), "%s", (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
}

static int check_open(sqlite3 *database, const char *from, struct store_restored *restored,
                      char message[STORE_MESSAGE_SIZE])
{
    char found[200];
    int version;
    int r = store_inspect(database, from, &version, message);

    if (r == STORE_E_DAMAGED)
        return refuse_damaged(from, "quick check", message);
    if (r == STORE_E_FOREIGN || (r == 0 && version == 0))
        return refuse_foreign(from, message);
    if (r != 0)
        return r;
    if (!says(database, "PRAGMA integrity_check(1)", "ok", found, sizeof(found)) ||
        !says(database, "PRAGMA foreign_key_check", "", found, sizeof(found)))
        return refuse_damaged(from, found, message);
    read_note(database, restored);
    return 0;
}

/* What the log holds goes into the file. */
static int close_log(sqlite3 *database, const char *from, char message[STORE_MESSAGE_SIZE])
{
    if (sqlite3_exec(database, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    snprintf(message, STORE_MESSAGE_SIZE, "%s: %s; nothing was changed", from, sqlite3_errmsg(database));
    return fault(-EIO);
}

static int check_copy(const char *fresh, const char *from, struct store_restored *restored,
                      char message[STORE_MESSAGE_SIZE])
{
    sqlite3 *database = NULL;
    int r = store_open_file(fresh, SQLITE_OPEN_READWRITE, &database);

    if (r == 0)
        r = store_error(
            sqlite3_exec(database, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", NULL, NULL, NULL));
    if (r == 0)
        r = check_open(database, from, restored, message);
    else
        r = refuse_foreign(from, message);
    if (r == 0) /* one file, which is what comes into force */
        r = close_log(database, from, message);
    sqlite3_close(database);
    return r;
}

/* ----------------------------------------------------------------------------------------------------- changing places */

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* What the log of the old store holds goes into its file, where that can be read. */
static void close_old(const char *path)
{
    sqlite3 *database = NULL;

    if (store_open_file(path, SQLITE_OPEN_READWRITE, &database) == 0)
        sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(database);
}

/* A second name for each of the old files, and then only the database itself stays under the first one: a log beside the new store
 * would be taken for its own. */
static int keep_old(const char *path, const char *kept)
{
    char log[STORE_FILE_SIZE], kept_log[STORE_FILE_SIZE + 8], memory[STORE_FILE_SIZE];
    int r = 0;

    snprintf(log, sizeof(log), "%s-wal", path);
    snprintf(kept_log, sizeof(kept_log), "%s-wal", kept);
    snprintf(memory, sizeof(memory), "%s-shm", path);
    close_old(path);
    if (link(path, kept) != 0 || (exists(log) && link(log, kept_log) != 0))
        r = fault(-errno);
    if (r == 0)
        r = store_sync_folder(path);
    if (r == 0 && exists(log) && unlink(log) != 0)
        r = fault(-errno);
    if (r == 0)
        unlink(memory);
    return r;
}

/* A name that nothing has: an earlier try may have got as far as that. */
static void name_kept(const char *path, char *kept, size_t size)
{
    char stamp[20];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
    snprintf(kept, size, "%s" KEPT_SUFFIX "%s", path, stamp);
    for (int i = 2; exists(kept) && i < 1000; i++)
        snprintf(kept, size, "%s" KEPT_SUFFIX "%s-%d", path, stamp, i);
}

static int change_places(const char *path, const char *fresh, struct store_restored *restored,
                         char message[STORE_MESSAGE_SIZE])
{
    int r = sync_file(fresh);

    if (r == 0 && exists(path)) {
        name_kept(path, restored->kept, sizeof(restored->kept));
        r = keep_old(path, restored->kept);
    }
    if (r == 0 && rename(fresh, path) != 0)
        r = fault(-errno);
    if (r == 0)
        r = store_sync_folder(path);
    return r < 0 ? complain(message, path, r) : 0;
}

static int check_place(const char *path, bool replace, char message[STORE_MESSAGE_SIZE])
{
    if (replace || !exists(path))
        return 0;
    snprintf(
        message, STORE_MESSAGE_SIZE,
        "%s: there is a store already; nothing was changed: --replace puts the backup in its place and keeps it beside",
        path);
    return STORE_E_THERE;
}

int store_restore(const char *path, const char *from, bool replace, struct store_restored *restored,
                  char message[STORE_MESSAGE_SIZE])
{
    char fresh[STORE_FILE_SIZE];
    int lock = -1, r;

    *restored = (struct store_restored){ 0 };
    snprintf(fresh, sizeof(fresh), "%s" FRESH_SUFFIX, path);
    r = store_lock(path, &lock, message);
    if (r == 0)
        r = store_own_as_folder(path, lock);
    if (r == 0)
        r = check_place(path, replace, message);
    if (r == 0)
        r = take_copies(from, fresh, message);
    if (r == 0)
        r = check_copy(fresh, from, restored, message);
    if (r == 0)
        r = change_places(path, fresh, restored, message);
    if (r != 0 && r != STORE_E_IN_USE) {
        unlink(fresh);
        forget_logs(fresh);
    }
    if (lock >= 0)
        close(lock);
    return r;
}
