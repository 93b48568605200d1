/* SQLite hands out the files of a connection. Their table of methods is replaced by a copy with another xWrite: a method is given
 * nothing but its file, so the sum stands here. */
#include "store/meter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* One for each kind of file: those with locks, and those without. */
enum { KINDS = 4 };

static struct kind {
    sqlite3_io_methods methods; /* first: a file points here, and leads back to the whole */
    const sqlite3_io_methods *original;
} kinds[KINDS];

static _Atomic int64_t written;

static int write_and_count(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    const struct kind *kind = (const struct kind *)(const void *)file->pMethods;
    int result = kind->original->xWrite(file, bytes, size, offset);

    if (result == SQLITE_OK)
        written += size;
    return result;
}

/* NULL where the file is counted already, or there are more kinds than anybody knows. */
static struct kind *kind_of(const sqlite3_io_methods *methods)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct kind *kind = &kinds[i];

        if (methods == &kind->methods)
            return NULL;
        if (kind->original == methods)
            return kind;
        if (!kind->original) {
            kind->methods = *methods;
            kind->methods.xWrite = write_and_count;
            kind->original = methods;
            return kind;
        }
    }
    return NULL;
}

static void count(sqlite3 *database, int which)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    sqlite3_file *file = NULL;
    struct kind *kind;

    if (sqlite3_file_control(database, "main", which, &file) != SQLITE_OK || !file || !file->pMethods)
        return;
    pthread_mutex_lock(&mutex);
    kind = kind_of(file->pMethods);
    if (kind)
        file->pMethods = &kind->methods;
    pthread_mutex_unlock(&mutex);
}

void meter_attach(sqlite3 *database)
{
    count(database, SQLITE_FCNTL_FILE_POINTER);
    count(database, SQLITE_FCNTL_JOURNAL_POINTER);
}

int64_t meter_written(void)
{
    return written;
}
