/* How often flash is erased. A bucket that is empty at each start, gains an erase each HABIT_SAVE_INTERVAL and holds
 * HABIT_SAVE_BURST: so whatever restarts, fails or asks, a window of time sees at most BURST + window / INTERVAL erases. */
#include "knowledge.h"
#include "record.h"

enum { ERASES_A_DAY = 100 };

static_assert(HABIT_SAVE_BURST >= 1 && HABIT_SAVE_BURST <= UINT8_MAX, "the bucket holds one at least");
static_assert(HABIT_SAVE_BURST + HABIT_SAVE_DAY / HABIT_SAVE_INTERVAL <= ERASES_A_DAY, "more than 100 erases a day");

void habit_save_earn(struct habit_save *save, uint32_t now)
{
    const uint32_t passed = now - save->earned_at;
    const uint32_t earned = passed / HABIT_SAVE_INTERVAL;

    if (passed > UINT32_MAX / 2) { /* the clock was set back: time counts from here */
        save->earned_at = now;
    } else if (earned >= (uint32_t)(HABIT_SAVE_BURST - save->allowed)) {
        save->allowed = HABIT_SAVE_BURST;
        save->earned_at = now;
    } else {
        save->allowed = (uint8_t)(save->allowed + earned);
        save->earned_at += earned * HABIT_SAVE_INTERVAL;
    }
}

static bool worth_it(const struct habit_save *save, const struct habit_header *header, uint32_t now)
{
    uint32_t saved;

    if (save->newest == HABIT_SAVE_NO_SLOT)
        return header->learned > 0;
    if (header->stamp == save->saved_stamp)
        return false;
    saved = save->slot[save->newest].record.learned;
    return header->learned < saved || header->learned - saved > saved / 8 || now - save->saved_at >= HABIT_SAVE_DAY;
}

bool habit_save_due(struct habit_save *save, const struct habit_engine *engine, uint32_t now)
{
    if (!save || !save->flash || !engine || engine->ready != HABIT_ENGINE_READY)
        return false;
    habit_save_earn(save, now);
    return save->phase == 0 && save->allowed > 0 && worth_it(save, habit_header(engine), now);
}
