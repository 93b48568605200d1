#include "habit/exchange.h"

#include <string.h>

#include "line.h"

static void add_profile(struct line *line, uint8_t profile)
{
    static const char *const names[HABIT_PROFILES] = { "small", "default", "large" };

    line_add(line, profile < HABIT_PROFILES ? names[profile] : "unknown");
}

/* A unit fills its bytes, or ends with a zero. */
static void add_unit(struct line *line, const char *unit)
{
    char text[HABIT_UNIT_SIZE + 1] = "";

    memcpy(text, unit, HABIT_UNIT_SIZE);
    line_add(line, "'");
    line_add(line, text);
    line_add(line, "'");
}

static void add_value(struct line *line, const struct habit_config *config, enum habit_field field)
{
    switch (field) {
    case HABIT_FIELD_BUFFER_SIZE:
        line_add_unsigned(line, config->buffer_size);
        break;
    case HABIT_FIELD_AXES:
        line_add_unsigned(line, config->axes);
        break;
    case HABIT_FIELD_PROFILE:
        add_profile(line, config->profile);
        break;
    case HABIT_FIELD_SAMPLING_HZ:
        line_add_float(line, config->sampling_hz);
        break;
    case HABIT_FIELD_SCALE:
        line_add_float(line, config->scale);
        break;
    default:
        add_unit(line, config->unit);
        break;
    }
}

static void say_mismatch(struct line *line, const struct habit_config *theirs, const struct habit_config *ours)
{
    const enum habit_field field = habit_config_compare(theirs, ours);

    line_add(line, habit_field_name(field));
    line_add(line, " ");
    add_value(line, theirs, field);
    line_add(line, " in the block, ");
    add_value(line, ours, field);
    line_add(line, " on this board");
}

static void say_version(struct line *line, const struct habit_info *info)
{
    line_add(line, "format version ");
    line_add_unsigned(line, info->format);
    line_add(line, " in the block, ");
    line_add_unsigned(line, HABIT_FORMAT_VERSION);
    line_add(line, " on this board");
}

static void say_loaded(struct line *line, const struct habit_info *info)
{
    line_add(line, "loaded: ");
    line_add_unsigned(line, info->learned);
    line_add(line, " buffers learned, ");
    line_add_unsigned(line, info->size);
    line_add(line, " bytes");
}

static void say(struct line *line, const struct habit_engine *engine, int result, const struct habit_info *info)
{
    if (result == HABIT_OK) {
        say_loaded(line, info);
        return;
    }
    line_add(line, "refused: ");
    if (result == HABIT_EMISMATCH)
        say_mismatch(line, &info->config, &engine->config);
    else if (result == HABIT_EVERSION)
        say_version(line, info);
    else
        line_add(line, habit_text(result));
}

int habit_exchange_load(struct habit_engine *engine, const void *bytes, size_t size, char why[HABIT_EXCHANGE_TEXT])
{
    struct habit_info info = { 0 };
    struct line line;
    int result;

    if (!engine || !why)
        return HABIT_ENULL;
    line_start(&line, why, HABIT_EXCHANGE_TEXT);
    result = habit_peek(bytes, size, &info);
    if (result == HABIT_OK && info.format == HABIT_FORMAT_VERSION && info.size > size)
        result = HABIT_ECRC; /* it is cut */
    if (result == HABIT_OK)
        result = habit_load(engine, bytes, info.size);
    say(&line, engine, result, &info);
    return result;
}
