/* The machines, with a real store below: what is learned, judged, refused, taken back, and found again after a restart. */
#include "support.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "registry/registry.h"
#include "report/daily.h"

enum { SAMPLES = 32, AXES = 2, VALUES = SAMPLES * AXES, BATCH = 8, K = 10 };

static const char geometry[] = "{\"buffer_size\":32,\"axes\":2}";

/* ------------------------------------------------------------------------------------------------------------- bench */

struct bench {
    char directory[PATH_SIZE], path[PATH_SIZE + 16];
    struct config config;
    struct store *store;
    struct registry *registry;
    struct moment now;
    struct refusal refusal;
    uint64_t seed;
};

static void start(struct bench *bench)
{
    char message[STORE_MESSAGE_SIZE];

    if (store_open(&bench->store, bench->path, message) != 0)
        fail_msg("%s", message);
    assert_int_equal(registry_new(&bench->registry, &bench->config, bench->store), 0);
}

static void stop(struct bench *bench)
{
    bench->registry = registry_free(bench->registry);
    bench->store = store_close(bench->store);
}

static void restart(struct bench *bench)
{
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    stop(bench);
    start(bench);
}

/* [machine "auto-*"] with create = yes, and what else the text says: "key=value key=value". */
static void add_pattern(struct bench *bench, const char *pattern, bool make, const char *settings)
{
    struct config_pattern *added;
    char text[200], *rest = NULL;

    bench->config.patterns = realloc(bench->config.patterns, (bench->config.pattern_count + 1) * sizeof(*added));
    assert_non_null(bench->config.patterns);
    added = &bench->config.patterns[bench->config.pattern_count++];
    memset(added, 0, sizeof(*added));
    settings_default(&added->settings);
    snprintf(added->pattern, sizeof(added->pattern), "%s", pattern);
    added->create = make;
    added->create_place.line = 1;
    snprintf(text, sizeof(text), "%s", settings);
    for (char *pair = strtok_r(text, " ", &rest); pair; pair = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(pair, '=');

        *value++ = '\0';
        assert_int_equal(settings_set_text(&added->settings, settings_find(pair), value, ORIGIN_FILE, NULL), 0);
    }
}

static struct bench *bench_new(void)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    directory_make(bench->directory);
    snprintf(bench->path, sizeof(bench->path), "%s/habit.db", bench->directory);
    assert_int_equal(config_default(&bench->config), 0);
    bench->now = (struct moment){ .wall = INT64_C(1795353571000), .mono = 1000 };
    bench->seed = 42;
    return bench;
}

static void bench_free(struct bench *bench)
{
    stop(bench);
    config_free(&bench->config);
    directory_remove(bench->directory);
    free(bench);
}

