/* The parts of the bed against slow and obvious twins, and every kind's promises. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bands.h"
#include "detectors.h"
#include "heap.h"
#include "kind.h"
#include "signal.h"

static void check_near(const char *what, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s is %.9g, not %.9g +- %.2g", what, got, expected, tolerance);
}

/* ---------------------------------------------------------------------------------------------------------- signals */

/* Tolerances are four standard deviations of the figures themselves. */
static void test_noise_is_gaussian_and_white(void **state)
{
    enum { N = 1000000 };
    double *x = heap_get(N, sizeof(*x)), mean = 0, square = 0, fourth = 0, lag = 0;
    struct chance chance = { 5 };

    (void)state;
    signal_noise(x, N, 2, &chance);
    for (int i = 0; i < N; i++) {
        double y = x[i] / 2;

        mean += y / N;
        square += y * y / N;
        fourth += y * y * y * y / N;
        lag += i > 0 ? y * x[i - 1] / 2 / N : 0;
    }
    free(x);
    check_near("mean", mean, 0, 0.004);
    check_near("variance", square, 1, 0.006);
    check_near("fourth moment", fourth, 3, 0.04);
    check_near("correlation of neighbours", lag, 0, 0.004);
}

static void test_resonator_gives_the_variance_it_states(void **state)
{
    enum { N = 400000 };
    double *in = heap_get(N, sizeof(*in)), *out = heap_get(N, sizeof(*out)), square = 0;
    struct chance chance = { 6 };
    struct resonator resonator = resonator_at(0.17, 0.9);

    (void)state;
    signal_noise(in, N, 1, &chance);
    resonator_add(&resonator, out, in, N / 2, resonator.for_noise); /* in two parts: it goes on where it was */
    resonator_add(&resonator, out + N / 2, in + N / 2, N / 2, resonator.for_noise);
    for (int i = 0; i < N; i++)
        square += out[i] * out[i] / N;
    free(in);
    free(out);
    check_near("variance", square, 1, 0.03);
}

static void test_tone_is_a_cosine_on_every_axis(void **state)
{
    static struct block block = { .size = BED_SAMPLES, .axes = 2 };
    struct tone_wave wave = { .frequency = 0.0731, .start = 0.2, .amplitude = { 1, 3 }, .turn = { 0, 0.25 } };

    (void)state;
    signal_tone(&block, &wave);
    for (uint32_t a = 0; a < block.axes; a++)
        for (uint32_t i = 0; i < block.size; i++)
            check_near("sample", block.x[a][i],
                       wave.amplitude[a] * cos(2 * M_PI * (wave.frequency * i + wave.turn[a] + wave.start)), 1e-9);
}

static void test_wander_has_its_variance_and_memory(void **state)
{
    enum { N = 200000 };
    struct chance chance = { 7 };
    struct wander wander = wander_start(&chance, 0.8);
    double square = 0, lag = 0, last = wander.value;

    (void)state;
    for (int i = 0; i < N; i++) {
        double now = wander_next(&wander, &chance);

        square += now * now / N;
        lag += now * last / N;
        last = now;
    }
    check_near("variance", square, 1, 0.03);
    check_near("correlation", lag, 0.8, 0.03);
}

static void test_regimes_stay_as_long_as_they_say(void **state)
{
    enum { N = 200000, STATES = 3 };
    struct chance chance = { 9 };
    struct regimes regimes = { 0 };
    double visits[STATES] = { 0 }, stays[STATES] = { 0 };

    (void)state;
    regimes_start(&regimes, STATES, 2, 9, &chance);
    for (int i = 0; i < N; i++) {
        bool changed = regimes_next(&regimes, &chance);

        visits[regimes.now] += changed;
        stays[regimes.now]++;
    }
    for (unsigned int r = 0; r < STATES; r++)
        check_near("mean stay", stays[r] / visits[r], regimes.stay[r], 0.04 * regimes.stay[r]);
}

/* --------------------------------------------------------------------------------------------- features and figures */

static void test_a_tone_is_in_its_band_alone(void **state)
{
    enum { N = 256, BIN = 40 };
    float samples[N * 2];
    double features[2 * FEATURES_PER_AXIS];
    struct feature_layout layout = features_layout(N, 2);
    unsigned int loudest = 0;

    (void)state;
    assert_int_equal(layout.count, 2 * FEATURES_PER_AXIS);
    assert_int_equal(layout.edge[0], 1);
    assert_int_equal(layout.edge[layout.bands], N / 2 + 1);
    for (int i = 0; i < N; i++) {
        samples[2 * i] = (float)(5 + 3 * cos(2 * M_PI * BIN * i / N));
        samples[2 * i + 1] = 7;
    }
    features_of(&layout, samples, features);
    for (unsigned int b = 0; b < layout.bands; b++)
        loudest = features[b] > features[loudest] ? b : loudest;
    assert_true(layout.edge[loudest] <= BIN && BIN < layout.edge[loudest + 1]);
    check_near("log rms", features[layout.bands], log(3 / sqrt(2)), 1e-6);
    check_near("mean", features[layout.bands + 1], 5, 1e-6);
    check_near("mean of the constant axis", features[layout.count - 1], 7, 1e-6);
}

