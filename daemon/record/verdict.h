/* What became of one submission of buffers: what every door answers, and the machine's state topic shows. */
#ifndef HABIT_RECORD_VERDICT_H
#define HABIT_RECORD_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum phase { PHASE_NEW, PHASE_LEARNING, PHASE_WATCHING, PHASE_PAUSED, PHASES };
const char *phase_name(enum phase phase);

enum verdict_status {
    VERDICT_OK, /* detected */
    VERDICT_LEARNED,
    VERDICT_NOT_READY, /* not enough was learned to judge: no score */
    VERDICT_IDLE,      /* the strategy left it out: skipped, paused, or not told to learn */
    VERDICT_DUPLICATE,
    VERDICTS
};
const char *verdict_name(enum verdict_status status);

enum { RECORD_AXES = 16, RECORD_REASONS = 5 };

/* One part of an explanation, in the user's terms. */
struct reason {
    uint8_t axis;
    const char *kind; /* static: "band", "amplitude", "impulsiveness", "asymmetry", "level", "waveform" */
    bool in_hz;
    float from, to; /* band: Hz or bins; waveform: samples; else both 0 */
    float sigmas;   /* signed */
};

struct detection {
    uint8_t similarity;
    float distance, p_value;
    bool extrapolated;
    uint16_t constant, clipped; /* bit per axis */
    uint8_t axes, reasons;
    float level[RECORD_AXES], amplitude[RECORD_AXES];
    struct reason reason[RECORD_REASONS];
};

struct average {
    bool known; /* the window is full and can be judged */
    uint8_t similarity;
    float distance;
};

/* What is missing before learning can end. */
enum lack { LACK_NOTHING, LACK_BUFFERS, LACK_MORE, LACK_REST, LACK_STATE };

struct learning {
    uint32_t learned; /* in all */
    uint32_t needed;  /* until detect answers; 0 = ready */
    float settled, weight, false_alarms;
    bool extrapolated;
    uint32_t states, rare; /* that count as normal; how often the rarest was seen that does not yet */
    uint32_t lack;         /* enum lack */
    const char *missing;   /* the engine's words for it; static */
};

struct verdict {
    enum verdict_status status;
    enum phase phase;
    const char *note;           /* why idle or not ready, and what to do; NULL = none; static */
    struct detection detection; /* valid when status is OK */
    struct average average;
    struct learning learning;
    int64_t anomaly; /* open anomaly, 0 = none */
    float sensitivity;
    uint32_t threshold;
    int64_t at; /* wall ms of the buffer */
};

#endif
