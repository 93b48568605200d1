#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_SIZE = 4096 };

static int wrong(char message[CONFIG_MESSAGE_SIZE], const char *path, const char *what)
{
    snprintf(message, CONFIG_MESSAGE_SIZE, "%.300s: %s", path, what);
    return -EINVAL;
}

/* The folder conf.d in the one where the main file is. */
static int folder_of(const char *path, char folder[FOLDER_SIZE])
{
    const char *slash = strrchr(path, '/');
    int size = slash ? (int)(slash - path) + 1 : 0;

    return snprintf(folder, FOLDER_SIZE, "%.*sconf.d", size, path) < FOLDER_SIZE ? 0 : -ENAMETOOLONG;
}

/* Takes a path, heap; NULL = memory ran out. */
static int take_path(struct config *config, char *path, char message[CONFIG_MESSAGE_SIZE])
{
    if (!path)
        return wrong(message, config->file_count > 0 ? config->files[0] : "configuration", "out of memory");
    config->files[config->file_count++] = path;
    return 0;
}

static int is_ours(const struct dirent *entry)
{
    static const char end[] = ".conf";
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length >= sizeof(end) && strcmp(entry->d_name + length - strlen(end), end) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entry(struct config *config, const char *folder, const char *name, char message[CONFIG_MESSAGE_SIZE])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    char *path = NULL;

    if (name[strspn(name, allowed)] != '\0')
        return wrong(message, folder, "a name of a file has other than letters, digits, '_', '.' and '-'");
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        path = NULL;
    return take_path(config, path, message);
}

static int add_folder(struct config *config, const char *folder, char message[CONFIG_MESSAGE_SIZE])
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_ours, by_name), r = 0;

    if (count < 0)
        return errno == ENOENT ? 0 : wrong(message, folder, strerror(errno));
    if (count > LIMIT_CONFIG_FILES) {
        snprintf(message, CONFIG_MESSAGE_SIZE, "%.300s: %d files, at most %d are read", folder, count,
                 LIMIT_CONFIG_FILES);
        r = -EINVAL;
    }
    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = add_entry(config, folder, entries[i]->d_name, message);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int config_files(struct config *config, const char *path, char message[CONFIG_MESSAGE_SIZE])
{
    char folder[FOLDER_SIZE];
    int r;

    config->files = calloc(LIMIT_CONFIG_FILES + 1, sizeof(*config->files));
    if (!config->files)
        return wrong(message, path, "out of memory");
    r = take_path(config, strdup(path), message);
    if (r == 0 && folder_of(path, folder) < 0)
        r = wrong(message, path, strerror(ENAMETOOLONG));
    return r < 0 ? r : add_folder(config, folder, message);
}