static int set_up(void **state)
{
    struct bench *bench = bench_new();

    add_pattern(bench, "auto-*", true, "buffer_size=32 axes=2 start=auto");
    start(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- buffers */

/* A tone and some noise; `strange` scales the noise. */
static void fill(uint64_t *seed, float *samples, size_t buffers, float strange)
{
    for (size_t i = 0; i < buffers * VALUES; i++) {
        float noise = 0;

        for (int j = 0; j < 4; j++)
            noise += (float)chance_below(seed, 2000) / 1000.0f - 1.0f;
        samples[i] = sinf((float)(i / AXES) * 0.7f) + 0.1f * strange * noise;
    }
}

struct shot {
    const char *id;
    enum intent intent;
    const float *samples;
    size_t buffers;
    const struct wire_meta *meta;
    const char *topic;
    bool dry_run;
    struct receipt *receipt;
};

static int shoot(struct bench *bench, const struct shot *shot, struct verdict *verdicts, size_t *count)
{
    struct arrival arrival = { .id = shot->id,
                               .intent = shot->intent,
                               .encoding = ENCODING_RAW,
                               .bytes = shot->samples,
                               .size = shot->buffers * VALUES * sizeof(float),
                               .dry_run = shot->dry_run,
                               .format = -1,
                               .meta = shot->meta,
                               .topic = shot->topic,
                               .now = bench->now };

    memset(&bench->refusal, 0, sizeof(bench->refusal));
    bench->now.wall += 1000;
    bench->now.mono += 1000;
    return registry_submit(bench->registry, &arrival, verdicts, BATCH, count, shot->receipt, &bench->refusal);
}

/* One buffer of noise; the verdict. */
static struct verdict one(struct bench *bench, const char *id, enum intent intent, float strange,
                          const struct wire_meta *meta)
{
    float samples[VALUES];
    struct verdict verdict[BATCH];
    size_t count = 0;
    int r;

    fill(&bench->seed, samples, 1, strange);
    r = shoot(bench, &(struct shot){ .id = id, .intent = intent, .samples = samples, .buffers = 1, .meta = meta },
              verdict, &count);
    if (r != 0)
        fail_msg("%s: %s", id, bench->refusal.detail);
    assert_int_equal(count, 1);
    return verdict[0];
}

static void learn(struct bench *bench, const char *id, unsigned int count)
{
    while (count-- > 0)
        assert_int_equal(one(bench, id, INTENT_LEARN, 1, NULL).status, VERDICT_LEARNED);
}

static int refused(struct bench *bench, const struct shot *shot)
{
    struct verdict verdicts[BATCH];
    size_t count = 4711;

    return shoot(bench, shot, verdicts, &count);
}

static void put(struct bench *bench, const char *id, const char *json)
{
    bool created = false;

    if (registry_put(bench->registry, id, json, strlen(json), "", &created, &bench->refusal) != 0)
        fail_msg("%s: %s", id, bench->refusal.detail);
}

static struct machine_view view(struct bench *bench, const char *id)
{
    struct machine_view found;
    char etag[ETAG_SIZE];

    if (registry_show(bench->registry, id, &found, etag, bench->now, &bench->refusal) != 0)
        fail_msg("%s: %s", id, bench->refusal.detail);
    return found;
}

static bool exists(struct bench *bench, const char *id)
{
    struct machine_view found;
    char etag[ETAG_SIZE];

    return registry_show(bench->registry, id, &found, etag, bench->now, NULL) == 0;
}

struct block {
    void *bytes;
    size_t size;
    uint32_t crc;
};

static struct block knowledge(struct bench *bench, const char *id)
{
    struct block block = { 0 };

    assert_int_equal(
        registry_get_knowledge(bench->registry, id, &block.bytes, &block.size, &block.crc, &bench->refusal), 0);
    assert_non_null(block.bytes);
    return block;
}

/* Takes both. */
static void check_same_blocks(struct block a, struct block b)
{
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
    assert_int_equal(a.crc, b.crc);
    free(a.bytes);
    free(b.bytes);
}

static struct wire_meta numbered(uint64_t seq)
{
    return (struct wire_meta){ .source = "esp", .boot = "a1", .has_seq = true, .seq = seq };
}

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

/* ----------------------------------------------------------------------------------------------------- all or nothing */

/* What a refused submission must leave as it was. */
struct still {
    struct block block;
    struct machine_view view;
    struct registry_figures figures;
    struct verdict average; /* of a trial: shows the window */
};

static struct verdict trial(struct bench *bench, const char *id)
{
    uint64_t seed = 99;
    float samples[VALUES];
    struct verdict verdict[BATCH];
    size_t count;

    fill(&seed, samples, 1, 1);
    assert_int_equal(
        shoot(bench,
              &(struct shot){ .id = id, .intent = INTENT_DETECT, .samples = samples, .buffers = 1, .dry_run = true },
              verdict, &count),
        0);
    return verdict[0];
}

static struct still look(struct bench *bench, const char *id)
{
    struct still still = { .block = knowledge(bench, id), .view = view(bench, id), .average = trial(bench, id) };

    registry_figures(bench->registry, &still.figures);
    return still;
}

static void check_still(struct bench *bench, const char *id, struct still before)
{
    struct still after = look(bench, id);

    assert_int_equal(after.view.state.phase, before.view.state.phase);
    assert_int_equal(after.view.state.phase_since, before.view.state.phase_since);
    assert_int_equal(after.view.state.phase_learned, before.view.state.phase_learned);
    assert_int_equal(after.view.state.last_learn, before.view.state.last_learn);
    assert_int_equal(after.view.state.last_detect, before.view.state.last_detect);
    assert_int_equal(after.view.state.last_seen, before.view.state.last_seen);
    assert_int_equal(after.view.state.interval, before.view.state.interval);
    assert_int_equal(after.view.state.anomaly, before.view.state.anomaly);
    assert_int_equal(after.view.learning.learned, before.view.learning.learned);
    assert_int_equal(after.view.knowledge_crc, before.view.knowledge_crc);
    assert_int_equal(after.figures.learned, before.figures.learned);
    assert_int_equal(after.figures.detected, before.figures.detected);
    assert_int_equal(after.figures.duplicates, before.figures.duplicates);
    assert_int_equal(after.average.status, before.average.status);
    assert_int_equal(after.average.average.known, before.average.average.known);
    assert_int_equal(after.average.average.similarity, before.average.average.similarity);
    assert_true(after.average.average.distance == before.average.average.distance);
    check_same_blocks(before.block, after.block);
}

/* A constant or impossible buffer at any place of a batch; numbered or not; learned by hand or by the strategy. */
static void test_a_batch_is_all_or_nothing(void **state)
{
    struct bench *bench = *state;
    float samples[5 * VALUES];

    put(bench, "fan", geometry);
    learn(bench, "fan", 40);
    for (int i = 0; i < K - 3; i++) /* a window half full, that no flush has seen */
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), 0);
    for (size_t place = 0; place < 5; place++)
        for (int kind = 0; kind < 8; kind++) {
            struct wire_meta meta = numbered(100);
            struct still before = look(bench, "fan");
            enum intent intent = kind & 1 ? INTENT_LEARN : INTENT_BUFFER;
            int r;

            fill(&bench->seed, samples, 5, 1);
            for (size_t i = 0; i < VALUES; i++)
                samples[place * VALUES + i] = kind & 2 ? 3.0f : i == 7 ? NAN : 1;
            r = refused(
                bench,
                &(struct shot){
                    .id = "fan", .intent = intent, .samples = samples, .buffers = 5, .meta = kind & 4 ? &meta : NULL });
            assert_int_equal(r, kind & 2 ? REFUSAL_CONSTANT : REFUSAL_NOT_FINITE);
            assert_int_equal(bench->refusal.code, r);
            check_still(bench, "fan", before);
        }
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), 40);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), K - 3);
}

