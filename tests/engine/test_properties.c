/* What holds for any machine: which changes of the input, the order or the memory make no difference, and in which direction
 * the others go. */
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include "machine.h"

#include "call.h"
#include "maths.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct geometry {
    unsigned int samples, axes;
    enum habit_profile profile;
} geometries[] = {
    { 1, 3, HABIT_PROFILE_SMALL },     { 2, 1, HABIT_PROFILE_DEFAULT },  { 8, 1, HABIT_PROFILE_DEFAULT },
    { 33, 2, HABIT_PROFILE_SMALL },    { 64, 3, HABIT_PROFILE_DEFAULT }, { 50, 2, HABIT_PROFILE_LARGE },
    { 16, 16, HABIT_PROFILE_DEFAULT },
};

static struct machine machine_of(const struct geometry *g)
{
    struct machine m;

    machine_init(&m, g->samples, g->axes, g->profile, 2024);
    return m;
}

/* Noise on a grid of 2^-10, so that gains of powers of two, and offsets that are whole numbers below 2^13, are exact. */
static void machine_grid(struct machine *m)
{
    machine_noise(m);
    for (size_t i = 0; i < m->count; i++)
        m->buffer[i] = floorf(m->buffer[i] * 1024.0f) / 1024.0f;
}

/* --------------------------------------------------------------------------------------- gain, offset, order of axes */

enum { LEARNED = 60, TRIED = 12, LOUD = LEARNED + TRIED / 2 };

/* Another way to write down what a sensor saw. */
struct view {
    float gain, offset;
    unsigned int axis[3]; /* where each axis goes */
};

static const struct view as_it_is = { 1.0f, 0.0f, { 0, 1, 2 } };

static void write_down(struct machine *m, const struct view *view)
{
    float sample[3];

    for (size_t i = 0; i < m->count; i += 3) {
        memcpy(sample, m->buffer + i, sizeof(sample));
        for (size_t a = 0; a < 3; a++)
            m->buffer[i + view->axis[a]] = view->gain * (sample[a] + view->offset);
    }
}

/* The same sequence for all; the later half of what is tried is louder and louder on the second axis. */
static void detect_sequence(const struct view *view, struct habit_result result[TRIED])
{
    struct machine m;

    machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, 77);
    for (int i = 0; i < LEARNED + TRIED; i++) {
        machine_grid(&m);
        for (size_t k = 1; i >= LOUD && k < m.count; k += 3)
            m.buffer[k] *= 1.0f + 0.5f * (float)(i - LOUD);
        write_down(&m, view);
        if (i < LEARNED)
            machine_learn(&m);
        else
            result[i - LEARNED] = machine_detect(&m);
    }
    machine_deinit(&m);
}

/* Features are logarithms of at most 30 in magnitude, with rounding errors of 2e-6 where standard deviations are above 0.1:
 * 2e-5 of a deviation. The log distance, a mean over some 40 of them, moves by no more; in spreads of 0.05 and more that is
 * 4e-4, and a third of it in the logarithm of the distance. */
#define ROUNDED 2e-4f

static void assert_same_distances(const struct habit_result *a, const struct habit_result *b)
{
    for (int i = 0; i < TRIED; i++)
        if (!(fabsf(a[i].distance - b[i].distance) <= ROUNDED * b[i].distance))
            fail_msg("buffer %d: distance %.7g, not %.7g", i, (double)a[i].distance, (double)b[i].distance);
}

static void test_a_gain_changes_no_distance(void **state)
{
    static const float gains[] = { 0x1p-20f, 0x1p-3f, 0x1p1f, 0x1p20f };
    struct habit_result reference[TRIED], result[TRIED];

    (void)state;
    detect_sequence(&as_it_is, reference);
    assert_true(reference[TRIED - 1].similarity < 50);
    for (size_t g = 0; g < COUNT(gains); g++) {
        struct view view = as_it_is;

        view.gain = gains[g];
        detect_sequence(&view, result);
        assert_same_distances(result, reference);
        for (int i = 0; i < TRIED; i++)
            for (size_t a = 0; a < 3; a++)
                assert_true(fabsf(result[i].amplitude[a] - gains[g] * reference[i].amplitude[a]) <=
                            1e-6f * result[i].amplitude[a]);
    }
}

static void test_an_offset_changes_no_distance(void **state)
{
    static const float offsets[] = { -4.0f, 1.0f, 16.0f }; /* larger ones raise what counts as rounding */
    struct habit_result reference[TRIED], result[TRIED];

    (void)state;
    detect_sequence(&as_it_is, reference);
    for (size_t o = 0; o < COUNT(offsets); o++) {
        struct view view = as_it_is;

        view.offset = offsets[o];
        detect_sequence(&view, result);
        assert_same_distances(result, reference);
    }
}

