/* The machines, with a real store below: which there are, what is learned and judged, once. */
#include "registry_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------- which machines */

static void test_unknown_machines(void **state)
{
    struct bench *bench = *state;
    float samples[VALUES] = { 0 };
    struct pending found[4];

    assert_int_equal(refused(bench, &(struct shot){ .id = "fan", .samples = samples, .buffers = 1 }),
                     REFUSAL_NO_MACHINE);
    assert_int_equal(registry_pending(bench->registry, "", found, 4), 0); /* HTTP is told: no list */
    assert_int_equal(
        refused(bench,
                &(struct shot){ .id = "fan", .samples = samples, .buffers = 1, .topic = "habit/v1/gw/fan/buffer" }),
        REFUSAL_NO_MACHINE);
    assert_int_equal(registry_pending(bench->registry, "", found, 4), 1);
    assert_string_equal(found[0].id, "fan");
    assert_int_equal(found[0].bytes, sizeof(samples));
    assert_false(exists(bench, "fan"));
    assert_int_equal(refused(bench, &(struct shot){ .id = "a/b", .samples = samples, .buffers = 1, .topic = "t" }),
                     REFUSAL_MACHINE_ID);
    assert_int_equal(registry_pending(bench->registry, "", found, 4), 1);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), REFUSAL_NO_MACHINE);
    assert_int_equal(registry_initialize(bench->registry, "fan", bench->now, &bench->refusal), REFUSAL_NO_MACHINE);
    assert_int_equal(registry_delete(bench->registry, "fan", "", &bench->refusal), REFUSAL_NO_MACHINE);
    assert_int_equal(registry_set_sensitivity(bench->registry, "fan", 1, "", &bench->refusal), REFUSAL_NO_MACHINE);
}

static void test_machine_by_pattern(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(one(bench, "auto-1", INTENT_BUFFER, 1, NULL).status, VERDICT_LEARNED);
    assert_true(exists(bench, "auto-1"));
    assert_int_equal(view(bench, "auto-1").settings.buffer_size, SAMPLES);
    assert_int_equal(view(bench, "auto-1").state.phase, PHASE_LEARNING);
    restart(bench);
    assert_int_equal(view(bench, "auto-1").learning.learned, 1);
}

static void test_put_patch_delete(void **state)
{
    struct bench *bench = *state;
    struct machine_view found;
    char etag[ETAG_SIZE], later[ETAG_SIZE];
    bool created = false;

    assert_int_equal(registry_put(bench->registry, "fan", geometry, strlen(geometry), "", &created, &bench->refusal),
                     0);
    assert_true(created);
    assert_int_equal(registry_show(bench->registry, "fan", &found, etag, bench->now, &bench->refusal), 0);
    assert_int_equal(found.state.phase, PHASE_NEW);
    assert_int_equal(found.settings.window, K);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"window\":5}", 12, etag, &bench->refusal), 0);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"window\":6}", 12, etag, &bench->refusal),
                     REFUSAL_PRECONDITION);
    assert_int_equal(registry_show(bench->registry, "fan", &found, later, bench->now, &bench->refusal), 0);
    assert_string_not_equal(etag, later);
    assert_int_equal(found.settings.window, 5);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"window\":null}", 15, later, &bench->refusal), 0);
    assert_int_equal(view(bench, "fan").settings.window, K);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"windows\":5}", 13, "", &bench->refusal),
                     REFUSAL_UNKNOWN_FIELD);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"window\":65}", 13, "", &bench->refusal), REFUSAL_RANGE);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"threshold\":99}", 16, "", &bench->refusal),
                     REFUSAL_RANGE); /* clear is 93 */
    assert_int_equal(registry_put(bench->registry, "fan", geometry, strlen(geometry), "", &created, &bench->refusal),
                     0);
    assert_false(created);
    assert_int_equal(registry_put(bench->registry, "bare", "{}", 2, "", &created, &bench->refusal),
                     REFUSAL_RANGE); /* no geometry */
    assert_false(exists(bench, "bare"));
    assert_int_equal(registry_delete(bench->registry, "fan", later, &bench->refusal), REFUSAL_PRECONDITION);
    assert_int_equal(registry_delete(bench->registry, "fan", "", &bench->refusal), 0);
    assert_int_equal(registry_delete(bench->registry, "fan", "", &bench->refusal), REFUSAL_NO_MACHINE); /* H43 */
    restart(bench);
    assert_false(exists(bench, "fan"));
}

