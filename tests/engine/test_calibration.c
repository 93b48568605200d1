/* The promise: a machine that stays as it was is called strange on fewer than 1 buffer in 100; and weak faults that last are
 * caught by the window. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#include "calibration.h"
#include "maths.h"

/* -------------------------------------------------------------------------- twin of the running sums, in double */

enum { SCORES = 3000 };

/* Two passes over all scores there were, with the weights they have now. */
struct twin {
    double x[SCORES], y[SCORES], weight[SCORES];
    int count;
};

static void twin_add(struct twin *t, double x, double y, double weight)
{
    double sum = 0.0;

    t->x[t->count] = x;
    t->y[t->count] = y;
    t->weight[t->count++] = weight;
    for (int i = 0; i < t->count; i++)
        sum += t->weight[i];
    for (int i = 0; i < t->count && sum > 524288.0; i++)
        t->weight[i] *= 524288.0 / sum;
}

static void twin_predict(const struct twin *t, double x, double *mean, double *spread)
{
    double sum = 0.0, squares = 0.0, mx = 0.0, my = 0.0, sxx = 0.0, sxy = 0.0, rest = 0.0, slope, worth;

    for (int i = 0; i < t->count; i++) {
        sum += t->weight[i];
        squares += t->weight[i] * t->weight[i];
        mx += t->weight[i] * t->x[i];
        my += t->weight[i] * t->y[i];
    }
    mx /= sum;
    my /= sum;
    for (int i = 0; i < t->count; i++) {
        sxx += t->weight[i] * (t->x[i] - mx) * (t->x[i] - mx);
        sxy += t->weight[i] * (t->x[i] - mx) * (t->y[i] - my);
    }
    slope = fmax(sxy / (sxx + 1e-12), 0.0);
    for (int i = 0; i < t->count; i++)
        rest += t->weight[i] * pow(t->y[i] - my - slope * (t->x[i] - mx), 2.0);
    worth = sum * sum / squares;
    *mean = my + slope * (x - mx);
    *spread = sqrt(rest / sum * worth / fmax(worth - 2.0, 0.5) * (1.0 + 1.0 / worth) + 1e-4);
}

static void test_running_sums_agree_with_two_passes_in_double(void **state)
{
    static struct twin twin;
    struct habit_calibration calibration;
    uint32_t seed = 4;

    (void)state;
    memset(&calibration, 0, sizeof(calibration));
    memset(&twin, 0, sizeof(twin));
    for (uint32_t count = 3; count < SCORES; count++) {
        const float weight = habit_score_weight(count);
        float y[HABIT_VIEWS] = { 0.3f * noise(&seed) + 2.0f / weight, 0.0f, 0.0f };
        struct habit_prediction p;
        double mean, spread;

        habit_calibration_add(&calibration, y, count);
        if (count < 5)
            continue;
        twin_add(&twin, 1.0 / (double)weight, (double)y[0], (double)weight);
        if (count < 8 || (count > 100 && count % 50 != 0))
            continue;
        p = habit_calibration_predict(&calibration, 0, count);
        twin_predict(&twin, 1.0 / (double)weight, &mean, &spread);
        if (fabs((double)p.mean - mean) > 1e-4 || fabs((double)p.spread - spread) > 2e-4 * spread + 1e-5)
            fail_msg("after %u: %.7g +- %.7g, not %.7g +- %.7g", count, (double)p.mean, (double)p.spread, mean, spread);
    }
}

/* --------------------------------------------------------------------------------------------------- false alarms */

static double false_alarms(unsigned int learned, unsigned int seeds, unsigned int tried)
{
    unsigned int alarms = 0;

    for (uint32_t seed = 1; seed <= seeds; seed++) {
        struct machine m;

        machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, seed * 7919u);
        machine_learn_noise(&m, learned);
        for (unsigned int i = 0; i < tried; i++) {
            machine_noise(&m);
            alarms += machine_detect(&m).similarity < 90;
        }
        machine_deinit(&m);
    }
    return (double)alarms / (double)(seeds * tried);
}

