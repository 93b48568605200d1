/* What signals of machines are made of. All of them add to x, so that sources can be put on top of each other. */
#ifndef HABIT_BED_SIGNAL_H
#define HABIT_BED_SIGNAL_H

#include <stddef.h>

#include "kind.h"

/* Gaussian noise, independent from sample to sample. Ten times faster than chance_gauss; ends at 4.2 sigma. */
void signal_noise(double *x, size_t n, double sigma, struct chance *chance);

/* A tone on all axes at once: amplitude[a] x cos(2 pi (frequency x i + turn[a] + start)), frequency in turns per sample. */
struct tone_wave {
    double frequency, start;
    double amplitude[BED_AXES], turn[BED_AXES];
};
void signal_tone(struct block *block, const struct tone_wave *wave);

/* Two poles: a structure that rings. What it remembers of one buffer's end is a fair start for the next, because both are
 * moments of the same random process; so there is no time to settle. */
struct resonator {
    double a1, a2;    /* y = input + a1 y' + a2 y'' */
    double past[2];   /* y', y'' */
    double for_noise; /* factor that gives noise of 1 in a standard deviation of 1 out */
};
struct resonator resonator_at(double frequency, double radius);
/* x += gain x what the resonator makes of the input. */
void resonator_add(struct resonator *resonator, double *x, const double *input, size_t n, double gain);

/* Slow wander from buffer to buffer: AR(1), mean 0, standard deviation 1. */
struct wander {
    double value, memory; /* memory: correlation of consecutive buffers */
};
struct wander wander_start(struct chance *chance, double memory);
double wander_next(struct wander *wander, struct chance *chance);

/* States that a machine changes between, staying for a random number of buffers. The kinds let them stay for some 2 to 10, so
 * that the faulty buffers go through all of them, too. */
enum { REGIMES = 5 };
struct regimes {
    unsigned int count, now;
    double stay[REGIMES]; /* mean number of buffers */
    unsigned int left;    /* buffers until the next change */
};
void regimes_start(struct regimes *regimes, unsigned int count, double stay_low, double stay_high,
                   struct chance *chance);
/* Returns whether this buffer is the first in another state. */
bool regimes_next(struct regimes *regimes, struct chance *chance);

#endif
