/* Work on the files of a store while no habitd runs on it: `habitd --restore FILE` and `habitd --wipe`. */
#ifndef HABIT_OFFLINE_H
#define HABIT_OFFLINE_H

#include <stdbool.h>

#include "config/config.h"

/* Both say on stdout what they did, on stderr why not, and return the exit status. */
int offline_restore(const struct config *config, const char *file, bool replace);

/* yes: else it only lists what it would delete. */
int offline_wipe(const struct config *config, bool yes);

#endif
