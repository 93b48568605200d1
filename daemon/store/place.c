/* Files that are deleted, moved or replaced while they are open. The kernel lets go on writing to what nobody will find again, and
 * SQLite notices nothing with a -wal file; so before each transaction somebody looks, and what is missing is put back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/internal.h"

enum { PATIENCE_MS = 1000 /* between two tries to put back */ };

static const char *const endings[] = {
    [PLACE_DATABASE] = "", [PLACE_WAL] = "-wal", [PLACE_INDEX] = "-shm", [PLACE_LOCK] = ".lock"
};

static void file_path(const struct store *store, const char *ending, char path[STORE_PATH_SIZE + 16])
{
    snprintf(path, STORE_PATH_SIZE + 16, "%s%s", store->path, ending);
}

/* Returns 0; -ENOENT; or that it cannot be told. */
static int identify(const struct store *store, enum place place, struct file_identity *file)
{
    char path[STORE_PATH_SIZE + 16];
    struct stat status;

    *file = (struct file_identity){ 0 };
    file_path(store, endings[place], path);
    if (stat(path, &status) != 0)
        return -errno;
    *file = (struct file_identity){ .device = status.st_dev, .inode = status.st_ino };
    return 0;
}

/* Of the database; it changes when somebody else commits. */
static int data_version(const struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(store->writer, "PRAGMA data_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

int store_note_places(struct store *store)
{
    int r = 0;

    for (int i = 0; i < PLACES && r == 0; i++)
        r = identify(store, (enum place)i, &store->places[i]);
    store->version = data_version(store);
    return fault(r);
}

static bool is_there(const struct store *store, enum place place)
{
    const struct file_identity *noted = &store->places[place];
    struct file_identity file;

    return identify(store, place, &file) == 0 && file.device == noted->device && file.inode == noted->inode;
}

static bool all_are_there(const struct store *store)
{
    for (int i = 0; i < PLACES; i++)
        if (!is_there(store, (enum place)i))
            return false;
    return store->writer && store->reader;
}

static int because(struct store *store, int r, const char *why)
{
    snprintf(store->why, sizeof(store->why), "%s", why);
    return fault(r);
}

/* ---------------------------------------------------------------------------------------------- a copy of what is open */

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int r = fd < 0 || fsync(fd) != 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return r;
}

static int sync_folder(const struct store *store)
{
    char folder[STORE_PATH_SIZE];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", store->path);
    slash = strrchr(folder, '/');
    if (!slash)
        return sync_path(".", O_DIRECTORY);
    slash[slash == folder] = '\0';
    return sync_path(folder, O_DIRECTORY);
}

static int write_copy(struct store *store, const char *path)
{
    mode_t mask = umask(077);
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", path);
    int result = sql ? sqlite3_exec(store->writer, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

    umask(mask);
    sqlite3_free(sql);
    return result == SQLITE_OK ? sync_path(path, 0)
                               : because(store, store_error(result), sqlite3_errmsg(store->writer));
}

/* The database as it is open becomes a file again. What a -wal or -journal file of old holds is in it, and must not be taken
 * for one of the new file's. */
static int write_anew(struct store *store)
{
    static const char *const stale[] = { "-wal", "-shm", "-journal" };
    char copy[STORE_PATH_SIZE + 16], path[STORE_PATH_SIZE + 16];
    int r;

    file_path(store, ANEW_SUFFIX, copy);
    unlink(copy);
    r = write_copy(store, copy);
    for (size_t i = 0; r == 0 && i < sizeof(stale) / sizeof(stale[0]); i++) {
        file_path(store, stale[i], path);
        if (unlink(path) != 0 && errno != ENOENT)
            r = -errno;
    }
    if (r == 0)
        r = sync_folder(store);
    if (r == 0 && rename(copy, store->path) != 0)
        r = -errno;
    if (r == 0)
        r = sync_folder(store);
    if (r == 0)
        return fault(identify(store, PLACE_DATABASE, &store->places[PLACE_DATABASE]));
    unlink(copy);
    return fault(r);
}

/* All that the lost -wal file holds goes into the database, or else it is not let go. */
static int empty_wal(struct store *store)
{
    int result = sqlite3_wal_checkpoint_v2(store->writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    return result == SQLITE_OK ? 0 : because(store, store_error(result), sqlite3_errmsg(store->writer));
}

/* ----------------------------------------------------------------------------------------------------------- put back */

/* What is open reaches the disk; then nothing is lost by letting go of it. */
static int save_open_files(struct store *store)
{
    if (is_there(store, PLACE_DATABASE))
        return store->writer ? empty_wal(store) : 0;
    return store->writer ? write_anew(store) : -EIO; /* what was put back is gone again: nothing is open any more */
}

/* Without the lock file a second habitd could start. If it has written, memory here is no longer what the store holds. */
static int lock_again(struct store *store)
{
    char message[STORE_MESSAGE_SIZE] = "";
    int r = store_lock_file(store, message);

    if (r != 0)
        return because(store, r < 0 ? r : -EBUSY, r < 0 ? strerror(-r) : "another habitd is using this store");
    if (store->writer && data_version(store) != store->version)
        return because(store, -EBUSY, "another habitd has written to this store: restart this one");
    return 0;
}

static int connect_again(struct store *store)
{
    char message[STORE_MESSAGE_SIZE] = "";
    int r = store_connect(store, message);

    if (r == 0)
        return store_note_places(store);
    store_disconnect(store);
    return because(store, r < 0 ? r : -EIO, message[0] != '\0' ? message : strerror(r < 0 ? -r : EIO));
}

static int put_back(struct store *store)
{
    struct file_identity file;
    int r;

    if (identify(store, PLACE_DATABASE, &file) == 0 && !is_there(store, PLACE_DATABASE))
        return because(store, -ESTALE, "another file is in the place of the database: move it away, or restart habitd");
    r = is_there(store, PLACE_LOCK) ? 0 : lock_again(store);
    if (r == 0)
        r = save_open_files(store);
    if (r < 0)
        return r;
    store_disconnect(store);
    return connect_again(store);
}

int store_keep_place(struct store *store)
{
    int64_t now = clock_now().mono;
    int r;

    if (all_are_there(store)) {
        store->misplaced = 0;
        return 0;
    }
    if (store->misplaced != 0 && now < store->next_try)
        return store->misplaced;
    snprintf(store->why, sizeof(store->why), "its files were deleted or moved and cannot be put back");
    pthread_mutex_lock(&store->reading);
    r = put_back(store);
    pthread_mutex_unlock(&store->reading);
    r = r == 0 || r == -ENOSPC || r == -EROFS ? r : -EIO; /* the others mean something else to those who wait */
    store->misplaced = r;
    store->next_try = clock_now().mono + PATIENCE_MS;
    return r;
}
