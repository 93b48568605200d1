/* What no single line of a configuration shows: contradictions between keys and between sections. */
#ifndef HABIT_CONFIG_WHOLE_H
#define HABIT_CONFIG_WHOLE_H

#include "config/config.h"

/* Returns 0, or -EINVAL with the message. */
int config_whole(const struct config *config, char message[CONFIG_MESSAGE_SIZE]);

#endif
