/* Knowledge that no engine writes, with a CRC that fits it: each is refused. A new field of the block is one more row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#include "models.h"

/* Where the parts of a block lie. */
struct places {
    struct habit_layout layout;
    struct habit_header *header;
    struct habit_ledger *ledger;
    float *rms, *baseline, *variance, *kept, *last_word;
    struct habit_modes_parts modes;
    struct habit_prototypes_parts prototypes;
    struct habit_waveform_parts waveform;
    void (*call)(struct places *p); /* where one assignment does not say it */
};

static void find_places(struct places *p, const struct machine *m, void *block)
{
    float *words = block;

    p->call = NULL;
    assert_true(habit_layout_make(&p->layout, &m->config));
    p->header = block;
    p->ledger = (struct habit_ledger *)(p->header + 1);
    p->rms = words + p->layout.rms;
    p->baseline = words + p->layout.baseline;
    p->variance = p->baseline + p->layout.view[HABIT_SPECTRUM].dimension + p->layout.axes;
    p->kept = words + p->layout.kept;
    p->last_word = words + p->layout.knowledge - 1;
    p->modes = habit_modes_open(words + p->layout.model[HABIT_SPECTRUM], &p->layout.view[HABIT_SPECTRUM]);
    p->prototypes = habit_prototypes_open(words + p->layout.model[HABIT_LEVEL], &p->layout.view[HABIT_LEVEL]);
    p->waveform = habit_waveform_open(words + p->layout.model[HABIT_WAVEFORM], &p->layout.view[HABIT_WAVEFORM]);
}

static float square(float x)
{
    return x * x;
}

#define SUBNORMAL 0x1p-140f

/* clang-format off */

