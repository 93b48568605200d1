/* One configuration file over the defaults that are in *config already. */
#ifndef HABIT_CONFIG_PARSE_H
#define HABIT_CONFIG_PARSE_H

#include "config/config.h"

/* Returns 0, or -EINVAL with the message; *config is then half filled and good only for config_free. */
int config_parse(struct config *config, const char *path, char message[CONFIG_MESSAGE_SIZE]);

#endif
