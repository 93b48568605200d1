/* What is refused, with which answer; and that a refusal leaves knowledge and results as they were, to the byte. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PATTERN = 0x5a };

/* ------------------------------------------------------------------------------------------------ calls that may fail
 * Each wrapper hands out what the engine answered, having seen that a refusal wrote nothing. */

static void assert_unwritten(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(((const uint8_t *)bytes)[i], PATTERN);
}

static int learn(struct machine *m, const float *samples, size_t count)
{
    struct habit_progress progress;
    int status;

    memset(&progress, PATTERN, sizeof(progress));
    status = habit_learn(&m->engine, samples, count, &progress);
    if (status != HABIT_OK)
        assert_unwritten(&progress, sizeof(progress));
    return status;
}

static int learn_i16(struct machine *m, const int16_t *samples, size_t count)
{
    struct habit_progress progress;
    int status;

    memset(&progress, PATTERN, sizeof(progress));
    status = habit_learn_i16(&m->engine, samples, count, &progress);
    if (status != HABIT_OK)
        assert_unwritten(&progress, sizeof(progress));
    return status;
}

static int detect(struct machine *m, const float *samples, size_t count)
{
    struct habit_result result;
    int status;

    memset(&result, PATTERN, sizeof(result));
    status = habit_detect(&m->engine, samples, count, &result);
    if (status != HABIT_OK)
        assert_unwritten(&result, sizeof(result));
    return status;
}

static int detect_i16(struct machine *m, const int16_t *samples, size_t count)
{
    struct habit_result result;
    int status;

    memset(&result, PATTERN, sizeof(result));
    status = habit_detect_i16(&m->engine, samples, count, &result);
    if (status != HABIT_OK)
        assert_unwritten(&result, sizeof(result));
    return status;
}

static int judge_window(struct machine *m, const struct habit_window *window)
{
    struct habit_average average;
    int status;

    memset(&average, PATTERN, sizeof(average));
    status = habit_window_result(&m->engine, window, &average);
    if (status != HABIT_OK)
        assert_unwritten(&average, sizeof(average));
    return status;
}

/* --------------------------------------------------------------------------------------------------- one row, one call */

static const int16_t integers[32 * 3] = { 1, 2, 3, -4, 5 };

#define CALL(name, ...)                \
    static int name(struct machine *m) \
    {                                  \
        (void)m;                       \
        __VA_ARGS__;                   \
    }