static void test_recreated_machine_knows_nothing(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta = numbered(5);

    put(bench, "fan", geometry);
    learn(bench, "fan", 20);
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_LEARNED);
    assert_int_equal(registry_delete(bench->registry, "fan", "", &bench->refusal), 0);
    put(bench, "fan", geometry);
    assert_int_equal(view(bench, "fan").learning.learned, 0);
    assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, NULL).status, VERDICT_NOT_READY);
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_LEARNED); /* no duplicate */
}

static void test_most_machines(void **state)
{
    struct bench *bench = *state;
    float samples[VALUES] = { 0 };
    bool created;

    bench->config.machines = 3;
    put(bench, "a", geometry);
    put(bench, "b", geometry);
    assert_int_equal(one(bench, "auto-1", INTENT_BUFFER, 1, NULL).status, VERDICT_LEARNED);
    assert_int_equal(registry_put(bench->registry, "c", geometry, strlen(geometry), "", &created, &bench->refusal),
                     REFUSAL_LIMIT);
    assert_int_equal(bench->refusal.limit, 3);
    assert_int_not_equal(
        refused(bench, &(struct shot){ .id = "auto-2", .samples = samples, .buffers = 1, .topic = "t" }), 0);
    assert_false(exists(bench, "c"));
    assert_false(exists(bench, "auto-2"));
    put(bench, "a", geometry); /* one that exists is no new one */
    assert_int_equal(registry_delete(bench->registry, "b", "", &bench->refusal), 0);
    put(bench, "c", geometry);
}

static void test_list_in_pages(void **state)
{
    static const char *const sorted[] = { "B", "a", "a-1", "a_1", "b" };
    static const char *const order[] = { "b", "a_1", "B", "a", "a-1" };
    struct bench *bench = *state;
    struct machine_view views[5];
    char after[MACHINE_ID_SIZE] = "";
    size_t seen = 0;
    int count;

    for (size_t i = 0; i < COUNT(order); i++)
        put(bench, order[i], geometry);
    while ((count = registry_list(bench->registry, after, views, 2, bench->now)) > 0)
        for (int i = 0; i < count; i++) {
            assert_string_equal(views[i].id, sorted[seen++]);
            memcpy(after, views[i].id, sizeof(after));
        }
    assert_int_equal(count, 0);
    assert_int_equal(seen, COUNT(sorted));
}

static void test_adopt_derives_the_buffer_size(void **state)
{
    struct bench *bench = *state;
    float samples[VALUES] = { 0 };
    struct pending found[4];

    assert_int_equal(refused(bench, &(struct shot){ .id = "fan", .samples = samples, .buffers = 1, .topic = "t" }),
                     REFUSAL_NO_MACHINE);
    assert_int_equal(registry_adopt(bench->registry, "pump", "{\"axes\":2}", 10, &bench->refusal), REFUSAL_NOT_FOUND);
    assert_int_not_equal(registry_adopt(bench->registry, "fan", "{\"axes\":5}", 10, &bench->refusal),
                         0); /* 64 values are not 5 axes */
    assert_false(exists(bench, "fan"));
    assert_int_equal(registry_adopt(bench->registry, "fan", "{\"axes\":2}", 10, &bench->refusal), 0);
    assert_int_equal(view(bench, "fan").settings.buffer_size, SAMPLES);
    assert_int_equal(view(bench, "fan").settings.axes, AXES);
    assert_int_equal(registry_pending(bench->registry, "", found, 4), 0);
    learn(bench, "fan", 1);
    assert_int_equal(refused(bench, &(struct shot){ .id = "pump", .samples = samples, .buffers = 1, .topic = "t" }),
                     REFUSAL_NO_MACHINE);
    assert_int_equal(registry_adopt(bench->registry, "pump", "{\"axes\":1,\"format\":\"i16\"}", 25, &bench->refusal),
                     0);
    assert_int_equal(view(bench, "pump").settings.buffer_size, 2 * VALUES); /* two bytes a value */
}

/* -------------------------------------------------------------------------------------------------- learn and detect */

