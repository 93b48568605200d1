/* The interface of generation 2 in every case in which it does not answer with a score, and knowledge that is copied in and
 * out. Compiled twice: with errors as numbers of their own, and as 0. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "habit/neai.h"

#include "neai_machine.h"

enum { VALUES = BUFFER_SIZE * NB_AXES };

/* What detect answers instead of a score. */
#define ERROR(code) (NEAI_ERRORS_AS_ZERO ? 0 : (code))

static float buffer[VALUES];
static uint8_t saved[HABIT_NEAI_SIZE];
static bool authorised = true;

bool habit_neai_authorised(void)
{
    return authorised;
}

static void fill(bool faulty)
{
    machine_fill(buffer, BUFFER_SIZE, NB_AXES, faulty);
}

static void learn(unsigned int buffers)
{
    for (unsigned int i = 0; i < buffers; i++) {
        fill(false);
        assert_int_equal(NanoEdgeAI_learn(buffer), 1);
    }
}

/* The memory of section .neai. */
static uint8_t *section(void)
{
    return habit_neai_engine()->memory.knowledge;
}

static enum habit_neai_cause cause(void)
{
    return habit_neai_cause(NULL);
}

/* First of all tests: nothing was initialised yet. */
static void test_nothing_is_learned_or_judged_before_initialize(void **state)
{
    (void)state;
    fill(false);
    assert_int_equal(NanoEdgeAI_get_status(), 0);
    assert_int_equal(NanoEdgeAI_learn(buffer), 0);
    assert_int_equal(cause(), HABIT_NEAI_UNINITIALISED);
    assert_int_equal(NanoEdgeAI_detect(buffer), ERROR(124));
    assert_int_equal(cause(), HABIT_NEAI_UNINITIALISED);
    assert_true(NanoEdgeAI_get_sensitivity() == 1.0f);
    assert_int_equal(habit_neai_dump(saved, sizeof(saved)), 0);
    assert_null(habit_neai_engine());
}

/* What is refused leaves it as it was; what is taken needs no initialize. */
static void test_knowledge_is_loaded_before_initialize(void **state)
{
    static uint32_t knowledge[HABIT_NEAI_SIZE / 4], cache[4096], scratch[8192];
    const struct habit_config config = {
        .buffer_size = BUFFER_SIZE, .axes = NB_AXES, .profile = NEAI_PROFILE, .scale = 1
    };
    const struct habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };
    struct habit_engine engine;
    struct habit_result native;

    (void)state;
    assert_int_equal(habit_init(&engine, &config, &memory), HABIT_OK);
    for (int i = 0; i < 30; i++) {
        fill(false);
        assert_int_equal(habit_learn(&engine, buffer, VALUES, NULL), HABIT_OK);
    }
    assert_int_equal(habit_neai_load(knowledge, sizeof(knowledge)), HABIT_NEAI_KNOWLEDGE); /* not sealed */
    assert_int_equal(habit_seal(&engine), HABIT_OK);
    assert_int_equal(NanoEdgeAI_detect(buffer), ERROR(124));
    assert_int_equal(cause(), HABIT_NEAI_UNINITIALISED);
    assert_int_equal(habit_neai_load(knowledge, sizeof(knowledge)), HABIT_NEAI_DONE);
    fill(true);
    assert_int_equal(habit_detect(&engine, buffer, VALUES, &native), HABIT_OK);
    assert_int_equal(NanoEdgeAI_detect(buffer), native.similarity);
    assert_true(habit_neai_result()->distance == native.distance);
    fill(false);
    assert_int_equal(habit_learn(&engine, buffer, VALUES, NULL), HABIT_OK);
    assert_int_equal(habit_seal(&engine), HABIT_OK);
    assert_int_equal(NanoEdgeAI_learn(buffer), 1);
    assert_memory_equal(section(), knowledge, sizeof(knowledge)); /* the native engine's block, byte for byte */
}

static void test_not_ready_until_enough_is_learned(void **state)
{
    int needed = 0;

    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    fill(true);
    assert_int_equal(NanoEdgeAI_detect(buffer), ERROR(124));
    assert_int_equal(cause(), HABIT_NEAI_LEARNING);
    for (; cause() != HABIT_NEAI_DONE; needed++) {
        learn(1);
        fill(false);
        (void)NanoEdgeAI_detect(buffer);
    }
    assert_in_range(needed, 8, 10);
}

