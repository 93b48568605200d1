/* A save, in steps. Phases follow each other in the order of PHASE_*; each has a beginning and the work of one step.
 *
 * What must hold whenever power goes: a slot other than the target is sound and has two headers, if any ever was. Hence
 * PHASE_REPAIR before anything is erased, and the slot of the newest knowledge is the target only where its one header could
 * not be repeated and an older block is there to fall back to. */
#include <string.h>

#include "crc32c.h"
#include "knowledge.h"
#include "record.h"

enum { PHASE_IDLE, PHASE_REPAIR, PHASE_ERASE, PHASE_BLOCK, PHASE_HEADER, PHASE_SECOND_HEADER, PHASES };

enum outcome { MORE, COMPLETE, BROKEN };

/* ------------------------------------------------------------------------------------------ one operation of the flash */

static enum outcome start(struct habit_save *save, enum habit_flash_status status, uint32_t *at, uint32_t size)
{
    if (status == HABIT_FLASH_FAILED)
        return BROKEN;
    if (status != HABIT_FLASH_LATER)
        *at += size;
    save->pending = status == HABIT_FLASH_BUSY;
    return MORE;
}

static enum outcome program_unit(struct habit_save *save)
{
    const struct habit_flash *flash = save->flash;
    const uint32_t at = save->job.written, rest = save->job.size - at;

    memset(save->unit, 0xff, sizeof(save->unit));
    memcpy(save->unit, save->job.from + at, rest < flash->unit_size ? rest : flash->unit_size);
    return start(save, flash->start_program(flash->context, save->job.to + at, save->unit), &save->job.written,
                 flash->unit_size);
}

static enum outcome check_chunk(struct habit_save *save)
{
    const struct habit_flash *flash = save->flash;
    const uint32_t at = save->job.checked, rest = save->job.size - at;
    uint32_t chunk[HABIT_SAVE_CHUNK / 4];
    const uint32_t wanted = rest < sizeof(chunk) ? rest : (uint32_t)sizeof(chunk);
    const uint32_t whole = (wanted + flash->unit_size - 1) / flash->unit_size * flash->unit_size;

    if (flash->read(flash->context, save->job.to + at, chunk, whole) != HABIT_FLASH_DONE ||
        memcmp(chunk, save->job.from + at, wanted) != 0)
        return BROKEN;
    save->job.checked += wanted;
    return MORE;
}

static enum outcome write_and_check(struct habit_save *save)
{
    if (save->job.written < save->job.size)
        return program_unit(save);
    if (save->job.checked < save->job.size)
        return check_chunk(save);
    return COMPLETE;
}

static void job_begin(struct habit_save *save, const void *from, uint32_t to, uint32_t size)
{
    save->job.from = from;
    save->job.to = to;
    save->job.size = size;
    save->job.written = 0;
    save->job.checked = 0;
}

/* ------------------------------------------------------------------------------------------------------------ phases */

static bool place_blank(const struct habit_flash *flash, uint32_t slot, uint32_t place)
{
    uint32_t words[sizeof(struct habit_save_record) / 4];

    if (flash->read(flash->context, habit_save_place(flash, slot, place), words, sizeof(words)) != HABIT_FLASH_DONE)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i] != UINT32_MAX)
            return false;
    return true;
}

/* The newest block gets another header where it has only one, in the next place that nobody wrote to. The place of the one
 * that was read is not asked: it may look erased now. */
static bool repair_begin(struct habit_save *save)
{
    const uint32_t slot = save->newest;

    if (slot == HABIT_SAVE_NO_SLOT || habit_save_final(&save->slot[slot]))
        return false;
    while (save->place < HABIT_SAVE_PLACES && (((uint32_t)save->slot[slot].headers >> save->place & 1u) != 0 ||
                                               !place_blank(save->flash, slot, save->place)))
        save->place++;
    if (save->place == HABIT_SAVE_PLACES)
        return false;
    job_begin(save, &save->slot[slot].record, habit_save_place(save->flash, slot, save->place),
              sizeof(struct habit_save_record));
    return true;
}

static bool better_target(const struct habit_save_slot *a, const struct habit_save_slot *b)
{
    if (a->failures != b->failures)
        return a->failures < b->failures;
    if ((a->headers == 0) != (b->headers == 0))
        return a->headers == 0;
    return habit_save_later(&b->record, &a->record);
}

