/* The last K scores judged together. Averaging similarities would throw away what lies between them; scores add up. */
#include "call.h"

#include <string.h>

#include "maths.h"

#define LIMIT        2.5f /* deviations that one score may contribute to a window, and to the statistics for it */
#define HIGHEST_LINE 2.2f /* below LIMIT: a machine that has changed completely raises however little was known of it */
#define LIMIT_LINE   4.0f /* and to the statistics for the line of single buffers */
#define LEAST_SD     0.1f

#define RATE_SIGMAS    2.5758293f /* beyond which a standard normal variable is as rare as HABIT_WINDOW_RATE */
#define TRAIL          0.8f       /* how much less each score back counts for the next one's likeness */
#define TAIL_OF_MEAN   1.5f       /* scores that wander reach further than their correlation says */
#define MOST_ALIKE     0.95f
#define YOUNG          1.7f /* what the state of the models adds to the error of the mean of past scores, in its squares */
#define STATE          0.01f /* and what remains of that however many were learned: models of one machine differ */
#define SKEWNESS       0.25f /* of limited scores, in their tail */
#define SKEWNESS_ALONE 3.0f  /* of scores that are not limited */

#define MOST_MEMORY 0.9f
#define SIGNIFICANT 1.5f /* standard deviations of a correlation of independent scores */

#define HIGHEST   1e6f /* of a stored score */
#define STRANGEST 5.0f /* deviations above which nothing is expected of the others */

enum { SCORES_NEEDED = 8, LIMITED_FROM = 8 };

/* ------------------------------------------------------------------------------------------------ the ring of scores */

int habit_window_init(struct habit_window *window, unsigned int size)
{
    if (!window)
        return HABIT_ENULL;
    if (size < 1 || size > HABIT_MAX_WINDOW)
        return HABIT_ERANGE;
    memset(window, 0, sizeof(*window));
    window->size = (uint16_t)size;
    return HABIT_OK;
}

/* Whether its counts can be used as indices. */
static bool is_ring(const struct habit_window *window)
{
    return window->size >= 1 && window->size <= HABIT_MAX_WINDOW && window->count <= window->size &&
           window->next < window->size;
}

bool habit_window_valid(const struct habit_window *window)
{
    if (!window || !is_ring(window) || window->reserved != 0)
        return false;
    if (window->count < window->size && window->next != window->count)
        return false;
    for (uint32_t i = 0; i < HABIT_MAX_WINDOW; i++)
        if (!(fabsf(window->score[i]) <= HIGHEST))
            return false;
    return true;
}

int habit_window_add(struct habit_window *window, const struct habit_result *result)
{
    if (!window || !result)
        return HABIT_ENULL;
    if (!is_ring(window))
        return HABIT_ERANGE;
    if (isnan(result->score))
        return HABIT_EVALUE;
    window->score[window->next] = habit_within(result->score, HIGHEST);
    window->next = (uint16_t)((window->next + 1u) % window->size);
    if (window->count < window->size)
        window->count++;
    return HABIT_OK;
}

/* --------------------------------------------------------------------------------- how nominal scores scatter */

static float variance_of(const struct habit_scatter *s, float scatter)
{
    const float worth = habit_weights_worth(&s->weights);
    const float variance = scatter / s->weights.sum * (worth / habit_larger(worth - 1.0f, 0.5f));

    return habit_larger(variance, LEAST_SD * LEAST_SD);
}

/* The score, or where it may be at most. */
static float limited(const struct habit_scatter *s, float score, float mean, float scatter, float limit)
{
    if (s->scores < LIMITED_FROM)
        return score;
    return mean + habit_within(score - mean, limit * sqrtf(variance_of(s, scatter)));
}

static void learn_for_line(struct habit_scatter *s, float score, float weight)
{
    const float before = score - s->mean;

    s->mean += weight / s->weights.sum * before;
    s->scatter += weight * before * (score - s->mean);
    if (s->scores > 0)
        s->lagged += weight * (score - s->mean) * (s->last - s->mean);
    s->last = score;
}

static void learn_for_window(struct habit_scatter *s, float score, float weight)
{
    const float before = score - s->window.mean;
    float deviation;

    s->window.mean += weight / s->weights.sum * before;
    deviation = score - s->window.mean;
    s->window.scatter += weight * before * deviation;
    s->window.trailed += weight * deviation * s->window.trail;
    s->window.trail = habit_without_dust(TRAIL * s->window.trail + deviation, 1e-12f);
}

/* Weighted Welford sums, and of the products with the deviations of the scores before. */
void habit_scatter_score(struct habit_scatter *s, float score, uint32_t count)
{
    const float weight = habit_score_weight(count);
    const float for_line = limited(s, score, s->mean, s->scatter, LIMIT_LINE);
    const float for_window = limited(s, score, s->window.mean, s->window.scatter, LIMIT);
    float keep;

    habit_weights_add(&s->weights, weight);
    learn_for_line(s, for_line, weight);
    learn_for_window(s, for_window, weight);
    if (s->scores < HABIT_COUNT_LIMIT)
        s->scores++;
    keep = habit_weights_fade(&s->weights);
    habit_scale(&s->scatter, 1, keep);
    habit_scale(&s->lagged, 1, keep);
    habit_scale(&s->window.scatter, 1, keep);
    habit_scale(&s->window.trailed, 1, keep);
}