static void test_bad_input_is_refused_and_changes_nothing(void **state)
{
    static const float bad[] = { NAN, INFINITY, -INFINITY, 1e16f, -3e38f };

    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    learn(20);
    assert_int_equal(habit_neai_dump(saved, sizeof(saved)), sizeof(saved));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (size_t at = 0; at < VALUES; at += VALUES - 1) {
            fill(false);
            buffer[at] = bad[i];
            assert_int_equal(NanoEdgeAI_learn(buffer), 0);
            assert_int_equal(cause(), HABIT_NEAI_INPUT);
            assert_int_equal(NanoEdgeAI_detect(buffer), ERROR(125));
            assert_int_equal(cause(), HABIT_NEAI_INPUT);
        }
    assert_int_equal(NanoEdgeAI_learn(NULL), 0);
    assert_int_equal(NanoEdgeAI_detect(NULL), ERROR(125));
    memset(buffer, 0, sizeof(buffer));
    assert_int_equal(NanoEdgeAI_learn(buffer), 0); /* a dead sensor is not learned */
    assert_memory_equal(section(), saved, sizeof(saved));
    fill(false);
    assert_true(NEAI_IS_SCORE(NanoEdgeAI_detect(buffer)));
}

static void test_every_change_leaves_a_sealed_block(void **state)
{
    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    assert_int_equal(habit_check(section(), HABIT_NEAI_SIZE, NULL), HABIT_OK);
    for (int i = 0; i < 70; i++) {
        learn(1);
        assert_int_equal(habit_check(section(), HABIT_NEAI_SIZE, NULL), HABIT_OK);
    }
    NanoEdgeAI_set_sensitivity(1.1f);
    assert_int_equal(habit_check(section(), HABIT_NEAI_SIZE, NULL), HABIT_OK);
}

/* The documentation's own way: the program copies the bytes of the section. */
static void test_the_section_is_copied_out_and_back(void **state)
{
    static float faulty[VALUES];
    uint8_t before;

    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    learn(12);
    NanoEdgeAI_set_sensitivity(0.3f);
    machine_fill(faulty, BUFFER_SIZE, NB_AXES, true);
    before = NanoEdgeAI_detect(faulty);
    memcpy(saved, section(), sizeof(saved));
    learn(5);
    assert_int_not_equal(NanoEdgeAI_detect(faulty), before);
    memcpy(section(), saved, sizeof(saved)); /* over later knowledge */
    assert_int_equal(NanoEdgeAI_detect(faulty), before);
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    assert_int_equal(NanoEdgeAI_detect(faulty), ERROR(124));
    memcpy(section(), saved, sizeof(saved)); /* over none */
    assert_int_equal(NanoEdgeAI_detect(faulty), before);
    assert_true(NanoEdgeAI_get_sensitivity() == 0.3f);
    learn(1);
}

static void test_other_bytes_in_the_section_are_no_knowledge(void **state)
{
    uint8_t *const knowledge = section();

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        assert_int_equal(NanoEdgeAI_initialize(), 0);
        learn(20);
        memcpy(saved, knowledge, sizeof(saved));
        if (kind < 2)
            memset(knowledge, kind == 0 ? 0xff : 0, HABIT_NEAI_SIZE); /* an erased page, a cleared one */
        else
            memset(knowledge + (kind == 2 ? 0 : HABIT_NEAI_SIZE / 2), 0x5a, HABIT_NEAI_SIZE / 2); /* torn */
        knowledge[20] ^= 1; /* a copy has the stamp of its own time */
        fill(false);
        assert_int_equal(NanoEdgeAI_detect(buffer), ERROR(124));
        assert_int_equal(cause(), HABIT_NEAI_KNOWLEDGE);
        assert_int_equal(NanoEdgeAI_learn(buffer), 0);
        assert_true(NanoEdgeAI_get_sensitivity() == 1.0f);
        assert_int_equal(habit_neai_dump(saved, sizeof(saved)), 0);
    }
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    learn(20);
    assert_true(NEAI_IS_SCORE(NanoEdgeAI_detect(buffer)));
}