/* What is kept for relearning has a bound; what was refused does not use it up. */
static void test_refused_batches_keep_no_buffers(void **state)
{
    struct bench *bench = *state;
    static float samples[64 * VALUES];
    struct verdict verdicts[BATCH];
    size_t count;

    put(bench, "fan", geometry);
    for (int i = 0; i < 20; i++) {
        fill(&bench->seed, samples, 63, 1);
        for (size_t j = 0; j < VALUES; j++)
            samples[63 * VALUES + j] = 1;
        assert_int_equal(
            refused(bench, &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 64 }),
            REFUSAL_CONSTANT);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), 0);
    for (size_t i = 0; i < LIMIT_COMMISSIONING / 64; i++) {
        fill(&bench->seed, samples, 64, 1);
        assert_int_equal(shoot(bench,
                               &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 64 },
                               verdicts, &count),
                         0);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), LIMIT_COMMISSIONING);
}

/* What was refused was not applied: the same numbers, with buffers that are fine, are no duplicates. */
static void test_numbers_of_a_refused_batch_are_free(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta = numbered(7);
    struct verdict verdicts[BATCH];
    float samples[3 * VALUES];
    size_t count = 0;

    put(bench, "fan", geometry);
    fill(&bench->seed, samples, 2, 1);
    for (size_t i = 0; i < VALUES; i++)
        samples[2 * VALUES + i] = 1;
    assert_int_equal(
        refused(bench,
                &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 3, .meta = &meta }),
        REFUSAL_CONSTANT);
    fill(&bench->seed, samples, 3, 1);
    assert_int_equal(
        shoot(bench,
              &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 3, .meta = &meta },
              verdicts, &count),
        0);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(verdicts[i].status, VERDICT_LEARNED);
    assert_int_equal(view(bench, "fan").learning.learned, 3);
}

/* More buffers than there is room for verdicts: all are applied. */
static void test_a_batch_larger_than_its_answers(void **state)
{
    struct bench *bench = *state;
    static float samples[3 * BATCH * VALUES];
    struct verdict verdicts[BATCH];
    size_t count = 0;

    put(bench, "fan", geometry);
    fill(&bench->seed, samples, 3 * BATCH, 1);
    assert_int_equal(
        shoot(bench, &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 3 * BATCH },
              verdicts, &count),
        0);
    assert_int_equal(count, 3 * BATCH);
    assert_int_equal(view(bench, "fan").learning.learned, 3 * BATCH);
    assert_int_equal(verdicts[BATCH - 1].learning.learned, BATCH);
}

static void test_dry_run_touches_nothing(void **state)
{
    struct bench *bench = *state;
    float samples[4 * VALUES];
    struct wire_meta meta = numbered(7);
    struct verdict verdicts[BATCH];
    struct shot shot = {
        .id = "fan", .intent = INTENT_DETECT, .samples = samples, .buffers = 4, .meta = &meta, .dry_run = true
    };
    struct still before;
    size_t count;

    put(bench, "fan", geometry);
    fill(&bench->seed, samples, 4, 30);
    assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
    assert_int_equal(verdicts[0].status, VERDICT_NOT_READY);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_NEW);
    learn(bench, "fan", 40);
    for (int i = 0; i < K - 1; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    before = look(bench, "fan");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
        assert_int_equal(count, 4);
        assert_int_equal(verdicts[3].status, VERDICT_OK);
        assert_true(verdicts[3].detection.similarity < 90);
        assert_int_equal(verdicts[3].anomaly, 0);
    }
    check_still(bench, "fan", before);
    shot.dry_run = false;
    assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
    assert_int_equal(verdicts[0].status, VERDICT_OK); /* its number was not spent */
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

/* ---------------------------------------------------------------------------------------------- when a commit fails */

static void test_memory_is_never_ahead_of_the_store(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta = numbered(100);
    float samples[VALUES];
    struct registry_figures figures;
    struct block before;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    before = knowledge(bench, "fan");
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    fill(&bench->seed, samples, 1, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            refused(
                bench,
                &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .meta = &meta }),
            REFUSAL_STORE);
    assert_int_equal(view(bench, "fan").learning.learned, 30);
    assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, NULL).status, VERDICT_OK); /* goes on */
    database_run(bench->path, "DROP TRIGGER forbid");
    check_same_blocks(before, knowledge(bench, "fan"));
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status,
                     VERDICT_LEARNED); /* it was not applied: no duplicate */
    assert_int_equal(view(bench, "fan").learning.learned, 31);
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.refusals[REFUSAL_STORE], 3);
    before = knowledge(bench, "fan");
    restart(bench);
    check_same_blocks(before, knowledge(bench, "fan"));
}

/* Many learned before any is settled, and the commit fails: all are refused, nothing of any stays. */
static void test_receipts_of_a_failed_commit(void **state)
{
    struct bench *bench = *state;
    struct receipt receipts[5];
    float samples[VALUES];
    struct block before;
    unsigned int failed = 0;

    put(bench, "fan", geometry);
    learn(bench, "fan", 10);
    before = knowledge(bench, "fan");
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    for (size_t i = 0; i < COUNT(receipts); i++) {
        struct verdict verdicts[BATCH];
        size_t count;
        int r;

        fill(&bench->seed, samples, 1, 1);
        receipts[i].op = NULL;
        r = shoot(bench,
                  &(struct shot){
                      .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .receipt = &receipts[i] },
                  verdicts, &count);
        assert_true(r == 0 || r == REFUSAL_STORE);
        if (r == 0)
            failed += registry_settle(bench->registry, &receipts[i], &bench->refusal) == REFUSAL_STORE;
        else
            failed++;
    }
    assert_int_equal(failed, COUNT(receipts));
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_int_equal(view(bench, "fan").learning.learned, 10);
    check_same_blocks(before, knowledge(bench, "fan"));
}

