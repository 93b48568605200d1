/* Copies of the store while it works: one read transaction, written into a file beside the store, which loses its name at once: what a
 * crash leaves needs no tidying, but for the moment before that. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/internal.h"

enum { LOOK_EVERY = 1000 }; /* steps of SQLite's machine: of large rows some megabytes */

/* -------------------------------------------------------------------------------------------------------- the note */

int store_apply_backup(struct store *store, struct store_op *op)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_BACKUP_PUT];

    sqlite3_bind_int64(statement, 1, op->backup->at);
    sqlite3_bind_text(statement, 2, op->backup->gateway, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, op->backup->size);
    return store_step(store, STATEMENT_BACKUP_PUT);
}

void store_show_backup(struct store *store, int64_t at, int64_t size)
{
    pthread_mutex_lock(&store->mutex);
    store->figures.backup_at = at;
    store->figures.backup_size = size;
    pthread_mutex_unlock(&store->mutex);
}

int store_note_backup(struct store *store, const struct store_backup *backup)
{
    struct store_op *op = calloc(1, sizeof(*op));
    int r;

    if (!op)
        return fault(-ENOMEM);
    op->kind = OP_BACKUP;
    op->backup = backup;
    r = store_run_op(store, op, NULL);
    if (r == 0)
        store_show_backup(store, backup->at, backup->size);
    return r;
}

int store_read_backup(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(store->reader, "SELECT at, size FROM backup", -1, &statement, NULL);

    if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
        store_show_backup(store, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1));
    sqlite3_finalize(statement);
    return fault(store_error(result));
}

/* -------------------------------------------------------------------------------------------------------- the copy */

struct copying {
    bool (*cancelled)(void *user);
    void *user;
};

static int ask(void *user)
{
    const struct copying *copying = user;

    return copying->cancelled(copying->user);
}

static int64_t size_of(const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 ? (int64_t)file.st_size : 0;
}

/* The copy is no larger than what it is of; the log says how much may be new. */
static int check_room(const struct store *store)
{
    char log[STORE_PATH_SIZE + 8];
    struct statvfs disk;

    snprintf(log, sizeof(log), "%s-wal", store->path);
    if (statvfs(store->path, &disk) != 0)
        return fault(-errno);
    return (int64_t)(disk.f_bavail * disk.f_frsize) > size_of(store->path) + size_of(log) ? 0 : -ENOSPC;
}

static int run_into(sqlite3 *database, const char *copy)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, "VACUUM INTO ?", -1, &statement, NULL);

    if (result == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC);
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return (result & 0xff) == SQLITE_INTERRUPT ? -ECANCELED : fault(store_error(result));
}

static int copy_into(const struct store *store, const char *copy, struct copying *copying)
{
    sqlite3 *database = NULL;
    int r = store_open_file(store->path, SQLITE_OPEN_READONLY, &database);

    if (r == 0) {
        sqlite3_exec(database, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", NULL, NULL, NULL);
        sqlite3_progress_handler(database, LOOK_EVERY, ask, copying);
        r = run_into(database, copy);
    }
    sqlite3_close(database);
    return fault(r);
}

/* What makes it a store that may begin elsewhere: events were said by the original, or will be; a number that it gives to an anomaly
 * after this moment is not given to another one. A reader of the event stream, whose number is lower, is told of a gap. */
static const char preparation[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
    "BEGIN;"
    "DELETE FROM event;"
    "INSERT INTO sqlite_sequence (name, seq) SELECT column1, 0 FROM (VALUES ('event'), ('anomaly')) "
    "WHERE column1 NOT IN (SELECT name FROM sqlite_sequence);"
    "UPDATE sqlite_sequence SET seq = seq + CASE name WHEN 'event' THEN 1000000 ELSE 1000 END "
    "WHERE name IN ('event', 'anomaly');"
    "COMMIT;"
    "PRAGMA incremental_vacuum;";

static int prepare(const char *copy, const struct store_backup *backup)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_open_file(copy, SQLITE_OPEN_READWRITE, &database);

    if (r == 0)
        r = store_error(sqlite3_exec(database, preparation, NULL, NULL, NULL));
    if (r == 0) {
        result =
            sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO backup (id, at, gateway, size) VALUES (1, ?, ?, 0)",
                               -1, &statement, NULL);
        if (result == SQLITE_OK) {
            sqlite3_bind_int64(statement, 1, backup->at);
            sqlite3_bind_text(statement, 2, backup->gateway, -1, SQLITE_STATIC);
            result = sqlite3_step(statement);
        }
        sqlite3_finalize(statement);
        r = store_error(result);
    }
    sqlite3_close(database);
    return fault(r);
}

static int make(const struct store *store, const char *copy, struct store_backup *backup, struct copying *copying)
{
    struct stat file;
    int r = copy_into(store, copy, copying);

    if (r == 0)
        r = prepare(copy, backup);
    if (r == 0 && fstat(backup->fd, &file) != 0)
        r = fault(-errno);
    if (r == 0)
        backup->size = (int64_t)file.st_size;
    return r;
}

/* What it takes of the disk it takes until it is given back. */
static int make_copy(struct store *store, struct store_backup *backup, struct copying *copying)
{
    char copy[STORE_PATH_SIZE + 24];
    int r = check_room(store);

    if (r < 0)
        return r;
    snprintf(copy, sizeof(copy), "%s" COPY_SUFFIX "XXXXXX", store->path);
    backup->fd = mkostemp(copy, O_CLOEXEC);
    if (backup->fd < 0)
        return fault(-errno);
    r = make(store, copy, backup, copying);
    unlink(copy);
    if (r < 0)
        close(backup->fd);
    return r;
}

int store_backup(struct store *store, struct store_backup *backup, bool (*cancelled)(void *user), void *user)
{
    struct copying copying = { cancelled, user };
    int r = atomic_fetch_add(&store->copies, 1) < LIMIT_BACKUPS ? make_copy(store, backup, &copying) : -EBUSY;

    if (r < 0)
        store_end_backup(store);
    return r;
}

void store_end_backup(struct store *store)
{
    atomic_fetch_sub(&store->copies, 1);
}

static int forget_copy(void *user, const char *file)
{
    (void)user;
    unlink(file);
    return 0;
}

void store_forget_copies(const char *path)
{
    store_each_beside(path, COPY_SUFFIX, forget_copy, NULL);
}
