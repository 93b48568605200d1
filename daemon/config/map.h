/* Channel maps: "{machine}-drive: 0-2, {machine}-fan: 3 4". Pure. */
#ifndef HABIT_CONFIG_MAP_H
#define HABIT_CONFIG_MAP_H

#include "base/error.h"
#include "config/config.h"

/* Reads a map into target[LIMIT_MAPPED]; of "" there are 0. Returns 0, or a refusal (RANGE) with *targets 0. */
int map_read(const char *text, struct config_target *target, uint32_t *targets, struct refusal *refusal);

/* The same as a check of the key. */
int check_map(const char *text, struct refusal *refusal);

/* The machine ID that a target stands for, where {machine} is `machine`. Returns 0, or MACHINE_ID where that gives none. */
int map_machine(const struct config_target *target, const char *machine, char id[MACHINE_ID_SIZE],
                struct refusal *refusal);

/* The highest channel that a map names. */
uint32_t map_highest(const struct config_input *input);

/* How many values a sample of a message has: as configured, else up to the highest that the map names. */
uint32_t map_channels(const struct config_input *input);

#endif
