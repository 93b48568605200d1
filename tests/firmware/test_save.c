/* Saving to flash: what comes back, what is refused, how often it erases, and what goes on meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emulated.h"

enum { UNIT = 8, PAGE = 2048, SLOT = 4096, SLOTS = 2, DAY = 86400, LATER = HABIT_SAVE_INTERVAL };
enum { SAMPLES = 64, AXES = 3, COUNT = SAMPLES * AXES, MOST = HABIT_SAVE_MOST_SLOTS * SLOT };

/* A board: flash that outlives restarts, and an engine that does not. */
struct board {
    uint8_t bytes[MOST], units[MOST / UNIT];
    struct habit_flash_emulated emulated;
    uint32_t knowledge[SLOT / 4], cache[SLOT / 4], scratch[SLOT / 4];
    float samples[COUNT];
    struct habit_config config;
    struct habit_memory memory;
    struct habit_engine engine;
    struct habit_save save;
    uint32_t seed;
};

static void start(struct board *board)
{
    assert_int_equal(habit_init(&board->engine, &board->config, &board->memory), HABIT_OK);
    assert_int_equal(habit_save_open(&board->save, &board->emulated.flash, 0), HABIT_OK);
}

static struct board *new_board(uint32_t slots)
{
    struct board *board = calloc(1, sizeof(*board));
    const struct habit_config config = {
        .buffer_size = SAMPLES, .axes = AXES, .profile = HABIT_PROFILE_DEFAULT, .scale = 1
    };
    struct habit_memory memory;

    assert_non_null(board);
    memory = (struct habit_memory){ board->knowledge,     sizeof(board->knowledge), board->cache,
                                    sizeof(board->cache), board->scratch,           sizeof(board->scratch) };
    board->config = config;
    board->memory = memory;
    board->seed = 7;
    habit_flash_emulated_init(&board->emulated, UNIT, PAGE, SLOT, slots, board->bytes, board->units);
    start(board);
    return board;
}

static void free_board(struct board *board)
{
    assert_int_equal(board->emulated.mistakes, 0);
    free(board);
}

static void sample(struct board *board)
{
    for (size_t i = 0; i < COUNT; i++) {
        board->seed = board->seed * 1664525u + 1013904223u;
        board->samples[i] = (float)(board->seed >> 16) * (1.0f / 32768.0f) - 1.0f;
    }
}

static void learn(struct board *board, unsigned int buffers)
{
    while (buffers-- > 0) {
        sample(board);
        assert_int_equal(habit_learn(&board->engine, board->samples, COUNT, NULL), HABIT_OK);
    }
}

static int save_at(struct board *board, uint32_t now)
{
    const int result = habit_save_begin(&board->save, &board->engine, now);

    return result == HABIT_OK ? habit_save_finish(&board->save) : result;
}

static uint32_t learned(struct board *board)
{
    struct habit_progress progress;

    assert_int_equal(habit_status(&board->engine, &progress), HABIT_OK);
    return progress.learned;
}

/* Loses RAM; what is loaded must be the sealed block byte for byte. */
static int restart_and_load(struct board *board, const void *expected)
{
    int result;

    memset(board->knowledge, 0xa5, sizeof(board->knowledge));
    habit_flash_emulated_restart(&board->emulated);
    start(board);
    result = habit_save_load(&board->save, &board->engine, NULL);
    if (result == HABIT_OK && expected)
        assert_memory_equal(board->knowledge, expected, habit_knowledge_size(&board->config));
    return result;
}

/* ------------------------------------------------------------------------------------------------- what comes back */

static void test_what_was_saved_comes_back_to_the_byte(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t saved[SLOT / 4];

    (void)state;
    for (uint32_t n = 1; n <= 6; n++) {
        learn(board, n);
        assert_int_equal(save_at(board, LATER), HABIT_OK);
        memcpy(saved, board->knowledge, sizeof(saved));
        assert_int_equal(restart_and_load(board, saved), HABIT_OK);
        assert_int_equal(learned(board), n * (n + 1) / 2);
    }
    assert_int_equal(board->emulated.erases[0], 3);
    assert_int_equal(board->emulated.erases[1], 3);
    free_board(board);
}

