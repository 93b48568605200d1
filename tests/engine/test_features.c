/* Features against their definition, slow and in double precision; and what no processor may do differently. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "machine.h"

#include "feature.h"
#include "maths.h"

enum { MOST = 4096, AXES = 2, MOST_FEATURES = 256 };

static const unsigned int lengths[] = { 2,  3,   7,   8,   9,   15,   16,   17,   31,  33,
                                        64, 100, 255, 256, 257, 1000, 2049, 4095, 4096 };

struct subject {
    struct habit_layout layout;
    struct habit_features features;
    float words[MOST_FEATURES];
    float *work;
};

static void subject_init(struct subject *s, unsigned int samples)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;

    config.buffer_size = (uint16_t)samples;
    config.axes = AXES;
    assert_true(habit_layout_make(&s->layout, &config));
    assert_true(s->layout.vector <= MOST_FEATURES);
    habit_features_open(&s->features, &s->layout, s->words);
    s->work = malloc(sizeof(float) * (s->layout.scratch - s->layout.work));
    assert_non_null(s->work);
}

static void subject_deinit(struct subject *s)
{
    free(s->work);
}

static void subject_make(struct subject *s, const float *samples)
{
    const struct habit_source source = { .floats = samples };

    memset(s->words, 0, sizeof(s->words));
    assert_true(habit_features_make(&s->features, &s->layout, &source, s->work));
}

/* ------------------------------------------------------------------------------------------------- the slow twin */

struct twin {
    double y[MOST]; /* without the mean */
    double mean, rms, size, floor;
};

static void twin_take(struct twin *t, const float *samples, unsigned int n)
{
    double sum = 0.0, squares = 0.0, peak = 0.0;

    for (unsigned int i = 0; i < n; i++) {
        sum += (double)samples[i * AXES];
        peak = fmax(peak, fabs((double)samples[i * AXES]));
    }
    t->mean = sum / n;
    for (unsigned int i = 0; i < n; i++) {
        t->y[i] = (double)samples[i * AXES] - t->mean;
        squares += t->y[i] * t->y[i];
    }
    t->rms = sqrt(squares / n);
    t->floor = 1e-7 * peak + 1e-15;
    t->size = t->rms + t->floor;
}

static void twin_shape(const struct twin *t, unsigned int n, double *feature)
{
    double third = 0.0, fourth = 0.0, peak = 0.0, second_step = 0.0, fourth_step = 0.0;

    for (unsigned int i = 0; i < n; i++) {
        const double z = t->y[i] / t->size, step = i > 0 ? z - t->y[i - 1] / t->size : 0.0;

        third += z * z * z;
        fourth += z * z * z * z;
        peak = fmax(peak, fabs(z));
        second_step += step * step;
        fourth_step += step * step * step * step;
    }
    feature[0] = log(t->size);
    feature[1] = log(fourth / n + 0.1);
    feature[2] = atan(third / n);
    feature[3] = log(peak + 0.1);
    feature[4] = log(fourth_step / (n - 1) / pow(second_step / (n - 1) + 1e-6, 2.0) + 0.1);
}

/* Power of one bin of the windowed samples, by definition. */
static double twin_power(const struct twin *t, unsigned int n, unsigned int transform, unsigned int k)
{
    double re = 0.0, im = 0.0;

    for (unsigned int i = 0; i < n; i++) {
        const double w = pow(sin(M_PI * i / n), 2.0), angle = 2.0 * M_PI * (k * i % transform) / transform;

        re += w * t->y[i] * cos(angle);
        im += w * t->y[i] * sin(angle);
    }
    return (re * re + im * im) / ((double)n * n);
}

static void twin_bands(const struct twin *t, const struct subject *s, double *feature)
{
    const unsigned int n = s->layout.samples, transform = s->layout.transform, bands = s->layout.bands;
    double total = 0.0;

    for (unsigned int b = 0; b < bands; b++) {
        feature[b] = 0.0;
        for (unsigned int k = s->features.edges[b]; k < s->features.edges[b + 1]; k++)
            feature[b] += twin_power(t, n, transform, k);
        total += feature[b];
    }
    for (unsigned int b = 0; b < bands; b++)
        feature[b] = log(feature[b] + 1e-9 * total + t->floor * t->floor);
}

