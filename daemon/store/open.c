/* Opening and closing: the lock, the two connections, the writer's thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"

int store_error(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CORRUPT:
        return -EUCLEAN;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    default:
        return -EIO;
    }
}

/* ---------------------------------------------------------------------------------------------------- open and close */

/* Sensors' secrets may be in here: nobody else reads it. */
int store_lock(const char *path, int *lock_fd, char message[STORE_MESSAGE_SIZE])
{
    char lock[STORE_PATH_SIZE + 8];

    snprintf(lock, sizeof(lock), "%s.lock", path);
    *lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock_fd < 0) {
        int error = errno;

        snprintf(message, STORE_MESSAGE_SIZE, "%s: %s: the folder must exist and be writable", lock, strerror(error));
        return -error;
    }
    if (flock(*lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    snprintf(message, STORE_MESSAGE_SIZE, "%s: another habitd is using this store", path);
    return STORE_E_IN_USE;
}

int store_lock_file(struct store *store, char message[STORE_MESSAGE_SIZE])
{
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    return store_lock(store->path, &store->lock_fd, message);
}

/* Settings of a connection. Those before the inspection write nothing: a file that is not for us is left as it is. */
static const char reading_pragmas[] = "PRAGMA trusted_schema = OFF;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA mmap_size = 0;"; /* an I/O error is a result, not a SIGBUS */

static const char first_pragmas[] =
    "PRAGMA auto_vacuum = INCREMENTAL;"; /* must come before the first table, and writes */

static const char writing_pragmas[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;" /* the promise: one sync before each answer */
    "PRAGMA foreign_keys = ON;"
    "PRAGMA secure_delete = ON;" /* what is deleted becomes zeros, see scrub.c */
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -1000;"
    "PRAGMA wal_autocheckpoint = 250;" /* pages: a -wal of 1 MiB, on small disks too */
    "PRAGMA journal_size_limit = 1048576;";

int store_open_file(const char *path, int flags, sqlite3 **database)
{
    mode_t mask = umask(077);
    int result = sqlite3_open_v2(path, database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    umask(mask);
    if (result == SQLITE_OK)
        sqlite3_busy_timeout(*database, STORE_BUSY_MS);
    return store_error(result);
}

static int first_anomaly(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int64_t next = 0;
    int result = sqlite3_prepare_v2(store->reader,
                                    "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'anomaly'", -1,
                                    &statement, NULL);

    if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
        next = sqlite3_column_int64(statement, 0);
    if (next > store->next_anomaly) /* opened again: some were given away that are not stored yet */
        store->next_anomaly = next;
    sqlite3_finalize(statement);
    return fault(store_error(result));
}

static int say(const struct store *store, int result, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", store->path, sqlite3_errmsg(store->writer));
    return fault(store_error(result));
}

/* The writing connection on a file that is ours and whole. Until that is known nothing may be written, on closing neither: what
 * the -wal file holds stays there. */
static int open_writer(struct store *store, char message[STORE_MESSAGE_SIZE])
{
    int version, result;
    int r = store_open_file(store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &store->writer);

    if (r < 0) {
        snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", store->path, sqlite3_errmsg(store->writer));
        return fault(r);
    }
    sqlite3_db_config(store->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    result = sqlite3_exec(store->writer, reading_pragmas, NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return say(store, result, message);
    r = store_inspect(store->writer, store->path, &version, message);
    if (r != 0)
        return r;
    sqlite3_db_config(store->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    if (version == 0)
        result = sqlite3_exec(store->writer, first_pragmas, NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(store->writer, writing_pragmas, NULL, NULL, NULL);
    return result == SQLITE_OK ? store_migrate(store->writer, store->path, version, message)
                               : say(store, result, message);
}

int store_connect(struct store *store, char message[STORE_MESSAGE_SIZE])
{
    int r = open_writer(store, message);

    if (r == 0)
        r = store_prepare_statements(store); /* reads the schema, and so opens the log */
    if (r == 0)
        meter_attach(store->writer);
    if (r == 0)
        r = store_open_file(store->path, SQLITE_OPEN_READONLY, &store->reader);
    if (r == 0)
        r = first_anomaly(store);
    if (r == 0)
        r = store_read_backup(store);
    return r;
}

void store_disconnect(struct store *store)
{
    sqlite3_close(store->reader);
    store_finalize_statements(store);
    sqlite3_close(store->writer); /* the last one: checkpoints and removes the -wal file */
    store->reader = store->writer = NULL;
}

static int start_writer(struct store *store)
{
    int r = -pthread_create(&store->thread, NULL, store_write_groups, store);

    store->started = r == 0;
    return fault(r);
}

int store_open(struct store **ret_store, const char *path, char message[STORE_MESSAGE_SIZE])
{
    struct store *store = calloc(1, sizeof(*store));
    pthread_condattr_t attributes;
    int r;

    message[0] = '\0';
    if (!store)
        return fault(-ENOMEM);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->mutex, NULL);
    pthread_mutex_init(&store->reading, NULL);
    pthread_cond_init(&store->work, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_cond_init(&store->finished, NULL);
    store->last = &store->first;
    store->epoch = store->last_epoch = 1;
    store->lock_fd = -1;
    snprintf(store->path, sizeof(store->path), "%s", path);

    r = store_lock_file(store, message);
    if (r == 0)
        store_forget_copies(store->path);
    if (r == 0)
        r = store_connect(store, message);
    if (r == 0)
        r = store_note_places(store);
    if (r == 0)
        r = start_writer(store);
    if (r != 0) {
        if (message[0] == '\0')
            snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", path, strerror(r < 0 ? -r : EIO));
        store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

struct store *store_close(struct store *store)
{
    if (!store)
        return NULL;
    if (store->started) {
        pthread_mutex_lock(&store->mutex);
        store->stopping = true;
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->mutex);
        pthread_join(store->thread, NULL);
    }
    store_disconnect(store);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_cond_destroy(&store->finished);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->reading);
    pthread_mutex_destroy(&store->mutex);
    free(store);
    return NULL;
}