static void test_the_block_lies_in_the_slot_as_it_is(void **state)
{
    struct board *board = new_board(SLOTS);
    const size_t size = habit_knowledge_size(&board->config);

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    assert_int_equal(habit_check(board->bytes + HABIT_SAVE_BEFORE_BLOCK, size, NULL), HABIT_OK);
    free_board(board);
}

static void test_an_engine_that_forgot_is_saved_as_such(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    assert_int_equal(habit_init(&board->engine, &board->config, &board->memory), HABIT_OK);
    assert_int_equal(save_at(board, 2 * LATER), HABIT_OK);
    assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
    assert_int_equal(learned(board), 0);
    free_board(board);
}

/* ------------------------------------------------------------------------------------------------------- no knowledge */

static void fill(struct board *board, int what)
{
    for (size_t i = 0; i < sizeof(board->bytes); i++)
        board->bytes[i] = what < 256 ? (uint8_t)what : (uint8_t)(rand() >> 8);
    memset(board->units, what == 0xff ? 0 : 1, sizeof(board->units));
}

static void test_flash_that_is_erased_zeroed_or_full_of_other_bytes_holds_no_knowledge(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    srand(1);
    for (int what = 0; what < 300; what++) {
        fill(board, what);
        assert_int_equal(restart_and_load(board, NULL), HABIT_SAVE_ENONE);
        assert_int_equal(learned(board), 0);
        learn(board, 1);
        assert_int_equal(save_at(board, LATER), HABIT_OK);
        assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
        assert_int_equal(learned(board), 1);
    }
    free_board(board);
}

/* Headers of a real save, behind which the flash holds something else. */
static void test_a_header_without_its_block_is_no_knowledge(void **state)
{
    struct board *board = new_board(SLOTS);
    uint8_t *const block = board->bytes + HABIT_SAVE_BEFORE_BLOCK;
    const size_t size = habit_knowledge_size(&board->config);

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    for (size_t at = 0; at < size; at += 17) {
        block[at] ^= 0x10u;
        assert_int_equal(restart_and_load(board, NULL), HABIT_SAVE_ENONE);
        assert_int_equal(board->save.counts.damaged, 1);
        block[at] ^= 0x10u;
    }
    assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
    free_board(board);
}

