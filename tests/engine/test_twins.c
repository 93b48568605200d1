/* Every running statistic beside a slow and obvious twin: all values there ever were, kept in double precision, and looked at
 * again in two passes. Driven a million buffers far, past every limit, halving and fading.
 *
 * How far apart they may be follows from float32 alone. Rounding errors are independent, each below u = 2^-24 of what is
 * rounded; N of them add up to about sqrt(N) u, and no more than the 65536 latest count, as older ones were halved with the
 * sums. Ten times that is allowed: a formula that is wrong by one sample in a thousand is not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#include "block.h"
#include "call.h"
#include "coupling.h"
#include "maths.h"

enum { BUFFERS = 1000000, MOST_DIMENSIONS = 4, FADED = 60000 };

static double rounding(size_t n)
{
    const size_t counted = n < HABIT_COUNT_LIMIT ? n : HABIT_COUNT_LIMIT;

    return 10.0 * 0x1p-24 * sqrt((double)counted + 4.0);
}

/* ----------------------------------------------------------------------------------------------------------- the twin */

struct twin {
    size_t dimension, count, first; /* what lies before `first` has no weight any more */
    double *x, *weight;             /* weights as they were */
    double *faded;                  /* logarithm of what was left, at that time, of a weight from the beginning */
    double left;                    /* the same now */
    double largest;                 /* magnitude of an x */
};

static void twin_init(struct twin *t, size_t dimension)
{
    memset(t, 0, sizeof(*t));
    t->dimension = dimension;
    t->x = malloc(BUFFERS * dimension * sizeof(double));
    t->weight = malloc(BUFFERS * sizeof(double));
    t->faded = malloc(BUFFERS * sizeof(double));
    assert_true(t->x && t->weight && t->faded);
}

static void twin_deinit(struct twin *t)
{
    free(t->x);
    free(t->weight);
    free(t->faded);
}

static void twin_add(struct twin *t, const float *x, float weight)
{
    for (size_t i = 0; i < t->dimension; i++) {
        t->x[t->count * t->dimension + i] = (double)x[i];
        t->largest = fmax(t->largest, fabs((double)x[i]));
    }
    t->weight[t->count] = (double)weight;
    t->faded[t->count++] = t->left;
}

/* Every weight is multiplied. */
static void twin_fade(struct twin *t, double factor)
{
    t->left += log(factor);
}

static double twin_weight(const struct twin *t, size_t k)
{
    return t->weight[k] * exp(t->left - t->faded[k]);
}

struct moments {
    double sum, squares; /* of weights */
    double mean[MOST_DIMENSIONS], scatter[MOST_DIMENSIONS][MOST_DIMENSIONS];
};

static struct moments twin_look(const struct twin *t)
{
    struct moments m;

    memset(&m, 0, sizeof(m));
    for (size_t k = t->first; k < t->count; k++) {
        const double w = twin_weight(t, k);

        m.sum += w;
        m.squares += w * w;
        for (size_t i = 0; i < t->dimension; i++)
            m.mean[i] += w * t->x[k * t->dimension + i];
    }
    for (size_t i = 0; i < t->dimension; i++)
        m.mean[i] /= m.sum;
    for (size_t k = t->first; k < t->count; k++)
        for (size_t i = 0; i < t->dimension; i++)
            for (size_t j = 0; j < t->dimension; j++)
                m.scatter[i][j] += twin_weight(t, k) * (t->x[k * t->dimension + i] - m.mean[i]) *
                                   (t->x[k * t->dimension + j] - m.mean[j]);
    return m;
}

static void assert_near(const char *what, size_t n, double is, double should, double tolerance)
{
    if (!(fabs(is - should) <= tolerance))
        fail_msg("%s after %zu: %.9g, not %.9g +- %.2g", what, n, is, should, tolerance);
}

static double mean_tolerance(const struct twin *t)
{
    return 2.0 * rounding(t->count) * t->largest; /* of the mean, and of the share that each value has in it */
}

static void check_mean(const char *what, const struct twin *t, const struct moments *m, const float *mean)
{
    for (size_t i = 0; i < t->dimension; i++)
        assert_near(what, t->count, (double)mean[i], m->mean[i], mean_tolerance(t));
}

