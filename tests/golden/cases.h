/* The machines whose golden vectors are kept, and their samples, which are the same bits on every processor. */
#ifndef CASES_H
#define CASES_H

#include <stdbool.h>
#include <stdint.h>

enum signal_kind {
    SIGNAL_NOISE,
    SIGNAL_TONES,  /* three in noise, of random phase */
    SIGNAL_CYCLE,  /* starts in phase: the shape repeats */
    SIGNAL_STATES, /* one of three tones a buffer */
    SIGNAL_LEVEL,  /* slow values that wander together */
    SIGNAL_PULSES, /* now and then, of random height */
    SIGNAL_ODD,    /* axis by axis: tones, constant, clipped, subnormal numbers */
    SIGNAL_KINDS
};

struct golden_case {
    const char *name;
    uint16_t samples;
    uint8_t axes, profile;
    uint8_t signal; /* enum signal_kind */
    bool integers;  /* learned and judged as int16 */
    uint32_t learned;
    uint8_t accepted;   /* buffers that an operator accepts */
    float gain, offset; /* of a signal that is about 1 high */
};

extern const struct golden_case golden_cases[];
extern const uint32_t golden_case_count;

/* Where a case's samples come from. */
struct golden_signal {
    const struct golden_case *of;
    uint32_t random;
    int32_t wander; /* of the common level */
};

void golden_signal_init(struct golden_signal *signal, const struct golden_case *of);

/* The next buffer as floats; `fault` is a machine that is not as it was learned. */
void golden_signal_floats(struct golden_signal *signal, bool fault, float *samples);

/* The next buffer of a case with integers, and what a step of them is worth. */
void golden_signal_integers(struct golden_signal *signal, bool fault, int16_t *samples);
float golden_scale(const struct golden_case *of);

#endif