/* What the file says stays the file's: a later change of it counts. */
static void test_adopt_takes_only_what_it_says(void **state)
{
    struct bench *bench = *state;
    float samples[VALUES] = { 0 };

    add_pattern(bench, "pump-*", false, "buffer_size=32 axes=2");
    assert_int_equal(
        refused(bench, &(struct shot){ .id = "pump-1", .samples = samples, .buffers = 1, .topic = "pump-1/buffer" }),
        REFUSAL_NO_MACHINE);
    assert_int_equal(registry_adopt(bench->registry, "pump-1", "{}", 2, &bench->refusal), 0);
    assert_int_equal(view(bench, "pump-1").settings.origin[SETTING_buffer_size], ORIGIN_FILE);
    assert_int_equal(database_number(bench->path, "SELECT settings = '{}' FROM machine WHERE name = 'pump-1'"), 1);
}

/* Shown as people see it, though the clock was set since the start. */
static void test_a_new_machine_is_new_since_now(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    bench->now.wall += INT64_C(86400000);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    one(bench, "auto-1", INTENT_DETECT, 1, NULL);
    assert_in_range(view(bench, "auto-1").state.phase_since, bench->now.wall - 1000, bench->now.wall);
}

/* A row of strange windows is of one window: what smaller ones begin with does not count for it. */
static void test_another_window_begins_another_row(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 300);
    for (int i = 0; i < 12; i++)
        assert_int_equal(one(bench, "fan", INTENT_DETECT, 20, NULL).anomaly, 0);
    assert_true(view(bench, "fan").state.memory.below > 0);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"window\":1}", 12, "", &bench->refusal), 0);
    assert_int_equal(view(bench, "fan").state.memory.below, 0);
    learn(bench, "auto-1", 300);
    for (int i = 0; i < 12; i++)
        one(bench, "auto-1", INTENT_DETECT, 20, NULL);
    assert_true(view(bench, "auto-1").state.memory.below > 0);
    add_pattern(bench, "auto-1", true, "window=1"); /* as the file says after a restart */
    restart(bench);
    assert_int_equal(view(bench, "auto-1").settings.window, 1);
    assert_int_equal(view(bench, "auto-1").state.memory.below, 0);
}

static void test_learn_then_detect(void **state)
{
    struct bench *bench = *state;
    unsigned int below = 0;
    struct verdict verdict;

    put(bench, "fan", geometry);
    assert_int_equal(one(bench, "fan", INTENT_BUFFER, 1, NULL).status, VERDICT_IDLE);
    verdict = one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(verdict.status, VERDICT_NOT_READY);
    assert_true(verdict.learning.needed > 0);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), 0);
    for (unsigned int i = 1; i <= 100; i++) {
        verdict = one(bench, "fan", INTENT_LEARN, 1, NULL);
        assert_int_equal(verdict.status, VERDICT_LEARNED);
        assert_int_equal(verdict.learning.learned, i);
    }
    for (unsigned int i = 0; i < 50; i++) {
        verdict = one(bench, "fan", INTENT_DETECT, 1, NULL);
        assert_int_equal(verdict.status, VERDICT_OK);
        below += verdict.detection.similarity < 90;
        assert_int_equal(verdict.average.known, i + 1 >= K);
    }
    assert_in_range(below, 0, 5);
    assert_int_equal(verdict.anomaly, 0);
    assert_true(one(bench, "fan", INTENT_DETECT, 20, NULL).detection.similarity < 50);
    assert_int_equal(view(bench, "fan").learning.learned, 100); /* judging changes nothing */
}

static void test_bodies_that_do_not_fit(void **state)
{
    struct bench *bench = *state;
    float samples[2 * VALUES] = { 1, 2, 3 };
    struct verdict verdicts[BATCH];
    struct arrival arrival = {
        .id = "fan", .intent = INTENT_LEARN, .encoding = ENCODING_RAW, .bytes = samples, .format = -1, .now = bench->now
    };
    size_t count;

    put(bench, "fan", geometry);
    for (size_t size = 0; size < sizeof(samples); size++) {
        int r;

        if (size == sizeof(samples) / 2)
            continue;
        arrival.size = size;
        r = registry_submit(bench->registry, &arrival, verdicts, BATCH, &count, NULL, &bench->refusal);
        if (r <= 0 || r >= REFUSAL_CODES)
            fail_msg("%zu bytes: %d", size, r);
    }
    assert_int_equal(view(bench, "fan").learning.learned, 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), 0);
}

