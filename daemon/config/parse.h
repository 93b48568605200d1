/* One configuration file over what is in *config already: defaults, and files before it. */
#ifndef HABIT_CONFIG_PARSE_H
#define HABIT_CONFIG_PARSE_H

#include "config/config.h"

/* index: of the file in config->files. Returns 0, or -EINVAL with the message; *config is then half filled and good only for config_free. */
int config_parse(struct config *config, uint32_t index, char message[CONFIG_MESSAGE_SIZE]);

#endif