static void test_another_order_of_axes_changes_the_names_of_axes_only(void **state)
{
    static const unsigned int orders[][3] = { { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    struct habit_result reference[TRIED], result[TRIED];

    (void)state;
    detect_sequence(&as_it_is, reference);
    for (size_t o = 0; o < COUNT(orders); o++) {
        struct view view = as_it_is;

        memcpy(view.axis, orders[o], sizeof(view.axis));
        detect_sequence(&view, result);
        assert_same_distances(result, reference);
        for (int i = 0; i < TRIED; i++) {
            assert_int_equal(result[i].reasons, reference[i].reasons);
            for (size_t a = 0; a < 3; a++)
                assert_true(result[i].level[view.axis[a]] == reference[i].level[a]);
        }
        for (int k = 0; k < reference[TRIED - 1].reasons; k++) {
            const struct habit_reason *is = &result[TRIED - 1].reason[k], *was = &reference[TRIED - 1].reason[k];

            assert_int_equal(is->axis, view.axis[was->axis]);
            assert_int_equal(is->kind, was->kind);
            assert_true(is->from == was->from && is->to == was->to);
        }
    }
}

/* ------------------------------------------------------------------------------------------------ int16 is as float */

static void test_int16_is_as_float_for_any_scale_and_geometry(void **state)
{
    static const float scales[] = { 1e-15f, 0.0012345f, 1.0f, 1e10f };
    int16_t samples[256];

    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++)
        for (size_t s = 0; s < COUNT(scales); s++) {
            struct machine a = machine_of(&geometries[g]), b = machine_of(&geometries[g]);

            assert_true(a.count <= COUNT(samples));
            a.config.scale = b.config.scale = scales[s];
            assert_int_equal(habit_init(&a.engine, &a.config, &a.memory), HABIT_OK);
            assert_int_equal(habit_init(&b.engine, &b.config, &b.memory), HABIT_OK);
            for (int i = 0; i < 30; i++) {
                struct habit_result of_floats, of_integers;

                for (size_t k = 0; k < a.count; k++) {
                    const float x = 12000.0f * noise_normal(&a.seed);

                    samples[k] = (int16_t)fmaxf(-32768.0f, fminf(32767.0f, x));
                    a.buffer[k] = (float)samples[k] * scales[s];
                }
                machine_learn(&a);
                assert_int_equal(habit_learn_i16(&b.engine, samples, b.count, NULL), HABIT_OK);
                assert_memory_equal(a.memory.knowledge, b.memory.knowledge, a.memory.knowledge_size);
                if (i < 20)
                    continue;
                of_floats = machine_detect(&a);
                assert_int_equal(habit_detect_i16(&b.engine, samples, b.count, &of_integers), HABIT_OK);
                assert_memory_equal(&of_floats, &of_integers, sizeof(of_floats));
            }
            machine_deinit(&a);
            machine_deinit(&b);
        }
}

/* ------------------------------------------------------------------------------------------------------ order of time */

enum { BUFFERS = 120 };

static void learn_in_order(struct machine *m, int first, int step)
{
    for (int i = 0; i < BUFFERS; i++) {
        m->seed = 1000u + 7919u * (uint32_t)(first + i * step);
        machine_noise(m);
        machine_learn(m);
    }
}

static unsigned int disagreements(struct machine *a, struct machine *b, float factor, unsigned int tried)
{
    unsigned int count = 0;

    a->seed = 5;
    for (unsigned int i = 0; i < tried; i++) {
        machine_noise(a);
        for (size_t k = 0; k < a->count; k++)
            b->buffer[k] = a->buffer[k] *= factor;
        count += (machine_detect(a).similarity < 90) != (machine_detect(b).similarity < 90);
    }
    return count;
}

/* Nominal buffers alarm in one of a hundred, so two engines disagree on no more than two; gross faults are beyond doubt. */
static void test_the_order_of_independent_buffers_changes_few_decisions(void **state)
{
    struct machine a, b;
    unsigned int nominal, gross;

    (void)state;
    machine_init(&a, 64, 3, HABIT_PROFILE_DEFAULT, 1);
    machine_init(&b, 64, 3, HABIT_PROFILE_DEFAULT, 1);
    learn_in_order(&a, 0, 1);
    learn_in_order(&b, BUFFERS - 1, -1);
    assert_memory_not_equal(a.memory.knowledge, b.memory.knowledge, a.memory.knowledge_size);
    nominal = disagreements(&a, &b, 1.0f, 1000);
    gross = disagreements(&a, &b, 2.0f, 200);
    print_message("decisions that differ with the order: %u of 1000 nominal, %u of 200 gross\n", nominal, gross);
    assert_true(nominal <= 20);
    assert_int_equal(gross, 0);
    machine_deinit(&a);
    machine_deinit(&b);
}

/* ------------------------------------------------------------------------------------- what else happens in between */

struct between {
    const char *what;
    void (*happens)(struct machine *m, int i);
};

static void save_and_load(struct machine *m, int i)
{
    void *saved;

    (void)i;
    assert_int_equal(habit_seal(&m->engine), HABIT_OK);
    saved = machine_copy_knowledge(m);
    memset(m->memory.cache, 0xee, m->memory.cache_size);
    assert_int_equal(habit_init(&m->engine, &m->config, &m->memory), HABIT_OK);
    assert_int_equal(habit_load(&m->engine, saved, m->memory.knowledge_size), HABIT_OK);
    free(saved);
}

/* From flash, say: the engine is told nothing. */
static void restore_behind_the_back(struct machine *m, int i)
{
    void *saved;

    (void)i;
    assert_int_equal(habit_seal(&m->engine), HABIT_OK);
    saved = machine_copy_knowledge(m);
    assert_int_equal(habit_set_sensitivity(&m->engine, 3.0f), HABIT_OK);
    memcpy(m->memory.knowledge, saved, m->memory.knowledge_size);
    free(saved);
}

static void seal(struct machine *m, int i)
{
    (void)i;
    assert_int_equal(habit_seal(&m->engine), HABIT_OK);
}

static void detect_something(struct machine *m, int i)
{
    struct habit_result result;

    (void)habit_detect(&m->engine, m->buffer, m->count, &result);
    assert_true(i >= 8 || habit_detect(&m->engine, m->buffer, m->count, &result) == HABIT_ENOTREADY);
}

static void ask_everything(struct machine *m, int i)
{
    struct habit_progress progress;
    struct habit_window window;
    struct habit_average average;
    float drift;

    assert_int_equal(habit_window_init(&window, 1 + (unsigned int)i % 5), HABIT_OK);
    assert_int_equal(habit_window_result(&m->engine, &window, &average), HABIT_ENOTREADY);
    assert_int_equal(habit_status(&m->engine, &progress), HABIT_OK);
    assert_int_equal(habit_drift(&m->engine, &drift), HABIT_OK);
}

static void refuse(struct machine *m, int i)
{
    const size_t at = (size_t)i % m->count;
    const float before = m->buffer[at];

    m->buffer[at] = NAN;
    assert_int_equal(habit_learn(&m->engine, m->buffer, m->count, NULL), HABIT_EVALUE);
    m->buffer[at] = before;
}

static void spoil_scratch(struct machine *m, int i)
{
    static const uint8_t rubbish[] = { 0xff, 0x00, 0x7f, 0x3f };

    memset(m->memory.scratch, rubbish[i % 4], m->memory.scratch_size);
}

static const struct between betweens[] = {
    { "saving and loading", save_and_load },
    { "a raw copy", restore_behind_the_back },
    { "sealing", seal },
    { "detecting", detect_something },
    { "asking", ask_everything },
    { "refusing", refuse },
    { "rubbish in the scratch", spoil_scratch },
};

/* Learns and detects with and without it. */
static void check_between(const struct geometry *g, const struct between *between)
{
    struct machine a = machine_of(g), b = machine_of(g);
    struct habit_result of_a, of_b;

    for (int i = 0; i < 75; i++) {
        machine_noise(&a);
        machine_noise(&b);
        between->happens(&b, i);
        machine_learn(&a);
        machine_learn(&b);
        assert_int_equal(habit_seal(&a.engine), HABIT_OK);
        assert_int_equal(habit_seal(&b.engine), HABIT_OK);
        if (memcmp(a.memory.knowledge, b.memory.knowledge, a.memory.knowledge_size) != 0)
            fail_msg("%s, %u x %u: other knowledge after %d", between->what, g->axes, g->samples, i + 1);
        if (i < 12)
            continue;
        machine_noise(&a);
        machine_noise(&b);
        between->happens(&b, i);
        of_a = machine_detect(&a);
        of_b = machine_detect(&b);
        assert_memory_equal(&of_a, &of_b, sizeof(of_a));
        of_b = machine_detect(&b);
        assert_memory_equal(&of_a, &of_b, sizeof(of_a));
    }
    machine_deinit(&a);
    machine_deinit(&b);
}

static void test_what_happens_in_between_changes_no_bit(void **state)
{
    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++)
        for (size_t i = 0; i < COUNT(betweens); i++)
            check_between(&geometries[g], &betweens[i]);
}