static void test_dump_and_load_look_at_sizes_and_content(void **state)
{
    static uint8_t page[HABIT_NEAI_SIZE + 500];
    int status;

    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    learn(30);
    assert_int_equal(habit_neai_dump(page, HABIT_NEAI_SIZE - 1), 0);
    assert_int_equal(cause(), HABIT_NEAI_INPUT);
    assert_int_equal(habit_neai_dump(page, sizeof(page)), HABIT_NEAI_SIZE);
    assert_int_equal(cause(), HABIT_NEAI_DONE);
    assert_int_equal(habit_neai_dump(NULL, sizeof(page)), 0);
    assert_int_equal(cause(), HABIT_NEAI_INPUT);
    learn(1);
    assert_int_equal(habit_neai_load(page, HABIT_NEAI_SIZE - 1), HABIT_NEAI_KNOWLEDGE);
    assert_int_equal(habit_neai_load(NULL, sizeof(page)), HABIT_NEAI_INPUT);
    page[HABIT_NEAI_SIZE - 1] ^= 1;
    assert_int_equal(habit_neai_load(page, sizeof(page)), HABIT_NEAI_KNOWLEDGE);
    assert_int_equal(habit_neai_cause(&status), HABIT_NEAI_KNOWLEDGE);
    assert_int_equal(status, HABIT_ECRC);
    assert_memory_not_equal(section(), page, HABIT_NEAI_SIZE);
    page[HABIT_NEAI_SIZE - 1] ^= 1;
    assert_int_equal(habit_neai_load(page, sizeof(page)), HABIT_NEAI_DONE);
    assert_memory_equal(section(), page, HABIT_NEAI_SIZE);
}

static void test_sensitivity(void **state)
{
    static const float refused[] = { 0.0f, -1.0f, 100.1f, NAN, INFINITY };

    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    assert_true(NanoEdgeAI_get_sensitivity() == 1.0f);
    NanoEdgeAI_set_sensitivity(0.1f);
    assert_true(NanoEdgeAI_get_sensitivity() == 0.1f);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        NanoEdgeAI_set_sensitivity(refused[i]);
        assert_int_equal(cause(), HABIT_NEAI_INPUT);
        assert_true(NanoEdgeAI_get_sensitivity() == 0.1f);
    }
    NanoEdgeAI_set_sensitivity(100.0f);
    assert_true(NanoEdgeAI_get_sensitivity() == 100.0f);
}

static void test_a_board_that_is_not_authorised(void **state)
{
    (void)state;
    assert_int_equal(NanoEdgeAI_initialize(), 0);
    learn(20);
    assert_int_equal(habit_neai_dump(saved, sizeof(saved)), sizeof(saved));
    authorised = false;
    assert_int_equal(NanoEdgeAI_initialize(), 123);
    assert_int_equal(NanoEdgeAI_get_status(), 123);
    assert_int_equal(NanoEdgeAI_learn(buffer), 0);
    assert_int_equal(NanoEdgeAI_detect(buffer), ERROR(123));
    assert_int_equal(habit_neai_load(saved, sizeof(saved)), HABIT_NEAI_BOARD);
    assert_int_equal(habit_neai_dump(saved, sizeof(saved)), 0);
    assert_null(habit_neai_engine());
    authorised = true;
    assert_memory_equal(section(), saved, sizeof(saved));
}

/* The table of firmware/MIGRATION.md: with these sensitivities the calibrated line, distance 1, is where old code compares. */
static void test_sensitivities_for_other_thresholds(void **state)
{
    static const struct {
        uint8_t threshold;
        float sensitivity;
    } rows[] = { { 90, 1.0f }, { 80, 1.46f }, { 70, 1.84f }, { 50, 2.56f }, { 100, 0.22f } };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint8_t threshold = rows[i].threshold;
        const float line = rows[i].sensitivity; /* at sensitivity 1 the same number is the distance of the threshold */

        assert_true(habit_similarity(0.98f, rows[i].sensitivity) >= threshold);
        assert_true(habit_similarity(1.02f, rows[i].sensitivity) < threshold);
        assert_true(habit_similarity(0.98f * line, 1.0f) >= threshold);
        assert_true(habit_similarity(1.02f * line, 1.0f) < threshold);
    }
}

static void test_what_is_a_score(void **state)
{
    (void)state;
    for (int x = 0; x <= 255; x++)
        assert_int_equal(NEAI_IS_SCORE((uint8_t)x), x <= 100);
    assert_int_equal(AXIS_NUMBER, NB_AXES);
    assert_int_equal(DATA_INPUT_USER, BUFFER_SIZE);
    assert_true(sizeof(NEAI_ID) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_learned_or_judged_before_initialize),
        cmocka_unit_test(test_knowledge_is_loaded_before_initialize),
        cmocka_unit_test(test_not_ready_until_enough_is_learned),
        cmocka_unit_test(test_bad_input_is_refused_and_changes_nothing),
        cmocka_unit_test(test_every_change_leaves_a_sealed_block),
        cmocka_unit_test(test_the_section_is_copied_out_and_back),
        cmocka_unit_test(test_other_bytes_in_the_section_are_no_knowledge),
        cmocka_unit_test(test_dump_and_load_look_at_sizes_and_content),
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_a_board_that_is_not_authorised),
        cmocka_unit_test(test_sensitivities_for_other_thresholds),
        cmocka_unit_test(test_what_is_a_score),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