static void twin_waveform(const struct twin *t, unsigned int n, unsigned int parts, double *feature)
{
    for (unsigned int part = 0, i = 0; part < parts; part++) {
        const unsigned int from = i, to = (2 * (part + 1) * n + parts) / (2 * parts);
        double sum = 0.0;

        for (; i < to; i++)
            sum += t->y[i];
        feature[part] = sum / (to - from);
    }
}

static void compare(const struct subject *s, const char *what, unsigned int axis, const float *got,
                    const double *expected, unsigned int count, double tolerance)
{
    for (unsigned int i = 0; i < count; i++)
        if (!(fabs((double)got[i] - expected[i]) <= tolerance))
            fail_msg("%u samples, axis %u, %s %u: %.9g, not %.9g", s->layout.samples, axis, what, i, (double)got[i],
                     expected[i]);
}

/* fine: how exact sums over the samples can be, in proportion to them. */
static void check_axis(const struct subject *s, const float *samples, unsigned int axis, double fine)
{
    static struct twin t;
    const unsigned int n = s->layout.samples, part = s->layout.view[HABIT_SPECTRUM].part,
                       parts = s->layout.view[HABIT_WAVEFORM].part;
    const float *spectrum = s->features.view[HABIT_SPECTRUM] + axis * part;
    double expected[64];

    twin_take(&t, samples + axis, n);
    compare(s, "level", axis, s->features.view[HABIT_LEVEL] + axis, &t.mean, 1, 1e-7 * fabs(t.mean) + fine * t.rms);
    compare(s, "rms", axis, s->features.rms + axis, &t.rms, 1, fine * t.rms + 1e-15);
    twin_waveform(&t, n, parts, expected);
    compare(s, "part of the waveform", axis, s->features.view[HABIT_WAVEFORM] + axis * parts, expected, parts,
            fine * t.rms + 2e-15);
    if (n < 8) {
        expected[0] = log(t.size);
        compare(s, "size", axis, spectrum, expected, 1, 1e-5);
        return;
    }
    twin_bands(&t, s, expected);
    compare(s, "band", axis, spectrum, expected, s->layout.bands, 1e-3);
    twin_shape(&t, n, expected);
    compare(s, "shape", axis, spectrum + s->layout.bands, expected, HABIT_SHAPES, 1e-4);
}

/* Noise, a slow tone and now and then a shock, on an offset. */
static void fill(float *samples, unsigned int n, float gain, float offset)
{
    uint32_t seed = n;

    for (unsigned int i = 0; i < n * AXES; i++) {
        const float tone = sinf(0.05f * (float)(i / AXES)), shock = i % 97 == 13 ? 6.0f : 0.0f;

        samples[i] = offset + gain * (noise_normal(&seed) + tone + shock);
    }
}

static void test_features_are_what_they_are_defined_to_be(void **state)
{
    static const struct {
        float gain, offset;
        double fine;
    } cases[] = { { 1.0f, 0.0f, 2e-6 }, { 1e-6f, 0.0f, 2e-6 }, { 1e6f, -3e6f, 2e-6 }, { 8.0f, 1e7f, 2e-6 } };
    static float samples[MOST * AXES];

    (void)state;
    for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++)
        for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
            struct subject s;

            if (lengths[l] > 300 && c > 0) /* the definition is slow */
                continue;
            subject_init(&s, lengths[l]);
            fill(samples, lengths[l], cases[c].gain, cases[c].offset);
            subject_make(&s, samples);
            for (unsigned int axis = 0; axis < AXES; axis++)
                check_axis(&s, samples, axis, cases[c].fine);
            subject_deinit(&s);
        }
}

/* The first sample is where differences begin: none is worse than another, not even one that is far away. */
static void test_features_survive_a_spike_in_the_beginning(void **state)
{
    static float samples[MOST * AXES];

    (void)state;
    for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
        struct subject s;

        subject_init(&s, lengths[l]);
        fill(samples, lengths[l], 1e-3f, 0.0f);
        samples[0] = 1.0f;
        samples[1] = -2.0f;
        subject_make(&s, samples);
        for (unsigned int axis = 0; axis < AXES && lengths[l] <= 300; axis++)
            check_axis(&s, samples, axis, 1e-5);
        subject_deinit(&s);
    }
}

/* ------------------------------------------------------------------------------------ what is too small to be counted */