static void test_engines_may_share_a_scratch(void **state)
{
    struct machine shared[COUNT(geometries)], alone[COUNT(geometries)];
    size_t size = 0;
    void *scratch;

    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        shared[g] = machine_of(&geometries[g]);
        alone[g] = machine_of(&geometries[g]);
        size = alone[g].memory.scratch_size > size ? alone[g].memory.scratch_size : size;
    }
    scratch = malloc(size);
    assert_non_null(scratch);
    for (size_t g = 0; g < COUNT(geometries); g++)
        assert_int_equal(habit_use_scratch(&shared[g].engine, scratch, size), HABIT_OK);
    for (int i = 0; i < 30; i++)
        for (size_t g = 0; g < COUNT(geometries); g++) {
            machine_learn_noise(&shared[g], 1);
            machine_learn_noise(&alone[g], 1);
        }
    for (size_t g = 0; g < COUNT(geometries); g++) {
        struct habit_result of_shared = machine_detect(&shared[g]), of_alone = machine_detect(&alone[g]);

        assert_memory_equal(shared[g].memory.knowledge, alone[g].memory.knowledge, alone[g].memory.knowledge_size);
        assert_memory_equal(&of_shared, &of_alone, sizeof(of_alone));
        machine_deinit(&shared[g]);
        machine_deinit(&alone[g]);
    }
    free(scratch);
}

