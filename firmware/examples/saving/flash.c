/* On the emulated board: memory at FLASH_AT that is a file of the host, so that it outlives the loss of power. It is treated as
 * flash is: bits only fall until their page is erased. On a chip of your own a port of firmware/saving/ports is in its place. */
#include "flash.h"

#include <string.h>

enum { UNIT = 8, PAGE = 2048, SLOT = 2 * PAGE, SLOTS = 2 };

static uint8_t *const flash = (uint8_t *)FLASH_AT;

static enum habit_flash_status read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    (void)context;
    memcpy(bytes, flash + offset, size);
    return HABIT_FLASH_DONE;
}

static enum habit_flash_status start_program(void *context, uint32_t offset, const void *bytes)
{
    const uint8_t *from = bytes;
    volatile uint8_t *to = flash + offset;

    (void)context;
    for (uint32_t i = 0; i < UNIT; i++)
        to[i] &= from[i];
    return HABIT_FLASH_DONE;
}

static enum habit_flash_status start_erase(void *context, uint32_t offset)
{
    (void)context;
    memset(flash + offset, 0xff, PAGE);
    return HABIT_FLASH_DONE;
}

const struct habit_flash example_flash = {
    .unit_size = UNIT,
    .page_size = PAGE,
    .slot_size = SLOT,
    .slots = SLOTS,
    .read = read,
    .start_program = start_program,
    .start_erase = start_erase,
};
