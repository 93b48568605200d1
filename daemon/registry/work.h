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
    struct wire_buffers buffers; /* of a stream: what came, as buffers of one sample */
    const float *samples;        /* the first buffer to work on */
    size_t stride;               /* values from there to the next */
    size_t count;                /* how many */
    bool stream;                 /* cut from a stream: numbers are of messages, not of buffers */
    int64_t came_at;             /* wall ms when the message was measured */
    int64_t at;                  /* the same of the buffer that is worked on */
    int64_t steady;              /* the same in the strategy's time */
    int64_t now;                 /* arrival, in the strategy's time */
    bool timed;                  /* the sender said so */
    bool forget;                 /* what was learned before is forgotten: the machine stood */
    int64_t counted;             /* wall ms at which it counts: later than `at` where that day was reported already */
    bool clipped;                /* the buffer that was learned last stayed at its sensor's range */
    uint64_t learned, detected, duplicates;
    uint64_t verdicts[VERDICTS]; /* how many became what */
    int64_t began;               /* clock_ticks() */
    struct hour effect
        [HOURS_PENDING]; /* counters that are stored in the transaction of what they count; a message of a stream may
                                          span some hours */
    size_t effects;
    uint32_t raised;
    int64_t told;                          /* anomaly that was known to be stored before it */
    struct verdict last;                   /* of those that were no duplicates; last.at = 0: none */
    const char *snapshot, *snapshot_after; /* reasons, see struct store_change */
    struct episode_log events;
    struct commissioning_list commissioning;
    struct refusal *refusal;
};

/* stream.c: decodes a message of which this machine has some channels, or that is a part of a stream, into work->buffers. Returns 0, a
 * refusal, or negative. */
int work_decode_message(struct work *work, const struct settings *settings, const struct wire_shape *shape);

/* Joins what came of a stream to what was left over: sets samples, stride and count. Before it a gap is noticed, and a message that
 * was applied already left out. Returns 0 or a refusal. */
int work_join_stream(struct work *work);

/* Sets the times to those of buffer `index` of a stream. */
void work_time_stream(struct work *work, size_t index);

/* After its buffers were worked on: keeps what is left over. */
void work_leave_stream(struct work *work);

/* Sets the times of a buffer that was measured at `at`. */
void work_set_time(struct work *work, int64_t at);

/* learn.c: teaches the engine one buffer. A machine that is watched may move its baseline by `budget` only: DRIFT beyond, and
 * nothing was learned. *moved: by how much. Returns 0, a refusal, or negative. */
int work_learn(struct work *work, const float *samples, size_t index, float budget, struct verdict *verdict,
               float *moved);

/* What the engine refused: of a buffer, or of a memory that is not what it was. */
int work_refuse_engine(struct work *work, int status, size_t index);

/* All that was learned in this phase was a machine that stood. */
void work_forget(struct work *work);

/* Counters of the hour in which the buffers count. */
struct hour *work_hour(const struct work *work);

/* The same of those that are stored together with what they count. */
struct hour *work_effect(struct work *work);

/* Learns, judges or leaves out one buffer, as the strategy decides. Returns 0; or a refusal: then the caller takes back what
 * buffers before it changed. */
int work_apply(struct work *work, size_t index, struct verdict *verdict);

/* Judges without a trace: no window, no counter, no mark. */
int work_try(struct work *work, size_t index, struct verdict *verdict);

#endif
