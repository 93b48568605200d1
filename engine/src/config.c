#include "layout.h"

#include <string.h>

#include "keep.h"
#include "maths.h"

static bool is_unit(const char *unit)
{
    bool ended = false;

    for (uint32_t i = 0; i < HABIT_UNIT_SIZE; i++) {
        if (unit[i] == '\0')
            ended = true;
        else if (ended || unit[i] < ' ' || unit[i] > '~')
            return false;
    }
    return true;
}

/* Beyond 1e-15 .. 1e15 products of ordinary values would leave the range of float32. */
static bool is_factor(float x)
{
    return x >= 1e-15f && x <= HABIT_MAX_VALUE;
}

/* A rate of -0 would be another block than a rate of 0. */
static bool is_rate(float hz)
{
    return habit_bits(hz) == 0 || is_factor(hz);
}

/* The others were left out of this build. */
static bool is_kept(const struct habit_config *config)
{
    return HABIT_KEEPS(HABIT_ONLY_BUFFER_SIZE, config->buffer_size) && HABIT_KEEPS(HABIT_ONLY_AXES, config->axes) &&
           HABIT_KEEPS(HABIT_ONLY_PROFILE, config->profile);
}

bool habit_config_valid(const struct habit_config *config)
{
    return config->buffer_size >= 1 && config->buffer_size <= HABIT_MAX_BUFFER_SIZE && config->axes >= 1 &&
           config->axes <= HABIT_MAX_AXES && config->profile < HABIT_PROFILES && is_rate(config->sampling_hz) &&
           is_factor(config->scale) && is_unit(config->unit) && is_kept(config);
}

size_t habit_knowledge_size(const struct habit_config *config)
{
    struct habit_layout layout;

    return config && habit_layout_make(&layout, config) ? 4 * (size_t)layout.knowledge : 0;
}

size_t habit_cache_size(const struct habit_config *config)
{
    struct habit_layout layout;

    return config && habit_layout_make(&layout, config) ? 4 * (size_t)layout.cache : 0;
}

size_t habit_scratch_size(const struct habit_config *config)
{
    struct habit_layout layout;

    return config && habit_layout_make(&layout, config) ? 4 * (size_t)layout.scratch : 0;
}

enum habit_field habit_config_compare(const struct habit_config *a, const struct habit_config *b)
{
    if (a->buffer_size != b->buffer_size)
        return HABIT_FIELD_BUFFER_SIZE;
    if (a->axes != b->axes)
        return HABIT_FIELD_AXES;
    if (a->profile != b->profile)
        return HABIT_FIELD_PROFILE;
    if (habit_bits(a->sampling_hz) != habit_bits(b->sampling_hz))
        return HABIT_FIELD_SAMPLING_HZ;
    if (habit_bits(a->scale) != habit_bits(b->scale))
        return HABIT_FIELD_SCALE;
    if (memcmp(a->unit, b->unit, HABIT_UNIT_SIZE) != 0)
        return HABIT_FIELD_UNIT;
    return HABIT_FIELD_NONE;
}
