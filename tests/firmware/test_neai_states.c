/* The states of generations 3 and 51: one table of both, and what they have in common. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "habit/neai.h"

#include "neai_machine.h"

enum { VALUES = BUFFER_SIZE * NB_AXES };

#if NEAI_GENERATION == 3
enum {
    UNINITIALISED = NEAI_INIT_FCT_NOT_CALLED,
    BOARD = NEAI_BOARD_ERROR,
    KNOWLEDGE = NEAI_KNOWLEDGE_BUFFER_ERROR,
    INPUT = NEAI_UNKNOWN_ERROR,
    LEARNED = NEAI_NOT_ENOUGH_CALL_TO_LEARNING,
    LEARNED_ENOUGH = NEAI_MINIMAL_RECOMMENDED_LEARNING_DONE,
    NOT_READY = NEAI_NOT_ENOUGH_CALL_TO_LEARNING
};

static enum neai_state start(void)
{
    return neai_anomalydetection_init();
}
#else
enum {
    UNINITIALISED = NEAI_NOT_INITIALIZED,
    BOARD = NEAI_ERROR,
    KNOWLEDGE = NEAI_ERROR,
    INPUT = NEAI_INVALID_PARAM,
    LEARNED = NEAI_LEARNING_IN_PROGRESS,
    LEARNED_ENOUGH = NEAI_LEARNING_DONE,
    NOT_READY = NEAI_LEARNING_IN_PROGRESS
};

static enum neai_state start(void)
{
    return neai_anomalydetection_init(false);
}
#endif

static float buffer[VALUES];
static uint32_t saved[HABIT_NEAI_SIZE / 4];
static const void *pretrained;
static bool authorised = true;

bool habit_neai_authorised(void)
{
    return authorised;
}

const void *habit_neai_pretrained(void)
{
    return pretrained;
}

static void fill(bool faulty)
{
    machine_fill(buffer, BUFFER_SIZE, NB_AXES, faulty);
}

/* Where it is not NEAI_OK the score is 0, whatever was there. */
static int detect(uint8_t *similarity)
{
    int state;

    *similarity = 77;
    state = (int)neai_anomalydetection_detect(buffer, similarity);
    if (state != NEAI_OK)
        assert_int_equal(*similarity, 0);
    return state;
}

static void test_numbers(void **state)
{
    (void)state;
#if NEAI_GENERATION == 3
    assert_int_equal(NEAI_OK, 0);
    assert_int_equal(NEAI_INIT_FCT_NOT_CALLED, 123);
    assert_int_equal(NEAI_BOARD_ERROR, 124);
    assert_int_equal(NEAI_KNOWLEDGE_BUFFER_ERROR, 125);
    assert_int_equal(NEAI_NOT_ENOUGH_CALL_TO_LEARNING, 126);
    assert_int_equal(NEAI_MINIMAL_RECOMMENDED_LEARNING_DONE, 127);
    assert_int_equal(NEAI_UNKNOWN_ERROR, 128);
    assert_int_equal(NEAI_COMPILER_ERROR, 129);
#else
    assert_int_equal(NEAI_OK, 0);
    assert_int_equal(NEAI_ERROR, 1);
    assert_int_equal(NEAI_NOT_INITIALIZED, 2);
    assert_int_equal(NEAI_INVALID_PARAM, 3);
    assert_int_equal(NEAI_NOT_SUPPORTED, 4);
    assert_int_equal(NEAI_LEARNING_DONE, 5);
    assert_int_equal(NEAI_LEARNING_IN_PROGRESS, 6);
#endif
}

static void test_nothing_works_before_init(void **state)
{
    uint8_t similarity;

    (void)state;
    fill(false);
    assert_int_equal(neai_anomalydetection_learn(buffer), UNINITIALISED);
    assert_int_equal(detect(&similarity), UNINITIALISED);
}

static void test_learn_says_when_the_minimum_is_done(void **state)
{
    uint8_t similarity;
    int ready = 0;

    (void)state;
    assert_int_equal(start(), NEAI_OK);
    fill(false);
    assert_int_equal(detect(&similarity), NOT_READY);
    for (int learned = 1; learned <= MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING + 5; learned++) {
        const int wanted = learned < MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING ? LEARNED : LEARNED_ENOUGH;

        fill(false);
        assert_int_equal(neai_anomalydetection_learn(buffer), wanted);
        if (ready == 0 && detect(&similarity) == NEAI_OK)
            ready = learned;
        assert_int_equal(habit_check(habit_neai_engine()->memory.knowledge, HABIT_NEAI_SIZE, NULL), HABIT_OK);
    }
    assert_in_range(ready, 8, 10);
    fill(true);
    assert_int_equal(detect(&similarity), NEAI_OK);
    assert_true(similarity < 90);
}