static void test_receipts_settle(void **state)
{
    struct bench *bench = *state;
    struct receipt receipts[20];
    struct verdict verdicts[BATCH];
    float samples[VALUES];
    size_t count;

    put(bench, "fan", geometry);
    for (size_t i = 0; i < COUNT(receipts); i++) {
        fill(&bench->seed, samples, 1, 1);
        assert_int_equal(
            shoot(bench,
                  &(struct shot){
                      .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .receipt = &receipts[i] },
                  verdicts, &count),
            0);
    }
    for (size_t i = 0; i < COUNT(receipts); i++)
        assert_int_equal(registry_settle(bench->registry, &receipts[i], &bench->refusal), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), COUNT(receipts));
}

/* What was refused for the store was not learned: not in the report, and not in the metrics. */
static void test_refused_learns_do_not_count(void **state)
{
    struct bench *bench = *state;
    float samples[VALUES];
    struct registry_figures figures;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    fill(&bench->seed, samples, 1, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            refused(bench, &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1 }),
            REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid");
    learn(bench, "fan", 1);
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.learned, 31);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), 31);
}

static void detect(struct bench *bench, const char *id, unsigned int count)
{
    while (count-- > 0)
        assert_int_equal(one(bench, id, INTENT_DETECT, 1, NULL).status, VERDICT_OK);
}

/* The machine is silent after the last failure: its counters do not wait for a buffer. */
static void test_counters_wait_for_the_next_flush(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    database_run(bench->path, "CREATE TRIGGER forbid BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'not now'); END");
    detect(bench, "fan", 5);
    assert_true(registry_flush(bench->registry, bench->now) < 0);
    detect(bench, "fan", 3);
    assert_true(registry_flush(bench->registry, bench->now) < 0);
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), 8);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), 8); /* not twice */
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), 30);
}

/* Another process has the database: nothing commits until it is let go. habitd waits for it for a second. */
static sqlite3 *block_commits(struct bench *bench)
{
    sqlite3 *other;

    assert_int_equal(sqlite3_open(bench->path, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 5000);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return other;
}

/* Fills the queue with changes of a machine that nobody waits for; twice, as the writer takes a group of the first. */
static void fill_queue(struct bench *bench, int64_t row)
{
    struct store_change change = { .machine = row, .epoch = store_epoch(bench->store) };

    for (int i = 0; i < 2; i++) {
        while (store_submit(bench->store, &change, NULL) == 0)
            ;
        usleep(20000);
    }
}

/* Its own changes are still queued when a machine is to be loaded anew, and the queue is full: the store does not hold yet
 * what will be there. */
static void test_loading_anew_waits_for_what_is_queued(void **state)
{
    enum { QUEUED = 3 };
    struct bench *bench = *state;
    struct receipt receipts[QUEUED];
    struct verdict verdicts[BATCH];
    struct machine_view found;
    float samples[VALUES];
    char etag[ETAG_SIZE];
    unsigned int learned = 5;
    sqlite3 *other;
    size_t count;
    struct shot shot = { .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1 };

    put(bench, "fan", geometry);
    put(bench, "filler", geometry);
    learn(bench, "fan", learned);
    fill(&bench->seed, samples, 1, 1);
    other = block_commits(bench);
    for (size_t i = 0; i < QUEUED; i++) {
        shot.receipt = &receipts[i];
        assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
    }
    fill_queue(bench, database_number(bench->path, "SELECT id FROM machine WHERE name = 'filler'"));
    shot.receipt = NULL;
    assert_int_equal(refused(bench, &shot), REFUSAL_STORE); /* memory has it, nobody will write it */
    for (int i = 0; i < 2; i++)
        assert_int_equal(registry_show(bench->registry, "fan", &found, etag, bench->now, &bench->refusal),
                         REFUSAL_STORE);
    sqlite3_close(other);
    for (size_t i = 0; i < QUEUED; i++)
        learned += registry_settle(bench->registry, &receipts[i], &bench->refusal) == 0;
    assert_int_equal(view(bench, "fan").learning.learned, learned);
    learn(bench, "fan", 1);
    assert_int_equal(view(bench, "fan").learning.learned, learned + 1);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned, learned + 1);
}

static void *let_go(void *other)
{
    usleep(300000);
    sqlite3_close(other);
    return NULL;
}

/* One buffer of each of many machines that are told neither to learn nor to judge: counted, and nothing else. */
static void count_one_each(struct bench *bench, int machines)
{
    float samples[16] = { 1, 2, 3 };
    struct arrival arrival = {
        .encoding = ENCODING_RAW, .bytes = samples, .size = sizeof(samples), .format = -1, .now = bench->now
    };
    size_t count;
    char id[16];

    arrival.id = id;
    for (int i = 1; i <= machines; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        assert_int_equal(registry_submit(bench->registry, &arrival, NULL, 0, &count, NULL, &bench->refusal), 0);
    }
}

