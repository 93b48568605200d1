/* Whether the messages of a stream follow each other without a gap. Pure. */
#ifndef HABIT_STRATEGY_STREAM_H
#define HABIT_STRATEGY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/machine.h"

/* What is known of one message. */
struct stream_message {
    size_t samples;
    bool numbered, timed; /* by its sender */
    uint64_t seq;
    char source[SOURCE_SIZE], boot[SOURCE_SIZE];
    int64_t measured; /* ms; where it is timed */
    int64_t came;     /* ms, of a clock that nobody sets */
};

enum stream_break {
    STREAM_FOLLOWS,
    STREAM_OTHER,  /* another source, or another boot of it: what was unfinished stays so */
    STREAM_NUMBER, /* a number is missing, or came before */
    STREAM_PAUSE,  /* a time is missing */
    STREAM_BREAKS
};

/* Numbers say it where both messages have them; else times: those of measurement where both have them, within two milliseconds and
 * half a message, else those of arrival, within a second.
 * gap: ms of a pause that breaks, 0 = by the rate; it counts beside numbers too. sampling_hz: 0 = unknown; then without `gap` no
 * pause is too long. */
enum stream_break stream_follows(const struct stream_message *last, const struct stream_message *next, uint64_t gap,
                                 float sampling_hz);

/* For the log. */
const char *stream_break_text(enum stream_break reason);

#endif
