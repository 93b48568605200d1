/* All buffers of one machine that the detectors are compared on: those to learn, later healthy ones, and faulty ones. */
#ifndef HABIT_BED_TRIAL_H
#define HABIT_BED_TRIAL_H

#include "bands.h"
#include "kind.h"

struct trial {
    struct machine *machine;  /* as it was drawn */
    struct machine *at_fault; /* as it is after the last healthy buffer */
    unsigned int learnable;   /* buffers before the tested ones */
    unsigned int healthy_end; /* learnable + BED_HEALTHY; the faulty ones follow */
    unsigned int count;       /* of all buffers */
    size_t values;            /* in a buffer */
    float *samples;           /* count x values */
    struct feature_layout layout;
    double *features; /* count x layout.count */
};

/* Writes the healthy life of a machine, which becomes the trial's. */
struct trial *trial_new(struct machine *machine, unsigned int learnable);
struct trial *trial_free(struct trial *trial); /* NULL is fine; always returns NULL */

/* Writes the faulty buffers, with the same chance whatever the severity. Returns false where the machine never comes into a
 * state in which the fault could show. */
bool trial_fail(struct trial *trial, double severity);

const float *trial_samples(const struct trial *trial, unsigned int index);
const double *trial_features(const struct trial *trial, unsigned int index);

#endif
