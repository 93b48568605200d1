/* Knowledge blocks in a larger memory: a dump of a board's RAM or flash, or a file that is nothing but a block. */
#ifndef HABIT_CLI_BLOCK_SEARCH_H
#define HABIT_CLI_BLOCK_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "habit/engine.h"

enum { FOUND_BLOCKS_MAX = 256 };

struct found_block {
    size_t offset;
    int result; /* of habit_check; never HABIT_EBLOCK: the word "HABT" alone is no block */
    struct habit_info info;
};

/* In the order of their offsets; of more than FOUND_BLOCKS_MAX the first. Returns how many. */
size_t block_search(const uint8_t *bytes, size_t size, struct found_block found[FOUND_BLOCKS_MAX]);

/* What habit_check found, with both versions where they differ; text of BLOCK_TEXT_SIZE. */
enum { BLOCK_TEXT_SIZE = 128 };
const char *block_text(int result, const struct habit_info *info, char text[BLOCK_TEXT_SIZE]);

#endif