CALL(learn_nothing, return learn(m, NULL, m->count))
CALL(learn_no_values, return learn(m, m->buffer, 0))
CALL(learn_one_less, return learn(m, m->buffer, m->count - 1))
CALL(learn_one_more, return learn(m, m->buffer, m->count + 1))
CALL(learn_all_there_is, return learn(m, m->buffer, SIZE_MAX))
CALL(learn_i16_nothing, return learn_i16(m, NULL, m->count))
CALL(learn_i16_one_less, return learn_i16(m, integers, m->count - 1))
CALL(detect_nothing, return detect(m, NULL, m->count))
CALL(detect_no_values, return detect(m, m->buffer, 0))
CALL(detect_one_less, return detect(m, m->buffer, m->count - 1))
CALL(detect_one_more, return detect(m, m->buffer, m->count + 1))
CALL(detect_without_result, return habit_detect(&m->engine, m->buffer, m->count, NULL))
CALL(detect_i16_nothing, return detect_i16(m, NULL, m->count))
CALL(detect_i16_one_more, return detect_i16(m, integers, m->count + 1))
CALL(detect_i16_without_result, return habit_detect_i16(&m->engine, integers, m->count, NULL))
CALL(accept_nothing, return habit_accept(&m->engine, NULL, 1))
CALL(accept_no_buffers, return habit_accept(&m->engine, m->buffer, 0))
CALL(accept_all_there_is, return habit_accept(&m->engine, m->buffer, SIZE_MAX))
CALL(accept_beyond_memory, return habit_accept(&m->engine, m->buffer, SIZE_MAX / sizeof(float) / m->count + 1))
CALL(sensitivity_zero, return habit_set_sensitivity(&m->engine, 0.0f))
CALL(sensitivity_negative, return habit_set_sensitivity(&m->engine, -1.0f))
CALL(sensitivity_tiny, return habit_set_sensitivity(&m->engine, 0x1p-149f))
CALL(sensitivity_nan, return habit_set_sensitivity(&m->engine, NAN))
CALL(sensitivity_infinite, return habit_set_sensitivity(&m->engine, INFINITY))
CALL(sensitivity_high, return habit_set_sensitivity(&m->engine, nextafterf(HABIT_MAX_SENSITIVITY, INFINITY)))
CALL(status_without_result, return habit_status(&m->engine, NULL))
CALL(drift_without_result, return habit_drift(&m->engine, NULL))
CALL(load_nothing, return habit_load(&m->engine, NULL, m->memory.knowledge_size))
CALL(load_no_bytes, return habit_load(&m->engine, m->buffer, 0))
CALL(load_garbage, return habit_load(&m->engine, m->memory.scratch, m->memory.scratch_size))
CALL(window_missing, return judge_window(m, NULL))
CALL(scratch_missing, return habit_use_scratch(&m->engine, NULL, m->memory.scratch_size))
CALL(scratch_short, return habit_use_scratch(&m->engine, m->memory.scratch, m->memory.scratch_size - 1))
CALL(scratch_empty, return habit_use_scratch(&m->engine, m->memory.scratch, 0))
CALL(scratch_odd, return habit_use_scratch(&m->engine, (char *)m->memory.scratch + 1, m->memory.scratch_size))
CALL(scratch_half, return habit_use_scratch(&m->engine, (char *)m->memory.scratch + 2, m->memory.scratch_size))

static int window_without_result(struct machine *m)
{
    struct habit_window window;

    assert_int_equal(habit_window_init(&window, 2), HABIT_OK);
    return habit_window_result(&m->engine, &window, NULL);
}

/* Every axis stands still, each at another value. */
static void stand_still(const struct machine *m, float *samples)
{
    for (size_t i = 0; i < m->count; i++)
        samples[i] = (float)(i % m->config.axes);
}

static int learn_constant(struct machine *m)
{
    stand_still(m, m->buffer);
    return learn(m, m->buffer, m->count);
}

/* Not one of several is taken when one cannot be. */
static int accept_second(struct machine *m, void (*spoil)(const struct machine *, float *))
{
    float *two = calloc(2 * m->count, sizeof(float));
    int status;

    assert_non_null(two);
    memcpy(two, m->buffer, m->count * sizeof(float));
    memcpy(two + m->count, m->buffer, m->count * sizeof(float));
    spoil(m, two + m->count);
    status = habit_accept(&m->engine, two, 2);
    free(two);
    return status;
}

static void spoil_last(const struct machine *m, float *samples)
{
    samples[m->count - 1] = NAN;
}

CALL(accept_nan_in_the_second, return accept_second(m, spoil_last))
CALL(accept_constant_second, return accept_second(m, stand_still))

#define ROW(name, expected)   \
    {                         \
#name, expected, name \
    }