/* --------------------------------------------------------------------------------------------- sensitivity, window */

static void test_more_sensitivity_never_raises_similarity(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 32, 2, HABIT_PROFILE_DEFAULT, 3);
    machine_learn_noise(&m, 40);
    for (int i = 0; i < 30; i++) {
        struct habit_result first, result;
        uint8_t before = 100;

        assert_int_equal(habit_set_sensitivity(&m.engine, 0.1f), HABIT_OK);
        machine_noise(&m);
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] *= 1.0f + 0.05f * (float)i;
        first = machine_detect(&m);
        for (int step = 1; step <= 1000; step += 7) {
            assert_int_equal(habit_set_sensitivity(&m.engine, 0.1f * (float)step), HABIT_OK);
            assert_true(habit_get_sensitivity(&m.engine) == 0.1f * (float)step);
            result = machine_detect(&m);
            assert_true(result.similarity <= before);
            assert_true(result.distance == first.distance && result.p_value == first.p_value);
            before = result.similarity;
        }
    }
    machine_deinit(&m);
}

static void test_the_same_sensitivity_leaves_a_block_sealed(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 8, 1, HABIT_PROFILE_DEFAULT, 3);
    assert_int_equal(habit_set_sensitivity(&m.engine, 2.5f), HABIT_OK);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_set_sensitivity(&m.engine, 2.5f), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    machine_deinit(&m);
}

/* What left the ring is forgotten: only the order in which the rest is added up is another. */
static void test_a_window_remembers_no_more_than_its_size(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 32, 2, HABIT_PROFILE_DEFAULT, 9);
    machine_learn_noise(&m, 60);
    for (unsigned int size = 1; size <= HABIT_MAX_WINDOW; size += 7)
        for (unsigned int before = 0; before < 2 * size + 1; before += 3) {
            struct habit_window used, fresh;
            struct habit_average of_used, of_fresh;

            assert_int_equal(habit_window_init(&used, size), HABIT_OK);
            assert_int_equal(habit_window_init(&fresh, size), HABIT_OK);
            for (unsigned int i = 0; i < before + size; i++) {
                struct habit_result result;

                machine_noise(&m);
                for (size_t k = 0; i < before && k < m.count; k++)
                    m.buffer[k] *= 9.0f;
                result = machine_detect(&m);
                assert_int_equal(habit_window_add(&used, &result), HABIT_OK);
                if (i >= before)
                    assert_int_equal(habit_window_add(&fresh, &result), HABIT_OK);
            }
            assert_int_equal(habit_window_result(&m.engine, &used, &of_used), HABIT_OK);
            assert_int_equal(habit_window_result(&m.engine, &fresh, &of_fresh), HABIT_OK);
            assert_true(fabsf(of_used.distance - of_fresh.distance) <= 1e-5f * of_fresh.distance);
        }
    machine_deinit(&m);
}

/* ------------------------------------------------------------------------------------------------ what counts as zero */

static const float dust[] = { 0.0f, -0.0f, 0x1p-149f, -0x1p-130f, 1e-37f, -1e-30f, 1e-20f, -9.9e-16f };