static void test_any_bit_of_the_headers_may_fall_while_one_is_whole(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    for (size_t bit = 0; bit < 8 * 64; bit++) {
        board->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
        board->bytes[(bit / 8 + 32) % 64] ^= 1u;
        assert_int_equal(restart_and_load(board, NULL), HABIT_SAVE_ENONE);
        board->bytes[(bit / 8 + 32) % 64] ^= 1u;
        board->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free_board(board);
}

static void test_damage_to_the_newest_falls_back_to_the_one_before(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t older[SLOT / 4];

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    memcpy(older, board->knowledge, sizeof(older));
    learn(board, 5);
    assert_int_equal(save_at(board, 2 * LATER), HABIT_OK);
    for (int kind = 1; kind <= 2; kind++) { /* another byte; a unit that faults */
        const size_t at = SLOT + 1000;

        board->bytes[at] ^= (uint8_t)(kind == 1 ? 4 : 0);
        board->units[at / UNIT] = (uint8_t)kind;
        assert_int_equal(restart_and_load(board, older), HABIT_OK);
        board->bytes[at] ^= (uint8_t)(kind == 1 ? 4 : 0);
    }
    learn(board, 1); /* and the next save counts on from the damaged one */
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
    assert_int_equal(learned(board), 11);
    free_board(board);
}

/* Found sound when it was opened, and other bytes when it is loaded. */
static void test_flash_that_changes_between_two_looks(void **state)
{
    struct board *board = new_board(SLOTS);
    struct habit_info found;

    (void)state;
    for (uint32_t n = 1; n <= 2; n++) {
        learn(board, 10);
        assert_int_equal(save_at(board, n * LATER), HABIT_OK);
    }
    assert_int_equal(habit_save_open(&board->save, &board->emulated.flash, 0), HABIT_OK);
    board->bytes[SLOT + 500] ^= 1u;
    learn(board, 1);
    assert_int_equal(habit_save_load(&board->save, &board->engine, &found), HABIT_OK); /* the one before */
    assert_int_equal(learned(board), 10);
    assert_int_equal(found.learned, 10);
    board->bytes[500] ^= 1u;
    assert_int_equal(habit_save_load(&board->save, &board->engine, &found), HABIT_SAVE_ENONE);
    assert_int_equal(found.size, 0);
    assert_int_equal(learned(board), 0);
    assert_int_equal(board->save.counts.damaged, 2);
    learn(board, 1); /* and the engine can be used */
    free_board(board);
}

/* The only header reads well when it is opened, and as erased when a place for the second is looked for: it must not go there,
 * where it would be as doubtful as the first. */
static void test_a_header_in_doubt_gets_a_second_elsewhere(void **state)
{
    struct board *board = new_board(SLOTS);
    static uint8_t bytes[MOST], units[MOST / UNIT];
    uint32_t seen = 0;

    (void)state;
    habit_flash_emulated_init(&board->emulated, 32, PAGE, SLOT, SLOTS, board->bytes, board->units);
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    board->emulated.torn = HABIT_TORN_FICKLE;
    board->emulated.cut_after =
        2 + ((uint32_t)habit_knowledge_size(&board->config) + 31) / 32; /* pages, block, header */
    assert_int_equal(save_at(board, 2 * LATER), HABIT_SAVE_EFLASH);
    memcpy(bytes, board->bytes, sizeof(bytes));
    memcpy(units, board->units, sizeof(units));
    for (uint32_t seed = 1; seed < 500; seed++) {
        memcpy(board->bytes, bytes, sizeof(bytes));
        memcpy(board->units, units, sizeof(units));
        habit_flash_emulated_restart(&board->emulated);
        board->emulated.seed = seed * 2654435761u;
        start(board);
        if (board->save.newest != 1)
            continue;
        seen++;
        board->emulated.cut_after = 1;
        board->emulated.torn = HABIT_TORN_NOTHING;
        assert_int_equal(save_at(board, LATER), HABIT_SAVE_EFLASH);
        assert_memory_equal(board->bytes + SLOT + 32, bytes + SLOT, 32);
    }
    assert_true(seen > 50);
    free_board(board);
}

/* ------------------------------------------------------------------------------------------------------------ refusals */

static void test_knowledge_of_something_else_is_refused_naming_both(void **state)
{
    struct board *board = new_board(SLOTS);
    struct habit_info found;

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    board->config.sampling_hz = 1600.0f;
    start(board);
    learn(board, 3);
    assert_int_equal(habit_save_load(&board->save, &board->engine, &found), HABIT_EMISMATCH);
    assert_int_equal(habit_config_compare(&found.config, &board->config), HABIT_FIELD_SAMPLING_HZ);
    assert_int_equal(found.learned, 10);
    assert_int_equal(learned(board), 3); /* the engine is as it was */
    board->config.sampling_hz = 0.0f;
    board->config.axes = 1;
    start(board);
    assert_int_equal(habit_save_load(&board->save, &board->engine, &found), HABIT_EMISMATCH);
    assert_int_equal(habit_config_compare(&found.config, &board->config), HABIT_FIELD_AXES);
    board->config.axes = AXES;
    assert_int_equal(restart_and_load(board, NULL), HABIT_OK); /* and it is still there */
    free_board(board);
}

static void test_geometries_that_cannot_work_are_refused(void **state)
{
    static const struct {
        uint32_t unit, page, slot, slots;
    } bad[] = {
        { 2, PAGE, SLOT, 2 },  { 12, PAGE, SLOT, 2 },
        { 64, PAGE, SLOT, 2 }, { 8, 0, SLOT, 2 },
        { 8, 64, SLOT, 2 },    { 8, 200, 4000, 2 },
        { 8, PAGE, 3000, 2 },  { 8, PAGE, 0, 2 },
        { 8, PAGE, SLOT, 1 },  { 8, PAGE, SLOT, 5 },
        { 8, PAGE, SLOT, 0 },  { 8, 128, 128, 2 },
        { 0, PAGE, SLOT, 2 },  { 8, 0x40000000, 0x40000000, 4 },
    };
    struct board *board = new_board(SLOTS);
    struct habit_flash *flash = &board->emulated.flash;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        flash->unit_size = bad[i].unit;
        flash->page_size = bad[i].page;
        flash->slot_size = bad[i].slot;
        flash->slots = bad[i].slots;
        assert_int_equal(habit_save_open(&board->save, flash, 0), HABIT_SAVE_EGEOMETRY);
    }
    free_board(board);
}