/* name, what is written, the answer, why. In a block that learned 70 buffers: with models, scores and a baseline. */
#define SETTLED(X)                                                                                                     \
    X(magic, header->magic[0] = 'h', EBLOCK, "not ours")                                                               \
    X(format, header->format = HABIT_FORMAT_VERSION + 1, EVERSION, "of another engine")                                \
    X(header_size, header->header_size = 64, EBLOCK, "fixed for ever")                                                 \
    X(block_size, header->block_size -= 4, EBLOCK, "not what was handed in")                                           \
    X(reserved_first, header->reserved[0] = 1, EMEANING, "0 until it means something")                                 \
    X(reserved_last, header->reserved[17] = 1, EMEANING, "0 until it means something")                                 \
    X(stamp, header->stamp = 0, EMEANING, "says that nothing was checked")                                             \
    X(sensitivity_nan, header->sensitivity = NAN, EMEANING, "no number")                                               \
    X(sensitivity_negative, header->sensitivity = -1.0f, EMEANING, "a distance is positive")                           \
    X(sensitivity_zero, header->sensitivity = 0.0f, EMEANING, "would hide every fault")                                \
    X(sensitivity_high, header->sensitivity = 100.1f, EMEANING, "beyond its range")                                    \
    X(samples_none, header->buffer_size = 0, EMEANING, "no buffer")                                                    \
    X(samples_many, header->buffer_size = 4097, EMEANING, "beyond the largest")                                        \
    X(samples_other, header->buffer_size = 48, EMISMATCH, "same layout, another sensor")                               \
    X(samples_level, header->buffer_size = 1, EMEANING, "another layout")                                              \
    X(axes_none, header->axes = 0, EMEANING, "no axis")                                                                \
    X(axes_many, header->axes = 17, EMEANING, "beyond the most")                                                       \
    X(axes_other, header->axes = 3, EMEANING, "another layout")                                                        \
    X(profile_other, header->profile = HABIT_PROFILE_SMALL, EMEANING, "another layout")                                \
    X(profile_unknown, header->profile = HABIT_PROFILES, EMEANING, "there is none")                                    \
    X(rate_infinite, header->sampling_hz = INFINITY, EMEANING, "no number")                                            \
    X(rate_negative, header->sampling_hz = -100.0f, EMEANING, "time goes on")                                          \
    X(rate_other, header->sampling_hz = 100.0f, EMISMATCH, "another sensor")                                           \
    X(scale_zero, header->scale = 0.0f, EMEANING, "all samples would be 0")                                            \
    X(scale_other, header->scale = 2.0f, EMISMATCH, "another sensor")                                                  \
    X(unit_with_gap, header->unit[5] = 'x', EMEANING, "bytes behind the end")                                          \
    X(unit_control, header->unit[0] = '\n', EMEANING, "not for people")                                                \
    X(unit_other, header->unit[0] = 'g', EMISMATCH, "another sensor")                                                  \
    X(started_twice, ledger->started = 2, EMEANING, "a truth value")                                                   \
    X(not_started, ledger->started = 0, EMEANING, "models where vectors should be")                                    \
    X(count_huge, ledger->count = UINT32_MAX, EMEANING, "halved long before")                                          \
    X(count_at_limit, ledger->count = HABIT_COUNT_LIMIT, EMEANING, "halved there")                                     \
    X(count_none, ledger->count = 0, EMEANING, "models have learned something")                                        \
    X(count_few, ledger->count = 3, EMEANING, "at most 2 of the first 8 are left out")                                 \
    X(weight_large, ledger->weight = 2.0f, EMEANING, "a share")                                                        \
    X(weight_negative, ledger->weight = -0.1f, EMEANING, "a share")                                                    \
    X(alarms_nan, ledger->alarms = NAN, EMEANING, "no number")                                                         \
    X(alarms_large, ledger->alarms = 1.5f, EMEANING, "a share")                                                        \
    X(baseline_odd, ledger->baseline = 3, EMEANING, "a truth value")                                                   \
    X(baseline_denied, ledger->baseline = 0, EMEANING, "yet one is there")                                             \
    X(scores_huge, ledger->calibration.scores = UINT32_MAX, EMEANING, "they stay at the limit")                        \
    X(scores_none, ledger->calibration.scores = 0, EMEANING, "yet there are weights")                                  \
    X(line_sum_zero, ledger->calibration.weights.sum = 0.0f, EMEANING, "divides")                                      \
    X(line_sum_infinite, ledger->calibration.weights.sum = INFINITY, EMEANING, "no number")                            \
    X(line_squares_large, ledger->calibration.weights.squares = 1.01f * square(p->ledger->calibration.weights.sum),    \
      EMEANING, "more than the square of the sum")                                                                     \
    X(line_squares_zero, ledger->calibration.weights.squares = 0.0f, EMEANING, "divides")                              \
    X(line_x_mean, ledger->calibration.x_mean = 1.5f, EMEANING, "a mean of 1 / count")                                 \
    X(line_x_scatter, ledger->calibration.x_scatter = -1e-6f, EMEANING, "a sum of squares")                            \
    X(line_mean, ledger->calibration.view[1].mean = -NAN, EMEANING, "no number")                                       \
    X(line_mean_large, ledger->calibration.view[0].mean = 1e6f, EMEANING, "no logarithm of a float")                   \
    X(line_covariance, ledger->calibration.view[2].covariance = -INFINITY, EMEANING, "no number")                      \
    X(line_scatter, ledger->calibration.view[0].scatter = -1.0f, EMEANING, "a sum of squares")                         \
    X(window_scores_huge, ledger->scatter.scores = 1u << 31, EMEANING, "they stay at the limit")                       \
    X(window_scores_none, ledger->scatter.scores = 0, EMEANING, "yet there are weights")                               \
    X(window_weights, ledger->scatter.weights.sum = -1.0f, EMEANING, "a sum of weights")                               \
    X(window_mean, ledger->scatter.mean = NAN, EMEANING, "no number")                                                  \
    X(window_scatter, ledger->scatter.scatter = -0.5f, EMEANING, "a sum of squares")                                   \
    X(window_lagged, ledger->scatter.lagged = SUBNORMAL, EMEANING, "some processors make it 0")                        \
    X(window_last, ledger->scatter.last = 1e30f, EMEANING, "scores are limited")                                       \
    X(rms_negative, rms[0] = -1.0f, EMEANING, "a root")                                                                \
    X(rms_infinite, rms[1] = INFINITY, EMEANING, "no number")                                                          \
    X(baseline_mean, baseline[0] = NAN, EMEANING, "no number")                                                         \
    X(baseline_level, baseline[p->layout.view[HABIT_SPECTRUM].dimension] = 1e16f, EMEANING, "beyond any sample")       \
    X(baseline_variance, variance[0] = 0.0f, EMEANING, "divides")                                                      \
    X(baseline_level_variance, variance[p->layout.view[HABIT_SPECTRUM].dimension] = -1.0f, EMEANING, "a square")       \
    X(modes_none, modes.model->used = 0, EMEANING, "something was learned")                                            \
    X(modes_many, modes.model->used = p->modes.shape->points + 1, EMEANING, "an index beyond the array")               \
    X(modes_pinned, modes.model->pinned = 1u << p->modes.model->used, EMEANING, "a mode that is not there")            \
    X(modes_freedom, modes.model->freedom = -1.0f, EMEANING, "a count")                                                \
    X(modes_count, modes.count[0] = 0.0f, EMEANING, "divides")                                                         \
    X(modes_count_negative, modes.count[0] = -5.0f, EMEANING, "a count")                                               \
    X(modes_excess, modes.excess[0] = 1e8f, EMEANING, "more than so many visits can add")                              \
    X(modes_excess_nan, modes.excess[0] = NAN, EMEANING, "no number")                                                  \
    X(modes_visits, modes.visits[0] = -1.0f, EMEANING, "a count")                                                      \
    X(coupling_weight, modes.coupling->weight = -1.0f, EMEANING, "a sum of weights")                                   \
    X(coupling_variance, modes.coupling->scatter[0] = -1e-3f, EMEANING, "a sum of squares")                            \
    X(coupling_product, modes.coupling->scatter[1] = INFINITY, EMEANING, "no number")                                  \
    X(modes_mean, modes.mean[0] = 1e30f, EMEANING, "no logarithm of a float")                                          \
    X(modes_mean_nan, modes.mean[1] = NAN, EMEANING, "no number")                                                      \
    X(modes_variance, modes.scatter[0] = -1e-3f, EMEANING, "a sum of squares")                                         \
    X(modes_covariance, modes.scatter[1] = 1e20f, EMEANING, "beyond any sum of squares")                               \
    X(prototypes_none, prototypes.model->used = 0, EMEANING, "something was learned")                                  \
    X(prototypes_many, prototypes.model->used = p->prototypes.shape->points + 1, EMEANING, "beyond the array")         \
    X(prototypes_pinned, prototypes.model->pinned = 1u << 31, EMEANING, "a prototype that is not there")               \
    X(prototypes_all_pinned, prototypes.model->pinned = (1u << p->prototypes.shape->accepted << 1) - 1, EMEANING,      \
      "one more than an operator's accepts may take")                                                                  \
    X(prototypes_one_more, call = make_one_more, EMEANING, "one more than learning may take")                          \
    X(prototypes_older, prototypes.model->older = p->prototypes.model->newer + 1, EMEANING, "older than the newer")    \
    X(prototypes_newer, prototypes.model->newer = HABIT_COUNT_LIMIT + 1, EMEANING, "halved with the rest")             \
    X(prototypes_sum, prototypes.model->weights.sum = 0.0f, EMEANING, "divides")                                       \
    X(prototypes_squares, prototypes.model->weights.squares = 1.01f * square(p->prototypes.model->weights.sum),        \
      EMEANING, "more than the square of the sum")                                                                     \
    X(prototypes_mean, prototypes.mean[0] = INFINITY, EMEANING, "no number")                                           \
    X(prototypes_older_mean, prototypes.older_mean[1] = -2e15f, EMEANING, "beyond any sample")                         \
    X(prototypes_newer_mean, prototypes.newer_mean[0] = NAN, EMEANING, "no number")                                    \
    X(prototypes_scatter, prototypes.scatter[0] = -1.0f, EMEANING, "a sum of squares")                                 \
    X(prototypes_count, prototypes.count[0] = 1e-9f, EMEANING, "less than any weight")                                 \
    X(prototypes_position, prototypes.position[1] = 2e15f, EMEANING, "beyond any sample")                              \
    X(prototypes_age, prototypes.age[0] = HABIT_COUNT_LIMIT + 1, EMEANING, "after the last buffer")                    \
    X(waveform_sum, waveform.model->weights.sum = -1.0f, EMEANING, "a sum of weights")                                 \
    X(waveform_squares, waveform.model->weights.squares = 0.0f, EMEANING, "divides")                                   \
    X(waveform_mean, waveform.mean[0] = -INFINITY, EMEANING, "no number")                                              \
    X(waveform_variance, waveform.scatter[0] = -1.0f, EMEANING, "a sum of squares")                                    \
    X(waveform_covariance, waveform.scatter[1] = 2e37f, EMEANING, "beyond any sum of squares")

