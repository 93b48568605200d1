/* The knowledge block: saving changes nothing, damage is refused, and nonsense with a good CRC does no harm (what of it is refused: test_mutants.c). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#include "knowledge.h"

static struct machine learned_machine(unsigned int learned)
{
    struct machine m;

    machine_init(&m, 32, 2, HABIT_PROFILE_DEFAULT, 99);
    machine_learn_noise(&m, learned);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    return m;
}

static void test_saving_and_loading_changes_nothing(void **state)
{
    (void)state;
    for (unsigned int at = 0; at < 70; at += 3) {
        struct machine one, other;
        void *saved;

        machine_init(&one, 32, 2, HABIT_PROFILE_DEFAULT, 5);
        machine_init(&other, 32, 2, HABIT_PROFILE_DEFAULT, 5);
        machine_learn_noise(&one, at);
        machine_learn_noise(&other, at);
        assert_int_equal(habit_seal(&one.engine), HABIT_OK);
        saved = machine_copy_knowledge(&one);
        assert_int_equal(habit_init(&one.engine, &one.config, &one.memory), HABIT_OK);
        assert_int_equal(habit_load(&one.engine, saved, one.memory.knowledge_size), HABIT_OK);
        machine_learn_noise(&one, 5);
        machine_learn_noise(&other, 5);
        assert_memory_equal(one.memory.knowledge, other.memory.knowledge, one.memory.knowledge_size);
        free(saved);
        machine_deinit(&one);
        machine_deinit(&other);
    }
}

static void test_export_import_export_gives_the_same_bytes(void **state)
{
    struct machine m = learned_machine(25);
    uint8_t *exported = machine_copy_knowledge(&m), *crooked = malloc(m.memory.knowledge_size + 1);
    struct habit_info info;

    (void)state;
    assert_non_null(crooked);
    memcpy(crooked + 1, exported, m.memory.knowledge_size);
    assert_int_equal(habit_init(&m.engine, &m.config, &m.memory), HABIT_OK);
    assert_int_equal(habit_check(crooked + 1, m.memory.knowledge_size, &info), HABIT_OK);
    assert_int_equal(info.learned, 25);
    assert_int_equal(info.size, m.memory.knowledge_size);
    assert_int_equal(habit_config_compare(&info.config, &m.config), HABIT_FIELD_NONE);
    assert_int_equal(habit_load(&m.engine, crooked + 1, m.memory.knowledge_size), HABIT_OK);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_memory_equal(exported, m.memory.knowledge, m.memory.knowledge_size);
    free(exported);
    free(crooked);
    machine_deinit(&m);
}

static void test_a_peek_reads_what_check_refuses(void **state)
{
    struct machine m = learned_machine(25);
    uint8_t *block = machine_copy_knowledge(&m);
    struct habit_info info;

    (void)state;
    block[4] = 7;                                                 /* the format version */
    memset(block + offsetof(struct habit_header, crc), 0xff, 12); /* and what else there is to check */
    assert_int_equal(habit_peek(block, HABIT_HEADER_SIZE, &info), HABIT_OK);
    assert_int_equal(info.format, 7);
    assert_int_equal(info.size, m.memory.knowledge_size);
    assert_int_equal(info.learned, 25);
    assert_int_equal(habit_config_compare(&info.config, &m.config), HABIT_FIELD_NONE);
    assert_int_equal(habit_peek(block, HABIT_HEADER_SIZE - 1, &info), HABIT_EBLOCK);
    assert_int_equal(habit_peek(NULL, HABIT_HEADER_SIZE, &info), HABIT_ENULL);
    assert_int_equal(habit_peek(block, HABIT_HEADER_SIZE, NULL), HABIT_ENULL);
    block[0] = 'h';
    assert_int_equal(habit_peek(block, HABIT_HEADER_SIZE, &info), HABIT_EBLOCK);
    assert_string_equal(habit_field_name(HABIT_FIELD_UNIT), "unit");
    assert_string_equal(habit_field_name((enum habit_field)(HABIT_FIELD_UNIT + 1)), "unknown");
    free(block);
    machine_deinit(&m);
}