/* A triangle; an error of the mean goes into it in proportion to what else is there. */
static void check_scatter(const char *what, const struct twin *t, const struct moments *m, const float *scatter)
{
    const double off = mean_tolerance(t);

    for (size_t i = 0; i < t->dimension; i++)
        for (size_t j = 0; j <= i; j++, scatter++) {
            const double a = sqrt(m->scatter[i][i]), b = sqrt(m->scatter[j][j]), w = sqrt(m->sum);

            assert_near(what, t->count, (double)*scatter, m->scatter[i][j],
                        2.0 * rounding(t->count) * a * b + off * w * (a + b + off * w));
        }
}

static void check_weights(const struct twin *t, const struct moments *m, const struct habit_weights *weights)
{
    assert_near("sum of weights", t->count, (double)weights->sum, m->sum, rounding(t->count) * m->sum);
    assert_near("sum of squares", t->count, (double)weights->squares, m->squares,
                2.0 * rounding(t->count) * m->squares);
}

/* Close together at first and around the limit, then now and then. */
static bool worth_a_look(size_t n)
{
    return n == 2 || n == 3 || n == 5 || n == 8 || n == 20 || n == 61 || n == 200 || n == 1023 || n == 1024 ||
           n == 1026 || n == 5000 || (n >= HABIT_COUNT_LIMIT - 1 && n <= HABIT_COUNT_LIMIT + 1) || n % 250000 == 0;
}

/* ------------------------------------------------------------------------------------------------------- what is fed */

/* Values that go together, wander slowly, and lie off zero. */
static void next_values(uint32_t *seed, size_t n, size_t dimension, float *x)
{
    const float wander = sinf((float)n * 1e-5f), common = noise(seed);

    for (size_t i = 0; i < dimension; i++)
        x[i] = 0.5f + wander + common * (i % 2 == 0 ? 0.6f : -0.4f) + noise(seed);
}

/* Most count in full, some less, few hardly or more, as where an operator accepts. */
static float next_weight(uint32_t *seed)
{
    const float dice = noise(seed);

    if (dice > 0.98f)
        return dice > 0.99f ? 4.0f : 0.01f;
    return dice < -0.8f ? 0.3f : 1.0f;
}

/* What a state gets for a buffer: a strange one must have a chance to become one. */
static float support_of(float weight)
{
    return weight > 0.25f ? weight : 0.25f;
}

/* The engine's count of buffers; true where everything is to be halved. */
static bool count_up(uint32_t *count)
{
    if (++*count < HABIT_COUNT_LIMIT)
        return false;
    *count /= 2;
    return true;
}

/* -------------------------------------------------------------------------------------------------------- the models */

/* Halving means half as many of the same weights: both sums are halved. */
static void check_halved_weights(size_t n, const struct habit_weights *weights, double sum, double squares)
{
    assert_near("sum of weights", n, (double)weights->sum, sum, rounding(n) * sum);
    assert_near("sum of squares", n, (double)weights->squares, squares, rounding(n) * squares);
}

static void test_waveform_model(void **state)
{
    const struct habit_shape shape = { .dimension = 3, .part = 3, .blocks = 1, .points = 1, .ordinary = 1 };
    uint32_t words[64] = { 0 }, seed = 1, count = 0;
    const struct habit_waveform_parts model = habit_waveform_open(words, &shape);
    float x[3], work[3];
    double squares = 0.0;
    struct twin twin;

    (void)state;
    twin_init(&twin, 3);
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float weight = next_weight(&seed);

        next_values(&seed, n, 3, x);
        habit_waveform_learn(&model, x, weight, work);
        twin_add(&twin, x, weight);
        squares += (double)(weight * weight);
        if (count_up(&count)) {
            habit_waveform_halve(&model);
            twin_fade(&twin, 0.5);
            squares *= 0.5;
        }
        if (worth_a_look(n)) {
            const struct moments m = twin_look(&twin);

            check_mean("waveform mean", &twin, &m, model.mean);
            check_scatter("waveform scatter", &twin, &m, model.scatter);
            check_halved_weights(n, &model.model->weights, m.sum, squares);
        }
    }
    twin_deinit(&twin);
}

/* Means that were kept at the last two powers of two. */
struct kept_means {
    double older[2], newer[2];
    uint32_t older_at, newer_at;
};