/* A prototype like the others, in a place that is kept for what is accepted. */
static void make_one_more(struct places *p)
{
    const uint32_t k = p->prototypes.model->used++;

    p->prototypes.count[k] = p->prototypes.tolerance[k] = 1.0f;
}

/* In a block that learned 20 buffers: without a baseline, and with places that are not taken. */
#define YOUNG(X)                                                                                                       \
    X(baseline_claimed, ledger->baseline = 1, EMEANING, "it is empty")                                                 \
    X(baseline_filled, baseline[0] = 1.0f, EMEANING, "there is none yet")                                              \
    X(variance_filled, variance[1] = 1.0f, EMEANING, "there is none yet")

/* In a block that keeps 5 buffers. */
#define KEPT(X)                                                                                                        \
    X(kept_started, ledger->started = 1, EMEANING, "vectors where models should be")                                   \
    X(kept_many, ledger->count = HABIT_START, EMEANING, "with the last the models start")                              \
    X(kept_fewer, ledger->count = 4, EMEANING, "a vector that is not counted")                                         \
    X(kept_baseline, ledger->baseline = 1, EMEANING, "long before commissioning ends")                                 \
    X(kept_scores, ledger->calibration.scores = 7, EMEANING, "nothing was scored yet")                                 \
    X(kept_weights, ledger->calibration.weights.sum = 1.0f, EMEANING, "nothing was scored yet")                        \
    X(kept_window, ledger->scatter.weights.squares = 1.0f, EMEANING, "nothing was scored yet")                         \
    X(kept_feature, kept[0] = NAN, EMEANING, "no number")                                                              \
    X(kept_large, kept[1] = 201.0f, EMEANING, "no logarithm of a float")                                               \
    X(kept_level, kept[p->layout.view[HABIT_SPECTRUM].dimension] = 1.2e15f, EMEANING, "beyond any sample")             \
    X(kept_waveform, kept[p->layout.view[HABIT_SPECTRUM].dimension + p->layout.axes] = 3e15f, EMEANING, "as above")    \
    X(kept_rms, kept[p->layout.vector - 1] = -1.0f, EMEANING, "a root")                                                \
    X(kept_behind, last_word[0] = 1.0f, EMEANING, "nothing lies there")

