/* The knowledge block: saving changes nothing, damage is refused, and so is nonsense with a good CRC. */
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

static void test_every_flipped_bit_is_refused(void **state)
{
    struct machine m = learned_machine(20);
    uint8_t *block = machine_copy_knowledge(&m);

    (void)state;
    for (size_t bit = 0; bit < 8 * m.memory.knowledge_size; bit++) {
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (habit_load(&m.engine, block, m.memory.knowledge_size) == HABIT_OK)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_memory_equal(block, m.memory.knowledge, m.memory.knowledge_size);
    free(block);
    machine_deinit(&m);
}

/* Each in memory of its own size, so that sanitizers see a byte that is read behind it. */
static void test_every_truncation_is_refused(void **state)
{
    struct machine m = learned_machine(20);

    (void)state;
    for (size_t size = 0; size < m.memory.knowledge_size; size++) {
        uint8_t *block = malloc(size + (size == 0));

        assert_non_null(block);
        memcpy(block, m.memory.knowledge, size);
        assert_int_equal(habit_check(block, size, NULL), HABIT_EBLOCK);
        free(block);
    }
    machine_deinit(&m);
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

struct mutant {
    const char *what;
    int expected;
    void (*change)(uint8_t *block, const struct habit_layout *layout);
};

static void put(uint8_t *block, size_t offset, uint32_t word)
{
    memcpy(block + offset, &word, sizeof(word));
}

static void put_float(uint8_t *block, size_t offset, float value)
{
    memcpy(block + offset, &value, sizeof(value));
}

#define LEDGER(field) (HABIT_HEADER_SIZE + offsetof(struct habit_ledger, field))

static size_t model_at(const struct habit_layout *layout, enum habit_view_index view, size_t offset)
{
    return 4 * (size_t)layout->model[view] + offset;
}

/* The modes' scatter, behind counts and means. */
static size_t scatter_at(const struct habit_layout *layout)
{
    const struct habit_shape *shape = &layout->view[HABIT_SPECTRUM];

    return model_at(layout, HABIT_SPECTRUM, 4 * (3 + shape->points * (3 + shape->dimension)));
}

#define MUTANT(name, ...)                                               \
    static void name(uint8_t *block, const struct habit_layout *layout) \
    {                                                                   \
        (void)layout;                                                   \
        __VA_ARGS__;                                                    \
    }

MUTANT(other_magic, block[0] = 'h')
MUTANT(other_format, block[4] = 2)
MUTANT(other_header, block[6] = 64)
MUTANT(other_size, put(block, 8, 8))
MUTANT(reserved_used, block[127] = 1)
MUTANT(no_stamp, put(block, 20, 0))
MUTANT(sensitivity_nan, put(block, 28, 0x7fc00000u))
MUTANT(sensitivity_negative, put_float(block, 28, -1.0f))
MUTANT(no_samples, memset(block + 32, 0, 2))
MUTANT(other_samples, block[32] ^= 64)
MUTANT(many_axes, block[34] = 200)
MUTANT(other_profile, block[35] = HABIT_PROFILE_LARGE)
MUTANT(unknown_profile, block[35] = 77)
MUTANT(rate_infinite, put(block, 36, 0x7f800000u))
MUTANT(scale_zero, put(block, 40, 0))
MUTANT(unit_with_gap, block[50] = 'x')
MUTANT(started_twice, put(block, LEDGER(started), 2))
MUTANT(count_huge, put(block, LEDGER(count), UINT32_MAX))
MUTANT(count_none, put(block, LEDGER(count), 0))
MUTANT(not_started, put(block, LEDGER(started), 0))
MUTANT(weight_large, put_float(block, LEDGER(weight), 2.0f))
MUTANT(alarms_nan, put(block, LEDGER(alarms), 0x7fc00000u))
MUTANT(baseline_odd, put(block, LEDGER(baseline), 3))
MUTANT(baseline_empty, put(block, LEDGER(baseline), 1))
MUTANT(scores_huge, put(block, LEDGER(calibration.scores), UINT32_MAX))
MUTANT(scores_none, put(block, LEDGER(calibration.scores), 0))
MUTANT(weights_zero, put(block, LEDGER(calibration.weights.sum), 0))
MUTANT(weights_impossible, put_float(block, LEDGER(calibration.weights.squares), 1e11f))
MUTANT(line_nan, put(block, LEDGER(calibration.view[1].mean), 0xffc00000u))
MUTANT(line_scatter_negative, put_float(block, LEDGER(calibration.view[0].scatter), -1.0f))
MUTANT(scatter_scores_none, put(block, LEDGER(scatter.scores), 0))
MUTANT(scatter_subnormal, put(block, LEDGER(scatter.lagged), 1))
MUTANT(window_scatter_negative, put_float(block, LEDGER(scatter.window.scatter), -1.0f))
MUTANT(window_trailed_nan, put(block, LEDGER(scatter.window.trailed), 0x7fc00000))
MUTANT(window_trail_huge, put_float(block, LEDGER(scatter.window.trail), 1e7f))
MUTANT(rms_negative, put_float(block, 4 * (size_t)layout->rms, -1.0f))
MUTANT(modes_none, put(block, model_at(layout, HABIT_SPECTRUM, 0), 0))
MUTANT(modes_many, put(block, model_at(layout, HABIT_SPECTRUM, 0), 5))
MUTANT(modes_pinned, put(block, model_at(layout, HABIT_SPECTRUM, 4), 16))
MUTANT(modes_freedom, put_float(block, model_at(layout, HABIT_SPECTRUM, 8), -1.0f))
MUTANT(modes_count, put_float(block, model_at(layout, HABIT_SPECTRUM, 12), 0.0f))
MUTANT(modes_excess, put_float(block, model_at(layout, HABIT_SPECTRUM, 28), 1e6f))
MUTANT(modes_visits, put_float(block, model_at(layout, HABIT_SPECTRUM, 44), -1.0f))
MUTANT(modes_mean, put_float(block, model_at(layout, HABIT_SPECTRUM, 60), 1e30f))
MUTANT(modes_scatter, put_float(block, scatter_at(layout), -1e-3f))
MUTANT(coupling_weight,
       put_float(block, model_at(layout, HABIT_LEVEL, 0) - 4 * habit_coupling_words(&layout->view[HABIT_SPECTRUM]),
                 -1.0f))
MUTANT(coupling_scatter, put_float(block, model_at(layout, HABIT_LEVEL, 0) - 4, -1e-3f))
MUTANT(prototypes_many, put(block, model_at(layout, HABIT_LEVEL, 0), 9))
MUTANT(prototypes_older, put(block, model_at(layout, HABIT_LEVEL, 8), 1000))
MUTANT(prototypes_weights, put_float(block, model_at(layout, HABIT_LEVEL, 16), 0.0f))
MUTANT(prototypes_mean, put_float(block, model_at(layout, HABIT_LEVEL, 24), INFINITY))
MUTANT(prototypes_age, put(block, model_at(layout, HABIT_WAVEFORM, 0) - 4, UINT32_MAX))
MUTANT(waveform_weights, put_float(block, model_at(layout, HABIT_WAVEFORM, 0), -1.0f))
MUTANT(waveform_mean, put(block, model_at(layout, HABIT_WAVEFORM, 8), 0x7f800001u))

#define ROW(name, expected)   \
    {                         \
#name, expected, name \
    }

static const struct mutant mutants[] = {
    ROW(other_magic, HABIT_EBLOCK),
    ROW(other_format, HABIT_EVERSION),
    ROW(other_header, HABIT_EBLOCK),
    ROW(other_size, HABIT_EBLOCK),
    ROW(reserved_used, HABIT_EMEANING),
    ROW(no_stamp, HABIT_EMEANING),
    ROW(sensitivity_nan, HABIT_EMEANING),
    ROW(sensitivity_negative, HABIT_EMEANING),
    ROW(no_samples, HABIT_EMEANING),
    ROW(other_samples, HABIT_EMISMATCH),
    ROW(many_axes, HABIT_EMEANING),
    ROW(other_profile, HABIT_EMEANING),
    ROW(unknown_profile, HABIT_EMEANING),
    ROW(rate_infinite, HABIT_EMEANING),
    ROW(scale_zero, HABIT_EMEANING),
    ROW(unit_with_gap, HABIT_EMEANING),
    ROW(started_twice, HABIT_EMEANING),
    ROW(count_huge, HABIT_EMEANING),
    ROW(count_none, HABIT_EMEANING),
    ROW(not_started, HABIT_EMEANING),
    ROW(weight_large, HABIT_EMEANING),
    ROW(alarms_nan, HABIT_EMEANING),
    ROW(baseline_odd, HABIT_EMEANING),
    ROW(baseline_empty, HABIT_EMEANING),
    ROW(scores_huge, HABIT_EMEANING),
    ROW(scores_none, HABIT_EMEANING),
    ROW(weights_zero, HABIT_EMEANING),
    ROW(weights_impossible, HABIT_EMEANING),
    ROW(line_nan, HABIT_EMEANING),
    ROW(line_scatter_negative, HABIT_EMEANING),
    ROW(scatter_scores_none, HABIT_EMEANING),
    ROW(scatter_subnormal, HABIT_EMEANING),
    ROW(window_scatter_negative, HABIT_EMEANING),
    ROW(window_trailed_nan, HABIT_EMEANING),
    ROW(window_trail_huge, HABIT_EMEANING),
    ROW(rms_negative, HABIT_EMEANING),
    ROW(modes_none, HABIT_EMEANING),
    ROW(modes_many, HABIT_EMEANING),
    ROW(modes_pinned, HABIT_EMEANING),
    ROW(modes_freedom, HABIT_EMEANING),
    ROW(modes_count, HABIT_EMEANING),
    ROW(modes_excess, HABIT_EMEANING),
    ROW(modes_visits, HABIT_EMEANING),
    ROW(modes_mean, HABIT_EMEANING),
    ROW(modes_scatter, HABIT_EMEANING),
    ROW(coupling_weight, HABIT_EMEANING),
    ROW(coupling_scatter, HABIT_EMEANING),
    ROW(prototypes_many, HABIT_EMEANING),
    ROW(prototypes_older, HABIT_EMEANING),
    ROW(prototypes_weights, HABIT_EMEANING),
    ROW(prototypes_mean, HABIT_EMEANING),
    ROW(prototypes_age, HABIT_EMEANING),
    ROW(waveform_weights, HABIT_EMEANING),
    ROW(waveform_mean, HABIT_EMEANING),
};

static void test_sealed_nonsense_is_refused(void **state)
{
    struct machine m = learned_machine(20);
    struct habit_layout layout;

    (void)state;
    assert_true(habit_layout_make(&layout, &m.config));
    for (size_t i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++) {
        uint8_t *block = machine_copy_knowledge(&m);
        int result;

        mutants[i].change(block, &layout);
        block_seal(block, m.memory.knowledge_size);
        result = habit_load(&m.engine, block, m.memory.knowledge_size);
        if (result != mutants[i].expected)
            fail_msg("%s: %d, not %d", mutants[i].what, result, mutants[i].expected);
        free(block);
    }
    machine_deinit(&m);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_saving_and_loading_changes_nothing),
        cmocka_unit_test(test_export_import_export_gives_the_same_bytes),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_an_unsealed_copy_is_refused),
        cmocka_unit_test(test_sealed_nonsense_is_refused),
        cmocka_unit_test(test_hostile_knowledge_never_leads_to_nonsense),
        cmocka_unit_test(test_a_raw_copy_behind_the_back_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
