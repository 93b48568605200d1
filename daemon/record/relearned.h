/* Relearned knowledge beside the one in force. */
#ifndef HABIT_RECORD_RELEARNED_H
#define HABIT_RECORD_RELEARNED_H

#include <stdint.h>

struct relearned_side {
    uint32_t learned, states, crc;
    float settled, false_alarms; /* the engine's own estimate, share of nominal buffers */
    uint32_t strange;            /* of the buffers both have judged, similarity below the threshold */
    uint32_t below;              /* of their windows */
    double log_distance;         /* mean; NAN = none was judged */
    uint32_t found;              /* strange ones among the stored buffers of anomalies */
};

struct relearned {
    int64_t made;               /* wall ms */
    uint32_t buffers, accepted; /* that it was learned from */
    int64_t since;              /* wall ms: both judge since then, or since habitd's start; 0 = nothing came yet */
    uint32_t judged, both, windows;
    uint32_t anomaly_buffers;      /* stored ones of anomalies that nobody accepted */
    struct relearned_side side[2]; /* in force, relearned */
};

#endif