static void test_bad_input(void **state)
{
    uint8_t similarity;

    (void)state;
    fill(false);
    buffer[VALUES - 1] = NAN;
    assert_int_equal(neai_anomalydetection_learn(buffer), INPUT);
    assert_int_equal(detect(&similarity), INPUT);
    fill(false);
    assert_int_equal(neai_anomalydetection_detect(buffer, NULL), INPUT);
    assert_int_equal(neai_anomalydetection_learn(NULL), INPUT);
    memset(buffer, 0, sizeof(buffer));
    assert_int_equal(neai_anomalydetection_learn(buffer), INPUT);
}

static void test_a_board_that_is_not_authorised(void **state)
{
    uint8_t similarity;

    (void)state;
    authorised = false;
    fill(false);
    assert_int_equal(start(), BOARD);
    assert_int_equal(neai_anomalydetection_learn(buffer), BOARD);
    assert_int_equal(detect(&similarity), BOARD);
    authorised = true;
    assert_int_equal(detect(&similarity), NEAI_OK); /* nothing was lost */
}

static void test_knowledge_that_was_damaged(void **state)
{
    uint8_t similarity;
    uint8_t *const section = habit_neai_engine()->memory.knowledge;

    (void)state;
    assert_int_equal(habit_neai_dump(saved, sizeof(saved)), sizeof(saved));
    memset(section, 0xff, HABIT_NEAI_SIZE);
    fill(false);
    assert_int_equal(neai_anomalydetection_learn(buffer), KNOWLEDGE);
    assert_int_equal(detect(&similarity), KNOWLEDGE);
    memcpy(section, saved, sizeof(saved));
    assert_int_equal(detect(&similarity), NEAI_OK);
}

#if NEAI_GENERATION == 3
static void test_knowledge_from_an_array(void **state)
{
    uint8_t similarity;

    (void)state;
    assert_int_equal(neai_anomalydetection_init(), NEAI_OK);
    assert_int_equal(neai_anomalydetection_knowledge((const float *)(const void *)saved), NEAI_OK);
    fill(true);
    assert_int_equal(detect(&similarity), NEAI_OK);
    assert_true(similarity < 90);
    saved[100] ^= 1;
    assert_int_equal(neai_anomalydetection_knowledge((const float *)(const void *)saved), KNOWLEDGE);
    assert_int_equal(detect(&similarity), NEAI_OK);
    assert_int_equal(habit_neai_cause(NULL), HABIT_NEAI_DONE);
    assert_int_equal(neai_anomalydetection_knowledge(NULL), KNOWLEDGE);
    assert_int_equal(habit_neai_cause(NULL), HABIT_NEAI_KNOWLEDGE);
    assert_int_equal(detect(&similarity), NEAI_OK);
    assert_int_equal(neai_anomalydetection_set_sensitivity(0.0f), INPUT);
    assert_true(neai_anomalydetection_get_sensitivity() == 1.0f);
}
#else
static void test_pretrained_knowledge(void **state)
{
    uint8_t similarity;

    (void)state;
    assert_int_equal(neai_anomalydetection_init(true), NEAI_NOT_SUPPORTED);
    assert_int_equal(detect(&similarity), NEAI_OK); /* and nothing was lost */
    assert_int_equal(neai_anomalydetection_init(false), NEAI_OK);
    pretrained = saved;
    assert_int_equal(neai_anomalydetection_init(true), NEAI_OK);
    fill(true);
    assert_int_equal(detect(&similarity), NEAI_OK);
    assert_true(similarity < 90);
    saved[100] ^= 1;
    assert_int_equal(neai_anomalydetection_init(true), NEAI_ERROR);
    assert_int_equal(detect(&similarity), NEAI_OK);
    assert_string_equal(neai_get_id(), NEAI_ID);
    assert_int_equal(neai_get_axis_number(), NB_AXES);
    assert_int_equal(neai_get_input_signal_size(), BUFFER_SIZE);
}
#endif

/* In this order: the first needs a start, and each goes on from the one before. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_nothing_works_before_init),
        cmocka_unit_test(test_learn_says_when_the_minimum_is_done),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_a_board_that_is_not_authorised),
        cmocka_unit_test(test_knowledge_that_was_damaged),
#if NEAI_GENERATION == 3
        cmocka_unit_test(test_knowledge_from_an_array),
#else
        cmocka_unit_test(test_pretrained_knowledge),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
