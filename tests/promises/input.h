/* Inputs of all sorts, a row each: how the healthy and the faulty sensor are made, and what becomes of a buffer on
 * its way. */
#ifndef PROMISES_INPUT_H
#define PROMISES_INPUT_H

#include "signal.h"

#define INPUT_STEP 0.05 /* unit of an int16, in standard deviations of the signal */

struct input;

/* A row of the table. */
struct row {
    const char *name;
    unsigned int samples, axes;
    double parameter;
    void (*setup)(struct input *input, double parameter, struct chance *chance);
    /* What becomes of a buffer on its way from the sensor; NULL = nothing. */
    void (*shape)(const struct input *input, float *buffer, bool faulty);
    bool integers;    /* through habit_learn_i16 and habit_detect_i16 */
    bool compared;    /* with the same machine at parameter 1 and in floats */
    uint16_t dead;    /* bits of the axes that the engine must call constant */
    uint16_t clipped; /* at least these must be called clipped */
};

struct input {
    const struct row *row;
    double parameter;
    struct signal healthy, faulty;
    float envelope[HABIT_MAX_BUFFER_SIZE]; /* of a spectrum */
    float low, high;                       /* where a sensor clips; the largest of an envelope */
};

extern const struct row input_rows[];
extern const size_t input_row_count;

#endif