/* More machines have counters than the store's queue holds, and the store is slow. */
static void test_flush_of_more_machines_than_the_queue_holds(void **state)
{
    enum { MACHINES = 5000 };
    struct bench *bench = *state;
    pthread_t thread;

    stop(bench);
    database_run(
        bench->path,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO machine (name, created, settings) SELECT 'm' || i, 1, '{\"buffer_size\":16,\"axes\":1}' FROM n");
    start(bench);
    assert_true(MACHINES > LIMIT_STORE_QUEUE + LIMIT_STORE_BATCH);
    count_one_each(bench, MACHINES);
    assert_int_equal(pthread_create(&thread, NULL, let_go, block_commits(bench)), 0);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    pthread_join(thread, NULL);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM hour WHERE idle = 1"), MACHINES);
    restart(bench);
    assert_int_equal(database_number(bench->path, "SELECT sum(idle) FROM hour"), MACHINES);
}

/* ------------------------------------------------------------------------------------------------------------ restart */

/* The same life twice, once with a restart after every step: every answer is the same. */
static void test_restarts_change_nothing(void **state)
{
    struct bench *bench = *state, *other = bench_new();
    struct block a, b;
    int64_t raised = 0;

    add_pattern(other, "auto-*", true, "buffer_size=32 axes=2 start=auto");
    start(other);
    for (int i = 0; i < 200; i++) { /* false_alarms: some windows in a row, which are counted across restarts */
        float strange = i < 100 ? 1 : i < 185 ? 20 : 1;
        struct verdict straight = one(bench, "auto-1", INTENT_BUFFER, strange, NULL);
        struct verdict restarted = one(other, "auto-1", INTENT_BUFFER, strange, NULL);

        assert_int_equal(restarted.status, straight.status);
        assert_int_equal(restarted.phase, straight.phase);
        assert_int_equal(restarted.detection.similarity, straight.detection.similarity);
        assert_true(restarted.detection.distance == straight.detection.distance);
        assert_int_equal(restarted.average.known, straight.average.known);
        assert_int_equal(restarted.average.similarity, straight.average.similarity);
        assert_true(restarted.average.distance == straight.average.distance);
        assert_int_equal(restarted.learning.learned, straight.learning.learned);
        assert_int_equal(restarted.anomaly, straight.anomaly);
        raised = straight.anomaly ? straight.anomaly : raised;
        restart(other);
    }
    assert_int_equal(view(bench, "auto-1").state.phase, PHASE_WATCHING);
    assert_true(raised > 0);
    a = knowledge(bench, "auto-1");
    b = knowledge(other, "auto-1");
    check_same_blocks(a, b);
    assert_int_equal(database_number(other->path, "SELECT count(*) FROM anomaly"),
                     database_number(bench->path, "SELECT count(*) FROM anomaly"));
    assert_int_equal(database_number(other->path, "SELECT count(*) FROM outbox"),
                     database_number(bench->path, "SELECT count(*) FROM outbox"));
    bench_free(other);
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
    bool created = true;

    put(bench, "fan", geometry);
    put(bench, "twin", geometry);
    learn(bench, "fan", 50);
    block = knowledge(bench, "fan");
    assert_int_equal(registry_put_knowledge(bench->registry, "twin", block.bytes, block.size, "", bench->now, &created,
                                            &bench->refusal),
                     0);
    assert_false(created);
    assert_int_equal(view(bench, "twin").state.phase, PHASE_WATCHING);
    assert_int_equal(view(bench, "twin").learning.learned, 50);
    assert_int_equal(one(bench, "twin", INTENT_BUFFER, 1, NULL).status, VERDICT_OK);
    assert_int_equal(registry_put_knowledge(bench->registry, "new", block.bytes, block.size, "", bench->now, &created,
                                            &bench->refusal),
                     0);
    assert_true(created);
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
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    stop(bench);
    bench->config.patterns[0].settings.buffer_size = 2 * SAMPLES;
    start(bench);
    found = view(bench, "auto-1");
    assert_true(found.conflict);
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

/* ------------------------------------------------------------------------------------------------------------ reports */

/* The report of one machine; its explanation is freed with the next one. */
static const struct daily_report *report_of(struct bench *bench, const char *id, const struct civil_day *day)
{
    static struct daily_report report;
    const struct report_query query = { .machine = id, .day = *day, .limit = 1 };

    registry_reports_clear(&report, 1);
    memset(&report, 0, sizeof(report));
    return registry_reports(bench->registry, &query, bench->now.wall, &report, &bench->refusal) == 1 ? &report : NULL;
}

static void test_reports_count_everything_once(void **state)
{
    struct bench *bench = *state;
    struct civil_day day;
    struct wire_meta meta = numbered(1);

    setenv("TZ", "UTC", 1);
    put(bench, "fan", geometry);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    one(bench, "fan", INTENT_DETECT, 1, NULL);
    learn(bench, "fan", 40);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    for (int i = 0; i < 7; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    one(bench, "fan", INTENT_LEARN, 1, &meta);
    one(bench, "fan", INTENT_LEARN, 1, &meta);
    civil_day_of_time(bench->now.wall, &day);
    for (int i = 0; i < 3; i++) {
        const struct daily_report *report = report_of(bench, "fan", &day);

        assert_non_null(report);
        assert_string_equal(report->machine, "fan");
        assert_int_equal(report->total.learned, 41);
        assert_int_equal(report->total.detected, 7);
        assert_int_equal(report->total.duplicates, 1);
        assert_int_equal(report->total.idle, 1);
        assert_int_equal(report->total.not_ready, 1);
        assert_int_equal(report->made, 0);
        restart(bench); /* flushed or not, restarted or not: the same */
    }
    memset(&bench->refusal, 0, sizeof(bench->refusal));
    assert_null(report_of(bench, "none", &day));
    assert_int_equal(bench->refusal.code, REFUSAL_NO_MACHINE);
}

/* ------------------------------------------------------------------------------------------------------------ threads */

enum { THREADS = 4, ROUNDS = 60 };

struct worker {
    struct bench *bench;
    const char *id;
    uint64_t seed;
    atomic_int *going;
    unsigned int learned, wrong;
};

static void *learn_on(void *user)
{
    struct worker *worker = user;

    for (int i = 0; i < ROUNDS; i++) {
        float samples[VALUES];
        struct refusal refusal;
        struct verdict verdict[1];
        size_t count = 0;
        struct arrival arrival = { .id = worker->id,
                                   .intent = INTENT_LEARN,
                                   .encoding = ENCODING_RAW,
                                   .bytes = samples,
                                   .size = sizeof(samples),
                                   .format = -1,
                                   .now = { INT64_C(1795353571000) + i, i } };
        int r;

        fill(&worker->seed, samples, 1, 1);
        r = registry_submit(worker->bench->registry, &arrival, verdict, 1, &count, NULL, &refusal);
        worker->learned += r == 0;
        worker->wrong += r != 0 && r != REFUSAL_NO_MACHINE && r != REFUSAL_STORE;
    }
    atomic_fetch_sub(worker->going, 1);
    return NULL;
}

static void go(struct bench *bench, struct worker *workers, pthread_t *threads, const char *const *ids, size_t id_count,
               atomic_int *going)
{
    *going = THREADS;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .bench = bench, .id = ids[i % id_count], .seed = i, .going = going };
        assert_int_equal(pthread_create(&threads[i], NULL, learn_on, &workers[i]), 0);
    }
}

static unsigned int join(struct worker *workers, pthread_t *threads)
{
    unsigned int learned = 0;

    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
        learned += workers[i].learned;
    }
    return learned;
}

