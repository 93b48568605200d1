#include "registry_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char geometry[] = "{\"buffer_size\":32,\"axes\":2}";

/* ------------------------------------------------------------------------------------------------------------- bench */

void add_pattern(struct bench *bench, const char *pattern, bool make, const char *settings)
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

int set_up(void **state)
{
    struct bench *bench = bench_new();

    add_pattern(bench, "auto-*", true, "buffer_size=32 axes=2 start=auto");
    start(bench);
    *state = bench;
    return 0;
}

int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- buffers */

void fill(uint64_t *seed, float *samples, size_t buffers, float strange)
{
    for (size_t i = 0; i < buffers * VALUES; i++) {
        float noise = 0;

        for (int j = 0; j < 4; j++)
            noise += (float)chance_below(seed, 2000) / 1000.0f - 1.0f;
        samples[i] = sinf((float)(i / AXES) * 0.7f) + 0.1f * strange * noise;
    }
}

int shoot(struct bench *bench, const struct shot *shot, struct verdict *verdicts, size_t *count)
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

struct verdict one(struct bench *bench, const char *id, enum intent intent, float strange, const struct wire_meta *meta)
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

void learn(struct bench *bench, const char *id, unsigned int count)
{
    while (count-- > 0)
        assert_int_equal(one(bench, id, INTENT_LEARN, 1, NULL).status, VERDICT_LEARNED);
}

int refused(struct bench *bench, const struct shot *shot)
{
    struct verdict verdicts[BATCH];
    size_t count = 4711;

    return shoot(bench, shot, verdicts, &count);
}

void put(struct bench *bench, const char *id, const char *json)
{
    bool created = false;

    if (registry_put(bench->registry, id, json, strlen(json), "", &created, &bench->refusal) != 0)
        fail_msg("%s: %s", id, bench->refusal.detail);
}

struct machine_view view(struct bench *bench, const char *id)
{
    struct machine_view found;
    char etag[ETAG_SIZE];

    if (registry_show(bench->registry, id, &found, etag, bench->now, &bench->refusal) != 0)
        fail_msg("%s: %s", id, bench->refusal.detail);
    return found;
}

bool exists(struct bench *bench, const char *id)
{
    struct machine_view found;
    char etag[ETAG_SIZE];

    return registry_show(bench->registry, id, &found, etag, bench->now, NULL) == 0;
}

struct block knowledge(struct bench *bench, const char *id)
{
    struct block block = { 0 };

    assert_int_equal(
        registry_get_knowledge(bench->registry, id, &block.bytes, &block.size, &block.crc, &bench->refusal), 0);
    assert_non_null(block.bytes);
    return block;
}

void check_same_blocks(struct block a, struct block b)
{
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
    assert_int_equal(a.crc, b.crc);
    free(a.bytes);
    free(b.bytes);
}

struct wire_meta numbered(uint64_t seq)
{
    return (struct wire_meta){ .source = "esp", .boot = "a1", .has_seq = true, .seq = seq };
}

/* ------------------------------------------------------------------------------------------------ what must stay as it was */

struct verdict trial(struct bench *bench, const char *id)
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

struct still look(struct bench *bench, const char *id)
{
    struct still still = { .block = knowledge(bench, id), .view = view(bench, id), .average = trial(bench, id) };

    registry_figures(bench->registry, &still.figures);
    return still;
}

void check_still(struct bench *bench, const char *id, struct still before)
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
