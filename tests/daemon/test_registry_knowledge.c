/* Knowledge that is forgotten, brought along, refused, or of another geometry than the settings. */
#include "registry_bench.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "habit/engine.h"

/* ------------------------------------------------------------------------------------------------------------- bench */

/* Uploads a block that is taken; whether that made the machine. */
static bool upload(struct bench *bench, const char *id, struct block block)
{
    bool created;

    if (registry_put_knowledge(bench->registry, id, block.bytes, block.size, "", bench->now, &created,
                               &bench->refusal) != 0)
        fail_msg("%s: %s", id, bench->refusal.detail);
    return created;
}

/* The file says another geometry of auto-* than their knowledge has. */
static void restart_with_twice_the_size(struct bench *bench)
{
    bench->config.patterns[0].settings.buffer_size = 2 * SAMPLES;
    restart(bench);
    assert_true(view(bench, "auto-1").conflict);
}

/* ---------------------------------------------------------------------------------------------------------- knowledge */

static void test_initialize(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    assert_int_equal(registry_initialize(bench->registry, "fan", bench->now, &bench->refusal), 0);
    assert_int_equal(view(bench, "fan").learning.learned, 0);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_NEW);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot"), 1);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), 0);
    assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, NULL).status, VERDICT_NOT_READY);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned, 0);
    learn(bench, "fan", 1);
    assert_int_equal(view(bench, "fan").learning.learned, 1);
}

static void test_knowledge_from_elsewhere(void **state)
{
    struct bench *bench = *state;
    struct block block;

    put(bench, "fan", geometry);
    put(bench, "twin", geometry);
    learn(bench, "fan", 50);
    block = knowledge(bench, "fan");
    assert_false(upload(bench, "twin", block));
    assert_int_equal(view(bench, "twin").state.phase, PHASE_WATCHING);
    assert_int_equal(view(bench, "twin").learning.learned, 50);
    assert_int_equal(one(bench, "twin", INTENT_BUFFER, 1, NULL).status, VERDICT_OK);
    assert_true(upload(bench, "new", block));
    assert_int_equal(view(bench, "new").settings.buffer_size, SAMPLES);
    assert_int_equal(view(bench, "new").settings.axes, AXES);
    restart(bench);
    check_same_blocks(block, knowledge(bench, "new")); /* export, import, export: the same bytes */
    assert_int_equal(one(bench, "new", INTENT_DETECT, 1, NULL).status, VERDICT_OK);
}

static void test_knowledge_that_is_refused(void **state)
{
    struct bench *bench = *state;
    struct still before;
    struct block block;
    bool created;

    put(bench, "fan", geometry);
    put(bench, "other", "{\"buffer_size\":64,\"axes\":2}");
    learn(bench, "fan", 30);
    block = knowledge(bench, "fan");
    before = look(bench, "fan");
    assert_int_equal(registry_put_knowledge(bench->registry, "other", block.bytes, block.size, "", bench->now, &created,
                                            &bench->refusal),
                     REFUSAL_KNOWLEDGE);
    assert_non_null(strstr(bench->refusal.detail, "64")); /* both sides are named */
    assert_non_null(strstr(bench->refusal.detail, "32"));
    for (size_t size = 0; size < block.size; size += 1 + size / 8)
        assert_int_equal(registry_put_knowledge(bench->registry, "fan", block.bytes, size, "", bench->now, &created,
                                                &bench->refusal),
                         REFUSAL_KNOWLEDGE);
    for (size_t byte = 0; byte < block.size; byte += 7) {
        ((uint8_t *)block.bytes)[byte] ^= 0x10;
        assert_int_equal(registry_put_knowledge(bench->registry, "fan", block.bytes, block.size, "", bench->now,
                                                &created, &bench->refusal),
                         REFUSAL_KNOWLEDGE);
        assert_int_equal(registry_put_knowledge(bench->registry, "nobody", block.bytes, block.size, "", bench->now,
                                                &created, &bench->refusal),
                         REFUSAL_KNOWLEDGE);
        ((uint8_t *)block.bytes)[byte] ^= 0x10;
    }
    assert_false(exists(bench, "nobody"));
    check_still(bench, "fan", before);
    free(block.bytes);
}

static struct block block_of(const struct habit_config *config, float sensitivity)
{
    struct block block = { .size = habit_knowledge_size(config) };
    struct habit_memory memory = { .cache_size = habit_cache_size(config), .scratch_size = habit_scratch_size(config) };
    struct habit_engine engine;

    memory.knowledge = block.bytes = calloc(1, block.size);
    memory.knowledge_size = block.size;
    memory.cache = calloc(1, memory.cache_size);
    memory.scratch = calloc(1, memory.scratch_size);
    assert_int_equal(habit_init(&engine, config, &memory), HABIT_OK);
    assert_int_equal(habit_set_sensitivity(&engine, sensitivity), HABIT_OK);
    habit_seal(&engine);
    free(memory.cache);
    free(memory.scratch);
    return block;
}

