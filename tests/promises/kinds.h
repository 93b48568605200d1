/* Kinds of stationary machines. Each draw gives another machine: geometry, unit, frequencies, strengths. */
#ifndef PROMISES_KINDS_H
#define PROMISES_KINDS_H

#include "signal.h"

enum kind {
    KIND_WHITE,
    KIND_RESONANCE,
    KIND_TONES,
    KIND_HEAVY,
    KIND_WANDERING,
    KIND_IMPULSIVE,
    KIND_CYCLE,
    KIND_LEVELS,
    KIND_MODULATED,
    KIND_VALUES,
    KINDS
};

const char *kind_name(enum kind kind);
const char *kind_about(enum kind kind);

/* 1..6 axes, 16..2048 samples (one where the kind is values): half of the lengths are powers of two. */
void kind_draw(enum kind kind, struct signal *signal, struct chance *chance);

/* The same on a given geometry. */
void kind_draw_sized(enum kind kind, struct signal *signal, unsigned int samples, unsigned int axes,
                     struct chance *chance);

/* Evenly in the logarithm. */
double chance_scale(struct chance *chance, double low, double high);

#endif