static void test_a_stationary_machine_keeps_quiet(void **state)
{
    const double after_60 = false_alarms(60, 60, 200), after_200 = false_alarms(200, 40, 200);

    (void)state;
    print_message("false alarms: %.4f after 60, %.4f after 200\n", after_60, after_200);
    assert_true(after_60 <= 0.015);
    assert_true(after_200 <= 0.015);
}

/* Gross outliers among the learned neither become normal nor blind the engine. */
static void test_a_few_strange_buffers_among_the_learned_do_no_harm(void **state)
{
    struct machine m;
    unsigned int caught = 0;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 31);
    for (int i = 0; i < 150; i++) {
        machine_noise(&m);
        for (size_t k = 0; i % 40 == 5 && k < m.count; k++)
            m.buffer[k] *= 30.0f;
        machine_learn(&m);
    }
    for (int i = 0; i < 50; i++) {
        machine_noise(&m);
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] *= 2.0f;
        caught += machine_detect(&m).similarity < 90;
    }
    assert_true(caught >= 45);
    machine_deinit(&m);
}

/* --------------------------------------------------------------------------------------------------------- window */

static struct habit_result detect_scaled(struct machine *m, float factor)
{
    machine_noise(m);
    for (size_t k = 0; k < m->count; k++)
        m->buffer[k] *= factor;
    return machine_detect(m);
}

static bool window_alarms(struct machine *m, const struct habit_window *window)
{
    struct habit_average average;

    assert_int_equal(habit_window_result(&m->engine, window, &average), HABIT_OK);
    assert_true((average.similarity < 90) == (average.distance > 1.0f));
    return average.similarity < 90;
}

static struct habit_average window_of_ten(struct machine *m, float factor)
{
    struct habit_window window;
    struct habit_average average;

    assert_int_equal(habit_window_init(&window, 10), HABIT_OK);
    for (int i = 0; i < 10; i++) {
        const struct habit_result result = detect_scaled(m, factor);

        assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
    }
    assert_int_equal(habit_window_result(&m->engine, &window, &average), HABIT_OK);
    return average;
}

static void test_one_strange_buffer_of_ten_never_raises_alone(void **state)
{
    struct machine m;
    struct habit_window window;
    unsigned int raised = 0, raised_without = 0;

    (void)state;
    machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, 37);
    machine_learn_noise(&m, 100);
    for (int i = 0; i < 400; i++) {
        struct habit_window nominal;
        struct habit_result result;

        assert_int_equal(habit_window_init(&window, 10), HABIT_OK);
        for (int k = 0; k < 10; k++) {
            result = detect_scaled(&m, 1.0f);
            assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
        }
        nominal = window;
        raised_without += window_alarms(&m, &nominal);
        result = detect_scaled(&m, 100.0f);
        assert_int_equal(result.similarity, 0);
        assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
        raised += window_alarms(&m, &window) && !window_alarms(&m, &nominal);
    }
    print_message("windows raised: %u of 400 nominal, %u more with one strange buffer\n", raised_without, raised);
    assert_true(raised_without <= 4);
    assert_int_equal(raised, 0);
    machine_deinit(&m);
}

static void test_a_weak_fault_that_lasts_is_caught_by_the_window(void **state)
{
    struct machine m;
    struct habit_window window;
    unsigned int singles = 0, windows = 0;

    (void)state;
    machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, 41);
    machine_learn_noise(&m, 200);
    assert_int_equal(habit_window_init(&window, 10), HABIT_OK);
    for (int i = 0; i < 300; i++) {
        struct habit_result result = detect_scaled(&m, 1.3f);

        singles += result.similarity < 90;
        assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
        if (i >= 10)
            windows += window_alarms(&m, &window);
    }
    print_message("weak fault: caught by %u of 300 single buffers, %u of 290 windows\n", singles, windows);
    assert_true(windows > 3 * singles + 30);
    machine_deinit(&m);
}

/* The window of a machine whose every buffer is gross: above the line however little was learned, and what engine.h says of its
 * range. Of ordinary buffers it stays well below. */