static void test_what_is_missing_is_an_error(void **state)
{
    struct board *board = new_board(SLOTS);
    struct habit_save save = { 0 };
    uint8_t copy[100];

    (void)state;
    assert_int_equal(habit_save_open(NULL, &board->emulated.flash, 0), HABIT_ENULL);
    assert_int_equal(habit_save_open(&save, NULL, 0), HABIT_ENULL);
    assert_int_equal(habit_save_load(&save, &board->engine, NULL), HABIT_ENULL);
    assert_int_equal(habit_save_load(&board->save, NULL, NULL), HABIT_ENULL);
    assert_int_equal(habit_save_begin(&save, &board->engine, LATER), HABIT_ENULL);
    assert_int_equal(habit_save_begin(&board->save, NULL, LATER), HABIT_ENULL);
    assert_int_equal(habit_save_begin_copy(&board->save, &board->engine, LATER, NULL, 0), HABIT_ENULL);
    assert_int_equal(habit_save_begin_copy(&board->save, &board->engine, LATER, copy, sizeof(copy)), HABIT_EMEMORY);
    assert_int_equal(habit_save_step(NULL), HABIT_ENULL);
    assert_int_equal(habit_save_step(&save), HABIT_ENULL);
    assert_int_equal(habit_save_step(&board->save), HABIT_SAVE_IDLE);
    assert_int_equal(habit_save_finish(&board->save), HABIT_SAVE_IDLE);
    assert_false(habit_save_due(&board->save, NULL, LATER));
    assert_false(habit_save_due(NULL, &board->engine, LATER));
    assert_false(habit_save_reading(NULL));
    free_board(board);
}

static void test_knowledge_larger_than_a_slot_is_refused(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    board->emulated.flash.slot_size = PAGE;
    assert_int_equal(habit_save_open(&board->save, &board->emulated.flash, 0), HABIT_OK);
    assert_int_equal(habit_save_begin(&board->save, &board->engine, LATER), HABIT_SAVE_ESPACE);
    assert_int_equal(board->emulated.operations, 0);
    free_board(board);
}

static void test_every_result_has_a_text(void **state)
{
    (void)state;
#define CHECK_TEXT(name, value, text) assert_string_equal(habit_save_text(HABIT_SAVE_##name), text);
    HABIT_SAVE_RESULTS(CHECK_TEXT)
#undef CHECK_TEXT
#define CHECK_TEXT(name, value, text) assert_string_equal(habit_save_text(HABIT_##name), text);
    HABIT_RESULTS(CHECK_TEXT)
#undef CHECK_TEXT
    assert_non_null(habit_save_text(4711));
}

/* -------------------------------------------------------------------------------------------------------------- meanwhile */

