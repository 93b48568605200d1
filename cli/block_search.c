#include "block_search.h"

#include <stdio.h>
#include <string.h>

/* A block that claims to go on behind the end of the memory is cut. */
static int check(const uint8_t *bytes, size_t size, const struct habit_info *info)
{
    if (info->format != HABIT_FORMAT_VERSION)
        return HABIT_EVERSION;
    return info->size <= size ? habit_check(bytes, info->size, NULL) : HABIT_ECRC;
}

size_t block_search(const uint8_t *bytes, size_t size, struct found_block found[FOUND_BLOCKS_MAX])
{
    size_t count = 0, at = 0;

    while (at < size && count < FOUND_BLOCKS_MAX) {
        struct found_block *block = &found[count];
        const uint8_t *candidate = memchr(bytes + at, 'H', size - at);

        if (!candidate)
            break;
        at = (size_t)(candidate - bytes);
        block->offset = at;
        block->result = habit_peek(candidate, size - at, &block->info);
        if (block->result == HABIT_OK)
            block->result = check(candidate, size - at, &block->info);
        if (block->result != HABIT_EBLOCK)
            count++;
        at += block->result == HABIT_OK ? block->info.size : 1;
    }
    return count;
}

const char *block_text(int result, const struct habit_info *info, char text[BLOCK_TEXT_SIZE])
{
    if (result == HABIT_EVERSION)
        snprintf(text, BLOCK_TEXT_SIZE, "a knowledge block of format version %u; this program reads version %d",
                 info->format, HABIT_FORMAT_VERSION);
    else
        snprintf(text, BLOCK_TEXT_SIZE, "%s", habit_text(result));
    return text;
}
