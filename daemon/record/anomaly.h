/* A stored episode: raised when the average falls below the threshold, cleared when it recovers. */
#ifndef HABIT_RECORD_ANOMALY_H
#define HABIT_RECORD_ANOMALY_H

#include <stdint.h>

#include "base/text.h"
#include "record/verdict.h"

enum anomaly_event { ANOMALY_NONE, ANOMALY_RAISED, ANOMALY_WORSENED, ANOMALY_CLEARED, ANOMALY_ACCEPTED };
const char *anomaly_event_name(enum anomaly_event event);

struct anomaly {
    int64_t id;
    char machine[MACHINE_ID_SIZE];
    char asset[64];
    int64_t raised, cleared; /* wall ms; cleared 0 = open */
    uint32_t event;          /* enum anomaly_event: the last one */
    uint8_t similarity;      /* lowest average */
    float distance;          /* largest, of the average */
    uint32_t threshold;
    float sensitivity;
    uint32_t learned;  /* of the knowledge in force when it was raised */
    uint32_t buffers;  /* judged while it was open */
    char *explanation; /* JSON array as in a verdict; heap */
};

#endif
