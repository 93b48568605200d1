/* The example's strategy, minute by minute: when it learns, detects, judges, and what stops it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "habit/sizes.h"
#include "strategy.h"

enum { SAMPLES = 8, AXES = 1, PROFILE = HABIT_PROFILE_SMALL, COLD = 40, WARM = 60, HOT = 61 };

struct board {
    struct habit_engine engine;
    struct strategy strategy;
    uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, PROFILE) / 4];
    uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, PROFILE) / 4];
    uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, PROFILE) / 4];
    float samples[SAMPLES];
    uint32_t seed;
};

static void read_sensor(struct board *board)
{
    for (int i = 0; i < SAMPLES; i++) {
        board->seed = board->seed * 1664525u + 1013904223u;
        board->samples[i] = (float)(board->seed >> 16) / 65536.0f;
    }
}

/* With an engine that has learned enough to judge windows, and a strategy that has not begun. */
static struct board *start(void)
{
    static struct board board;
    const struct habit_config config = { .buffer_size = SAMPLES, .axes = AXES, .profile = PROFILE, .scale = 1 };
    const struct habit_memory memory = { board.knowledge,     sizeof(board.knowledge), board.cache,
                                         sizeof(board.cache), board.scratch,           sizeof(board.scratch) };

    board.seed = 1;
    assert_int_equal(habit_init(&board.engine, &config, &memory), HABIT_OK);
    for (int i = 0; i < 100; i++) {
        read_sensor(&board);
        assert_int_equal(habit_learn(&board.engine, board.samples, SAMPLES * AXES, NULL), HABIT_OK);
    }
    strategy_start(&board.strategy, &board.engine);
    return &board;
}

/* Ten detections with this score; returns whether they were judged at the tenth, and only there. */
static bool detect_ten(struct strategy *strategy, float score)
{
    const struct habit_result result = { .similarity = 100, .distance = 0.1f, .score = score };

    for (int i = 0; i < STRATEGY_JUDGED - 1; i++)
        assert_false(strategy_detected(strategy, HABIT_OK, &result));
    return strategy_detected(strategy, HABIT_OK, &result);
}

static void test_a_day_is_learned_then_ten_are_detected_an_hour(void **state)
{
    struct strategy *strategy = &start()->strategy;
    uint32_t detections = 0;

    (void)state;
    for (uint32_t minute = 0; minute < STRATEGY_DAY; minute++)
        assert_int_equal(strategy_task(strategy, minute, HOT), STRATEGY_LEARN);
    for (uint32_t minute = STRATEGY_DAY; minute < STRATEGY_DAY + STRATEGY_HOUR; minute++)
        detections += strategy_task(strategy, minute, COLD) == STRATEGY_DETECT;
    assert_int_equal(detections, STRATEGY_JUDGED);
}

static void test_heat_is_learned_once_an_episode(void **state)
{
    struct strategy *strategy = &start()->strategy;
    uint32_t minute = STRATEGY_DAY;

    (void)state;
    assert_int_equal(strategy_task(strategy, minute++, WARM), STRATEGY_DETECT);
    for (int i = 0; i < STRATEGY_HOUR; i++)
        assert_int_equal(strategy_task(strategy, minute++, HOT), STRATEGY_ACCEPT);
    for (int i = 0; i < STRATEGY_HOUR; i++)
        assert_int_not_equal(strategy_task(strategy, minute++, i % 2 ? HOT : STRATEGY_COOL), STRATEGY_ACCEPT);
    assert_int_not_equal(strategy_task(strategy, minute++, COLD), STRATEGY_ACCEPT);
    assert_int_equal(strategy_task(strategy, minute++, HOT), STRATEGY_ACCEPT);
}

static void test_heat_is_not_learned_from_a_machine_that_is_not_fine(void **state)
{
    struct strategy *strategy = &start()->strategy;

    (void)state;
    assert_true(detect_ten(strategy, 30.0f));
    assert_true(strategy->alarm && strategy->similarity < HABIT_THRESHOLD);
    assert_int_not_equal(strategy_task(strategy, STRATEGY_DAY, HOT), STRATEGY_ACCEPT);
    assert_true(detect_ten(strategy, 0.0f));
    assert_false(strategy->alarm);
    assert_int_equal(strategy_task(strategy, STRATEGY_DAY + 1, HOT), STRATEGY_ACCEPT);
}

static void test_errors_are_counted_and_never_judged(void **state)
{
    const struct habit_result strange = { .distance = 100.0f, .score = 30.0f };
    struct strategy *strategy = &start()->strategy;

    (void)state;
    for (int i = 0; i < 2 * STRATEGY_JUDGED; i++)
        assert_false(strategy_detected(strategy, HABIT_EVALUE, &strange));
    strategy_learned(strategy, HABIT_ECONSTANT);
    assert_int_equal(strategy->report.errors, 2 * STRATEGY_JUDGED + 1);
    assert_int_equal(strategy->report.detected + strategy->report.learned, 0);
    assert_true(detect_ten(strategy, 0.0f));
}

static void test_a_report_is_of_one_day(void **state)
{
    struct strategy *strategy = &start()->strategy;
    struct strategy_report report;

    (void)state;
    strategy_learned(strategy, HABIT_OK);
    assert_false(strategy_day_ends(strategy, STRATEGY_DAY - 2, &report));
    assert_true(strategy_day_ends(strategy, STRATEGY_DAY - 1, &report));
    assert_true(report.day == 0 && report.learned == 1 && report.hours == 0 && report.lowest == 100);
    assert_true(detect_ten(strategy, 30.0f) && detect_ten(strategy, 0.0f));
    assert_true(strategy_day_ends(strategy, 2 * STRATEGY_DAY - 1, &report));
    assert_true(report.day == 1 && report.learned == 0 && report.detected == 20);
    assert_true(report.hours == 2 && report.anomalies == 1 && report.lowest < HABIT_THRESHOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_is_learned_then_ten_are_detected_an_hour),
        cmocka_unit_test(test_heat_is_learned_once_an_episode),
        cmocka_unit_test(test_heat_is_not_learned_from_a_machine_that_is_not_fine),
        cmocka_unit_test(test_errors_are_counted_and_never_judged),
        cmocka_unit_test(test_a_report_is_of_one_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
