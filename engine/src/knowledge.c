#include "knowledge.h"

#include <string.h>

#include "crc32c.h"
#include "maths.h"

#define WORDS(type) ((uint32_t)sizeof(type) / 4)

static const char magic[4] = { 'H', 'A', 'B', 'T' };

uint32_t habit_model_words(enum habit_view_index view, const struct habit_shape *shape)
{
    const uint32_t d = shape->dimension, scatter = shape->blocks * habit_triangle(shape->part);

    if (d == 0)
        return 0;
    switch (view) {
    case HABIT_SPECTRUM:
        return WORDS(struct habit_modes) + shape->points * (5 + d) + scatter + habit_coupling_words(shape);
    case HABIT_LEVEL:
        return WORDS(struct habit_prototypes) + 3 * d + scatter + shape->points * (3 + d);
    default:
        return WORDS(struct habit_waveform) + shape->points * d + scatter;
    }
}

static uint32_t mix(uint32_t stamp, uint32_t word)
{
    stamp = (stamp ^ word) * 0x9e3779b1u;
    return stamp ^ (stamp >> 15);
}

void habit_touch(struct habit_engine *engine, const void *words, uint32_t count)
{
    struct habit_header *header = habit_header(engine);
    const uint8_t *bytes = words;
    uint32_t stamp = mix(header->stamp, header->learned);
    uint32_t word;

    for (uint32_t i = 0; i < count; i++) {
        memcpy(&word, bytes + 4 * (size_t)i, 4);
        stamp = mix(stamp, word);
    }
    header->stamp = stamp != 0 ? stamp : 1;
    header->sealed = 0;
    header->crc = 0;
    engine->stamp = header->stamp;
    engine->cached = 0;
}

static void header_write(struct habit_header *header, const struct habit_config *config, uint32_t size)
{
    memcpy(header->magic, magic, sizeof(magic));
    header->format = HABIT_FORMAT_VERSION;
    header->header_size = HABIT_HEADER_SIZE;
    header->block_size = size;
    header->sensitivity = 1.0f;
    header->buffer_size = config->buffer_size;
    header->axes = config->axes;
    header->profile = config->profile;
    header->sampling_hz = config->sampling_hz;
    header->scale = config->scale;
    memcpy(header->unit, config->unit, HABIT_UNIT_SIZE);
}

static void header_config(const struct habit_header *header, struct habit_config *config)
{
    memset(config, 0, sizeof(*config));
    config->buffer_size = header->buffer_size;
    config->axes = header->axes;
    config->profile = header->profile;
    config->sampling_hz = header->sampling_hz;
    config->scale = header->scale;
    memcpy(config->unit, header->unit, HABIT_UNIT_SIZE);
}

static bool fits(const void *memory, size_t size, uint32_t words)
{
    return (uintptr_t)memory % 4 == 0 && size / 4 >= words;
}

/* An engine as it will be; the caller's is not touched before all is checked. Both may be the engine's own. */
static int prepare(struct habit_engine *made, const struct habit_config *config, const struct habit_memory *memory)
{
    struct habit_layout layout;

    if (!config || !memory || !memory->knowledge || !memory->cache || !memory->scratch)
        return HABIT_ENULL;
    if (!habit_layout_make(&layout, config))
        return HABIT_ECONFIG;
    if (!fits(memory->knowledge, memory->knowledge_size, layout.knowledge) ||
        !fits(memory->cache, memory->cache_size, layout.cache) ||
        !fits(memory->scratch, memory->scratch_size, layout.scratch))
        return HABIT_EMEMORY;
    memset(made, 0, sizeof(*made));
    made->config = *config;
    made->memory = *memory;
    made->ready = HABIT_ENGINE_READY;
    return HABIT_OK;
}

int habit_init(struct habit_engine *engine, const struct habit_config *config, const struct habit_memory *memory)
{
    struct habit_engine made;
    size_t size;
    int result;

    if (!engine)
        return HABIT_ENULL;
    result = prepare(&made, config, memory);
    if (result != HABIT_OK)
        return result;
    size = habit_knowledge_size(&made.config);
    *engine = made;
    memset(made.memory.knowledge, 0, size);
    header_write(made.memory.knowledge, &made.config, (uint32_t)size);
    habit_touch(engine, made.memory.knowledge, HABIT_HEADER_SIZE / 4);
    return HABIT_OK;
}

int habit_open(struct habit_engine *engine, const struct habit_config *config, const struct habit_memory *memory)
{
    struct habit_engine made;
    int result;

    if (!engine)
        return HABIT_ENULL;
    result = prepare(&made, config, memory);
    if (result == HABIT_OK)
        result = habit_attach(&made);
    if (result == HABIT_OK)
        *engine = made;
    return result;
}

int habit_use_scratch(struct habit_engine *engine, void *scratch, size_t size)
{
    struct habit_layout layout;

    if (!engine || !scratch || engine->ready != HABIT_ENGINE_READY)
        return HABIT_ENULL;
    if (!habit_layout_make(&layout, &engine->config) || !fits(scratch, size, layout.scratch))
        return HABIT_EMEMORY;
    engine->memory.scratch = scratch;
    engine->memory.scratch_size = size;
    return HABIT_OK;
}

/* The field that holds the CRC counts as 0. */
static uint32_t block_crc(const uint8_t *bytes, size_t size)
{
    static const uint8_t zero[4];
    const size_t field = offsetof(struct habit_header, crc);
    uint32_t crc = habit_crc32c(0, bytes, field);

    crc = habit_crc32c(crc, zero, sizeof(zero));
    return habit_crc32c(crc, bytes + field + sizeof(zero), size - field - sizeof(zero));
}