/* Replaces what is 0 by what counts as 0. */
static void add_dust(struct machine *m, uint32_t *dice)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->buffer[i] == 0.0f) {
            *dice = *dice * 1664525u + 1013904223u;
            m->buffer[i] = dust[*dice >> 16 & 7u];
        }
}

/* Axis 0 is dead, axis 1 is silent half of the time, axis 2 never; or all are. */
static void partly_silent(struct machine *m, bool all)
{
    machine_noise(m);
    for (size_t i = 0; i < m->count; i++)
        if (all || i % 3 == 0 || (i % 3 == 1 && i / 3 % 8 < 4))
            m->buffer[i] = 0.0f;
}

/* Of amplitudes at all: the alarm does not move, and neither do level and flags. */
static void test_dust_counts_as_zero(void **state)
{
    struct machine clean, dusty;
    uint32_t dice = 1;

    (void)state;
    machine_init(&clean, 64, 3, HABIT_PROFILE_DEFAULT, 21);
    machine_init(&dusty, 64, 3, HABIT_PROFILE_DEFAULT, 21);
    for (int i = 0; i < 80; i++) {
        partly_silent(&clean, false);
        partly_silent(&dusty, false);
        add_dust(&dusty, &dice);
        machine_learn(&clean);
        machine_learn(&dusty);
    }
    for (int i = 0; i < 20; i++) {
        struct habit_result of_clean, of_dusty;

        partly_silent(&clean, i % 2 == 0);
        partly_silent(&dusty, i % 2 == 0);
        add_dust(&dusty, &dice);
        of_clean = machine_detect(&clean);
        of_dusty = machine_detect(&dusty);
        assert_int_equal(of_clean.constant, i % 2 == 0 ? 7 : 1);
        assert_int_equal(of_dusty.constant, of_clean.constant);
        assert_int_equal(of_dusty.clipped, of_clean.clipped);
        assert_int_equal(of_dusty.similarity, of_clean.similarity);
        assert_true(fabsf(of_dusty.distance - of_clean.distance) <= ROUNDED * of_clean.distance);
        for (size_t a = 0; a < 3; a++) {
            assert_true(fabsf(of_dusty.level[a] - of_clean.level[a]) <= 1e-15f);
            assert_true(fabsf(of_dusty.amplitude[a] - of_clean.amplitude[a]) <= 1e-15f + 1e-6f * of_clean.amplitude[a]);
        }
    }
    for (size_t i = 0; i < dusty.count; i++)
        dusty.buffer[i] = 0.0f;
    add_dust(&dusty, &dice);
    assert_int_equal(habit_learn(&dusty.engine, dusty.buffer, dusty.count, NULL), HABIT_ECONSTANT);
    machine_deinit(&clean);
    machine_deinit(&dusty);
}

static struct habit_result detect_steps(struct machine *m, float low, float high)
{
    for (size_t i = 0; i < m->count; i++)
        m->buffer[i] = i % 2 == 0 ? low : high;
    return machine_detect(m);
}

static void test_what_is_larger_than_dust_counts(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 16, 1, HABIT_PROFILE_DEFAULT, 23);
    machine_learn_noise(&m, 20);
    assert_true(detect_steps(&m, 1.01e-15f, 1.01e-15f).level[0] == 1.01e-15f);
    assert_true(detect_steps(&m, 0.99e-15f, 0.99e-15f).level[0] == 0.0f);
    assert_int_equal(detect_steps(&m, 5e-15f, 6.9e-15f).constant, 1);
    assert_int_equal(detect_steps(&m, 5e-15f, 7.1e-15f).constant, 0);
    machine_deinit(&m);
}

/* Subnormal numbers cost some processors a hundred cycles each. The processor itself tells whether there was one: a result
 * that became too small sets a flag, and on x86 so does a subnormal operand. */
static unsigned int subnormal_flags(void)
{
#ifdef __SSE2__
    return _mm_getcsr() & (_MM_EXCEPT_DENORM | _MM_EXCEPT_UNDERFLOW);
#else
    return (unsigned int)fetestexcept(FE_UNDERFLOW);
#endif
}

static void clear_flags(void)
{
    (void)feclearexcept(FE_ALL_EXCEPT);
#ifdef __SSE2__
    _mm_setcsr(_mm_getcsr() & ~(unsigned int)_MM_EXCEPT_MASK);
#endif
}

/* Values that squared or multiplied would become subnormal, yet neither they nor their differences are themselves. */
static void tiny(struct machine *m, int i)
{
    static const float sizes[] = { 1e-35f, 1e-30f, 1e-22f, 1e-19f, 1e-16f, 1.1e-15f, 1e-12f, 1e-7f, 1.0f, 1e10f };

    machine_noise(m);
    for (size_t k = 0; k < m->count; k++)
        m->buffer[k] = floorf(m->buffer[k] * 64.0f) / 64.0f * sizes[((size_t)i + k % m->config.axes) % COUNT(sizes)];
    if (i % 3 == 2)
        m->buffer[0] = 1.0f;
}