static uint32_t choose_target(const struct habit_save *save)
{
    uint32_t target = HABIT_SAVE_NO_SLOT;

    if (save->newest != HABIT_SAVE_NO_SLOT && !habit_save_final(&save->slot[save->newest]) &&
        habit_save_latest(save, 1u << save->newest) != HABIT_SAVE_NO_SLOT)
        return save->newest;
    for (uint32_t s = 0; s < save->flash->slots; s++)
        if (s != save->newest && (target == HABIT_SAVE_NO_SLOT || better_target(&save->slot[s], &save->slot[target])))
            target = s;
    return target;
}

/* The erase count of a slot without a readable header is taken from the newest: slots take turns. */
static uint32_t erases_of(const struct habit_save *save, uint32_t target)
{
    if (save->slot[target].headers > 0 || save->newest == HABIT_SAVE_NO_SLOT)
        return save->slot[target].record.erases;
    return save->slot[save->newest].record.erases;
}

static bool erase_begin(struct habit_save *save)
{
    struct habit_save_slot *slot;

    save->target = (uint8_t)choose_target(save);
    slot = &save->slot[save->target];
    save->record.erases = erases_of(save, save->target) + 1;
    habit_save_record_seal(&save->record);
    slot->record.erases = save->record.erases;
    slot->sound = false;
    slot->headers = 0;
    save->newest = (uint8_t)habit_save_latest(save, 0);
    save->erased = 0;
    return true;
}

/* Page by page, and the page of the headers first. A page that reads as erased is erased all the same: an erase that was cut
 * short may leave it so for a while. */
static enum outcome erase_page(struct habit_save *save)
{
    const struct habit_flash *flash = save->flash;

    if (save->erased >= flash->slot_size)
        return COMPLETE;
    return start(save, flash->start_erase(flash->context, save->target * flash->slot_size + save->erased),
                 &save->erased, flash->page_size);
}

static bool block_begin(struct habit_save *save)
{
    job_begin(save, save->block, habit_save_block(save->flash, save->target), save->record.size);
    return true;
}

/* In the next place of the target, which was erased. */
static bool header_begin(struct habit_save *save)
{
    if (save->place == HABIT_SAVE_PLACES)
        return false;
    job_begin(save, &save->record, habit_save_place(save->flash, save->target, save->place), sizeof(save->record));
    return true;
}

/* A header that does not take in one place is tried in the next. */
static const struct {
    bool (*begin)(struct habit_save *save); /* false: there is no place left */
    enum outcome (*work)(struct habit_save *save);
    bool has_places;
} phases[PHASES] = {
    [PHASE_REPAIR] = { repair_begin, write_and_check, true },
    [PHASE_ERASE] = { erase_begin, erase_page, false },
    [PHASE_BLOCK] = { block_begin, write_and_check, false },
    [PHASE_HEADER] = { header_begin, write_and_check, true },
    [PHASE_SECOND_HEADER] = { header_begin, write_and_check, true },
};

/* -------------------------------------------------------------------------------------------------------------- ends */

static int end(struct habit_save *save, int result, uint32_t *count)
{
    save->phase = PHASE_IDLE;
    save->engine = NULL;
    (*count)++;
    return result;
}

static int end_well(struct habit_save *save)
{
    struct habit_save_slot *slot = &save->slot[save->target];

    slot->record = save->record;
    slot->sound = true;
    slot->failures = 0;
    save->newest = save->target;
    save->saved_stamp = save->stamp;
    save->saved_at = save->began_at;
    return end(save, HABIT_OK, &save->counts.saved);
}

static int end_badly(struct habit_save *save)
{
    struct habit_save_slot *slot = &save->slot[save->target];

    if (slot->failures < UINT8_MAX)
        slot->failures++;
    return end(save, HABIT_SAVE_EFLASH, &save->counts.failed);
}

static int enter(struct habit_save *save, uint32_t phase)
{
    bool begun = phases[phase].begin(save);

    if (!begun && phase == PHASE_REPAIR) {
        phase = PHASE_ERASE;
        begun = phases[phase].begin(save);
    }
    save->phase = (uint8_t)phase;
    return begun ? HABIT_SAVE_BUSY : end_badly(save);
}

