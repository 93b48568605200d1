/* The table of keys: defaults, parser, printing and tests come from it. Settings of machines have a table of their own,
 * record/settings.h; here [machine] has only what is not a setting. */
#ifndef HABIT_CONFIG_KEYS_H
#define HABIT_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "config/config.h"

/* How a value is held: UNSIGNED and CHOICE as uint32_t, NUMBER as float, DURATION as uint64_t ms, BOOLEAN as bool,
 * TEXT as char[]; CLOCK, "hh:mm", as uint32_t minutes. */
enum key_type { KEY_UNSIGNED, KEY_NUMBER, KEY_DURATION, KEY_BOOLEAN, KEY_TEXT, KEY_CHOICE, KEY_CLOCK };

struct config_key {
    const char *section;
    const char *key;
    enum key_type type;
    size_t offset;              /* in struct config; of "machine" in config_pattern, of "input" in config_input */
    double low, high;           /* of the number; of TEXT high is the size in bytes */
    const char *fallback;       /* as in a file */
    const char *const *choices; /* of CHOICE, NULL at the end */
    int (*check)(const char *text, struct refusal *refusal); /* what the type does not show; NULL = nothing */
    const char *help;
};

enum { CONFIG_KEYS = 43 };
_Static_assert((int)CONFIG_KEYS <= (int)CONFIG_LINES, "struct config notes the place of each");
extern const struct config_key config_keys[CONFIG_KEYS];

/* The row of a key, or NULL. */
const struct config_key *config_key_find(const char *section, const char *key);

/* Reads one value into the struct that the key's section lives in. Returns 0, or a refusal with the value unchanged. */
int config_key_set(void *target, const struct config_key *key, const char *text, struct refusal *refusal);

/* The text that config_key_set reads back to the same value. */
enum { CONFIG_TEXT_SIZE = 260 };
const char *config_key_text(const void *target, const struct config_key *key, char text[CONFIG_TEXT_SIZE]);

/* Every key of both tables, one a line, with tabs between: section, key, values, default, what takes a change ("reload" or
 * "restart"), meaning. */
void config_list_keys(FILE *file);

/* Gives every key of one section its default. */
void config_keys_default(void *target, const char *section);

#endif