/* The engine takes more than settings do: a machine with such knowledge could not be read back from the disk. */
static void test_a_block_beyond_the_settings(void **state)
{
    static const struct {
        const char *field;
        float sampling_hz, scale, sensitivity;
    } beyond[] = {
        { "sampling_hz", 1e9f, 1, 1 },
        { "scale", 0, 1e13f, 1 },
        { "scale", 0, 1e-13f, 1 },
        { "sensitivity", 0, 1, 1e-9f },
    };
    struct bench *bench = *state;
    struct still before;
    bool created;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    before = look(bench, "fan");
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        struct habit_config config = HABIT_CONFIG_DEFAULT;
        struct block block;

        config.buffer_size = SAMPLES;
        config.axes = AXES;
        config.sampling_hz = beyond[i].sampling_hz;
        config.scale = beyond[i].scale;
        block = block_of(&config, beyond[i].sensitivity);
        for (int old = 0; old <= 1; old++) {
            assert_int_equal(registry_put_knowledge(bench->registry, old ? "fan" : "new", block.bytes, block.size, "",
                                                    bench->now, &created, &bench->refusal),
                             REFUSAL_RANGE);
            assert_string_equal(bench->refusal.field, beyond[i].field);
        }
        free(block.bytes);
    }
    assert_false(exists(bench, "new"));
    check_still(bench, "fan", before);
}

/* The configuration file says another geometry after a restart: what was learned stays until somebody says initialize. */
static void test_geometry_conflict(void **state)
{
    struct bench *bench = *state;
    float samples[2 * VALUES];
    struct registry_figures figures;
    struct verdict verdicts[BATCH];
    struct machine_view found;
    struct block before;
    size_t count;

    for (int i = 0; i < 30; i++)
        one(bench, "auto-1", INTENT_BUFFER, 1, NULL);
    before = knowledge(bench, "auto-1");
    restart_with_twice_the_size(bench);
    found = view(bench, "auto-1");
    assert_non_null(strstr(found.conflict_text, "64"));
    assert_non_null(strstr(found.conflict_text, "32"));
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.conflicts, 1);
    fill(&bench->seed, samples, 2, 1);
    for (size_t buffers = 1; buffers <= 2; buffers++) { /* in either size */
        int r = refused(bench, &(struct shot){ .id = "auto-1", .samples = samples, .buffers = buffers });

        assert_int_equal(r, REFUSAL_GEOMETRY);
    }
    restart(bench);
    check_same_blocks(before, knowledge(bench, "auto-1"));
    assert_int_equal(registry_initialize(bench->registry, "auto-1", bench->now, &bench->refusal), 0);
    assert_false(view(bench, "auto-1").conflict);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot"), 1);
    assert_int_equal(shoot(bench, &(struct shot){ .id = "auto-1", .samples = samples, .buffers = 2 }, verdicts, &count),
                     0);
    assert_int_equal(count, 1); /* one of the new size */
    assert_int_equal(view(bench, "auto-1").learning.learned, 1);
}

static void test_geometry_is_not_patched_away(void **state)
{
    struct bench *bench = *state;
    struct still before;

    put(bench, "fan", geometry);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"axes\":1}", 10, "", &bench->refusal),
                     0); /* nothing learned yet */
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"axes\":2}", 10, "", &bench->refusal), 0);
    learn(bench, "fan", 20);
    before = look(bench, "fan");
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"axes\":1}", 10, "", &bench->refusal), REFUSAL_GEOMETRY);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"sampling_hz\":100}", 19, "", &bench->refusal),
                     REFUSAL_GEOMETRY);
    check_still(bench, "fan", before);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"name\":\"x\"}", 12, "", &bench->refusal), 0);
}

static void test_commissioning_is_bounded(void **state)
{
    struct bench *bench = *state;
    static float samples[64 * VALUES];
    struct verdict verdicts[BATCH];
    size_t count;

    put(bench, "fan", geometry);
    for (int i = 0; i < 6; i++) {
        fill(&bench->seed, samples, 64, 1);
        assert_int_equal(shoot(bench,
                               &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 64 },
                               verdicts, &count),
                         0);
    }
    assert_int_equal(view(bench, "fan").learning.learned, 384);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), LIMIT_COMMISSIONING);
    restart(bench);
    learn(bench, "fan", 3);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), LIMIT_COMMISSIONING);
}

/* Somebody who has seen a block of a machine that is gone must not make it anew. */
static void test_if_match_makes_no_machine(void **state)
{
    struct bench *bench = *state;
    struct block block;
    bool created = false;

    learn(bench, "auto-1", 12);
    block = knowledge(bench, "auto-1");
    assert_int_equal(registry_put_knowledge(bench->registry, "new", block.bytes, block.size, "\"00000000\"", bench->now,
                                            &created, &bench->refusal),
                     REFUSAL_PRECONDITION);
    assert_false(exists(bench, "new"));
    assert_true(upload(bench, "new", block));
    check_same_blocks(block, knowledge(bench, "new"));
}