static void test_short_buffers_have_fewer_features(void **state)
{
    (void)state;
    assert_int_equal(features_layout(1, 3).count, 3);
    assert_int_equal(features_layout(7, 3).count, 6);
    assert_int_equal(features_layout(8, 1).bands, 4);
    assert_int_equal(features_layout(32, 1).bands, 16);
    for (uint32_t n = FEATURE_MIN_SPECTRUM; n <= BED_SAMPLES; n++) {
        struct feature_layout layout = features_layout(n, 1);

        for (unsigned int b = 0; b < layout.bands; b++)
            assert_true(layout.edge[b] < layout.edge[b + 1]);
        assert_int_equal(layout.edge[layout.bands], n / 2 + 1);
    }
}

static void test_figures_count_ties_half(void **state)
{
    struct verdicts verdicts = { { 0 }, { false } };
    struct figures figures;

    (void)state;
    for (int i = BED_HEALTHY; i < BED_TESTED; i++) { /* half of the faulty ones above all, half like all */
        verdicts.score[i] = i % 2;
        verdicts.alarm[i] = i % 2 == 1;
    }
    verdicts.alarm[0] = true;
    figures = figures_of(&verdicts);
    check_near("AUC", figures.auc, 0.75, 1e-12);
    check_near("detection", figures.detection, 0.5, 1e-12);
    check_near("false alarms", figures.false_alarms, 1.0 / BED_HEALTHY, 1e-12);
    check_near("balanced accuracy", figures.balanced, 0.745, 1e-12);
}

/* ------------------------------------------------------------------------------------------------------------ kinds */

enum { MACHINES = 12, LIFE = 30 };

static float *lived(const struct machine *machine, double severity)
{
    struct machine *copy = machine_copy(machine);
    size_t values = (size_t)machine->buffer_size * machine->axes;
    float *samples = heap_get(LIFE * values, sizeof(float));
    struct moment moment = { .severity = severity, .grown = 0.5 };

    for (; moment.t < LIFE; moment.t++)
        machine_write(copy, &moment, samples + moment.t * values);
    machine_free(copy);
    return samples;
}

static void check_machine(const struct kind *kind, uint64_t seed)
{
    struct machine *machine = machine_new(kind, seed), *again = machine_new(kind, seed);
    size_t values = (size_t)machine->buffer_size * machine->axes * LIFE;
    float *healthy = lived(machine, 0), *same = lived(again, 0), *faulty = lived(machine, 8);

    assert_in_range(machine->axes, 1, BED_AXES);
    assert_in_range(machine->buffer_size, 1, BED_SAMPLES);
    assert_in_range(machine->buffer_size * machine->axes, 1, BED_VALUES);
    assert_non_null(machine->fault);
    assert_memory_equal(healthy, same, values * sizeof(float));
    if (memcmp(healthy, faulty, values * sizeof(float)) == 0)
        fail_msg("%s, seed %d: %s changes nothing", kind->name, (int)seed, machine->fault);
    for (size_t i = 0; i < values; i++)
        if (!(fabsf(healthy[i]) < 1e6f && fabsf(faulty[i]) < 1e6f))
            fail_msg("%s, seed %d: %s: value %zu is %g, or %g", kind->name, (int)seed, machine->fault, i,
                     (double)healthy[i], (double)faulty[i]);
    free(healthy);
    free(same);
    free(faulty);
    machine_free(machine);
    machine_free(again);
}

static void test_kinds_repeat_themselves_and_fail(void **state)
{
    (void)state;
    for (unsigned int k = 0; kind_at(k); k++)
        for (uint64_t seed = 1; seed <= MACHINES; seed++)
            check_machine(kind_at(k), seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_is_gaussian_and_white),
        cmocka_unit_test(test_resonator_gives_the_variance_it_states),
        cmocka_unit_test(test_tone_is_a_cosine_on_every_axis),
        cmocka_unit_test(test_wander_has_its_variance_and_memory),
        cmocka_unit_test(test_regimes_stay_as_long_as_they_say),
        cmocka_unit_test(test_a_tone_is_in_its_band_alone),
        cmocka_unit_test(test_short_buffers_have_fewer_features),
        cmocka_unit_test(test_figures_count_ties_half),
        cmocka_unit_test(test_kinds_repeat_themselves_and_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
