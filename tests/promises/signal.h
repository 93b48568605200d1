/* What the sensor of a simulated machine delivers: a recipe, buffer after buffer.
 *
 * Each axis is a level, noise (white or resonant, Gaussian or with heavy tails), tones and shocks. Between buffers
 * amplitude and level may wander as first-order autoregressive processes, partly together on all axes. Everything
 * else is independent from buffer to buffer, so a machine whose recipe stays is stationary. */
#ifndef PROMISES_SIGNAL_H
#define PROMISES_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "chance.h"

#include "habit/engine.h"

enum { SIGNAL_TONES = 6 };

struct tone {
    double frequency; /* cycles a sample */
    double amplitude; /* peak */
    double turn;      /* where in its cycle a locked buffer begins, 0..1 */
    double depth;     /* of its modulation within a buffer, 0..1 */
    double beat;      /* frequency of that modulation */
};

struct shocks {
    double each_buffer; /* mean number in a buffer; they come at random */
    bool steady;        /* exactly so many, at random places */
    double height;      /* of the first peak */
    double frequency;   /* with which each rings */
    double decay;       /* samples after which it has fallen to 1/e */
};

struct axis {
    double level;
    double level_sd;  /* of the level from buffer to buffer */
    double noise;     /* standard deviation within a buffer */
    bool heavy;       /* Student's t with 3 degrees of freedom instead of Gaussian; `noise` is its scale then */
    double pole;      /* radius, below 1: the noise is that of a resonance; 0 = white */
    double frequency; /* of that resonance */
    struct tone tone[SIGNAL_TONES];
    unsigned int tones;
    struct shocks shocks;
};

/* Gaussian processes with variance 1. */
struct wander {
    double all, own[HABIT_MAX_AXES];
};

struct signal {
    unsigned int samples, axes;
    struct axis axis[HABIT_MAX_AXES];
    bool locked;        /* buffers begin in phase */
    double jitter;      /* of that, samples */
    double tone_wander; /* standard deviation of the logarithm of the tones' amplitude between buffers */
    double gain_wander; /* the same of everything that is not level */
    double lag;         /* correlation of neighbouring buffers in what wanders */
    double together;    /* share of the variance of what wanders that all axes have in common */
    struct chance chance;
    struct wander amplitude, level; /* now */
};

/* Nothing but silence, with a stream of chance of its own. */
void signal_init(struct signal *signal, unsigned int samples, unsigned int axes, struct chance *chance);

/* Gives what wanders its place, once the recipe is complete. */
void signal_start(struct signal *signal);

/* The next buffer, interleaved by axis. */
void signal_next(struct signal *signal, float *buffer);

/* Standard deviation of an axis within a buffer, without what wanders; of heavy tails the true one. */
double signal_rms(const struct signal *signal, unsigned int axis);

#endif
