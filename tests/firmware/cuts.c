#include "cuts.h"

#include <string.h>

enum { AFTER_START = 10 * HABIT_SAVE_INTERVAL, MOST_CUTS = 5000 };

static uint32_t knowledge[2][CUTS_BLOCK / 4], cache[CUTS_BLOCK / 4], scratch[CUTS_BLOCK / 4];
static uint8_t bytes[3][CUTS_FLASH], units[3][CUTS_FLASH / HABIT_SAVE_LEAST_UNIT]; /* now, and two snapshots */
static uint8_t before[CUTS_BLOCK], during[CUTS_BLOCK], later[CUTS_BLOCK];
static float samples[64];
static struct habit_flash_emulated emulated;
static struct habit_engine machine, reader;
static struct habit_save save;
static size_t size; /* of a block */
static size_t flash_size;
static uint32_t seed;

static bool start_engine(const struct cuts *cuts, struct habit_engine *engine, uint32_t *block)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    const struct habit_memory memory = { block, CUTS_BLOCK, cache, sizeof(cache), scratch, sizeof(scratch) };

    config.buffer_size = (uint16_t)cuts->buffer_size;
    config.axes = (uint8_t)cuts->axes;
    config.profile = (uint8_t)cuts->profile;
    size = habit_knowledge_size(&config);
    return habit_init(engine, &config, &memory) == HABIT_OK;
}

/* The machine learns one more buffer; the sealed block is copied. */
static bool learn(const struct cuts *cuts, uint8_t *block)
{
    const size_t count = (size_t)cuts->buffer_size * cuts->axes;

    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        samples[i] = (float)(seed >> 20) * (1.0f / 2048.0f) - 1.0f;
    }
    if (habit_learn(&machine, samples, count, NULL) != HABIT_OK || habit_seal(&machine) != HABIT_OK)
        return false;
    memcpy(block, machine.memory.knowledge, size);
    return true;
}

static void keep(int snapshot)
{
    memcpy(bytes[snapshot], bytes[0], flash_size);
    memcpy(units[snapshot], units[0], flash_size / emulated.flash.unit_size);
}

static void put_back(int snapshot)
{
    memcpy(bytes[0], bytes[snapshot], flash_size);
    memcpy(units[0], units[snapshot], flash_size / emulated.flash.unit_size);
    habit_flash_emulated_restart(&emulated);
}

/* Starts, loads what there is, and saves `block`. Returns what the save says; HABIT_SAVE_EFLASH where power went. */
static int recover_and_save(const uint8_t *block, uint32_t cut_after, uint32_t torn)
{
    int result = habit_save_open(&save, &emulated.flash, 0);

    if (result == HABIT_OK)
        result = habit_save_load(&save, &reader, NULL);
    if (result == HABIT_OK || result == HABIT_SAVE_ENONE)
        result = habit_load(&reader, block, size);
    if (result == HABIT_OK)
        result = habit_save_begin(&save, &reader, AFTER_START);
    emulated.cut_after = cut_after;
    emulated.torn = (uint8_t)torn;
    return result == HABIT_OK ? habit_save_finish(&save) : result;
}

/* What a start finds: one of the blocks, NULL for none, or `strange`. */
static const uint8_t strange[1];

static const uint8_t *find(void)
{
    const uint8_t *const known[] = { before, during, later };
    int result = habit_save_open(&save, &emulated.flash, 0);

    if (result == HABIT_OK)
        result = habit_save_load(&save, &reader, NULL);
    if (result == HABIT_SAVE_ENONE)
        return NULL;
    for (size_t i = 0; result == HABIT_OK && i < sizeof(known) / sizeof(known[0]); i++)
        if (memcmp(reader.memory.knowledge, known[i], size) == 0)
            return known[i];
    return strange;
}

/* A torn unit that reads otherwise each time may say new, then old; and where erased flash cannot be read, nobody can tell
 * where another header would fit. All others must not take back what they said. */
static bool may_go_back(const struct cuts *cuts)
{
    return cuts->torn == HABIT_TORN_WEAK || cuts->torn == HABIT_TORN_FICKLE || cuts->window > 0 || cuts->blank_faults;
}

static const char *judge_second(const struct cuts *cuts, const uint8_t *first, const uint8_t *found)
{
    if (found == strange)
        return "second cut: neither the old nor the new knowledge";
    if (!found)
        return cuts->save > 0 || (first && !may_go_back(cuts)) ? "second cut: nothing is left" : NULL;
    if (found != first && found != later && !may_go_back(cuts))
        return "second cut: went back";
    return NULL;
}