static const struct refusal {
    const char *what;
    int expected;
    int (*call)(struct machine *);
} refusals[] = {
    ROW(learn_nothing, HABIT_ENULL),
    ROW(learn_no_values, HABIT_ECOUNT),
    ROW(learn_one_less, HABIT_ECOUNT),
    ROW(learn_one_more, HABIT_ECOUNT),
    ROW(learn_all_there_is, HABIT_ECOUNT),
    ROW(learn_i16_nothing, HABIT_ENULL),
    ROW(learn_i16_one_less, HABIT_ECOUNT),
    ROW(detect_nothing, HABIT_ENULL),
    ROW(detect_no_values, HABIT_ECOUNT),
    ROW(detect_one_less, HABIT_ECOUNT),
    ROW(detect_one_more, HABIT_ECOUNT),
    ROW(detect_without_result, HABIT_ENULL),
    ROW(detect_i16_nothing, HABIT_ENULL),
    ROW(detect_i16_one_more, HABIT_ECOUNT),
    ROW(detect_i16_without_result, HABIT_ENULL),
    ROW(accept_nothing, HABIT_ENULL),
    ROW(accept_no_buffers, HABIT_ECOUNT),
    ROW(accept_all_there_is, HABIT_ECOUNT),
    ROW(accept_beyond_memory, HABIT_ECOUNT),
    ROW(accept_nan_in_the_second, HABIT_EVALUE),
    ROW(sensitivity_zero, HABIT_ERANGE),
    ROW(sensitivity_negative, HABIT_ERANGE),
    ROW(sensitivity_tiny, HABIT_ERANGE),
    ROW(sensitivity_nan, HABIT_ERANGE),
    ROW(sensitivity_infinite, HABIT_ERANGE),
    ROW(sensitivity_high, HABIT_ERANGE),
    ROW(status_without_result, HABIT_ENULL),
    ROW(drift_without_result, HABIT_ENULL),
    ROW(load_nothing, HABIT_ENULL),
    ROW(load_no_bytes, HABIT_EBLOCK),
    ROW(load_garbage, HABIT_EBLOCK),
    ROW(window_missing, HABIT_ENULL),
    ROW(window_without_result, HABIT_ENULL),
    ROW(scratch_missing, HABIT_ENULL),
    ROW(scratch_short, HABIT_EMEMORY),
    ROW(scratch_empty, HABIT_EMEMORY),
    ROW(scratch_odd, HABIT_EMEMORY),
    ROW(scratch_half, HABIT_EMEMORY),
};

/* With one sample a buffer no axis can stand still. */
static const struct refusal refusals_of_several_samples[] = {
    ROW(learn_constant, HABIT_ECONSTANT),
    ROW(accept_constant_second, HABIT_ECONSTANT),
};

/* Before the models start, in their first steps, and with a baseline. */
static const unsigned int phases[] = { 0, 3, 20, 70 };
static const struct geometry {
    unsigned int samples, axes;
    enum habit_profile profile;
} geometries[] = {
    { 32, 3, HABIT_PROFILE_DEFAULT },
    { 1, 3, HABIT_PROFILE_SMALL },
    { 5, 1, HABIT_PROFILE_LARGE },
};

static void check_refusal(const struct refusal *refusal, const struct geometry *g, unsigned int learned)
{
    struct machine m;
    void *before;
    int result;

    machine_init(&m, g->samples, g->axes, g->profile, 7);
    machine_learn_noise(&m, learned);
    machine_noise(&m);
    before = machine_copy_knowledge(&m);
    result = refusal->call(&m);
    if (result != refusal->expected)
        fail_msg("%s, %u samples, %u learned: %d, not %d", refusal->what, g->samples, learned, result,
                 refusal->expected);
    if (memcmp(before, m.memory.knowledge, m.memory.knowledge_size) != 0)
        fail_msg("%s, %u samples, %u learned: the knowledge changed", refusal->what, g->samples, learned);
    free(before);
    machine_deinit(&m);
}

static void test_refusals_leave_the_knowledge_as_it_was(void **state)
{
    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++)
        for (size_t p = 0; p < COUNT(phases); p++) {
            for (size_t i = 0; i < COUNT(refusals); i++)
                check_refusal(&refusals[i], &geometries[g], phases[p]);
            for (size_t i = 0; geometries[g].samples > 1 && i < COUNT(refusals_of_several_samples); i++)
                check_refusal(&refusals_of_several_samples[i], &geometries[g], phases[p]);
        }
}

/* ----------------------------------------------------------------------------------------------------------- values */

