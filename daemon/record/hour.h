/* What one machine did in one hour of UTC; days of any time zone are sums of these (in zones with half and quarter hours an
 * hour counts for the day in which it begins, see report/daily.h). */
#ifndef HABIT_RECORD_HOUR_H
#define HABIT_RECORD_HOUR_H

#include <stdint.h>

/* Counters of buffers and events: name, help */
#define HOUR_COUNTERS(X)                                               \
    X(learned, "buffers learned")                                      \
    X(detected, "buffers judged")                                      \
    X(below, "buffers with a similarity below the threshold")          \
    X(idle, "buffers left out: paused, or not told to learn")          \
    X(skipped, "buffers left out by learn_every or detect_every")      \
    X(not_ready, "buffers that came before enough was learned")        \
    X(duplicates, "buffers that had been applied already")             \
    X(refused, "buffers refused: see the counters of drops by reason") \
    X(anomalies, "anomalies raised")

struct hour {
    int64_t start; /* wall ms, a whole hour of UTC */
#define HOUR_MEMBER(name, help) uint32_t name;
    HOUR_COUNTERS(HOUR_MEMBER)
#undef HOUR_MEMBER
    double similarity_sum;   /* of detected ones */
    double log_distance_sum; /* natural logarithm */
    uint32_t similarity_min; /* 101 = none detected */
    uint64_t anomaly_ms;     /* time with an open anomaly */
};

enum { HOUR_MS = 3600000 };

/* Adds the counters of one to another; start stays. */
void hour_add(struct hour *sum, const struct hour *hour);

#endif
