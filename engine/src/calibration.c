#include "calibration.h"

#include "maths.h"
#include "view.h"

enum { SKIPPED = 2, LIMITED_FROM = 7, MATURE = 1024 };

#define WEIGHTS_LIMIT (0.5f * MATURE * MATURE) /* what the weights 1, 2 .. MATURE add up to */
#define FITTED        4.0f                     /* scores that the prediction uses up */
#define LEAST_SPREAD  0.01f
#define LEAST_LEVEL   0.06f   /* the same of levels: between the corners that were seen distances hardly vary */
#define STEEPEST      1000.0f /* no model matures that fast; keeps hostile knowledge finite */
#define LIMIT_ABOVE   2.5f
#define LIMIT_BELOW   5.0f

float habit_log_distance(float distance)
{
    return habit_log(distance + 1e-9f);
}

float habit_score_weight(uint32_t count)
{
    return (float)(count < MATURE ? count : MATURE);
}

float habit_weights_fade(struct habit_weights *weights)
{
    float keep;

    if (weights->sum <= WEIGHTS_LIMIT)
        return 1.0f;
    keep = WEIGHTS_LIMIT / weights->sum;
    weights->sum *= keep;
    weights->squares *= keep * keep;
    return keep;
}

/* Least squares through the scores so far. The slope is never negative: more learning makes no buffer stranger. */
struct habit_prediction habit_calibration_predict(const struct habit_calibration *c, uint32_t view, uint32_t count)
{
    const float slope = habit_within(habit_larger(c->view[view].covariance / (c->x_scatter + 1e-12f), 0.0f), STEEPEST);
    const float worth = habit_weights_worth(&c->weights);
    const float x = 1.0f / habit_score_weight(count);
    float squares = c->view[view].scatter - slope * (2.0f * c->view[view].covariance - slope * c->x_scatter);
    const float least = view == HABIT_LEVEL ? LEAST_LEVEL : LEAST_SPREAD;
    struct habit_prediction prediction;

    squares = habit_larger(squares, 0.0f) / c->weights.sum * (worth / habit_larger(worth - 2.0f, 0.5f));
    prediction.mean = c->view[view].mean + slope * (x - c->x_mean);
    prediction.spread = sqrtf(squares * (1.0f + 1.0f / worth) + least * least);
    return prediction;
}

float habit_calibration_beyond(const struct habit_calibration *c, uint32_t view, float log_distance, uint32_t count)
{
    struct habit_prediction p;

    if (c->scores < HABIT_SCORES_BOUND)
        return 0.0f;
    p = habit_calibration_predict(c, view, count);
    return log_distance - (p.mean + HABIT_BOUND_SIGMAS * p.spread);
}

/* Neither an outlier nor a buffer that is nearly a copy of a learned one may move the line far. */
static float limited(const struct habit_calibration *c, uint32_t view, float y, uint32_t count)
{
    struct habit_prediction p;

    if (c->scores < LIMITED_FROM)
        return y;
    p = habit_calibration_predict(c, view, count);
    return habit_smaller(habit_larger(y, p.mean - LIMIT_BELOW * p.spread), p.mean + LIMIT_ABOVE * p.spread);
}

static void fade(struct habit_calibration *c)
{
    const float keep = habit_weights_fade(&c->weights);

    habit_scale(&c->x_scatter, 1, keep);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        habit_scale(&c->view[v].covariance, 1, keep);
        habit_scale(&c->view[v].scatter, 1, keep);
    }
}

/* Weighted Welford sums (Technometrics 4, 1962; West, CACM 22, 1979) of x, y and x y. */
void habit_calibration_add(struct habit_calibration *c, const float log_distance[HABIT_VIEWS], uint32_t count)
{
    const float weight = habit_score_weight(count);
    const float x = 1.0f / weight;
    const float dx = x - c->x_mean;
    float y[HABIT_VIEWS];
    float share;

    if (c->scores < HABIT_COUNT_LIMIT)
        c->scores++;
    if (c->scores <= SKIPPED)
        return;
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        y[v] = limited(c, v, log_distance[v], count);
    habit_weights_add(&c->weights, weight);
    share = weight / c->weights.sum;
    c->x_mean += share * dx;
    c->x_scatter += weight * dx * (x - c->x_mean);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        const float dy = y[v] - c->view[v].mean;

        c->view[v].mean += share * dy;
        c->view[v].covariance += weight * dx * (y[v] - c->view[v].mean);
        c->view[v].scatter += weight * dy * (y[v] - c->view[v].mean);
    }
    fade(c);
}

/* First term of the Cornish-Fisher expansion of Student's distribution. The scores are fitted by a line and a spread, and the
 * models that gave the first of them were young. */
float habit_line_at(float k, float worth)
{
    const float freedom = habit_larger(worth - FITTED, 1.0f);

    return k * (1.0f + (k * k + 1.0f) / (4.0f * freedom));
}

float habit_alarm_line(float worth)
{
    return habit_line_at(HABIT_ALARM_SIGMAS, worth);
}