/* All that may be done with a buffer, one that the engine must refuse. */
static void check_values_refused(struct machine *m, int expected)
{
    void *before = machine_copy_knowledge(m);

    assert_int_equal(learn(m, m->buffer, m->count), expected);
    assert_int_equal(detect(m, m->buffer, m->count), expected);
    assert_int_equal(habit_accept(&m->engine, m->buffer, 1), expected);
    assert_memory_equal(before, m->memory.knowledge, m->memory.knowledge_size);
    free(before);
}

static void test_a_value_that_is_none_is_refused_wherever_it_stands(void **state)
{
    const float bad[] = { NAN,
                          -NAN,
                          INFINITY,
                          -INFINITY,
                          FLT_MAX,
                          -FLT_MAX,
                          nextafterf(HABIT_MAX_VALUE, INFINITY),
                          -nextafterf(HABIT_MAX_VALUE, INFINITY) };

    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++)
        for (size_t p = 0; p < COUNT(phases); p++) {
            struct machine m;

            machine_init(&m, geometries[g].samples, geometries[g].axes, geometries[g].profile, 11);
            machine_learn_noise(&m, phases[p]);
            machine_noise(&m);
            for (size_t at = 0; at < m.count; at++) {
                const float good = m.buffer[at];

                m.buffer[at] = bad[at % COUNT(bad)];
                check_values_refused(&m, HABIT_EVALUE);
                m.buffer[at] = good;
            }
            for (size_t i = 0; i < COUNT(bad); i++) {
                m.buffer[0] = bad[i];
                check_values_refused(&m, HABIT_EVALUE);
            }
            machine_deinit(&m);
        }
}

static void test_values_up_to_the_limit_are_taken(void **state)
{
    const float edge[] = { HABIT_MAX_VALUE, -HABIT_MAX_VALUE, FLT_MIN, -0.0f, 0x1p-149f };

    (void)state;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        struct machine m;

        machine_init(&m, geometries[g].samples, geometries[g].axes, geometries[g].profile, 13);
        for (size_t i = 0; i < 30; i++) {
            machine_noise(&m);
            m.buffer[i % m.count] = edge[i % COUNT(edge)];
            if (i > 20)
                assert_int_equal(detect(&m, m.buffer, m.count), HABIT_OK);
            assert_int_equal(learn(&m, m.buffer, m.count), HABIT_OK);
        }
        assert_int_equal(habit_accept(&m.engine, m.buffer, 1), HABIT_OK);
        assert_int_equal(habit_seal(&m.engine), HABIT_OK);
        assert_int_equal(habit_check(m.memory.knowledge, m.memory.knowledge_size, NULL), HABIT_OK);
        machine_deinit(&m);
    }
}

/* --------------------------------------------------------------------------------------- engines that are not there */

static int each_call(struct habit_engine *engine, size_t which)
{
    static float samples[3] = { 1.0f, 2.0f, 3.0f };
    static const int16_t steps[3] = { 1, 2, 3 };
    static float scratch[64];
    struct habit_result result;
    struct habit_progress progress;
    struct habit_window window;
    struct habit_average average;
    float drift;

    (void)habit_window_init(&window, 1);
    switch (which) {
    case 0:
        return habit_learn(engine, samples, 3, NULL);
    case 1:
        return habit_learn_i16(engine, steps, 3, NULL);
    case 2:
        return habit_detect(engine, samples, 3, &result);
    case 3:
        return habit_detect_i16(engine, steps, 3, &result);
    case 4:
        return habit_accept(engine, samples, 1);
    case 5:
        return habit_window_result(engine, &window, &average);
    case 6:
        return habit_set_sensitivity(engine, 1.0f);
    case 7:
        return habit_status(engine, &progress);
    case 8:
        return habit_drift(engine, &drift);
    case 9:
        return habit_seal(engine);
    case 10:
        return habit_attach(engine);
    case 11:
        return habit_load(engine, samples, sizeof(samples));
    default:
        return habit_use_scratch(engine, scratch, sizeof(scratch));
    }
}

enum { ALL_CALLS = 13, CALLS_THAT_LOOK = 11 }; /* the first so many look at the knowledge */

