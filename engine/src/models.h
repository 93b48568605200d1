/* The models of the three views. Each can be prepared for scoring, and learn one feature vector with a weight. */
#ifndef HABIT_MODELS_H
#define HABIT_MODELS_H

#include "view.h"

#define HABIT_FLOOR 0.02f /* least standard deviation: of a logarithm, or in proportion to the rms */

struct habit_modes_parts {
    struct habit_modes *model;
    const struct habit_shape *shape;
    float *count, *excess, *visits, *tolerance, *seen, *mean, *scatter;
    struct habit_coupling *coupling;
};

struct habit_prototypes_parts {
    struct habit_prototypes *model;
    const struct habit_shape *shape;
    float *mean, *older_mean, *newer_mean, *scatter, *count, *tolerance, *position;
    uint32_t *age;
};

struct habit_waveform_parts {
    struct habit_waveform *model;
    const struct habit_shape *shape;
    float *mean, *scatter;
};

struct habit_modes_parts habit_modes_open(void *words, const struct habit_shape *shape);
struct habit_prototypes_parts habit_prototypes_open(void *words, const struct habit_shape *shape);
struct habit_waveform_parts habit_waveform_open(void *words, const struct habit_shape *shape);

/* count: buffers learned before. rms: running mean for each axis, from which floors follow. */
void habit_modes_prepare(const struct habit_modes_parts *modes, struct habit_view *view, uint32_t count);
void habit_prototypes_prepare(const struct habit_prototypes_parts *prototypes, struct habit_view *view, uint32_t count,
                              const float *rms);
void habit_waveform_prepare(const struct habit_waveform_parts *waveform, struct habit_view *view, const float *rms);

/* weight: in (0, 1]. work: as many floats as the view has dimensions. */
void habit_modes_learn(const struct habit_modes_parts *modes, const float *x, float weight, float *work);
void habit_prototypes_learn(const struct habit_prototypes_parts *prototypes, const float *x, float weight,
                            uint32_t count, const float *rms, float *work);
void habit_waveform_learn(const struct habit_waveform_parts *waveform, const float *x, float weight, float *work);

/* An operator accepts a state whose mean over `count` buffers is x. Returns the point that it is from now on: a new one while
 * there is room beside one that is not pinned, else the two pinned ones that are closest become one that reaches as far as
 * both. It has the tolerance of an ordinary point. work: as in learning. */
uint32_t habit_modes_pin(const struct habit_modes_parts *modes, const float *x, float count, float *work);
uint32_t habit_prototypes_pin(const struct habit_prototypes_parts *prototypes, const float *x, float count,
                              const float *rms, float *work);
uint32_t habit_waveform_pin(const struct habit_waveform_parts *waveform, const float *x, float count, const float *rms,
                            float *work);

/* Some states are noisier than others: what is usual in mode k, above the log distance that is usual for all. */
float habit_modes_offset(const struct habit_modes_parts *modes, uint32_t k);
void habit_modes_visit(const struct habit_modes_parts *modes, uint32_t k, float excess);

/* Modes that are far from each other are states of the machine. */
struct habit_census {
    uint32_t states; /* that count as normal */
    uint32_t rare;   /* buffers of the rarest state that does not count yet; 0 = there is none */
};

/* count: buffers learned. work: as many floats as there are dimensions. */
struct habit_census habit_modes_census(const struct habit_modes_parts *modes, uint32_t count, float *work);

/* Whether levels of the later part are elsewhere than those of the first, by more than they scatter. */
bool habit_prototypes_moving(const struct habit_prototypes_parts *prototypes, uint32_t count, const float *rms,
                             float *work);

/* Everything counts half from now on. */
void habit_modes_halve(const struct habit_modes_parts *modes);
void habit_prototypes_halve(const struct habit_prototypes_parts *prototypes);
void habit_waveform_halve(const struct habit_waveform_parts *waveform);

/* Mean of all that was learned, and its variance between and within modes. */
void habit_modes_mean(const struct habit_modes_parts *modes, float *mean);
void habit_modes_variance(const struct habit_modes_parts *modes, float *variance);
void habit_prototypes_variance(const struct habit_prototypes_parts *prototypes, const float *rms, float *variance);

/* Prototypes that were learned long enough ago: a neighbour in time is not independent. All when there are none. */
uint32_t habit_prototypes_seasoned(const struct habit_prototypes_parts *prototypes, uint32_t active, uint32_t count);

/* 0..1: how far the waveform repeats in phase, on the axis where it does most. */
float habit_waveform_coherence(const struct habit_waveform_parts *waveform);

#endif
