/* The daemon's lists, for the commands that show more than one of them. */
#ifndef HABIT_CLI_LISTS_H
#define HABIT_CLI_LISTS_H

#include "options.h"

/* Fetches and prints the list that a command shows. Returns an exit code, all said. */
int lists_show(const struct command *command, const char *url, bool json);

#endif
