/* What one call of the interface works with: every pointer into the caller's memory, found once. */
#ifndef HABIT_CALL_H
#define HABIT_CALL_H

#include "calibration.h"
#include "feature.h"
#include "keep.h"
#include "models.h"

struct habit_call {
    struct habit_engine *engine;
    struct habit_layout layout;
    struct habit_header *header;
    struct habit_ledger *ledger;
    float *rms;  /* of each axis, mean over buffers */
    float *kept; /* vectors of the first buffers, until the models start */
    struct habit_modes_parts modes;
    struct habit_prototypes_parts prototypes;
    struct habit_waveform_parts waveform;
    struct habit_view view[HABIT_VIEWS];
    struct habit_features features; /* of the buffer in hand */
    float *vector;                  /* the same as one array */
    float *total;                   /* a vector of sums */
    float *whitened;                /* spectra of several axes, once they are judged */
    float *work;
};

/* Of an engine that can be used, see habit_ensure(). A call takes some hundred bytes of stack, and so does the check of a
 * block: they are never on the stack at once. */
void habit_call_open(struct habit_call *call, struct habit_engine *engine);

/* Features of a buffer: HABIT_OK, ENULL, ECOUNT, EVALUE. */
int habit_call_take(struct habit_call *call, const struct habit_source *source, size_t count);

/* Brings the cache up to date. The models must have started. */
void habit_call_prepare(struct habit_call *call);

static inline bool habit_has_view(const struct habit_call *call, uint32_t view)
{
    return (HABIT_KEEPS_WAVEFORM || view != HABIT_WAVEFORM) && call->layout.view[view].dimension > 0;
}

/* Whether features of a view are judged across its blocks too. */
static inline bool habit_is_coupled(const struct habit_shape *shape)
{
    return HABIT_KEEPS_COUPLING && shape->coupled > 0;
}

/* How strange a buffer is. */
struct habit_judgement {
    float log_distance[HABIT_VIEWS];
    uint32_t nearest[HABIT_VIEWS];
    float deviation
        [HABIT_VIEWS]; /* from the expected log distance, in spreads, by importance; 0 where it did not judge */
    uint32_t views;    /* that judged */
    uint32_t winner;   /* the view that found it strangest */
    float score;       /* deviations of all views from their expected log distances together, in spreads */
    float line;        /* where the alarm line lies on that scale */
    float steady;      /* beyond which a buffer is no chance, were the scores independent of each other */
};

/* seasoned: leave out points that are too young to be independent of the buffer, as is right before it is learned. */
void habit_judge(struct habit_call *call, struct habit_judgement *judgement, bool seasoned);

/* Mean square distance of the features in hand from the nearest of these points of a view, and the logarithm of it that is
 * calibrated. The cache must be up to date. */
float habit_square_to(struct habit_call *call, uint32_t view, uint32_t points, uint32_t *nearest);
float habit_log_of_square(uint32_t view, float square);
float habit_square_of_log(uint32_t view, float log_distance);

/* The line is at 1. */
static inline float habit_strangeness(const struct habit_judgement *judgement)
{
    return judgement->score / judgement->line;
}

/* Distance of the interface, from the log scale whose line is at 1. */
float habit_distance(float strangeness);

/* Probability that a nominal buffer is beyond x, by so many views; the alarm line is at HABIT_ALARM_SIGMAS. */
float habit_tail(float x, uint32_t views);

/* A share that is smaller than one of all buffers that were learned was never seen: it is the model's word. */
bool habit_extrapolates(float share, uint32_t learned);

/* Whether detect can answer, and how many more buffers it needs else. */
uint32_t habit_needed(const struct habit_call *call);

/* habit_learn() on an engine that can be used. */
int habit_take_in(struct habit_engine *engine, const struct habit_source *source, size_t count,
                  struct habit_progress *progress);

/* Learns the features in hand, after the start. */
void habit_absorb(struct habit_call *call);

/* Keeps the features in hand; with the last that is needed the models start. */
void habit_keep(struct habit_call *call);

/* Parts of learning that accepting shares: the mean rms; halving at the limit; the counter, and with it the baseline. */
void habit_learn_rms(struct habit_call *call);
void habit_age(struct habit_call *call);
void habit_count_learned(struct habit_call *call, size_t n);

/* No axis moves at all in the buffer in hand. */
bool habit_all_constant(const struct habit_call *call);

/* The score before learning goes into the statistics that the window needs. */
void habit_scatter_score(struct habit_scatter *scatter, float score, uint32_t count);

/* Correlation of a score with the one before, as far as chance does not explain it. */
float habit_scores_memory(const struct habit_scatter *scatter);

void habit_report(const struct habit_call *call, struct habit_progress *progress);

/* The strongest reasons, from all views that have a noticeable part in the score. result: its similarity is known. */
void habit_explain(const struct habit_call *call, const struct habit_judgement *judgement, struct habit_result *result);

/* Keeps mean and variance as they are now, as the baseline of the drift. */
void habit_baseline_take(struct habit_call *call);

#endif