/* Nothing learned, some kept, models, scores, a baseline; the shortest and the longest block of ordinary sensors. */
static const struct kind {
    unsigned int samples, axes;
    enum habit_profile profile;
    unsigned int learned;
} kinds[] = {
    { 1, 1, HABIT_PROFILE_SMALL, 0 },    { 1, 1, HABIT_PROFILE_SMALL, 5 },     { 4, 2, HABIT_PROFILE_SMALL, 80 },
    { 16, 1, HABIT_PROFILE_DEFAULT, 9 }, { 16, 1, HABIT_PROFILE_DEFAULT, 80 }, { 16, 3, HABIT_PROFILE_DEFAULT, 20 },
    { 16, 1, HABIT_PROFILE_LARGE, 7 },   { 16, 1, HABIT_PROFILE_LARGE, 8 },    { 64, 2, HABIT_PROFILE_LARGE, 80 },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct machine machine_of(const struct kind *kind)
{
    struct machine m;

    machine_init(&m, kind->samples, kind->axes, kind->profile, 99);
    machine_learn_noise(&m, kind->learned);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    return m;
}

static void flip_every_bit(const struct kind *kind)
{
    struct machine m = machine_of(kind);
    uint8_t *block = machine_copy_knowledge(&m);

    for (size_t bit = 0; bit < 8 * m.memory.knowledge_size; bit++) {
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (habit_load(&m.engine, block, m.memory.knowledge_size) == HABIT_OK)
            fail_msg("%u samples, %u learned: bit %zu of byte %zu", kind->samples, kind->learned, bit % 8, bit / 8);
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_memory_equal(block, m.memory.knowledge, m.memory.knowledge_size);
    assert_int_equal(habit_load(&m.engine, block, m.memory.knowledge_size), HABIT_OK);
    free(block);
    machine_deinit(&m);
}

static void test_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++)
        flip_every_bit(&kinds[i]);
}

/* Each in memory of its own size, so that sanitizers see a byte that is read behind it; and one byte more is no block. */
static void truncate_everywhere(const struct kind *kind)
{
    struct machine m = machine_of(kind);
    uint8_t *longer = calloc(1, m.memory.knowledge_size + 1);

    for (size_t size = 0; size < m.memory.knowledge_size; size++) {
        uint8_t *block = malloc(size + (size == 0));

        assert_non_null(block);
        memcpy(block, m.memory.knowledge, size);
        assert_int_equal(habit_check(block, size, NULL), HABIT_EBLOCK);
        free(block);
    }
    assert_non_null(longer);
    memcpy(longer, m.memory.knowledge, m.memory.knowledge_size);
    assert_int_equal(habit_check(longer, m.memory.knowledge_size + 1, NULL), HABIT_EBLOCK);
    free(longer);
    machine_deinit(&m);
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++)
        truncate_everywhere(&kinds[i]);
}

static void test_an_unsealed_copy_is_refused(void **state)
{
    struct machine m = learned_machine(20);

    (void)state;
    machine_learn_noise(&m, 1);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_EUNSEALED);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    assert_int_equal(habit_set_sensitivity(&m.engine, 2.0f), HABIT_OK);
    assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_EUNSEALED);
    machine_deinit(&m);
}

/* ------------------------------------------------------------------------------------------ nonsense, well sealed */

static void put(uint8_t *block, size_t offset, uint32_t word)
{
    memcpy(block + offset, &word, sizeof(word));
}

/* What is not refused must not lead to a crash or a number that is none, whatever it is. */
static void use(struct machine *m, uint32_t seed)
{
    struct habit_result result;
    struct habit_progress progress;
    struct habit_window window;
    struct habit_average average;
    float drift;

    assert_int_equal(habit_window_init(&window, 3), HABIT_OK);
    for (int i = 0; i < 12; i++) {
        int status;

        machine_noise(m);
        status = habit_detect(&m->engine, m->buffer, m->count, &result);
        if (status == HABIT_OK) {
            if (!isfinite(result.distance) || !isfinite(result.score) || !isfinite(result.p_value) ||
                result.similarity > 100)
                fail_msg("seed %u: distance %g, score %g", seed, (double)result.distance, (double)result.score);
            assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
        }
        status = habit_window_result(&m->engine, &window, &average);
        if (status == HABIT_OK && !isfinite(average.distance))
            fail_msg("seed %u: average", seed);
        assert_int_equal(habit_drift(&m->engine, &drift), HABIT_OK);
        if (!isfinite(drift))
            fail_msg("seed %u: drift", seed);
        assert_int_equal(habit_learn(&m->engine, m->buffer, m->count, &progress), HABIT_OK);
        assert_true(progress.weight >= 0.0f && progress.weight <= 1.0f);
    }
    assert_int_equal(habit_accept(&m->engine, m->buffer, 1), HABIT_OK);
}