static void test_raise_and_clear(void **state)
{
    struct bench *bench = *state;
    struct store_figures figures;
    struct anomaly found[4];
    struct anomaly_query query = { .limit = 4 };
    int64_t raised;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"asset\":\"hall\",\"false_alarms\":\"off\"}");
    learn(bench, "fan", 100);
    for (int i = 0; i < K; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    for (int i = 0; i < K && view(bench, "fan").state.anomaly == 0; i++)
        one(bench, "fan", INTENT_DETECT, 20, NULL);
    raised = view(bench, "fan").state.anomaly;
    assert_true(raised > 0);
    assert_int_equal(store_anomalies(bench->store, &query, found), 1); /* durable before it was answered */
    assert_int_equal(found[0].id, raised);
    assert_string_equal(found[0].machine, "fan");
    assert_string_equal(found[0].asset, "hall");
    assert_int_equal(found[0].cleared, 0);
    assert_true(found[0].similarity < 90);
    free(found[0].explanation);
    for (int i = 0; i < 4 * K && view(bench, "fan").state.anomaly != 0; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(view(bench, "fan").state.anomaly, 0);
    assert_int_equal(store_anomalies(bench->store, &query, found), 1);
    assert_true(found[0].cleared >= found[0].raised);
    assert_int_equal(found[0].event, ANOMALY_CLEARED);
    free(found[0].explanation);
    assert_true(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/anomaly'") >= 2);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.failed_commits, 0);
}

/* A slow decline: the row says the lowest average and the largest distance, also where they were not worth a message. */
static void test_the_row_of_an_anomaly_says_the_worst(void **state)
{
    struct bench *bench = *state;
    struct anomaly_query query = { .limit = 1 };
    unsigned int lowest = 100;
    struct anomaly found;
    float largest = 0;

    put(bench, "fan", geometry);
    learn(bench, "fan", 100);
    for (int i = 0; i < 150; i++) {
        struct verdict verdict = one(bench, "fan", INTENT_DETECT, i < 100 ? 1.0f + 0.02f * (float)i : 1, NULL);

        if (verdict.anomaly == 0 || !verdict.average.known)
            continue;
        lowest = verdict.average.similarity < lowest ? verdict.average.similarity : lowest;
        largest = verdict.average.distance > largest ? verdict.average.distance : largest;
    }
    assert_in_range(lowest, 0, 89);
    assert_int_equal(view(bench, "fan").state.anomaly, 0);
    assert_int_equal(store_anomalies(bench->store, &query, &found), 1);
    assert_int_equal(found.similarity, lowest);
    assert_true(found.distance == largest);
    free(found.explanation);
}

/* Buffers that a source kept while it was cut off are hours old, but the machine that sends them is heard. */
static void test_a_backlog_is_not_silence(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta = { .has_age = true, .age_ms = 5 * (uint64_t)HOUR_MS };

    put(bench, "fan", geometry);
    for (int i = 0; i < 5; i++) {
        one(bench, "fan", INTENT_LEARN, 1, &meta);
        assert_true(view(bench, "fan").online);
    }
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM hour"),
                     1); /* counted in the hour when it was measured */
    assert_true(database_number(bench->path, "SELECT start FROM hour") < bench->now.wall - 4 * (int64_t)HOUR_MS);
}

static void test_sensitivity(void **state)
{
    static const float wrong[] = { 0, -1, 100.001f, NAN, INFINITY };
    struct bench *bench = *state;
    float samples[VALUES];
    struct verdict verdict[BATCH];
    size_t count;
    struct shot shot = { .id = "fan", .intent = INTENT_DETECT, .samples = samples, .buffers = 1 };
    uint8_t before;

    put(bench, "fan", geometry);
    learn(bench, "fan", 60);
    fill(&bench->seed, samples, 1, 2);
    assert_int_equal(shoot(bench, &shot, verdict, &count), 0);
    before = verdict[0].detection.similarity;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(registry_set_sensitivity(bench->registry, "fan", wrong[i], "", &bench->refusal),
                         REFUSAL_RANGE);
    assert_int_equal(registry_set_sensitivity(bench->registry, "fan", 5, "", &bench->refusal), 0);
    assert_int_equal(shoot(bench, &shot, verdict, &count), 0);
    assert_true(verdict[0].detection.similarity < before);
    assert_true(verdict[0].sensitivity == 5);
    restart(bench);
    assert_true(view(bench, "fan").settings.sensitivity == 5);
    shot.dry_run = true;
    assert_int_equal(shoot(bench, &shot, verdict, &count), 0);
    assert_true(verdict[0].detection.similarity < before);
}

/* Checks that what was judged is there from the first-th buffer on, by the time of each; *after goes on. */
static size_t check_recent(struct bench *bench, uint64_t *after, const int64_t *judged, size_t first)
{
    struct recent_point points[LIMIT_RECENT];
    size_t count;

    assert_int_equal(registry_recent(bench->registry, "fan", *after, points, &count, after, &bench->refusal), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(points[i].at, judged[first + i]);
    return count;
}

/* Of a machine that nobody looks at few are kept; from the first look on many. */
static void test_recent(void **state)
{
    enum { BEFORE = 30, FEW = 12, ALL = BEFORE + LIMIT_RECENT + 5 };
    struct bench *bench = *state;
    int64_t judged[ALL];
    uint64_t after = 0, all = 0;

    put(bench, "fan", geometry);
    learn(bench, "fan", 20);
    for (size_t i = 0; i < ALL; i++) {
        judged[i] = one(bench, "fan", INTENT_DETECT, 1, NULL).at;
        if (i == BEFORE - 1)
            assert_int_equal(check_recent(bench, &after, judged, BEFORE - FEW), FEW);
        else if (i == BEFORE + 9)
            assert_int_equal(check_recent(bench, &after, judged, BEFORE), 10);
        else if (i == BEFORE + 99)
            assert_int_equal(check_recent(bench, &all, judged, BEFORE - FEW), FEW + 100);
    }
    all = 0;
    assert_int_equal(check_recent(bench, &all, judged, ALL - LIMIT_RECENT), LIMIT_RECENT);
    assert_int_equal(all, ALL);
}

/* ------------------------------------------------------------------------------------------------------- exactly once */

static void test_duplicates(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta;
    struct verdict verdicts[BATCH];
    float samples[4 * VALUES];
    struct block before;
    size_t count;

    put(bench, "fan", geometry);
    for (uint64_t seq = 10; seq < 20; seq++) {
        meta = numbered(seq);
        assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_LEARNED);
    }
    before = knowledge(bench, "fan");
    for (uint64_t seq = 10; seq < 20; seq++) {
        meta = numbered(seq);
        assert_int_equal(one(bench, "fan", seq % 2 ? INTENT_LEARN : INTENT_DETECT, 1, &meta).status, VERDICT_DUPLICATE);
    }
    check_same_blocks(before, knowledge(bench, "fan"));
    meta = numbered(18); /* a batch that overlaps: 18 and 19 are known, 20 and 21 not */
    fill(&bench->seed, samples, 4, 1);
    assert_int_equal(
        shoot(bench,
              &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 4, .meta = &meta },
              verdicts, &count),
        0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(verdicts[i].status, i < 2 ? VERDICT_DUPLICATE : VERDICT_LEARNED);
    assert_int_equal(view(bench, "fan").learning.learned, 12);
    snprintf(meta.boot, sizeof(meta.boot), "a2");
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_LEARNED); /* another boot */
    restart(bench);
    meta = numbered(21);
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_DUPLICATE);
    meta = numbered(22);
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_LEARNED);
    assert_int_equal(view(bench, "fan").learning.learned, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_machines),
        TEST(test_machine_by_pattern),
        TEST(test_put_patch_delete),
        TEST(test_recreated_machine_knows_nothing),
        TEST(test_most_machines),
        TEST(test_list_in_pages),
        TEST(test_adopt_derives_the_buffer_size),
        TEST(test_adopt_takes_only_what_it_says),
        TEST(test_a_new_machine_is_new_since_now),
        TEST(test_another_window_begins_another_row),
        TEST(test_learn_then_detect),
        TEST(test_bodies_that_do_not_fit),
        TEST(test_raise_and_clear),
        TEST(test_the_row_of_an_anomaly_says_the_worst),
        TEST(test_a_backlog_is_not_silence),
        TEST(test_sensitivity),
        TEST(test_recent),
        TEST(test_duplicates),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