/* What is done for each sample: detect() takes the features before it finds that nothing was learned. The models handle one
 * number for a feature, where a subnormal one costs little. */
static void test_small_samples_lead_to_no_subnormal_number(void **state)
{
    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        struct machine m = machine_of(&geometries[g]);
        struct habit_result result;

        for (int i = 0; i < 200; i++) {
            tiny(&m, i);
            clear_flags();
            assert_int_equal(habit_detect(&m.engine, m.buffer, m.count, &result), HABIT_ENOTREADY);
            if (subnormal_flags() != 0)
                fail_msg("%u x %u, buffer %d: flags %x", m.config.axes, m.config.buffer_size, i, subnormal_flags());
        }
        machine_deinit(&m);
    }
}

#ifdef __SSE2__

/* The whole engine where subnormal results and operands count as 0, as in the vector units of some processors. */
enum { FLUSH = 0x8040 };

/* Each axis at a scale of its own between 1e-12 and 1e12, which changes once; here and there silence, an offset, a spike. */
static void any_scale(struct machine *m, uint32_t dice, int i)
{
    static const float offsets[] = { 0.0f, 0.0f, 1.0f, 1e3f, 1e7f };

    machine_noise(m);
    for (size_t k = 0; k < m->count; k++) {
        const uint32_t axis = (uint32_t)(k % m->config.axes),
                       bits = (dice + axis * 7919u + (i >= 60 ? 31u : 0u)) * 2654435761u;
        const float scale = powf(10.0f, (float)(bits >> 8 & 0xffffu) * (24.0f / 65535.0f) - 12.0f);

        m->buffer[k] = scale * (m->buffer[k] + offsets[(bits >> 24) % COUNT(offsets)]);
        if ((bits >> 5 & 7u) == 0 && k / m->config.axes % 4 != (size_t)i % 4)
            m->buffer[k] = 0.0f;
    }
    if (i % 17 == 3)
        m->buffer[0] *= 1e3f;
}

/* What an engine answered to one buffer, and what it knew then. */
struct answers {
    struct habit_result result;
    struct habit_progress progress;
    struct habit_average average;
    float drift;
    int learned; /* or the reason why not: all axes may be silent */
};

static void live(struct machine *m, struct habit_window *window, int i, struct answers *answers)
{
    memset(answers, 0, sizeof(*answers));
    if (habit_detect(&m->engine, m->buffer, m->count, &answers->result) == HABIT_OK) {
        assert_int_equal(habit_window_add(window, &answers->result), HABIT_OK);
        (void)habit_window_result(&m->engine, window, &answers->average);
    }
    answers->learned = i % 40 == 39 ? habit_accept(&m->engine, m->buffer, 1)
                                    : habit_learn(&m->engine, m->buffer, m->count, &answers->progress);
    assert_int_equal(habit_drift(&m->engine, &answers->drift), HABIT_OK);
}

static void test_units_that_flush_to_zero_learn_the_same(void **state)
{
    const unsigned int usual = _mm_getcsr();

    (void)state;
    for (uint32_t dice = 1; dice <= 60; dice++)
        for (size_t g = 0; g < COUNT(geometries); g++) {
            struct machine m = machine_of(&geometries[g]), flushing = machine_of(&geometries[g]);
            struct habit_window windows[2];

            assert_int_equal(habit_window_init(&windows[0], 5), HABIT_OK);
            windows[1] = windows[0];
            m.seed = dice;
            for (int i = 0; i < 120; i++) {
                struct answers expected, found;

                any_scale(&m, dice, i);
                memcpy(flushing.buffer, m.buffer, m.count * sizeof(float));
                live(&m, &windows[0], i, &expected);
                _mm_setcsr(usual | FLUSH);
                live(&flushing, &windows[1], i, &found);
                _mm_setcsr(usual);
                if (memcmp(&expected, &found, sizeof(found)) != 0)
                    fail_msg("%u x %u, dice %u, buffer %d: distance %.9g, not %.9g", m.config.axes,
                             m.config.buffer_size, dice, i, (double)found.result.distance,
                             (double)expected.result.distance);
                if (memcmp(m.memory.knowledge, flushing.memory.knowledge, m.memory.knowledge_size) != 0)
                    fail_msg("%u x %u, dice %u, buffer %d: other knowledge", m.config.axes, m.config.buffer_size, dice,
                             i);
            }
            machine_deinit(&m);
            machine_deinit(&flushing);
        }
}