static void test_an_engine_that_is_not_there_is_refused_by_every_call(void **state)
{
    struct habit_engine empty;

    (void)state;
    memset(&empty, 0, sizeof(empty));
    for (size_t i = 0; i < ALL_CALLS; i++) {
        assert_int_equal(each_call(NULL, i), HABIT_ENULL);
        assert_int_equal(each_call(&empty, i), HABIT_ENULL);
    }
    assert_true(habit_get_sensitivity(NULL) == 0.0f);
    assert_true(habit_get_sensitivity(&empty) == 0.0f);
}

static void test_knowledge_that_was_damaged_in_memory_is_refused_by_every_call(void **state)
{
    struct machine m;
    uint32_t damage = 0;

    (void)state;
    machine_init(&m, 1, 3, HABIT_PROFILE_DEFAULT, 17);
    machine_learn_noise(&m, 20);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    memcpy((uint8_t *)m.memory.knowledge + 20, &damage, sizeof(damage)); /* the stamp */
    for (size_t i = 0; i < CALLS_THAT_LOOK; i++) {
        void *before = machine_copy_knowledge(&m);

        assert_int_equal(each_call(&m.engine, i), HABIT_ECRC);
        assert_memory_equal(before, m.memory.knowledge, m.memory.knowledge_size);
        free(before);
    }
    machine_deinit(&m);
}

/* The engine's own struct lies in the caller's memory, too. */
static void test_no_scratch_fits_a_configuration_that_was_overwritten(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 8, 1, HABIT_PROFILE_DEFAULT, 19);
    m.engine.config.axes = 0;
    assert_int_equal(habit_use_scratch(&m.engine, m.memory.scratch, m.memory.scratch_size), HABIT_EMEMORY);
    machine_deinit(&m);
}

/* ---------------------------------------------------------------------------------------------- configuration, memory */

static void test_configurations_out_of_range_are_refused(void **state)
{
    const struct habit_config good = { .buffer_size = 8, .axes = 1, .profile = HABIT_PROFILE_SMALL, .scale = 1.0f };
    struct habit_config bad[16];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].buffer_size = 0;
    bad[1].buffer_size = HABIT_MAX_BUFFER_SIZE + 1;
    bad[2].axes = 0;
    bad[3].axes = HABIT_MAX_AXES + 1;
    bad[4].profile = HABIT_PROFILES;
    bad[5].sampling_hz = -1.0f;
    bad[6].sampling_hz = NAN;
    bad[7].sampling_hz = -0.0f;
    bad[8].sampling_hz = 2e15f;
    bad[9].scale = 0.0f;
    bad[10].scale = INFINITY;
    bad[11].scale = -1.0f;
    bad[12].unit[1] = 'g';
    bad[13].unit[0] = '\n';
    bad[14].unit[0] = '\x7f';
    bad[15].unit[HABIT_UNIT_SIZE - 1] = 'g';
    assert_int_not_equal(habit_knowledge_size(&good), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct machine m;
        struct habit_engine before;

        machine_init(&m, 8, 1, HABIT_PROFILE_LARGE, 1);
        memset(&m.engine, PATTERN, sizeof(m.engine));
        before = m.engine;
        assert_int_equal(habit_knowledge_size(&bad[i]), 0);
        assert_int_equal(habit_cache_size(&bad[i]), 0);
        assert_int_equal(habit_scratch_size(&bad[i]), 0);
        assert_int_equal(habit_init(&m.engine, &bad[i], &m.memory), HABIT_ECONFIG);
        assert_memory_equal(&before, &m.engine, sizeof(before));
        machine_deinit(&m);
    }
    assert_int_equal(habit_knowledge_size(NULL), 0);
    assert_int_equal(habit_cache_size(NULL), 0);
    assert_int_equal(habit_scratch_size(NULL), 0);
}

static void test_a_unit_may_fill_its_field(void **state)
{
    struct habit_config config = { .buffer_size = 8, .axes = 1, .scale = 1.0f };

    (void)state;
    memcpy(config.unit, "mm/s peak ~~", HABIT_UNIT_SIZE);
    assert_int_not_equal(habit_knowledge_size(&config), 0);
}

