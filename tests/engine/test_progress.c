/* What learning says of itself: how settled it is, what is missing, how many states there are, and its own false alarms. */
#include "machine.h"

#include <math.h>

#include "knowledge.h"
#include "models.h"

/* Noise with this gain and, on axis 0, this level. */
static void learn(struct machine *m, unsigned int n, float gain, float level)
{
    for (unsigned int i = 0; i < n; i++) {
        machine_noise(m);
        for (size_t k = 0; k < m->count; k++)
            m->buffer[k] = gain * m->buffer[k] + (k % m->config.axes == 0 ? level : 0.0f);
        machine_learn(m);
    }
}

static struct habit_progress progress_of(struct machine *m)
{
    struct habit_progress progress;

    assert_int_equal(habit_status(&m->engine, &progress), HABIT_OK);
    return progress;
}

static float drift_of(struct machine *m)
{
    float drift;

    assert_int_equal(habit_drift(&m->engine, &drift), HABIT_OK);
    return drift;
}

static void assert_missing(struct machine *m, enum habit_missing missing)
{
    const struct habit_progress progress = progress_of(m);
    const bool held = missing == HABIT_MISSING_REST || missing == HABIT_MISSING_STATE;

    assert_int_equal(progress.missing, missing);
    assert_true(progress.settled == fminf((float)progress.learned / 60.0f, held ? 0.5f : 1.0f));
}

static void test_a_machine_that_stays_settles(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 3);
    assert_int_equal(progress_of(&m).states, 0);
    learn(&m, 30, 1.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_MORE);
    learn(&m, 30, 1.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    learn(&m, 500, 1.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    assert_int_equal(progress_of(&m).states, 1);
    assert_int_equal(progress_of(&m).rare, 0);
    machine_deinit(&m);
}

static void test_a_level_that_moves_is_still_changing(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 4);
    for (int i = 0; i < 100; i++)
        learn(&m, 1, 1.0f, 0.01f * (float)i); /* the mean of 64 scatters by 0.125 */
    assert_missing(&m, HABIT_MISSING_REST);
    learn(&m, 1500, 1.0f, 1.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    machine_deinit(&m);
}

static void test_one_sensor_value_that_moves_is_still_changing(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 1, 3, HABIT_PROFILE_DEFAULT, 5);
    for (int i = 0; i < 100; i++)
        learn(&m, 1, 1.0f, 0.1f * (float)i);
    assert_missing(&m, HABIT_MISSING_REST);
    assert_int_equal(progress_of(&m).states, 1);
    machine_deinit(&m);
}

static void test_a_change_of_state_is_said_at_once(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 6);
    learn(&m, 100, 1.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    learn(&m, 3, 3.0f, 0.0f);
    assert_true(progress_of(&m).settled == 0.5f);
    assert_true(progress_of(&m).false_alarms > 0.015f);
    learn(&m, 100, 3.0f, 0.0f);
    assert_int_equal(progress_of(&m).states, 2);
    learn(&m, 200, 3.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    machine_deinit(&m);
}

/* With one mode there is no state that could explain it. */
static void test_a_run_of_strange_buffers_is_still_changing(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_SMALL, 11);
    learn(&m, 100, 1.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    learn(&m, 3, 3.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_REST);
    learn(&m, 300, 1.0f, 0.0f);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    machine_deinit(&m);
}

/* Whatever modes merge: each buffer was seen once. */
static void test_every_buffer_is_seen_by_one_mode(void **state)
{
    struct machine m;
    struct habit_layout layout;
    struct habit_modes_parts modes;
    const struct habit_ledger *ledger;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 12);
    assert_true(habit_layout_make(&layout, &m.config));
    ledger = (const struct habit_ledger *)(habit_header(&m.engine) + 1);
    modes =
        habit_modes_open((uint32_t *)m.memory.knowledge + layout.model[HABIT_SPECTRUM], &layout.view[HABIT_SPECTRUM]);
    for (int i = 0; i < 20; i++) {
        float seen = 0.0f;

        learn(&m, 10, i % 3 == 0 ? 2.0f : 1.0f, 0.0f);
        for (uint32_t k = 0; k < modes.model->used; k++)
            seen += modes.seen[k];
        assert_true(seen == (float)ledger->count);
    }
    machine_deinit(&m);
}

static void test_a_state_that_comes_rarely_is_counted(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 7);
    for (unsigned int time = 1; time <= 4; time++) {
        learn(&m, 40, 1.0f, 0.0f);
        learn(&m, 1, 4.0f, 0.0f);
        learn(&m, 9, 1.0f, 0.0f);
        assert_int_equal(progress_of(&m).rare, time < 3 ? 0 : time); /* one or two are odd ones */
    }
    assert_missing(&m, HABIT_MISSING_STATE);
    assert_int_equal(progress_of(&m).states, 1);
    learn(&m, 1000, 1.0f, 0.0f); /* rarer than the false alarms that are promised */
    assert_int_equal(progress_of(&m).rare, 0);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    machine_deinit(&m);
}

