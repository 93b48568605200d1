/* The calls that habitd and its libraries make, on their way to the kernel. Built without _FILE_OFFSET_BITS, so that both names
 * of a call can be defined. */
#include "watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, PATH_BYTES = 512 };

static struct {
    unsigned char object;
    uint64_t id; /* of a connection */
} known[DESCRIPTORS];

static char store_path[PATH_BYTES], folder_path[PATH_BYTES];
static uint64_t last_id;
static const char *pragmas;

/* ---------------------------------------------------------------------------------------------------------- objects */

void objects_open(const char *store)
{
    char *slash;

    snprintf(store_path, sizeof(store_path), "%s", store);
    snprintf(folder_path, sizeof(folder_path), "%s", store);
    slash = strrchr(folder_path, '/');
    if (slash)
        *slash = '\0';
}

enum object object_named(const char *path)
{
    size_t length = strlen(store_path);

    if (length == 0)
        return OBJECT_OTHER;
    if (strcmp(path, folder_path) == 0)
        return OBJECT_FOLDER;
    if (strncmp(path, store_path, length) != 0)
        return OBJECT_OTHER;
    if (path[length] == '\0')
        return OBJECT_DATABASE;
    return strcmp(path + length, "-wal") == 0       ? OBJECT_WAL
           : strcmp(path + length, "-journal") == 0 ? OBJECT_JOURNAL
                                                    : OBJECT_OTHER;
}

static enum object object_of(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? known[fd].object : OBJECT_OTHER;
}

static int is_file(enum object object)
{
    return object >= OBJECT_DATABASE && object <= OBJECT_FOLDER;
}

static int is_door(enum object object)
{
    return object == OBJECT_CLIENT || object == OBJECT_BROKER;
}

