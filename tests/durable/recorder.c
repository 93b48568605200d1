/* The recording: one order of all that was noted, whichever thread did it. */
#include "watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int log_fd = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static void must_write(const struct iovec *parts, int count, size_t size)
{
    if (syscall(SYS_writev, log_fd, parts, count) == (long)size)
        return;
    fprintf(stderr, "watch: the recording cannot be written\n");
    abort();
}

void recorder_open(const char *path)
{
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) {
        fprintf(stderr, "watch: %s cannot be opened\n", path);
        abort();
    }
}

/* size: how much of the parts. */
void record_bytes(enum record_kind kind, enum object object, uint64_t id, uint64_t offset, const struct iovec *parts,
                  int count, uint64_t size)
{
    struct record head = { .kind = kind, .object = object, .id = id, .offset = offset, .size = size };
    struct iovec first = { .iov_base = &head, .iov_len = sizeof(head) };

    if (log_fd < 0)
        return;
    pthread_mutex_lock(&order);
    must_write(&first, 1, sizeof(head));
    if (size > 0)
        must_write(parts, count, size);
    pthread_mutex_unlock(&order);
}

void record(enum record_kind kind, enum object object, uint64_t id, uint64_t offset)
{
    record_bytes(kind, object, id, offset, NULL, 0, 0);
}