static void check_memory(const struct machine *m, const struct habit_memory *memory, int expected)
{
    struct habit_engine engine, before;
    void *knowledge = machine_copy_knowledge(m);

    memset(&engine, PATTERN, sizeof(engine));
    before = engine;
    assert_int_equal(habit_init(&engine, &m->config, memory), expected);
    assert_memory_equal(&before, &engine, sizeof(engine));
    assert_memory_equal(knowledge, m->memory.knowledge, m->memory.knowledge_size);
    free(knowledge);
}

static void test_memory_that_does_not_fit_is_refused(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, 32, 2, HABIT_PROFILE_DEFAULT, 1);
    machine_learn_noise(&m, 9);
    for (size_t part = 0; part < 3; part++) {
        const struct habit_memory good = m.memory;
        struct habit_memory bad = good;
        void **memory[3] = { &bad.knowledge, &bad.cache, &bad.scratch };
        size_t *size[3] = { &bad.knowledge_size, &bad.cache_size, &bad.scratch_size };

        *memory[part] = NULL;
        check_memory(&m, &bad, HABIT_ENULL);
        bad = good;
        *size[part] -= 1;
        check_memory(&m, &bad, HABIT_EMEMORY);
        *size[part] = 0;
        check_memory(&m, &bad, HABIT_EMEMORY);
        for (int off = 1; off < 4; off++) {
            bad = good;
            *memory[part] = (char *)*memory[part] + off;
            check_memory(&m, &bad, HABIT_EMEMORY);
        }
    }
    check_memory(&m, NULL, HABIT_ENULL);
    assert_int_equal(habit_init(NULL, &m.config, &m.memory), HABIT_ENULL);
    assert_int_equal(habit_init(&m.engine, NULL, &m.memory), HABIT_ENULL);
    machine_deinit(&m);
}

/* ------------------------------------------------------------------------------------------------------ blocks, windows */

static void test_a_block_of_another_sensor_is_refused(void **state)
{
    static const enum habit_field expected[] = { HABIT_FIELD_BUFFER_SIZE, HABIT_FIELD_AXES,  HABIT_FIELD_PROFILE,
                                                 HABIT_FIELD_SAMPLING_HZ, HABIT_FIELD_SCALE, HABIT_FIELD_UNIT };
    struct machine m;

    (void)state;
    machine_init(&m, 32, 3, HABIT_PROFILE_DEFAULT, 23);
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct machine other;

        machine_init(&other, i == 0 ? 33 : 32, i == 1 ? 2 : 3, i == 2 ? HABIT_PROFILE_SMALL : HABIT_PROFILE_DEFAULT,
                     29);
        other.config.sampling_hz = i == 3 ? 1.0f : 0.0f;
        other.config.scale = i == 4 ? 2.0f : 1.0f;
        other.config.unit[0] = i == 5 ? 'g' : '\0';
        assert_int_equal(habit_init(&other.engine, &other.config, &other.memory), HABIT_OK);
        assert_int_equal(habit_seal(&other.engine), HABIT_OK);
        assert_int_equal(habit_config_compare(&m.config, &other.config), expected[i]);
        assert_int_equal(habit_load(&m.engine, other.memory.knowledge, other.memory.knowledge_size), HABIT_EMISMATCH);
        machine_deinit(&other);
    }
    machine_deinit(&m);
    assert_int_equal(habit_check(NULL, 4096, NULL), HABIT_ENULL);
}

struct bad_window {
    struct habit_window window;
    bool ring; /* its counts can be used: another detection can be added */
};

