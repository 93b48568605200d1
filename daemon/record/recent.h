/* What the last judged buffers of a machine said: for pictures and for trying out a sensitivity. */
#ifndef HABIT_RECORD_RECENT_H
#define HABIT_RECORD_RECENT_H

#include <stdint.h>

struct recent_point {
    int64_t at;                             /* wall ms */
    float distance, average_distance;       /* of the buffer, of the window; the latter 0 = the window was not full */
    float level, amplitude;                 /* of all axes together, as in struct hour */
    uint8_t similarity, average_similarity; /* with the sensitivity of that moment */
};

#endif