static void test_what_is_below_1e_15_counts_as_silence(void **state)
{
    static float samples[256 * AXES];
    struct subject s;
    float words[MOST_FEATURES];
    uint32_t seed = 1;

    (void)state;
    subject_init(&s, 256);
    subject_make(&s, samples);
    memcpy(words, s.words, sizeof(words));
    assert_int_equal(s.features.constant, 3);
    for (float size = 9.9e-16f; size > 0.0f; size *= 0.5f) {
        for (size_t i = 0; i < 256 * AXES; i++)
            samples[i] = size * noise(&seed);
        subject_make(&s, samples);
        assert_int_equal(s.features.constant, 3);
        assert_memory_equal(words, s.words, sizeof(words));
    }
    subject_deinit(&s);
}

#if defined(__SSE2__)

enum { FLUSH = 0x8040 }; /* results and operands that are subnormal count as 0 */

/* Sizes from the least to the largest that are taken, and neighbours that differ by little or by much. */
static float wild(uint32_t *seed, unsigned int kind)
{
    const float exponent =
        kind % 3 == 0 ? 50.0f * noise(seed) : (kind % 3 == 1 ? -48.0f : -100.0f + 60.0f * noise(seed));
    const float x = ldexpf(noise(seed), (int)exponent);

    return noise(seed) > 0.9f ? 0.0f : habit_within(x, 1e15f);
}

static void test_units_that_flush_to_zero_find_the_same(void **state)
{
    static float samples[MOST * AXES];
    uint32_t seed = 99;

    (void)state;
    for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++)
        for (unsigned int kind = 0; kind < 12; kind++) {
            struct subject s;
            float words[MOST_FEATURES];
            const unsigned int usual = _mm_getcsr();

            subject_init(&s, lengths[l]);
            for (unsigned int i = 0; i < lengths[l] * AXES; i++)
                samples[i] = wild(&seed, kind);
            subject_make(&s, samples);
            memcpy(words, s.words, sizeof(words));
            _mm_setcsr(usual | FLUSH);
            subject_make(&s, samples);
            _mm_setcsr(usual);
            if (memcmp(words, s.words, sizeof(words)) != 0)
                fail_msg("%u samples, kind %u: a unit that flushes to zero finds something else", lengths[l], kind);
            subject_deinit(&s);
        }
}

#endif

/* ------------------------------------------------------------------------------------------------------------ edges */

static void test_bands_cover_all_bins_once(void **state)
{
    (void)state;
    for (unsigned int profile = 0; profile < HABIT_PROFILES; profile++)
        for (unsigned int n = 8; n <= MOST; n = n * 2 - n / 4) {
            static float samples[MOST];
            struct habit_config config = HABIT_CONFIG_DEFAULT;
            struct subject s;

            subject_init(&s, n);
            config.buffer_size = (uint16_t)n;
            config.axes = 1;
            config.profile = (uint8_t)profile;
            assert_true(habit_layout_make(&s.layout, &config));
            habit_features_open(&s.features, &s.layout, s.words);
            subject_make(&s, samples);
            assert_int_equal(s.features.edges[0], 1);
            assert_int_equal(s.features.edges[s.layout.bands], s.layout.transform / 2 + 1);
            for (unsigned int b = 0; b < s.layout.bands; b++)
                assert_true(s.features.edges[b] < s.features.edges[b + 1]);
            subject_deinit(&s);
        }
}

/* Offsets have 16 bits. */
static void test_the_largest_layout_has_room(void **state)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct habit_layout layout;

    (void)state;
    config.buffer_size = HABIT_MAX_BUFFER_SIZE;
    config.axes = HABIT_MAX_AXES;
    config.profile = HABIT_PROFILE_LARGE;
    assert_true(habit_layout_make(&layout, &config));
    assert_true(layout.scratch >= MOST + MOST / 2 + 2 * layout.vector && layout.scratch < UINT16_MAX / 2);
    assert_true(layout.knowledge >= layout.kept + 7 * layout.vector && layout.knowledge < UINT16_MAX / 2);
    assert_true(layout.cache > layout.prepared[HABIT_VIEWS - 1] && layout.cache < UINT16_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_are_what_they_are_defined_to_be),
        cmocka_unit_test(test_features_survive_a_spike_in_the_beginning),
        cmocka_unit_test(test_what_is_below_1e_15_counts_as_silence),
#if defined(__SSE2__)
        cmocka_unit_test(test_units_that_flush_to_zero_find_the_same),
#endif
        cmocka_unit_test(test_bands_cover_all_bins_once),
        cmocka_unit_test(test_the_largest_layout_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
