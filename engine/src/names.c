/* What the numbers of the interface mean, in English. */
#include "habit/engine.h"

const char *habit_text(int result)
{
    switch (result) {
#define TEXT(name, value, text) \
    case (value):               \
        return text;
        HABIT_RESULTS(TEXT)
#undef TEXT
    default:
        return "unknown result";
    }
}

const char *habit_missing_text(enum habit_missing missing)
{
    static const char *const texts[HABIT_MISSINGS] = {
        [HABIT_MISSING_NOTHING] = "nothing",
        [HABIT_MISSING_BUFFERS] = "more buffers before one can be judged",
        [HABIT_MISSING_MORE] = "more buffers, to judge better",
        [HABIT_MISSING_REST] = "rest: what is normal is still changing",
        [HABIT_MISSING_STATE] = "more of a state that was seen only a few times",
    };

    return (unsigned int)missing < HABIT_MISSINGS ? texts[missing] : "unknown";
}

const char *habit_kind_name(enum habit_kind kind)
{
    static const char *const names[HABIT_KINDS] = {
        [HABIT_KIND_BAND] = "band",
        [HABIT_KIND_AMPLITUDE] = "amplitude",
        [HABIT_KIND_IMPULSIVENESS] = "impulsiveness",
        [HABIT_KIND_ASYMMETRY] = "asymmetry",
        [HABIT_KIND_LEVEL] = "level",
        [HABIT_KIND_WAVEFORM] = "waveform",
    };

    return (unsigned int)kind < HABIT_KINDS ? names[kind] : "unknown";
}

const char *habit_field_name(enum habit_field field)
{
    static const char *const names[] = {
        [HABIT_FIELD_NONE] = "nothing",    [HABIT_FIELD_BUFFER_SIZE] = "buffer size", [HABIT_FIELD_AXES] = "axes",
        [HABIT_FIELD_PROFILE] = "profile", [HABIT_FIELD_SAMPLING_HZ] = "sampling Hz", [HABIT_FIELD_SCALE] = "scale",
        [HABIT_FIELD_UNIT] = "unit",
    };

    return (unsigned int)field <= HABIT_FIELD_UNIT ? names[field] : "unknown";
}
