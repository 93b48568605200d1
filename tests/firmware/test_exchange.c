/* Knowledge from elsewhere is taken, or refused in words that name both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "habit/exchange.h"
#include "habit/sizes.h"
#include "line.h"

enum { SAMPLES = 32, AXES = 2, LEARNED = 12 };
#define SIZE HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, HABIT_PROFILE_DEFAULT)

static const struct habit_config usual = {
    .buffer_size = SAMPLES, .axes = AXES, .profile = HABIT_PROFILE_DEFAULT, .sampling_hz = 1600, .scale = 1, .unit = "g"
};

struct board {
    struct habit_engine engine;
    uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(64, 3, HABIT_PROFILE_LARGE) / 4];
    uint32_t cache[HABIT_CACHE_SIZE(64, 3, HABIT_PROFILE_LARGE) / 4];
    uint32_t scratch[HABIT_SCRATCH_SIZE(64, 3, HABIT_PROFILE_LARGE) / 4];
};

static void start(struct board *board, const struct habit_config *config)
{
    const struct habit_memory memory = { board->knowledge,     sizeof(board->knowledge), board->cache,
                                         sizeof(board->cache), board->scratch,           sizeof(board->scratch) };

    assert_int_equal(habit_init(&board->engine, config, &memory), HABIT_OK);
}

/* A sealed block in a larger memory that is full of 0xff else. */
static void make_block(uint8_t memory[SIZE + 64])
{
    static struct board board;
    float buffer[SAMPLES * AXES];
    uint32_t seed = 1;

    start(&board, &usual);
    for (int n = 0; n < LEARNED; n++) {
        for (int i = 0; i < SAMPLES * AXES; i++) {
            seed = seed * 1664525u + 1013904223u;
            buffer[i] = (float)(seed >> 16) / 65536.0f;
        }
        assert_int_equal(habit_learn(&board.engine, buffer, SAMPLES * AXES, NULL), HABIT_OK);
    }
    assert_int_equal(habit_seal(&board.engine), HABIT_OK);
    memset(memory, 0xff, SIZE + 64);
    memcpy(memory, board.knowledge, SIZE);
}

static void test_a_block_is_loaded_from_a_longer_memory(void **state)
{
    static struct board board;
    uint8_t memory[SIZE + 64];
    char why[HABIT_EXCHANGE_TEXT], expected[HABIT_EXCHANGE_TEXT];

    (void)state;
    make_block(memory);
    start(&board, &usual);
    assert_int_equal(habit_exchange_load(&board.engine, memory, sizeof(memory), why), HABIT_OK);
    snprintf(expected, sizeof(expected), "loaded: 12 buffers learned, %u bytes", (unsigned int)SIZE);
    assert_string_equal(why, expected);
    assert_memory_equal(board.knowledge, memory, SIZE);
}

static void check_refusal(const struct habit_config *config, const char *expected)
{
    static struct board board;
    static uint32_t before[sizeof(board.knowledge) / 4];
    uint8_t memory[SIZE + 64];
    char why[HABIT_EXCHANGE_TEXT];

    make_block(memory);
    start(&board, config);
    memcpy(before, board.knowledge, sizeof(before));
    assert_int_equal(habit_exchange_load(&board.engine, memory, sizeof(memory), why), HABIT_EMISMATCH);
    assert_string_equal(why, expected);
    assert_memory_equal(before, board.knowledge, sizeof(before));
}

static void test_another_sensor_is_refused_naming_both(void **state)
{
    struct habit_config config = usual;

    (void)state;
    config.buffer_size = 64;
    check_refusal(&config, "refused: buffer size 32 in the block, 64 on this board");
    config = usual;
    config.axes = 3;
    check_refusal(&config, "refused: axes 2 in the block, 3 on this board");
    config = usual;
    config.profile = HABIT_PROFILE_SMALL;
    check_refusal(&config, "refused: profile default in the block, small on this board");
    config = usual;
    config.sampling_hz = 0;
    check_refusal(&config, "refused: sampling Hz 1600 in the block, 0 on this board");
    config = usual;
    config.scale = 0.1f;
    check_refusal(&config, "refused: scale 1 in the block, 0.100000001 on this board");
    config = usual;
    memcpy(config.unit, "twelve bytes", HABIT_UNIT_SIZE);
    check_refusal(&config, "refused: unit 'g' in the block, 'twelve bytes' on this board");
}

static void check_damage(size_t at, uint8_t byte, size_t size, int result, const char *expected)
{
    static struct board board;
    static uint32_t before[sizeof(board.knowledge) / 4];
    uint8_t memory[SIZE + 64];
    char why[HABIT_EXCHANGE_TEXT];

    make_block(memory);
    memory[at] = byte;
    start(&board, &usual);
    memcpy(before, board.knowledge, sizeof(before));
    assert_int_equal(habit_exchange_load(&board.engine, memory, size, why), result);
    assert_string_equal(why, expected);
    assert_memory_equal(before, board.knowledge, sizeof(before));
}

static void test_what_is_no_sound_block_is_refused(void **state)
{
    (void)state;
    check_damage(4, 9, SIZE, HABIT_EVERSION, "refused: format version 9 in the block, 1 on this board");
    check_damage(200, 9, SIZE, HABIT_ECRC, "refused: the knowledge block is damaged");
    check_damage(200, 9, SIZE - 1, HABIT_ECRC, "refused: the knowledge block is damaged");
    check_damage(0, 0xff, SIZE, HABIT_EBLOCK, "refused: not a knowledge block");
    check_damage(0, 'H', 100, HABIT_EBLOCK, "refused: not a knowledge block");
}

static void test_a_missing_pointer_is_refused(void **state)
{
    static struct board board;
    char why[HABIT_EXCHANGE_TEXT];

    (void)state;
    start(&board, &usual);
    assert_int_equal(habit_exchange_load(NULL, why, 1, why), HABIT_ENULL);
    assert_int_equal(habit_exchange_load(&board.engine, why, 1, NULL), HABIT_ENULL);
    assert_int_equal(habit_exchange_load(&board.engine, NULL, 1, why), HABIT_ENULL);
}

/* Beside printf's own nine digits, over the whole range that rates and scales have. */
static void test_floats_are_printed_as_printf_does(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[32], expected[32];
        struct line line;
        uint32_t bits;
        float number;

        seed = seed * 1664525u + 1013904223u;
        bits = 0x26901d7du + (seed >> 1) % (0x58635fa9u - 0x26901d7du); /* 1e-15 .. 1e15 */
        memcpy(&number, &bits, 4);
        if (i < 40)
            number = (float)(1u << (i / 2)) / (i % 2 ? 1024.0f : 1.0f);
        line_start(&line, text, sizeof(text));
        line_add_float(&line, number);
        snprintf(expected, sizeof(expected), "%.9g", (double)number);
        assert_string_equal(text, expected);
    }
}

static void test_a_line_that_is_full_is_cut(void **state)
{
    char text[6];
    struct line line;

    (void)state;
    line_start(&line, text, sizeof(text));
    line_add(&line, "abc");
    line_add_unsigned(&line, 4294967295u);
    assert_string_equal(text, "abc42");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_block_is_loaded_from_a_longer_memory),
        cmocka_unit_test(test_another_sensor_is_refused_naming_both),
        cmocka_unit_test(test_what_is_no_sound_block_is_refused),
        cmocka_unit_test(test_a_missing_pointer_is_refused),
        cmocka_unit_test(test_floats_are_printed_as_printf_does),
        cmocka_unit_test(test_a_line_that_is_full_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
