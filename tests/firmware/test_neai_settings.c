/* A library that was compiled for a scale that is none: every call says so, as firmware/MIGRATION.md has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "habit/neai.h"

static void test_a_setting_that_is_not_valid_is_said_by_every_call(void **state)
{
    static float buffer[BUFFER_SIZE * NB_AXES], knowledge[HABIT_NEAI_SIZE / 4];
    uint8_t similarity = 77;
    int status;

    (void)state;
    assert_int_equal(neai_anomalydetection_init(), NEAI_KNOWLEDGE_BUFFER_ERROR);
    assert_int_equal(habit_neai_cause(&status), HABIT_NEAI_KNOWLEDGE);
    assert_int_equal(status, HABIT_ECONFIG);
    assert_int_equal(neai_anomalydetection_knowledge(knowledge), NEAI_KNOWLEDGE_BUFFER_ERROR);
    assert_int_equal(habit_neai_cause(&status), HABIT_NEAI_KNOWLEDGE);
    assert_int_equal(status, HABIT_ECONFIG);
    assert_int_equal(neai_anomalydetection_learn(buffer), NEAI_INIT_FCT_NOT_CALLED);
    assert_int_equal(neai_anomalydetection_detect(buffer, &similarity), NEAI_INIT_FCT_NOT_CALLED);
    assert_int_equal(similarity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_setting_that_is_not_valid_is_said_by_every_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