static void test_the_distance_of_a_window_has_a_range(void **state)
{
    static const struct {
        unsigned int learned;
        float least, most;
    } rows[] = {
        { 17, 1.0f, 1.6f }, { 20, 1.0f, 2.0f }, { 60, 2.0f, 4.0f }, { 200, 3.0f, 6.0f }, { 1000, 3.0f, 6.0f }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine m;
        struct habit_average ordinary, gross;

        machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, 53);
        machine_learn_noise(&m, rows[i].learned);
        ordinary = window_of_ten(&m, 1.0f);
        gross = window_of_ten(&m, 100.0f);
        print_message("%4u learned: ordinary %.2f, gross %.2f (%u)\n", rows[i].learned, (double)ordinary.distance,
                      (double)gross.distance, (unsigned int)gross.similarity);
        assert_true(ordinary.distance > 0.0f && ordinary.distance < 0.9f);
        assert_true(gross.distance > rows[i].least && gross.distance < rows[i].most);
        machine_deinit(&m);
    }
}

static void test_a_window_is_not_ready_before_it_is_full(void **state)
{
    struct machine m;
    struct habit_window window;
    struct habit_average average;
    struct habit_result result;

    (void)state;
    machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, 43);
    machine_learn_noise(&m, 30);
    assert_int_equal(habit_window_init(&window, 0), HABIT_ERANGE);
    assert_int_equal(habit_window_init(&window, HABIT_MAX_WINDOW + 1), HABIT_ERANGE);
    for (unsigned int size = 1; size <= 4; size++) {
        assert_int_equal(habit_window_init(&window, size), HABIT_OK);
        for (unsigned int k = 0; k < size; k++) {
            assert_true(habit_window_valid(&window));
            assert_int_equal(habit_window_result(&m.engine, &window, &average), HABIT_ENOTREADY);
            result = detect_scaled(&m, 1.0f);
            assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
        }
        assert_int_equal(habit_window_result(&m.engine, &window, &average), HABIT_OK);
        assert_true(average.distance > 0.0f);
    }
    window.score[0] = NAN;
    assert_false(habit_window_valid(&window));
    window.score[0] = 0.0f;
    window.next = 4;
    assert_false(habit_window_valid(&window));
    assert_int_equal(habit_window_add(&window, &result), HABIT_ERANGE);
    assert_int_equal(habit_window_result(&m.engine, &window, &average), HABIT_ERANGE);
    machine_deinit(&m);
}

/* ----------------------------------------------------------------------------------------------------------- ageing */

/* Counts are halved at 65536: learning goes on past it, the block stays valid and the line stays where it was. */
static void check_years(unsigned int samples, unsigned int axes, enum habit_profile profile)
{
    struct machine m;
    unsigned int alarms = 0;

    machine_init(&m, samples, axes, profile, 47);
    for (int i = 0; i < 70000; i++) {
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] = noise(&m.seed);
        machine_learn(&m);
    }
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
    for (int i = 0; i < 10000; i++) {
        for (size_t k = 0; k < m.count; k++)
            m.buffer[k] = noise(&m.seed);
        alarms += machine_detect(&m).similarity < 90;
    }
    assert_true(alarms <= 200);
    for (size_t k = 0; k < m.count; k++)
        m.buffer[k] = 5.0f + noise(&m.seed);
    assert_true(machine_detect(&m).similarity < 90);
    machine_deinit(&m);
}

/* With all views, without a waveform, and with levels alone. */
static void test_years_of_learning_neither_overflow_nor_freeze(void **state)
{
    (void)state;
    check_years(8, 1, HABIT_PROFILE_DEFAULT);
    check_years(8, 1, HABIT_PROFILE_SMALL);
    check_years(1, 2, HABIT_PROFILE_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_running_sums_agree_with_two_passes_in_double),
        cmocka_unit_test(test_a_stationary_machine_keeps_quiet),
        cmocka_unit_test(test_a_few_strange_buffers_among_the_learned_do_no_harm),
        cmocka_unit_test(test_one_strange_buffer_of_ten_never_raises_alone),
        cmocka_unit_test(test_a_weak_fault_that_lasts_is_caught_by_the_window),
        cmocka_unit_test(test_the_distance_of_a_window_has_a_range),
        cmocka_unit_test(test_a_window_is_not_ready_before_it_is_full),
        cmocka_unit_test(test_years_of_learning_neither_overflow_nor_freeze),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