/* From the flash as the first cut left it: saves again, with a cut at every operation. */
static const char *cut_recovery(struct cuts *cuts, const uint8_t *first)
{
    const uint32_t seed_of_flash = emulated.seed;
    const char *wrong;
    bool whole = false;

    keep(2);
    for (cuts->again = 0; !whole; cuts->again += cuts->second) {
        put_back(2);
        emulated.seed = seed_of_flash + cuts->again;
        whole = recover_and_save(later, cuts->again, cuts->torn) == HABIT_OK;
        if (whole && !emulated.power)
            return "second cut: said that it was saved without power";
        if (!whole && emulated.power)
            return "second cut: did not save with power";
        habit_flash_emulated_restart(&emulated);
        wrong = whole ? (find() == later ? NULL : "saved, and not found") : judge_second(cuts, first, find());
        cuts->second_cuts++;
        if (cuts->again > MOST_CUTS)
            wrong = "second cut: does not end";
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *judge_first(struct cuts *cuts, const uint8_t *found, bool whole)
{
    if (found == strange || found == later)
        return "neither the old nor the new knowledge";
    if (whole && found != during)
        return "saved, and not found";
    if (!found && cuts->save > 0)
        return "nothing is left";
    if (found == during)
        cuts->new ++;
    else
        cuts->old++;
    return NULL;
}

/* One save of `during`, with a cut at this operation. *whole: it was over before. */
static const char *cut_save(struct cuts *cuts, bool *whole)
{
    const uint8_t *found;
    const char *wrong;

    put_back(1);
    emulated.seed = 1 + cuts->save * 131u + cuts->cut * 7u + cuts->torn;
    *whole = recover_and_save(during, cuts->cut, cuts->torn) == HABIT_OK;
    if (*whole != emulated.power)
        return *whole ? "said that it was saved without power" : "did not save with power";
    habit_flash_emulated_restart(&emulated);
    found = find();
    wrong = judge_first(cuts, found, *whole);
    cuts->first_cuts++;
    if (wrong || *whole || cuts->second == 0)
        return wrong;
    return cut_recovery(cuts, found);
}

static const char *cut_everywhere(struct cuts *cuts)
{
    for (cuts->torn = 0; cuts->torn < HABIT_TORN_MODES; cuts->torn++) {
        bool whole = false;

        for (cuts->cut = 0; !whole; cuts->cut++) {
            const char *wrong = cut_save(cuts, &whole);

            if (wrong)
                return wrong;
            if (cuts->cut > MOST_CUTS)
                return "does not end";
        }
    }
    return NULL;
}

static const char *prepare(struct cuts *cuts)
{
    seed = 1;
    memset(before, 0, sizeof(before));
    cuts->first_cuts = cuts->second_cuts = cuts->old = cuts->new = 0;
    if ((size_t)cuts->buffer_size * cuts->axes > sizeof(samples) / sizeof(samples[0]) ||
        cuts->slots * cuts->slot_size > CUTS_FLASH || !start_engine(cuts, &machine, knowledge[0]) ||
        !start_engine(cuts, &reader, knowledge[1]))
        return "the campaign itself: too large";
    habit_flash_emulated_init(&emulated, cuts->unit_size, cuts->page_size, cuts->slot_size, cuts->slots, bytes[0],
                              units[0]);
    flash_size = (size_t)cuts->slots * cuts->slot_size;
    emulated.busy_polls = cuts->busy_polls;
    emulated.put_off = cuts->put_off;
    emulated.window = cuts->window;
    emulated.blank_faults = cuts->blank_faults;
    return learn(cuts, during) && learn(cuts, later) ? NULL : "the campaign itself: does not learn";
}

const char *cuts_run(struct cuts *cuts)
{
    const char *wrong = prepare(cuts);

    for (cuts->save = 0; !wrong && cuts->save < cuts->saves; cuts->save++) {
        keep(1);
        wrong = cut_everywhere(cuts);
        if (wrong)
            break;
        put_back(1);
        if (recover_and_save(during, HABIT_EMULATED_NEVER, 0) != HABIT_OK)
            return "a save without a cut failed";
        memcpy(before, during, size);
        memcpy(during, later, size);
        if (!learn(cuts, later))
            return "the campaign itself: does not learn";
    }
    if (!wrong && emulated.mistakes > 0)
        wrong = "the flash was used in a way that it forbids";
    return wrong;
}