static bool header_meaningful(const struct habit_header *header)
{
    for (uint32_t i = 0; i < sizeof(header->reserved) / sizeof(header->reserved[0]); i++)
        if (header->reserved[i] != 0)
            return false;
    return header->stamp != 0 && header->sensitivity >= 1e-15f && header->sensitivity <= HABIT_MAX_SENSITIVITY;
}

static int header_read(struct habit_header *header, const uint8_t *bytes, size_t size)
{
    if (size < HABIT_HEADER_SIZE)
        return HABIT_EBLOCK;
    memcpy(header, bytes, sizeof(*header));
    if (memcmp(header->magic, magic, sizeof(magic)) != 0 || header->header_size != HABIT_HEADER_SIZE)
        return HABIT_EBLOCK;
    return HABIT_OK;
}

/* Structure and CRC: afterwards the header is what an engine, or somebody who can compute a CRC, wrote. */
static int header_check(struct habit_header *header, const uint8_t *bytes, size_t size)
{
    const int result = header_read(header, bytes, size);

    if (result != HABIT_OK)
        return result;
    if (header->format != HABIT_FORMAT_VERSION)
        return HABIT_EVERSION;
    if (header->block_size != size)
        return HABIT_EBLOCK;
    if (header->sealed == 0)
        return HABIT_EUNSEALED;
    if (header->sealed != HABIT_SEALED || header->crc != block_crc(bytes, size))
        return HABIT_ECRC;
    return HABIT_OK;
}

static void info_fill(struct habit_info *info, const struct habit_header *header)
{
    memset(info, 0, sizeof(*info));
    header_config(header, &info->config);
    info->sensitivity = header->sensitivity;
    info->learned = header->learned;
    info->size = header->block_size;
    info->crc = header->crc;
    info->format = header->format;
}

int habit_peek(const void *bytes, size_t size, struct habit_info *info)
{
    struct habit_header header;
    int result;

    if (!bytes || !info)
        return HABIT_ENULL;
    result = header_read(&header, bytes, size);
    if (result == HABIT_OK)
        info_fill(info, &header);
    return result;
}

int habit_check(const void *bytes, size_t size, struct habit_info *info)
{
    struct habit_header header;
    struct habit_config config;
    struct habit_layout layout;
    int result;

    if (!bytes)
        return HABIT_ENULL;
    result = header_check(&header, bytes, size);
    if (result != HABIT_OK)
        return result;
    header_config(&header, &config);
    if (!header_meaningful(&header) || !habit_layout_make(&layout, &config) || size != 4 * (size_t)layout.knowledge ||
        !habit_body_valid(bytes, &layout))
        return HABIT_EMEANING;
    if (info)
        info_fill(info, &header);
    return HABIT_OK;
}

static int check_for(const struct habit_engine *engine, const void *bytes, size_t size)
{
    struct habit_info info;
    int result = habit_check(bytes, size, &info);

    if (result == HABIT_OK && habit_config_compare(&info.config, &engine->config) != HABIT_FIELD_NONE)
        result = HABIT_EMISMATCH;
    return result;
}

int habit_load(struct habit_engine *engine, const void *bytes, size_t size)
{
    int result;

    if (!engine || !bytes || engine->ready != HABIT_ENGINE_READY)
        return HABIT_ENULL;
    result = check_for(engine, bytes, size);
    if (result != HABIT_OK)
        return result;
    memmove(engine->memory.knowledge, bytes, size);
    engine->stamp = habit_header(engine)->stamp;
    engine->cached = 0;
    return HABIT_OK;
}

int habit_attach(struct habit_engine *engine)
{
    int result;

    if (!engine || engine->ready != HABIT_ENGINE_READY)
        return HABIT_ENULL;
    result = check_for(engine, engine->memory.knowledge, habit_knowledge_size(&engine->config));
    if (result != HABIT_OK) {
        engine->stamp = 0; /* no block has this one: every later call looks again */
        return result;
    }
    engine->stamp = habit_header(engine)->stamp;
    engine->cached = 0;
    return HABIT_OK;
}

int habit_ensure(struct habit_engine *engine)
{
    if (engine->ready != HABIT_ENGINE_READY)
        return HABIT_ENULL;
    if (engine->stamp != 0 && engine->stamp == habit_header(engine)->stamp)
        return HABIT_OK;
    return habit_attach(engine);
}

int habit_seal(struct habit_engine *engine)
{
    struct habit_header *header;
    int result;

    if (!engine)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    header = habit_header(engine);
    if (header->sealed == HABIT_SEALED) /* nothing changed since: habit_touch() */
        return HABIT_OK;
    header->sealed = HABIT_SEALED;
    header->crc = block_crc(engine->memory.knowledge, header->block_size);
    return HABIT_OK;
}

int habit_set_sensitivity(struct habit_engine *engine, float sensitivity)
{
    int result;

    if (!engine)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    if (!(sensitivity >= 1e-15f && sensitivity <= HABIT_MAX_SENSITIVITY))
        return HABIT_ERANGE;
    if (habit_bits(habit_header(engine)->sensitivity) == habit_bits(sensitivity))
        return HABIT_OK;
    habit_header(engine)->sensitivity = sensitivity;
    habit_touch(engine, &sensitivity, 1);
    return HABIT_OK;
}

float habit_get_sensitivity(const struct habit_engine *engine)
{
    return engine && engine->ready == HABIT_ENGINE_READY ? habit_header(engine)->sensitivity : 0.0f;
}