static void remember(int fd, enum object object, uint64_t id)
{
    if (fd >= 0 && fd < DESCRIPTORS) {
        known[fd].object = (unsigned char)object;
        known[fd].id = id;
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *store = getenv("HABIT_WATCH_STORE"), *log = getenv("HABIT_WATCH_LOG"),
               *control = getenv("HABIT_WATCH_CONTROL");

    if (!store)
        return;
    objects_open(store);
    if (log)
        recorder_open(log);
    if (control)
        points_open(control);
    pragmas = getenv("HABIT_WATCH_PRAGMAS");
}

static int failed(int error)
{
    errno = error;
    return -1;
}

/* A recording is of a disk that works. */
static void must_have(long done, long wanted, enum object object)
{
    if (done == wanted || getenv("HABIT_WATCH_CONTROL"))
        return;
    fprintf(stderr, "watch: a call on %d was not done as recorded\n", (int)object);
    abort();
}

/* ------------------------------------------------------------------------------------------------------------ files */

static int open_watched(int folder, const char *path, int flags, mode_t mode)
{
    enum object object = object_named(path);
    int error = points_before(object, CALL_OPEN);
    int is_new = is_file(object) && (flags & O_CREAT) && access(path, F_OK) != 0;
    int fd;

    if (error != 0)
        return failed(error);
    if (is_new)
        record(RECORD_CREATE, object, 0, 0);
    fd = (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
    remember(fd, object, 0);
    points_after(object, CALL_OPEN);
    return fd;
}

#define OPEN_BODY(folder, path, flags)             \
    mode_t mode = 0;                               \
    va_list more;                                  \
    va_start(more, flags);                         \
    if ((flags) & (O_CREAT | O_TMPFILE))           \
        mode = (mode_t)va_arg(more, unsigned int); \
    va_end(more);                                  \
    return open_watched(folder, path, flags, mode)

int open(const char *path, int flags, ...)
{
    OPEN_BODY(AT_FDCWD, path, flags);
}

int open64(const char *path, int flags, ...)
{
    OPEN_BODY(AT_FDCWD, path, flags);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    enum object object = object_of(fd);
    struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
    int error = points_before(object, CALL_WRITE);
    ssize_t done;

    if (error != 0)
        return failed(error);
    if (is_file(object))
        record_bytes(RECORD_WRITE, object, 0, (uint64_t)offset, &part, 1, size);
    done = syscall(SYS_pwrite64, fd, bytes, size, offset);
    if (is_file(object))
        must_have(done, (long)size, object);
    points_after(object, CALL_WRITE);
    return done;
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
    int error = points_before(object_of(fd), CALL_READ);

    return error != 0 ? failed(error) : syscall(SYS_pread64, fd, bytes, size, offset);
}

/* Whichever of the two: SQLite asks for nothing that sets them apart. */
static int sync_watched(long number, int fd)
{
    enum object object = object_of(fd);
    int error = points_before(object, CALL_SYNC);
    uint64_t id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    int result;

    if (error != 0)
        return failed(error);
    if (is_file(object))
        record(RECORD_SYNC, object, id, 0);
    result = (int)syscall(number, fd);
    if (is_file(object)) {
        must_have(result, 0, object);
        record(RECORD_SYNCED, object, id, 0);
    }
    points_after(object, CALL_SYNC);
    return result;
}

int fdatasync(int fd)
{
    return sync_watched(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return sync_watched(SYS_fsync, fd);
}

int ftruncate64(int fd, off64_t size)
{
    enum object object = object_of(fd);
    int error = points_before(object, CALL_TRUNCATE);
    int result;

    if (error != 0)
        return failed(error);
    if (is_file(object))
        record(RECORD_TRUNCATE, object, 0, (uint64_t)size);
    result = (int)syscall(SYS_ftruncate, fd, size);
    if (is_file(object))
        must_have(result, 0, object);
    points_after(object, CALL_TRUNCATE);
    return result;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int unlink(const char *path)
{
    enum object object = object_named(path);
    int error = points_before(object, CALL_UNLINK);
    int result;

    if (error != 0)
        return failed(error);
    if (is_file(object) && access(path, F_OK) == 0)
        record(RECORD_UNLINK, object, 0, 0);
    result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    points_after(object, CALL_UNLINK);
    return result;
}

int rename(const char *from, const char *to)
{
    if (is_file(object_named(from)) || is_file(object_named(to)))
        record(RECORD_RENAME, object_named(from), 0, (uint64_t)object_named(to));
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int close(int fd)
{
    remember(fd, OBJECT_OTHER, 0);
    return (int)syscall(SYS_close, fd);
}

/* ------------------------------------------------------------------------------------------------------------ doors */

static void note_connection(int fd, enum object object, const struct sockaddr *peer)
{
    uint64_t id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    in_port_t port = peer->sa_family == AF_INET ? ((const struct sockaddr_in *)(const void *)peer)->sin_port : 0;

    remember(fd, object, id);
    record(RECORD_CONNECTION, object, id, ntohs(port));
}

int accept4(int listener, struct sockaddr *address, socklen_t *size, int flags)
{
    int fd = (int)syscall(SYS_accept4, listener, address, size, flags);

    if (fd >= 0 && address)
        note_connection(fd, OBJECT_CLIENT, address);
    return fd;
}

/* The broker is the only one that habitd connects to. */
int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    int result = (int)syscall(SYS_connect, fd, address, size);

    if (address->sa_family == AF_INET && (result == 0 || errno == EINPROGRESS)) {
        int error = errno;

        note_connection(fd, OBJECT_BROKER, address);
        errno = error;
    }
    return result;
}

static uint64_t bytes_of(const struct iovec *parts, size_t count)
{
    uint64_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

/* What is told to somebody counts as told as soon as it is on its way. */
static ssize_t send_watched(int fd, const struct msghdr *message, int flags)
{
    enum object object = object_of(fd);
    uint64_t size = bytes_of(message->msg_iov, message->msg_iovlen);
    int error = points_before(object, CALL_WRITE);
    ssize_t done;

    if (error != 0)
        return failed(error);
    if (is_door(object))
        record_bytes(RECORD_SENT, object, known[fd].id, 0, message->msg_iov, (int)message->msg_iovlen, size);
    done = syscall(SYS_sendmsg, fd, message, flags);
    error = errno;
    if (is_door(object) && (done < 0 || (uint64_t)done < size))
        record(RECORD_UNSENT, object, known[fd].id, size - (done < 0 ? 0 : (uint64_t)done));
    points_after(object, CALL_WRITE);
    errno = error;
    return done;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return send_watched(fd, message, flags);
}

static ssize_t send_bytes(int fd, const void *bytes, size_t size, int flags)
{
    struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    return send_watched(fd, &message, flags);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return send_bytes(fd, bytes, size, flags);
}

/* libmosquitto's way to the broker. Files that are not watched, pipes and event descriptors come here too. */
ssize_t write(int fd, const void *bytes, size_t size)
{
    return is_door(object_of(fd)) ? send_bytes(fd, bytes, size, 0) : syscall(SYS_write, fd, bytes, size);
}

static ssize_t receive(int fd, void *bytes, size_t size, long (*from_kernel)(int, void *, size_t, int), int flags)
{
    enum object object = object_of(fd);
    int error = points_before(object, CALL_READ);
    ssize_t done;

    if (error != 0)
        return failed(error);
    done = from_kernel(fd, bytes, size, flags);
    error = errno;
    points_after(object, CALL_READ);
    errno = error;
    return done;
}

static long kernel_read(int fd, void *bytes, size_t size, int flags)
{
    (void)flags;
    return syscall(SYS_read, fd, bytes, size);
}

static long kernel_receive(int fd, void *bytes, size_t size, int flags)
{
    return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
}

ssize_t read(int fd, void *bytes, size_t size)
{
    return receive(fd, bytes, size, kernel_read, 0);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    return receive(fd, bytes, size, kernel_receive, flags);
}

/* ------------------------------------------------------------------------------------------------------------- heap */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static int is_out_of_memory(void)
{
    int error = points_before(OBJECT_HEAP, CALL_ALLOCATE);

    if (error != 0)
        errno = ENOMEM;
    return error != 0;
}

void *malloc(size_t size)
{
    return is_out_of_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_out_of_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_out_of_memory() ? NULL : __libc_realloc(old, size);
}

/* ----------------------------------------------------------------------------------------------------------- SQLite */

typedef int (*exec_function)(void *database, const char *sql, void *each, void *user, char **error);

/* With HABIT_WATCH_PRAGMAS what habitd sets is changed behind its back. */
int sqlite3_exec(void *database, const char *sql, void *each, void *user, char **error);
int sqlite3_exec(void *database, const char *sql, void *each, void *user, char **error)
{
    exec_function next;
    int result;

    *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_exec");
    result = next(database, sql, each, user, error);
    return result == 0 && pragmas && pragmas[0] != '\0' && strstr(sql, "synchronous")
               ? next(database, pragmas, NULL, NULL, NULL)
               : result;
}