static void test_detection_goes_on_while_the_flash_is_busy(void **state)
{
    struct board *board = new_board(SLOTS);
    struct habit_result before, meanwhile;
    uint32_t detections = 0, while_busy = 0;
    int result;

    (void)state;
    learn(board, 60);
    sample(board);
    assert_int_equal(habit_detect(&board->engine, board->samples, COUNT, &before), HABIT_OK);
    board->emulated.busy_polls = 5;
    board->emulated.put_off = 3;
    assert_int_equal(habit_save_begin(&board->save, &board->engine, LATER), HABIT_OK);
    for (;;) {
        result = habit_save_step(&board->save);
        if (result != HABIT_SAVE_BUSY)
            break;
        memset(&meanwhile, 0, sizeof(meanwhile));
        assert_int_equal(habit_detect(&board->engine, board->samples, COUNT, &meanwhile), HABIT_OK);
        assert_true(meanwhile.distance == before.distance);
        while_busy += board->emulated.polls > 0;
        detections++;
    }
    assert_int_equal(result, HABIT_OK);
    assert_true(while_busy > 2000 && detections > while_busy);
    assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
    assert_int_equal(learned(board), 60);
    free_board(board);
}

/* No step may wait: each starts at most one operation. */
static void test_a_step_does_one_thing(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t operations = 0;

    (void)state;
    learn(board, 10);
    assert_int_equal(habit_save_begin(&board->save, &board->engine, LATER), HABIT_OK);
    assert_int_equal(board->emulated.operations, 0);
    while (habit_save_step(&board->save) == HABIT_SAVE_BUSY) {
        assert_true(board->emulated.operations <= operations + 1);
        operations = board->emulated.operations;
    }
    free_board(board);
}

static void test_learning_during_a_save_ends_it_and_leaves_the_one_before(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    learn(board, 10);
    assert_int_equal(save_at(board, LATER), HABIT_OK);
    for (uint32_t after = 0, over = 0; !over; after += 37) {
        int result = HABIT_SAVE_BUSY;

        assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
        assert_int_equal(learned(board), 10);
        assert_int_equal(habit_save_begin(&board->save, &board->engine, LATER), HABIT_OK);
        assert_int_equal(habit_save_begin(&board->save, &board->engine, LATER), HABIT_SAVE_BUSY);
        assert_int_equal(habit_save_load(&board->save, &board->engine, NULL), HABIT_SAVE_BUSY);
        for (uint32_t i = 0; i < after && result == HABIT_SAVE_BUSY; i++)
            result = habit_save_step(&board->save);
        over = !habit_save_reading(&board->save);
        learn(board, 1);
        if (result == HABIT_SAVE_BUSY)
            result = habit_save_finish(&board->save);
        assert_int_equal(result, over ? HABIT_OK : HABIT_SAVE_ECHANGED);
        assert_int_equal(board->save.counts.changed, over ? 0 : 1);
    }
    free_board(board);
}

static void test_with_a_copy_learning_goes_on(void **state)
{
    struct board *board = new_board(SLOTS);
    static uint32_t copy[SLOT / 4];

    (void)state;
    learn(board, 10);
    assert_int_equal(habit_save_begin_copy(&board->save, &board->engine, LATER, copy, sizeof(copy)), HABIT_OK);
    assert_false(habit_save_reading(&board->save));
    do
        learn(board, 1);
    while (habit_save_step(&board->save) == HABIT_SAVE_BUSY);
    assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
    assert_int_equal(learned(board), 10);
    free_board(board);
}

/* ------------------------------------------------------------------------------------------------------------------- wear */

/* When a slot was erased. */
struct log {
    uint32_t times[8000], used, seen[SLOTS];
};

static void log_erases(struct log *log, const struct board *board, uint32_t now)
{
    for (int s = 0; s < SLOTS; s++)
        for (; log->seen[s] < board->emulated.erases[s]; log->seen[s]++) {
            assert_true(log->used < sizeof(log->times) / sizeof(log->times[0]));
            log->times[log->used++] = now;
        }
}

