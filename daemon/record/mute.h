/* Maintenance: for some time a machine raises nothing, because somebody works on it. */
#ifndef HABIT_RECORD_MUTE_H
#define HABIT_RECORD_MUTE_H

#include <stdint.h>

/* What happens to the knowledge when it is over: name, word, meaning */
#define MUTE_ENDS(X)                                       \
    X(KEEP, "keep", "goes on watching with what it knows") \
    X(ENRICH, "enrich", "learns on, until settled")        \
    X(RELEARN, "relearn", "forgets, and learns from the beginning")

enum mute_end {
#define MUTE_ENUM(name, word, meaning) MUTE_##name,
    MUTE_ENDS(MUTE_ENUM)
#undef MUTE_ENUM
        MUTE_ENDS_COUNT
};
const char *mute_end_name(enum mute_end end);

struct mute {
    int64_t since, until;   /* in the strategy's time, in the store wall ms; until 0 = not muted */
    char who[64], why[128]; /* plain text, neither empty */
    uint32_t then;          /* enum mute_end */
};

#endif
