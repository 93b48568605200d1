/* The configuration that a running habitd has in force, for `habitd --check-config`: a file in systemd's RuntimeDirectory, which
 * goes when habitd stops. */
#ifndef HABIT_IN_FORCE_H
#define HABIT_IN_FORCE_H

#include <stdbool.h>

#include "config/config.h"

/* Writes it, where $RUNTIME_DIRECTORY is set. path: of the configuration file. A failure is logged and nothing more. */
void in_force_write(const struct config *config, const char *path);

/* Reads what a habitd that runs with the configuration file `path` has written; false where there is none. For config_free. */
bool in_force_read(struct config *config, const char *path);

#endif