static void check_hostile(unsigned int learned, uint32_t seed, unsigned int *accepted)
{
    static const uint32_t words[] = { 0u,          1u,          0x3f800000u, 0x4479c000u,
                                      0x4e6e6b28u, 0x5368d4a5u, 0xd368d4a5u, 0x7cf0bdc2u };
    struct machine m = learned_machine(learned);
    uint8_t *block = machine_copy_knowledge(&m);
    const uint32_t body = (uint32_t)(m.memory.knowledge_size - HABIT_HEADER_SIZE) / 4;
    uint32_t dice = seed;

    for (int i = 0; i < 1 + (int)(seed % 5); i++) {
        uint32_t at, choice;

        (void)noise(&dice);
        at = HABIT_HEADER_SIZE + 4 * ((dice >> 8) % body);
        (void)noise(&dice);
        choice = (dice >> 8) % 12;
        (void)noise(&dice);
        put(block, at, choice < 8 ? words[choice] : dice);
    }
    block_seal(block, m.memory.knowledge_size);
    if (habit_load(&m.engine, block, m.memory.knowledge_size) == HABIT_OK) {
        ++*accepted;
        use(&m, seed);
    }
    free(block);
    machine_deinit(&m);
}

static void test_hostile_knowledge_never_leads_to_nonsense(void **state)
{
    unsigned int accepted = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 6000; seed++)
        check_hostile(seed % 3 == 0 ? 5 : 62, seed, &accepted);
    assert_true(accepted > 500); /* else this test would prove little */
}

/* ---------------------------------------------------------------------------------------- behind the engine's back */

static void test_a_raw_copy_behind_the_back_is_noticed(void **state)
{
    struct machine m = learned_machine(20);
    void *old = machine_copy_knowledge(&m), *unsealed;
    struct habit_result before, result;
    const size_t size = m.memory.knowledge_size;

    (void)state;
    machine_noise(&m);
    before = machine_detect(&m);
    machine_learn_noise(&m, 30);
    unsealed = machine_copy_knowledge(&m);
    machine_noise(&m);
    memcpy(m.memory.knowledge, old, size); /* a good block: used from now on */
    m.seed = 99;
    for (int i = 0; i < 21; i++)
        machine_noise(&m);
    result = machine_detect(&m);
    assert_memory_equal(&before, &result, sizeof(before));
    memcpy(m.memory.knowledge, unsealed, size);
    assert_int_equal(habit_learn(&m.engine, m.buffer, m.count, NULL), HABIT_EUNSEALED);
    assert_int_equal(habit_detect(&m.engine, m.buffer, m.count, &result), HABIT_EUNSEALED);
    memset(m.memory.knowledge, 0, size);
    assert_int_equal(habit_detect(&m.engine, m.buffer, m.count, &result), HABIT_EBLOCK);
    memcpy(m.memory.knowledge, old, size);
    ((uint8_t *)m.memory.knowledge)[size - 50] ^= 1;
    assert_int_equal(habit_attach(&m.engine), HABIT_ECRC);
    assert_int_equal(habit_load(&m.engine, old, size), HABIT_OK);
    result = machine_detect(&m);
    assert_memory_equal(&before, &result, sizeof(before));
    free(old);
    free(unsealed);
    machine_deinit(&m);
}

/* Memory that kept its block: an engine is made on it as it is, or not at all. */
static void test_an_engine_is_opened_on_a_block_that_is_there(void **state)
{
    struct machine m = learned_machine(25);
    uint8_t *saved = machine_copy_knowledge(&m);
    struct habit_engine opened, untouched;
    struct habit_config other = m.config;

    (void)state;
    memset(&opened, 0x5a, sizeof(opened));
    untouched = opened;
    other.sampling_hz = 100.0f;
    assert_int_equal(habit_open(&opened, &other, &m.memory), HABIT_EMISMATCH);
    assert_int_equal(habit_open(NULL, &m.config, &m.memory), HABIT_ENULL);
    assert_int_equal(habit_open(&opened, NULL, &m.memory), HABIT_ENULL);
    assert_memory_equal(&opened, &untouched, sizeof(opened));
    assert_int_equal(habit_open(&opened, &m.config, &m.memory), HABIT_OK);
    assert_memory_equal(m.memory.knowledge, saved, m.memory.knowledge_size);
    machine_learn(&m);
    assert_int_equal(habit_open(&opened, &m.config, &m.memory), HABIT_EUNSEALED);
    ((uint8_t *)m.memory.knowledge)[0] ^= 1;
    assert_int_equal(habit_open(&opened, &m.config, &m.memory), HABIT_EBLOCK);
    free(saved);
    machine_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_saving_and_loading_changes_nothing),
        cmocka_unit_test(test_export_import_export_gives_the_same_bytes),
        cmocka_unit_test(test_a_peek_reads_what_check_refuses),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_an_unsealed_copy_is_refused),
        cmocka_unit_test(test_hostile_knowledge_never_leads_to_nonsense),
        cmocka_unit_test(test_a_raw_copy_behind_the_back_is_noticed),
        cmocka_unit_test(test_an_engine_is_opened_on_a_block_that_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