float habit_scores_memory(const struct habit_scatter *s)
{
    const float chance = SIGNIFICANT / sqrtf(habit_larger(habit_weights_worth(&s->weights), 1.0f));

    return habit_smaller(habit_larger(s->lagged / (s->scatter + 1e-12f) - chance, 0.0f), MOST_MEMORY);
}

/* Correlation of scores k apart, over TRAIL^k: what is alike for long shows as little in neighbours, but adds up. */
static float likeness(const struct habit_scatter *s)
{
    const float trailed = habit_larger(s->window.trailed / (s->window.scatter + 1e-12f), 0.0f);

    return habit_smaller(TAIL_OF_MEAN * trailed * (1.0f - TRAIL * TRAIL) / TRAIL, MOST_ALIKE);
}

/* A mean of scores that are alike scatters as that of fewer independent ones: variance of the mean of `count`, in variances
 * of one. */
static float variance_of_mean(float alike, uint32_t count)
{
    float power = alike, sum = 0.0f;

    for (uint32_t k = 1; k < count; k++) {
        power = habit_without_dust(TRAIL * power, 1e-12f);
        sum += (1.0f - (float)k / (float)count) * power;
    }
    return (1.0f + 2.0f * sum) / (float)count;
}

/* Variance of what the mean of past scores says of the next ones, in variances of one. The models that judge the window are
 * in one state, which is off by more than chance explains: buffers that were scored one by one saw many states. */
static float variance_of_past(float alike, float worth)
{
    return YOUNG * (1.0f + 2.0f * alike * TRAIL / (1.0f - TRAIL)) / worth + STATE;
}

/* Where the line of a mean of `count` scores lies, in standard deviations of one: a quantile of Student's distribution, moved
 * by what is left in a mean of the skewness of one score (Cornish and Fisher, Revue de l'Institut International de Statistique
 * 5, 1938). */
static float line_of_mean(const struct habit_scatter *s, uint32_t count, float skewness)
{
    const float worth = habit_weights_worth(&s->weights), alike = likeness(s);
    const float own = variance_of_mean(alike, count), all = own + variance_of_past(alike, worth), part = own / all;
    const float left = skewness * sqrtf((float)count) * own * part * sqrtf(part);

    return sqrtf(all) * (habit_line_at(RATE_SIGMAS, worth) + (RATE_SIGMAS * RATE_SIGMAS - 1.0f) / 6.0f * left);
}

/* ----------------------------------------------------------------------------------------------------------- verdict */

/* The strangest score says nothing by itself, but how strange it is says what to expect of the others: all are below it. Mean
 * of nominal scores below x, negated; their scatter shrinks by as much. */
static float shortfall(float x)
{
    const float most = habit_within(habit_larger(x, 0.0f), STRANGEST);

    return 0.7f * habit_exp(-most * (0.6f + 0.15f * most));
}

/* Mean deviation of all but the strangest, each limited; comparable with a mean of scores that were taken as they came. */
static float mean_of_others(const struct habit_window *window, const struct habit_scatter *s)
{
    const float sd = sqrtf(variance_of(s, s->window.scatter));
    float strangest = -HIGHEST, sum = 0.0f, missing;

    for (uint32_t i = 0; i < window->size; i++) {
        const float z = (window->score[i] - s->window.mean) / sd;

        sum += habit_within(z, LIMIT);
        strangest = habit_larger(strangest, z);
    }
    missing = shortfall(strangest);
    return ((sum - habit_within(strangest, LIMIT)) / (float)(window->size - 1u) + missing) / (1.0f - missing);
}

/* One or two scores: there is nothing to leave out. */
static float mean_of_all(const struct habit_window *window, const struct habit_scatter *s)
{
    float sum = 0.0f;

    for (uint32_t i = 0; i < window->size; i++)
        sum += window->score[i] - s->window.mean;
    return sum / sqrtf(variance_of(s, s->window.scatter)) / (float)window->size;
}

/* The line is at 1. */
static float strangeness(const struct habit_window *window, const struct habit_scatter *s)
{
    if (window->size <= 2)
        return mean_of_all(window, s) / line_of_mean(s, window->size, SKEWNESS_ALONE);
    return mean_of_others(window, s) / habit_smaller(line_of_mean(s, window->size - 1u, SKEWNESS), HIGHEST_LINE);
}

int habit_window_result(struct habit_engine *engine, const struct habit_window *window, struct habit_average *average)
{
    const struct habit_scatter *s;
    int result;

    if (!engine || !window || !average)
        return HABIT_ENULL;
    if (!habit_window_valid(window))
        return HABIT_ERANGE;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    s = &habit_ledger(engine)->scatter;
    if (window->count < window->size || s->scores < SCORES_NEEDED)
        return HABIT_ENOTREADY;
    average->distance = habit_distance(strangeness(window, s));
    average->similarity = habit_similarity(average->distance, habit_header(engine)->sensitivity);
    return HABIT_OK;
}
