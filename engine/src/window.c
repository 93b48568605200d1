/* The last K scores judged together. Averaging similarities would throw away what lies between them; scores add up. */
#include "call.h"

#include <string.h>

#include "maths.h"

#define LIMIT      4.0f  /* deviations that one score may contribute, here and in the statistics */
#define MOST_ALIKE 0.95f /* correlation of neighbours */
#define LEAST_SD   0.1f

#define MOST_MEMORY 0.9f
#define SIGNIFICANT 1.5f /* standard deviations of a correlation of independent scores */

#define HIGHEST 1e6f /* of a stored score */

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
    window->score[window->next] = habit_within(result->score, HIGHEST);
    window->next = (uint16_t)((window->next + 1u) % window->size);
    if (window->count < window->size)
        window->count++;
    return HABIT_OK;
}

/* --------------------------------------------------------------------------------- how nominal scores scatter */

static float variance_of(const struct habit_scatter *s)
{
    const float worth = habit_weights_worth(&s->weights);
    const float variance = s->scatter / s->weights.sum * (worth / habit_larger(worth - 1.0f, 0.5f));

    return habit_larger(variance, LEAST_SD * LEAST_SD);
}

/* Weighted Welford sums, and of the product with the deviation of the score before. */
void habit_scatter_score(struct habit_scatter *s, float score, uint32_t count)
{
    const float weight = habit_score_weight(count);
    float limited = score, before, keep;

    if (s->scores >= LIMITED_FROM)
        limited = s->mean + habit_within(score - s->mean, LIMIT * sqrtf(variance_of(s)));
    before = limited - s->mean;
    habit_weights_add(&s->weights, weight);
    s->mean += weight / s->weights.sum * before;
    s->scatter += weight * before * (limited - s->mean);
    if (s->scores > 0)
        s->lagged += weight * (limited - s->mean) * (s->last - s->mean);
    s->last = limited;
    if (s->scores < HABIT_COUNT_LIMIT)
        s->scores++;
    keep = habit_weights_fade(&s->weights);
    habit_scale(&s->scatter, 1, keep);
    habit_scale(&s->lagged, 1, keep);
}

float habit_scores_memory(const struct habit_scatter *s)
{
    const float chance = SIGNIFICANT / sqrtf(habit_larger(habit_weights_worth(&s->weights), 1.0f));

    return habit_smaller(habit_larger(s->lagged / (s->scatter + 1e-12f) - chance, 0.0f), MOST_MEMORY);
}

/* Neighbouring buffers are alike: a mean of K scores scatters as that of fewer independent ones. Variance of the mean of
 * `count` values of a first-order autoregressive process, in variances of one. */
static float variance_of_mean(const struct habit_scatter *s, uint32_t count)
{
    const float alike = habit_smaller(habit_larger(s->lagged / (s->scatter + 1e-12f), 0.0f), MOST_ALIKE);
    float power = 1.0f, sum = 0.0f;

    for (uint32_t k = 1; k < count; k++) {
        power = habit_without_dust(power * alike, 1e-12f);
        sum += (1.0f - (float)k / (float)count) * power;
    }
    return (1.0f + 2.0f * sum) / (float)count;
}

/* ----------------------------------------------------------------------------------------------------------- verdict */

/* Mean deviation of the scores, each limited; of more than two the largest is left out. */
static float mean_deviation(const struct habit_window *window, float mean, float sd, uint32_t *used)
{
    float largest = -HIGHEST, sum = 0.0f;

    for (uint32_t i = 0; i < window->size; i++) {
        const float z = habit_within((window->score[i] - mean) / sd, LIMIT);

        sum += z;
        largest = habit_larger(largest, z);
    }
    *used = window->size;
    if (window->size > 2) {
        sum -= largest;
        --*used;
    }
    return sum / (float)*used;
}

int habit_window_result(struct habit_engine *engine, const struct habit_window *window, struct habit_average *average)
{
    struct habit_call call;
    const struct habit_scatter *s;
    float deviation, uncertainty;
    uint32_t used;
    int result;

    if (!engine || !window || !average)
        return HABIT_ENULL;
    if (!habit_window_valid(window))
        return HABIT_ERANGE;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    habit_call_open(&call, engine);
    s = &call.ledger->scatter;
    if (window->count < window->size || s->scores < SCORES_NEEDED)
        return HABIT_ENOTREADY;
    deviation = mean_deviation(window, s->mean, sqrtf(variance_of(s)), &used);
    uncertainty = sqrtf(variance_of_mean(s, used) + 1.0f / habit_weights_worth(&s->weights));
    average->distance = habit_distance(deviation / uncertainty / habit_alarm_line(habit_weights_worth(&s->weights)));
    average->similarity = habit_similarity(average->distance, call.header->sensitivity);
    return HABIT_OK;
}
