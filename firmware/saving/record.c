#include "record.h"

#include "crc32c.h"

static uint32_t crc_of(const struct habit_save_record *record)
{
    return habit_crc32c(0, record, offsetof(struct habit_save_record, header_crc));
}

void habit_save_record_seal(struct habit_save_record *record)
{
    record->magic = HABIT_SAVE_MAGIC;
    record->layout = HABIT_SAVE_LAYOUT;
    record->header_crc = crc_of(record);
}

bool habit_save_record_valid(const struct habit_save_record *record)
{
    return record->magic == HABIT_SAVE_MAGIC && record->layout == HABIT_SAVE_LAYOUT &&
           record->header_crc == crc_of(record);
}

uint32_t habit_save_latest(const struct habit_save *save, uint32_t without)
{
    uint32_t latest = HABIT_SAVE_NO_SLOT;

    for (uint32_t s = 0; s < save->flash->slots; s++)
        if (save->slot[s].sound && (without >> s & 1u) == 0 &&
            (latest == HABIT_SAVE_NO_SLOT || habit_save_later(&save->slot[s].record, &save->slot[latest].record)))
            latest = s;
    return latest;
}