static void test_threads_on_one_machine(void **state)
{
    static const char *const ids[] = { "fan" };
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    atomic_int going;

    put(bench, "fan", geometry);
    go(bench, workers, threads, ids, 1, &going);
    while (going > 0) {
        struct machine_view views[2];

        assert_int_equal(registry_list(bench->registry, "", views, 2, bench->now), 1);
        assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    }
    assert_int_equal(join(workers, threads), THREADS * ROUNDS);
    assert_int_equal(view(bench, "fan").learning.learned, THREADS * ROUNDS);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned, THREADS * ROUNDS);
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), THREADS * ROUNDS);
}

/* H42, H43: deleted, made anew, forgotten and read while others learn; whoever was told "learned" of a machine that is deleted
 * learned something that is gone, and nobody crashes. */
static void test_delete_while_others_submit(void **state)
{
    static const char *const ids[] = { "fan", "auto-1" };
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    atomic_int going;
    unsigned int round = 0, learned;

    put(bench, "fan", geometry);
    go(bench, workers, threads, ids, 2, &going);
    while (going > 0) {
        struct refusal refusal;
        void *bytes = NULL;
        size_t size;
        uint32_t crc;
        bool created;

        switch (round++ % 5) {
        case 0:
            registry_delete(bench->registry, "fan", "", &refusal);
            break;
        case 1:
            assert_int_equal(registry_put(bench->registry, "fan", geometry, strlen(geometry), "", &created, &refusal),
                             0);
            break;
        case 2:
            registry_initialize(bench->registry, "auto-1", bench->now, &refusal);
            break;
        case 3:
            if (registry_get_knowledge(bench->registry, "fan", &bytes, &size, &crc, &refusal) == 0)
                registry_put_knowledge(bench->registry, "auto-1", bytes, size, "", bench->now, &created, &refusal);
            free(bytes);
            break;
        default:
            registry_delete(bench->registry, "auto-1", "", &refusal);
            break;
        }
    }
    learned = join(workers, threads);
    assert_true(learned <= THREADS * ROUNDS);
    put(bench, "fan", geometry);
    assert_true(view(bench, "fan").learning.learned <= learned);
    restart(bench);
    learn(bench, "fan", 1);
}

/* Commits fail now and then while many learn: what was answered "learned" is there, what was refused is not. */
static void test_threads_and_failing_commits(void **state)
{
    static const char *const ids[] = { "fan", "pump" };
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    unsigned int learned;
    atomic_int going;

    put(bench, "fan", geometry);
    put(bench, "pump", geometry);
    go(bench, workers, threads, ids, 2, &going);
    for (int i = 0; i < 10 && going > 0; i++) {
        database_run(
            bench->path,
            "CREATE TRIGGER IF NOT EXISTS forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
        database_run(bench->path, "DROP TRIGGER forbid");
    }
    learned = join(workers, threads);
    assert_true(learned > 0);
    assert_int_equal(view(bench, "fan").learning.learned + view(bench, "pump").learning.learned, learned);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned + view(bench, "pump").learning.learned, learned);
}

/* ------------------------------------------------------------------------------------------------------ strategy's time */

static const int64_t minute_ms = 60000, day_ms = 86400000;

