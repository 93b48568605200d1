#include <string.h>

#include "knowledge.h"
#include "record.h"

/* What the block in a slot is of. A function of its own, whatever the compiler thinks: its header need not lie on the stack
 * while the block is checked. */
__attribute__((noinline)) static bool read_info(const struct habit_flash *flash, uint32_t slot, struct habit_info *info)
{
    struct habit_header header;

    if (!habit_save_read(flash, slot, &header, sizeof(header)))
        return false;
    memset(info, 0, sizeof(*info));
    info->config.buffer_size = header.buffer_size;
    info->config.axes = header.axes;
    info->config.profile = header.profile;
    info->config.sampling_hz = header.sampling_hz;
    info->config.scale = header.scale;
    memcpy(info->config.unit, header.unit, HABIT_UNIT_SIZE);
    info->sensitivity = header.sensitivity;
    info->learned = header.learned;
    info->size = header.block_size;
    info->crc = header.crc;
    info->format = header.format;
    return true;
}

/* Before a byte of the engine is touched. */
static int fits(const struct habit_engine *engine, const struct habit_info *info)
{
    if (info->format != HABIT_FORMAT_VERSION)
        return HABIT_EVERSION;
    if (habit_config_compare(&info->config, &engine->config) != HABIT_FIELD_NONE ||
        info->size != habit_knowledge_size(&engine->config))
        return HABIT_EMISMATCH;
    return HABIT_OK;
}

/* HABIT_OK; HABIT_SAVE_ENONE where the slot does not hold what it held a moment ago: then another may. */
static int load_slot(const struct habit_save *save, uint32_t slot, struct habit_engine *engine, struct habit_info *info)
{
    int result;

    if (!read_info(save->flash, slot, info) || info->size != save->slot[slot].record.size)
        return HABIT_SAVE_ENONE;
    result = fits(engine, info);
    if (result != HABIT_OK)
        return result;
    if (habit_save_read(save->flash, slot, engine->memory.knowledge, info->size) && habit_attach(engine) == HABIT_OK)
        return HABIT_OK;
    result = habit_init(engine, &engine->config, &engine->memory);
    return result == HABIT_OK ? HABIT_SAVE_ENONE : result;
}

int habit_save_load(struct habit_save *save, struct habit_engine *engine, struct habit_info *found)
{
    struct habit_info info = { 0 };
    int result = HABIT_SAVE_ENONE;

    if (!save || !save->flash || !engine || engine->ready != HABIT_ENGINE_READY)
        return HABIT_ENULL;
    if (save->phase != 0)
        return HABIT_SAVE_BUSY;
    while (result == HABIT_SAVE_ENONE && save->newest != HABIT_SAVE_NO_SLOT) {
        result = load_slot(save, save->newest, engine, &info);
        if (result == HABIT_SAVE_ENONE) {
            memset(&info, 0, sizeof(info));
            save->slot[save->newest].sound = false;
            save->counts.damaged++;
            save->newest = (uint8_t)habit_save_latest(save, 0);
        }
    }
    if (result == HABIT_OK)
        save->saved_stamp = habit_header(engine)->stamp;
    if (found)
        *found = info;
    return result;
}