/* Of two such states the one that was seen less often is told, whichever came first. */
static void test_the_rarest_state_is_told(void **state)
{
    static const float gains[] = { 20.0f, 0.05f };

    (void)state;
    for (int first = 0; first < 2; first++) {
        struct machine m;

        machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 13);
        learn(&m, 150, 1.0f, 0.0f);
        for (int i = 0; i < 6; i++) {
            if (i % 2 == 0)
                learn(&m, 1, gains[first], 0.0f);
            learn(&m, 5, 1.0f, 0.0f);
            if (i < 4)
                learn(&m, 1, gains[1 - first], 0.0f);
            learn(&m, 5, 1.0f, 0.0f);
        }
        assert_int_equal(progress_of(&m).rare, 3);
        assert_missing(&m, HABIT_MISSING_STATE);
        machine_deinit(&m);
    }
}

static void test_the_estimate_is_what_is_usual_until_more_is_known(void **state)
{
    struct machine m;
    struct habit_progress progress;
    float before;

    (void)state;
    machine_init(&m, 64, 3, HABIT_PROFILE_DEFAULT, 8);
    progress = progress_of(&m);
    assert_true(fabsf(progress.false_alarms - 0.01f) < 1e-6f && progress.extrapolated);
    learn(&m, 60, 1.0f, 0.0f);
    before = progress_of(&m).false_alarms;
    assert_true(before > 0.005f && before < 0.05f);
    learn(&m, 1, 20.0f, 0.0f); /* one alarm more, of about 50 scores and what is usual */
    progress = progress_of(&m);
    assert_true(progress.false_alarms > before + 0.005f && progress.false_alarms < before + 0.008f);
    learn(&m, 1000, 1.0f, 0.0f);
    progress = progress_of(&m);
    assert_true(progress.false_alarms > 0.001f && progress.false_alarms < 0.02f && !progress.extrapolated);
    machine_deinit(&m);
}

/* Five buffers of a state that is far away. */
static void accept_far(struct machine *m, float gain, float level)
{
    float *buffers = test_malloc(5 * m->count * sizeof(float));

    for (size_t i = 0; i < 5 * m->count; i++)
        buffers[i] = gain * noise_normal(&m->seed) + level;
    assert_int_equal(habit_accept(&m->engine, buffers, 5), HABIT_OK);
    test_free(buffers);
}

static void test_what_is_accepted_is_no_drift(void **state)
{
    struct machine m;
    float before;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 9);
    learn(&m, 60, 1.0f, 0.0f);
    assert_true(drift_of(&m) == 0.0f);
    learn(&m, 100, 1.0f, 0.0f);
    before = drift_of(&m);
    assert_true(before > 0.0f && before < 0.6f);
    accept_far(&m, 10.0f, 50.0f);
    assert_true(drift_of(&m) < before + 0.05f);
    assert_int_equal(progress_of(&m).states, 2);
    assert_missing(&m, HABIT_MISSING_NOTHING);
    learn(&m, 50, 10.0f, 50.0f); /* it comes often: the levels' mean is between the two now */
    assert_true(drift_of(&m) < 1.0f);
    learn(&m, 200, 1.0f, -50.0f); /* the other way nothing was accepted */
    assert_true(drift_of(&m) > 2.0f);
    machine_deinit(&m);
}

static void test_a_state_that_was_only_learned_is_drift(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 64, 2, HABIT_PROFILE_DEFAULT, 10);
    learn(&m, 160, 1.0f, 0.0f);
    assert_true(drift_of(&m) < 1.0f);
    learn(&m, 50, 10.0f, 0.0f);
    assert_true(drift_of(&m) > 2.0f);
    machine_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_machine_that_stays_settles),
        cmocka_unit_test(test_a_level_that_moves_is_still_changing),
        cmocka_unit_test(test_one_sensor_value_that_moves_is_still_changing),
        cmocka_unit_test(test_a_change_of_state_is_said_at_once),
        cmocka_unit_test(test_a_run_of_strange_buffers_is_still_changing),
        cmocka_unit_test(test_every_buffer_is_seen_by_one_mode),
        cmocka_unit_test(test_a_state_that_comes_rarely_is_counted),
        cmocka_unit_test(test_the_rarest_state_is_told),
        cmocka_unit_test(test_the_estimate_is_what_is_usual_until_more_is_known),
        cmocka_unit_test(test_what_is_accepted_is_no_drift),
        cmocka_unit_test(test_a_state_that_was_only_learned_is_drift),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