/* A gateway without a battery hears the time while a machine learns for a day: the day is not over by that. Nor by a start with
 * another clock. */
static void test_a_clock_that_is_set(void **state)
{
    struct bench *bench = *state;
    int64_t ahead = INT64_C(56) * 365 * day_ms;

    bench->now.wall = 1000000;
    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"start\":\"auto\",\"learn\":\"24h\"}");
    for (int i = 0; i < 40; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    bench->now.wall += ahead;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    assert_true(llabs(view(bench, "fan").state.last_seen - bench->now.wall) < minute_ms); /* shown as people see it */
    restart(bench);
    bench->now.wall += ahead;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    bench->now.wall -= 2 * ahead; /* and back */
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    bench->now.wall += day_ms;
    bench->now.mono += day_ms;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_WATCHING);
}

static void heat(struct bench *bench, const char *id, double temperature)
{
    struct wire_meta meta = { .context_count = 1, .context[0] = { .name = "temperature", .value = temperature } };

    assert_int_equal(registry_context(bench->registry, id, &meta, bench->now, &bench->refusal), 0);
}

/* A rule that waits goes on waiting after a restart, which forgets the number itself, and learns once, not twice. */
static void test_rules_survive_restarts(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan",
        "{\"buffer_size\":32,\"axes\":2,\"drift_budget\":100,\"rule\":\"temperature > 60 for 10m : learn 5\"}");
    learn(bench, "fan", 100);
    for (int i = 0; i < 2 * K; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    heat(bench, "fan", 65);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_string_equal(view(bench, "fan").rule_stage[0], "waits");
    restart(bench);
    bench->now.wall += 10 * minute_ms;
    bench->now.mono += 10 * minute_ms;
    for (int i = 0; i < 12; i++) {
        struct verdict verdict = one(bench, "fan", INTENT_BUFFER, 1, NULL);

        assert_int_equal(verdict.status, i < 5 ? VERDICT_LEARNED : VERDICT_OK);
        assert_int_equal(verdict.average.known && i < 5 + K - 1 && i >= 5, 0); /* the window began empty */
        restart(bench);
    }
    assert_string_equal(view(bench, "fan").rule_stage[0], "done");
    assert_int_equal(view(bench, "fan").learning.learned, 105);
}