/* The largest number of erases, of all slots together, in any 24 hours. */
static uint32_t most_in_a_day(const struct log *log)
{
    uint32_t most = 0;

    for (uint32_t first = 0, last = 0; last < log->used; last++) {
        while (log->times[last] - log->times[first] >= DAY)
            first++;
        most = last - first + 1 > most ? last - first + 1 : most;
    }
    return most;
}

/* Whoever asks, as often as he likes, whatever goes wrong: days of a save asked for each 7 seconds. */
static uint32_t flood(struct board *board, uint32_t days, uint32_t restart_every)
{
    static struct log log;
    uint32_t booted = 0;

    memset(&log, 0, sizeof(log));
    for (uint32_t now = 0; now < days * DAY; now += 7) {
        if (restart_every > 0 && now - booted >= restart_every) {
            booted = now;
            (void)restart_and_load(board, NULL);
        }
        if (habit_save_begin(&board->save, &board->engine, now - booted) == HABIT_OK)
            (void)habit_save_finish(&board->save);
        log_erases(&log, board, now);
    }
    return most_in_a_day(&log);
}

static void test_no_flood_erases_more_than_100_times_a_day(void **state)
{
    static const uint32_t restarts[] = { 0, 100, 900, 908, 1807, 3600, 3 * 3600, DAY };

    (void)state;
    for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++)
        for (int bad = HABIT_BAD_NONE; bad < HABIT_BAD_MODES; bad++) {
            struct board *board = new_board(SLOTS);
            uint32_t most;

            learn(board, 1);
            board->emulated.bad = (uint8_t)bad;
            most = flood(board, 3, restarts[i]);
            assert_true(most <= 100);
            assert_true(restarts[i] > 0 || bad != HABIT_BAD_NONE || most >= 90); /* and it is used */
            assert_true((most > 0) == (restarts[i] == 0 || restarts[i] > HABIT_SAVE_INTERVAL + 7));
            board->emulated.mistakes = 0; /* an erase that is ignored leaves units written */
            free_board(board);
        }
}

/* A million learns in a simulated day, saved when due. */
static void test_a_learn_flood_is_saved_some_times_only(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t saved = 0;

    (void)state;
    board->config.buffer_size = 1;
    board->config.axes = 1;
    board->config.profile = HABIT_PROFILE_SMALL;
    start(board);
    sample(board);
    for (uint32_t i = 0; i < 1000000; i++) {
        const uint32_t now = (uint32_t)((uint64_t)i * DAY / 1000000);

        assert_int_equal(habit_learn(&board->engine, board->samples + i % COUNT, 1, NULL), HABIT_OK);
        if (habit_save_due(&board->save, &board->engine, now)) {
            assert_int_equal(save_at(board, now), HABIT_OK);
            saved++;
        }
    }
    assert_true(board->emulated.erases[0] + board->emulated.erases[1] <= 100);
    assert_true(saved > 5);
    print_message("a million learns in a day: %u saves\n", saved);
    free_board(board);
}

/* One learn a minute: saves of the first month, and erases in ten years. */
static void test_usual_learning_wears_a_slot_for_more_than_ten_years(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t in_month = 0, erases;

    (void)state;
    for (uint32_t minute = 0; minute < 30 * 1440; minute++) {
        learn(board, 1);
        if (habit_save_due(&board->save, &board->engine, minute * 60)) {
            assert_int_equal(save_at(board, minute * 60), HABIT_OK);
            in_month++;
        }
    }
    erases = board->emulated.erases[0] + (3650 - 30) / 2 + 1; /* from then on one save a day, as the last ones were */
    print_message("one learn a minute: %u saves in 30 days, %u erases of a slot in ten years\n", in_month, erases);
    assert_true(in_month <= 90 && erases < 10000);
    assert_false(habit_save_due(&board->save, &board->engine, 30 * DAY));
    free_board(board);
}

