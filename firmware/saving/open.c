/* What is in the slots. Reads only: a board that restarts over and over wears nothing. */
#include <string.h>

#include "crc32c.h"
#include "record.h"

static bool is_unit(uint32_t size)
{
    return size >= HABIT_SAVE_LEAST_UNIT && size <= HABIT_SAVE_MOST_UNIT && (size & (size - 1)) == 0;
}

static bool geometry_valid(const struct habit_flash *flash)
{
    return is_unit(flash->unit_size) && flash->page_size >= HABIT_SAVE_LEAST_PAGE &&
           flash->page_size % HABIT_SAVE_CHUNK == 0 && flash->slot_size >= HABIT_SAVE_SLOT_SIZE(HABIT_HEADER_SIZE) &&
           flash->slot_size % flash->page_size == 0 && flash->slots >= 2 && flash->slots <= HABIT_SAVE_MOST_SLOTS &&
           flash->slot_size <= UINT32_MAX / HABIT_SAVE_MOST_SLOTS;
}

/* Hands the block to `take` chunk by chunk. The last may reach beyond the block, never beyond its unit. */
static bool read_chunks(const struct habit_flash *flash, uint32_t slot, uint32_t size,
                        void (*take)(void *user, const void *bytes, uint32_t size), void *user)
{
    const uint32_t from = habit_save_block(flash, slot);
    uint32_t chunk[HABIT_SAVE_CHUNK / 4];

    for (uint32_t at = 0; at < size; at += sizeof(chunk)) {
        const uint32_t wanted = size - at < sizeof(chunk) ? size - at : (uint32_t)sizeof(chunk);
        const uint32_t whole = (wanted + flash->unit_size - 1) / flash->unit_size * flash->unit_size;

        if (flash->read(flash->context, from + at, chunk, whole) != HABIT_FLASH_DONE)
            return false;
        take(user, chunk, wanted);
    }
    return true;
}

static void take_crc(void *user, const void *bytes, uint32_t size)
{
    uint32_t *crc = user;

    *crc = habit_crc32c(*crc, bytes, size);
}

static void take_copy(void *user, const void *bytes, uint32_t size)
{
    uint8_t **to = user;

    memcpy(*to, bytes, size);
    *to += size;
}

bool habit_save_read_crc(const struct habit_flash *flash, uint32_t slot, uint32_t size, uint32_t *crc)
{
    *crc = 0;
    return read_chunks(flash, slot, size, take_crc, crc);
}

bool habit_save_read(const struct habit_flash *flash, uint32_t slot, void *bytes, uint32_t size)
{
    uint8_t *to = bytes;

    return read_chunks(flash, slot, size, take_copy, &to);
}

static bool size_possible(const struct habit_flash *flash, uint32_t size)
{
    return size >= HABIT_HEADER_SIZE && size <= flash->slot_size - HABIT_SAVE_BEFORE_BLOCK;
}

/* Headers of a slot say the same, but for one that an older save left where an erase was cut short: the latest counts. */
static void read_headers(const struct habit_flash *flash, uint32_t slot, struct habit_save_slot *found)
{
    struct habit_save_record record;

    for (uint32_t place = 0; place < HABIT_SAVE_PLACES; place++) {
        if (flash->read(flash->context, habit_save_place(flash, slot, place), &record, sizeof(record)) !=
                HABIT_FLASH_DONE ||
            !habit_save_record_valid(&record) || !size_possible(flash, record.size))
            continue;
        if (found->headers == 0 || habit_save_later(&record, &found->record)) {
            found->record = record;
            found->headers = 0;
        }
        if (record.generation == found->record.generation)
            found->headers = (uint8_t)(found->headers | 1u << place);
    }
}

static void look_into(struct habit_save *save, uint32_t slot)
{
    struct habit_save_slot *found = &save->slot[slot];
    uint32_t crc;

    read_headers(save->flash, slot, found);
    if (found->headers == 0)
        return;
    if (save->generation == 0 || (int32_t)(found->record.generation - save->generation) > 0)
        save->generation = found->record.generation;
    found->sound = habit_save_read_crc(save->flash, slot, found->record.size, &crc) && crc == found->record.crc;
    if (!found->sound)
        save->counts.damaged++;
}

int habit_save_open(struct habit_save *save, const struct habit_flash *flash, uint32_t now)
{
    if (!save || !flash || !flash->read || !flash->start_program || !flash->start_erase)
        return HABIT_ENULL;
    if (!geometry_valid(flash))
        return HABIT_SAVE_EGEOMETRY;
    memset(save, 0, sizeof(*save));
    save->flash = flash;
    save->earned_at = now;
    save->saved_at = now;
    for (uint32_t slot = 0; slot < flash->slots; slot++)
        look_into(save, slot);
    save->newest = (uint8_t)habit_save_latest(save, 0);
    return HABIT_OK;
}