#endif

/* ------------------------------------------------------------------------------------------------------- far limits */

/* The number of learned buffers is a counter for people; it stays at its end. */
static void test_the_counter_of_buffers_stays_at_its_end(void **state)
{
    struct machine m;
    struct habit_progress progress;
    uint8_t *block;

    (void)state;
    machine_init(&m, 8, 1, HABIT_PROFILE_DEFAULT, 51);
    machine_learn_noise(&m, 20);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    block = machine_copy_knowledge(&m);
    ((struct habit_header *)(void *)block)->learned = UINT32_MAX - 2;
    block_seal(block, m.memory.knowledge_size);
    assert_int_equal(habit_load(&m.engine, block, m.memory.knowledge_size), HABIT_OK);
    for (int i = 0; i < 5; i++) {
        machine_learn_noise(&m, 1);
        assert_int_equal(habit_status(&m.engine, &progress), HABIT_OK);
        assert_int_equal(progress.learned, i == 0 ? UINT32_MAX - 1 : UINT32_MAX);
        assert_true(progress.settled > 0.5f);
    }
    free(block);
    machine_deinit(&m);
}

/* 0 would mean that the knowledge was never checked. */
static void test_no_change_leads_to_the_stamp_that_means_nothing(void **state)
{
    struct machine m;
    struct habit_header *header;
    uint8_t *block;
    uint32_t stamp = 0, mixed;
    float sensitivity;

    (void)state;
    machine_init(&m, 8, 1, HABIT_PROFILE_DEFAULT, 53);
    block = machine_copy_knowledge(&m);
    header = (struct habit_header *)(void *)block;
    do { /* mixing the stamp with the counter first: where that gives the bits of a sensitivity, mixing it in gives 0 */
        mixed = (++stamp ^ header->learned) * 0x9e3779b1u;
        mixed ^= mixed >> 15;
        memcpy(&sensitivity, &mixed, sizeof(sensitivity));
    } while (!(sensitivity > 0.01f && sensitivity < 100.0f));
    header->stamp = stamp;
    block_seal(block, m.memory.knowledge_size);
    assert_int_equal(habit_load(&m.engine, block, m.memory.knowledge_size), HABIT_OK);
    assert_int_equal(habit_set_sensitivity(&m.engine, sensitivity), HABIT_OK);
    assert_int_equal(((struct habit_header *)m.memory.knowledge)->stamp, 1);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    free(block);
    machine_deinit(&m);
}

/* More buffers than the models count. */
static void test_very_many_buffers_are_accepted_at_once(void **state)
{
    const size_t n = HABIT_COUNT_LIMIT + 10;
    struct machine m;
    float *buffers = malloc(n * sizeof(float));
    uint32_t seed = 3;

    (void)state;
    assert_non_null(buffers);
    for (size_t i = 0; i < n; i++)
        buffers[i] = 20.0f + noise(&seed);
    machine_init(&m, 1, 1, HABIT_PROFILE_DEFAULT, 57);
    machine_learn_noise(&m, 100);
    m.buffer[0] = 20.0f;
    assert_true(machine_detect(&m).similarity < 90);
    assert_int_equal(habit_accept(&m.engine, buffers, n), HABIT_OK);
    assert_true(machine_detect(&m).similarity >= 90);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    free(buffers);
    machine_deinit(&m);
}

/* Before there are models, to accept is to learn. */
static void test_accepting_at_first_is_learning(void **state)
{
    struct machine one, other;
    float buffers[12 * 8 * 2];

    (void)state;
    machine_init(&one, 8, 2, HABIT_PROFILE_DEFAULT, 59);
    machine_init(&other, 8, 2, HABIT_PROFILE_DEFAULT, 59);
    for (size_t i = 0; i < 12; i++) {
        machine_noise(&one);
        memcpy(buffers + i * one.count, one.buffer, one.count * sizeof(float));
        machine_learn(&one);
    }
    assert_int_equal(habit_accept(&other.engine, buffers, 12), HABIT_OK);
    assert_memory_equal(one.memory.knowledge, other.memory.knowledge, one.memory.knowledge_size);
    machine_deinit(&one);
    machine_deinit(&other);
}

/* Three or more of the first eight that look odd are a second habit, not outliers. */
static void test_a_second_habit_among_the_first_buffers_is_learned(void **state)
{
    (void)state;
    for (unsigned int odd = 1; odd <= 4; odd++) {
        struct machine m;
        struct habit_progress progress;

        machine_init(&m, 32, 1, HABIT_PROFILE_DEFAULT, 61);
        for (unsigned int i = 0; i < 8; i++) {
            machine_noise(&m);
            for (size_t k = 0; i < odd && k < m.count; k++)
                m.buffer[k] = 300.0f + 30.0f * m.buffer[k];
            machine_learn(&m);
        }
        assert_int_equal(habit_status(&m.engine, &progress), HABIT_OK);
        assert_true(odd <= 2 ? progress.needed >= odd && progress.needed <= 2 : progress.needed == 0);
        machine_deinit(&m);
    }
}