static void test_windows_that_are_none_are_refused(void **state)
{
    static const struct bad_window bad[] = {
        { { .size = 0 }, false },
        { { .size = HABIT_MAX_WINDOW + 1 }, false },
        { { .size = UINT16_MAX }, false },
        { { .size = 3, .count = 4 }, false },
        { { .size = 3, .next = 3 }, false },
        { { .size = 3, .count = 1, .next = 2 }, true },
        { { .size = 3, .reserved = 1 }, true },
        { { .size = 3, .score = { NAN } }, true },
        { { .size = 3, .score = { [HABIT_MAX_WINDOW - 1] = INFINITY } }, true },
        { { .size = 3, .score = { -1.1e6f } }, true },
    };
    struct machine m;
    struct habit_result result;
    struct habit_window window;

    (void)state;
    machine_init(&m, 16, 1, HABIT_PROFILE_DEFAULT, 31);
    machine_learn_noise(&m, 30);
    result = machine_detect(&m);
    for (size_t i = 0; i < COUNT(bad); i++) {
        window = bad[i].window;
        assert_false(habit_window_valid(&window));
        assert_int_equal(judge_window(&m, &window), HABIT_ERANGE);
        assert_int_equal(habit_window_add(&window, &result), bad[i].ring ? HABIT_OK : HABIT_ERANGE);
        if (!bad[i].ring)
            assert_memory_equal(&window, &bad[i].window, sizeof(window));
    }
    assert_false(habit_window_valid(NULL));
    assert_int_equal(habit_window_init(NULL, 3), HABIT_ENULL);
    assert_int_equal(habit_window_init(&window, 0), HABIT_ERANGE);
    assert_int_equal(habit_window_init(&window, HABIT_MAX_WINDOW + 1), HABIT_ERANGE);
    assert_int_equal(habit_window_init(&window, 3), HABIT_OK);
    assert_int_equal(habit_window_add(NULL, &result), HABIT_ENULL);
    assert_int_equal(habit_window_add(&window, NULL), HABIT_ENULL);
    result.score = NAN; /* of a result that no detection wrote; it would be a window no more until K others came */
    assert_int_equal(habit_window_add(&window, &result), HABIT_EVALUE);
    assert_int_equal(window.count, 0);
    result.score = INFINITY;
    assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
    assert_true(habit_window_valid(&window));
    machine_deinit(&m);
}

/* ------------------------------------------------------------------------------------------------------------ texts */

static void test_every_number_has_a_text(void **state)
{
    (void)state;
#define CHECK(name, value, text)             \
    assert_int_equal(HABIT_##name, (value)); \
    assert_string_equal(habit_text(value), text);
    HABIT_RESULTS(CHECK)
#undef CHECK
    assert_string_equal(habit_text(1), "unknown result");
    for (unsigned int i = 0; i < HABIT_MISSINGS; i++)
        assert_string_not_equal(habit_missing_text((enum habit_missing)i), "unknown");
    assert_string_equal(habit_missing_text(HABIT_MISSINGS), "unknown");
    for (unsigned int i = 0; i < HABIT_KINDS; i++)
        assert_string_not_equal(habit_kind_name((enum habit_kind)i), "unknown");
    assert_string_equal(habit_kind_name(HABIT_KIND_WAVEFORM), "waveform");
    assert_string_equal(habit_kind_name(HABIT_KINDS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_leave_the_knowledge_as_it_was),
        cmocka_unit_test(test_a_value_that_is_none_is_refused_wherever_it_stands),
        cmocka_unit_test(test_values_up_to_the_limit_are_taken),
        cmocka_unit_test(test_an_engine_that_is_not_there_is_refused_by_every_call),
        cmocka_unit_test(test_knowledge_that_was_damaged_in_memory_is_refused_by_every_call),
        cmocka_unit_test(test_no_scratch_fits_a_configuration_that_was_overwritten),
        cmocka_unit_test(test_configurations_out_of_range_are_refused),
        cmocka_unit_test(test_a_unit_may_fill_its_field),
        cmocka_unit_test(test_memory_that_does_not_fit_is_refused),
        cmocka_unit_test(test_a_block_of_another_sensor_is_refused),
        cmocka_unit_test(test_windows_that_are_none_are_refused),
        cmocka_unit_test(test_every_number_has_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
