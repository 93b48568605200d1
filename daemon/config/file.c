#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int wrong(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "%s", reason);
    return -EINVAL;
}

/* Reads until the end or one byte more than is allowed: the size that stat gave may have changed meanwhile. */
static int read_all(struct config_file *file, int fd)
{
    ssize_t got;

    do {
        got = read(fd, file->bytes + file->size, CONFIG_FILE_MOST + 1 - file->size);
        if (got > 0)
            file->size += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got < 0 ? -errno : 0;
}

static int read_regular(struct config_file *file, int fd, char *why, size_t size)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return wrong(why, size, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return wrong(why, size, S_ISDIR(status.st_mode) ? "is a directory, not a file" : "is not a regular file");
    file->bytes = calloc(1, CONFIG_FILE_MOST + 2);
    if (!file->bytes)
        return wrong(why, size, strerror(ENOMEM));
    if (read_all(file, fd) < 0)
        return wrong(why, size, strerror(errno));
    if (file->size > CONFIG_FILE_MOST)
        return wrong(why, size, "is larger than 1 MiB");
    return 0;
}

int config_file_read(struct config_file *file, const char *path, char *why, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO would wait for ever */
    int r;

    *file = (struct config_file){ 0 };
    if (fd < 0)
        return wrong(why, size, strerror(errno));
    r = read_regular(file, fd, why, size);
    close(fd);
    if (r < 0)
        config_file_free(file);
    return r;
}

void config_file_free(struct config_file *file)
{
    free(file->bytes);
    *file = (struct config_file){ 0 };
}