/* Adds the features of the buffer to a sum. */
static void add_features(const struct machine *m, const struct habit_layout *layout, double *sum)
{
    const struct habit_source source = { .floats = m->buffer };
    float *vector = test_malloc(layout->vector * sizeof(float)), *work = test_malloc(layout->scratch * sizeof(float));
    struct habit_features features;

    habit_features_open(&features, layout, vector);
    assert_true(habit_features_make(&features, layout, &source, work));
    for (uint32_t i = 0; i < layout->view[HABIT_SPECTRUM].dimension; i++)
        sum[i] += (double)vector[i];
    test_free(vector);
    test_free(work);
}

/* False where one of the first buffers was left out as an outlier. */
static bool check_start(const struct geometry *g, uint32_t seed)
{
    struct machine m;
    struct habit_call call;
    float *mean;
    double *sum;
    uint32_t dimension;
    bool all;

    machine_init(&m, g->samples, g->axes, g->profile, seed);
    habit_call_open(&call, &m.engine);
    dimension = call.layout.view[HABIT_SPECTRUM].dimension;
    mean = test_calloc(dimension, sizeof(float));
    sum = test_calloc(dimension, sizeof(double));
    for (int i = 0; i < HABIT_START; i++) {
        machine_noise(&m);
        add_features(&m, &call.layout, sum);
        machine_learn(&m);
    }
    all = call.ledger->count == HABIT_START;
    habit_modes_mean(&call.modes, mean);
    for (uint32_t i = 0; all && i < dimension; i++)
        if (fabs((double)mean[i] - sum[i] / HABIT_START) > 1e-5)
            fail_msg("%u x %u, profile %d, feature %u: mean %.9g, not %.9g", g->axes, g->samples, (int)g->profile, i,
                     (double)mean[i], sum[i] / HABIT_START);
    test_free(mean);
    test_free(sum);
    machine_deinit(&m);
    return all;
}

/* The first buffers lie where the fourth of them is judged before it is learned. They must be learned as they were: with
 * vectors, judging one axis of the small profile wrote into the fourth. */
static void test_the_first_buffers_are_learned_as_they_were(void **state)
{
    static const unsigned int samples[] = { 2, 7, 8, 9, 16, 32, 100 };

    (void)state;
    for (size_t s = 0; s < COUNT(samples); s++)
        for (unsigned int axes = 1; axes <= 3; axes++)
            for (unsigned int profile = 0; profile < HABIT_PROFILES; profile++) {
                const struct geometry g = { samples[s], axes, (enum habit_profile)profile };
                uint32_t seed = 1;

                while (!check_start(&g, seed))
                    seed++;
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gain_changes_no_distance),
        cmocka_unit_test(test_an_offset_changes_no_distance),
        cmocka_unit_test(test_another_order_of_axes_changes_the_names_of_axes_only),
        cmocka_unit_test(test_int16_is_as_float_for_any_scale_and_geometry),
        cmocka_unit_test(test_the_order_of_independent_buffers_changes_few_decisions),
        cmocka_unit_test(test_what_happens_in_between_changes_no_bit),
        cmocka_unit_test(test_engines_may_share_a_scratch),
        cmocka_unit_test(test_more_sensitivity_never_raises_similarity),
        cmocka_unit_test(test_the_same_sensitivity_leaves_a_block_sealed),
        cmocka_unit_test(test_a_window_remembers_no_more_than_its_size),
        cmocka_unit_test(test_dust_counts_as_zero),
        cmocka_unit_test(test_what_is_larger_than_dust_counts),
        cmocka_unit_test(test_small_samples_lead_to_no_subnormal_number),
#ifdef __SSE2__
        cmocka_unit_test(test_units_that_flush_to_zero_learn_the_same),
#endif
        cmocka_unit_test(test_the_counter_of_buffers_stays_at_its_end),
        cmocka_unit_test(test_no_change_leads_to_the_stamp_that_means_nothing),
        cmocka_unit_test(test_very_many_buffers_are_accepted_at_once),
        cmocka_unit_test(test_accepting_at_first_is_learning),
        cmocka_unit_test(test_a_second_habit_among_the_first_buffers_is_learned),
        cmocka_unit_test(test_the_first_buffers_are_learned_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
