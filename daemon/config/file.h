/* The whole of a configuration file in memory. */
#ifndef HABIT_CONFIG_FILE_H
#define HABIT_CONFIG_FILE_H

#include <stddef.h>

enum { CONFIG_FILE_MOST = 1048576 }; /* bytes */

struct config_file {
    char *bytes; /* heap; NUL behind them for convenience, but they may hold NULs themselves */
    size_t size;
};

/* Reads a regular file. Returns 0, or -EINVAL with the reason in `why`, which goes behind the file's name. */
int config_file_read(struct config_file *file, const char *path, char *why, size_t size);
void config_file_free(struct config_file *file);

#endif
