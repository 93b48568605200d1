/* What is kept of a machine beside its settings and knowledge. */
#ifndef HABIT_RECORD_MACHINE_H
#define HABIT_RECORD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "record/settings.h"
#include "record/verdict.h"

/* Marks of one boot of one source that numbers its buffers: a high-water mark and a bitmap of the last 256. */
enum { SOURCE_SIZE = 33 };
struct mark {
    char source[SOURCE_SIZE], boot[SOURCE_SIZE];
    uint64_t high; /* highest applied */
    uint64_t
        seen[LIMIT_SEQUENCE_WINDOW / 64]; /* bit i of the ring: high - (distance) was applied; see registry/marks.h */
    int64_t used;                         /* wall ms of the last buffer */
};

/* A number that comes beside buffers: temperature, load, speed. */
struct named_number {
    char name[32];
    double value;
};

/* The strategy's memory; saved with every change, and every few seconds. */
struct strategy_state {
    uint32_t phase;         /* enum phase: new, learning, watching; paused is a setting */
    int64_t phase_since;    /* wall ms */
    uint32_t phase_learned; /* buffers learned in this phase */
    int64_t last_learn;     /* wall ms at which the last learned, or judged, buffer was measured; 0 = never */
    int64_t last_detect;
    int64_t last_seen;           /* wall ms when the last one came */
    int64_t last_measured;       /* and when it was measured: a backlog comes at once, but was measured one by one */
    int64_t interval;            /* ms between measurements, exponential mean; 0 = unknown */
    int64_t anomaly;             /* open anomaly, 0 = none */
    uint32_t anomaly_similarity; /* lowest average of the open one */
    float anomaly_distance;      /* largest */
    uint32_t anomaly_buffers;    /* judged since it was raised */
};

/* The doors by which buffers come. */
enum transport { TRANSPORT_HTTP, TRANSPORT_MQTT, TRANSPORTS };

/* What a machine did since habitd was started. */
struct machine_counters {
    uint64_t buffers[TRANSPORTS][VERDICTS];
    uint64_t anomalies; /* raised */
};

/* What monitoring wants of it. */
struct machine_gauges {
    char id[MACHINE_ID_SIZE];
    char name[64], asset[64], location[64];
    uint32_t phase;
    bool online, anomaly;
    bool judged;        /* the last buffer was: */
    bool average_known; /* and the window was full */
    uint8_t similarity, average;
    float distance;
    int64_t last_seen; /* wall ms; 0 = never */
    struct machine_counters counters;
};

/* A line of the list, and the head of a machine's own page. */
struct machine_view {
    char id[MACHINE_ID_SIZE];
    int64_t created;
    struct settings settings;
    struct strategy_state state;
    struct learning learning;
    struct verdict last; /* the last answer; last.at = 0: none since the start */
    bool online;
    bool conflict; /* settings and knowledge differ in geometry, rate, unit or scale */
    char conflict_text[160];
    uint32_t knowledge_crc, knowledge_size;
    float drift;
    uint32_t context_count;
    struct named_number context[LIMIT_CONTEXT]; /* latest values */
};

/* An ID that sends but is not known. */
struct pending {
    char id[MACHINE_ID_SIZE];
    char topic[128];
    uint64_t bytes;      /* of the last message */
    uint64_t count;      /* messages */
    int64_t first, last; /* wall ms */
    uint32_t format;     /* enum sample_format the door assumes */
};

#endif