static void test_when_a_save_is_due(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t now = LATER;

    (void)state;
    learn(board, 1);
    assert_false(habit_save_due(&board->save, &board->engine, LATER - 1));
    assert_int_equal(habit_init(&board->engine, &board->config, &board->memory), HABIT_OK);
    assert_false(habit_save_due(&board->save, &board->engine, now)); /* nothing learned */
    learn(board, 1);
    assert_true(habit_save_due(&board->save, &board->engine, now));
    learn(board, 39);
    assert_true(habit_save_due(&board->save, &board->engine, now));
    assert_int_equal(save_at(board, now), HABIT_OK);
    now += 4 * LATER;
    assert_false(habit_save_due(&board->save, &board->engine, now)); /* nothing new */
    learn(board, 5);
    assert_false(habit_save_due(&board->save, &board->engine, now)); /* an eighth */
    learn(board, 1);
    assert_true(habit_save_due(&board->save, &board->engine, now)); /* more than that */
    assert_int_equal(save_at(board, now), HABIT_OK);
    assert_int_equal(habit_set_sensitivity(&board->engine, 1.5f), HABIT_OK);
    assert_false(habit_save_due(&board->save, &board->engine, now + DAY - 1));
    assert_true(habit_save_due(&board->save, &board->engine, now + DAY));
    now += DAY;
    assert_int_equal(save_at(board, now), HABIT_OK);
    assert_int_equal(habit_init(&board->engine, &board->config, &board->memory), HABIT_OK);
    assert_true(habit_save_due(&board->save, &board->engine, now)); /* it forgot */
    free_board(board);
}

static void test_a_clock_that_is_set_back_gives_no_erases(void **state)
{
    struct board *board = new_board(SLOTS);
    uint32_t saved = 0;

    (void)state;
    learn(board, 1);
    for (uint32_t i = 0; i < 10000; i++)
        saved += save_at(board, 1000000 - i) == HABIT_OK;
    assert_int_equal(saved, HABIT_SAVE_BURST); /* of the million seconds before */
    assert_int_equal(board->save.counts.refused, 10000 - saved);
    free_board(board);
}

static void test_seconds_may_pass_the_end_of_32_bits(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    assert_int_equal(habit_save_open(&board->save, &board->emulated.flash, UINT32_MAX - 10), HABIT_OK);
    assert_int_equal(save_at(board, UINT32_MAX), HABIT_SAVE_EWEAR);
    assert_int_equal(save_at(board, LATER - 12), HABIT_SAVE_EWEAR);
    assert_int_equal(save_at(board, LATER - 11), HABIT_OK);
    free_board(board);
}

static void test_the_erases_of_a_slot_are_counted_in_flash(void **state)
{
    struct board *board = new_board(SLOTS);

    (void)state;
    for (uint32_t i = 0; i < 41; i++) {
        learn(board, 1);
        assert_int_equal(save_at(board, LATER), HABIT_OK);
        assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
    }
    assert_int_equal(board->save.slot[0].record.erases, 21);
    assert_int_equal(board->save.slot[1].record.erases, 21); /* one too many: its first was not known to be that */
    free_board(board);
}

/* ------------------------------------------------------------------------------------------------------------- worn flash */

