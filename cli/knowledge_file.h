/* Knowledge blocks as files. */
#ifndef HABIT_CLI_KNOWLEDGE_FILE_H
#define HABIT_CLI_KNOWLEDGE_FILE_H

#include <stddef.h>

#include "habit/engine.h"

/* Reads the bytes of a file, of at most 1 MiB; free() them. Returns 0, or EXIT_FAILED, EXIT_DATA after saying why. */
int knowledge_read(const char *path, void **ret_bytes, size_t *ret_size);

/* The same for a memory that may hold a block, of at most 64 MiB. */
int memory_read(const char *path, void **ret_bytes, size_t *ret_size);

/* Whether the knowledge in a file is of what was asked for. Returns 0, or EXIT_DATA after naming both. */
int knowledge_match(const struct habit_config *theirs, const struct habit_config *ours, const char *path);

/* Replaces the engine's knowledge by the file's; a file that does not exist leaves it as it is. A damaged block, or one of
 * another sensor, is refused naming what the file says and what was asked for. Returns 0, or EXIT_FAILED, EXIT_DATA. */
int knowledge_load(struct habit_engine *engine, const char *path);

/* Seals the knowledge and writes it: the old file stays until the new one is complete. Returns 0, or EXIT_FAILED. */
int knowledge_save(struct habit_engine *engine, const char *path);

/* A field of a configuration as text: "3", "1600", "g". */
enum { CONFIG_FIELD_TEXT_SIZE = 32 };
const char *config_field_text(const struct habit_config *config, enum habit_field field,
                              char text[CONFIG_FIELD_TEXT_SIZE]);

extern const char *const profile_names[HABIT_PROFILES];
#define PROFILE_CHOICES "small|default|large" /* in the order of profile_names */

#endif