static void keep_means(struct kept_means *kept, const struct twin *t, uint32_t count)
{
    struct moments m;

    if ((count & (count - 1)) != 0)
        return;
    m = twin_look(t);
    memcpy(kept->older, kept->newer, sizeof(kept->older));
    memcpy(kept->newer, m.mean, sizeof(kept->newer));
    kept->older_at = kept->newer_at;
    kept->newer_at = count;
}

static void check_prototypes(const struct twin *t, const struct habit_prototypes_parts *model,
                             const struct kept_means *kept)
{
    const struct moments m = twin_look(t);

    check_mean("level mean", t, &m, model->mean);
    check_scatter("level scatter", t, &m, model->scatter);
    assert_int_equal(model->model->older, kept->older_at);
    assert_int_equal(model->model->newer, kept->newer_at);
    for (size_t i = 0; i < 2; i++) {
        assert_near("older mean", t->count, (double)model->older_mean[i], kept->older[i], mean_tolerance(t));
        assert_near("newer mean", t->count, (double)model->newer_mean[i], kept->newer[i], mean_tolerance(t));
    }
}

/* Also: the supports of the prototypes add up to what was learned. */
static void test_level_model(void **state)
{
    const struct habit_shape shape = { .dimension = 2, .part = 2, .blocks = 1, .points = 8, .ordinary = 8 };
    uint32_t words[256] = { 0 }, seed = 2, count = 0;
    const struct habit_prototypes_parts model = habit_prototypes_open(words, &shape);
    const float rms[2] = { 1.0f, 1.0f };
    struct kept_means kept = { { 0.0, 0.0 }, { 0.0, 0.0 }, 0, 0 };
    float x[2], work[64];
    double support = 0.0, sum = 0.0, squares = 0.0;
    struct twin twin;

    (void)state;
    twin_init(&twin, 2);
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float weight = next_weight(&seed);

        next_values(&seed, n, 2, x);
        habit_prototypes_learn(&model, x, weight, count, rms, work);
        twin_add(&twin, x, weight);
        sum += (double)weight;
        squares += (double)(weight * weight);
        support += (double)support_of(weight);
        keep_means(&kept, &twin, count + 1);
        if (count_up(&count)) {
            habit_prototypes_halve(&model);
            twin_fade(&twin, 0.5);
            support *= 0.5;
            sum *= 0.5;
            squares *= 0.5;
            kept.older_at /= 2;
            kept.newer_at /= 2;
        }
        if (worth_a_look(n)) {
            double supports = 0.0;

            check_prototypes(&twin, &model, &kept);
            check_halved_weights(n, &model.model->weights, sum, squares);
            for (uint32_t k = 0; k < model.model->used; k++)
                supports += (double)model.count[k];
            assert_near("support", n, supports, support, rounding(n) * support);
        }
    }
    twin_deinit(&twin);
}

/* Over all modes: how often two were merged, and what was usual beside the distance that all have in common. */
struct modes_twin {
    double merged, excess, visits;
};

/* However modes were merged: their means and counts give the mean of all, and what is between them and the scatter within
 * them gives the scatter of all. */
static void check_modes(const struct twin *t, const struct habit_modes_parts *model, const struct modes_twin *sums)
{
    const struct moments m = twin_look(t);
    const size_t d = t->dimension;
    float mean[MOST_DIMENSIONS], total[MOST_DIMENSIONS * (MOST_DIMENSIONS + 1) / 2];
    double count = 0.0, excess = 0.0, visits = 0.0;

    habit_modes_mean(model, mean);
    check_mean("spectrum mean", t, &m, mean);
    memcpy(total, model->scatter, sizeof(float) * d * (d + 1) / 2);
    for (uint32_t k = 0; k < model->model->used; k++) {
        float *at = total;

        count += (double)model->count[k];
        excess += (double)model->excess[k];
        visits += (double)model->visits[k];
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j <= i; j++, at++)
                *at += model->count[k] * (model->mean[k * d + i] - mean[i]) * (model->mean[k * d + j] - mean[j]);
    }
    check_scatter("spectrum scatter", t, &m, total);
    assert_near("spectrum count", t->count, count, m.sum, rounding(t->count) * m.sum);
    assert_near("freedom", t->count, (double)model->model->freedom, sums->merged, rounding(t->count) * sums->merged);
    assert_near("excess", t->count, excess, sums->excess, rounding(t->count) * sums->visits);
    assert_near("visits", t->count, visits, sums->visits, rounding(t->count) * sums->visits);
}

