/* One submission on its way. Private to submit.c, which is the path, and judge.c, which is what happens to each buffer. */
#ifndef HABIT_REGISTRY_WORK_H
#define HABIT_REGISTRY_WORK_H

#include "registry/commissioning.h"
#include "registry/internal.h"

/* What one submission is about to write. */
struct work {
    struct registry *registry;
    struct machine *machine; /* entered */
    const struct arrival *arrival;
    struct wire_buffers buffers;
    int64_t at;      /* wall ms when it was measured */
    int64_t counted; /* wall ms at which it counts: later than `at` where that day was reported already */
    uint64_t learned, detected, duplicates;
    uint64_t verdicts[VERDICTS]; /* how many became what */
    int64_t began;               /* clock_ticks() */
    struct hour effect;          /* counters that are stored in the transaction of what they count */
    int64_t anomaly_before;
    struct verdict last; /* of those that were no duplicates; last.at = 0: none */
    struct episode_log events;
    struct commissioning_list commissioning;
    struct refusal *refusal;
};

/* Counters of the hour in which the buffers count. */
struct hour *work_hour(const struct work *work);

/* Learns, judges or leaves out one buffer, as the strategy decides. Returns 0; or a refusal: then the caller takes back what
 * buffers before it changed. */
int work_apply(struct work *work, size_t index, struct verdict *verdict);

/* Judges without a trace: no window, no counter, no mark. */
int work_try(struct work *work, size_t index, struct verdict *verdict);

#endif
