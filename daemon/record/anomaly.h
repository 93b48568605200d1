/* A stored episode: raised when the average falls below the threshold, cleared when it recovers. */
#ifndef HABIT_RECORD_ANOMALY_H
#define HABIT_RECORD_ANOMALY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "record/verdict.h"

enum anomaly_event { ANOMALY_NONE, ANOMALY_RAISED, ANOMALY_WORSENED, ANOMALY_CLEARED, ANOMALY_ACCEPTED };
const char *anomaly_event_name(enum anomaly_event event);

enum { ANOMALY_CONTEXT_SIZE = 400 };

/* `undo` of an anomaly that is accepted by a change: the snapshot that this change takes first. */
#define UNDO_OF_THIS_CHANGE INT64_C(-1)

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
    uint32_t learned;                   /* of the knowledge in force when it was raised */
    uint32_t buffers;                   /* judged while it was open */
    uint32_t knowledge_crc;             /* of that knowledge, as its ETag says; 0 = not known */
    uint32_t evidence;                  /* buffers that raised it and are still stored */
    int64_t undo;                       /* accepted: the snapshot from before; 0 = none */
    char context[ANOMALY_CONTEXT_SIZE]; /* JSON object: named numbers that were known when it was raised; "" = none */
    char *explanation;                  /* JSON array as in a verdict; heap */
};

/* What became of accepting one. */
struct accepted {
    uint32_t buffers, strange; /* that were accepted; of them those whose similarity is below the threshold even now */
    uint8_t similarity;        /* lowest of them now */
    bool still_strange;        /* most of them, or all together */
};

#endif
