/* How a slot is laid out, private to saving:
 *
 *     0     four places for the header, 32 bytes each; two are written by a save, the others are for repairs
 *     128   the knowledge block as it is, filled up to a whole unit with 0xff
 *
 * A header says that the block behind it is whole. It is written once the block was read back, and then a second time: a unit
 * whose programming was cut short may read well today and not tomorrow, so that one header alone is no proof. Each header
 * lies in units of its own, as units are programmed once. */
#ifndef HABIT_SAVE_RECORD_H
#define HABIT_SAVE_RECORD_H

#include <assert.h>

#include "habit/save.h"

enum {
    HABIT_SAVE_MAGIC = 0x56415348, /* "HSAV" */
    HABIT_SAVE_LAYOUT = 1,
    HABIT_SAVE_PLACES = 4,
    HABIT_SAVE_CHUNK = 32, /* bytes read at once: a multiple of every unit */
    HABIT_SAVE_NO_SLOT = HABIT_SAVE_MOST_SLOTS
};

static_assert(sizeof(struct habit_save_record) == HABIT_SAVE_CHUNK, "a header is read at once");
static_assert(HABIT_SAVE_PLACES * sizeof(struct habit_save_record) == HABIT_SAVE_BEFORE_BLOCK,
              "headers, then the block");
static_assert(HABIT_SAVE_MOST_UNIT <= sizeof(struct habit_save_record), "headers share no unit");

static inline uint32_t habit_save_place(const struct habit_flash *flash, uint32_t slot, uint32_t place)
{
    return slot * flash->slot_size + place * (uint32_t)sizeof(struct habit_save_record);
}

static inline uint32_t habit_save_block(const struct habit_flash *flash, uint32_t slot)
{
    return slot * flash->slot_size + HABIT_SAVE_BEFORE_BLOCK;
}

/* Fills in what does not depend on the save, and the CRC. */
void habit_save_record_seal(struct habit_save_record *record);

bool habit_save_record_valid(const struct habit_save_record *record);

/* A header in one place may be one whose programming was cut short, and gone tomorrow. */
static inline bool habit_save_final(const struct habit_save_slot *slot)
{
    return (slot->headers & (slot->headers - 1u)) != 0;
}

/* Whether `a` was saved after `b`. */
static inline bool habit_save_later(const struct habit_save_record *a, const struct habit_save_record *b)
{
    return (int32_t)(a->generation - b->generation) > 0;
}

/* The sound slot with the latest record among those whose bit in `without` is not set, or HABIT_SAVE_NO_SLOT. */
uint32_t habit_save_latest(const struct habit_save *save, uint32_t without);

/* CRC32C of the `size` bytes of a block in flash. False where it cannot be read. */
bool habit_save_read_crc(const struct habit_flash *flash, uint32_t slot, uint32_t size, uint32_t *crc);

/* Copies the first `size` bytes of a block in flash. False where it cannot be read. */
bool habit_save_read(const struct habit_flash *flash, uint32_t slot, void *bytes, uint32_t size);

/* What the wear bound allows at this time. */
void habit_save_earn(struct habit_save *save, uint32_t now);

#endif