/* Every page bad in every way, from the first save on or later: the last good block is never lost. */
static void test_a_bad_page_never_costs_the_last_good_block(void **state)
{
    (void)state;
    for (uint32_t page = 0; page < 4; page++)
        for (int bad = HABIT_BAD_ERASE_FAILS; bad < HABIT_BAD_MODES; bad++)
            for (int healthy = 0; healthy < 3; healthy++) {
                struct board *board = new_board(SLOTS);
                uint32_t kept = 0, failed = 0;

                board->emulated.bad_page = page;
                for (int i = 0; i < 8; i++) {
                    if (i >= healthy && !(bad == HABIT_BAD_READ_FAILS && i == healthy))
                        board->emulated.bad = (uint8_t)bad;
                    learn(board, 3);
                    if (save_at(board, LATER) == HABIT_OK)
                        kept = learned(board);
                    else
                        failed++;
                    if (bad == HABIT_BAD_READ_FAILS && i >= healthy)
                        continue; /* what was readable when it was saved may be lost with its page */
                    assert_int_equal(restart_and_load(board, NULL), kept > 0 ? HABIT_OK : HABIT_SAVE_ENONE);
                    assert_int_equal(learned(board), kept);
                }
                assert_true(failed > 0 || bad == HABIT_BAD_ERASE_IGNORED || bad == HABIT_BAD_READ_FAILS ||
                            bad == HABIT_BAD_BIT_STUCK);
                board->emulated.mistakes = 0; /* an erase that is ignored leaves units written */
                free_board(board);
            }
}

static void test_with_a_third_slot_saving_goes_on_beside_a_worn_one(void **state)
{
    (void)state;
    for (uint32_t page = 0; page < 6; page++) {
        struct board *board = new_board(3);
        uint32_t failed = 0;

        learn(board, 1);
        assert_int_equal(save_at(board, LATER), HABIT_OK);
        board->emulated.bad_page = page;
        board->emulated.bad = HABIT_BAD_PROGRAM_FAILS;
        for (uint32_t i = 2; i < 20; i++) {
            learn(board, 1);
            failed += save_at(board, LATER * i) != HABIT_OK;
        }
        assert_true(failed <= 1);
        assert_int_equal(save_at(board, LATER * 20), HABIT_OK);
        assert_int_equal(restart_and_load(board, NULL), HABIT_OK);
        assert_int_equal(learned(board), 19);
        free_board(board);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_saved_comes_back_to_the_byte),
        cmocka_unit_test(test_the_block_lies_in_the_slot_as_it_is),
        cmocka_unit_test(test_an_engine_that_forgot_is_saved_as_such),
        cmocka_unit_test(test_flash_that_is_erased_zeroed_or_full_of_other_bytes_holds_no_knowledge),
        cmocka_unit_test(test_a_header_without_its_block_is_no_knowledge),
        cmocka_unit_test(test_any_bit_of_the_headers_may_fall_while_one_is_whole),
        cmocka_unit_test(test_damage_to_the_newest_falls_back_to_the_one_before),
        cmocka_unit_test(test_flash_that_changes_between_two_looks),
        cmocka_unit_test(test_a_header_in_doubt_gets_a_second_elsewhere),
        cmocka_unit_test(test_knowledge_of_something_else_is_refused_naming_both),
        cmocka_unit_test(test_geometries_that_cannot_work_are_refused),
        cmocka_unit_test(test_what_is_missing_is_an_error),
        cmocka_unit_test(test_knowledge_larger_than_a_slot_is_refused),
        cmocka_unit_test(test_every_result_has_a_text),
        cmocka_unit_test(test_detection_goes_on_while_the_flash_is_busy),
        cmocka_unit_test(test_a_step_does_one_thing),
        cmocka_unit_test(test_learning_during_a_save_ends_it_and_leaves_the_one_before),
        cmocka_unit_test(test_with_a_copy_learning_goes_on),
        cmocka_unit_test(test_no_flood_erases_more_than_100_times_a_day),
        cmocka_unit_test(test_a_learn_flood_is_saved_some_times_only),
        cmocka_unit_test(test_usual_learning_wears_a_slot_for_more_than_ten_years),
        cmocka_unit_test(test_when_a_save_is_due),
        cmocka_unit_test(test_a_clock_that_is_set_back_gives_no_erases),
        cmocka_unit_test(test_seconds_may_pass_the_end_of_32_bits),
        cmocka_unit_test(test_the_erases_of_a_slot_are_counted_in_flash),
        cmocka_unit_test(test_a_bad_page_never_costs_the_last_good_block),
        cmocka_unit_test(test_with_a_third_slot_saving_goes_on_beside_a_worn_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