static int complete(struct habit_save *save)
{
    struct habit_save_slot *slot = &save->slot[save->phase == PHASE_REPAIR ? save->newest : save->target];

    if (phases[save->phase].has_places) {
        slot->headers = (uint8_t)(slot->headers | 1u << save->place);
        save->place++;
    }
    if (save->phase == PHASE_BLOCK) {
        save->engine = NULL; /* from here on it may learn again */
        save->place = 0;
    }
    return save->phase == PHASE_SECOND_HEADER ? end_well(save) : enter(save, save->phase + 1u);
}

static int broken(struct habit_save *save)
{
    if (!phases[save->phase].has_places)
        return end_badly(save);
    save->place++;
    return enter(save, save->phase);
}

static bool knowledge_changed(const struct habit_save *save)
{
    const struct habit_header *header;

    if (!save->engine)
        return false;
    header = habit_header(save->engine);
    return header->stamp != save->stamp || header->sealed != HABIT_SEALED;
}

int habit_save_step(struct habit_save *save)
{
    enum habit_flash_status status;

    if (!save || !save->flash)
        return HABIT_ENULL;
    if (save->phase == PHASE_IDLE)
        return HABIT_SAVE_IDLE;
    if (save->pending) {
        status = save->flash->poll ? save->flash->poll(save->flash->context) : HABIT_FLASH_FAILED;
        if (status == HABIT_FLASH_BUSY || status == HABIT_FLASH_LATER)
            return HABIT_SAVE_BUSY;
        save->pending = false;
        if (status == HABIT_FLASH_FAILED)
            return broken(save);
    }
    if (knowledge_changed(save))
        return end(save, HABIT_SAVE_ECHANGED, &save->counts.changed);
    switch (phases[save->phase].work(save)) {
    case MORE:
        return HABIT_SAVE_BUSY;
    case COMPLETE:
        return complete(save);
    default:
        return broken(save);
    }
}

int habit_save_finish(struct habit_save *save)
{
    int result;

    do
        result = habit_save_step(save);
    while (result == HABIT_SAVE_BUSY);
    return result;
}

bool habit_save_reading(const struct habit_save *save)
{
    return save && save->engine;
}

/* ------------------------------------------------------------------------------------------------------------- begin */

static void record_begin(struct habit_save *save, const struct habit_header *header)
{
    memset(&save->record, 0, sizeof(save->record));
    save->record.generation = ++save->generation;
    save->record.size = header->block_size;
    save->record.crc = habit_crc32c(0, header, header->block_size);
    save->record.learned = header->learned;
}

/* Everything that can be refused is, before an erase is taken. */
static int begin(struct habit_save *save, struct habit_engine *engine, uint32_t now)
{
    int result;

    if (!save || !save->flash || !engine)
        return HABIT_ENULL;
    if (save->phase != PHASE_IDLE)
        return HABIT_SAVE_BUSY;
    habit_save_earn(save, now);
    if (save->allowed == 0) {
        save->counts.refused++;
        return HABIT_SAVE_EWEAR;
    }
    result = habit_seal(engine);
    if (result != HABIT_OK)
        return result;
    if (habit_header(engine)->block_size > save->flash->slot_size - HABIT_SAVE_BEFORE_BLOCK)
        return HABIT_SAVE_ESPACE;
    save->allowed--;
    save->began_at = now;
    save->stamp = habit_header(engine)->stamp;
    record_begin(save, habit_header(engine));
    save->pending = false;
    save->place = 0;
    (void)enter(save, PHASE_REPAIR);
    return HABIT_OK;
}

int habit_save_begin(struct habit_save *save, struct habit_engine *engine, uint32_t now)
{
    const int result = begin(save, engine, now);

    if (result == HABIT_OK) {
        save->block = engine->memory.knowledge;
        save->engine = engine;
    }
    return result;
}

int habit_save_begin_copy(struct habit_save *save, struct habit_engine *engine, uint32_t now, void *copy,
                          size_t copy_size)
{
    int result;

    if (!engine || !copy)
        return HABIT_ENULL;
    if (copy_size < habit_knowledge_size(&engine->config))
        return HABIT_EMEMORY;
    result = begin(save, engine, now);
    if (result == HABIT_OK) {
        memcpy(copy, engine->memory.knowledge, save->record.size);
        save->block = copy;
    }
    return result;
}