static void test_spectrum_model(void **state)
{
    const struct habit_shape shape = { .dimension = 3, .part = 3, .blocks = 1, .points = 4, .ordinary = 4 };
    uint32_t words[128] = { 0 }, seed = 3, count = 0;
    const struct habit_modes_parts model = habit_modes_open(words, &shape);
    float x[3], work[3];
    struct modes_twin sums = { 0.0, 0.0, 0.0 };
    struct twin twin;

    (void)state;
    twin_init(&twin, 3);
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float weight = next_weight(&seed);

        next_values(&seed, n, 3, x);
        x[1] += noise(&seed) > 0.2f ? 2.0f : -1.0f; /* two states */
        if (n < 60 && n % 7 == 0)
            x[1] += 8.0f; /* a third: two modes must become one */
        sums.merged += model.model->used == shape.points ? 1.0 : 0.0;
        habit_modes_learn(&model, x, weight, work);
        twin_add(&twin, x, support_of(weight));
        habit_modes_visit(&model, n % 2 == 0 ? 0 : model.model->used - 1, x[0]);
        sums.excess += (double)x[0];
        sums.visits += 1.0;
        if (count_up(&count)) {
            habit_modes_halve(&model);
            twin_fade(&twin, 0.5);
            sums.merged *= 0.5;
            sums.excess *= 0.5;
            sums.visits *= 0.5;
        }
        if (worth_a_look(n))
            check_modes(&twin, &model, &sums);
    }
    twin_deinit(&twin);
}

/* Of each mode, how many buffers it was nearest to, and how far they usually missed. */
static void test_offsets_of_modes(void **state)
{
    const struct habit_shape shape = { .dimension = 1, .part = 1, .blocks = 1, .points = 2, .ordinary = 2 };
    uint32_t words[32] = { 0 }, seed = 4, count = 0;
    const struct habit_modes_parts model = habit_modes_open(words, &shape);
    double excess[2] = { 0.0, 0.0 }, visits[2] = { 0.0, 0.0 };

    (void)state;
    model.model->used = 2;
    for (size_t n = 1; n <= BUFFERS; n++) {
        const uint32_t k = noise(&seed) > 0.5f ? 1 : 0;
        const float missed = 0.3f * noise(&seed) + (k == 1 ? 0.2f : -0.05f);

        habit_modes_visit(&model, k, missed);
        excess[k] += (double)missed;
        visits[k] += 1.0;
        if (count_up(&count)) {
            habit_modes_halve(&model);
            for (size_t i = 0; i < 2; i++) {
                excess[i] *= 0.5;
                visits[i] *= 0.5;
            }
        }
        for (uint32_t i = 0; worth_a_look(n) && i < 2; i++)
            assert_near("offset", n, (double)habit_modes_offset(&model, i), excess[i] / (visits[i] + 5.0),
                        2.0 * rounding(n));
    }
}

/* Three blocks of two features, of which the first goes together. A feature beyond five deviations counts as five. */
static void test_coupling(void **state)
{
    const struct habit_shape shape = {
        .dimension = 6, .part = 2, .blocks = 3, .points = 1, .ordinary = 1, .coupled = 1
    };
    uint32_t words[64] = { 0 }, seed = 5, count = 0;
    const struct habit_modes_parts model = habit_modes_open(words, &shape);
    double sum = 0.0, product[6] = { 0.0 }, size[6] = { 0.0 };
    float white[6], work[3];

    (void)state;
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float weight = next_weight(&seed), common = noise(&seed);
        size_t at = 0;

        for (size_t i = 0; i < 6; i++)
            white[i] = 2.0f * noise(&seed) + (i % 2 == 0 ? 4.0f * common : 0.0f);
        habit_coupling_add(model.coupling, &shape, white, weight, work);
        sum += (double)weight;
        for (size_t i = 0; i < 3; i++)
            for (size_t j = 0; j <= i; j++, at++) {
                const double a = fmax(-5.0, fmin(5.0, (double)white[2 * i]));
                const double b = fmax(-5.0, fmin(5.0, (double)white[2 * j]));

                product[at] += (double)weight * a * b;
                size[at] += (double)weight * fabs(a * b);
            }
        if (count_up(&count)) {
            habit_modes_halve(&model);
            sum *= 0.5;
            for (size_t i = 0; i < 6; i++) {
                product[i] *= 0.5;
                size[i] *= 0.5;
            }
        }
        if (!worth_a_look(n))
            continue;
        assert_near("coupling weight", n, (double)model.coupling->weight, sum, rounding(n) * sum);
        for (size_t i = 0; i < 6; i++)
            assert_near("coupling", n, (double)model.coupling->scatter[i], product[i], rounding(n) * size[i]);
    }
}