/* What has no drift budget left is judged instead, and nothing of it is learned. */
static void test_rules_keep_their_budget(void **state)
{
    struct bench *bench = *state;
    struct verdict verdict = { 0 };

    put(bench, "fan",
        "{\"buffer_size\":32,\"axes\":2,\"learn\":100,\"drift_budget\":0.05,\"rule\":\"temperature > 60 : learn "
        "1000\"}");
    learn(bench, "fan", 100);
    for (int i = 0; i < 2 * K; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    for (int i = 0; i < 200; i++) {
        heat(bench, "fan", 65);
        verdict = one(bench, "fan", INTENT_BUFFER, 3, NULL);
    }
    assert_int_equal(verdict.status, VERDICT_OK);
    assert_string_equal(view(bench, "fan").rule_stage[0], "spent");
    assert_true(view(bench, "fan").state.memory.rule[0].drift <= 0.05f);
    assert_true(view(bench, "fan").learning.learned < 300);
}

/* Silence is told once when it begins and once when it ends, also across a restart; a downtime of ours is no silence. */
static void test_troubles_are_told_once(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"silent_after\":\"5m\"}");
    for (int i = 0; i < 3; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(registry_watch(bench->registry, bench->now), 0);
        assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/event'"),
                         i < 5 ? 0 : 1);
        bench->now.wall += minute_ms;
        bench->now.mono += minute_ms;
    }
    restart(bench);
    assert_int_equal(registry_watch(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/event'"), 1);
    bench->now.wall += day_ms;
    bench->now.mono += day_ms;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(registry_watch(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/event'"), 2);
    assert_int_equal(view(bench, "fan").troubles, 0);
}

/* --------------------------------------------------------------------------------------------------------------- news */

struct told {
    size_t count;
    char ids[40][MACHINE_ID_SIZE];
    unsigned int what[40];
};

static void tell(void *user, const struct machine_view *view, unsigned int what)
{
    struct told *told = user;

    assert_true(told->count < 40);
    snprintf(told->ids[told->count], sizeof(told->ids[0]), "%s", view->id);
    told->what[told->count++] = what;
}

/* One whole round, in portions. */
static struct told round_of(struct bench *bench, struct registry_news *news, size_t portion)
{
    struct told told = { 0 };

    assert_int_equal(registry_news_begin(bench->registry, news, bench->now), 0);
    while (news->under_way)
        assert_in_range(registry_news_next(bench->registry, news, bench->now, portion, tell, &told), 0, portion);
    return told;
}

static void test_every_reader_has_all_news(void **state)
{
    struct bench *bench = *state;
    struct registry_news first = { 0 }, second = { 0 };
    struct refusal refusal;
    struct told told;

    for (int i = 0; i < 5; i++) {
        char id[8];

        snprintf(id, sizeof(id), "fan-%d", i);
        put(bench, id, "{\"buffer_size\":32,\"axes\":2}");
    }
    told = round_of(bench, &first, 2);
    assert_int_equal(told.count, 5);
    assert_string_equal(told.ids[4], "fan-4");
    assert_int_equal(told.what[0], NEWS_ALL);
    assert_int_equal(round_of(bench, &first, 2).count, 0);

    assert_int_equal(registry_set_sensitivity(bench->registry, "fan-3", 2, "", &refusal), 0);
    told = round_of(bench, &first, 10);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.ids[0], "fan-3");
    assert_int_equal(told.what[0], NEWS_STATE | NEWS_SETTINGS);
    assert_int_equal(round_of(bench, &second, 1).count, 5); /* its first round */

    assert_int_equal(registry_commission(bench->registry, "fan-1", bench->now, &refusal), 0);
    assert_int_equal(round_of(bench, &second, 1).count, 1); /* what one has looked at */
    told = round_of(bench, &first, 1);                      /* is news to the other one too, once */
    assert_int_equal(told.count, 1);
    assert_string_equal(told.ids[0], "fan-1");
    assert_int_equal(told.what[0], NEWS_STATE);
    assert_int_equal(round_of(bench, &first, 1).count, 0);
    assert_int_equal(round_of(bench, &second, 1).count, 0);
}

static void test_what_changes_while_a_round_is_read(void **state)
{
    struct bench *bench = *state;
    struct registry_news slow = { 0 }, quick = { 0 };
    struct refusal refusal;
    struct told told = { 0 };

    put(bench, "a", "{\"buffer_size\":32,\"axes\":2}");
    put(bench, "b", "{\"buffer_size\":32,\"axes\":2}");
    round_of(bench, &slow, 9);
    round_of(bench, &quick, 9);
    registry_commission(bench->registry, "a", bench->now, &refusal);
    assert_int_equal(registry_news_begin(bench->registry, &slow, bench->now), 0);
    assert_int_equal(registry_news_next(bench->registry, &slow, bench->now, 1, tell, &told), 1);
    registry_commission(bench->registry, "a", bench->now, &refusal); /* behind the reader */
    registry_commission(bench->registry, "b", bench->now, &refusal); /* and before it */
    assert_int_equal(round_of(bench, &quick, 9).count, 2);
    assert_int_equal(round_of(bench, &slow, 9).count, 0); /* the rest of its round: b changed after it began */
    assert_int_equal(round_of(bench, &slow, 9).count, 2);
    assert_int_equal(round_of(bench, &slow, 9).count, 0);
}

static void test_silence_is_news_once(void **state)
{
    struct bench *bench = *state;
    struct registry_news news = { 0 };
    struct refusal refusal;
    struct told told;

    put(bench, "a", "{\"buffer_size\":32,\"axes\":2,\"silent_after\":\"10s\"}");
    assert_int_equal(registry_delete(bench->registry, "a", "", &refusal), 0);
    assert_int_equal(round_of(bench, &news, 9).count, 0); /* deleted: none of it */
    put(bench, "a", "{\"buffer_size\":32,\"axes\":2,\"silent_after\":\"10s\"}");
    learn(bench, "a", 1);
    told = round_of(bench, &news, 9);
    assert_int_equal(told.count, 1);
    assert_true(told.what[0] & NEWS_ONLINE);
    bench->now.wall += 11000;
    bench->now.mono += 11000;
    told = round_of(bench, &news, 9);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.what[0], NEWS_STATE | NEWS_ONLINE);
    assert_int_equal(round_of(bench, &news, 9).count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_reader_has_all_news),
        TEST(test_what_changes_while_a_round_is_read),
        TEST(test_silence_is_news_once),
        TEST(test_unknown_machines),
        TEST(test_machine_by_pattern),
        TEST(test_put_patch_delete),
        TEST(test_recreated_machine_knows_nothing),
        TEST(test_most_machines),
        TEST(test_list_in_pages),
        TEST(test_adopt_derives_the_buffer_size),
        TEST(test_learn_then_detect),
        TEST(test_bodies_that_do_not_fit),
        TEST(test_raise_and_clear),
        TEST(test_the_row_of_an_anomaly_says_the_worst),
        TEST(test_a_backlog_is_not_silence),
        TEST(test_sensitivity),
        TEST(test_a_batch_is_all_or_nothing),
        TEST(test_refused_batches_keep_no_buffers),
        TEST(test_numbers_of_a_refused_batch_are_free),
        TEST(test_a_batch_larger_than_its_answers),
        TEST(test_dry_run_touches_nothing),
        TEST(test_duplicates),
        TEST(test_memory_is_never_ahead_of_the_store),
        TEST(test_receipts_of_a_failed_commit),
        TEST(test_receipts_settle),
        TEST(test_refused_learns_do_not_count),
        TEST(test_counters_wait_for_the_next_flush),
        TEST(test_loading_anew_waits_for_what_is_queued),
        TEST(test_flush_of_more_machines_than_the_queue_holds),
        TEST(test_restarts_change_nothing),
        TEST(test_initialize),
        TEST(test_knowledge_from_elsewhere),
        TEST(test_knowledge_that_is_refused),
        TEST(test_geometry_conflict),
        TEST(test_geometry_is_not_patched_away),
        TEST(test_commissioning_is_bounded),
        TEST(test_reports_count_everything_once),
        TEST(test_a_clock_that_is_set),
        TEST(test_rules_survive_restarts),
        TEST(test_rules_keep_their_budget),
        TEST(test_troubles_are_told_once),
        TEST(test_threads_on_one_machine),
        TEST(test_delete_while_others_submit),
        TEST(test_threads_and_failing_commits),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
