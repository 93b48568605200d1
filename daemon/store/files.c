/* The files of a store, and those that lie beside it under names that begin with its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

static void split(const char *path, char folder[STORE_PATH_SIZE], char name[STORE_PATH_SIZE])
{
    char copy[STORE_PATH_SIZE];

    snprintf(copy, sizeof(copy), "%s", path);
    snprintf(folder, STORE_PATH_SIZE, "%s", dirname(copy));
    snprintf(copy, sizeof(copy), "%s", path);
    snprintf(name, STORE_PATH_SIZE, "%s", basename(copy));
}

int store_each_beside(const char *path, const char *suffix, int (*each)(void *user, const char *file), void *user)
{
    char folder[STORE_PATH_SIZE], name[STORE_PATH_SIZE], file[STORE_FILE_SIZE];
    size_t length, more = strlen(suffix);
    struct dirent *entry;
    DIR *stream;
    int r = 0;

    split(path, folder, name);
    length = strlen(name);
    stream = opendir(folder);
    if (!stream)
        return fault(-errno);
    while (r == 0 && (entry = readdir(stream))) {
        if (strncmp(entry->d_name, name, length) != 0 || strncmp(entry->d_name + length, suffix, more) != 0)
            continue;
        if (snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name) < (int)sizeof(file))
            r = each(user, file);
    }
    closedir(stream);
    return r;
}

int store_sync_folder(const char *path)
{
    char folder[STORE_PATH_SIZE], name[STORE_PATH_SIZE];
    int fd, r = 0;

    split(path, folder, name);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        r = fault(-errno);
    if (fd >= 0)
        close(fd);
    return r;
}

int store_own_as_folder(const char *path, int fd)
{
    char folder[STORE_PATH_SIZE], name[STORE_PATH_SIZE];
    struct stat status;

    if (geteuid() != 0)
        return 0;
    split(path, folder, name);
    if (stat(folder, &status) != 0 || fchown(fd, status.st_uid, status.st_gid) != 0)
        return fault(-errno);
    return 0;
}