/* The file says another geometry than the machine's knowledge has; a block of the new one ends that. */
static void test_a_block_ends_a_conflict(void **state)
{
    struct bench *bench = *state;
    struct block block;

    learn(bench, "auto-1", 12);
    put(bench, "wide", "{\"buffer_size\":64,\"axes\":2}");
    block = knowledge(bench, "wide");
    restart_with_twice_the_size(bench);
    assert_false(upload(bench, "auto-1", block));
    assert_false(view(bench, "auto-1").conflict);
    check_same_blocks(block, knowledge(bench, "auto-1"));
}

static void learn_at(struct bench *bench, const char *id, float level, int count)
{
    struct verdict verdicts[BATCH];
    float samples[VALUES];
    size_t got;

    for (int i = 0; i < count; i++) {
        fill(&bench->seed, samples, 1, 1);
        for (size_t j = 0; j < VALUES; j++)
            samples[j] *= level;
        assert_int_equal(shoot(bench, &(struct shot){ .id = id, .samples = samples, .buffers = 1 }, verdicts, &got), 0);
    }
}

/* run_when = level auto finds that what it learned was standing still: it forgets that, but not what was known before. */
static void test_standing_still_takes_no_knowledge_with_it(void **state)
{
    struct bench *bench = *state;
    struct block block;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    block = knowledge(bench, "fan");
    for (int known = 0; known <= 1; known++) {
        const char *id = known ? "knows" : "new";

        if (known)
            upload(bench, id, block);
        put(bench, id, "{\"buffer_size\":32,\"axes\":2,\"run_when\":\"level auto\"}");
        assert_int_equal(registry_commission(bench->registry, id, bench->now, &bench->refusal), 0);
        learn_at(bench, id, 0.01f, 5);
        learn_at(bench, id, 1, 4);
        if (known)
            assert_in_range(view(bench, id).learning.learned, 30 + 5, 30 + 9);
        else
            assert_in_range(view(bench, id).learning.learned, 1, 4);
    }
    free(block.bytes);
}

/* Strange once, normal now: scores of before it learned more raise nothing. */
static void test_the_window_begins_anew_when_learning_ends(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"learn\":60,\"window\":10,\"false_alarms\":\"off\"}");
    learn(bench, "fan", 60);
    for (int i = 0; i < K - 1; i++) /* one more would raise */
        assert_int_equal(one(bench, "fan", INTENT_BUFFER, 20, NULL).anomaly, 0);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), 0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(one(bench, "fan", INTENT_BUFFER, 1, NULL).status, VERDICT_LEARNED);
    for (int i = 0; i < K; i++) {
        struct verdict verdict = one(bench, "fan", INTENT_BUFFER, 1, NULL);

        assert_int_equal(verdict.status, VERDICT_OK);
        assert_int_equal(verdict.anomaly, 0);
        assert_int_equal(verdict.average.known, i == K - 1);
    }
}

/* It goes on learning, as after a restore: watching without being able to judge would help nobody, for ever. */
static void test_a_block_that_cannot_judge_yet(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    put(bench, "old", geometry);
    for (int learned = 0; learned <= 3; learned += 3) {
        const enum phase phase = learned == 0 ? PHASE_NEW : PHASE_LEARNING;
        const char *made = learned == 0 ? "new-0" : "new-3";
        struct block block;

        learn(bench, "fan", (unsigned int)learned);
        block = knowledge(bench, "fan");
        assert_false(upload(bench, "old", block));
        assert_true(upload(bench, made, block));
        free(block.bytes);
        assert_int_equal(view(bench, "old").state.phase, phase);
        assert_int_equal(view(bench, made).state.phase, phase);
        restart(bench);
        assert_int_equal(view(bench, made).state.phase, phase);
    }
    assert_int_equal(one(bench, "new-3", INTENT_BUFFER, 1, NULL).status, VERDICT_LEARNED);
}

static void test_a_paused_machine_is_not_commissioned(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"paused\":true}");
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), REFUSAL_STATE);
    assert_string_equal(bench->refusal.field, "paused");
    assert_int_equal(view(bench, "fan").state.phase, PHASE_PAUSED);
    put(bench, "fan", geometry);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_initialize),
        TEST(test_knowledge_from_elsewhere),
        TEST(test_knowledge_that_is_refused),
        TEST(test_a_block_beyond_the_settings),
        TEST(test_geometry_conflict),
        TEST(test_geometry_is_not_patched_away),
        TEST(test_commissioning_is_bounded),
        TEST(test_if_match_makes_no_machine),
        TEST(test_a_block_ends_a_conflict),
        TEST(test_standing_still_takes_no_knowledge_with_it),
        TEST(test_the_window_begins_anew_when_learning_ends),
        TEST(test_a_block_that_cannot_judge_yet),
        TEST(test_a_paused_machine_is_not_commissioned),
    };

    return cmocka_run_group_tests_name("registry_knowledge", tests, NULL, NULL);
}
