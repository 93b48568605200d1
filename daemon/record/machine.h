/* What is kept of a machine beside its settings and knowledge. */
#ifndef HABIT_RECORD_MACHINE_H
#define HABIT_RECORD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "record/mute.h"
#include "record/settings.h"
#include "record/verdict.h"

/* Marks of one boot of one source that numbers its buffers: a high-water mark and a bitmap of the last 256. */
enum { SOURCE_SIZE = 33 };
struct mark {
    char source[SOURCE_SIZE], boot[SOURCE_SIZE];
    uint64_t high; /* highest applied */
    uint64_t
        seen[LIMIT_SEQUENCE_WINDOW / 64]; /* bit i of the ring: high - (distance) was applied; see registry/marks.h */
    int64_t used; /* wall ms of the last buffer, or later where the clock was set back: the order of use */
};

/* A number that comes beside buffers: temperature, load, speed. */
struct named_number {
    char name[CONTEXT_NAME_SIZE];
    double value;
    int64_t at; /* when it came, in the strategy's time */
};

/* What a machine's own sender or sensor does wrong, or the machine fails to do: events of their own, never anomalies.
 * name, word, meaning */
#define TROUBLES(X)                                                                                           \
    X(SILENT, "silent", "no buffer came for longer than is usual")                                            \
    X(STOPPED, "stopped", "the machine stands for longer than stopped_after")                                 \
    X(DEAD, "dead_sensor", "an axis does not move at all, and did when it was learned")                       \
    X(CLIPPED, "clipped_sensor", "an axis stays at its extremes: its range is exceeded")                      \
    X(RATE, "wrong_rate", "buffers are measured faster than buffer_size / sampling_hz: one of both is wrong") \
    X(CONTEXT, "no_context", "the context number that run_when asks for is missing")

enum trouble {
#define TROUBLE_ENUM(name, word, meaning) TROUBLE_##name,
    TROUBLES(TROUBLE_ENUM)
#undef TROUBLE_ENUM
        TROUBLES_COUNT
};
const char *trouble_name(enum trouble trouble);
const char *trouble_meaning(enum trouble trouble);

/* Whether a machine runs. Levels are binary logarithms of the rms around the mean. */
enum run_status { RUN_UNKNOWN, RUN_RUNS, RUN_STANDS };
struct run_memory {
    uint32_t status;         /* enum run_status */
    uint32_t far;            /* buffers in a row that are far above what was taken for running */
    int64_t since;           /* when it began to run, or to stand */
    int64_t last;            /* when the last buffer was measured */
    float running, standing; /* level auto: what is usual */
    uint32_t levels;         /* how many of both are known: 0, 1 = running, 2 */
    uint32_t learned_low;    /* buffers that were learned before standing was told from running */
};

/* One rule on its way. */
enum rule_stage { RULE_RESTS, RULE_WAITS, RULE_LEARNS, RULE_DONE, RULE_UNWELL, RULE_SPENT };
struct rule_memory {
    uint32_t of;      /* checksum of the rule that this is about; of another one it begins anew */
    uint32_t stage;   /* enum rule_stage; DONE and UNWELL until the condition is false; SPENT: no drift budget left */
    int64_t since;    /* when the condition became true */
    int64_t known_at; /* when the number was known last */
    uint32_t holds;   /* what it said then */
    uint32_t learned; /* in this stage */
    float drift;      /* of the baseline, by this rule */
    uint32_t reserved;
};

/* What the strategy remembers beside phases and the open anomaly. Flat: saved as bytes, and begun anew where they are of another
 * version. */
enum { STRATEGY_MEMORY_VERSION = 2 };
struct strategy_memory {
    uint32_t version;
    uint32_t told;                /* bit per trouble: what subscribers know */
    uint32_t below;               /* judgements in a row that count towards an anomaly */
    uint32_t judged;              /* intervals in the mean, up to a limit */
    double interval;              /* ms between judgements, exponential mean */
    uint32_t together;            /* judgements of the last one's time before it: a batch */
    uint32_t reserved;            /* 0 */
    uint32_t dead, clipped, fast; /* buffers in a row */
    uint32_t present;             /* bits of the sensor's troubles */
    struct run_memory run;
    struct rule_memory rule[LIMIT_RULES];
};

/* The strategy's memory; saved with every change, and every few seconds. Its times are the wall clock's as it was when habitd
 * started, whatever the clock did since: intervals do not jump. */
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
    struct strategy_memory memory;
};

/* What follows from the false alarms that were ordered. */
struct alarm_plan {
    float line;           /* of the window's distance times sensitivity: raised beyond it */
    float hold;           /* and down to here a judgement counts for persistence */
    uint32_t windows;     /* that follow each other without overlap, and all those between, must lie beyond */
    uint32_t persistence; /* judgements in a row that count: 1 = the first raises */
    uint32_t buffers;     /* from the first strange buffer on until an anomaly can rise, at the latest */
    double rise_ms;       /* the same in time; 0 = how often buffers come is not known yet */
    bool ordered;         /* else the bare threshold */
    bool kept;            /* the order can be kept; else persistence is the most there is */
    bool extrapolated;    /* fewer buffers were learned than come in the time of one ordered false alarm */
    double expected;      /* buffers between two ordered false alarms */
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
    char progress[96];   /* of learning, for people; "" = it does not learn */
    uint32_t troubles;   /* bit per trouble */
    struct alarm_plan plan;
    char promise[240];                   /* what it means, for people */
    const char *rule_stage[LIMIT_RULES]; /* static; of settings.rule */
    bool online;
    struct mute mute; /* until 0: not muted; wall ms */
    bool relearned;   /* knowledge beside the one in force */
    bool conflict;    /* settings and knowledge differ in geometry, rate, unit or scale */
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
