/* A knowledge block as a C header, to be compiled into firmware. */
#ifndef HABIT_CLI_BLOCK_HEADER_H
#define HABIT_CLI_BLOCK_HEADER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "habit/engine.h"

/* Whether a word can be the name of an array in C. */
bool block_header_name_valid(const char *name);

/* bytes: a block that was checked, and what it is of. Errors of the file are the caller's to see. */
void block_header_write(FILE *file, const char *name, const uint8_t *bytes, const struct habit_info *info);

#endif