/* ------------------------------------------------------------------------------------------------- lines and windows */

/* What the weights 1, 2 .. 1024 add up to at most; beyond, all fade. */
static const double weights_limit = 524288.0;

static void fade_to_limit(struct twin *t, double *sum, float weight)
{
    *sum += (double)weight;
    if (*sum > weights_limit) {
        twin_fade(t, weights_limit / *sum);
        *sum = weights_limit;
    }
    t->first = t->count > FADED ? t->count - FADED : 0; /* the weight of what is older is below e^-100 */
}

/* Uniform scores are never so far off that one is limited. */
static void test_calibration(void **state)
{
    struct habit_calibration c;
    uint32_t seed = 6, count = HABIT_FIRST_SCORED;
    double sum = 0.0;
    struct twin twin;

    (void)state;
    memset(&c, 0, sizeof(c));
    twin_init(&twin, 4);
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float weight = habit_score_weight(count), common = noise(&seed);
        float xy[4] = { 1.0f / weight };

        for (size_t v = 0; v < HABIT_VIEWS; v++)
            xy[1 + v] = 0.2f * (float)(v + 1) * noise(&seed) + 0.1f * common + 2.0f / weight - 0.3f;
        habit_calibration_add(&c, xy + 1, count);
        if (n > 2) { /* the first two are skipped */
            twin_add(&twin, xy, weight);
            fade_to_limit(&twin, &sum, weight);
        }
        (void)count_up(&count);
        if (n > 3 && worth_a_look(n)) {
            const struct moments m = twin_look(&twin);
            const double off = mean_tolerance(&twin) * sqrt(m.sum), x = sqrt(m.scatter[0][0]);

            check_weights(&twin, &m, &c.weights);
            assert_near("x mean", n, (double)c.x_mean, m.mean[0], mean_tolerance(&twin));
            assert_near("x scatter", n, (double)c.x_scatter, m.scatter[0][0],
                        2.0 * rounding(n) * x * x + off * (2.0 * x + off));
            for (size_t v = 0; v < HABIT_VIEWS; v++) {
                const double y = sqrt(m.scatter[v + 1][v + 1]);

                assert_near("y mean", n, (double)c.view[v].mean, m.mean[v + 1], mean_tolerance(&twin));
                assert_near("y scatter", n, (double)c.view[v].scatter, m.scatter[v + 1][v + 1],
                            2.0 * rounding(n) * y * y + off * (2.0 * y + off));
                assert_near("covariance", n, (double)c.view[v].covariance, m.scatter[0][v + 1],
                            2.0 * rounding(n) * x * y + off * (x + y + off));
            }
            assert_int_equal(c.scores, n < HABIT_COUNT_LIMIT ? n : HABIT_COUNT_LIMIT);
        }
    }
    twin_deinit(&twin);
}

/* Products of neighbours are taken around the mean of that time. The scores are moving sums, within four deviations of their
 * mean: none is limited. */
static void test_scatter_of_scores(void **state)
{
    struct habit_scatter s;
    uint32_t seed = 7, count = HABIT_FIRST_SCORED;
    double sum = 0.0, mean = 0.0, lagged = 0.0;
    float score = 0.0f, last = 0.0f, fresh = 0.0f;
    struct twin twin;

    (void)state;
    memset(&s, 0, sizeof(s));
    twin_init(&twin, 1);
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float weight = habit_score_weight(count);
        double before = sum;

        score = 0.6f * fresh + 0.1f;
        fresh = noise(&seed);
        score += fresh;
        habit_scatter_score(&s, score, count);
        twin_add(&twin, &score, weight);
        mean += (double)weight / (before + (double)weight) * ((double)score - mean);
        if (n > 1)
            lagged += (double)weight * ((double)score - mean) * ((double)last - mean);
        last = score;
        fade_to_limit(&twin, &sum, weight);
        lagged *= sum / (before + (double)weight);
        (void)count_up(&count);
        if (worth_a_look(n)) {
            const struct moments m = twin_look(&twin);
            const double off = mean_tolerance(&twin) * sqrt(m.sum), y = sqrt(m.scatter[0][0]);
            const double tolerance = 2.0 * rounding(n) * y * y + off * (2.0 * y + off);

            check_weights(&twin, &m, &s.weights);
            assert_near("score mean", n, (double)s.mean, m.mean[0], mean_tolerance(&twin));
            assert_near("score scatter", n, (double)s.scatter, m.scatter[0][0], tolerance);
            assert_near("score lagged", n, (double)s.lagged, lagged, tolerance);
            assert_near("last score", n, (double)s.last, (double)score, 4.0 * 0x1p-24 * twin.largest);
        }
    }
    twin_deinit(&twin);
}