/* In a block that learned 70 buffers: what no engine writes either, and what is taken all the same, as it does no harm. */
#define HARMLESS(X)                                                                                                    \
    X(all_young, call = make_all_young, OK, "every prototype is newer than what it is compared with")                      \
    X(hardly_learned, call = make_all_weak, OK, "nothing has the support of a state")                                      \
    X(kept_later, prototypes.model->newer = HABIT_COUNT_LIMIT, OK, "a mean of more buffers than there were")           \
    X(kept_much_later, call = make_kept_later, OK, "the same of both means")

/* clang-format on */

static void make_all_young(struct places *p)
{
    for (uint32_t k = 0; k < p->prototypes.model->used; k++)
        p->prototypes.age[k] = HABIT_COUNT_LIMIT;
}

static void make_all_weak(struct places *p)
{
    p->modes.model->pinned = p->prototypes.model->pinned = 0;
    for (uint32_t k = 0; k < p->modes.model->used; k++)
        p->modes.count[k] = 0.5f;
    for (uint32_t k = 0; k < p->prototypes.model->used; k++)
        p->prototypes.count[k] = 0.5f;
}

static void make_kept_later(struct places *p)
{
    p->prototypes.model->older = HABIT_COUNT_LIMIT / 2;
    p->prototypes.model->newer = HABIT_COUNT_LIMIT;
}

