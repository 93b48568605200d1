/* What one machine did in one hour of UTC. Where a civil day begins within an hour (Kathmandu at 18:15Z), that hour has two rows,
 * the second from there on: so each row belongs to one day, and days of any time zone are sums of rows. */
#ifndef HABIT_RECORD_HOUR_H
#define HABIT_RECORD_HOUR_H

#include <stdbool.h>
#include <stdint.h>

/* Counters of buffers and events: name, help */
#define HOUR_COUNTERS(X)                                                    \
    X(learned, "buffers learned")                                           \
    X(detected, "buffers judged")                                           \
    X(below, "buffers with a similarity below the threshold")               \
    X(idle, "buffers left out: paused, or not told to learn")               \
    X(skipped, "buffers left out by learn_every or detect_every")           \
    X(not_ready, "buffers that came before enough was learned")             \
    X(duplicates, "buffers that had been applied already")                  \
    X(refused, "buffers refused: see the counters of drops by reason")      \
    X(anomalies, "anomalies raised")                                        \
    X(starts, "times the machine began to run")                             \
    X(gaps, "times a part of its stream was missing")                       \
    X(late, "buffers of a day whose report was made already, counted here") \
    X(untrusted, "buffers that came while the gateway's clock was not trusted")

/* Sums over the buffers judged: name, help */
#define HOUR_SUMS(X)                                         \
    X(similarity_sum, "similarity")                          \
    X(log_distance_sum, "natural logarithm of the distance") \
    X(level_sum, "mean of all axes")                         \
    X(amplitude_sum, "rms around the mean, of all axes together")

/* Times in ms: name, help */
#define HOUR_TIMES(X)                      \
    X(anomaly_ms, "with an open anomaly")  \
    X(running_ms, "while the machine ran") \
    X(silent_ms, "without a buffer, beyond what is usual for it")

struct hour {
    int64_t start; /* wall ms: a whole hour of UTC, or the first moment of a civil day */
#define HOUR_MEMBER(name, help) uint32_t name;
    HOUR_COUNTERS(HOUR_MEMBER)
#undef HOUR_MEMBER
#define HOUR_MEMBER(name, help) double name;
    HOUR_SUMS(HOUR_MEMBER)
#undef HOUR_MEMBER
#define HOUR_MEMBER(name, help) uint64_t name;
    HOUR_TIMES(HOUR_MEMBER)
#undef HOUR_MEMBER
    uint32_t similarity_min; /* 101 = none detected */
    uint32_t phase;          /* enum phase after the last buffer + 1; 0 = none came */
};

enum { HOUR_MS = 3600000 };

/* Adds what was counted in an hour to a sum, whose start stays; of the phases the later call's counts. */
void hour_add(struct hour *sum, const struct hour *hour);

/* Whether a buffer came, whatever became of it. */
bool hour_heard(const struct hour *hour);

#endif
