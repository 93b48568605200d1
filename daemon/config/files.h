/* Which files a configuration consists of. */
#ifndef HABIT_CONFIG_FILES_H
#define HABIT_CONFIG_FILES_H

#include "config/config.h"

/* Fills config->files: `path`, then what stands beside it as conf.d/NAME.conf, in the order of the names' bytes. Other names, and
 * those that begin with a dot, are left alone: copies of editors and package managers. Returns 0, or -EINVAL with the message;
 * what is in config->files then is for config_free. */
int config_files(struct config *config, const char *path, char message[CONFIG_MESSAGE_SIZE]);

#endif