#define FUNCTION(name, change, expected, why)   \
    static void mutate_##name(struct places *p) \
    {                                           \
        p->change;                              \
    }
SETTLED(FUNCTION)
YOUNG(FUNCTION)
KEPT(FUNCTION)
HARMLESS(FUNCTION)

static const struct mutant {
    const char *name, *why;
    int expected;
    unsigned int learned;
    void (*mutate)(struct places *p);
} mutants[] = {
#define ROW(name, expected, why, learned)        { #name, why, HABIT_##expected, learned, mutate_##name },
#define ROW_SETTLED(name, change, expected, why) ROW(name, expected, why, 70)
#define ROW_YOUNG(name, change, expected, why)   ROW(name, expected, why, 20)
#define ROW_KEPT(name, change, expected, why)    ROW(name, expected, why, 5)
    SETTLED(ROW_SETTLED) YOUNG(ROW_YOUNG) KEPT(ROW_KEPT) HARMLESS(ROW_SETTLED)
};

enum { MUTANTS = sizeof(mutants) / sizeof(mutants[0]) };

/* What is taken must give numbers. */
static void use(struct machine *m)
{
    struct habit_result result;

    for (int i = 0; i < 10; i++) {
        machine_noise(m);
        machine_learn(m);
        if (habit_detect(&m->engine, m->buffer, m->count, &result) == HABIT_OK)
            assert_true(isfinite(result.distance) && result.distance > 0.0f && isfinite(result.score));
    }
}

/* Seals it, but for what the mutant is about: the header is written as it is. */
static int try_mutant(const struct mutant *mutant, enum habit_profile profile)
{
    struct places p;
    struct machine m;
    uint8_t *block;
    int result;

    machine_init(&m, 32, 2, profile, 99);
    machine_learn_noise(&m, mutant->learned);
    block = machine_copy_knowledge(&m);
    find_places(&p, &m, block);
    mutant->mutate(&p);
    if (p.call)
        p.call(&p);
    block_seal(block, m.memory.knowledge_size);
    result = habit_load(&m.engine, block, m.memory.knowledge_size);
    if (result == HABIT_OK)
        use(&m);
    free(block);
    machine_deinit(&m);
    return result;
}

static void check_mutants(enum habit_profile profile)
{
    for (int i = 0; i < MUTANTS; i++) {
        const int result = try_mutant(&mutants[i], profile);

        if (result != mutants[i].expected)
            fail_msg("%s (%s): %d, not %d", mutants[i].name, mutants[i].why, result, mutants[i].expected);
    }
}

static void test_sealed_nonsense_is_refused(void **state)
{
    (void)state;
    assert_true(MUTANTS >= 60);
    check_mutants(HABIT_PROFILE_DEFAULT);
}

static void test_sealed_nonsense_is_refused_by_the_large_profile(void **state)
{
    (void)state;
    check_mutants(HABIT_PROFILE_LARGE);
}

/* Else the refusals above could have another reason. */
static void change_nothing(struct places *p)
{
    (void)p;
}

static void test_without_a_change_each_block_is_taken(void **state)
{
    static const unsigned int learned[] = { 5, 20, 70 };

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct mutant none = { "nothing", "", HABIT_OK, learned[i], change_nothing };

        assert_int_equal(try_mutant(&none, HABIT_PROFILE_DEFAULT), HABIT_OK);
        assert_int_equal(try_mutant(&none, HABIT_PROFILE_LARGE), HABIT_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_change_each_block_is_taken),
        cmocka_unit_test(test_sealed_nonsense_is_refused),
        cmocka_unit_test(test_sealed_nonsense_is_refused_by_the_large_profile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
