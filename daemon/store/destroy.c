/* The files of a store are overwritten before they are deleted. What a file system or a flash memory keeps elsewhere is beyond us. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

/* What lies beside a store: its log and index, and what backups and restores have left. The store itself is the first. */
static const char *const suffixes[] = {
    "-wal", "-shm", "-journal", ANEW_SUFFIX, COPY_SUFFIX, FRESH_SUFFIX, KEPT_SUFFIX
};

struct destruction {
    bool really;
    void (*each)(void *user, const char *file);
    void *user;
};

static int overwrite(int fd)
{
    static const char zeros[65536];
    struct stat status;
    off_t left;

    if (fstat(fd, &status) != 0)
        return fault(-errno);
    for (left = status.st_size; left > 0;) {
        ssize_t put = write(fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros));

        if (put < 0 && errno != EINTR)
            return fault(-errno);
        left -= put > 0 ? put : 0;
    }
    return fsync(fd) == 0 ? 0 : fault(-errno);
}

static int destroy(void *user, const char *file)
{
    const struct destruction *destruction = user;
    int fd, r;

    destruction->each(destruction->user, file);
    if (!destruction->really)
        return 0;
    fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fault(-errno);
    r = overwrite(fd);
    close(fd);
    return r == 0 && unlink(file) != 0 ? fault(-errno) : r;
}

/* What the log of a killed daemon holds is not in the header yet: SQLite reads both. */
static bool is_ours_by_sqlite(const char *path)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    bool ours = false;

    if (store_open_file(path, SQLITE_OPEN_READWRITE, &database) == 0 &&
        sqlite3_prepare_v2(database, "PRAGMA application_id", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        ours = sqlite3_column_int(statement, 0) == STORE_APPLICATION_ID;
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return ours;
}

/* Ours by its header, or what a power cut left of one that was being overwritten, however damaged. */
static bool is_ours_by_header(const char *path)
{
    static const unsigned char zeros[HEADER_SIZE];
    unsigned char header[HEADER_SIZE] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, header, sizeof(header));

    if (fd >= 0)
        close(fd);
    return size >= 0 && (memcmp(header, zeros, sizeof(header)) == 0 || store_is_header(header));
}

static int destroy_all(const char *path, struct destruction *destruction)
{
    int r = 0;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && r == 0; i++)
        r = store_each_beside(path, suffixes[i], destroy, destruction);
    if (r == 0 && access(path, F_OK) == 0) /* at last: while it is there, so may others be */
        r = destroy(destruction, path);
    return r == 0 && destruction->really ? store_sync_folder(path) : r;
}

int store_destroy(const char *path, bool really, void (*each)(void *user, const char *file), void *user,
                  char message[STORE_MESSAGE_SIZE])
{
    struct destruction destruction = { really, each, user };
    int lock = -1;
    int r = store_lock(path, &lock, message);

    if (r == 0 && access(path, F_OK) == 0 && !is_ours_by_header(path) && !is_ours_by_sqlite(path)) {
        snprintf(message, STORE_MESSAGE_SIZE, "%s: not a database of habit; it is left as it is", path);
        r = STORE_E_FOREIGN;
    }
    if (r == 0) {
        r = destroy_all(path, &destruction);
        if (r < 0)
            snprintf(message, STORE_MESSAGE_SIZE, "%s: %s: what is listed above may be there still", path,
                     strerror(-r));
    }
    if (lock >= 0)
        close(lock);
    return r;
}
