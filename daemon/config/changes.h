/* What differs between two configurations, by name. Pure. */
#ifndef HABIT_CONFIG_CHANGES_H
#define HABIT_CONFIG_CHANGES_H

#include "config/config.h"

/* BY_RELOAD: what SIGHUP puts in force. BY_RESTART: all else. */
enum change_taken { BY_RELOAD, BY_RESTART };

/* Which of the two takes a key: "reload" or "restart", for documents. */
const char *config_taken(const char *section, const char *key);

/* Names of the keys that differ and are taken in this way: "[http] port, [machine "pump-*"] window"; "" = none. Where `text` is
 * full it ends with "...". */
void config_changes(const struct config *before, const struct config *after, enum change_taken taken, char *text,
                    size_t size);

#endif