/* ------------------------------------------------------------------------------------------- what an engine keeps */

/* No model forgets to count half when the others do: none has more than the count of buffers, nor much less. */
static void check_all_were_halved(const struct machine *m, const struct habit_layout *layout, size_t n, double count)
{
    float *words = m->memory.knowledge;
    const struct habit_modes_parts modes = habit_modes_open(words + layout->model[0], &layout->view[0]);
    const struct habit_prototypes_parts levels = habit_prototypes_open(words + layout->model[1], &layout->view[1]);
    const struct habit_waveform_parts waveform = habit_waveform_open(words + layout->model[2], &layout->view[2]);
    double support = 0.0;

    for (uint32_t k = 0; k < modes.model->used; k++)
        support += (double)modes.count[k];
    assert_near("modes", n, support, 0.9 * count, 0.101 * count);
    assert_near("levels", n, (double)levels.model->weights.sum, 0.9 * count, 0.101 * count);
    assert_near("waveform", n, (double)waveform.model->weights.sum, 0.9 * count, 0.101 * count);
}

/* Mean rms of each axis; and the baseline, which stays as it was when 60 were learned. */
static void test_rms_and_baseline(void **state)
{
    struct machine m;
    struct habit_layout layout;
    uint32_t count = 0;
    float baseline[16], x[2], drift;
    struct twin twin;

    (void)state;
    machine_init(&m, 2, 2, HABIT_PROFILE_DEFAULT, 8);
    assert_true(habit_layout_make(&layout, &m.config));
    twin_init(&twin, 2);
    for (size_t n = 1; n <= BUFFERS; n++) {
        const float *words = m.memory.knowledge;
        const struct habit_ledger *ledger = (const void *)((const uint8_t *)m.memory.knowledge + HABIT_HEADER_SIZE);

        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] = noise(&m.seed) + 3.0f;
        machine_learn(&m);
        for (size_t a = 0; a < 2; a++)
            x[a] = 0.5f * fabsf(m.buffer[a] - m.buffer[2 + a]);
        if (n == 8) { /* first ones may have been left out: then the twin cannot know which */
            assert_int_equal(ledger->count, 8);
            count = 7;
        }
        twin_add(&twin, x, 1.0f);
        if (n >= 8 && count_up(&count))
            twin_fade(&twin, 0.5);
        if (n < 8)
            continue;
        if (n == 60)
            memcpy(baseline, words + layout.baseline, 4 * (size_t)(layout.model[0] - layout.baseline));
        if (worth_a_look(n)) {
            const struct moments moments = twin_look(&twin);

            assert_int_equal(ledger->count, count);
            check_mean("rms", &twin, &moments, words + layout.rms);
            if (n > 1000)
                check_all_were_halved(&m, &layout, n, (double)count);
        }
        if (n >= 60 && worth_a_look(n)) {
            assert_memory_equal(baseline, words + layout.baseline, 4 * (size_t)(layout.model[0] - layout.baseline));
            assert_int_equal(habit_drift(&m.engine, &drift), HABIT_OK);
            assert_true(drift < 1.0f);
        }
    }
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    twin_deinit(&twin);
    machine_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waveform_model),    cmocka_unit_test(test_level_model),
        cmocka_unit_test(test_spectrum_model),    cmocka_unit_test(test_offsets_of_modes),
        cmocka_unit_test(test_coupling),          cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_scatter_of_scores), cmocka_unit_test(test_rms_and_baseline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
